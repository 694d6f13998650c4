//! What is known of a destination, and the names of entities that all destinations share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    history::LedgerError,
    model::{DestinationName, EntityKey, EventUuid, FeedName, OrgUuid, Timestamp},
    plan::{DestinationRecord, TagFact, tag_key},
    store::record::{
        EntityV1,
        envelope::{Body, Stored},
    },
};

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

/// As it was written before the window was learned.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct DestinationV2<'a> {
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

/// As it is written now.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct DestinationV3<'a> {
    #[serde(borrow)]
    before: DestinationV2<'a>,
    concurrency: Option<u8>,
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

impl Stored for AliasesV1<'_> {}

impl Stored for DestinationV1<'_> {}

impl Stored for DestinationV2<'_> {
    const VERSION: u8 = 2;
}

impl Stored for DestinationV3<'_> {
    const VERSION: u8 = 3;
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

impl<'a> DestinationV3<'a> {
    /// The destination that a body holds.
    pub(in super::super) fn read(body: &'a Body) -> Result<Self, LedgerError> {
        let what = "a destination";
        if body.version == Self::VERSION {
            return body.decode(what);
        }
        let before = body.decode_either::<DestinationV2<'a>, DestinationV1<'a>>(what)?;
        Ok(Self { before, concurrency: None })
    }

    pub(in super::super) fn of(name: &'a DestinationName, record: &'a DestinationRecord) -> Self {
        Self { before: DestinationV2::of(name, record), concurrency: record.concurrency }
    }

    pub(in super::super) fn name(&self) -> DestinationName {
        DestinationName::new(self.before.name)
    }

    pub(in super::super) fn record(&self) -> DestinationRecord {
        DestinationRecord { concurrency: self.concurrency, ..self.before.record() }
    }
}

impl<'a> DestinationV2<'a> {
    fn of(name: &'a DestinationName, record: &'a DestinationRecord) -> Self {
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

    fn record(&self) -> DestinationRecord {
        DestinationRecord {
            url: self.url.to_owned(),
            version: self.version.to_owned(),
            encodings: self.encodings.iter().map(|name| (*name).to_owned()).collect(),
            org: self.org.map(|bytes| OrgUuid::new(uuid::Uuid::from_bytes(bytes))),
            permissions: self.permissions.iter().map(|name| (*name).to_owned()).collect(),
            tags: self.tags.iter().map(|(tag, fact)| (tag_key(tag), fact.fact())).collect(),
            clock_offset_seconds: self.clock_offset_seconds,
            chunk_max: self.chunk_max,
            concurrency: None,
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
            numbered: None,
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
