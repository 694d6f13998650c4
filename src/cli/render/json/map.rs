//! What a dataset becomes, in MISP's own JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    history::DatasetTally,
    mapper::{Loss, Mapped, Tally},
    misp::{Attribute, AttributeType, Category, Value},
    model::{AttributeUuid, EntityKey, EventUuid, Symbol, Timestamp, Tlp},
};

/// `map`: what one incident becomes, before any policy, and what of it is lost. One line for each incident.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/map/2")]
pub struct MapAnswer<'a> {
    /// The incident's id.
    pub incident: &'a EntityKey,
    /// Its TLP colour.
    pub tlp: Option<Tlp>,
    /// Whether an event may be made of it: not of a rejected or deleted incident.
    pub create: bool,
    /// The event in MISP's own JSON.
    pub event: MispEvent<'a>,
    /// What does not reach MISP.
    pub losses: Vec<LossView<'a>>,
    /// Occurrences by what became of them.
    pub tally: TallyView<'a>,
}

/// All incidents together, with `map --total`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/map-total/2")]
pub struct MapTotal {
    /// What the dataset holds, and what becomes of it: `lost` counts what belongs to no incident as `not_linked`.
    pub dataset: DatasetTally,
}

/// `map --rules`: the mapping rules in effect.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/rules/2")]
pub struct RulesAnswer {
    /// Equal rules have equal fingerprints.
    pub fingerprint: String,
    /// The rules as TOML.
    pub rules: String,
}

/// An event in MISP's own JSON.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MispEvent<'a> {
    /// Identity.
    pub uuid: EventUuid,
    /// The title.
    pub info: &'a str,
    /// The day, `YYYY-MM-DD`.
    pub date: &'a str,
    /// 0 initial, 1 ongoing, 2 complete.
    pub analysis: u8,
    /// Its tags.
    #[serde(rename = "Tag")]
    pub tags: Vec<MispTag<'a>>,
    /// Its attributes.
    #[serde(rename = "Attribute")]
    pub attributes: Vec<MispAttribute<'a>>,
}

/// An attribute in MISP's own JSON.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MispAttribute<'a> {
    /// Identity.
    pub uuid: AttributeUuid,
    /// MISP's type.
    #[serde(rename = "type")]
    pub kind: AttributeType,
    /// MISP's category.
    pub category: Category,
    /// The value in the form that MISP stores.
    pub value: &'a Value,
    /// Whether MISP exports it to detection systems.
    pub to_ids: bool,
    /// Context for people.
    pub comment: &'a str,
    /// When it was first seen.
    pub first_seen: Option<Timestamp>,
    /// When it was last seen.
    pub last_seen: Option<Timestamp>,
    /// Its tags.
    #[serde(rename = "Tag")]
    pub tags: Vec<MispTag<'a>>,
}

/// A tag in MISP's own JSON.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MispTag<'a> {
    /// The tag.
    pub name: &'a str,
}

/// One occurrence that does not reach MISP.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LossView<'a> {
    /// Id of the entity that holds it.
    pub entity: &'a EntityKey,
    /// The observable's kind, or `entity` where the entity itself holds it.
    pub kind: &'a Symbol,
    /// As it stands in the dataset.
    pub value: &'a str,
    /// Why, by its name.
    pub reason: &'a str,
    /// Why, in words.
    pub detail: String,
}

/// Occurrences by what became of them: `occurrences = mapped + merged + lost`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TallyView<'a> {
    /// Distinct (incident, entity, kind, value).
    pub occurrences: u64,
    /// Those that gave an attribute.
    pub mapped: u64,
    /// Those whose attribute another occurrence had given already.
    pub merged: u64,
    /// Those that gave none, by reason.
    pub lost: &'a BTreeMap<&'static str, u64>,
}

impl<'a> MapAnswer<'a> {
    /// The answer for one incident.
    #[must_use]
    pub fn new(mapped: &'a Mapped) -> Self {
        let event = &mapped.event;
        let Tally { occurrences, mapped: gave, merged, ref lost, .. } = mapped.tally;
        Self {
            incident: &event.root,
            tlp: event.marking.tlp,
            create: event.create,
            event: MispEvent {
                uuid: event.uuid,
                info: &event.fields.info,
                date: &event.fields.date,
                analysis: event.fields.analysis,
                tags: tags(&event.fields.tags),
                attributes: event.attributes.iter().map(|it| (&it.attribute).into()).collect(),
            },
            losses: mapped.losses.iter().map(LossView::from).collect(),
            tally: TallyView { occurrences, mapped: gave, merged, lost },
        }
    }
}

impl<'a> From<&'a Attribute> for MispAttribute<'a> {
    fn from(it: &'a Attribute) -> Self {
        Self {
            uuid: it.uuid,
            kind: it.kind,
            category: it.category,
            value: &it.value,
            to_ids: it.to_ids,
            comment: &it.comment,
            first_seen: it.first_seen,
            last_seen: it.last_seen,
            tags: tags(&it.tags),
        }
    }
}

impl<'a> From<&'a Loss> for LossView<'a> {
    fn from(loss: &'a Loss) -> Self {
        Self {
            entity: &loss.entity,
            kind: &loss.kind,
            value: &loss.value,
            reason: loss.reason.name(),
            detail: loss.reason.to_string(),
        }
    }
}

fn tags(names: &[Box<str>]) -> Vec<MispTag<'_>> {
    names.iter().map(|name| MispTag { name }).collect()
}
