//! What came to nothing, and when it is tried again.

use std::collections::BTreeSet;

use crate::model::{AttributeUuid, Timestamp};

use super::suspect::Suspect;

/// What came to nothing.
#[derive(Debug)]
pub(super) struct Retry {
    /// What is known of bodies that were refused.
    pub(super) suspect: Suspect,
    /// What an earlier run tried and did not get through: it goes apart from the rest.
    pub(super) tried: BTreeSet<AttributeUuid>,
    /// Why nothing more of it is sent in this run.
    pub(super) surrender: Option<Box<str>>,
    /// Its last call came to nothing: others go first.
    pub(super) stands_back: bool,
    /// Calls in a row without a usable answer.
    pub(super) tries: u32,
    /// Writes in a row without a usable answer, whatever was read in between.
    pub(super) setbacks: u32,
    /// Edits that MISP refused as not newer than what it has.
    pub(super) not_newer: u32,
    pub(super) not_before: Option<Timestamp>,
}

impl Retry {
    pub(super) const fn new(tried: BTreeSet<AttributeUuid>) -> Self {
        Self {
            suspect: Suspect::new(),
            tried,
            surrender: None,
            stands_back: false,
            tries: 0,
            setbacks: 0,
            not_newer: 0,
            not_before: None,
        }
    }

    /// Until when nothing is asked.
    pub(super) fn rest(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.not_before = self.not_before.filter(|until| now < *until);
        self.not_before
    }

    /// An answer came that can be used.
    pub(super) const fn answered(&mut self) {
        (self.tries, self.stands_back) = (0, false);
    }
}
