//! Every occurrence of an EclecticIQ dataset, and what the mapping profile makes of it: a second reading, by plain JSON,
//! that shares no code with the product's mapper.

use std::{collections::BTreeSet, path::Path};

use misp_trickle::misp::{AttributeType, normalise};
use serde_json::Value as Data;
use uuid::Uuid;

use crate::reading::{Entities, Key, is_incident, mapped, newest, root, text};

/// A value that an entity holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// The entity, by the UUID of its first version.
    pub entity: Uuid,
    /// The kind of the observable.
    pub kind: String,
    /// As it is written.
    pub value: String,
    /// The incidents that hold it or are linked to who does.
    pub incidents: BTreeSet<Uuid>,
    /// What it becomes in each of them.
    pub becomes: Becomes,
}

/// What becomes of an occurrence in an incident.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Becomes {
    /// An attribute.
    Attribute(Key),
    /// Nothing, for this reason.
    Lost(&'static str),
}

/// Reads a dataset.
pub fn occurrences(path: &Path) -> BTreeSet<Occurrence> {
    let dataset: Data = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let entities = Entities::of(&dataset);
    let mut found = BTreeSet::new();
    for (chain, all) in &entities.versions {
        let incidents: BTreeSet<Uuid> = match is_incident(all) {
            true => [root(all)].into(),
            false => entities.linked_to(chain).filter(|it| is_incident(it)).map(root).collect(),
        };
        for extract in newest(all)["extracts"].as_array().into_iter().flatten() {
            found.insert(occurrence(root(all), extract, incidents.clone()));
        }
    }
    found
}

fn occurrence(entity: Uuid, extract: &Data, incidents: BTreeSet<Uuid>) -> Occurrence {
    let (kind, value) = (text(&extract["kind"]), text(&extract["value"]));
    let links = extract["instance_meta"]["link_types"].as_array().into_iter().flatten();
    let links: Vec<&str> = links.map(text).collect();
    let becomes = match mapped(kind, value, &links) {
        _ if incidents.is_empty() => Becomes::Lost("not_linked"),
        None => Becomes::Lost("no_misp_type"),
        Some((kind, _, _, value)) => {
            let kind = AttributeType::named(kind).unwrap();
            match normalise(kind, &value) {
                Ok(value) => Becomes::Attribute((kind.name().to_owned(), value.to_string())),
                Err(_) => Becomes::Lost("refused_by_misp"),
            }
        }
    };
    Occurrence { entity, kind: kind.to_owned(), value: value.to_owned(), incidents, becomes }
}
