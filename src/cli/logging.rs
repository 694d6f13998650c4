//! What `-v` and `-q` say: the log, on standard error. No event in it holds a key.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, filter::LevelFilter, fmt};

use super::args::GlobalArgs;

/// A filter in the manner of `RUST_LOG`, which goes before `-v` and `-q`.
const VARIABLE: &str = "MISP_TRICKLE_LOG";

/// Starts the log of this process.
pub(super) fn start(global: &GlobalArgs) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    // Of the libraries only what goes wrong: their traces are of no use to a user. What they find wrong with a
    // certificate, the error says anyway.
    let ours = format!("warn,rustls_platform_verifier=off,misp_trickle={level}");
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(ours));
    let colours = std::io::stderr().is_terminal();
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    // A second log in one process, as in tests, is no reason to stop.
    drop(log.with_target(false).without_time().try_init());
}
