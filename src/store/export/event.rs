//! The line of an event with all its attributes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    history::EventUpdate,
    misp::EventFields,
    model::{AttributeUuid, EntityKey, EventUuid, FeedName, Marking, OrgUuid, Reader, Tlp},
    plan::{
        EventHead, EventTag, EventTags, FeedHead, KnownEvent, Presence, Publishing, Row, Seen,
        TagStanding,
    },
    store::{
        export::{
            attribute::AttributeLine,
            line::{Id, NameLine, Wrong, digest_of, kept},
            run::{AttributeTallyLine, MappingLine},
            sound,
        },
        record::keys::Name,
    },
};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EventLine {
    pub(super) destination: NameLine,
    uuid: Id,
    incident: String,
    presence: PresenceLine,
    misp_id: Option<u64>,
    info: String,
    date: String,
    analysis: u8,
    tags: Vec<String>,
    /// Those that MISP has, as far as is known.
    tags_sent: Vec<String>,
    /// How each tag stands; not in exports of 0.1.0.
    #[serde(default)]
    tag_standings: Option<BTreeMap<String, TagLine>>,
    timestamp: Option<i64>,
    published: Option<bool>,
    /// Not in exports of 0.1.0, nor the three that follow.
    #[serde(default)]
    publishing: PublishingLine,
    #[serde(default)]
    organisation: Option<Id>,
    #[serde(default)]
    proven_up_to: Option<i64>,
    #[serde(default)]
    reordered: u8,
    unproven: bool,
    owner: u8,
    marking: MarkingLine,
    feeds: BTreeMap<String, FeedLine>,
    /// Rows of the event that are not ours.
    foreign: Vec<RowLine>,
    attributes: Vec<AttributeLine>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PresenceLine {
    Absent,
    Present,
    Declined,
    Blocked(String),
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PublishingLine {
    #[default]
    Settled,
    Asked,
    WaitsForRight,
    Owed,
    Failed(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TagLine {
    Doubted,
    Shown,
    Removed,
    Refused { why: String, terms: String },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MarkingLine {
    tlp: Option<TlpLine>,
    unmarked: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TlpLine {
    Clear,
    Green,
    Amber,
    AmberStrict,
    Red,
}

#[derive(Debug, Serialize, Deserialize)]
struct FeedLine {
    graph: String,
    rules: String,
    policy: String,
    /// 0.1.0 did not write it.
    #[serde(default = "first_reader")]
    reader: u8,
    settled: bool,
    gone: bool,
    attributes: AttributeTallyLine,
    mapping: MappingLine,
}

const fn first_reader() -> u8 {
    Reader::FIRST.number()
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RowLine {
    place: u32,
    uuid: Id,
    deleted: bool,
    timestamp: i64,
}

impl EventLine {
    pub(super) fn of(destination: Name, event: KnownEvent) -> Self {
        let KnownEvent { head, attributes } = event;
        let feeds = head.feeds.into_iter();
        Self {
            destination: NameLine::of(destination),
            uuid: Id(head.uuid.uuid()),
            incident: head.root.as_str().to_owned(),
            presence: match head.presence {
                Presence::Absent => PresenceLine::Absent,
                Presence::Present => PresenceLine::Present,
                Presence::Declined => PresenceLine::Declined,
                Presence::Blocked(why) => PresenceLine::Blocked(why.into()),
            },
            misp_id: head.misp_id,
            info: head.fields.info.into(),
            date: head.fields.date.into(),
            analysis: head.fields.analysis,
            tags: texts(head.fields.tags),
            tags_sent: carried(&head.tags),
            tag_standings: Some(head.tags.iter().map(TagLine::of).collect()),
            timestamp: head.timestamp,
            published: head.published,
            publishing: PublishingLine::of(head.publishing),
            organisation: head.seen.orgc.map(|org| Id(org.uuid())),
            proven_up_to: head.seen.proven_up_to,
            reordered: head.seen.reordered,
            unproven: head.unproven,
            owner: head.owner,
            marking: MarkingLine::of(head.marking),
            feeds: feeds
                .map(|(name, feed)| (name.as_str().to_owned(), FeedLine::of(feed)))
                .collect(),
            foreign: head.foreign.iter().map(RowLine::of).collect(),
            attributes: attributes.into_values().map(AttributeLine::of).collect(),
        }
    }

    /// How many attributes it has.
    pub(super) fn attribute_count(&self) -> u64 {
        self.attributes.len() as u64
    }

    pub(super) fn update(self) -> Result<EventUpdate, Wrong> {
        let feeds = self.feeds.into_iter();
        let head = EventHead {
            uuid: EventUuid::new(self.uuid.0),
            root: EntityKey::whole(&self.incident),
            presence: match self.presence {
                PresenceLine::Absent => Presence::Absent,
                PresenceLine::Present => Presence::Present,
                PresenceLine::Declined => Presence::Declined,
                PresenceLine::Blocked(why) => Presence::Blocked(kept(&why)),
            },
            misp_id: self.misp_id,
            fields: EventFields {
                info: self.info.into(),
                date: self.date.into(),
                analysis: self.analysis,
                tags: self.tags.into_iter().map(Into::into).collect(),
            },
            tags: match self.tag_standings {
                Some(standings) => {
                    standings.into_iter().map(TagLine::tag).collect::<Result<_, Wrong>>()?
                }
                None => EventTags::doubted(self.tags_sent.into_iter().map(Into::into)),
            },
            timestamp: self.timestamp,
            published: self.published,
            publishing: self.publishing.publishing(),
            seen: Seen {
                orgc: self.organisation.map(|id| OrgUuid::new(id.0)),
                proven_up_to: self.proven_up_to,
                reordered: self.reordered,
            },
            unproven: self.unproven,
            foreign: self.foreign.iter().map(RowLine::row).collect(),
            owner: self.owner,
            marking: self.marking.marking(),
            feeds: feeds
                .map(|(name, feed)| Ok((FeedName::new(&name), feed.head()?)))
                .collect::<Result<_, Wrong>>()?,
        };
        let attributes = self.attributes.into_iter().map(AttributeLine::known);
        let update = EventUpdate { head, attributes: attributes.collect::<Result<_, Wrong>>()? };
        sound::event(&update)?;
        Ok(update)
    }
}

impl PublishingLine {
    fn of(publishing: Publishing) -> Self {
        match publishing {
            Publishing::Settled => Self::Settled,
            Publishing::Asked => Self::Asked,
            Publishing::WaitsForRight => Self::WaitsForRight,
            Publishing::Owed => Self::Owed,
            Publishing::Failed(why) => Self::Failed(why.into()),
        }
    }

    fn publishing(self) -> Publishing {
        match self {
            Self::Settled => Publishing::Settled,
            Self::Asked => Publishing::Asked,
            Self::WaitsForRight => Publishing::WaitsForRight,
            Self::Owed => Publishing::Owed,
            Self::Failed(why) => Publishing::Failed(kept(&why)),
        }
    }
}

impl TagLine {
    fn of(tag: &EventTag) -> (String, Self) {
        let line = match &tag.standing {
            TagStanding::Doubted => Self::Doubted,
            TagStanding::Shown => Self::Shown,
            TagStanding::Removed => Self::Removed,
            TagStanding::Refused { why, terms } => {
                Self::Refused { why: why.to_string(), terms: terms.to_string() }
            }
        };
        (tag.name.to_string(), line)
    }

    fn tag((name, line): (String, Self)) -> Result<EventTag, Wrong> {
        let standing = match line {
            Self::Doubted => TagStanding::Doubted,
            Self::Shown => TagStanding::Shown,
            Self::Removed => TagStanding::Removed,
            Self::Refused { why, terms } => {
                TagStanding::Refused { why: kept(&why), terms: digest_of(&terms)? }
            }
        };
        Ok(EventTag { name: name.into(), standing })
    }
}

fn carried(tags: &EventTags) -> Vec<String> {
    let names = tags.iter().map(|tag| &tag.name).filter(|name| tags.carries(name));
    names.map(ToString::to_string).collect()
}

impl MarkingLine {
    pub(super) fn of(marking: Marking) -> Self {
        Self { tlp: marking.tlp.map(TlpLine::of), unmarked: marking.unmarked }
    }

    pub(super) fn marking(&self) -> Marking {
        Marking { tlp: self.tlp.map(TlpLine::tlp), unmarked: self.unmarked }
    }
}

impl TlpLine {
    pub(super) const fn of(tlp: Tlp) -> Self {
        match tlp {
            Tlp::Clear => Self::Clear,
            Tlp::Green => Self::Green,
            Tlp::Amber => Self::Amber,
            Tlp::AmberStrict => Self::AmberStrict,
            Tlp::Red => Self::Red,
        }
    }

    pub(super) const fn tlp(self) -> Tlp {
        match self {
            Self::Clear => Tlp::Clear,
            Self::Green => Tlp::Green,
            Self::Amber => Tlp::Amber,
            Self::AmberStrict => Tlp::AmberStrict,
            Self::Red => Tlp::Red,
        }
    }
}

impl FeedLine {
    fn of(head: FeedHead) -> Self {
        Self {
            graph: head.graph.to_string(),
            rules: head.rules.to_string(),
            policy: head.policy.to_string(),
            reader: head.reader.number(),
            settled: head.settled,
            gone: head.gone,
            attributes: AttributeTallyLine::of(&head.attributes),
            mapping: MappingLine::of(head.mapping),
        }
    }

    fn head(self) -> Result<FeedHead, Wrong> {
        Ok(FeedHead {
            graph: digest_of(&self.graph)?,
            rules: digest_of(&self.rules)?,
            policy: digest_of(&self.policy)?,
            reader: Reader::numbered(self.reader),
            settled: self.settled,
            gone: self.gone,
            attributes: self.attributes.tally(),
            mapping: self.mapping.tally(),
        })
    }
}

impl RowLine {
    const fn of((place, row): &(u32, Row)) -> Self {
        let Row { uuid, deleted, timestamp } = *row;
        Self { place: *place, uuid: Id(uuid.uuid()), deleted, timestamp }
    }

    const fn row(&self) -> (u32, Row) {
        let Self { place, uuid, deleted, timestamp } = *self;
        (place, Row { uuid: AttributeUuid::new(uuid.0), deleted, timestamp })
    }
}

pub(super) fn texts(boxed: impl IntoIterator<Item = Box<str>>) -> Vec<String> {
    boxed.into_iter().map(Into::into).collect()
}
