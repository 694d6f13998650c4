//! An attribute of an event, as a part of its line.

use serde::{Deserialize, Serialize};

use crate::{
    misp::{Attribute, AttributeType, Category, Source, Value},
    model::{
        AttributeUuid, EntityKey, RunNumber, Symbol, Timestamp, kept_name, limits::SOURCES_KEPT_MAX,
    },
    plan::{FeedSet, KnownAttribute, Standing, WithheldReason},
};

use super::{
    event::{MarkingLine, TlpLine, texts},
    line::{Id, Wrong, digest_of, kept, time_of},
};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AttributeLine {
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

impl AttributeLine {
    pub(super) fn of(known: KnownAttribute) -> Self {
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

    pub(super) fn known(self) -> Result<KnownAttribute, Wrong> {
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
