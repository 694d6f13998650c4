//! How MISP is, seen over all conversations of a session.

use crate::{
    delivery::{Backoff, REST_SECONDS_MAX, Reply, Trouble},
    model::Timestamp,
};

use super::Stop;

/// So many calls in a row without a usable answer, whatever events they are about: MISP is down.
const TROUBLES_MAX: u32 = 8;

/// What all conversations together learn of how MISP is.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Calls in a row without a usable answer.
    pub(super) troubles: u32,
    /// Nothing is sent before.
    pub(super) rest: Option<Timestamp>,
}

impl Health {
    /// Whether MISP answers nobody, and so an event that got no answer is not at fault.
    pub(super) const fn is_down(&self, tries_max: u32) -> bool {
        self.troubles > tries_max
    }

    /// Follows how MISP is, over all events. From the second call in a row that comes to nothing, all of
    /// them wait; after some more, the session stops: a run of thousands of events must not find out for
    /// each of them that MISP is down.
    pub(super) fn watch(
        &mut self,
        reply: &Reply,
        backoff: Backoff,
        now: Timestamp,
    ) -> Option<Stop> {
        let (why, asked) = match reply {
            Reply::Trouble(Trouble::NoEffect { why, retry_after }) => (why, *retry_after),
            Reply::Trouble(Trouble::Unknown { why, retry_after }) => (why, *retry_after),
            Reply::Trouble(Trouble::ServerError { why }) => (why, None),
            // An answer of somebody who is well, and one that stops the session by itself.
            Reply::Trouble(Trouble::TooLarge { .. } | Trouble::NotMisp { .. }) => return None,
            _ => {
                *self = Self::default();
                return None;
            }
        };
        self.troubles += 1;
        if let Some(rest) = asked.filter(|seconds| *seconds > REST_SECONDS_MAX) {
            let why = format!("{why}; it asks to be left alone for {rest} seconds");
            return Some(Stop::Network(why.into()));
        }
        if self.troubles >= TROUBLES_MAX {
            let why = format!("{TROUBLES_MAX} requests in a row came to nothing, the last: {why}");
            return Some(Stop::Network(why.into()));
        }
        if asked.is_some() || self.troubles > 1 {
            let tries = self.troubles.saturating_sub(1).max(1);
            self.rest = self.rest.max(Some(backoff.until(now, tries, 0, asked)));
        }
        None
    }
}
