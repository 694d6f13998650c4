//! Answers of the history as text for people and JSON for programs.

pub mod changes;
pub mod json;
pub mod map;
pub(super) mod marks;
mod notes;
pub mod plan;
pub mod runs;
pub mod status;
pub mod sync;
pub mod verify;
pub mod why;
mod words;

pub(super) use marks::{Clock, Mark, Tone, Toned, bad, head, odd};
pub(super) use notes::Notes;
pub(super) use words::{Bytes, Clean, CleanLines, Lines, Span, line};

/// So much of each list is shown where an answer is brief.
const SHOWN: usize = 20;

/// How much of a run or difference is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Every change.
    Full,
    /// The first of them, and how many more there are.
    Brief,
    /// How many changes of each kind.
    Counts,
}

impl Detail {
    /// What of a list is shown, and how much of it is not.
    fn cut<T>(self, all: &[T]) -> (&[T], usize) {
        let most = if self == Self::Brief { SHOWN } else { all.len() };
        let shown = all.get(..most).unwrap_or(all);
        (shown, all.len() - shown.len())
    }
}
