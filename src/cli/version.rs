//! What `--version` says: of which commit this program is, for which target, and which MISPs it was measured on.

use std::sync::LazyLock;

/// The MISPs that our facts were measured on.
pub(super) const MEASURED: [&str; 2] = ["2.5.1", "2.5.19"];

/// All of it; `-V` says the first line.
pub(super) static LONG: LazyLock<String> = LazyLock::new(|| {
    let (version, commit) = (env!("CARGO_PKG_VERSION"), env!("BUILT_OF_COMMIT"));
    let (target, measured) = (env!("BUILT_FOR_TARGET"), MEASURED.join(" and "));
    format!("{version}\ncommit: {commit}\ntarget: {target}\nmeasured on MISP {measured}")
});
