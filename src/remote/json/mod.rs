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

use crate::http::Misread;

/// An answer that is not what MISP answers to this request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an answer of MISP: {what}; {cure}")]
pub(crate) struct NotMisp {
    /// What is wrong with it.
    what: String,
    /// What that may be, and what to do.
    cure: &'static str,
}

const OTHER_SHAPE: &str =
    "check `url`, and whether MISP or something before it changes its answers";
const CUT: &str = "look into the logs of PHP and of what stands before MISP: one of them ended the answer too early";

impl NotMisp {
    /// Something that MISP does not answer.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), cure: OTHER_SHAPE }
    }

    /// The beginning of an answer.
    pub(crate) fn cut(what: impl Into<String>) -> Self {
        Self { what: what.into(), cure: CUT }
    }

    /// Something that cannot be read.
    pub(crate) fn misread(before: &str, why: &Misread) -> Self {
        let cure = match why {
            Misread::Empty => {
                "look into the logs of PHP and of what stands before MISP: memory or time ran out over it, or something \
                 took the answer away"
            }
            Misread::Marked => {
                "a file of PHP there begins with one, most likely MISP's own config.php; save that file without one"
            }
            Misread::Cut => CUT,
            Misread::NoJson(_) | Misread::Shape(..) => OTHER_SHAPE,
        };
        Self { what: format!("{before}{why}"), cure }
    }
}
