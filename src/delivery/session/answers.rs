//! What an answer says of an event, and of all others.

use crate::{
    delivery::{Reply, Verdict, conversation::Conversation},
    model::{EventUuid, Timestamp},
};

use super::{Flight, Session, Stop, Token};

impl Session {
    /// Takes in an answer.
    pub fn on_reply(&mut self, token: Token, reply: Reply, now: Timestamp) {
        let Some(flight) = self.flights.remove(&token) else { return };
        self.purse.came(token);
        let about = match &flight {
            Flight::One(uuid, writes) => (*uuid, *writes),
            Flight::Rows(events) | Flight::There(events) => (events[0], false),
            Flight::Version => {
                let stop = self.health.on_answer(&reply);
                self.stop = self.stop.take().or(stop);
                return;
            }
        };
        if let Some(stop) = self.health.watch(about, &reply, self.manners.backoff, now) {
            self.stop.get_or_insert(stop);
        }
        self.learn_window(&flight, &reply, now);
        match flight {
            Flight::One(uuid, _) => self.on_answer(uuid, reply, now),
            Flight::Rows(events) => self.on_rows(&events, &reply, now),
            Flight::There(events) => self.on_there(events, &reply),
            Flight::Version => {}
        }
    }

    fn learn_window(&mut self, flight: &Flight, reply: &Reply, now: Timestamp) {
        let written = match flight {
            Flight::One(uuid, true) => self.talks.get(uuid).and_then(Conversation::in_flight),
            _ => None,
        };
        match reply {
            Reply::Trouble(trouble) if trouble.is_of_load() => self.window.too_much(),
            Reply::Trouble(_) => {}
            _ => self.window.answered(written.unwrap_or(0), now),
        }
    }

    fn on_answer(&mut self, uuid: EventUuid, reply: Reply, now: Timestamp) {
        let Some(talk) = self.talks.get_mut(&uuid) else { return };
        if let Some(attributes) = talk.in_flight() {
            let is_trouble = matches!(reply, Reply::Trouble(_));
            self.health.on_body(uuid, !is_trouble);
            if !is_trouble {
                self.chunk.taken(attributes);
            }
        }
        let made = talk.is_making_the_event().then(|| reply.clone());
        talk.on_reply(reply, now, &mut self.book);
        if let Some(reply) = made {
            self.learn_of_first(uuid, &reply);
        }
        self.learn_from(uuid);
        self.go_on_or_finish(uuid);
        self.let_go();
    }

    fn go_on_or_finish(&mut self, uuid: EventUuid) {
        match self.talks.get(&uuid).is_some_and(Conversation::is_over) {
            true => self.finish(uuid),
            false => self.go_on(uuid),
        }
    }

    fn learn_from(&mut self, uuid: EventUuid) {
        if self.talks.get(&uuid).is_some_and(Conversation::is_reordered) && !self.book.reorders() {
            self.book.reorders = Some(self.book.version.clone());
        }
        if let Some(lesson) = self.talks.get_mut(&uuid).and_then(Conversation::take_lesson) {
            self.chunk.too_much(lesson);
        }
    }

    pub(super) fn finish(&mut self, uuid: EventUuid) {
        self.learn_from(uuid);
        self.forget_first(uuid);
        let Some(talk) = self.talks.remove(&uuid) else { return };
        let ended = self.health.ended(uuid, talk.got_through());
        // Given up without an answer: is it the event, or is nobody there?
        if talk.is_unanswered() {
            self.health.doubt();
        }
        let report = talk.into_report();
        let key = match &report.verdict {
            Verdict::KeyRefused(words) => Some(Stop::Key(words.clone())),
            _ => None,
        };
        self.stop = self.stop.take().or(key).or(ended);
        self.reports.push(report);
    }
}
