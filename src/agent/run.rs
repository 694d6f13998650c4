//! A run that delivers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicBool},
};

use crate::{
    delivery::{Effects, Manners, Report, Session, Stop, Verdict, Wire},
    graph::Aliases,
    history::{Commit, Cursor, EventUpdate, Ledger, LedgerError, Outcome, RunRecord},
    model::{Digest, EventUuid, RunNumber},
    plan::{
        AttributeTally, ChangeKind, DestinationRecord, EventPlan, FeedHead, KnownEvent, Presence,
        Refusal, Retire,
    },
    source,
};

use super::{
    AgentError, Clock, Ending, Input, Job, Observer, Phase, Progress, Strategy, Summary,
    drive::{Flights, Pause, Waited, round},
    job::World,
    learn::{self, LearnError, learn},
    lost::{self, Finding},
    planner::{Call, Planned, Planner, Settled, policy_of, settled},
    record::{self, add_attributes, add_mapping},
};

/// Attributes that are gathered before what needs no request is written to the ledger.
const QUIET_COMMIT_ATTRIBUTES: usize = 5_000;
/// A run that sends at least so many attributes asks MISP anew who it is, once a day.
const ASK_AGAIN_ATTRIBUTES: usize = 100;
const ASK_AGAIN_SECONDS: i64 = 24 * 3_600;

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
    let number = RunNumber(ledger.last_run()?.0 + 1);
    let now = world.clock.now();
    let name = super::input::source_name(&job.source);
    let mut run = record::begin(job, number, now, name, cursor.source);
    run.tally.events_unchanged = cursor.events;
    run.tally.attributes = record::as_unchanged(&cursor.attributes);
    run.dataset = cursor.dataset.clone();
    run.outcome = Outcome::Done;
    run.ended = Some(world.clock.now());
    let commit = Commit { run: Some(run.clone()), ..Commit::default() };
    ledger.commit(&job.destination, number, commit)?;
    Ok(Some(Summary { run, ending: Ending::Done }))
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
    revived: BTreeSet<EventUuid>,
    lost: Vec<KnownEvent>,
    /// Changes that need no request, gathered.
    quiet: Commit,
    quiet_attributes: usize,
    events_done: u64,
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
        if destination.url.is_empty() {
            destination.url.clone_from(&job.url);
        }
        // A new address is written down once it is known which MISP stands behind it.
        let known_url = destination.url == job.url;
        let feed = feed_place(job, &mut destination)?;
        let heads = ledger.heads(&job.destination)?;
        let mut planner = Planner::new(job, heads, destination, feed, number, now);
        planner.retire = retire(job, input, planner.known_events());
        let mut record = record::begin(job, number, now, input.name.clone(), Some(input.digest));
        record.notes = input.notes();
        if planner.retire == Retire::No && job.strategy == Strategy::Replace {
            record.notes.push(why_nothing_retires(input).to_owned());
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
            revived: BTreeSet::new(),
            lost: Vec::new(),
            quiet: Commit::default(),
            quiet_attributes: 0,
            events_done: 0,
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
        let learned = usize::try_from(self.planner.record.chunk_max).unwrap_or(0);
        let chunk_max = if learned == 0 { self.job.chunk_max } else { learned };
        Session::new(manners, self.job.concurrency, chunk_max.min(self.job.chunk_max))
    }

    async fn plan_incident(
        &mut self,
        incident: &crate::graph::Incident<'_>,
    ) -> Result<Option<Planned>, AgentError> {
        self.seen.insert(crate::misp::event_uuid(incident.root));
        let mut call = self.planner.incident(incident, self.ledger)?;
        if let Call::Plan(planned) = &call
            && self.has_to_learn(&planned.plan)
        {
            self.learn().await?;
            if self.ending == Ending::AnotherMisp {
                return Ok(None);
            }
            call = self.planner.incident(incident, self.ledger)?;
        }
        match call {
            Call::Nothing(settled) => {
                self.count_unchanged(&settled);
                Ok(None)
            }
            Call::Plan(planned) => self.sort_out(*planned),
        }
    }

    /// Whether MISP has to be asked who it is before a plan is carried out. What waits for a tag is a
    /// reason to ask, too: the tag may be there by now.
    fn has_to_learn(&self, plan: &EventPlan) -> bool {
        let waits = plan.lacks_a_tag();
        let asked = self.planner.record.asked.map_or(0, crate::model::Timestamp::seconds);
        let old = self.world.clock.now().seconds() - asked > ASK_AGAIN_SECONDS;
        let worth_it = waits || plan.send.len() >= ASK_AGAIN_ATTRIBUTES;
        (waits || plan.needs_misp()) && (!self.learned || (old && worth_it))
    }

    async fn learn(&mut self) -> Result<(), AgentError> {
        let now = self.world.clock.now();
        let before = (self.planner.record.url.clone(), self.planner.record.org);
        let version = self.planner.record.version.clone();
        let (destination, tally) = (&mut self.planner.record, &mut self.record.tally);
        destination.url.clone_from(&self.job.url);
        learn(&*self.wire, destination, &self.job.settings.tags, now, tally).await?;
        let moved =
            before.0 != destination.url || (before.1.is_some() && before.1 != destination.org);
        if moved && self.is_stranger().await? {
            self.ending = Ending::AnotherMisp;
            return Ok(());
        }
        self.learned = true;
        // Events that were passed over before this may hold refusals of the version before.
        self.all_settled &= version.is_empty() || version == self.planner.record.version;
        if self.planner.record.may("perm_site_admin") {
            self.note("the key is a site administrator's: a key with the role Sync user or User is enough");
        }
        self.quiet.destination = Some(self.planner.record.clone());
        Ok(())
    }

    /// Whether the MISP behind a new address, or for a key of another organisation, is not the one that
    /// the ledger knows.
    async fn is_stranger(&mut self) -> Result<bool, AgentError> {
        let heads = self.ledger.heads(&self.job.destination)?;
        let Some(call) = lost::question(heads.iter()) else { return Ok(false) };
        let now = self.world.clock.now();
        let (destination, tally) = (&mut self.planner.record, &mut self.record.tally);
        let reply = learn::ask(&*self.wire, &call, destination, now, tally).await;
        lost::is_stranger(&call, &reply).ok_or_else(|| {
            let why = "it does not say which of the events delivered before it holds".into();
            AgentError::Learn(LearnError::Unreachable { url: self.job.url.clone(), why })
        })
    }

    fn note(&mut self, note: &str) {
        self.world.observer.note(note);
        self.record.notes.push(note.to_owned());
    }

    fn count_unchanged(&mut self, Settled { feed, refusal }: &Settled) {
        self.events_done += 1;
        self.count_refusal(refusal.as_ref());
        if refusal.is_none() {
            self.record.tally.events_unchanged += 1;
        }
        add_attributes(&mut self.record.tally.attributes, &record::as_unchanged(&feed.attributes));
        add_mapping(&mut self.record.dataset.mapping, &feed.mapping);
        self.all_settled &= feed.settled;
    }

    /// Passes a plan on that needs MISP; carries out at once what does not.
    fn sort_out(&mut self, planned: Planned) -> Result<Option<Planned>, AgentError> {
        self.count_refusal(planned.plan.refusal.as_ref());
        if planned.plan.needs_misp() {
            return Ok(Some(planned));
        }
        let Planned { plan, mut feed } = planned;
        let gone = feed.gone;
        let changed = plan.changes_ledger();
        let tally = plan.tally;
        let waits = plan.lacks_a_tag();
        self.settle(&plan.event, &mut feed, &tally);
        // An incident without attributes may wait for its tag, too.
        feed.settled &= !waits;
        self.all_settled &= !waits;
        let before = plan.event.head.feeds.get(&self.job.feed) == Some(&feed);
        if changed || !before {
            let attributes: Vec<_> =
                plan.touched.iter().map(|key| plan.event.attributes[key].clone()).collect();
            let mut head = plan.event.head;
            head.feeds.insert(self.job.feed.clone(), feed);
            self.quiet_attributes += attributes.len() + 1;
            self.quiet.events.push(EventUpdate { head, attributes });
            self.quiet.changes.extend(plan.changes);
            if self.quiet_attributes >= QUIET_COMMIT_ATTRIBUTES {
                self.commit(Commit::default())?;
            }
        }
        if plan.refusal.is_none() && !gone {
            self.record.tally.events_unchanged += 1;
        }
        Ok(None)
    }

    fn count_refusal(&mut self, refusal: Option<&Refusal>) {
        let tally = &mut self.record.tally;
        match refusal {
            Some(Refusal::Withheld(_)) => tally.events_withheld += 1,
            Some(Refusal::Blocked(_) | Refusal::Declined | Refusal::NotCreated) => {
                tally.events_blocked += 1;
            }
            None => {}
        }
    }

    /// Completes what the feed's head says of an event, and adds it to the totals.
    fn settle(&mut self, event: &KnownEvent, feed: &mut FeedHead, tally: &AttributeTally) {
        debug_assert!(record::adds_up(tally), "{tally:?}");
        feed.attributes = *tally;
        feed.settled = settled(event, tally);
        self.all_settled &= feed.settled;
        self.events_done += 1;
        let totals = &mut self.record.tally;
        totals.events_held += u64::from(tally.held > 0);
        add_attributes(&mut totals.attributes, tally);
        if !feed.gone {
            add_mapping(&mut self.record.dataset.mapping, &feed.mapping);
        }
    }

    /// Writes what the session gave, together with what was gathered, before anything is sent.
    async fn absorb(&mut self, session: &mut Session) -> Result<(), AgentError> {
        let mut commit = Commit::default();
        let mut heads = BTreeMap::new();
        for Effects { head, attributes, changes } in session.take_effects() {
            self.refused |= changes.iter().any(|change| is_refusal(&change.kind));
            commit.changes.extend(changes);
            heads.insert(head.uuid, commit.events.len());
            commit.events.push(EventUpdate { head, attributes });
        }
        for report in session.take_reports() {
            let uuid = report.event.head.uuid;
            let Some(head) = self.close(report, session).await? else { continue };
            match heads.get(&uuid) {
                Some(place) => commit.events[*place].head = head,
                None => commit.events.push(EventUpdate { head, attributes: Vec::new() }),
            }
        }
        if commit.events.is_empty() && self.quiet.events.is_empty() {
            return Ok(());
        }
        Ok(self.commit(commit)?)
    }

    /// Takes a finished conversation in; gives the event's head as it is to be written.
    async fn close(
        &mut self,
        report: Report,
        session: &mut Session,
    ) -> Result<Option<crate::plan::EventHead>, AgentError> {
        let Report { event, verdict, tally, created, wrote, notes } = report;
        for note in notes {
            self.note(&note);
        }
        let uuid = event.head.uuid;
        match verdict {
            Verdict::Gone if !self.revived.contains(&uuid) => {
                return self.on_gone(event, session).await;
            }
            Verdict::Gone => self.note(&format!("event {uuid}: MISP took it and does not know it")),
            Verdict::GaveUp(why) => {
                self.note(&format!("event {uuid}: given up for this run: {why}"));
            }
            Verdict::Finished | Verdict::Fatal(..) => {}
        }
        let Some(mut feed) = self.feed_heads.remove(&uuid) else { return Ok(None) };
        let totals = &mut self.record.tally;
        match (created, wrote, &event.head.presence) {
            (true, _, _) => totals.events_created += 1,
            (_, true, _) => totals.events_updated += 1,
            (_, _, Presence::Blocked(_) | Presence::Declined) => totals.events_blocked += 1,
            _ => totals.events_unchanged += 1,
        }
        self.settle(&event, &mut feed, &tally);
        let mut head = event.head;
        head.feeds.insert(self.job.feed.clone(), feed);
        Ok(Some(head))
    }

    /// MISP does not know an event of ours: one question decides what that means.
    async fn on_gone(
        &mut self,
        event: KnownEvent,
        session: &mut Session,
    ) -> Result<Option<crate::plan::EventHead>, AgentError> {
        let uuid = event.head.uuid;
        let heads = self.ledger.heads(&self.job.destination)?;
        let finding = match lost::question(heads.iter()) {
            Some(call) => {
                let now = self.world.clock.now();
                let (destination, tally) = (&mut self.planner.record, &mut self.record.tally);
                let reply = learn::ask(&*self.wire, &call, destination, now, tally).await;
                lost::finding(&call, &reply)
            }
            None => Some(Finding::SameMisp),
        };
        match finding {
            Some(Finding::SameMisp) => {
                self.note(&format!(
                    "event {uuid} is not in MISP any more; it is sent again in full"
                ));
                self.lost.push(event);
            }
            Some(Finding::AnotherMisp) => {
                self.ending = Ending::AnotherMisp;
                session.stop(Stop::Interrupted);
            }
            None => self.note(&format!("event {uuid} is not in MISP, and MISP does not say why")),
        }
        Ok(None)
    }

    /// Plans a lost event anew, as if MISP had never had it.
    fn revive(&mut self, event: KnownEvent, input: &Input) -> Result<Option<Planned>, AgentError> {
        let uuid = event.head.uuid;
        self.revived.insert(uuid);
        let event = lost::forget(event);
        let commit = Commit {
            events: vec![EventUpdate {
                head: event.head.clone(),
                attributes: event.attributes.into_values().collect(),
            }],
            ..Commit::default()
        };
        self.commit(commit)?;
        let incident =
            input.graph.incidents().find(|incident| crate::misp::event_uuid(incident.root) == uuid);
        let Some(incident) = incident else { return Ok(None) };
        match self.planner.incident_anew(&incident, self.ledger)? {
            Call::Plan(planned) => self.sort_out(*planned),
            Call::Nothing(_) => Ok(None),
        }
    }

    fn note_stop(&mut self, session: &Session) {
        self.planner.record.chunk_max = u32::try_from(session.chunk_max()).unwrap_or(u32::MAX);
        let ending = match session.stopped() {
            None => return,
            Some(_) if self.ending == Ending::AnotherMisp => return,
            Some(Stop::Key(words)) => Ending::KeyRefused(words.clone()),
            Some(Stop::Network(why)) => Ending::Network(why.clone()),
            Some(Stop::Interrupted) => Ending::Interrupted,
        };
        self.ending = ending;
    }

    fn tell_progress(&self, phase: Phase) {
        let tally = &self.record.tally;
        self.world.observer.progress(Progress {
            phase,
            events_done: self.events_done,
            events: self.seen.len() as u64,
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

    /// Publishes the run: cursor, record, aliases and rules in one step.
    fn finish(mut self, input: &Input) -> Result<Summary, AgentError> {
        self.tell_progress(Phase::Finishing);
        let dataset = &mut self.record.dataset;
        dataset.incidents = input.graph.incidents().count() as u64;
        dataset.entities = input.graph.entity_count() as u64;
        dataset.skipped = input.skipped as u64;
        add_mapping(&mut dataset.mapping, &input.unlinked());
        self.ending = self.ending_of(input);
        self.record.outcome = self.ending.outcome();
        self.record.ended = Some(self.world.clock.now());
        let whole = matches!(self.ending, Ending::Done | Ending::AllWithheld | Ending::Partial);
        let complete = whole && input.skipped == 0 && self.record.tally.attributes.pending == 0;
        let cursor = Cursor {
            source: complete.then_some(input.digest),
            rules: self.job.rules.fingerprint(),
            policy: self.planner.policy(),
            settled: complete && self.all_settled,
            dataset: self.record.dataset.clone(),
            attributes: self.record.tally.attributes,
            events: self.record.dataset.incidents,
            run: self.record.number,
        };
        let fingerprint: Digest = self.job.rules.fingerprint();
        let commit = Commit {
            cursor: Some((self.job.feed.clone(), cursor)),
            aliases: input.graph.learned_aliases().clone(),
            rules: Some((fingerprint, self.job.rules.to_toml())),
            // What was learned of a stranger must not be taken for knowledge of our own.
            destination: (self.ending != Ending::AnotherMisp).then(|| self.planner.record.clone()),
            ..Commit::default()
        };
        self.commit(commit)?;
        Ok(Summary { run: self.record, ending: self.ending })
    }

    fn ending_of(&self, input: &Input) -> Ending {
        let tally = &self.record.tally;
        let attributes = &tally.attributes;
        if self.ending != Ending::Done {
            return self.ending.clone();
        }
        let incidents = self.record.dataset.incidents;
        if self.refused || attributes.pending > 0 || input.skipped > 0 {
            Ending::Partial
        } else if incidents > 0 && tally.events_withheld == incidents {
            Ending::AllWithheld
        } else {
            Ending::Done
        }
    }
}

/// Whether a change is MISP's no to something that was tried.
fn is_refusal(kind: &ChangeKind) -> bool {
    matches!(kind, ChangeKind::Rejected(_) | ChangeKind::Blocked(_) | ChangeKind::PublishRefused(_))
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

/// Whether what the dataset does not hold has left it. A dataset of which part was damaged, or that is
/// suddenly empty, retires nothing.
pub(super) fn retire(job: &Job, input: &Input, known_events: usize) -> Retire {
    let empty = input.graph.incidents().next().is_none();
    let suspicious = empty && known_events > 0 && !job.allow_empty;
    match job.strategy {
        Strategy::Replace if input.skipped == 0 && !suspicious => Retire::Yes,
        Strategy::Replace | Strategy::Append => Retire::No,
    }
}

fn why_nothing_retires(input: &Input) -> &'static str {
    if input.skipped > 0 {
        "objects of the dataset were skipped: nothing is retired in this run"
    } else {
        "the dataset holds no incident, the last one did: nothing is retired (`--allow-empty` overrides)"
    }
}
