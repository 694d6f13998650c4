//! MISP's JSON, as far as the write path needs it: bodies of requests, and answers read strictly enough
//! that a lying server cannot pass for a MISP.

mod answer;
mod body;
mod csv;

pub(crate) use answer::{
    AttributeEcho, AttributesAnswer, EventIndexed, EventMetadata, FieldErrors, KeyListed,
    TagListed, as_number, errors, event, event_index, event_search, keys, sharing_groups, tags,
    version, whoami,
};
pub(crate) use body::{AttributeBody, attributes, edit, new_event};
pub(crate) use csv::rows;

/// An answer that is not what MISP answers to this request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an answer of MISP: {what}")]
pub(crate) struct NotMisp {
    /// What is wrong with it.
    pub(crate) what: String,
}

impl NotMisp {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}
