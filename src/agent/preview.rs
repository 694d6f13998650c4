//! What a run would do, without a single request.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    delivery::{self, Estimate},
    graph::Aliases,
    history::Ledger,
    model::{Digest, EventUuid, Reader, RunNumber, Timestamp},
    plan::{
        AttributeTally, DestinationRecord, EventHead, EventPlan, MappingTally, Refusal,
        digest_of_plans,
    },
    remote::{CompressionChoice, Scales},
};

use super::{
    AgentError, Clock, Dataset, Input, Job, lost,
    planner::{Call, Planner, Readers, Retirement, note_of},
    record::as_unchanged,
    rehearsal::{Opening, asking_what_is_there, preface, rehearse},
    run::{Publications, feed_place, in_turn, is_due, is_heard, is_known},
    which::is_at_new_url,
};

/// What a run would do.
#[derive(Debug)]
pub struct Preview {
    /// Plans of the events that something would be done about, sorted by incident; those that need no
    /// request included.
    pub plans: Vec<EventPlan>,
    /// Those of them whose incident left the dataset: they are counted nowhere.
    pub gone: BTreeSet<EventUuid>,
    /// Incidents that are in MISP, and of which nothing changed.
    pub unchanged: u64,
    /// Incidents that policy withholds as before.
    pub withheld: u64,
    /// Incidents that are blocked as before.
    pub blocked: u64,
    /// Attributes by result; those that would be sent count as pending.
    pub attributes: AttributeTally,
    /// Accounts of the mapping, those of no incident included.
    pub mapping: MappingTally,
    /// Incidents of the dataset.
    pub incidents: u64,
    /// Entities of the dataset.
    pub entities: u64,
    /// Objects that were skipped.
    pub skipped: u64,
    /// Requests and bytes of all plans.
    pub cost: Estimate,
    /// What a person should know.
    pub notes: Vec<String>,
    /// What `apply` compares before it does anything.
    pub saved: SavedPlan,
}

/// A plan in a file: enough to carry it out, and to refuse if anything moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// `misp-trickle/plan-file/1`.
    pub schema: String,
    /// The feed.
    pub feed: String,
    /// The destination.
    pub destination: String,
    /// Digest of the source's bytes.
    pub source: String,
    /// Fingerprint of the mapping rules.
    pub rules: String,
    /// Fingerprint of policy and event settings.
    pub policy: String,
    /// Digest of all that it would do, with what it rests on: runs that have nothing to do with it change it not.
    pub plan: String,
    /// Nothing would be done.
    pub empty: bool,
}

/// Schema of a saved plan.
pub const PLAN_SCHEMA: &str = "misp-trickle/plan-file/1";

/// Computes what [`sync`](super::sync) would do now.
///
/// # Errors
/// If the source or the ledger cannot be read.
pub fn preview<L: Ledger>(job: &Job, ledger: &L, clock: &dyn Clock) -> Result<Preview, AgentError> {
    preview_packed(job, &Dataset::default(), ledger, clock, CompressionChoice::Auto)
}

/// The same of a dataset that was kept, where request bodies are packed as a configuration says.
///
/// # Errors
/// If the source or the ledger cannot be read.
pub fn preview_packed<L: Ledger>(
    job: &Job,
    dataset: &Dataset,
    ledger: &L,
    clock: &dyn Clock,
    compression: CompressionChoice,
) -> Result<Preview, AgentError> {
    let heads = ledger.heads(&job.destination)?;
    let readers = Readers::of(job, &heads, ledger.cursor(&job.feed, &job.destination)?.as_ref());
    let input = dataset.read(job, &Aliases(ledger.aliases()?), readers.older)?;
    preview_with(job, ledger, clock, &input, heads, compression)
}

/// The readers whose datasets have to be made again for a run: what an input is to be read for.
///
/// # Errors
/// If the ledger cannot be read.
pub fn readers_for<L: Ledger>(job: &Job, ledger: &L) -> Result<BTreeSet<Reader>, AgentError> {
    let cursor = ledger.cursor(&job.feed, &job.destination)?;
    Ok(Readers::of(job, &ledger.heads(&job.destination)?, cursor.as_ref()).older)
}

/// The same of a source that was read already, with the ledger's aliases and for the readers that
/// [`readers_for`] names.
///
/// # Errors
/// If the ledger cannot be read.
pub fn preview_of<L: Ledger>(
    job: &Job,
    ledger: &L,
    clock: &dyn Clock,
    input: &Input,
) -> Result<Preview, AgentError> {
    preview_with(
        job,
        ledger,
        clock,
        input,
        ledger.heads(&job.destination)?,
        CompressionChoice::Auto,
    )
}

fn preview_with<L: Ledger>(
    job: &Job,
    ledger: &L,
    clock: &dyn Clock,
    input: &Input,
    heads: Vec<EventHead>,
    compression: CompressionChoice,
) -> Result<Preview, AgentError> {
    let mut destination = ledger.destination(&job.destination)?.unwrap_or_default();
    let feed = feed_place(job, &mut destination)?;
    let next = ledger.last_run()?.next();
    let mut notes = input.notes();
    if destination.asked.is_none() {
        notes.push(
            "MISP was never asked for its version and the key's rights; `doctor` does".into(),
        );
    }
    let is_at_new_url = is_at_new_url(&destination, &job.url);
    if is_at_new_url {
        notes.push(url_note(job, &destination));
    }
    let mut planner = Planner::new(job, heads, destination, feed, next, clock.now());
    let known = planner.known_events();
    planner.look_at(input);
    planner.retirement = Retirement::decide(job, input, &planner, known)?;
    let waits = planner.retirement.why_not().filter(|why| why.waits());
    notes.extend(waits.map(|why| why.to_string()));
    let mut preview = Preview {
        plans: Vec::new(),
        gone: BTreeSet::new(),
        unchanged: 0,
        withheld: 0,
        blocked: 0,
        attributes: AttributeTally::default(),
        mapping: input.unlinked(),
        incidents: 0,
        entities: input.graph.entity_count() as u64,
        skipped: input.skipped as u64,
        cost: Estimate::default(),
        notes,
        saved: saved(job, &input.digest),
    };
    let (mut seen, mut held_back) = (BTreeSet::new(), 0);
    for incident in input.graph.incidents() {
        preview.incidents += 1;
        seen.insert(planner.event_of(incident.root));
        match planner.incident(&incident, ledger)? {
            Call::Nothing(settled) => {
                preview.count_unchanged(settled.refusal.as_ref(), false);
                preview.attributes += as_unchanged(&settled.feed.attributes);
                preview.mapping += &settled.feed.mapping;
            }
            Call::Plan(planned) => {
                preview.mapping += &planned.feed.mapping;
                held_back += u64::from(planner.holds_back(&planned.feed, &planned.plan.tally));
                preview.add(planned.plan);
            }
        }
    }
    for uuid in planner.leftovers(&seen) {
        if let Some(planned) = planner.leftover(uuid, ledger)? {
            preview.gone.extend(planned.feed.gone.then_some(uuid));
            preview.add(planned.plan);
        }
    }
    preview.notes.extend(note_of(held_back));
    let told = destination_told(&planner.record);
    let encoding = compression.knowing(told).first();
    let scales = Scales::new(&job.url, encoding, !job.settings.disable_correlation);
    let moment = (next, clock.now());
    if preview.plans.iter().any(EventPlan::needs_misp) {
        let opening = opening(job, &planner, ledger, moment)?;
        preview.cost = cost(job, &planner.record, &preview.plans, opening, &scales);
    } else if is_at_new_url {
        let hears = !is_heard(&planner.record, moment.1);
        preview.cost = preface(planner.record.tags.len(), true, hears, &|call| scales.weigh(call));
    }
    if let (true, Some(call)) = (is_at_new_url, lost::question(planner.heads(), usize::MAX)) {
        let asked = asking_what_is_there(&call, &|call| scales.weigh(call));
        preview.cost.add(asked.requests, asked.bytes_sent, asked.bytes_received);
    }
    preview.saved.plan = digest_of_plans(preview.plans.iter()).to_string();
    preview.saved.empty =
        preview.plans.iter().all(|plan| !plan.needs_misp() && !plan.changes_ledger());
    Ok(preview)
}

/// That nobody knows yet which MISP is behind an address.
fn url_note(job: &Job, known: &DestinationRecord) -> String {
    format!(
        "destination {}: {} was not asked yet: a run asks first whether it is the MISP that was sent to at {}",
        job.destination, job.url, known.url
    )
}

/// Encodings that MISP told, if it was asked.
fn destination_told(record: &DestinationRecord) -> Option<Vec<String>> {
    record.asked.is_some().then(|| record.encodings.clone())
}

/// What a run would begin with.
fn opening<L: Ledger>(
    job: &Job,
    planner: &Planner<'_>,
    ledger: &L,
    moment: (RunNumber, Timestamp),
) -> Result<Opening, AgentError> {
    let due = match is_due(job, &planner.record, moment.1) {
        true => in_turn(job, planner, ledger, |_| true, None)?,
        false => Vec::new(),
    };
    let publications = Publications::of(planner.heads(), job.settings.publish);
    let publishing = publications.open(!due.is_empty()).into_iter().collect();
    Ok(Opening { moment, due, publishing, knows_nothing: planner.knows_nothing() })
}

/// What a run asks first, and then what carrying out the plans costs.
fn cost(
    job: &Job,
    record: &DestinationRecord,
    plans: &[EventPlan],
    opening: Opening,
    scales: &Scales,
) -> Estimate {
    let weigh = |call: &delivery::Call| scales.weigh(call);
    let learns = !is_known(job, record, None);
    let mut cost = preface(record.tags.len(), learns, !is_heard(record, opening.moment.1), &weigh);
    let rest = rehearse(job, record, plans, opening, &weigh);
    cost.add(rest.requests, rest.bytes_sent, rest.bytes_received);
    cost
}

impl Preview {
    fn add(&mut self, plan: EventPlan) {
        self.attributes += plan.tally;
        if plan.needs_misp() || plan.changes_ledger() {
            self.plans.push(plan);
        } else {
            self.count_unchanged(plan.refusal.as_ref(), self.gone.contains(&plan.event.head.uuid));
        }
    }

    /// One more incident of which nothing changed, its refusal included.
    fn count_unchanged(&mut self, refusal: Option<&Refusal>, is_gone: bool) {
        match refusal {
            Some(Refusal::Withheld(_)) => self.withheld += 1,
            Some(Refusal::Declined | Refusal::Blocked(_)) => self.blocked += 1,
            None => self.unchanged += u64::from(!is_gone),
        }
    }
}

fn saved(job: &Job, source: &Digest) -> SavedPlan {
    SavedPlan {
        schema: PLAN_SCHEMA.to_owned(),
        feed: job.feed.to_string(),
        destination: job.destination.to_string(),
        source: source.to_string(),
        rules: job.rules.fingerprint().to_string(),
        policy: job.policy_fingerprint().to_string(),
        plan: String::new(),
        empty: false,
    }
}
