//! Runs as records.

use crate::{
    history::{DatasetTally, DestinationTally, Outcome, RunRecord},
    model::{Context, Digest, Encoder, RunNumber, Timestamp},
    plan::{AttributeTally, MappingTally},
};

use super::Job;

/// The record of a run that begins now. Its id is a digest of what is fixed from the beginning.
pub(super) fn begin(
    job: &Job,
    number: RunNumber,
    begun: Timestamp,
    source: String,
    source_digest: Option<Digest>,
) -> RunRecord {
    let id = Encoder::new(Context::Record)
        .u64(number.0)
        .i64(begun.micros())
        .text(job.feed.as_str())
        .text(job.destination.as_str())
        .option(source_digest, |encoder, digest| {
            encoder.digest(&digest);
        })
        .finish();
    RunRecord {
        number,
        id,
        feed: job.feed.clone(),
        destination: job.destination.clone(),
        begun,
        ended: None,
        source,
        source_digest,
        rules: job.rules.fingerprint(),
        outcome: Outcome::Unfinished,
        tally: DestinationTally::default(),
        dataset: DatasetTally::default(),
        notes: Vec::new(),
    }
}

/// What to say of a clock that stands before the begin of the run before. Nothing but the history is told by
/// it: runs are counted, and attributes carry MISP's time.
pub(super) fn clock_note(before: Option<&RunRecord>, now: Timestamp) -> Option<String> {
    let before = before.filter(|before| now < before.begun)?;
    Some(format!(
        "the clock of this machine went back: run {} began at {}, and now it is {now}; set it right",
        before.number, before.begun
    ))
}

/// Adds the accounts of one event's mapping.
pub(super) fn add_mapping(total: &mut MappingTally, one: &MappingTally) {
    total.occurrences += one.occurrences;
    total.mapped += one.mapped;
    total.merged += one.merged;
    for (reason, count) in &one.lost {
        *total.lost.entry(reason.clone()).or_default() += count;
    }
}

/// Adds one event's attributes by result.
pub(super) fn add_attributes(total: &mut AttributeTally, one: &AttributeTally) {
    total.planned += one.planned;
    total.sent += one.sent;
    total.adopted += one.adopted;
    total.declined += one.declined;
    total.rejected += one.rejected;
    total.withheld += one.withheld;
    total.held += one.held;
    total.blocked += one.blocked;
    total.pending += one.pending;
    total.unchanged += one.unchanged;
    total.superseded += one.superseded;
    total.retired += one.retired;
    total.drifted += one.drifted;
    total.exposed += one.exposed;
}

/// Takes the accounts of one event's mapping out again.
pub(super) fn take_mapping(total: &mut MappingTally, one: &MappingTally) {
    total.occurrences -= one.occurrences;
    total.mapped -= one.mapped;
    total.merged -= one.merged;
    for (reason, count) in &one.lost {
        if let Some(lost) = total.lost.get_mut(reason) {
            *lost -= count;
        }
    }
    total.lost.retain(|_, count| *count > 0);
}

/// Takes one event's attributes out again.
pub(super) fn take_attributes(total: &mut AttributeTally, one: &AttributeTally) {
    total.planned -= one.planned;
    total.sent -= one.sent;
    total.adopted -= one.adopted;
    total.declined -= one.declined;
    total.rejected -= one.rejected;
    total.withheld -= one.withheld;
    total.held -= one.held;
    total.blocked -= one.blocked;
    total.pending -= one.pending;
    total.unchanged -= one.unchanged;
    total.superseded -= one.superseded;
    total.retired -= one.retired;
    total.drifted -= one.drifted;
    total.exposed -= one.exposed;
}

/// The attributes of an event that nothing was done about: what was sent then is unchanged now.
pub(super) fn as_unchanged(last: &AttributeTally) -> AttributeTally {
    AttributeTally {
        sent: 0,
        adopted: 0,
        unchanged: last.unchanged + last.sent + last.adopted,
        superseded: 0,
        retired: 0,
        ..*last
    }
}

/// A whole run of which nothing changed since.
pub(super) fn tally_as_unchanged(last: &DestinationTally) -> DestinationTally {
    DestinationTally {
        events_unchanged: last.events_unchanged + last.events_created + last.events_updated,
        events_held: last.events_held,
        events_blocked: last.events_blocked,
        events_withheld: last.events_withheld,
        attributes: as_unchanged(&last.attributes),
        ..DestinationTally::default()
    }
}
