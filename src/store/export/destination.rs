//! What is known of a destination, as a line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    model::{DestinationName, EventUuid, FeedName, OrgUuid},
    plan::{DestinationRecord, TagFact, tag_key},
};

use super::{
    line::{Id, Wrong, kept, time_of},
    sound,
};

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
