//! The head of an event as earlier releases wrote it, and what has come since.

use serde::{Deserialize, Serialize};

use super::{
    BlockedV2, EventTagV2, FeedHeadV2, HeadV2, HeadV4, PresenceV2, PublishingV2, SeenV2, SlotV1,
};
use crate::{
    model::Reader,
    plan::NOBODY,
    store::record::{AttributeTallyV1, EntityV1, MappingV1, envelope::Stored},
};

/// As 0.1.0 wrote it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HeadV1<'a> {
    #[serde(borrow)]
    root: EntityV1<'a>,
    presence: PresenceV1<'a>,
    misp_id: Option<u64>,
    info: &'a str,
    date: &'a str,
    analysis: u8,
    tags: Vec<&'a str>,
    tags_sent: Vec<&'a str>,
    timestamp: Option<i64>,
    published: Option<bool>,
    unproven: bool,
    owner: u8,
    marking: u8,
    feeds: Vec<FeedHeadV1<'a>>,
    foreign: Vec<Vec<[u8; 32]>>,
    depth: u8,
    slots: Vec<SlotV1>,
}

/// As it was written before numbers of attributes were.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HeadV3<'a> {
    #[serde(borrow)]
    base: HeadV2<'a>,
    markings: Vec<Option<u8>>,
    places: Vec<Option<u8>>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum PresenceV1<'a> {
    Absent,
    Present,
    Declined,
    Blocked(&'a str),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FeedHeadV1<'a> {
    feed: &'a str,
    graph: [u8; 32],
    rules: [u8; 32],
    policy: [u8; 32],
    settled: bool,
    gone: bool,
    attributes: AttributeTallyV1,
    #[serde(borrow)]
    mapping: MappingV1<'a>,
}

impl Stored for HeadV1<'_> {}

impl Stored for HeadV3<'_> {
    const VERSION: u8 = 3;
}

impl<'a> From<HeadV1<'a>> for HeadV2<'a> {
    fn from(before: HeadV1<'a>) -> Self {
        Self {
            root: before.root,
            presence: before.presence.into(),
            misp_id: before.misp_id,
            info: before.info,
            date: before.date,
            analysis: before.analysis,
            tags: before.tags,
            event_tags: before.tags_sent.into_iter().map(EventTagV2::doubted).collect(),
            timestamp: before.timestamp,
            published: before.published,
            unproven: before.unproven,
            owner: before.owner,
            marking: before.marking,
            feeds: before.feeds.into_iter().map(FeedHeadV2::from).collect(),
            foreign: before.foreign,
            depth: before.depth,
            slots: before.slots,
            publishing: PublishingV2::Settled,
            seen: SeenV2::default(),
        }
    }
}

impl<'a> From<HeadV2<'a>> for HeadV3<'a> {
    /// Where one feed has the event, it owns it: so its place is known.
    fn from(before: HeadV2<'a>) -> Self {
        let nothing = || vec![None; before.feeds.len()];
        let owned = before.feeds.len() == 1 && before.owner != NOBODY;
        let places = if owned { vec![Some(before.owner)] } else { nothing() };
        Self { markings: nothing(), places, base: before }
    }
}

impl<'a> From<HeadV3<'a>> for HeadV4<'a> {
    fn from(before: HeadV3<'a>) -> Self {
        let HeadV3 { base, markings, places } = before;
        let (numbered, went_back, not_before, fields_at) = (None, false, None, None);
        Self { base, markings, places, numbered, went_back, not_before, fields_at }
    }
}

impl<'a> From<PresenceV1<'a>> for PresenceV2<'a> {
    fn from(before: PresenceV1<'a>) -> Self {
        match before {
            PresenceV1::Absent => Self::Absent,
            PresenceV1::Present => Self::Present,
            PresenceV1::Declined => Self::Declined,
            PresenceV1::Blocked(words) => Self::Blocked(BlockedV2::said(words)),
        }
    }
}

impl<'a> From<FeedHeadV1<'a>> for FeedHeadV2<'a> {
    fn from(before: FeedHeadV1<'a>) -> Self {
        Self {
            feed: before.feed,
            graph: before.graph,
            rules: before.rules,
            policy: before.policy,
            reader: Reader::FIRST.number(),
            settled: before.settled,
            gone: before.gone,
            attributes: before.attributes,
            mapping: before.mapping,
        }
    }
}
