//! How MISP is, seen over all conversations of a session.

use std::collections::BTreeSet;

use crate::{
    delivery::{Backoff, REST_SECONDS_MAX, RefusedWhy, Reply, Trouble},
    model::{EventUuid, Timestamp},
};

use super::Stop;

/// After so many calls in a row without a usable answer a harmless question tells whether MISP is there.
const TROUBLES_MAX: u32 = 8;
/// So many events in a row that got nothing through: nothing does.
const REFUSED_MAX: usize = 5;

/// What all conversations together learn of how MISP is.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Calls in a row without a usable answer.
    troubles: u32,
    /// The events they were about.
    troubled: BTreeSet<EventUuid>,
    /// What the last of them met with.
    why: Box<str>,
    /// Nothing is sent before.
    pub(super) rest: Option<Timestamp>,
    /// Whether the harmless question is to be asked.
    asks: Asks,
    /// Its answers since anything else was answered.
    answers: u32,
    /// Events in a row of which nothing got through.
    refused: usize,
    /// Events whose bodies came to nothing since one got through.
    refusing: BTreeSet<EventUuid>,
}

/// The harmless question: MISP's version.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Asks {
    #[default]
    No,
    Wanted,
    UnderWay,
}

impl Health {
    /// What the last of them met with.
    pub(super) fn last_trouble(&self) -> &str {
        &self.why
    }

    /// Whether the last call got no usable answer.
    pub(super) const fn is_troubled(&self) -> bool {
        self.troubles > 0
    }

    /// Whether the harmless question has to be sent now.
    pub(super) fn takes_question(&mut self) -> bool {
        let wanted = self.asks == Asks::Wanted;
        if wanted {
            self.asks = Asks::UnderWay;
        }
        wanted
    }

    /// Whether everybody waits for the answer to it.
    pub(super) fn waits(&self) -> bool {
        self.asks == Asks::UnderWay
    }

    /// Whether so many events are refused that no other should begin before it is known what becomes of them.
    pub(super) fn lets_nothing_through(&self) -> bool {
        self.refusing.len() + self.refused >= REFUSED_MAX
    }

    /// A body got through, or it did not.
    pub(super) fn on_body(&mut self, event: EventUuid, got_through: bool) {
        match got_through {
            true => self.refusing.clear(),
            false => {
                self.refusing.insert(event);
            }
        }
    }

    /// Nobody answered what was asked last: is anybody there?
    pub(super) fn doubt(&mut self) {
        if self.asks == Asks::No && self.is_troubled() {
            self.asks = Asks::Wanted;
        }
    }

    /// Follows how MISP is, over all events. While several of them in a row come to nothing, all wait; after some
    /// more, MISP is asked whether it is there: a run of thousands of events must not find out for each of them
    /// that it is down, and the trouble of one event is that event's own.
    pub(super) fn watch(
        &mut self,
        (event, writes): (EventUuid, bool),
        reply: &Reply,
        backoff: Backoff,
        now: Timestamp,
    ) -> Option<Stop> {
        let Reply::Trouble(trouble) = reply else {
            (self.troubles, self.answers, self.rest) = (0, 0, None);
            self.troubled.clear();
            return None;
        };
        match trouble {
            Trouble::OverLimit => return Some(Stop::Transfer),
            Trouble::TooLarge { .. } => return None,
            // A body that is not let through says nothing of MISP; a question does.
            Trouble::NotMisp { .. } if writes => return None,
            _ => {}
        }
        self.troubles += 1;
        self.troubled.insert(event);
        self.why = trouble.why().into();
        let asked = trouble.retry_after();
        if let Some(rest) = asked.filter(|seconds| *seconds > REST_SECONDS_MAX) {
            let why = format!("{}; it asks to be left alone for {rest} seconds", self.why);
            return Some(Stop::Network(why.into()));
        }
        if self.troubles >= TROUBLES_MAX || matches!(trouble, Trouble::NotMisp { .. }) {
            self.doubt();
        }
        if asked.is_some() || self.troubled.len() > 1 {
            let tries = self.troubles.saturating_sub(1).max(1);
            self.rest = self.rest.max(Some(backoff.until(now, tries, 0, asked)));
        }
        None
    }

    /// Takes in the answer to the harmless question: without one MISP cannot be reached.
    pub(super) fn on_answer(&mut self, reply: &Reply) -> Option<Stop> {
        self.asks = Asks::No;
        match reply {
            Reply::Refused { why: RefusedWhy::Key | RefusedWhy::NotPermitted, words } => {
                Some(Stop::Key(words.clone()))
            }
            Reply::Trouble(trouble) => {
                let (troubles, last, why) = (self.troubles, &self.why, trouble.why());
                let last = if **last == *why { String::new() } else { format!(": {last}") };
                let why = format!(
                    "{troubles} requests in a row came to nothing{last}; nor is servers/getVersion answered: {why}"
                );
                Some(Stop::Network(why.into()))
            }
            _ => {
                self.answers += 1;
                let nobody_else = self.answers > 1 && self.troubled.len() > 1;
                let why = &self.why;
                let why = format!(
                    "MISP answers servers/getVersion and nothing else; the last answer: {why}"
                );
                (self.troubles, self.rest) = (0, None);
                nobody_else.then(|| Stop::Refused(why.into()))
            }
        }
    }

    /// Follows what gets through: where nothing of several events does, nothing more is tried.
    pub(super) fn ended(&mut self, event: EventUuid, got_through: Option<bool>) -> Option<Stop> {
        self.refusing.remove(&event);
        match got_through {
            Some(true) => self.refused = 0,
            Some(false) => self.refused += 1,
            None => {}
        }
        (self.refused >= REFUSED_MAX).then(|| {
            let why = format!(
                "of {REFUSED_MAX} events in a row nothing was let through, although MISP answers questions; \
                 look at what stands before it, such as a firewall or a proxy"
            );
            Stop::Refused(why.into())
        })
    }
}
