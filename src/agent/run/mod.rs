//! A run that delivers.
//!
//! The write path, in order; it is safe to die after any step: the ledger is read, the source decoded;
//! each incident is planned; the intent of a request is in the ledger before the request leaves
//! ([`absorb`]); its outcome goes there with the next intents; the end publishes cursor, record, aliases
//! and rules in one step ([`end`]).

mod absorb;
mod end;
mod planning;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicBool},
};

use crate::{
    delivery::{Chunk, Manners, Session, Stop, Wire},
    graph::Aliases,
    history::{Commit, Ledger, LedgerError, Outcome, RunRecord},
    model::{EventUuid, RunNumber},
    plan::{DestinationRecord, FeedHead, KnownEvent, Retire},
    source,
};

use super::{
    AgentError, Clock, Ending, Input, Job, Observer, Phase, Progress, Strategy, Summary,
    drive::{Flights, Pause, Waited, round},
    job::World,
    learn,
    planner::{Planned, Planner, policy_of},
    record,
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
    let world = World { clock, observer, interrupt };
    if let Some(summary) = unchanged_source(job, ledger, world)? {
        return Ok(summary);
    }
    observer.progress(progress(Phase::Reading));
    let aliases = Aliases(ledger.aliases()?);
    let input = Input::read(job, &aliases)?;
    let mut run = Run::begin(job, ledger, wire, world, &input)?;
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
    run.tally = record::tally_as_unchanged(&last.tally);
    run.dataset = last.dataset;
    run.outcome = Outcome::Done;
    run.ended = Some(world.clock.now());
    let commit = Commit { run: Some(run.clone()), ..Commit::default() };
    ledger.commit(&job.destination, number, commit)?;
    let ending = end::ending_of_unchanged(&run);
    Ok(Some(Summary { run, ending }))
}

struct Run<'a, L, W> {
    job: &'a Job,
    ledger: &'a mut L,
    wire: Arc<W>,
    world: World<'a>,
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
        planner.retire = retire(job, input, planner.known_events());
        let mut record = record::begin(job, number, now, input.name.clone(), Some(input.digest));
        record.notes = input.notes();
        if planner.retire == Retire::No && job.strategy == Strategy::Replace {
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
            quiet: Commit::default(),
            quiet_attributes: 0,
            events_done: 0,
            events: input.graph.incident_count() as u64,
        })
    }

    /// Plans and delivers all incidents, then what is left over.
    async fn deliver(&mut self, input: &Input) -> Result<(), AgentError> {
        let mut session = None;
        let mut flights = Flights::new(self.wire.clone());
        let mut incidents = input.graph.incidents();
        let mut leftovers: Option<Vec<Planned>> = None;
        loop {
            while session.as_ref().is_none_or(Session::has_room) {
                let planned = if let Some(incident) = incidents.next() {
                    self.plan_incident(&incident).await?
                } else if let Some(event) = self.lost.pop() {
                    self.revive(event, input)?
                } else {
                    if leftovers.is_none() {
                        leftovers = Some(self.planner.leftovers(&self.seen, self.ledger)?);
                    }
                    match leftovers.as_mut().and_then(Vec::pop) {
                        Some(planned) => self.sort_out(planned)?,
                        None => break,
                    }
                };
                if self.ending == Ending::AnotherMisp {
                    match session.as_mut() {
                        Some(session) => session.stop(Stop::Interrupted),
                        None => return Ok(()),
                    }
                    break;
                }
                if let Some(planned) = planned {
                    let uuid = planned.plan.event.head.uuid;
                    self.feed_heads.insert(uuid, planned.feed);
                    session.get_or_insert_with(|| self.session()).offer(planned.plan);
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
            Pause::Done if self.lost.is_empty() => {
                self.note_stop(session);
                return Ok(false);
            }
            Pause::Done => return Ok(true),
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
        let manners = Manners {
            settings: self.job.settings.clone(),
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
        quiet.cursor = commit.cursor;
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
