//! A run that delivers: it takes one thing after the other from its [`backlog`], plans it ([`planning`]), and hands
//! what needs MISP to a session ([`deliver`]) until nothing is left, or something ends it ([`halt`]). What it marks stricter
//! is written down before ([`words`]).
//!
//! The write path, in order; it is safe to die after any step: the ledger is read, the source decoded;
//! each incident is planned; the intent of a request is in the ledger before the request leaves
//! ([`absorb`]); its outcome goes there with the next intents; the end publishes cursor, record and rules
//! in one step ([`end`]).

mod absorb;
mod backlog;
mod contact;
mod deliver;
mod doubt;
mod end;
mod halt;
mod journal;
mod planning;
mod publishing;
mod remains;
mod totals;
mod unchanged;
mod words;

use std::sync::{Arc, atomic::AtomicBool};

use crate::{
    delivery::Wire,
    graph::Aliases,
    history::{Commit, Cursor, EventUpdate, Ledger, RunRecord},
    model::{FeedName, Reader},
    plan::DestinationRecord,
};

use super::{
    AgentError, Clock, Dataset, Ending, Input, Job, Observer, Phase, Progress, Summary,
    clock::Steady,
    job::World,
    planner::{Planner, Readers, Retirement},
    preview::readers_for,
    record::{self, attempt},
};
use backlog::Backlog;
use contact::Contact;
use halt::Halt;
use journal::Journal;
use remains::Remains;
use totals::Totals;

pub(super) use contact::{is_heard, is_known};
pub(super) use doubt::{in_turn, is_due};
pub(super) use publishing::Publications;

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
    let clock = Steady::begin(clock);
    let world = World::new(job, &clock, observer, interrupt);
    match unchanged::unchanged_source(job, dataset, ledger, wire.key_mark(), world).await {
        Ok(Some(summary)) => Ok(summary),
        Ok(None) => carry_out(job, dataset, ledger, wire, world, Mode::Deliver).await,
        Err(error) => Err(attempt::keep_failed(job, dataset, ledger, world, error)?),
    }
}

/// Asks MISP what it holds of each incident of the dataset, and fills the ledger with it: what stands under
/// our UUIDs or with equal values is known again, what was soft-deleted there is declined. Nothing is sent;
/// what is missing goes with the next [`sync`].
///
/// # Errors
/// As [`sync`].
pub async fn adopt<L: Ledger, W: Wire + Send + Sync + 'static>(
    job: &Job,
    dataset: &Dataset,
    ledger: &mut L,
    wire: Arc<W>,
    clock: &dyn Clock,
    observer: &dyn Observer,
    interrupt: &AtomicBool,
) -> Result<Summary, AgentError> {
    let clock = Steady::begin(clock);
    let world = World::new(job, &clock, observer, interrupt);
    carry_out(job, dataset, ledger, wire, world, Mode::Adopt).await
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
    let error = match read(job, dataset, ledger, world).await {
        Ok(input) => match Run::begin((job, dataset), ledger, wire, world, &input, mode) {
            Ok(run) => return run.carry_out().await,
            Err(error) => error,
        },
        Err(error) => error,
    };
    Err(attempt::keep_failed(job, dataset, ledger, world, error)?)
}

async fn read<L: Ledger>(
    job: &Job,
    dataset: &Dataset,
    ledger: &L,
    world: World<'_>,
) -> Result<Arc<Input>, AgentError> {
    let phase = Phase::Reading;
    let nothing = Progress { phase, events_done: 0, events: 0, attributes_sent: 0, bytes: 0 };
    world.observer.progress(nothing);
    let readers = readers_for(job, ledger)?;
    let aliases = || Ok(Aliases(ledger.aliases()?));
    dataset.input(job, readers, aliases, world).await
}

/// A run under way.
struct Run<'a, L, W> {
    job: &'a Job,
    input: &'a Input,
    world: World<'a>,
    mode: Mode,
    /// By which reader the whole dataset was last read.
    last_reader: Reader,
    /// What is known of the events and of the destination, and what an incident calls for by that.
    planner: Planner<'a>,
    /// What the ledger has to learn.
    journal: Journal<'a, L>,
    /// Who is spoken to.
    contact: Contact<W>,
    /// What is still to be looked at.
    backlog: Backlog<'a>,
    /// What is owed to publishing.
    publications: Publications,
    /// What was done.
    totals: Totals<'a>,
    /// What is left to do, for the next run or for a person.
    remains: Remains,
}

impl<'a, L: Ledger, W: Wire + Send + Sync + 'static> Run<'a, L, W> {
    fn begin(
        (job, dataset): (&'a Job, &Dataset),
        ledger: &'a mut L,
        wire: Arc<W>,
        world: World<'a>,
        input: &'a Input,
        mode: Mode,
    ) -> Result<Self, AgentError> {
        let (now, went_back) = record::moment(ledger, world.clock)?;
        let heads = ledger.heads(&job.destination)?;
        let mut destination = ledger.destination(&job.destination)?.unwrap_or_default();
        // How MISP's clock differs from this one is asked anew where this one was set.
        destination.heard = destination.heard.filter(|heard| !world.clock.is_of_before(*heard));
        // A new address is written down once it is known which MISP stands behind it, unless none was ever asked.
        if destination.asked.is_none() {
            destination.url.clone_from(&job.url);
        }
        let is_new = !destination.feeds.contains(&job.feed);
        let feed = feed_place(job, &mut destination)?;
        let number = ledger.begin_run()?;
        let cursor = ledger.cursor(&job.feed, &job.destination)?;
        let last_reader = Readers::of(job, &heads, cursor.as_ref()).last;
        let cursor =
            cursor.map(|cursor| Cursor { reader: Some(last_reader), ..cursor.unsettled() });
        let mut journal = Journal::begin(job, ledger, input, cursor);
        // Before anything says by its place what the feed wants: another would take it.
        if is_new {
            journal.gather_destination(destination.clone());
        }
        let mut planner = Planner::new(job, heads, destination, feed, number, now);
        let known = planner.known_events();
        planner.look_at(input);
        planner.retirement = match mode {
            Mode::Deliver => Retirement::decide(job, input, &planner, known)?,
            Mode::Adopt => Retirement::Never,
        };
        if mode == Mode::Deliver && planner.retirement.begins(known) {
            input.origin.begin_at(&job.destination)?;
        }
        let mut notes = input.notes();
        notes.extend(went_back);
        // A source that retired nothing is read again: somebody may want it to by then.
        let mut remains = Remains::default();
        let why_not = planner.retirement.why_not();
        remains.settle(why_not.is_none());
        notes.extend(why_not.map(|why| why.to_string()));
        let record = record::begin(job, number, now, input.name.clone(), Some(input.digest));
        let record = RunRecord { pull: dataset.pull().cloned(), ..record };
        let incidents = input.graph.incident_count() as u64;
        Ok(Self {
            job,
            input,
            world,
            mode,
            last_reader,
            journal,
            contact: Contact::new(job, wire, &planner),
            backlog: Backlog::of(input, &planner, mode),
            publications: Publications::of(planner.heads(), job.settings.publish),
            totals: Totals::begin(record, world.observer, &notes, incidents),
            remains,
            planner,
        })
    }

    async fn carry_out(mut self) -> Result<Summary, AgentError> {
        match self.go().await {
            Ok(()) => self.finish(Ending::Done),
            Err(Halt::Ended(ending)) => self.finish(ending),
            Err(Halt::Failed(error)) => Err(self.fail(error)?),
        }
    }

    async fn go(&mut self) -> Result<(), Halt> {
        self.totals.tell_progress(Phase::Comparing);
        self.say_first()?;
        self.deliver().await?;
        Ok(self.look_at_publishing().await?)
    }

    /// Takes over what the wire noticed.
    fn take_notes(&mut self) {
        for note in self.contact.wire.take_notes() {
            self.totals.note(&note);
        }
    }

    /// One durable step about one event.
    fn commit_update(&mut self, update: EventUpdate) -> Result<(), AgentError> {
        self.commit(Commit { events: vec![update], ..Commit::default() })
    }

    /// One durable step, with the run's record as it is.
    fn commit(&mut self, commit: Commit) -> Result<(), AgentError> {
        Ok(self.journal.commit(&self.totals.record, commit)?)
    }
}

/// The feed's bit at the destination, given to it the first time.
pub(super) fn feed_place(job: &Job, record: &mut DestinationRecord) -> Result<u8, AgentError> {
    let place_of = |feed: &FeedName| record.feeds.iter().position(|it| it == feed);
    let free = FeedName::new("");
    let place = match (place_of(&job.feed), place_of(&free)) {
        (Some(place), _) => place,
        (None, Some(place)) => {
            record.feeds[place] = job.feed.clone();
            place
        }
        (None, None) => {
            record.feeds.push(job.feed.clone());
            record.feeds.len() - 1
        }
    };
    let place = u8::try_from(place).ok().filter(|place| *place < 32);
    place.ok_or_else(|| AgentError::TooManyFeeds {
        destination: job.destination.clone(),
        feed: job.feed.clone(),
    })
}
