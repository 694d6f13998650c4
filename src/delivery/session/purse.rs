//! What a session may still spend: bytes of both directions, proofs of what it sent included. Each call is weighed by the
//! most that it may take before it goes.

use std::collections::BTreeMap;

use crate::{
    delivery::{
        Call,
        conversation::{Conversation, Room},
        cost,
    },
    model::EventUuid,
};

use super::{Flight, Session, Step, Stop, Token};

/// What is left, and what calls under way may take of it.
#[derive(Debug, Default)]
pub(super) struct Purse {
    /// `None`: there is no limit.
    left: Option<u64>,
    under_way: BTreeMap<Token, u64>,
    favour: Favour,
}

/// So that each run gets somewhere, the event that it speaks of first is asked about and written to once, whatever it takes.
#[derive(Debug, Clone, Copy, Default)]
enum Favour {
    /// Nothing was sent.
    #[default]
    Free,
    /// For this event.
    Of(EventUuid),
    /// Something was written.
    Spent,
}

impl Purse {
    /// So much is left by what was counted.
    pub(super) const fn holds(&mut self, left: Option<u64>) {
        self.left = left;
    }

    /// What is left, if there is a limit.
    pub(super) const fn left(&self) -> Option<u64> {
        self.left
    }

    /// What a call may take at most, once so many events can still be asked about. `None`: there is no limit.
    fn allowance(&self, events: usize) -> Option<u64> {
        let reserved = self.under_way.values().sum::<u64>() + cost::of_rows(events as u64, 0);
        Some(self.left?.saturating_sub(reserved))
    }

    /// Whether a call about this event may go although it does not fit.
    fn favours(&self, event: EventUuid) -> bool {
        match self.favour {
            Favour::Free => true,
            Favour::Of(favoured) => favoured == event,
            Favour::Spent => false,
        }
    }

    /// The event that was asked about first and not written to yet, if there is a limit.
    pub(super) fn favourite(&self) -> Option<EventUuid> {
        match self.favour {
            Favour::Of(event) if self.left.is_some() => Some(event),
            _ => None,
        }
    }

    fn goes(&mut self, token: Token, flight: &Flight, call: &Call, most: Option<u64>) {
        self.favour = match (&self.favour, flight.events().first()) {
            _ if call.writes() => Favour::Spent,
            (Favour::Free, Some(event)) => Favour::Of(*event),
            (favour, _) => *favour,
        };
        self.under_way.extend(most.map(|most| (token, most)));
    }

    pub(super) fn came(&mut self, token: Token) {
        self.under_way.remove(&token);
    }
}

impl Session {
    /// Says how many bytes of both directions may still go, if there is a limit. One event always gets somewhere.
    pub const fn may_spend(&mut self, left: Option<u64>) {
        self.purse.holds(left);
    }

    /// What nobody else may spend of it: all but what calls under way may take, and what the last proofs do.
    #[must_use]
    pub fn spare(&self) -> Option<u64> {
        self.allowance_for(0)
    }

    /// The event that gets somewhere whatever that takes.
    #[must_use]
    pub fn favourite(&self) -> Option<EventUuid> {
        self.purse.favourite()
    }

    /// How much the next request of an event may bring; `None` if it may not go.
    pub(super) fn room_for(&self, uuid: EventUuid) -> Option<Room> {
        let most = self.most();
        let Some(allowance) = self.allowance_for(0) else {
            return Some(Room { most, bytes: self.request_bytes_max });
        };
        let least = self.talks.get(&uuid).map_or(0, Conversation::least);
        let may_go = allowance >= least || (self.flights.is_empty() && self.purse.favours(uuid));
        may_go.then(|| Room { most, bytes: self.request_bytes_max.min(allowance) })
    }

    /// Bytes that a question about so many events may take, if there is a limit.
    pub(super) fn allowance_for(&self, events: usize) -> Option<u64> {
        self.purse.allowance(self.talks.len().saturating_sub(events))
    }

    /// Puts the favoured event before all others that can go on. Whether it can.
    fn favourite_is_next(&mut self) -> bool {
        let Some(favourite) = self.purse.favourite() else { return false };
        let place = self.ready.iter().position(|uuid| *uuid == favourite);
        if let Some(place) = place {
            self.ready.remove(place);
            self.ready.push_front(favourite);
        }
        place.is_some()
    }

    /// Sends a question that fits into what is left. Another waits for what is under way, which may take less than it
    /// might.
    pub(super) fn ask(&mut self, flight: Flight, call: Call) -> Step {
        let events = flight.events();
        let fits = self
            .allowance_for(events.len())
            .is_none_or(|allowance| self.most_of(&flight, &call) <= allowance);
        let is_favoured = || match (events, self.flights.is_empty()) {
            ([event], true) => self.purse.favours(*event),
            _ => false,
        };
        if fits || is_favoured() {
            return self.send(flight, call);
        }
        self.held.push_front((flight, call));
        match self.flights.is_empty() {
            true => self.when_nothing_fits(),
            false => Step::Idle,
        }
    }

    /// Asks what was held back, but for a favoured event that can go on. Whether MISP is there all others wait for.
    pub(super) fn ask_what_is_held(&mut self) -> Option<Step> {
        let is_waited_for = matches!(self.held.front(), Some((Flight::Version, _)));
        if !is_waited_for && (self.health.waits() || self.favourite_is_next()) {
            return None;
        }
        let (flight, call) = self.held.pop_front()?;
        Some(self.ask(flight, call))
    }

    /// Nothing is under way, and what would go next does not fit: the favoured event may, once it can go on, and what waits
    /// for a question may be smaller. Where neither is, the run ends.
    pub(super) fn when_nothing_fits(&mut self) -> Step {
        if self.health.waits() {
            return self.give_out();
        }
        let favourite = self.purse.favourite();
        let sleeps = self.sleeping.keys().find(|(_, uuid)| Some(*uuid) == favourite);
        if let Some((until, _)) = sleeps {
            return Step::Wait(*until);
        }
        self.ask_about_rows().unwrap_or_else(|| self.give_out())
    }

    /// Ends the run where nothing that is left to do fits into what is left to be spent.
    pub(super) fn give_out(&mut self) -> Step {
        self.stop = Some(Stop::Transfer);
        self.wind_up()
    }

    /// Whether what is left is enough for this call, where nothing else is to go.
    pub(super) fn has_left_for(&self, flight: &Flight, call: &Call) -> bool {
        self.purse.left().is_none_or(|left| self.most_of(flight, call) <= left)
    }

    pub(super) fn send(&mut self, flight: Flight, call: Call) -> Step {
        let token = Token(self.next_token);
        self.next_token += 1;
        let most = self.purse.left().map(|_| self.most_of(&flight, &call));
        self.purse.goes(token, &flight, &call, most);
        self.flights.insert(token, flight);
        Step::Send(token, call)
    }

    fn most_of(&self, flight: &Flight, call: &Call) -> u64 {
        let talk = |uuid: &EventUuid| self.talks.get(uuid);
        match flight {
            Flight::One(uuid, _) => {
                talk(uuid).map_or_else(|| cost::most_of(call), |talk| talk.most_of(call))
            }
            Flight::Rows(events) => {
                let rows = events.iter().filter_map(talk).map(Conversation::rows_in_doubt).sum();
                cost::of_rows(events.len() as u64, rows)
            }
            Flight::There(_) | Flight::Version => cost::most_of(call),
        }
    }
}

impl Flight {
    /// The events that it is about.
    pub(super) fn events(&self) -> &[EventUuid] {
        match self {
            Self::One(event, _) => std::slice::from_ref(event),
            Self::Rows(events) | Self::There(events) => events,
            Self::Version => &[],
        }
    }
}
