//! The head of an event: all that is known of it but its attributes, and where those are.

mod older;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    history::LedgerError,
    misp::EventFields,
    model::{AttributeUuid, Digest, EventUuid, FeedName, OrgUuid, Reader},
    plan::{
        AttributeTally, EventHead, EventTag, FeedHead, Presence, Publishing, Row, Seen, TagStanding,
    },
    store::record::{
        AttributeTallyV1, EntityV1, MappingV1,
        envelope::{Body, Stored, damaged},
        marking_byte, marking_of,
        reason::BlockedV2,
    },
};
use older::{HeadV1, HeadV3};

/// Most foreign rows in one object.
pub(in super::super) const FOREIGN_ROWS_MAX: usize = 192;

/// As it was written before each feed's marking was.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct HeadV2<'a> {
    #[serde(borrow)]
    root: EntityV1<'a>,
    presence: PresenceV2<'a>,
    pub(in super::super) misp_id: Option<u64>,
    pub(in super::super) info: &'a str,
    date: &'a str,
    analysis: u8,
    tags: Vec<&'a str>,
    event_tags: Vec<EventTagV2<'a>>,
    timestamp: Option<i64>,
    published: Option<bool>,
    unproven: bool,
    owner: u8,
    marking: u8,
    feeds: Vec<FeedHeadV2<'a>>,
    /// Objects with the rows that are not ours, [`FOREIGN_ROWS_MAX`] rows in each but the last.
    pub(in super::super) foreign: Vec<Vec<[u8; 32]>>,
    /// Levels of index nodes between the head and the buckets.
    pub(in super::super) depth: u8,
    /// Buckets, or index nodes if there are levels.
    pub(in super::super) slots: Vec<SlotV1>,
    publishing: PublishingV2<'a>,
    seen: SeenV2,
}

/// As it is written now; no release wrote it yet.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct HeadV4<'a> {
    #[serde(borrow)]
    pub(in super::super) base: HeadV2<'a>,
    /// How each feed last marked the incident, in their order.
    markings: Vec<Option<u8>>,
    /// The bit of each feed, in their order.
    places: Vec<Option<u8>>,
    numbered: Option<u64>,
    went_back: bool,
    not_before: Option<i64>,
    fields_at: Option<i64>,
}

/// How far an event got on the way to being published.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum PublishingV2<'a> {
    Settled,
    Asked,
    WaitsForRight,
    Failed(&'a str),
    Owed,
}

/// What MISP's answers showed of an event beside its fields.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct SeenV2 {
    orgc: Option<[u8; 16]>,
    proven_up_to: Option<i64>,
    reordered: u8,
}

/// A tag of an event.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct EventTagV2<'a> {
    name: &'a str,
    #[serde(borrow)]
    standing: TagStandingV2<'a>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum TagStandingV2<'a> {
    Doubted,
    Shown,
    Removed,
    Refused { why: &'a str, terms: [u8; 32] },
}

/// A range of an event's attributes by identity: from its first one to the next slot's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct SlotV1 {
    pub(in super::super) first: [u8; 16],
    pub(in super::super) count: u64,
    /// Digests of its objects.
    pub(in super::super) parts: Vec<[u8; 32]>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum PresenceV2<'a> {
    Absent,
    Present,
    Declined,
    #[serde(borrow)]
    Blocked(BlockedV2<'a>),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FeedHeadV2<'a> {
    feed: &'a str,
    graph: [u8; 32],
    rules: [u8; 32],
    policy: [u8; 32],
    reader: u8,
    settled: bool,
    gone: bool,
    attributes: AttributeTallyV1,
    #[serde(borrow)]
    mapping: MappingV1<'a>,
}

/// A row of an event that is not ours.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct RowV1 {
    place: u32,
    uuid: [u8; 16],
    deleted: bool,
    timestamp: i64,
}

impl Stored for HeadV2<'_> {
    const VERSION: u8 = 2;
}

impl Stored for HeadV4<'_> {
    const VERSION: u8 = 4;
}

impl Stored for Vec<SlotV1> {}

impl Stored for &[SlotV1] {}

impl Stored for Vec<RowV1> {}

impl<'a> HeadV4<'a> {
    /// The head that a body holds.
    pub(in super::super) fn read(body: &'a Body) -> Result<Self, LedgerError> {
        let what = "the head of an event";
        let read = match body.version {
            1 | 2 => HeadV3::from(body.decode_either::<HeadV2<'a>, HeadV1<'a>>(what)?).into(),
            _ => body.decode_either::<Self, HeadV3<'a>>(what)?,
        };
        match [read.markings.len(), read.places.len()] == [read.base.feeds.len(); 2] {
            true => Ok(read),
            false => {
                Err(damaged(format!("{what} has more feeds than markings or places, or fewer")))
            }
        }
    }

    /// The head, as yet without foreign rows and attributes.
    pub(in super::super) fn of(head: &'a EventHead) -> Self {
        let markings = head.feeds.values().map(|feed| feed.marking.map(marking_byte)).collect();
        let places = head.feeds.values().map(|feed| feed.place).collect();
        let Seen { numbered, went_back, not_before, fields_at, .. } = head.seen;
        let base = HeadV2::of(head);
        Self { base, markings, places, numbered, went_back, not_before, fields_at }
    }

    /// The head of this event, with the foreign rows that were read for it.
    pub(in super::super) fn head(
        &self,
        uuid: EventUuid,
        foreign: Vec<(u32, Row)>,
    ) -> Result<EventHead, LedgerError> {
        let mut head = self.base.head(uuid, foreign)?;
        let Self { numbered, went_back, not_before, fields_at, .. } = *self;
        head.seen = Seen { numbered, went_back, not_before, fields_at, ..head.seen };
        let names = self.base.feeds.iter().map(|feed| FeedName::new(feed.feed));
        for ((name, marking), place) in names.zip(&self.markings).zip(&self.places) {
            if let Some(feed) = head.feeds.get_mut(&name) {
                feed.place = *place;
                feed.marking = marking.map(marking_of).transpose()?;
            }
        }
        Ok(head)
    }

    /// Marks an event that MISP should have as one to be proven; whether it was marked now.
    pub(in super::super) fn mark_unproven(&mut self) -> bool {
        let head = &mut self.base;
        let marks = head.presence == PresenceV2::Present && !head.unproven;
        head.unproven |= marks;
        marks
    }
}

impl<'a> HeadV2<'a> {
    /// The head, as yet without foreign rows and attributes.
    fn of(head: &'a EventHead) -> Self {
        let EventFields { info, date, analysis, tags } = &head.fields;
        Self {
            root: EntityV1::of(&head.root),
            presence: match &head.presence {
                Presence::Absent => PresenceV2::Absent,
                Presence::Present => PresenceV2::Present,
                Presence::Declined => PresenceV2::Declined,
                Presence::Blocked(why) => PresenceV2::Blocked(BlockedV2::of(why)),
            },
            misp_id: head.misp_id,
            info,
            date,
            analysis: *analysis,
            tags: tags.iter().map(|tag| &**tag).collect(),
            event_tags: head.tags.iter().map(EventTagV2::of).collect(),
            timestamp: head.timestamp,
            published: head.published,
            unproven: head.unproven,
            owner: head.owner,
            marking: marking_byte(head.marking),
            feeds: head.feeds.iter().map(|(feed, head)| FeedHeadV2::of(feed, head)).collect(),
            foreign: Vec::new(),
            depth: 0,
            slots: Vec::new(),
            publishing: PublishingV2::of(&head.publishing),
            seen: SeenV2::of(head.seen),
        }
    }

    fn head(&self, uuid: EventUuid, foreign: Vec<(u32, Row)>) -> Result<EventHead, LedgerError> {
        Ok(EventHead {
            uuid,
            root: self.root.key(),
            presence: match self.presence {
                PresenceV2::Absent => Presence::Absent,
                PresenceV2::Present => Presence::Present,
                PresenceV2::Declined => Presence::Declined,
                PresenceV2::Blocked(why) => Presence::Blocked(why.reason()),
            },
            misp_id: self.misp_id,
            fields: EventFields {
                info: self.info.into(),
                date: self.date.into(),
                analysis: self.analysis,
                tags: self.tags.iter().map(|tag| (*tag).into()).collect(),
            },
            tags: self.event_tags.iter().map(EventTagV2::tag).collect(),
            timestamp: self.timestamp,
            published: self.published,
            publishing: self.publishing.publishing(),
            seen: self.seen.seen(),
            unproven: self.unproven,
            foreign,
            owner: self.owner,
            marking: marking_of(self.marking)?,
            feeds: self.feeds.iter().map(FeedHeadV2::head).collect::<Result<_, _>>()?,
        })
    }
}

impl<'a> PublishingV2<'a> {
    fn of(publishing: &'a Publishing) -> Self {
        match publishing {
            Publishing::Settled => Self::Settled,
            Publishing::Asked => Self::Asked,
            Publishing::WaitsForRight => Self::WaitsForRight,
            Publishing::Failed(why) => Self::Failed(why),
            Publishing::Owed => Self::Owed,
        }
    }

    fn publishing(&self) -> Publishing {
        match *self {
            Self::Settled => Publishing::Settled,
            Self::Asked => Publishing::Asked,
            Self::WaitsForRight => Publishing::WaitsForRight,
            Self::Failed(why) => Publishing::Failed(why.into()),
            Self::Owed => Publishing::Owed,
        }
    }
}

impl SeenV2 {
    fn of(seen: Seen) -> Self {
        let Seen { orgc, proven_up_to, reordered, .. } = seen;
        Self { orgc: orgc.map(|org| *org.uuid().as_bytes()), proven_up_to, reordered }
    }

    fn seen(&self) -> Seen {
        let orgc = self.orgc.map(|bytes| OrgUuid::new(Uuid::from_bytes(bytes)));
        let Self { proven_up_to, reordered, .. } = *self;
        Seen { orgc, proven_up_to, reordered, ..Seen::default() }
    }
}

impl<'a> EventTagV2<'a> {
    const fn doubted(name: &'a str) -> Self {
        Self { name, standing: TagStandingV2::Doubted }
    }

    fn of(tag: &'a EventTag) -> Self {
        let standing = match &tag.standing {
            TagStanding::Doubted => TagStandingV2::Doubted,
            TagStanding::Shown => TagStandingV2::Shown,
            TagStanding::Removed => TagStandingV2::Removed,
            TagStanding::Refused { why, terms } => {
                TagStandingV2::Refused { why, terms: *terms.as_bytes() }
            }
        };
        Self { name: &tag.name, standing }
    }

    fn tag(&self) -> EventTag {
        let standing = match self.standing {
            TagStandingV2::Doubted => TagStanding::Doubted,
            TagStandingV2::Shown => TagStanding::Shown,
            TagStandingV2::Removed => TagStanding::Removed,
            TagStandingV2::Refused { why, terms } => {
                TagStanding::Refused { why: why.into(), terms: Digest::from_bytes(terms) }
            }
        };
        EventTag { name: self.name.into(), standing }
    }
}

impl<'a> FeedHeadV2<'a> {
    fn of(feed: &'a FeedName, head: &'a FeedHead) -> Self {
        Self {
            feed: feed.as_str(),
            graph: *head.graph.as_bytes(),
            rules: *head.rules.as_bytes(),
            policy: *head.policy.as_bytes(),
            reader: head.reader.number(),
            settled: head.settled,
            gone: head.gone,
            attributes: head.attributes.counts(),
            mapping: MappingV1::of(&head.mapping),
        }
    }

    fn head(&self) -> Result<(FeedName, FeedHead), LedgerError> {
        let reader = Reader::numbered(self.reader);
        // What only a later release reads would look as if it had left the dataset, or were freer.
        if reader > Reader::NOW {
            return Err(LedgerError::Newer {
                what: format!("an event of the feed `{}`", self.feed),
            });
        }
        let head = FeedHead {
            graph: Digest::from_bytes(self.graph),
            rules: Digest::from_bytes(self.rules),
            policy: Digest::from_bytes(self.policy),
            reader,
            settled: self.settled,
            gone: self.gone,
            place: None,
            marking: None,
            attributes: AttributeTally::of_counts(self.attributes),
            mapping: self.mapping.tally(),
        };
        Ok((FeedName::new(self.feed), head))
    }
}

/// Foreign rows as they are stored.
pub(in super::super) fn stored_rows(rows: &[(u32, Row)]) -> Vec<RowV1> {
    let rows = rows.iter().map(|(place, row)| RowV1 {
        place: *place,
        uuid: *row.uuid.uuid().as_bytes(),
        deleted: row.deleted,
        timestamp: row.timestamp,
    });
    rows.collect()
}

/// Foreign rows as they were.
pub(in super::super) fn rows_of(stored: &[RowV1]) -> impl Iterator<Item = (u32, Row)> {
    stored.iter().map(|row| {
        let uuid = AttributeUuid::new(Uuid::from_bytes(row.uuid));
        (row.place, Row { uuid, deleted: row.deleted, timestamp: row.timestamp })
    })
}
