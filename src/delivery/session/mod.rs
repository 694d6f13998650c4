//! All conversations of a run: several events at once, one writer per event, questions that can be
//! asked for many events asked once.

mod colours;
mod firsts;
mod health;
mod purse;
mod questions;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use crate::{
    model::{EventUuid, Timestamp},
    plan::{DestinationRecord, EventPlan, EventUpdate},
};

use self::{firsts::Firsts, health::Health, purse::Purse};
use super::{
    Call, Chunk, Manners, Reply, Report, Verdict, Window,
    conversation::{Around, Conversation, Want},
};

/// Most events a session holds at once, those that wait for a common question included.
const EVENTS_HELD_MAX: usize = 64;
/// Most attributes a session holds at once, beyond those of a single event.
const ATTRIBUTES_HELD_MAX: usize = 50_000;

/// Names a call under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u64);

/// What the driver is to do.
#[derive(Debug)]
pub enum Step {
    /// Send this call, after the ledger learned what it has to.
    Send(Token, Call),
    /// Nothing before this time, unless an answer comes.
    Wait(Timestamp),
    /// Nothing before an answer comes, or another plan is offered.
    Idle,
    /// All that was offered is done.
    Done,
}

/// Why a session stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// MISP refused the key or its role; in its words.
    Key(Box<str>),
    /// MISP cannot be reached, or something else answers.
    Network(Box<str>),
    /// MISP is there, and takes nothing of what is sent, or something before it lets nothing through.
    Refused(Box<str>),
    /// Somebody asked for it.
    Interrupted,
    /// The run took as long as it may.
    Deadline,
    /// It took as many bytes as it may.
    Transfer,
}

/// What a call under way belongs to.
#[derive(Debug)]
enum Flight {
    /// One event's own; whether it writes.
    One(EventUuid, bool),
    Rows(Vec<EventUuid>),
    /// Whether these events are there.
    There(Vec<EventUuid>),
    /// Nobody's: whether MISP is there.
    Version,
}

/// The conversations of one run with one destination.
#[derive(Debug)]
pub struct Session {
    manners: Arc<Manners>,
    /// What is known of the MISP; what is learned of its tags is added.
    book: DestinationRecord,
    /// Conversations that find out whether MISP takes a colour from this key.
    proving: BTreeMap<Box<str>, EventUuid>,
    /// Conversations that wait for that.
    held_back: Vec<EventUuid>,
    window: Window,
    chunk: Chunk,
    /// Most bytes of a request and its answer.
    request_bytes_max: u64,
    purse: Purse,
    talks: BTreeMap<EventUuid, Conversation>,
    /// Conversations that can go on.
    ready: VecDeque<EventUuid>,
    /// Conversations whose last call came to nothing: they go on where no other can.
    back: VecDeque<EventUuid>,
    /// Conversations that wait for a time.
    sleeping: BTreeMap<(Timestamp, EventUuid), ()>,
    /// Conversations that want to know about their rows.
    parked: VecDeque<EventUuid>,
    /// Those of them that have to be asked about alone.
    alone: VecDeque<EventUuid>,
    firsts: Firsts,
    flights: BTreeMap<Token, Flight>,
    /// Questions that wait for what the calls under way leave to be spent.
    held: VecDeque<(Flight, Call)>,
    next_token: u64,
    reports: Vec<Report>,
    more_to_come: bool,
    health: Health,
    stop: Option<Stop>,
    /// Questions asked after the stop.
    last_proofs: usize,
}

impl Session {
    /// A session without events. `window` is the most requests under way at once, `chunk` the most attributes in one
    /// request.
    #[must_use]
    pub fn new(manners: Manners, book: DestinationRecord, window: Window, chunk: Chunk) -> Self {
        Self {
            manners: Arc::new(manners),
            book,
            proving: BTreeMap::new(),
            held_back: Vec::new(),
            window,
            chunk,
            request_bytes_max: u64::MAX,
            purse: Purse::default(),
            talks: BTreeMap::new(),
            ready: VecDeque::new(),
            back: VecDeque::new(),
            sleeping: BTreeMap::new(),
            parked: VecDeque::new(),
            alone: VecDeque::new(),
            firsts: Firsts::default(),
            flights: BTreeMap::new(),
            held: VecDeque::new(),
            next_token: 0,
            reports: Vec::new(),
            more_to_come: true,
            health: Health::default(),
            stop: None,
            last_proofs: 0,
        }
    }

    /// The same with a limit on the bytes of a request and its answer, if there is one.
    #[must_use]
    pub fn within(self, request_bytes_max: Option<u64>) -> Self {
        Self { request_bytes_max: request_bytes_max.unwrap_or(u64::MAX), ..self }
    }

    /// Whether another plan should be offered now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let size = |talk: &Conversation| talk.event().attributes.len();
        let held: usize = self.talks.values().map(size).sum();
        // One that stands back does not keep others away, however large it is.
        let back = self.talks.values().filter(|talk| talk.stands_back()).map(size);
        let held = held - back.max().unwrap_or(0);
        self.stop.is_none()
            && !self.health.lets_nothing_through()
            && self.ready.len() < self.window.most()
            && !self.firsts.are_enough(self.window.most())
            && self.talks.len() < EVENTS_HELD_MAX
            && (held < ATTRIBUTES_HELD_MAX || self.talks.is_empty())
    }

    /// Takes the plan of one more event. An event has one conversation at a time.
    pub fn offer(&mut self, plan: EventPlan) {
        self.begin(plan, false);
    }

    /// Takes the plan of an event that MISP had once. It is made without attributes first: where somebody deleted
    /// it, MISP refuses it, and nothing else was sent.
    pub fn offer_again(&mut self, plan: EventPlan) {
        self.begin(plan, true);
    }

    fn begin(&mut self, plan: EventPlan, bare: bool) {
        let uuid = plan.event.head.uuid;
        debug_assert!(!self.talks.contains_key(&uuid), "one writer per event");
        self.talks.insert(uuid, Conversation::new(plan, self.manners.clone(), bare));
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

    /// MISP was asked anew who it is and which tags it has.
    pub fn learned(&mut self, destination: &DestinationRecord) {
        self.book = destination.clone();
    }

    /// What is known of the MISP by now.
    #[must_use]
    pub const fn book(&self) -> &DestinationRecord {
        &self.book
    }

    /// Most attributes in one request, as this session learned it.
    #[must_use]
    pub const fn chunk_max(&self) -> usize {
        self.chunk.most()
    }

    /// What the last call without a usable answer met with.
    #[must_use]
    pub fn last_trouble(&self) -> &str {
        self.health.last_trouble()
    }

    /// The smallest size of a request that was too much, in this session or before.
    #[must_use]
    pub const fn too_large(&self) -> Option<usize> {
        self.chunk.failed()
    }

    /// The most requests under way at once that turned out best, if this session found that out.
    #[must_use]
    pub fn window(&self) -> Option<usize> {
        self.window.learned()
    }

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
        let rest = self.health.rest.filter(|until| now < *until);
        if let Some(until) = rest.filter(|_| !self.talks.is_empty()) {
            return Step::Wait(until);
        }
        if self.health.takes_question() {
            return self.ask(Flight::Version, Call::Version);
        }
        if let Some(step) = self.ask_what_is_held() {
            return step;
        }
        if self.health.waits() {
            return Step::Idle;
        }
        while self.flights.len() < self.window.most() {
            let Some(uuid) = self.next_ready() else { break };
            if self.has_to_wait(uuid) || self.waits_for_a_colour(uuid) {
                continue;
            }
            let Some(room) = self.room_for(uuid) else {
                self.ready.push_front(uuid);
                // What is under way may take less than it might.
                if !self.flights.is_empty() {
                    break;
                }
                return self.when_nothing_fits();
            };
            let in_company = self.in_company(uuid);
            let Some(talk) = self.talks.get_mut(&uuid) else { continue };
            match talk.next(now, Around { room, in_company, book: &self.book }) {
                Want::Call(call) if call.writes() => {
                    return self.send(Flight::One(uuid, true), call);
                }
                Want::Call(call) => return self.ask(Flight::One(uuid, false), call),
                Want::Rows if talk.asks_alone() => self.alone.push_back(uuid),
                Want::Rows => self.parked.push_back(uuid),
                Want::Wait(until) => {
                    self.sleeping.insert((until, uuid), ());
                }
                Want::Answer => {}
                Want::End => {
                    self.finish(uuid);
                    self.let_go();
                }
            }
            if self.stop.is_some() {
                return self.wind_up();
            }
            if self.health.takes_question() {
                return self.ask(Flight::Version, Call::Version);
            }
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
    fn go_on(&mut self, uuid: EventUuid) {
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
    fn most(&self) -> usize {
        let suspected = self.talks.values().filter_map(Conversation::most_for_others);
        suspected.fold(self.chunk.most(), usize::min)
    }

    /// After a stop: nothing new is sent; what is under way is waited for. Where there is time, what MISP took
    /// is proven, so that the next run does not have to look for it.
    fn wind_up(&mut self) -> Step {
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

    fn finish(&mut self, uuid: EventUuid) {
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

    /// What the ledger has to learn of events in conversation before anything that [`Session::next`] gave is sent. Of
    /// those that ended it is in the reports.
    pub fn take_updates(&mut self) -> Vec<EventUpdate> {
        self.talks.values_mut().filter_map(Conversation::take_update).collect()
    }

    /// The conversations that ended since the last time.
    pub fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }
}
