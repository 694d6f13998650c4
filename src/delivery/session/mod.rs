//! All conversations of a run: several events at once, one writer per event, questions that can be
//! asked for many events asked once.

mod answers;
mod colours;
mod firsts;
mod health;
mod purse;
mod questions;
mod steps;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use crate::{
    model::{EventUuid, Timestamp},
    plan::{DestinationRecord, EventPlan, EventUpdate},
};

use self::{firsts::Firsts, health::Health, purse::Purse};
use super::{Call, Chunk, Manners, Report, Window, conversation::Conversation};

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

    /// The same that writes nothing to events that are there.
    #[must_use]
    pub fn only_looking(mut self) -> Self {
        Arc::make_mut(&mut self.manners).only_looks = true;
        self
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
        let numbered = self.book.numbered;
        self.book = DestinationRecord { numbered, ..destination.clone() };
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
