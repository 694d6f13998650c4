//! The line of an event with all its attributes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    history::EventUpdate,
    misp::{Attribute, AttributeType, Category, EventFields, Source, Value},
    model::{
        AttributeUuid, EntityKey, EventUuid, FeedName, Marking, OrgUuid, Reader, RunNumber, Symbol,
        Timestamp, Tlp, kept_name, limits::SOURCES_KEPT_MAX,
    },
    plan::{
        EventHead, EventTag, EventTags, FeedHead, FeedSet, KnownAttribute, KnownEvent, Presence,
        Publishing, Row, Seen, Standing, TagStanding, WithheldReason,
    },
};

use super::{
    super::keys::Name,
    line::{AttributeTallyLine, Id, MappingLine, NameLine, Wrong, digest_of, kept, time_of},
    sound,
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
struct MarkingLine {
    tlp: Option<TlpLine>,
    unmarked: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TlpLine {
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
struct RowLine {
    place: u32,
    uuid: Id,
    deleted: bool,
    timestamp: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct AttributeLine {
    uuid: Id,
    #[serde(rename = "type")]
    kind: String,
    category: String,
    value: String,
    to_ids: bool,
    comment: String,
    first_seen: Option<String>,
    last_seen: Option<String>,
    tags: Vec<String>,
    marking: MarkingLine,
    sources: Vec<SourceLine>,
    standing: StandingLine,
    /// Feeds that want it, a bit for each.
    wanted: u32,
    superseded_by: Option<Id>,
    overruled: bool,
    noted: Option<String>,
    /// What to do by hand; not in exports of 0.1.0.
    #[serde(default)]
    exposed: Option<String>,
    timestamp: Option<i64>,
    order: Option<u32>,
    since: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct SourceLine {
    entity: String,
    kind: String,
    rule: String,
    raw: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StandingLine {
    Pending,
    Sent,
    Adopted,
    Declined,
    Rejected { words: String, version: String },
    Withheld(WithheldLine),
    Held,
    Blocked(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WithheldLine {
    Tlp(TlpLine),
    Unmarked,
    Incident,
    MarkingCannotBeCarried,
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
            Publishing::Failed(why) => Self::Failed(why.into()),
        }
    }

    fn publishing(self) -> Publishing {
        match self {
            Self::Settled => Publishing::Settled,
            Self::Asked => Publishing::Asked,
            Self::WaitsForRight => Publishing::WaitsForRight,
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
    fn of(marking: Marking) -> Self {
        Self { tlp: marking.tlp.map(TlpLine::of), unmarked: marking.unmarked }
    }

    fn marking(&self) -> Marking {
        Marking { tlp: self.tlp.map(TlpLine::tlp), unmarked: self.unmarked }
    }
}

impl TlpLine {
    const fn of(tlp: Tlp) -> Self {
        match tlp {
            Tlp::Clear => Self::Clear,
            Tlp::Green => Self::Green,
            Tlp::Amber => Self::Amber,
            Tlp::AmberStrict => Self::AmberStrict,
            Tlp::Red => Self::Red,
        }
    }

    const fn tlp(self) -> Tlp {
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

impl AttributeLine {
    fn of(known: KnownAttribute) -> Self {
        let attribute = known.attribute;
        Self {
            uuid: Id(attribute.uuid.uuid()),
            kind: attribute.kind.name().to_owned(),
            category: attribute.category.name().to_owned(),
            value: attribute.value.as_str().to_owned(),
            to_ids: attribute.to_ids,
            comment: attribute.comment.into(),
            first_seen: attribute.first_seen.map(|time| time.to_string()),
            last_seen: attribute.last_seen.map(|time| time.to_string()),
            tags: texts(attribute.tags),
            marking: MarkingLine::of(known.marking),
            sources: known.sources.into_iter().map(SourceLine::of).collect(),
            standing: StandingLine::of(known.standing),
            wanted: known.wanted.0,
            superseded_by: known.superseded_by.map(|uuid| Id(uuid.uuid())),
            overruled: known.overruled,
            noted: known.noted.map(|digest| digest.to_string()),
            exposed: known.exposed.map(Into::into),
            timestamp: known.timestamp,
            order: known.order,
            since: known.since.0,
        }
    }

    fn known(self) -> Result<KnownAttribute, Wrong> {
        let time = |text: Option<String>| -> Result<Option<Timestamp>, Wrong> {
            text.as_deref().map(time_of).transpose()
        };
        let kind = AttributeType::named(&self.kind);
        let category = Category::named(&self.category);
        Ok(KnownAttribute {
            attribute: Attribute {
                uuid: AttributeUuid::new(self.uuid.0),
                kind: kind.ok_or_else(|| format!("there is no type {:?}", self.kind))?,
                category: category.ok_or_else(|| format!("no category {:?}", self.category))?,
                value: Value::stored(&self.value),
                to_ids: self.to_ids,
                comment: self.comment.into(),
                first_seen: time(self.first_seen)?,
                last_seen: time(self.last_seen)?,
                tags: self.tags.into_iter().map(Into::into).collect(),
            },
            marking: self.marking.marking(),
            sources: self
                .sources
                .into_iter()
                .take(SOURCES_KEPT_MAX)
                .map(SourceLine::source)
                .collect(),
            standing: self.standing.standing(),
            wanted: FeedSet(self.wanted),
            superseded_by: self.superseded_by.map(|id| AttributeUuid::new(id.0)),
            overruled: self.overruled,
            noted: self.noted.as_deref().map(digest_of).transpose()?,
            exposed: self.exposed.map(|advice| kept(&advice)),
            timestamp: self.timestamp,
            order: self.order,
            since: RunNumber(self.since),
        })
    }
}

impl SourceLine {
    fn of(source: Source) -> Self {
        Self {
            entity: source.entity.as_str().to_owned(),
            kind: source.kind.as_str().to_owned(),
            rule: source.rule.as_str().to_owned(),
            raw: source.raw.map(Into::into),
        }
    }

    fn source(self) -> Source {
        Source {
            entity: EntityKey::whole(&self.entity),
            kind: Symbol::new(&self.kind),
            rule: Symbol::new(&self.rule),
            raw: self.raw.map(|raw| kept(&raw)),
        }
    }
}

impl StandingLine {
    fn of(standing: Standing) -> Self {
        match standing {
            Standing::Pending => Self::Pending,
            Standing::Sent => Self::Sent,
            Standing::Adopted => Self::Adopted,
            Standing::Declined => Self::Declined,
            Standing::Rejected { words, version } => {
                Self::Rejected { words: words.into(), version: version.into() }
            }
            Standing::Withheld(reason) => Self::Withheld(match reason {
                WithheldReason::Tlp(tlp) => WithheldLine::Tlp(TlpLine::of(tlp)),
                WithheldReason::Unmarked => WithheldLine::Unmarked,
                WithheldReason::Incident => WithheldLine::Incident,
                WithheldReason::MarkingCannotBeCarried => WithheldLine::MarkingCannotBeCarried,
            }),
            Standing::Held => Self::Held,
            Standing::Blocked(why) => Self::Blocked(why.into()),
        }
    }

    fn standing(self) -> Standing {
        match self {
            Self::Pending => Standing::Pending,
            Self::Sent => Standing::Sent,
            Self::Adopted => Standing::Adopted,
            Self::Declined => Standing::Declined,
            Self::Rejected { words, version } => {
                Standing::Rejected { words: kept(&words), version: kept_name(&version).into() }
            }
            Self::Withheld(reason) => Standing::Withheld(match reason {
                WithheldLine::Tlp(tlp) => WithheldReason::Tlp(tlp.tlp()),
                WithheldLine::Unmarked => WithheldReason::Unmarked,
                WithheldLine::Incident => WithheldReason::Incident,
                WithheldLine::MarkingCannotBeCarried => WithheldReason::MarkingCannotBeCarried,
            }),
            Self::Held => Standing::Held,
            Self::Blocked(why) => Standing::Blocked(kept(&why)),
        }
    }
}

fn texts(boxed: impl IntoIterator<Item = Box<str>>) -> Vec<String> {
    boxed.into_iter().map(Into::into).collect()
}
