//! Answers of the history as text for people and JSON for programs.

pub mod json;
pub mod map;
pub mod plan;
pub mod sync;
pub mod text;
pub mod verify;
pub mod why;
mod words;

pub(super) use words::{Bytes, Clean, Lines, Span, line};

/// How much of a run or difference is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Every change.
    Full,
    /// How many changes of each kind.
    Counts,
}
