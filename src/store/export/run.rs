//! A run as a line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    history::{DatasetTally, DestinationTally, Outcome, RunRecord},
    model::{DestinationName, FeedName, RunNumber, limits::NOTES_KEPT_MAX, shortened},
    plan::{AttributeTally, MappingTally},
};

use super::{
    line::{Wrong, digest_of, time_of},
    sound,
};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunLine {
    number: u64,
    id: String,
    feed: String,
    destination: String,
    begun: String,
    ended: Option<String>,
    source: String,
    source_digest: Option<String>,
    rules: String,
    outcome: OutcomeLine,
    requests: u64,
    bytes_sent: u64,
    bytes_received: u64,
    events: EventTallyLine,
    attributes: AttributeTallyLine,
    dataset: DatasetLine,
    notes: Vec<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeLine {
    Unfinished,
    Done,
    Partial,
    Failed,
    Interrupted,
}

#[derive(Debug, Serialize, Deserialize)]
struct EventTallyLine {
    created: u64,
    updated: u64,
    unchanged: u64,
    held: u64,
    blocked: u64,
    withheld: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct DatasetLine {
    incidents: u64,
    entities: u64,
    skipped: u64,
    mapping: MappingLine,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MappingLine {
    occurrences: u64,
    mapped: u64,
    merged: u64,
    lost: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AttributeTallyLine {
    planned: u64,
    sent: u64,
    adopted: u64,
    declined: u64,
    rejected: u64,
    withheld: u64,
    held: u64,
    blocked: u64,
    pending: u64,
    unchanged: u64,
    superseded: u64,
    retired: u64,
    drifted: u64,
    exposed: u64,
}

impl RunLine {
    pub(super) fn of(run: RunRecord) -> Self {
        let DatasetTally { incidents, entities, skipped, mapping } = run.dataset;
        Self {
            number: run.number.0,
            id: run.id.to_string(),
            feed: run.feed.as_str().to_owned(),
            destination: run.destination.as_str().to_owned(),
            begun: run.begun.to_string(),
            ended: run.ended.map(|time| time.to_string()),
            source: run.source,
            source_digest: run.source_digest.map(|digest| digest.to_string()),
            rules: run.rules.to_string(),
            outcome: match run.outcome {
                Outcome::Unfinished => OutcomeLine::Unfinished,
                Outcome::Done => OutcomeLine::Done,
                Outcome::Partial => OutcomeLine::Partial,
                Outcome::Failed => OutcomeLine::Failed,
                Outcome::Interrupted => OutcomeLine::Interrupted,
            },
            requests: run.tally.requests,
            bytes_sent: run.tally.bytes_sent,
            bytes_received: run.tally.bytes_received,
            events: EventTallyLine {
                created: run.tally.events_created,
                updated: run.tally.events_updated,
                unchanged: run.tally.events_unchanged,
                held: run.tally.events_held,
                blocked: run.tally.events_blocked,
                withheld: run.tally.events_withheld,
            },
            attributes: AttributeTallyLine::of(&run.tally.attributes),
            dataset: DatasetLine {
                incidents,
                entities,
                skipped,
                mapping: MappingLine::of(mapping),
            },
            notes: run.notes,
        }
    }

    pub(super) fn record(self) -> Result<RunRecord, Wrong> {
        let record = RunRecord {
            number: RunNumber(self.number),
            id: digest_of(&self.id)?,
            feed: FeedName::new(&self.feed),
            destination: DestinationName::new(&self.destination),
            begun: time_of(&self.begun)?,
            ended: self.ended.as_deref().map(time_of).transpose()?,
            source: self.source,
            source_digest: self.source_digest.as_deref().map(digest_of).transpose()?,
            rules: digest_of(&self.rules)?,
            outcome: match self.outcome {
                OutcomeLine::Unfinished => Outcome::Unfinished,
                OutcomeLine::Done => Outcome::Done,
                OutcomeLine::Partial => Outcome::Partial,
                OutcomeLine::Failed => Outcome::Failed,
                OutcomeLine::Interrupted => Outcome::Interrupted,
            },
            tally: DestinationTally {
                requests: self.requests,
                bytes_sent: self.bytes_sent,
                bytes_received: self.bytes_received,
                events_created: self.events.created,
                events_updated: self.events.updated,
                events_unchanged: self.events.unchanged,
                events_held: self.events.held,
                events_blocked: self.events.blocked,
                events_withheld: self.events.withheld,
                attributes: self.attributes.tally(),
            },
            dataset: DatasetTally {
                incidents: self.dataset.incidents,
                entities: self.dataset.entities,
                skipped: self.dataset.skipped,
                mapping: self.dataset.mapping.tally(),
            },
            notes: kept_notes(self.notes),
        };
        sound::run(&record)?;
        Ok(record)
    }
}

impl MappingLine {
    pub(super) fn of(tally: MappingTally) -> Self {
        let MappingTally { occurrences, mapped, merged, lost } = tally;
        let lost = lost.into_iter().map(|(reason, count)| (reason.into(), count)).collect();
        Self { occurrences, mapped, merged, lost }
    }

    pub(super) fn tally(self) -> MappingTally {
        let Self { occurrences, mapped, merged, lost } = self;
        let lost = lost.into_iter().map(|(reason, count)| (reason.into(), count)).collect();
        MappingTally { occurrences, mapped, merged, lost }
    }
}

/// Two structs with the same fields, both ways.
macro_rules! same_fields {
    ($($field:ident),*) => {
        impl AttributeTallyLine {
            pub(super) const fn of(tally: &AttributeTally) -> Self {
                let AttributeTally { $($field),* } = *tally;
                Self { $($field),* }
            }

            pub(super) const fn tally(&self) -> AttributeTally {
                let Self { $($field),* } = *self;
                AttributeTally { $($field),* }
            }
        }
    };
}
same_fields!(
    planned, sent, adopted, declined, rejected, withheld, held, blocked, pending, unchanged,
    superseded, retired, drifted, exposed
);

/// As many notes as the program keeps, and the one that counts the others.
fn kept_notes(mut notes: Vec<String>) -> Vec<String> {
    notes.truncate(NOTES_KEPT_MAX + 1);
    notes.iter().map(|note| shortened(note).into_owned()).collect()
}
