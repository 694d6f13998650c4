//! All conversations of a run: several events at once, one writer per event, questions that can be
//! asked for many events asked once.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use crate::{
    model::{EventUuid, Timestamp},
    plan::{Change, EventHead, EventPlan, KnownAttribute, Row},
};

use super::{
    Call, Chunk, Manners, REST_SECONDS_MAX, Reply, Report, Trouble, Verdict,
    conversation::{Conversation, Fatality, Want},
    rows,
};

/// Most events whose rows are asked for in one request (measured: 50 cost 2.8 KB).
const EVENTS_PER_QUESTION: usize = 50;
/// Most rows of one question: where they differ from the expected ones, MISP answers with all of them.
const ROWS_PER_QUESTION: usize = 10_000;
/// Most events a session holds at once, those that wait for a common question included.
const EVENTS_HELD_MAX: usize = 64;
/// Most attributes a session holds at once, beyond those of a single event.
const ATTRIBUTES_HELD_MAX: usize = 50_000;
/// So many calls in a row without a usable answer, whatever events they are about: MISP is down.
const TROUBLES_MAX: u32 = 8;
/// Most questions that a session still asks after its deadline: one for all its events, one for each.
const LAST_PROOFS_MAX: usize = 2 + EVENTS_HELD_MAX;

/// Names a call under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u64);

/// What the driver is to do.
#[derive(Debug)]
pub enum Step {
    /// Send this call, after the effects were written to the ledger.
    Send(Token, Call),
    /// Nothing before this time, unless an answer comes.
    Wait(Timestamp),
    /// Nothing before an answer comes, or another plan is offered.
    Idle,
    /// All that was offered is done.
    Done,
}

/// What the ledger has to learn about one event.
#[derive(Debug)]
pub struct Effects {
    /// The event's head as it is now.
    pub head: EventHead,
    /// Its attributes that changed, under their identities.
    pub attributes: Vec<KnownAttribute>,
    /// What the history gains.
    pub changes: Vec<Change>,
}

/// Why a session stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// MISP refused the key or its role; in its words.
    Key(Box<str>),
    /// MISP cannot be reached, or something else answers.
    Network(Box<str>),
    /// Somebody asked for it.
    Interrupted,
    /// The run took as long as it may.
    Deadline,
}

/// What a call under way belongs to.
#[derive(Debug)]
enum Flight {
    One(EventUuid),
    Rows(Vec<EventUuid>),
}

/// The conversations of one run with one destination.
#[derive(Debug)]
pub struct Session {
    manners: Arc<Manners>,
    concurrency: usize,
    chunk: Chunk,
    talks: BTreeMap<EventUuid, Conversation>,
    /// Conversations that can go on.
    ready: VecDeque<EventUuid>,
    /// Conversations that wait for a time.
    sleeping: BTreeMap<(Timestamp, EventUuid), ()>,
    /// Conversations that want to know about their rows.
    parked: VecDeque<EventUuid>,
    /// Those of them that have to be asked about alone.
    alone: VecDeque<EventUuid>,
    flights: BTreeMap<Token, Flight>,
    next_token: u64,
    reports: Vec<Report>,
    /// Of conversations that ended.
    last_effects: Vec<Effects>,
    more_to_come: bool,
    health: Health,
    stop: Option<Stop>,
    /// Questions asked after the stop.
    last_proofs: usize,
}

/// What all conversations together learn of how MISP is.
#[derive(Debug, Default)]
struct Health {
    /// Calls in a row without a usable answer.
    troubles: u32,
    /// Nothing is sent before.
    rest: Option<Timestamp>,
}

impl Session {
    /// A session without events. `concurrency` is the most requests under way at once, `chunk` the most
    /// attributes in one request.
    #[must_use]
    pub fn new(manners: Manners, concurrency: usize, chunk: Chunk) -> Self {
        Self {
            manners: Arc::new(manners),
            concurrency: concurrency.max(1),
            chunk,
            talks: BTreeMap::new(),
            ready: VecDeque::new(),
            sleeping: BTreeMap::new(),
            parked: VecDeque::new(),
            alone: VecDeque::new(),
            flights: BTreeMap::new(),
            next_token: 0,
            reports: Vec::new(),
            last_effects: Vec::new(),
            more_to_come: true,
            health: Health::default(),
            stop: None,
            last_proofs: 0,
        }
    }

    /// Whether another plan should be offered now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let held: usize = self.talks.values().map(|talk| talk.event().attributes.len()).sum();
        self.stop.is_none()
            && self.ready.len() < self.concurrency
            && self.talks.len() < EVENTS_HELD_MAX
            && (held < ATTRIBUTES_HELD_MAX || self.talks.is_empty())
    }

    /// Takes the plan of one more event. An event has one conversation at a time.
    pub fn offer(&mut self, plan: EventPlan) {
        let uuid = plan.event.head.uuid;
        debug_assert!(!self.talks.contains_key(&uuid), "one writer per event");
        self.talks.insert(uuid, Conversation::new(plan, self.manners.clone()));
        self.ready.push_back(uuid);
    }

    /// Says that no more plans will be offered.
    pub fn no_more(&mut self) {
        self.more_to_come = false;
    }

    /// Lets the requests under way come back and begins no others.
    pub fn stop(&mut self, stop: Stop) {
        self.stop.get_or_insert(stop);
    }

    /// Why the session stopped, if it did.
    #[must_use]
    pub const fn stopped(&self) -> Option<&Stop> {
        self.stop.as_ref()
    }

    /// Most attributes in one request, as this session learned it.
    #[must_use]
    pub const fn chunk_max(&self) -> usize {
        self.chunk.most()
    }

    /// What to do now. The driver asks until it gets something else than [`Step::Send`].
    pub fn next(&mut self, now: Timestamp) -> Step {
        if self.stop.is_some() {
            return self.wind_up();
        }
        self.wake(now);
        let rest = self.health.rest.filter(|until| now < *until);
        if let Some(until) = rest.filter(|_| !self.talks.is_empty()) {
            return Step::Wait(until);
        }
        while self.flights.len() < self.concurrency {
            let Some(uuid) = self.ready.pop_front() else { break };
            let talk = self.talks.get_mut(&uuid).expect("ready conversations are held");
            match talk.next(now, self.chunk.most()) {
                Want::Call(call) => return self.send(Flight::One(uuid), call),
                Want::Rows => self.parked.push_back(uuid),
                Want::Wait(until) => {
                    self.sleeping.insert((until, uuid), ());
                }
                Want::End => self.finish(uuid),
            }
            if self.stop.is_some() {
                return self.wind_up();
            }
        }
        if self.flights.len() < self.concurrency
            && let Some(step) = self.ask_for_rows()
        {
            return step;
        }
        match self.sleeping.keys().next() {
            Some((until, _)) => Step::Wait(*until),
            None if self.talks.is_empty() && !self.more_to_come => Step::Done,
            None => Step::Idle,
        }
    }

    fn wake(&mut self, now: Timestamp) {
        while let Some(entry) = self.sleeping.first_entry() {
            let (until, uuid) = *entry.key();
            if until > now {
                break;
            }
            entry.remove();
            self.ready.push_back(uuid);
        }
    }

    /// After a stop: nothing new is sent; what is under way is waited for. Where there is time, what MISP took
    /// is proven, so that the next run does not have to look for it.
    fn wind_up(&mut self) -> Step {
        if !self.flights.is_empty() {
            return Step::Idle;
        }
        if self.stop == Some(Stop::Deadline)
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

    /// The rows of all events of which something was taken and is not proven: together, and each that
    /// differed then alone. `None` once there are none, or MISP does not answer.
    fn ask_for_last_proofs(&mut self) -> Option<Step> {
        let open = |talk: &Conversation| talk.needs_proof();
        self.alone.retain(|uuid| self.talks.get(uuid).is_some_and(open));
        if self.health.troubles > 0 || self.last_proofs == LAST_PROOFS_MAX {
            return None;
        }
        self.last_proofs += 1;
        let events = if let Some(uuid) = self.alone.pop_front() {
            vec![uuid]
        } else {
            let open = self.talks.iter().filter(|(_, talk)| open(talk));
            self.parked = open.map(|(uuid, _)| *uuid).collect();
            self.take_parked()
        };
        for uuid in &events {
            self.talks.get_mut(uuid).expect("taken from the map above").ask_for_proof();
        }
        (!events.is_empty()).then(|| self.question(events))
    }

    fn send(&mut self, flight: Flight, call: Call) -> Step {
        let token = Token(self.next_token);
        self.next_token += 1;
        self.flights.insert(token, flight);
        Step::Send(token, call)
    }

    /// Asks for the rows of as many events as possible at once, as soon as nothing else can go on.
    fn ask_for_rows(&mut self) -> Option<Step> {
        if let Some(uuid) = self.alone.pop_front() {
            return Some(self.question(vec![uuid]));
        }
        let rows: usize = self.parked.iter().map(|uuid| self.rows_of(uuid)).sum();
        let full = self.parked.len() >= EVENTS_PER_QUESTION || rows >= ROWS_PER_QUESTION;
        let nothing_else = self.ready.is_empty() && self.flights.is_empty();
        if self.parked.is_empty() || !(full || (nothing_else && !self.expects_more())) {
            return None;
        }
        let events = self.take_parked();
        Some(self.question(events))
    }

    /// As many of the parked events as one question may be about.
    fn take_parked(&mut self) -> Vec<EventUuid> {
        let mut events = Vec::new();
        let mut rows = 0;
        while let Some(uuid) = self.parked.front().copied() {
            rows += self.rows_of(&uuid);
            if !events.is_empty()
                && (rows > ROWS_PER_QUESTION || events.len() >= EVENTS_PER_QUESTION)
            {
                break;
            }
            events.push(uuid);
            self.parked.pop_front();
        }
        events
    }

    /// Whether waiting for more plans may fill a common question further.
    fn expects_more(&self) -> bool {
        self.more_to_come && self.has_room()
    }

    fn rows_of(&self, uuid: &EventUuid) -> usize {
        self.talks[uuid].event().attributes.len()
    }

    fn question(&mut self, mut events: Vec<EventUuid>) -> Step {
        let id = |uuid: &EventUuid| self.talks[uuid].event().head.misp_id;
        // Rows of several events come in the order of their ids; where one is unknown, each is asked alone.
        if events.len() > 1 && events.iter().any(|uuid| id(uuid).is_none()) {
            self.alone.extend(events.drain(1..));
        }
        events.sort_by_key(id);
        let expected: Vec<Row> =
            events.iter().flat_map(|uuid| rows::expected(self.talks[uuid].event())).collect();
        let call = Call::Rows { events: events.clone(), expected };
        self.send(Flight::Rows(events), call)
    }

    /// Takes in an answer.
    pub fn on_reply(&mut self, token: Token, reply: Reply, now: Timestamp) {
        let Some(flight) = self.flights.remove(&token) else { return };
        self.watch(&reply, now);
        match flight {
            Flight::One(uuid) => {
                let talk = self.talks.get_mut(&uuid).expect("conversations outlive their calls");
                match (&reply, talk.in_flight()) {
                    (Reply::Trouble(Trouble::TooLarge { .. }), sent) => self.chunk.shrink(sent / 2),
                    (Reply::Trouble(_), _) => {}
                    (_, sent) => self.chunk.taken(sent),
                }
                talk.on_reply(reply, now);
                if talk.is_over() {
                    self.finish(uuid);
                } else {
                    self.ready.push_front(uuid);
                }
            }
            Flight::Rows(events) => self.on_rows(&events, &reply, now),
        }
    }

    fn on_rows(&mut self, events: &[EventUuid], reply: &Reply, now: Timestamp) {
        let alone = events.len() == 1;
        for uuid in events {
            let talk = self.talks.get_mut(uuid).expect("conversations outlive their calls");
            match reply {
                Reply::NotModified => talk.on_rows_of_many(true),
                // Which of them differs is not said: each is asked about alone.
                Reply::Rows(_) if !alone => {
                    self.alone.push_back(*uuid);
                    continue;
                }
                other => talk.on_reply(other.clone(), now),
            }
            if talk.is_over() {
                self.finish(*uuid);
            } else {
                self.ready.push_back(*uuid);
            }
        }
    }

    /// Follows how MISP is, over all events. From the second call in a row that comes to nothing, all of
    /// them wait; after some more, the session stops: a run of thousands of events must not find out for
    /// each of them that MISP is down.
    fn watch(&mut self, reply: &Reply, now: Timestamp) {
        let (why, asked) = match reply {
            Reply::Trouble(Trouble::NoEffect { why, retry_after }) => (why, *retry_after),
            Reply::Trouble(Trouble::Unknown { why, retry_after }) => (why, *retry_after),
            Reply::Trouble(Trouble::ServerError { why }) => (why, None),
            // An answer of somebody who is well, and one that stops the session by itself.
            Reply::Trouble(Trouble::TooLarge { .. } | Trouble::NotMisp { .. }) => return,
            _ => {
                self.health = Health::default();
                return;
            }
        };
        let health = &mut self.health;
        health.troubles += 1;
        if asked.is_some_and(|seconds| seconds > REST_SECONDS_MAX) {
            let rest = asked.unwrap_or_default();
            let why = format!("{why}; it asks to be left alone for {rest} seconds");
            self.stop.get_or_insert(Stop::Network(why.into()));
        } else if health.troubles >= TROUBLES_MAX {
            let why = format!("{TROUBLES_MAX} requests in a row came to nothing, the last: {why}");
            self.stop.get_or_insert(Stop::Network(why.into()));
        } else if asked.is_some() || health.troubles > 1 {
            let tries = health.troubles.saturating_sub(1).max(1);
            let until = self.manners.backoff.until(now, tries, 0, asked);
            health.rest = health.rest.max(Some(until));
        }
    }

    /// A call that was never sent, because the driver stopped: it certainly had no effect.
    pub fn on_unsent(&mut self, token: Token, now: Timestamp) {
        let trouble = Trouble::NoEffect { why: "the run was stopped".into(), retry_after: None };
        self.on_reply(token, Reply::Trouble(trouble), now);
    }

    fn finish(&mut self, uuid: EventUuid) {
        let Some(mut talk) = self.talks.remove(&uuid) else { return };
        let effects = effects_of(&mut talk);
        let report = talk.into_report();
        // Given up while MISP answered nobody else either: it is not the event's fault.
        if let Verdict::GaveUp(why) = &report.verdict
            && self.health.troubles > self.manners.backoff.tries_max
        {
            self.stop.get_or_insert(Stop::Network(why.clone()));
        }
        if let Verdict::Fatal(why, fatality) = &report.verdict {
            self.stop.get_or_insert(match fatality {
                Fatality::Key => Stop::Key(why.clone()),
                Fatality::Network => Stop::Network(why.clone()),
            });
        }
        self.last_effects.extend(effects);
        self.reports.push(report);
    }

    /// What the ledger has to learn before anything that [`Session::next`] gave is sent.
    pub fn take_effects(&mut self) -> Vec<Effects> {
        let mut all = std::mem::take(&mut self.last_effects);
        all.extend(self.talks.values_mut().filter_map(effects_of));
        all
    }

    /// The conversations that ended since the last time.
    pub fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }
}

fn effects_of(talk: &mut Conversation) -> Option<Effects> {
    let (head, keys, changes) = talk.take_effects()?;
    let attributes = keys.iter().map(|key| talk.event().attributes[key].clone()).collect();
    Some(Effects { head, attributes, changes })
}
