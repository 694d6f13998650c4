//! Every occurrence of an EclecticIQ dataset, and what the mapping profile makes of it: a second reading, by plain JSON,
//! that shares no code with the product's mapper.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use misp_trickle::misp::{AttributeType, normalise};
use serde_json::Value as Data;
use uuid::Uuid;

use crate::reading::{Chains, Key, mapped, micros, newest, text, uuid_at_end};

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
    let objects = dataset["entities"].as_array().unwrap();
    let (relations, versions): (Vec<&Data>, Vec<&Data>) =
        objects.iter().partition(|object| object["data"]["type"] == "relation");
    let mut chains = Chains::default();
    for version in &versions {
        chains.join(text(&version["id"]), text(&version["data"]["id"]));
    }
    let ends =
        |relation: &Data| ["source", "target"].map(|end| uuid_at_end(text(&relation["data"][end])));
    for relation in &relations {
        let names = ["key", "subtype"];
        if names.iter().any(|name| relation["data"][name] == "stix_update_of") {
            let [newer, older] = ends(relation);
            chains.join(&newer, &older);
        }
    }
    let mut entities: BTreeMap<String, Vec<&Data>> = BTreeMap::new();
    for version in versions {
        entities.entry(chains.of(text(&version["data"]["id"]))).or_default().push(version);
    }
    entities.values_mut().for_each(|all| all.sort_by_key(|it| micros(&it["data"]["timestamp"])));
    let root = |all: &[&Data]| uuid_at_end(text(&all[0]["data"]["id"])).parse::<Uuid>().unwrap();
    let is_incident = |all: &[&Data]| newest(all)["data"]["type"] == "incident";
    let mut links = BTreeMap::<String, BTreeSet<String>>::new();
    for [one, other] in relations.iter().map(|it| ends(it).map(|end| chains.of(&end))) {
        links.entry(one.clone()).or_default().insert(other.clone());
        links.entry(other).or_default().insert(one);
    }
    let mut found = BTreeSet::new();
    for (chain, all) in &entities {
        let others = links.get(chain).into_iter().flatten();
        let incidents: BTreeSet<Uuid> = match is_incident(all) {
            true => [root(all)].into(),
            false => others
                .filter_map(|other| entities.get(other))
                .filter(|other| is_incident(other))
                .map(|other| root(other))
                .collect(),
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
