//! MISP's JSON, as far as the write path needs it: bodies of requests, and answers read strictly enough
//! that a lying server cannot pass for a MISP.

mod answer;
mod body;
mod csv;

pub use answer::{
    AttributeEcho, AttributesAnswer, ErrorAnswer, EventMetadata, FieldErrors, KeyListed, TagListed,
    VersionAnswer, WhoamiAnswer, as_number, errors, event, event_index, event_search, keys,
    sharing_groups, tags, version, whoami,
};
pub use body::{AttributeBody, EventBody, attributes, edit, new_event};
pub use csv::{CsvRow, rows};

/// An answer that is not what MISP answers to this request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an answer of MISP: {what}")]
pub struct NotMisp {
    /// What is wrong with it.
    pub what: String,
}

impl NotMisp {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}
