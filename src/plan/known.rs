//! What the ledger knows a destination holds: the base that a plan is computed against.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    misp::{Attribute, EventFields, Source},
    model::{
        AttributeUuid, Digest, EntityKey, EventUuid, FeedName, Marking, OrgUuid, Reader, RunNumber,
        Timestamp,
    },
};

use super::{
    AttributeTally, BlockedReason, EventTags, ExposedReason, MappingTally, Publish, Publishing,
    Said, TagFact, WithheldReason,
};

/// What is known of one MISP instance. Keyed by the destination's name in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DestinationRecord {
    /// The base URL of the last run, without user or password.
    pub url: String,
    /// Version text of `servers/getVersion`.
    pub version: String,
    /// Encodings that request bodies may have: `gzip`, `br`.
    pub encodings: Vec<String>,
    /// UUID of the key's organisation.
    #[serde(rename = "organisation")]
    pub org: Option<OrgUuid>,
    /// MISP's number of that organisation.
    #[serde(rename = "organisation_id")]
    pub org_id: Option<u64>,
    /// MISP's number of the key's user. `None`: not asked for yet.
    pub user: Option<u64>,
    /// What tells the key from another; the key cannot be had from it.
    pub key_mark: Option<u64>,
    /// Permissions of the key's role that are granted: `perm_add`, `perm_tag_editor`, …
    pub permissions: BTreeSet<String>,
    /// Tags that were looked for, by [`tag_key`](super::tag_key), and whether the key may use them.
    pub tags: BTreeMap<Box<str>, TagFact>,
    /// TLP tags, by [`tag_key`](super::tag_key), that MISP showed this key on an event of its own. The first use
    /// of any other is an event without attributes.
    pub proven_tags: BTreeSet<Box<str>>,
    /// MISP's clock minus ours, in seconds, from the `Date` header.
    pub clock_offset_seconds: i64,
    /// When MISP's clock was last heard of, by ours: the offset holds as long as nobody set either.
    pub heard: Option<Timestamp>,
    /// Most attributes to send in one request, as learned; 0 for not learned yet.
    pub chunk_max: u32,
    /// How many requests at once turned out best; `None`: not learned yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u8>,
    /// The fewest attributes that were too many for one request because there were so many, and when.
    pub too_large: Option<(u32, Timestamp)>,
    /// When version, encodings and role were last asked.
    pub asked: Option<Timestamp>,
    /// When MISP was last asked whether it still holds what was sent.
    pub verified: Option<Timestamp>,
    /// The last event that it was asked about; the next question goes on behind it.
    pub verified_up_to: Option<EventUuid>,
    /// The version with which this MISP was found to list rows in another order than they were added in.
    pub reorders: Option<String>,
    /// The highest number that it gave to an attribute, as far as its answers named them. It is not kept: heads of events
    /// tell ([`Seen::numbered`]).
    #[serde(skip)]
    pub numbered: Option<u64>,
    /// The organisation whose key made the events of which no answer told the owner.
    #[serde(rename = "first_organisation")]
    pub first_org: Option<OrgUuid>,
    /// Names of the feeds that ever delivered here; their place is their bit in [`FeedSet`]. Where one was forgotten, the
    /// name is empty, and the next new feed takes its place.
    pub feeds: Vec<FeedName>,
}

impl DestinationRecord {
    /// Whether the key's role has a permission, such as `perm_tag_editor`.
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        self.permissions.contains(permission)
    }

    /// The feeds that deliver here, those that were forgotten aside.
    pub fn named_feeds(&self) -> impl Iterator<Item = &FeedName> {
        self.feed_bits().map(|(feed, _)| feed)
    }

    /// The same, each with its bit in [`FeedSet`].
    pub fn feed_bits(&self) -> impl Iterator<Item = (&FeedName, u8)> {
        self.feeds.iter().zip(0..).filter(|(feed, _)| !feed.as_str().is_empty())
    }

    /// Whether this version of this MISP was found to list rows in another order than they were added in.
    #[must_use]
    pub fn reorders(&self) -> bool {
        self.reorders.as_ref() == Some(&self.version)
    }
}

/// A set of feeds of one destination, by their place in [`DestinationRecord::feeds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeedSet(pub u32);

impl FeedSet {
    /// With one more feed.
    #[must_use]
    pub const fn with(self, feed: u8) -> Self {
        Self(self.0 | 1 << (feed & 31))
    }

    /// With one feed less.
    #[must_use]
    pub const fn without(self, feed: u8) -> Self {
        Self(self.0 & !(1 << (feed & 31)))
    }

    /// Whether the feed is in the set.
    #[must_use]
    pub const fn has(self, feed: u8) -> bool {
        self.0 & 1 << (feed & 31) != 0
    }

    /// The places of the feeds in the set, lowest first.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..32).filter(move |feed| self.has(*feed))
    }

    /// Whether no feed is.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The owner of an event's fields, where the one that it had was forgotten: the next feed that plans it takes over.
pub const NOBODY: u8 = u8::MAX;

/// One event of one destination, with its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEvent {
    /// The event without its attributes.
    pub head: EventHead,
    /// Every attribute that was ever wanted in it, by identity: the UUID that
    /// [`attribute_uuid`](crate::misp::attribute_uuid) gives its type and value. The attribute's own UUID is
    /// another only where MISP held the value under another one.
    pub attributes: BTreeMap<AttributeUuid, KnownAttribute>,
}

impl KnownEvent {
    /// The time that MISP shows the event with at least: whatever is added or taken out moves it to MISP's clock, so only a
    /// backup that was restored takes it back.
    #[must_use]
    pub fn time(&self) -> Option<i64> {
        let sent = self.attributes.values().filter(|known| {
            known.standing == Standing::Sent && known.order.is_some() && !known.overruled
        });
        let newest = || sent.filter_map(|known| known.timestamp).max().map(surely_come);
        self.head.timestamp.or_else(|| self.head.seen.not_before.max(newest()))
    }
}

/// How far an estimate of MISP's clock may be from it.
const CLOCK_SECONDS: i64 = 60;

/// A time that MISP's clock has reached, where an estimate says that it has reached this one.
pub(crate) const fn surely_come(estimate: i64) -> i64 {
    estimate.saturating_sub(CLOCK_SECONDS)
}

/// What is known of an event, its attributes aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventHead {
    /// Identity.
    pub uuid: EventUuid,
    /// The incident that it comes from.
    #[serde(rename = "incident")]
    pub root: EntityKey,
    /// Whether MISP has it.
    pub presence: Presence,
    /// MISP's numeric id, once an answer gave it.
    pub misp_id: Option<u64>,
    /// The event's fields as MISP last confirmed them to us, tags aside.
    #[serde(flatten)]
    pub fields: EventFields,
    /// The tags that were to be there, and the colours of others, as MISP's answers showed them.
    #[serde(rename = "tag_standings")]
    pub tags: EventTags,
    /// MISP's `timestamp` of the event, if our last request told it.
    pub timestamp: Option<i64>,
    /// `published`, as last seen.
    pub published: Option<bool>,
    /// How far it got on the way to being published.
    pub publishing: Publishing,
    /// What else MISP's answers showed of it.
    #[serde(flatten)]
    pub seen: Seen,
    /// A request may have had an effect we were not told of: list the event before writing to it.
    pub unproven: bool,
    /// Rows of the event that are not ours, each with its place in MISP's order.
    pub foreign: Vec<(u32, Row)>,
    /// The feed that owns the event's fields: a bit of [`FeedSet`], or [`NOBODY`]. It created the event, or took over from
    /// one that does not want it any more.
    pub owner: u8,
    /// The strictest marking of the incident in all feeds that want it, when the event was last planned before it was
    /// there.
    pub marking: Marking,
    /// What each feed last wanted of it.
    pub feeds: BTreeMap<FeedName, FeedHead>,
}

impl EventHead {
    /// Whether no feed wants the event any more.
    #[must_use]
    pub fn is_left(&self) -> bool {
        self.feeds.values().all(|feed| feed.gone)
    }

    /// Whether an earlier run left the event unpublished, or may have, that is to be published.
    #[must_use]
    pub fn owes_publishing(&self, publish: Publish) -> bool {
        let owed = self.publishing == Publishing::Owed && publish != Publish::Never;
        owed && self.presence == Presence::Present
    }
}

/// What MISP's answers showed of an event beside its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seen {
    /// The organisation that owns it.
    #[serde(rename = "organisation")]
    pub orgc: Option<OrgUuid>,
    /// The newest timestamp of its rows when MISP last proved all of them. Of what came since only the echo is known.
    pub proven_up_to: Option<i64>,
    /// How often MISP listed exactly the rows that were expected, in another order.
    pub reordered: u8,
    /// The highest number that MISP had given to an attribute, as its answers named them, when it was last known to hold
    /// all that it proved of this event. What it adds later has a higher one, unless it was restored from a backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbered: Option<u64>,
    /// MISP showed the event as it was before what it proved since. It stays so until a list shows that nothing is lacking:
    /// whatever is written meanwhile moves the event's time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub went_back: bool,
    /// MISP's time of the event when it was shown or written last, or an earlier one where no answer told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<i64>,
    /// MISP's time of the event when it was last shown with the fields that are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields_at: Option<i64>,
}

/// So often the rows of an event may come in an unforeseen order before it is not foretold any more.
const SURPRISES_MAX: u8 = 2;

impl Seen {
    /// Whether the order of the event's rows is not foretold any more. In a MISP that is known for it, one surprise
    /// is enough.
    #[must_use]
    pub const fn goes_by_time(&self, misp_reorders: bool) -> bool {
        self.reordered >= if misp_reorders { 1 } else { SURPRISES_MAX }
    }
}

/// Whether MISP has an event, as far as we know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Never confirmed.
    Absent,
    /// Created by us, or found under our UUID in our organisation.
    Present,
    /// Deleted there and blocklisted: never sent again.
    Declined,
    /// It is there, but we may not write to it; why.
    Blocked(BlockedReason),
}

/// One row of MISP's own list of an event's attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The attribute.
    pub uuid: AttributeUuid,
    /// Soft-deleted.
    pub deleted: bool,
    /// MISP's `timestamp` of it.
    pub timestamp: i64,
}

/// What one feed last wanted of an event, and how it came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedHead {
    /// Digest of the incident graph.
    pub graph: Digest,
    /// Fingerprint of the mapping rules.
    pub rules: Digest,
    /// The reader that the incident graph was read by; while something that only a newer one finds is held, the
    /// one before.
    pub reader: Reader,
    /// Fingerprint of the destination's policy and event settings.
    pub policy: Digest,
    /// Nothing is pending, held or to be tried again: an equal skip key means no work at all.
    pub settled: bool,
    /// The incident left the dataset.
    pub gone: bool,
    /// The feed's bit at the destination, by which attributes say that it wants them. `None`: a release did not write it
    /// down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u8>,
    /// How the feed last marked the incident. `None`: as [`EventHead::marking`] says, by a release that did not write it
    /// down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marking: Option<Marking>,
    /// Attributes by their result in the last run that looked at the event.
    pub attributes: AttributeTally,
    /// Accounting of the mapping.
    pub mapping: MappingTally,
}

/// What is known of one attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownAttribute {
    /// The attribute as it was sent, or as it was last wanted where it was not. Its UUID is the one in
    /// MISP, which is another's where a value was adopted.
    #[serde(flatten)]
    pub attribute: Attribute,
    /// Its marking when it was last planned and its bytes could be chosen: the strictest of all feeds that wanted it.
    pub marking: Marking,
    /// What each of those that want it now says of its marking.
    #[serde(default, skip_serializing_if = "Said::is_empty")]
    pub said: Said,
    /// Where it comes from.
    pub sources: Vec<Source>,
    /// How things stand with it in MISP.
    pub standing: Standing,
    /// Feeds that want it now. None: retired, or superseded.
    pub wanted: FeedSet,
    /// The attribute whose value took this one's place.
    pub superseded_by: Option<AttributeUuid>,
    /// An analyst changed it in MISP.
    pub overruled: bool,
    /// Digest of what the dataset last wanted, where that is another than what was sent: a drift or an
    /// exposure is written to the history once, not in every run.
    pub noted: Option<Digest>,
    /// It is in MISP although it must not be there as it is; why.
    pub exposed: Option<ExposedReason>,
    /// MISP's `timestamp` of it: chosen once, before it was first sent.
    pub timestamp: Option<i64>,
    /// Place in MISP's order of the event's attributes, once it is there.
    pub order: Option<u32>,
    /// The run in which `standing` became what it is.
    #[serde(rename = "since_run")]
    pub since: RunNumber,
}

/// How an attribute stands in MISP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// To be sent; or sent, and the outcome is not known.
    Pending,
    /// Confirmed by MISP.
    Sent,
    /// It was there already.
    Adopted,
    /// An analyst deleted it: never sent again.
    Declined,
    /// MISP refused it.
    Rejected {
        /// MISP's own words.
        words: Box<str>,
        /// The MISP version that said so; another one is tried once.
        version: Box<str>,
    },
    /// Policy denies it.
    Withheld(WithheldReason),
    /// Only changed mapping rules call for it.
    Held,
    /// It cannot be sent for a reason outside itself.
    Blocked(BlockedReason),
}

impl Standing {
    /// Whether MISP has it, as far as we know.
    #[must_use]
    pub const fn is_in_misp(&self) -> bool {
        matches!(self, Self::Sent | Self::Adopted)
    }
}
