//! Events that a store which knows nothing of a MISP is about to make. MISP may have them all: the store was lost,
//! or MISP was restored. Of a MISP that is new as well nothing is asked: the first event alone tells, made before
//! any other. Where it is there already, MISP is asked about the others, fifty at a time, before their bodies go.
//! The first event proves its colour as well, so it is the one for which that costs least.

use std::collections::{BTreeSet, VecDeque};

use crate::{
    delivery::{Call, RefusedWhy, Reply, WHICH_EVENTS_MAX, conversation::Conversation},
    model::EventUuid,
};

use super::{Flight, Session, Step, colours::WAITING_MAX};

/// Who of those that make events may begin.
#[derive(Debug, Default)]
pub(super) struct Firsts {
    mode: Mode,
    /// Those that may not yet.
    waiting: VecDeque<EventUuid>,
    /// Those that were asked about.
    asked: BTreeSet<EventUuid>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The store knows what MISP has, or MISP has nothing of it.
    #[default]
    Free,
    /// The first event tells, once it is chosen.
    First(Option<EventUuid>),
    /// MISP is asked first.
    Asks,
}

impl Firsts {
    /// Whether nobody waits.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether this is the event that all others wait for.
    pub(super) fn is_first(&self, uuid: EventUuid) -> bool {
        self.mode == Mode::First(Some(uuid))
    }

    /// Whether enough wait for the first event, or to be it.
    pub(super) fn are_enough(&self, concurrency: usize) -> bool {
        match self.mode {
            Mode::First(None) => self.waiting.len() >= WAITING_MAX,
            Mode::First(Some(_)) => self.waiting.len() >= concurrency,
            Mode::Free | Mode::Asks => false,
        }
    }
}

impl Session {
    /// The store knows of nothing that MISP has.
    #[must_use]
    pub fn knowing_nothing(mut self) -> Self {
        self.firsts.mode = Mode::First(None);
        self
    }

    /// Whether an event that is to be made has to wait.
    pub(super) fn has_to_wait(&mut self, uuid: EventUuid) -> bool {
        let makes = self.talks.get(&uuid).is_some_and(Conversation::makes_the_event);
        let firsts = &mut self.firsts;
        let waits = makes
            && match firsts.mode {
                Mode::Free => false,
                Mode::First(first) => first != Some(uuid),
                Mode::Asks => !firsts.asked.contains(&uuid),
            };
        if waits {
            firsts.waiting.push_back(uuid);
        }
        waits
    }

    /// Chooses the first event, once those that may be it are known, or enough of them. What had trouble comes last.
    /// Where nothing is let through, those that began are seen to their end before another begins.
    pub(super) fn choose_first(&mut self) {
        let more_may_come = self.expects_more() && self.firsts.waiting.len() < WAITING_MAX;
        if self.firsts.mode != Mode::First(None) || !self.ready.is_empty() || more_may_come {
            return;
        }
        let (talks, book) = (&self.talks, &self.book);
        let may_begin = !self.health.lets_nothing_through();
        let price = |uuid: &EventUuid| {
            let talk = talks.get(uuid);
            let price = talk.and_then(|talk| Some(talk.proof(book)?.price()));
            (talk.is_some_and(Conversation::stands_back), price, *uuid)
        };
        let has_begun = |uuid: &EventUuid| talks.get(uuid).is_some_and(Conversation::has_begun);
        let waiting = &mut self.firsts.waiting;
        let may_be_it = waiting.iter().filter(|uuid| may_begin || has_begun(uuid));
        let Some(first) = may_be_it.min_by_key(|uuid| price(uuid)).copied() else { return };
        waiting.retain(|uuid| *uuid != first);
        self.firsts.mode = Mode::First(Some(first));
        self.ready.push_back(first);
    }

    /// What the answer to the first event says of the others.
    pub(super) fn learn_of_first(&mut self, uuid: EventUuid, reply: &Reply) {
        if self.firsts.mode != Mode::First(Some(uuid)) {
            return;
        }
        match reply {
            Reply::EventExists | Reply::Refused { why: RefusedWhy::Blocklisted, .. } => {
                self.firsts.mode = Mode::Asks;
                self.firsts.asked.insert(uuid);
            }
            Reply::Event(_) => self.let_begin(Mode::Free),
            // It says nothing: another one tells.
            _ => self.let_begin(Mode::First(None)),
        }
    }

    /// The first event came to nothing: another one tells.
    pub(super) fn forget_first(&mut self, uuid: EventUuid) {
        if self.firsts.mode == Mode::First(Some(uuid)) {
            self.let_begin(Mode::First(None));
        }
    }

    fn let_begin(&mut self, mode: Mode) {
        self.firsts.mode = mode;
        self.ready.extend(self.firsts.waiting.drain(..));
    }

    /// Asks which of those that wait are there, as soon as nothing else can go on.
    pub(super) fn ask_what_is_there(&mut self) -> Option<Step> {
        let waiting = self.firsts.waiting.len();
        let full = waiting >= WHICH_EVENTS_MAX;
        let nothing_else = self.ready.is_empty() && self.flights.is_empty();
        let due = full || (nothing_else && !self.expects_more());
        if self.firsts.mode != Mode::Asks || waiting == 0 || !due {
            return None;
        }
        let events: Vec<EventUuid> =
            self.firsts.waiting.drain(..waiting.min(WHICH_EVENTS_MAX)).collect();
        Some(self.ask(Flight::There(events.clone()), Call::WhichEvents(events)))
    }

    /// Those that are there are looked at; those that are not may have been deleted, and go without a body first.
    /// Without an answer all go as they would have.
    pub(super) fn on_there(&mut self, events: Vec<EventUuid>, reply: &Reply) {
        for uuid in events {
            self.firsts.asked.insert(uuid);
            let Some(talk) = self.talks.get_mut(&uuid) else { continue };
            if let Reply::WhichEvents(found) = reply {
                talk.learn_whether_there(found.iter().any(|it| it.event == uuid));
            }
            self.ready.push_back(uuid);
        }
    }
}
