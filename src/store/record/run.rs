//! Runs.

use serde::{Deserialize, Serialize};

use crate::{
    history::{
        DatasetTally, DestinationTally, LedgerError, Outcome, Pull, PullOutcome, Repeated,
        RunRecord,
    },
    model::{DestinationName, Digest, FeedName, RunNumber, Timestamp},
    plan::{AttributeTally, EventTally},
    store::record::{
        AttributeTallyV1, MappingV1,
        envelope::{Body, Stored},
    },
};

/// As 0.1.0 wrote it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RunV1<'a> {
    number: u64,
    id: [u8; 32],
    feed: &'a str,
    destination: &'a str,
    begun: i64,
    ended: Option<i64>,
    source: &'a str,
    source_digest: Option<[u8; 32]>,
    rules: [u8; 32],
    outcome: OutcomeV1,
    tally: DestinationTallyV1,
    #[serde(borrow)]
    dataset: DatasetV1<'a>,
    notes: Vec<&'a str>,
}

/// As builds after 0.1.0 wrote it before pulls had notes; no release did.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RunV2<'a> {
    #[serde(borrow)]
    run: RunV1<'a>,
    /// How often, and when last.
    repeated: Option<(u64, i64)>,
    #[serde(borrow)]
    pull: Option<PullV2<'a>>,
}

/// As it is written now; no release wrote it yet.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct RunV3<'a> {
    #[serde(borrow)]
    run: RunV1<'a>,
    /// How often, and when last.
    repeated: Option<(u64, i64)>,
    #[serde(borrow)]
    pull: Option<PullV3<'a>>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PullV2<'a> {
    begun: i64,
    outcome: PullOutcomeV2,
    error: Option<&'a str>,
    requests: u64,
    bytes_received: u64,
    objects: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PullV3<'a> {
    #[serde(borrow)]
    pull: PullV2<'a>,
    notes: Vec<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum PullOutcomeV2 {
    Unchanged,
    Whole,
    Delta,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum OutcomeV1 {
    Unfinished,
    Done,
    Partial,
    Failed,
    Interrupted,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct DestinationTallyV1 {
    requests: u64,
    bytes_sent: u64,
    bytes_received: u64,
    events_created: u64,
    events_updated: u64,
    events_unchanged: u64,
    events_held: u64,
    events_blocked: u64,
    events_withheld: u64,
    attributes: AttributeTallyV1,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct DatasetV1<'a> {
    incidents: u64,
    entities: u64,
    skipped: u64,
    #[serde(borrow)]
    mapping: MappingV1<'a>,
}

impl<'a> RunV3<'a> {
    /// The record that a body holds.
    pub(in super::super) fn read(body: &'a Body) -> Result<RunRecord, LedgerError> {
        let what = "the record of a run";
        let read: Self = match body.version {
            Self::VERSION => body.decode(what)?,
            _ => body.decode_either::<RunV2<'a>, RunV1<'a>>(what)?.into(),
        };
        let last = |(times, last)| Repeated { times, last: Timestamp::from_micros(last) };
        let pull = read.pull.as_ref().map(PullV3::pull);
        Ok(RunRecord { repeated: read.repeated.map(last), pull, ..read.run.record() })
    }

    pub(in super::super) fn of(record: &'a RunRecord) -> Self {
        let repeated = record.repeated.map(|repeated| (repeated.times, repeated.last.micros()));
        Self { run: RunV1::of(record), repeated, pull: record.pull.as_ref().map(PullV3::of) }
    }
}

impl<'a> From<RunV2<'a>> for RunV3<'a> {
    fn from(RunV2 { run, repeated, pull }: RunV2<'a>) -> Self {
        Self { run, repeated, pull: pull.map(|pull| PullV3 { pull, notes: Vec::new() }) }
    }
}

impl<'a> From<RunV1<'a>> for RunV2<'a> {
    fn from(run: RunV1<'a>) -> Self {
        Self { run, repeated: None, pull: None }
    }
}

impl<'a> PullV3<'a> {
    fn of(pull: &'a Pull) -> Self {
        let notes = pull.notes.iter().map(String::as_str).collect();
        Self { pull: PullV2::of(pull), notes }
    }

    fn pull(&self) -> Pull {
        let notes = self.notes.iter().map(|note| (*note).to_owned()).collect();
        Pull { notes, ..self.pull.pull() }
    }
}

impl<'a> PullV2<'a> {
    fn of(pull: &'a Pull) -> Self {
        Self {
            begun: pull.begun.micros(),
            outcome: match pull.outcome {
                PullOutcome::Unchanged => PullOutcomeV2::Unchanged,
                PullOutcome::Whole => PullOutcomeV2::Whole,
                PullOutcome::Delta => PullOutcomeV2::Delta,
                PullOutcome::Failed => PullOutcomeV2::Failed,
            },
            error: pull.error.as_deref(),
            requests: pull.requests,
            bytes_received: pull.bytes_received,
            objects: pull.objects,
        }
    }

    fn pull(&self) -> Pull {
        Pull {
            begun: Timestamp::from_micros(self.begun),
            outcome: match self.outcome {
                PullOutcomeV2::Unchanged => PullOutcome::Unchanged,
                PullOutcomeV2::Whole => PullOutcome::Whole,
                PullOutcomeV2::Delta => PullOutcome::Delta,
                PullOutcomeV2::Failed => PullOutcome::Failed,
            },
            error: self.error.map(str::to_owned),
            requests: self.requests,
            bytes_received: self.bytes_received,
            objects: self.objects,
            notes: Vec::new(),
        }
    }
}

impl<'a> RunV1<'a> {
    fn of(run: &'a RunRecord) -> Self {
        Self {
            number: run.number.0,
            id: *run.id.as_bytes(),
            feed: run.feed.as_str(),
            destination: run.destination.as_str(),
            begun: run.begun.micros(),
            ended: run.ended.map(Timestamp::micros),
            source: &run.source,
            source_digest: run.source_digest.map(|digest| *digest.as_bytes()),
            rules: *run.rules.as_bytes(),
            outcome: match run.outcome {
                Outcome::Unfinished => OutcomeV1::Unfinished,
                Outcome::Done => OutcomeV1::Done,
                Outcome::Partial => OutcomeV1::Partial,
                Outcome::Failed => OutcomeV1::Failed,
                Outcome::Interrupted => OutcomeV1::Interrupted,
            },
            tally: DestinationTallyV1::of(&run.tally),
            dataset: DatasetV1::of(&run.dataset),
            notes: run.notes.iter().map(String::as_str).collect(),
        }
    }

    fn record(&self) -> RunRecord {
        RunRecord {
            number: RunNumber(self.number),
            id: Digest::from_bytes(self.id),
            feed: FeedName::new(self.feed),
            destination: DestinationName::new(self.destination),
            begun: Timestamp::from_micros(self.begun),
            ended: self.ended.map(Timestamp::from_micros),
            source: self.source.to_owned(),
            source_digest: self.source_digest.map(Digest::from_bytes),
            rules: Digest::from_bytes(self.rules),
            outcome: match self.outcome {
                OutcomeV1::Unfinished => Outcome::Unfinished,
                OutcomeV1::Done => Outcome::Done,
                OutcomeV1::Partial => Outcome::Partial,
                OutcomeV1::Failed => Outcome::Failed,
                OutcomeV1::Interrupted => Outcome::Interrupted,
            },
            tally: self.tally.tally(),
            dataset: self.dataset.tally(),
            notes: self.notes.iter().map(|note| (*note).to_owned()).collect(),
            repeated: None,
            pull: None,
        }
    }
}

impl DestinationTallyV1 {
    const fn of(tally: &DestinationTally) -> Self {
        Self {
            requests: tally.requests,
            bytes_sent: tally.bytes_sent,
            bytes_received: tally.bytes_received,
            events_created: tally.events.created,
            events_updated: tally.events.updated,
            events_unchanged: tally.events.unchanged,
            events_held: tally.events.held,
            events_blocked: tally.events.blocked,
            events_withheld: tally.events.withheld,
            attributes: tally.attributes.counts(),
        }
    }

    const fn tally(&self) -> DestinationTally {
        DestinationTally {
            requests: self.requests,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            events: EventTally {
                created: self.events_created,
                updated: self.events_updated,
                unchanged: self.events_unchanged,
                held: self.events_held,
                blocked: self.events_blocked,
                withheld: self.events_withheld,
            },
            attributes: AttributeTally::of_counts(self.attributes),
        }
    }
}

impl<'a> DatasetV1<'a> {
    fn of(tally: &'a DatasetTally) -> Self {
        let DatasetTally { incidents, entities, skipped, mapping } = tally;
        Self {
            incidents: *incidents,
            entities: *entities,
            skipped: *skipped,
            mapping: MappingV1::of(mapping),
        }
    }

    fn tally(&self) -> DatasetTally {
        DatasetTally {
            incidents: self.incidents,
            entities: self.entities,
            skipped: self.skipped,
            mapping: self.mapping.tally(),
        }
    }
}

impl Stored for RunV1<'_> {}

impl Stored for RunV2<'_> {
    const VERSION: u8 = 2;
}

impl Stored for RunV3<'_> {
    const VERSION: u8 = 3;
}
