//! Why a body is not the JSON that was asked for. The words of the decoder name our own types, and are told to nobody.

use std::fmt;

use serde::de::IgnoredAny;

use super::answered;

/// The mark that some editors put before a text.
pub(super) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Why a body is not the JSON that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misread {
    /// Nothing is in it.
    Empty,
    /// A byte order mark stands before it.
    Marked,
    /// It ends before what was begun.
    Cut,
    /// It is no JSON; what it is, as [`answered`] says.
    NoJson(String),
    /// It is other JSON, from this line and column on.
    Shape(usize, usize),
}

impl Misread {
    /// Why a decoder did not read this body.
    pub(crate) fn of(body: &[u8], error: &serde_json::Error) -> Self {
        // A decoder stops at the first thing that it does not want, whatever follows.
        Self::at_first_sight(body).unwrap_or_else(|| {
            match serde_json::from_slice::<IgnoredAny>(body) {
                Ok(_) => Self::Shape(error.line(), error.column()),
                Err(error) if error.is_eof() => Self::Cut,
                Err(_) => Self::NoJson(answered(body)),
            }
        })
    }

    /// What is wrong with a body in whatever form it was to be.
    pub(crate) fn at_first_sight(body: &[u8]) -> Option<Self> {
        let text = body.strip_prefix(BYTE_ORDER_MARK);
        if text.unwrap_or(body).trim_ascii().is_empty() {
            return Some(Self::Empty);
        }
        text.map(|_| Self::Marked)
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the answer is empty"),
            Self::Marked => f.write_str("a byte order mark stands before the answer"),
            Self::Cut => f.write_str("the answer ends in the middle"),
            Self::NoJson(what) => write!(f, "it answers {what}"),
            Self::Shape(line, column) => {
                write!(f, "it is JSON of another shape, from line {line}, column {column} on")
            }
        }
    }
}
