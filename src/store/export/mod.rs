//! A store as JSON lines, to keep, to read, and to make a store of again.
//!
//! | line | what |
//! | --- | --- |
//! | first | `schema`, which store, when, counts, and a BLAKE3 of this line |
//! | `"kind": "destination"`, `"rules"`, `"run"`, `"changes"`, `"alias"`, `"event"`, `"losses"`, `"cursor"` | one record each, in the order of their keys |
//! | `"kind": "end"` | how many lines stand between it and the first, and a BLAKE3 of their bytes |
//!
//! A line is a type of the ledger as serde writes it, not as the store keeps it. It is read only if it is written
//! exactly as we would write it: a damaged one is refused by its number. Lines of the first format are made those of
//! today (`first.rs`); what is damaged in them shows at the last line.

mod first;
mod line;
mod read;
mod sound;
mod write;

#[cfg(test)]
mod tests;

pub use read::{ImportError, ImportReport};
pub use read::{Told, told_by};
pub use write::ExportError;

use serde::{Deserialize, Serialize};

use crate::model::{Context, Encoder};

/// The schema of what [`Store::export`](super::Store::export) writes.
pub const EXPORT_SCHEMA: &str = "misp-trickle/export/2";
/// The one before, which is still read.
const FIRST_SCHEMA: &str = "misp-trickle/export/1";

/// How much an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "each name is what is counted")]
pub struct ExportCounts {
    pub destinations: u64,
    pub rules: u64,
    pub runs: u64,
    /// Lines with changes; each holds those of one commit, or part of them.
    pub changes: u64,
    pub aliases: u64,
    pub events: u64,
    /// Attributes of all events.
    pub attributes: u64,
    pub cursors: u64,
    /// Lines with what did not reach MISP. Exports that were written before it was kept have none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub losses: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    schema: String,
    store: String,
    exported: String,
    /// Commits of the store so far.
    commits: u64,
    counts: ExportCounts,
    /// BLAKE3 of this line with nothing in this field.
    blake3: String,
}

impl Header {
    /// The header with its own digest in it.
    fn sealed(mut self) -> Result<Self, serde_json::Error> {
        self.blake3 = String::new();
        let line = serde_json::to_vec(&self)?;
        self.blake3 =
            Encoder::new(Context::Record).text(&self.schema).bytes(&line).finish().to_string();
        Ok(self)
    }
}

/// Feeds the lines between the first and the last into a digest.
fn body_digest(schema: &str) -> Encoder {
    let mut digest = Encoder::new(Context::Record);
    digest.text(schema);
    digest
}
