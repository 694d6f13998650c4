//! A run that delivers.
//!
//! The write path, in order; it is safe to die after any step: the ledger is read, the source decoded;
//! each incident is planned; the intent of a request is in the ledger before the request leaves
//! ([`absorb`]); its outcome goes there with the next intents; the end publishes cursor, record and rules
//! in one step ([`end`]).

mod absorb;
mod deliver;
mod doubt;
mod end;
mod planning;
mod publishing;
mod unchanged;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicBool},
};

use crate::{
    delivery::Wire,
    graph::Aliases,
    history::{Commit, Cursor, Ledger, LedgerError, RunRecord},
    model::{EntityKey, EventUuid, FeedName, Timestamp},
    plan::{DestinationRecord, FeedHead, KnownEvent, Presence, Publishing, Retire},
};

use super::{
    AgentError, Careful, Clock, Dataset, Ending, Input, Job, Observer, Phase, Progress, Summary,
    job::World,
    lost::Gone,
    planner::{Planner, older_reader},
    record::{self, Notebook, attempt, clock_note},
};

pub(super) use doubt::{ROWS_MAX, in_turn};
pub(super) use end::retire;
pub(super) use planning::is_heard;

/// Delivers a dataset: everything that MISP does not have yet, and nothing else.
///
/// Set `interrupt` from elsewhere to stop: what is under way is finished and recorded.
///
/// # Errors
/// If the source, the ledger or MISP cannot be used at all. What MISP refuses is in the summary.
pub async fn sync<L: Ledger, W: Wire + Send + Sync + 'static>(
    job: &Job,
    ledger: &mut L,
    wire: Arc<W>,
    clock: &dyn Clock,
    observer: &dyn Observer,
    interrupt: &AtomicBool,
) -> Result<Summary, AgentError> {
    sync_from(job, &Dataset::default(), ledger, wire, clock, observer, interrupt).await
}

/// The same for a dataset that other runs deliver to other destinations, perhaps at the same time.
///
/// # Errors
/// As [`sync`].
pub async fn sync_from<L: Ledger, W: Wire + Send + Sync + 'static>(
    job: &Job,
    dataset: &Dataset,
    ledger: &mut L,
    wire: Arc<W>,
    clock: &dyn Clock,
    observer: &dyn Observer,
    interrupt: &AtomicBool,
) -> Result<Summary, AgentError> {
    let world = world(job, clock, observer, interrupt);
    carry_out(job, dataset, ledger, wire, world, Mode::Deliver).await
}

/// What reading a source brought.
enum Read {
    /// It is as it was, and so is all that was delivered of it: the run is over.
    AsBefore(Box<Summary>),
    /// A dataset to deliver.
    Dataset(Arc<Input>),
}

async fn read<L: Ledger>(
    job: &Job,
    dataset: &Dataset,
    ledger: &mut L,
    world: World<'_>,
    mode: Mode,
) -> Result<Read, AgentError> {
    if mode == Mode::Deliver
        && let Some(summary) = unchanged::unchanged_source(job, dataset, ledger, world).await?
    {
        return Ok(Read::AsBefore(Box::new(summary)));
    }
    world.observer.progress(progress(Phase::Reading));
    let reader = older_reader(job, &ledger.heads(&job.destination)?);
    let aliases = || Ok(Aliases(ledger.aliases()?));
    Ok(Read::Dataset(dataset.input(job, reader, aliases, world).await?))
}

/// See [`adopt`](super::adopt()).
pub(super) async fn adopt<L: Ledger, W: Wire + Send + Sync + 'static>(
    job: &Job,
    ledger: &mut L,
    wire: Arc<W>,
    clock: &dyn Clock,
    observer: &dyn Observer,
    interrupt: &AtomicBool,
) -> Result<Summary, AgentError> {
    let world = world(job, clock, observer, interrupt);
    carry_out(job, &Dataset::default(), ledger, wire, world, Mode::Adopt).await
}

fn world<'a>(
    job: &Job,
    clock: &'a dyn Clock,
    observer: &'a dyn Observer,
    interrupt: &'a AtomicBool,
) -> World<'a> {
    let deadline = job.deadline.map(|span| clock.now().after(span));
    World { clock, observer, interrupt, deadline }
}

/// What a run does about what MISP does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// It is sent.
    Deliver,
    /// Nothing: the run only learns what is there.
    Adopt,
}

/// One attempt, from the source to the end of the run. However it ends, the history keeps it.
async fn carry_out<L: Ledger, W: Wire + Send + Sync + 'static>(
    job: &Job,
    dataset: &Dataset,
    ledger: &mut L,
    wire: Arc<W>,
    world: World<'_>,
    mode: Mode,
) -> Result<Summary, AgentError> {
    let input = match read(job, dataset, ledger, world, mode).await {
        Ok(Read::AsBefore(summary)) => return Ok(*summary),
        Ok(Read::Dataset(input)) => input,
        Err(error) => return Err(attempt::keep_failed(job, ledger, world, error)?),
    };
    match Run::begin(job, ledger, wire, world, &input, mode) {
        Ok(mut run) => match run.go(&input).await {
            Ok(()) => run.finish(&input),
            Err(error) => Err(run.fail(error)?),
        },
        Err(error) => Err(attempt::keep_failed(job, ledger, world, error)?),
    }
}

fn progress(phase: Phase) -> Progress {
    Progress { phase, events_done: 0, events: 0, attributes_sent: 0, bytes: 0 }
}

struct Run<'a, L, W> {
    job: &'a Job,
    ledger: &'a mut L,
    wire: Arc<Careful<Arc<W>>>,
    world: World<'a>,
    mode: Mode,
    planner: Planner<'a>,
    record: RunRecord,
    notebook: Notebook,
    feed_heads: BTreeMap<EventUuid, FeedHead>,
    seen: BTreeSet<EventUuid>,
    learned: bool,
    /// MISP's clock was asked for in this run.
    heard: bool,
    /// The store knows of no event that MISP has.
    knows_nothing: bool,
    /// Until then MISP rests, and somebody was told.
    told_until: Timestamp,
    /// Since the session was last told.
    relearned: bool,
    ending: Ending,
    all_settled: bool,
    /// MISP refused something in this run.
    refused: bool,
    /// Something was given up for this run.
    gave_up: bool,
    /// Something waits for a TLP tag that MISP does not take.
    lacking: bool,
    /// Events of which no answer says whose they are.
    unowned: BTreeSet<EventUuid>,
    /// The first of what is exposed, in words.
    exposed: Vec<String>,
    /// Events on their way to being published.
    publishing: BTreeMap<EventUuid, Publishing>,
    /// Those that this run asked MISP to publish.
    asked_to_publish: BTreeSet<EventUuid>,
    /// Events that hold nothing.
    bare: BTreeSet<EventUuid>,
    /// It was looked at in this run what MISP holds.
    verified: bool,
    revived: BTreeSet<EventUuid>,
    lost: Vec<KnownEvent>,
    /// Events that nothing had to be done about, until they were found to have drifted.
    doubted: Vec<EventUuid>,
    /// Events that nothing has to be done about.
    passed: BTreeSet<EventUuid>,
    /// The cursor as the first commit leaves it: until the run ends, no shortcut leads over its source.
    unsettle: Option<(FeedName, Cursor)>,
    /// Names that were learned from the dataset, until the first commit keeps them.
    aliases: BTreeMap<EntityKey, EntityKey>,
    /// The incident of each event, once an event is planned anew.
    roots: BTreeMap<EventUuid, EntityKey>,
    /// What became known of events that MISP does not know.
    gone: Gone,
    /// Events of which something waits until somebody accepts it.
    held_back: u64,
    /// Changes that need no request, gathered.
    quiet: Commit,
    quiet_attributes: usize,
    events_done: u64,
    /// Incidents of the dataset.
    events: u64,
}

impl<'a, L: Ledger, W: Wire + Send + Sync + 'static> Run<'a, L, W> {
    fn begin(
        job: &'a Job,
        ledger: &'a mut L,
        wire: Arc<W>,
        world: World<'a>,
        input: &Input,
        mode: Mode,
    ) -> Result<Self, AgentError> {
        // Before the clock is read: a run that begins beside this one is no sign that it went back.
        let before = ledger.run(ledger.last_run()?)?;
        let now = world.clock.now();
        let heads = ledger.heads(&job.destination)?;
        let mut destination = ledger.destination(&job.destination)?.unwrap_or_default();
        // A new address is written down once it is known which MISP stands behind it.
        if destination.url.is_empty() {
            destination.url.clone_from(&job.url);
        }
        let known_url = destination.url == job.url;
        let feed = feed_place(job, &mut destination)?;
        let number = ledger.begin_run()?;
        let knows_nothing = heads.iter().all(|head| head.presence != Presence::Present);
        let mut planner = Planner::new(job, heads, destination, feed, number, now);
        planner.retire = match mode {
            Mode::Deliver => retire(job, input, planner.known_events()),
            Mode::Adopt => Retire::No,
        };
        planner.look_at(input);
        let mut record = record::begin(job, number, now, input.name.clone(), Some(input.digest));
        let mut notebook = Notebook::default();
        let mut notes = input.notes();
        let cursor = ledger.cursor(&job.feed, &job.destination)?;
        let unsettle = cursor.map(|cursor| (job.feed.clone(), cursor.unsettled()));
        notes.extend(clock_note(before.as_ref(), now));
        if end::keeps_all(mode, job, planner.retire) {
            notes.push(end::why_nothing_retires(input).to_owned());
        }
        for note in &notes {
            notebook.add(&mut record.notes, note);
        }
        for note in &record.notes {
            world.observer.note(note);
        }
        Ok(Self {
            job,
            ledger,
            world,
            mode,
            learned: known_url
                && same_key(planner.record.key_mark, wire.key_mark())
                && planner.record.asked.is_some()
                && planner.record.user.is_some(),
            wire: Arc::new(Careful::new(wire)),
            relearned: false,
            heard: false,
            knows_nothing,
            told_until: Timestamp::from_seconds(0),
            publishing: publishing::under_way(planner.heads(), job.settings.publish).collect(),
            planner,
            record,
            notebook,
            feed_heads: BTreeMap::new(),
            seen: BTreeSet::new(),
            ending: Ending::Done,
            all_settled: true,
            refused: false,
            gave_up: false,
            lacking: false,
            unowned: BTreeSet::new(),
            exposed: Vec::new(),
            asked_to_publish: BTreeSet::new(),
            bare: BTreeSet::new(),
            verified: false,
            revived: BTreeSet::new(),
            lost: Vec::new(),
            doubted: Vec::new(),
            passed: BTreeSet::new(),
            unsettle,
            aliases: input.graph.learned_aliases().clone(),
            roots: BTreeMap::new(),
            gone: Gone::default(),
            held_back: 0,
            quiet: Commit::default(),
            quiet_attributes: 0,
            events_done: 0,
            events: input.graph.incident_count() as u64,
        })
    }

    async fn go(&mut self, input: &Input) -> Result<(), AgentError> {
        self.deliver(input).await?;
        self.look_at_publishing().await
    }

    fn note(&mut self, note: &str) {
        self.world.observer.note(note);
        self.notebook.add(&mut self.record.notes, note);
    }

    fn tell_progress(&self, phase: Phase) {
        let tally = &self.record.tally;
        self.world.observer.progress(Progress {
            phase,
            events_done: self.events_done,
            events: self.events,
            attributes_sent: tally.attributes.sent,
            bytes: tally.bytes_sent + tally.bytes_received,
        });
    }

    /// One durable step: what is given, what was gathered, and the run's record as it is.
    fn commit(&mut self, mut commit: Commit) -> Result<(), LedgerError> {
        let mut quiet = std::mem::take(&mut self.quiet);
        self.quiet_attributes = 0;
        quiet.events.append(&mut commit.events);
        quiet.changes.append(&mut commit.changes);
        quiet.cursor = commit.cursor.or_else(|| self.unsettle.take());
        // What a plan rests on is kept before anything goes by it.
        quiet.aliases = std::mem::take(&mut self.aliases);
        quiet.rules = commit.rules;
        quiet.destination = commit.destination.or(quiet.destination);
        quiet.run = Some(self.record.clone());
        self.ledger.commit(&self.job.destination, self.record.number, quiet)
    }
}

/// Whether the key is the one that MISP was asked about last, as far as that can be told.
fn same_key(known: Option<u64>, now: Option<u64>) -> bool {
    known.zip(now).is_none_or(|(known, now)| known == now)
}

/// The feed's bit at the destination, given to it the first time.
pub(super) fn feed_place(job: &Job, record: &mut DestinationRecord) -> Result<u8, AgentError> {
    let place = record.feeds.iter().position(|feed| *feed == job.feed).unwrap_or_else(|| {
        record.feeds.push(job.feed.clone());
        record.feeds.len() - 1
    });
    let place = u8::try_from(place).ok().filter(|place| *place < 32);
    place.ok_or_else(|| AgentError::TooManyFeeds {
        destination: job.destination.clone(),
        feed: job.feed.clone(),
    })
}
