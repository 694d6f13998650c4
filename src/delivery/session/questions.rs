//! Questions about rows, asked for many events at once.

use crate::{
    delivery::{Call, Reply, Trouble, conversation::Conversation, cost, rows},
    model::{EventUuid, Timestamp},
    plan::KnownEvent,
};

use super::{EVENTS_HELD_MAX, Flight, Session, Step};

/// Most events whose rows are asked for in one request (measured: 50 cost 2.8 KB).
const EVENTS_PER_QUESTION: usize = 50;
/// Most rows of one question: where they differ from the expected ones, MISP answers with all of them.
const ROWS_PER_QUESTION: usize = 10_000;
/// Most questions that a session still asks after its deadline: one for all its events, one for each.
const LAST_PROOFS_MAX: usize = 2 + EVENTS_HELD_MAX;

impl Session {
    /// The rows of all events of which something was taken and is not proven: together, and each that
    /// differed then alone, as far as they fit into what is left to be spent. `None` once there are none, or MISP does
    /// not answer.
    pub(super) fn ask_for_last_proofs(&mut self) -> Option<Step> {
        let open = |talk: &Conversation| talk.needs_proof();
        self.alone.retain(|uuid| self.talks.get(uuid).is_some_and(open));
        while !self.health.is_troubled() && self.last_proofs < LAST_PROOFS_MAX {
            self.last_proofs += 1;
            let alone = self.alone.pop_front();
            let events = match alone {
                Some(uuid) => vec![uuid],
                None => self.take_open(),
            };
            if events.is_empty() {
                return None;
            }
            let (flight, call) = self.question(events);
            if self.has_left_for(&flight, &call) {
                return Some(self.send_proof(flight, call));
            }
            // Of those that are asked about together the one with the fewest rows that may come did not fit.
            alone?;
        }
        None
    }

    fn take_open(&mut self) -> Vec<EventUuid> {
        let open = self.talks.iter().filter(|(_, talk)| talk.needs_proof());
        let mut open: Vec<EventUuid> = open.map(|(uuid, _)| *uuid).collect();
        open.sort_by_key(|uuid| self.in_doubt(uuid));
        self.parked = open.into();
        self.take_parked(None, self.purse.left())
    }

    fn send_proof(&mut self, flight: Flight, call: Call) -> Step {
        for uuid in flight.events() {
            if let Some(talk) = self.talks.get_mut(uuid) {
                talk.ask_for_proof();
            }
        }
        self.send(flight, call)
    }

    /// Asks for the rows of as many events as possible at once, as soon as nothing else can go on.
    pub(super) fn ask_for_rows(&mut self) -> Option<Step> {
        if !self.alone.is_empty() {
            return self.ask_about_rows();
        }
        let rows: usize = self.parked.iter().map(|uuid| self.rows_of(uuid)).sum();
        let full = self.parked.len() >= EVENTS_PER_QUESTION || rows >= ROWS_PER_QUESTION;
        let nothing_else = self.ready.is_empty() && self.flights.is_empty();
        if self.parked.is_empty() || !(full || (nothing_else && !self.expects_more())) {
            return None;
        }
        self.ask_about_rows()
    }

    /// Asks for the rows of those that wait for it, whatever else may go on: of the favoured event first.
    pub(super) fn ask_about_rows(&mut self) -> Option<Step> {
        let favourite = self.purse.favourite();
        let is_favoured = |uuid: &EventUuid| Some(*uuid) == favourite;
        self.alone.make_contiguous().sort_by_key(|uuid| !is_favoured(uuid));
        let alone = match self.parked.iter().any(is_favoured) {
            true => None,
            false => self.alone.pop_front(),
        };
        let events = match alone {
            Some(uuid) => vec![uuid],
            None => self.take_parked(favourite, self.allowance_for(0)),
        };
        if events.is_empty() {
            return None;
        }
        let (flight, call) = self.question(events);
        Some(self.ask(flight, call))
    }

    /// As many of the parked events as one question may be about that takes so many bytes, if there is a limit; one always,
    /// which is `first` if that is parked.
    fn take_parked(&mut self, first: Option<EventUuid>, bytes: Option<u64>) -> Vec<EventUuid> {
        let mut events = Vec::new();
        let (mut rows, mut in_doubt) = (0, 0);
        // Tags of others are not known: where tags are asked for, only events are that nobody else was at.
        let tagged = self.have_colours_to_prove(self.parked.iter());
        let foresees = |talk: &Conversation| talk.foresees_tags(&self.book);
        let fits = |uuid: &EventUuid| !tagged || self.talks.get(uuid).is_some_and(foresees);
        self.parked.make_contiguous().sort_by_key(|uuid| (Some(*uuid) != first, !fits(uuid)));
        while let Some(uuid) = self.parked.front().copied() {
            rows += self.rows_of(&uuid);
            in_doubt += self.in_doubt(&uuid);
            if events.first().is_some_and(|first| fits(first) != fits(&uuid)) {
                break;
            }
            let most = cost::of_rows(events.len() as u64 + 1, in_doubt);
            let is_too_much = rows > ROWS_PER_QUESTION || bytes.is_some_and(|bytes| most > bytes);
            if !events.is_empty() && (is_too_much || events.len() >= EVENTS_PER_QUESTION) {
                break;
            }
            events.push(uuid);
            self.parked.pop_front();
        }
        events
    }

    /// Whether the rows of other events will be asked for as well.
    pub(super) fn in_company(&self, uuid: EventUuid) -> bool {
        self.talks.iter().any(|(other, talk)| *other != uuid && talk.will_be_asked_about())
    }

    /// Whether waiting for more plans may fill a common question further.
    pub(super) fn expects_more(&self) -> bool {
        self.more_to_come && self.has_room()
    }

    fn rows_of(&self, uuid: &EventUuid) -> usize {
        self.talks.get(uuid).map_or(0, |talk| talk.event().attributes.len())
    }

    fn in_doubt(&self, uuid: &EventUuid) -> u64 {
        self.talks.get(uuid).map_or(0, Conversation::rows_in_doubt)
    }

    /// What is known of these events.
    fn known(&self, events: &[EventUuid]) -> impl Iterator<Item = &KnownEvent> {
        events.iter().filter_map(|uuid| self.talks.get(uuid)).map(Conversation::event)
    }

    fn have_colours_to_prove<'e>(&self, mut events: impl Iterator<Item = &'e EventUuid>) -> bool {
        let to_prove = |talk: &Conversation| talk.has_colours_to_prove(&self.book);
        events.any(|uuid| self.talks.get(uuid).is_some_and(to_prove))
    }

    fn question(&mut self, mut events: Vec<EventUuid>) -> (Flight, Call) {
        let id = |uuid: &EventUuid| self.talks.get(uuid)?.event().head.misp_id;
        // Rows of several events come in the order of their ids; where one is unknown, each is asked alone.
        if events.len() > 1 && events.iter().any(|uuid| id(uuid).is_none()) {
            self.alone.extend(events.drain(1..));
        }
        events.sort_by_key(id);
        let known = self.known(&events);
        let call = if self.have_colours_to_prove(events.iter()) {
            let expected = known.flat_map(|event| rows::expected_with_tags(event, &self.book));
            Call::TaggedRows { expected: expected.collect(), events: events.clone() }
        } else {
            Call::Rows {
                expected: known.flat_map(rows::expected).collect(),
                events: events.clone(),
            }
        };
        (Flight::Rows(events), call)
    }

    pub(super) fn on_rows(&mut self, events: &[EventUuid], reply: &Reply, now: Timestamp) {
        let alone = events.len() == 1;
        let known = || self.known(events);
        let intact = match reply {
            Reply::Rows(found) if !alone => {
                rows::intact(&known().map(rows::expected).collect::<Vec<_>>(), found)
            }
            Reply::TaggedRows(found) if !alone => {
                let expected = known().map(|event| rows::expected_with_tags(event, &self.book));
                rows::intact(&expected.collect::<Vec<_>>(), found)
            }
            _ => vec![false; events.len()],
        };
        for (uuid, intact) in events.iter().zip(intact) {
            let Some(talk) = self.talks.get_mut(uuid) else { continue };
            match reply {
                // What the one that differs holds is not said, nor which of them MISP fails on: it is asked
                // about alone.
                Reply::Rows(_)
                | Reply::TaggedRows(_)
                | Reply::Trouble(
                    Trouble::ServerError { .. } | Trouble::Unknown { .. } | Trouble::NotMisp { .. },
                ) if !alone && !intact => {
                    self.alone.push_back(*uuid);
                    continue;
                }
                Reply::Rows(_) | Reply::TaggedRows(_) if intact => {
                    talk.on_reply(Reply::NotModified, now, &mut self.book);
                }
                other => talk.on_reply(other.clone(), now, &mut self.book),
            }
            if talk.is_over() {
                self.finish(*uuid);
            } else if talk.stands_back() {
                self.back.push_back(*uuid);
            } else {
                self.ready.push_back(*uuid);
            }
        }
    }
}
