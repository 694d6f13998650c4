//! A run that delivers.
//!
//! The write path, in order; it is safe to die after any step: the ledger is read, the source decoded;
//! each incident is planned; the intent of a request is in the ledger before the request leaves
//! ([`absorb`]); its outcome goes there with the next intents; the end publishes cursor, record, aliases
//! and rules in one step ([`end`]).

mod absorb;
mod doubt;
mod end;
mod planning;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicBool},
};

use crate::{
    delivery::{Chunk, Manners, Session, Stop, Wire},
    graph::Aliases,
    history::{Commit, Cursor, Ledger, LedgerError, RunRecord},
    model::{EventUuid, FeedName, RunNumber},
    plan::{DestinationRecord, EventPlan, FeedHead, KnownEvent, Publish, Retire},
    source,
};

use super::{
    AgentError, Clock, Ending, Input, Job, Observer, Phase, Progress, Summary,
    drive::{Flights, Pause, Waited, round},
    job::World,
    learn,
    planner::{Planned, Planner, policy_of},
    record::{self, clock_note},
};

pub(super) use end::retire;

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
    let world = world(job, clock, observer, interrupt);
    if let Some(summary) = unchanged_source(job, ledger, world)? {
        return Ok(summary);
    }
    carry_out(job, ledger, wire, world, Mode::Deliver).await
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
    carry_out(job, ledger, wire, world(job, clock, observer, interrupt), Mode::Adopt).await
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

async fn carry_out<L: Ledger, W: Wire + Send + Sync + 'static>(
    job: &Job,
    ledger: &mut L,
    wire: Arc<W>,
    world: World<'_>,
    mode: Mode,
) -> Result<Summary, AgentError> {
    let observer = world.observer;
    observer.progress(progress(Phase::Reading));
    let aliases = Aliases(ledger.aliases()?);
    let input = Input::read(job, &aliases)?;
    let mut run = Run::begin(job, ledger, wire, world, &input, mode)?;
    run.deliver(&input).await?;
    run.finish(&input)
}

fn progress(phase: Phase) -> Progress {
    Progress { phase, events_done: 0, events: 0, attributes_sent: 0, bytes: 0 }
}

/// The shortcut over a whole source: the same bytes, rules, policy and a settled ledger need no reading.
fn unchanged_source<L: Ledger>(
    job: &Job,
    ledger: &mut L,
    world: World<'_>,
) -> Result<Option<Summary>, AgentError> {
    let Some(cursor) = ledger.cursor(&job.feed, &job.destination)? else { return Ok(None) };
    let Some(record) = ledger.destination(&job.destination)? else { return Ok(None) };
    let same_terms = cursor.settled
        && cursor.rules == job.rules.fingerprint()
        && cursor.policy == policy_of(job, &record)
        && record.url == job.url;
    if !same_terms || cursor.source.is_none() || source::digest(&job.source)? != cursor.source {
        return Ok(None);
    }
    let Some(last) = ledger.run(cursor.run)? else { return Ok(None) };
    let number = RunNumber(ledger.last_run()?.0 + 1);
    let now = world.clock.now();
    let name = super::input::source_name(&job.source);
    let mut run = record::begin(job, number, now, name, cursor.source);
    let before = ledger.run(RunNumber(number.0 - 1))?;
    run.notes.extend(clock_note(before.as_ref(), now));
    for note in &run.notes {
        world.observer.note(note);
    }
    run.tally = record::tally_as_unchanged(&last.tally);
    run.dataset = last.dataset;
    let ending = end::ending_of_untroubled(&run, &record);
    run.outcome = ending.outcome();
    run.ended = Some(world.clock.now());
    let commit = Commit { run: Some(run.clone()), ..Commit::default() };
    ledger.commit(&job.destination, number, commit)?;
    Ok(Some(Summary { run, ending }))
}

struct Run<'a, L, W> {
    job: &'a Job,
    ledger: &'a mut L,
    wire: Arc<W>,
    world: World<'a>,
    mode: Mode,
    planner: Planner<'a>,
    record: RunRecord,
    feed_heads: BTreeMap<EventUuid, FeedHead>,
    seen: BTreeSet<EventUuid>,
    learned: bool,
    ending: Ending,
    all_settled: bool,
    /// MISP refused something in this run.
    refused: bool,
    /// Something was given up for this run.
    gave_up: bool,
    revived: BTreeSet<EventUuid>,
    lost: Vec<KnownEvent>,
    /// Events that nothing had to be done about, until they were found to have drifted.
    doubted: Vec<EventUuid>,
    /// Events that nothing has to be done about.
    passed: BTreeSet<EventUuid>,
    /// The cursor as the first commit leaves it: until the run ends, no shortcut leads over its source.
    unsettle: Option<(FeedName, Cursor)>,
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
        let now = world.clock.now();
        let number = RunNumber(ledger.last_run()?.0 + 1);
        let mut destination = ledger.destination(&job.destination)?.unwrap_or_default();
        // A new address is written down once it is known which MISP stands behind it.
        if destination.url.is_empty() {
            destination.url.clone_from(&job.url);
        }
        let known_url = destination.url == job.url;
        let feed = feed_place(job, &mut destination)?;
        let heads = ledger.heads(&job.destination)?;
        let mut planner = Planner::new(job, heads, destination, feed, number, now);
        planner.retire = match mode {
            Mode::Deliver => retire(job, input, planner.known_events()),
            Mode::Adopt => Retire::No,
        };
        let mut record = record::begin(job, number, now, input.name.clone(), Some(input.digest));
        record.notes = input.notes();
        let before = ledger.run(RunNumber(number.0 - 1))?;
        let cursor = ledger.cursor(&job.feed, &job.destination)?;
        let unsettle = cursor.map(|cursor| (job.feed.clone(), cursor.unsettled()));
        record.notes.extend(clock_note(before.as_ref(), now));
        if end::keeps_all(mode, job, planner.retire) {
            record.notes.push(end::why_nothing_retires(input).to_owned());
        }
        for note in &record.notes {
            world.observer.note(note);
        }
        Ok(Self {
            job,
            ledger,
            wire,
            world,
            mode,
            learned: known_url && planner.record.asked.is_some(),
            planner,
            record,
            feed_heads: BTreeMap::new(),
            seen: BTreeSet::new(),
            ending: Ending::Done,
            all_settled: true,
            refused: false,
            gave_up: false,
            revived: BTreeSet::new(),
            lost: Vec::new(),
            doubted: Vec::new(),
            passed: BTreeSet::new(),
            unsettle,
            quiet: Commit::default(),
            quiet_attributes: 0,
            events_done: 0,
            events: input.graph.incident_count() as u64,
        })
    }

    /// Plans and delivers all incidents, then what is left over.
    async fn deliver(&mut self, input: &Input) -> Result<(), AgentError> {
        let mut session: Option<Session> = None;
        let mut flights = Flights::new(self.wire.clone());
        let mut incidents = input.graph.incidents();
        let mut leftovers: Option<Vec<EventUuid>> = None;
        loop {
            if self.ending == Ending::Done
                && let Some(stop) = self.world.wants_stop()
            {
                self.ending = absorb::ending_of_stop(&stop);
                match session.as_mut() {
                    Some(session) => session.stop(stop),
                    None => return Ok(()),
                }
            }
            while session.as_ref().is_none_or(Session::has_room) {
                let planned = if let Some(incident) = incidents.next() {
                    self.plan_incident(&incident).await?
                } else if let Some(event) = self.lost.pop() {
                    self.revive(event, input)?
                } else if let Some(event) = self.doubted.pop() {
                    self.plan_again(event, input)?
                } else if self.mode == Mode::Adopt {
                    break;
                } else {
                    let left = leftovers.get_or_insert_with(|| self.planner.leftovers(&self.seen));
                    let Some(uuid) = left.pop() else { break };
                    match self.planner.leftover(uuid, self.ledger)? {
                        Some(planned) => self.sort_out(planned)?,
                        None => None,
                    }
                };
                if self.ending != Ending::Done {
                    match session.as_mut() {
                        Some(session) => session.stop(Stop::Interrupted),
                        None => return Ok(()),
                    }
                    break;
                }
                if let Some(planned) = planned {
                    let plan = self.mark_wanted(planned);
                    session.get_or_insert_with(|| self.session()).offer(plan);
                }
            }
            let Some(session) = session.as_mut() else { return Ok(()) };
            if session.has_room() && self.lost.is_empty() {
                session.no_more();
            }
            if !self.step(session, &mut flights).await? {
                return Ok(());
            }
        }
    }

    /// Has the feed count as one that wants something of the event from the first commit on, so that what a
    /// run that dies leaves pending is looked at again, whatever becomes of the dataset.
    fn mark_wanted(&mut self, Planned { mut plan, feed }: Planned) -> EventPlan {
        let head = &mut plan.event.head;
        if !feed.gone {
            let mark = head.feeds.entry(self.job.feed.clone()).or_insert_with(|| feed.clone());
            mark.gone = false;
            mark.settled = false;
        }
        self.feed_heads.insert(head.uuid, feed);
        plan
    }

    /// One round with the session: effects to the ledger, calls to MISP, one answer back.
    async fn step(
        &mut self,
        session: &mut Session,
        flights: &mut Flights<W>,
    ) -> Result<bool, AgentError> {
        let round = round(session, self.world.clock.now());
        self.absorb(session).await?;
        for (token, call) in round.calls {
            flights.send(token, call);
        }
        let until = match round.pause {
            Pause::Until(until) => Some(until),
            Pause::Answer if flights.is_empty() && session.has_room() => return Ok(true),
            Pause::Answer => None,
            // Events that were lost on the way still have to be offered, but not to a session that stopped.
            Pause::Done if !self.lost.is_empty() && session.stopped().is_none() => return Ok(true),
            Pause::Done => {
                self.note_stop(session);
                return Ok(false);
            }
        };
        match flights.wait(session, until, self.world).await {
            Waited::Answer(token, exchange) => {
                let now = self.world.clock.now();
                let (destination, tally) = (&mut self.planner.record, &mut self.record.tally);
                learn::count(&exchange, destination, now, tally);
                session.on_reply(token, exchange.reply, now);
                self.tell_progress(Phase::Delivering);
            }
            Waited::Time => {}
            Waited::Lost => {
                self.note_stop(session);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn session(&self) -> Session {
        let mut settings = self.job.settings.clone();
        if self.mode == Mode::Adopt {
            settings.publish = Publish::Never;
        }
        let manners = Manners {
            settings,
            org: self.planner.record.org,
            version: self.planner.record.version.as_str().into(),
            backoff: self.job.backoff,
            run: self.record.number,
        };
        let learned = usize::try_from(self.planner.record.chunk_max).ok().filter(|most| *most > 0);
        Session::new(manners, self.job.concurrency, Chunk::new(learned, self.job.chunk_max))
    }

    fn note(&mut self, note: &str) {
        self.world.observer.note(note);
        self.record.notes.push(note.to_owned());
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
        quiet.aliases = commit.aliases;
        quiet.rules = commit.rules;
        quiet.destination = commit.destination.or(quiet.destination);
        quiet.run = Some(self.record.clone());
        self.ledger.commit(&self.job.destination, self.record.number, quiet)
    }
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
