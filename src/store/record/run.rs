//! Runs, cursors, destinations and aliases.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    history::{
        Cursor, DatasetTally, DestinationTally, LedgerError, Outcome, Pull, PullOutcome, Repeated,
        RunRecord,
    },
    model::{
        DestinationName, Digest, EntityKey, EventUuid, FeedName, OrgUuid, RunNumber, Timestamp,
    },
    plan::{AttributeTally, DestinationRecord, EventTally, TagFact, tag_key},
    store::record::{
        AttributeTallyV1, EntityV1, MappingV1,
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

/// As it is written now; no release wrote it yet.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct RunV2<'a> {
    #[serde(borrow)]
    run: RunV1<'a>,
    /// How often, and when last.
    repeated: Option<(u64, i64)>,
    #[serde(borrow)]
    pull: Option<PullV2<'a>>,
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

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct CursorV1 {
    source: Option<[u8; 32]>,
    rules: [u8; 32],
    policy: [u8; 32],
    settled: bool,
    run: u64,
}

/// As 0.1.0 wrote it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct DestinationV1<'a> {
    name: &'a str,
    url: &'a str,
    version: &'a str,
    encodings: Vec<&'a str>,
    org: Option<[u8; 16]>,
    permissions: Vec<&'a str>,
    tags: Vec<(&'a str, bool)>,
    clock_offset_seconds: i64,
    chunk_max: u32,
    asked: Option<i64>,
    verified: Option<i64>,
    verified_up_to: Option<[u8; 16]>,
    feeds: Vec<&'a str>,
}

/// As it is written now; no release wrote it yet, so what else is learned may still be added.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct DestinationV2<'a> {
    /// The key may hold only its digest.
    name: &'a str,
    url: &'a str,
    version: &'a str,
    encodings: Vec<&'a str>,
    org: Option<[u8; 16]>,
    permissions: Vec<&'a str>,
    tags: Vec<(&'a str, TagFactV2<'a>)>,
    clock_offset_seconds: i64,
    chunk_max: u32,
    asked: Option<i64>,
    verified: Option<i64>,
    verified_up_to: Option<[u8; 16]>,
    feeds: Vec<&'a str>,
    heard: Option<i64>,
    org_id: Option<u64>,
    user: Option<u64>,
    proven_tags: Vec<&'a str>,
    reorders: Option<&'a str>,
    first_org: Option<[u8; 16]>,
    too_large: Option<(u32, i64)>,
    key_mark: Option<u64>,
}

/// How a tag stands at a MISP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum TagFactV2<'a> {
    Usable(&'a str),
    Missing,
    OfAnotherOrg,
    OfAnotherUser,
    LocalOnly,
    NotExportable,
    Refused(&'a str),
    LeftOut,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct AliasesV1<'a> {
    /// Each alias and the root it stands for, sorted.
    #[serde(borrow)]
    pairs: Vec<(EntityV1<'a>, EntityV1<'a>)>,
}

impl<'a> RunV2<'a> {
    /// The record that a body holds.
    pub(in super::super) fn read(body: &'a Body) -> Result<RunRecord, LedgerError> {
        let read = body.decode_either::<Self, RunV1<'a>>("the record of a run")?;
        let last = |(times, last)| Repeated { times, last: Timestamp::from_micros(last) };
        let pull = read.pull.as_ref().map(PullV2::pull);
        Ok(RunRecord { repeated: read.repeated.map(last), pull, ..read.run.record() })
    }

    pub(in super::super) fn of(record: &'a RunRecord) -> Self {
        let repeated = record.repeated.map(|repeated| (repeated.times, repeated.last.micros()));
        Self { run: RunV1::of(record), repeated, pull: record.pull.as_ref().map(PullV2::of) }
    }
}

impl<'a> From<RunV1<'a>> for RunV2<'a> {
    fn from(run: RunV1<'a>) -> Self {
        Self { run, repeated: None, pull: None }
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

impl CursorV1 {
    pub(in super::super) fn of(cursor: &Cursor) -> Self {
        Self {
            source: cursor.source.map(|digest| *digest.as_bytes()),
            rules: *cursor.rules.as_bytes(),
            policy: *cursor.policy.as_bytes(),
            settled: cursor.settled,
            run: cursor.run.0,
        }
    }

    /// Takes the shortcut away; whether there was one.
    pub(in super::super) const fn unsettle(&mut self) -> bool {
        std::mem::replace(&mut self.settled, false)
    }

    pub(in super::super) fn cursor(&self) -> Cursor {
        Cursor {
            source: self.source.map(Digest::from_bytes),
            rules: Digest::from_bytes(self.rules),
            policy: Digest::from_bytes(self.policy),
            settled: self.settled,
            run: RunNumber(self.run),
        }
    }
}

impl Stored for RunV1<'_> {}

impl Stored for RunV2<'_> {
    const VERSION: u8 = 2;
}

impl Stored for CursorV1 {}

impl Stored for AliasesV1<'_> {}

impl Stored for DestinationV1<'_> {}

impl Stored for DestinationV2<'_> {
    const VERSION: u8 = 2;
}

impl<'a> From<DestinationV1<'a>> for DestinationV2<'a> {
    fn from(before: DestinationV1<'a>) -> Self {
        Self {
            name: before.name,
            url: before.url,
            version: before.version,
            encodings: before.encodings,
            org: before.org,
            permissions: before.permissions,
            tags: before.tags.into_iter().map(TagFactV2::of_flag).collect(),
            clock_offset_seconds: before.clock_offset_seconds,
            chunk_max: before.chunk_max,
            asked: before.asked,
            verified: before.verified,
            verified_up_to: before.verified_up_to,
            feeds: before.feeds,
            heard: None,
            org_id: None,
            user: None,
            proven_tags: Vec::new(),
            reorders: None,
            first_org: before.org,
            too_large: None,
            key_mark: None,
        }
    }
}

impl<'a> DestinationV2<'a> {
    /// The destination that a body holds.
    pub(in super::super) fn read(body: &'a Body) -> Result<Self, LedgerError> {
        body.decode_either::<Self, DestinationV1<'a>>("a destination")
    }

    pub(in super::super) fn of(name: &'a DestinationName, record: &'a DestinationRecord) -> Self {
        Self {
            name: name.as_str(),
            url: &record.url,
            version: &record.version,
            encodings: record.encodings.iter().map(String::as_str).collect(),
            org: record.org.map(|org| *org.uuid().as_bytes()),
            permissions: record.permissions.iter().map(String::as_str).collect(),
            tags: record.tags.iter().map(|(tag, fact)| (&**tag, TagFactV2::of(fact))).collect(),
            clock_offset_seconds: record.clock_offset_seconds,
            chunk_max: record.chunk_max,
            asked: record.asked.map(Timestamp::micros),
            verified: record.verified.map(Timestamp::micros),
            verified_up_to: record.verified_up_to.map(|event| *event.uuid().as_bytes()),
            feeds: record.feeds.iter().map(FeedName::as_str).collect(),
            heard: record.heard.map(Timestamp::micros),
            org_id: record.org_id,
            user: record.user,
            proven_tags: record.proven_tags.iter().map(|tag| &**tag).collect(),
            reorders: record.reorders.as_deref(),
            first_org: record.first_org.map(|org| *org.uuid().as_bytes()),
            too_large: record.too_large.map(|(size, since)| (size, since.micros())),
            key_mark: record.key_mark,
        }
    }

    pub(in super::super) fn name(&self) -> DestinationName {
        DestinationName::new(self.name)
    }

    pub(in super::super) fn record(&self) -> DestinationRecord {
        DestinationRecord {
            url: self.url.to_owned(),
            version: self.version.to_owned(),
            encodings: self.encodings.iter().map(|name| (*name).to_owned()).collect(),
            org: self.org.map(|bytes| OrgUuid::new(uuid::Uuid::from_bytes(bytes))),
            permissions: self.permissions.iter().map(|name| (*name).to_owned()).collect(),
            tags: self.tags.iter().map(|(tag, fact)| (tag_key(tag), fact.fact())).collect(),
            clock_offset_seconds: self.clock_offset_seconds,
            chunk_max: self.chunk_max,
            asked: self.asked.map(Timestamp::from_micros),
            verified: self.verified.map(Timestamp::from_micros),
            verified_up_to: self
                .verified_up_to
                .map(|bytes| EventUuid::new(uuid::Uuid::from_bytes(bytes))),
            feeds: self.feeds.iter().map(|name| FeedName::new(name)).collect(),
            heard: self.heard.map(Timestamp::from_micros),
            org_id: self.org_id,
            user: self.user,
            proven_tags: self.proven_tags.iter().map(|tag| tag_key(tag)).collect(),
            reorders: self.reorders.map(str::to_owned),
            first_org: self.first_org.map(|bytes| OrgUuid::new(uuid::Uuid::from_bytes(bytes))),
            too_large: self.too_large.map(|(size, since)| (size, Timestamp::from_micros(since))),
            key_mark: self.key_mark,
        }
    }
}

impl<'a> TagFactV2<'a> {
    /// 0.1.0 knew only whether a tag was there; whose it is, the next question tells.
    const fn of_flag((tag, there): (&'a str, bool)) -> (&'a str, Self) {
        (tag, if there { Self::Usable(tag) } else { Self::Missing })
    }

    fn of(fact: &'a TagFact) -> Self {
        match fact {
            TagFact::Usable(spelling) => Self::Usable(spelling),
            TagFact::Missing => Self::Missing,
            TagFact::OfAnotherOrg => Self::OfAnotherOrg,
            TagFact::OfAnotherUser => Self::OfAnotherUser,
            TagFact::LocalOnly => Self::LocalOnly,
            TagFact::NotExportable => Self::NotExportable,
            TagFact::Refused(words) => Self::Refused(words),
            TagFact::LeftOut => Self::LeftOut,
        }
    }

    fn fact(self) -> TagFact {
        match self {
            Self::Usable(spelling) => TagFact::Usable(spelling.into()),
            Self::Missing => TagFact::Missing,
            Self::OfAnotherOrg => TagFact::OfAnotherOrg,
            Self::OfAnotherUser => TagFact::OfAnotherUser,
            Self::LocalOnly => TagFact::LocalOnly,
            Self::NotExportable => TagFact::NotExportable,
            Self::Refused(words) => TagFact::Refused(words.into()),
            Self::LeftOut => TagFact::LeftOut,
        }
    }
}

impl<'a> AliasesV1<'a> {
    pub(in super::super) fn of(aliases: &'a BTreeMap<EntityKey, EntityKey>) -> Self {
        let pairs = aliases.iter().map(|(a, root)| (EntityV1::of(a), EntityV1::of(root)));
        Self { pairs: pairs.collect() }
    }

    /// Each alias, and the root it stands for.
    pub(in super::super) fn pairs(&self) -> impl Iterator<Item = (EntityKey, EntityKey)> {
        self.pairs.iter().map(|(alias, root)| (alias.key(), root.key()))
    }
}
