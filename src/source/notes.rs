//! What a source says of itself.

use crate::model::{keep_note, limits::PULL_NOTES_KEPT_MAX};

/// What a person should know of a pull and is no error of it, within limits. It is in the log as well, as it comes.
#[derive(Debug, Default)]
pub(super) struct Notes {
    kept: Vec<String>,
    more: usize,
}

impl Notes {
    pub(super) fn add(&mut self, note: &str) {
        tracing::warn!("{note}");
        keep_note(&mut self.kept, &mut self.more, note, PULL_NOTES_KEPT_MAX);
    }

    pub(super) fn kept(&self) -> &[String] {
        &self.kept
    }
}
