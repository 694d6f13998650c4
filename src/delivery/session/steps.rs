//! What is done next: which conversation goes on, what is asked for many at once, and how it ends.

use crate::{
    delivery::conversation::{Around, Conversation, Want},
    model::{EventUuid, Timestamp},
};

use super::{Call, Flight, Session, Step, Stop};

impl Session {
    /// What to do now. The driver asks until it gets something else than [`Step::Send`].
    pub fn next(&mut self, now: Timestamp) -> Step {
        let step = self.step(now);
        if !matches!(step, Step::Send(..)) && self.flights.len() < self.window.most() {
            self.window.slackens();
        }
        step
    }

    fn step(&mut self, now: Timestamp) -> Step {
        if self.stop.is_some() {
            return self.wind_up();
        }
        self.wake(now);
        self.let_go();
        if let Some(step) = self.what_goes_first(now).or_else(|| self.go_on_with_one(now)) {
            return step;
        }
        if self.flights.len() < self.window.most() {
            // The favoured event, before which a question stood back, may have ended without a call.
            let step = self.ask_what_is_there().or_else(|| self.ask_for_rows());
            if let Some(step) = step.or_else(|| self.ask_what_is_held()) {
                return step;
            }
        }
        match self.sleeping.keys().next() {
            Some((until, _)) => Step::Wait(*until),
            None if self.talks.is_empty() && !self.more_to_come => Step::Done,
            // Nobody is left who could end the waiting: better the next run goes on than this one never ends.
            None if self.flights.is_empty() && !self.expects_more() => {
                debug_assert!(false, "conversations wait for each other");
                self.wind_up()
            }
            None => Step::Idle,
        }
    }

    /// What goes before any conversation: a rest that MISP asks for, whether it is there, and questions that were held back.
    fn what_goes_first(&mut self, now: Timestamp) -> Option<Step> {
        let rest = self.health.rest.filter(|until| now < *until);
        if let Some(until) = rest.filter(|_| !self.talks.is_empty()) {
            return Some(Step::Wait(until));
        }
        if self.health.takes_question() {
            return Some(self.ask(Flight::Version, Call::Version));
        }
        let held = self.ask_what_is_held();
        held.or_else(|| self.health.waits().then_some(Step::Idle))
    }

    /// Lets conversations that can go on do so, until one of them has a call.
    fn go_on_with_one(&mut self, now: Timestamp) -> Option<Step> {
        while self.flights.len() < self.window.most() {
            let uuid = self.next_ready()?;
            if self.has_to_wait(uuid) || self.waits_for_a_colour(uuid) {
                continue;
            }
            let Some(room) = self.room_for(uuid) else {
                self.ready.push_front(uuid);
                // What is under way may take less than it might.
                return self.flights.is_empty().then(|| self.when_nothing_fits());
            };
            let in_company = self.in_company(uuid);
            let Some(talk) = self.talks.get_mut(&uuid) else { continue };
            let want = talk.next(now, Around { room, in_company, book: &self.book });
            if let Some(step) = self.heed(uuid, want) {
                return Some(step);
            }
            if self.stop.is_some() {
                return Some(self.wind_up());
            }
            if self.health.takes_question() {
                return Some(self.ask(Flight::Version, Call::Version));
            }
        }
        None
    }

    /// Sends what a conversation wants to, or lets it wait for what it waits for.
    fn heed(&mut self, uuid: EventUuid, want: Want) -> Option<Step> {
        match want {
            Want::Call(call) if call.writes() => {
                return Some(self.send(Flight::One(uuid, true), call));
            }
            Want::Call(call) => return Some(self.ask(Flight::One(uuid, false), call)),
            Want::Rows => {
                let alone = self.talks.get(&uuid).is_some_and(Conversation::asks_alone);
                if alone { self.alone.push_back(uuid) } else { self.parked.push_back(uuid) }
            }
            Want::Wait(until) => {
                self.sleeping.insert((until, uuid), ());
            }
            Want::Answer => {}
            Want::End => {
                self.finish(uuid);
                self.let_go();
            }
        }
        None
    }

    fn wake(&mut self, now: Timestamp) {
        while let Some(entry) = self.sleeping.first_entry() {
            let (until, uuid) = *entry.key();
            if until > now {
                break;
            }
            entry.remove();
            self.go_on(uuid);
        }
    }

    /// The conversation goes on: at once, or behind all others.
    pub(super) fn go_on(&mut self, uuid: EventUuid) {
        let stands_back = self.talks.get(&uuid).is_some_and(Conversation::stands_back);
        match stands_back && self.purse.favourite() != Some(uuid) {
            true => self.back.push_back(uuid),
            false => self.ready.push_front(uuid),
        }
    }

    fn next_ready(&mut self) -> Option<EventUuid> {
        // Where nothing gets through, what becomes of those that tried is known before another begins.
        if self.health.lets_nothing_through()
            && let Some(uuid) = self.back.pop_front()
        {
            return Some(uuid);
        }
        self.choose_first();
        self.choose_provers();
        if self.health.lets_nothing_through() && !self.flights.is_empty() {
            return None;
        }
        self.ready.pop_front().or_else(|| {
            let nothing_else =
                self.parked.is_empty() && self.firsts.is_idle() && !self.expects_more();
            if nothing_else { self.back.pop_front() } else { None }
        })
    }

    /// Most attributes in one request now.
    pub(super) fn most(&self) -> usize {
        let suspected = self.talks.values().filter_map(Conversation::most_for_others);
        suspected.fold(self.chunk.most(), usize::min)
    }

    /// After a stop: nothing new is sent; what is under way is waited for. Where there is time, what MISP took
    /// is proven, so that the next run does not have to look for it.
    pub(super) fn wind_up(&mut self) -> Step {
        if !self.flights.is_empty() {
            return Step::Idle;
        }
        if matches!(self.stop, Some(Stop::Deadline | Stop::Transfer))
            && let Some(step) = self.ask_for_last_proofs()
        {
            return step;
        }
        let left: Vec<EventUuid> = self.talks.keys().copied().collect();
        for uuid in left {
            self.finish(uuid);
        }
        Step::Done
    }
}
