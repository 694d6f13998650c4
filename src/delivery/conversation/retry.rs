//! What came to nothing, and when it is tried again.

use std::collections::BTreeSet;

use crate::{
    delivery::Backoff,
    model::{AttributeUuid, Timestamp},
};

use super::suspect::Suspect;

/// Most writes in a row that may come to nothing. From 1,000 attributes down to the one that is refused it
/// takes ten.
const SETBACKS_MAX: u32 = 24;

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
    not_before: Option<Timestamp>,
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
            not_before: None,
        }
    }

    /// Until when nothing is asked.
    pub(super) fn rest(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.not_before = self.not_before.filter(|until| now < *until);
        self.not_before
    }

    /// Whether so much came to nothing that the event is given up.
    pub(super) const fn is_exhausted(&self, backoff: Backoff) -> bool {
        self.tries > backoff.tries_max || self.setbacks > SETBACKS_MAX
    }

    /// Waits before the next call.
    pub(super) fn wait(
        &mut self,
        now: Timestamp,
        backoff: Backoff,
        salt: u64,
        retry_after_s: Option<u64>,
    ) {
        self.not_before = Some(backoff.until(now, self.tries, salt, retry_after_s));
    }

    /// An answer came that can be used.
    pub(super) const fn answered(&mut self) {
        (self.tries, self.stands_back) = (0, false);
    }
}
