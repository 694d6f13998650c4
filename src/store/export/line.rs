//! The lines of an export, those of events aside, and the way from and to the crate's own types.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    history::{Change, ChangeKind, Cursor, DatasetTally, DestinationTally, Outcome, RunRecord},
    model::{
        AttributeUuid, DestinationName, Digest, EntityKey, EventUuid, FeedName, OrgUuid, RunNumber,
        Timestamp, limits::NOTES_KEPT_MAX, shortened,
    },
    plan::{AttributeTally, DestinationRecord, MappingTally, TagFact, tag_key},
};

use super::{super::keys::Name, event::EventLine, sound};

/// What is wrong with a line, a lower-case fragment.
pub(super) type Wrong = String;

/// Any line but the first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Line {
    Destination(Box<DestinationLine>),
    Rules(RulesLine),
    Run(Box<RunLine>),
    Changes(ChangesLine),
    Alias(AliasLine),
    Event(Box<EventLine>),
    Cursor(CursorLine),
    End(EndLine),
}

/// A UUID, hyphenated and in lower case.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Id(pub(super) Uuid);

impl TryFrom<String> for Id {
    type Error = Wrong;

    fn try_from(text: String) -> Result<Self, Wrong> {
        Uuid::try_parse(&text).map(Self).map_err(|_| format!("{text:?} is no UUID"))
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0.as_hyphenated().to_string()
    }
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EndLine {
    pub(super) lines: u64,
    pub(super) blake3: String,
}

/// A name; a long one may be known by its digest only.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum NameLine {
    Text(String),
    Digest { digest: String },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DestinationLine {
    name: String,
    url: String,
    version: String,
    encodings: Vec<String>,
    organisation: Option<Id>,
    permissions: Vec<String>,
    /// Whether the key may use a tag.
    tags: BTreeMap<String, bool>,
    /// How each tag stands; not in exports of 0.1.0, nor the three that follow.
    #[serde(default)]
    tag_facts: Option<BTreeMap<String, TagFactLine>>,
    #[serde(default)]
    organisation_id: Option<u64>,
    #[serde(default)]
    user: Option<u64>,
    #[serde(default)]
    proven_tags: Vec<String>,
    clock_offset_seconds: i64,
    chunk_max: u32,
    asked: Option<String>,
    verified: Option<String>,
    verified_up_to: Option<Id>,
    feeds: Vec<String>,
    #[serde(default)]
    heard: Option<String>,
    #[serde(default)]
    reorders: Option<String>,
    #[serde(default)]
    first_organisation: Option<Id>,
    #[serde(default)]
    too_large: Option<(u32, String)>,
    #[serde(default)]
    key_mark: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TagFactLine {
    Usable(String),
    Missing,
    OfAnotherOrg,
    OfAnotherUser,
    LocalOnly,
    NotExportable,
    Refused(String),
    LeftOut,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RulesLine {
    pub(super) fingerprint: String,
    pub(super) table: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AliasLine {
    pub(super) alias: String,
    pub(super) root: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CursorLine {
    pub(super) feed: NameLine,
    pub(super) destination: NameLine,
    source: Option<String>,
    rules: String,
    policy: String,
    settled: bool,
    run: u64,
}

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

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChangesLine {
    pub(super) run: u64,
    pub(super) commit: u64,
    pub(super) part: u32,
    pub(super) changes: Vec<ChangeLine>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChangeLine {
    event: Id,
    attribute: Option<Id>,
    change: ChangeKindLine,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChangeKindLine {
    Sent,
    Adopted,
    Declined,
    Rejected(String),
    Withheld(String),
    Held,
    Blocked(String),
    Superseded(Id),
    Retired,
    Returned,
    Exposed(String),
    Drifted(String),
    Overruled,
    Updated(String),
    Tagged(String),
    Published,
    PublishRefused(String),
    ExposureEnded(String),
    TagRefused(String),
    Publishing,
    Unpublished(String),
}

impl NameLine {
    pub(super) fn of(name: Name) -> Self {
        match name {
            Name::Text(text) => Self::Text(text),
            Name::Digest(bytes) => Self::Digest { digest: Digest::from_bytes(bytes).to_string() },
        }
    }

    pub(super) fn name(&self) -> Result<Name, Wrong> {
        match self {
            Self::Text(text) => Ok(Name::Text(text.clone())),
            Self::Digest { digest } => Ok(Name::Digest(*digest_of(digest)?.as_bytes())),
        }
    }
}

impl TagFactLine {
    fn of(fact: TagFact) -> Self {
        match fact {
            TagFact::Usable(spelling) => Self::Usable(spelling.into()),
            TagFact::Missing => Self::Missing,
            TagFact::OfAnotherOrg => Self::OfAnotherOrg,
            TagFact::OfAnotherUser => Self::OfAnotherUser,
            TagFact::LocalOnly => Self::LocalOnly,
            TagFact::NotExportable => Self::NotExportable,
            TagFact::Refused(words) => Self::Refused(words.into()),
            TagFact::LeftOut => Self::LeftOut,
        }
    }

    fn of_flag(tag: &str, there: bool) -> Self {
        if there { Self::Usable(tag.to_owned()) } else { Self::Missing }
    }

    fn fact(self) -> TagFact {
        match self {
            Self::Usable(spelling) => TagFact::Usable(spelling.into()),
            Self::Missing => TagFact::Missing,
            Self::OfAnotherOrg => TagFact::OfAnotherOrg,
            Self::OfAnotherUser => TagFact::OfAnotherUser,
            Self::LocalOnly => TagFact::LocalOnly,
            Self::NotExportable => TagFact::NotExportable,
            Self::Refused(words) => TagFact::Refused(kept(&words)),
            Self::LeftOut => TagFact::LeftOut,
        }
    }
}

impl DestinationLine {
    pub(super) fn of(name: &DestinationName, record: &DestinationRecord) -> Self {
        let record = record.clone();
        Self {
            name: name.as_str().to_owned(),
            url: record.url,
            version: record.version,
            encodings: record.encodings,
            organisation: record.org.map(|org| Id(org.uuid())),
            permissions: record.permissions.into_iter().collect(),
            tags: record
                .tags
                .iter()
                .map(|(tag, fact)| (tag.to_string(), matches!(fact, TagFact::Usable(_))))
                .collect(),
            tag_facts: Some(
                record
                    .tags
                    .into_iter()
                    .map(|(tag, fact)| (tag.into(), TagFactLine::of(fact)))
                    .collect(),
            ),
            organisation_id: record.org_id,
            user: record.user,
            proven_tags: record.proven_tags.into_iter().map(Into::into).collect(),
            clock_offset_seconds: record.clock_offset_seconds,
            chunk_max: record.chunk_max,
            asked: record.asked.map(|time| time.to_string()),
            verified: record.verified.map(|time| time.to_string()),
            verified_up_to: record.verified_up_to.map(|event| Id(event.uuid())),
            feeds: record.feeds.iter().map(|feed| feed.as_str().to_owned()).collect(),
            heard: record.heard.map(|time| time.to_string()),
            reorders: record.reorders,
            first_organisation: record.first_org.map(|org| Id(org.uuid())),
            too_large: record.too_large.map(|(size, since)| (size, since.to_string())),
            key_mark: record.key_mark,
        }
    }

    pub(super) fn record(self) -> Result<(DestinationName, DestinationRecord), Wrong> {
        // An export of 0.1.0 names one organisation: its events are that one's.
        let earlier = self.tag_facts.is_none();
        let first_org = if earlier { self.organisation } else { self.first_organisation };
        let record = DestinationRecord {
            url: self.url,
            version: self.version,
            encodings: self.encodings,
            org: self.organisation.map(|id| OrgUuid::new(id.0)),
            permissions: self.permissions.into_iter().collect(),
            org_id: self.organisation_id,
            user: self.user,
            tags: match self.tag_facts {
                Some(facts) => {
                    facts.into_iter().map(|(tag, fact)| (tag_key(&tag), fact.fact())).collect()
                }
                None => self
                    .tags
                    .into_iter()
                    .map(|(tag, there)| (tag_key(&tag), TagFactLine::of_flag(&tag, there).fact()))
                    .collect(),
            },
            proven_tags: self.proven_tags.iter().map(|tag| tag_key(tag)).collect(),
            clock_offset_seconds: self.clock_offset_seconds,
            chunk_max: self.chunk_max,
            asked: self.asked.as_deref().map(time_of).transpose()?,
            verified: self.verified.as_deref().map(time_of).transpose()?,
            verified_up_to: self.verified_up_to.map(|id| EventUuid::new(id.0)),
            feeds: self.feeds.iter().map(|feed| FeedName::new(feed)).collect(),
            heard: self.heard.as_deref().map(time_of).transpose()?,
            reorders: self.reorders,
            first_org: first_org.map(|id| OrgUuid::new(id.0)),
            too_large: match self.too_large {
                Some((size, since)) => Some((size, time_of(&since)?)),
                None => None,
            },
            key_mark: self.key_mark,
        };
        sound::destination(&record)?;
        Ok((DestinationName::new(&self.name), record))
    }
}

impl RulesLine {
    pub(super) fn fingerprint(&self) -> Result<Digest, Wrong> {
        digest_of(&self.fingerprint)
    }
}

impl AliasLine {
    pub(super) fn of(alias: &EntityKey, root: &EntityKey) -> Self {
        Self { alias: alias.as_str().to_owned(), root: root.as_str().to_owned() }
    }
}

impl CursorLine {
    pub(super) fn of(feed: Name, destination: Name, cursor: &Cursor) -> Self {
        Self {
            feed: NameLine::of(feed),
            destination: NameLine::of(destination),
            source: cursor.source.map(|digest| digest.to_string()),
            rules: cursor.rules.to_string(),
            policy: cursor.policy.to_string(),
            settled: cursor.settled,
            run: cursor.run.0,
        }
    }

    pub(super) fn cursor(&self) -> Result<Cursor, Wrong> {
        Ok(Cursor {
            source: self.source.as_deref().map(digest_of).transpose()?,
            rules: digest_of(&self.rules)?,
            policy: digest_of(&self.policy)?,
            settled: self.settled,
            run: RunNumber(sound::number(self.run, "the number of a run")?),
        })
    }
}

impl ChangesLine {
    /// Of the run and of the commit.
    pub(super) fn numbers(&self) -> Result<(RunNumber, u64), Wrong> {
        Ok((sound::run_number(self.run)?, sound::number(self.commit, "the number of a commit")?))
    }
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

impl ChangeLine {
    pub(super) fn of(change: Change) -> Self {
        Self {
            event: Id(change.event.uuid()),
            attribute: change.attribute.map(|uuid| Id(uuid.uuid())),
            change: match change.kind {
                ChangeKind::Sent => ChangeKindLine::Sent,
                ChangeKind::Adopted => ChangeKindLine::Adopted,
                ChangeKind::Declined => ChangeKindLine::Declined,
                ChangeKind::Rejected(words) => ChangeKindLine::Rejected(words.into()),
                ChangeKind::Withheld(why) => ChangeKindLine::Withheld(why.into()),
                ChangeKind::Held => ChangeKindLine::Held,
                ChangeKind::Blocked(why) => ChangeKindLine::Blocked(why.into()),
                ChangeKind::Superseded(by) => ChangeKindLine::Superseded(Id(by.uuid())),
                ChangeKind::Retired => ChangeKindLine::Retired,
                ChangeKind::Returned => ChangeKindLine::Returned,
                ChangeKind::Exposed(what) => ChangeKindLine::Exposed(what.into()),
                ChangeKind::Drifted(what) => ChangeKindLine::Drifted(what.into()),
                ChangeKind::Overruled => ChangeKindLine::Overruled,
                ChangeKind::Updated(which) => ChangeKindLine::Updated(which.into()),
                ChangeKind::Tagged(tag) => ChangeKindLine::Tagged(tag.into()),
                ChangeKind::Published => ChangeKindLine::Published,
                ChangeKind::PublishRefused(words) => ChangeKindLine::PublishRefused(words.into()),
                ChangeKind::ExposureEnded(why) => ChangeKindLine::ExposureEnded(why.into()),
                ChangeKind::TagRefused(which) => ChangeKindLine::TagRefused(which.into()),
                ChangeKind::Publishing => ChangeKindLine::Publishing,
                ChangeKind::Unpublished(why) => ChangeKindLine::Unpublished(why.into()),
            },
        }
    }

    pub(super) fn change(self) -> Change {
        Change {
            event: EventUuid::new(self.event.0),
            attribute: self.attribute.map(|id| AttributeUuid::new(id.0)),
            kind: match self.change {
                ChangeKindLine::Sent => ChangeKind::Sent,
                ChangeKindLine::Adopted => ChangeKind::Adopted,
                ChangeKindLine::Declined => ChangeKind::Declined,
                ChangeKindLine::Rejected(words) => ChangeKind::Rejected(kept(&words)),
                ChangeKindLine::Withheld(why) => ChangeKind::Withheld(kept(&why)),
                ChangeKindLine::Held => ChangeKind::Held,
                ChangeKindLine::Blocked(why) => ChangeKind::Blocked(kept(&why)),
                ChangeKindLine::Superseded(by) => ChangeKind::Superseded(AttributeUuid::new(by.0)),
                ChangeKindLine::Retired => ChangeKind::Retired,
                ChangeKindLine::Returned => ChangeKind::Returned,
                ChangeKindLine::Exposed(what) => ChangeKind::Exposed(kept(&what)),
                ChangeKindLine::Drifted(what) => ChangeKind::Drifted(kept(&what)),
                ChangeKindLine::Overruled => ChangeKind::Overruled,
                ChangeKindLine::Updated(which) => ChangeKind::Updated(kept(&which)),
                ChangeKindLine::Tagged(tag) => ChangeKind::Tagged(kept(&tag)),
                ChangeKindLine::Published => ChangeKind::Published,
                ChangeKindLine::PublishRefused(words) => ChangeKind::PublishRefused(kept(&words)),
                ChangeKindLine::ExposureEnded(why) => ChangeKind::ExposureEnded(kept(&why)),
                ChangeKindLine::TagRefused(which) => ChangeKind::TagRefused(kept(&which)),
                ChangeKindLine::Publishing => ChangeKind::Publishing,
                ChangeKindLine::Unpublished(why) => ChangeKind::Unpublished(kept(&why)),
            },
        }
    }
}

/// What is kept of a text that somebody may have made longer.
pub(super) fn kept(text: &str) -> Box<str> {
    shortened(text).into()
}

/// As many notes as the program keeps, and the one that counts the others.
fn kept_notes(mut notes: Vec<String>) -> Vec<String> {
    notes.truncate(NOTES_KEPT_MAX + 1);
    notes.iter().map(|note| shortened(note).into_owned()).collect()
}

pub(super) fn digest_of(text: &str) -> Result<Digest, Wrong> {
    Digest::parse(text).ok_or_else(|| format!("{text:?} is no digest"))
}

/// Reads what [`Timestamp`] writes, times without a name in the calendar included.
pub(super) fn time_of(text: &str) -> Result<Timestamp, Wrong> {
    if let Some(micros) = text.strip_prefix('@').and_then(|rest| rest.strip_suffix("us")) {
        let micros = micros.parse().map_err(|_| format!("{text:?} is no time"))?;
        return Ok(Timestamp::from_micros(micros));
    }
    Timestamp::parse(text).map_err(|error| error.to_string())
}
