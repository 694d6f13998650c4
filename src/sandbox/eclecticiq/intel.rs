//! What the public API tells of: entities, observables, relationships and what they refer to, each with the
//! times of its creation and last change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::Timestamp;

use super::{dataset::Dataset, packaging::later, setup::Leaving, views::last_part};

/// The rows of the platform.
#[derive(Debug, Clone, Default)]
pub(super) struct Intel {
    pub(super) entities: BTreeMap<String, Entity>,
    /// The id of an entity, by the UUID at the end of `data.id`, which is another in what came from elsewhere.
    names: BTreeMap<String, String>,
    pub(super) observables: Vec<Observable>,
    /// Where an observable stands, by kind and value.
    places: BTreeMap<(String, String), usize>,
    pub(super) relationships: BTreeMap<String, Relationship>,
    /// Names, each with the sources that has it as a UUID.
    pub(super) sources: BTreeMap<String, String>,
    /// Names of taxonomies; the number of one is its place, from 1.
    pub(super) taxonomies: Vec<String>,
    newest: Timestamp,
}

/// An entity.
#[derive(Debug, Clone)]
pub(super) struct Entity {
    pub(super) times: Times,
    /// As the package has it, without its observables.
    pub(super) element: Value,
    /// Places of its observables.
    pub(super) observables: BTreeSet<usize>,
    pub(super) is_in_feed: bool,
}

/// An observable; its number is its place, from 1.
#[derive(Debug, Clone)]
pub(super) struct Observable {
    pub(super) times: Times,
    pub(super) kind: String,
    pub(super) value: String,
    pub(super) maliciousness: &'static str,
    pub(super) entities: BTreeSet<String>,
}

/// A relationship.
#[derive(Debug, Clone)]
pub(super) struct Relationship {
    pub(super) times: Times,
    pub(super) element: Value,
}

/// When a row was made and last changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
}

impl Times {
    const fn at(time: Timestamp) -> Self {
        Self { created: time, updated: time }
    }
}

impl Intel {
    /// The rows of a first dataset. An element that says when it last changed did so then, if that has passed.
    pub(super) fn of(dataset: &Dataset, now: Timestamp) -> Self {
        let mut intel = Self { newest: now, ..Self::default() };
        intel.take(dataset, now, Leaving::Deleted);
        let said = |element: &Value| {
            let texts = [&element["last_updated_at"], &element["data"]["timestamp"]];
            let said = texts
                .into_iter()
                .filter_map(Value::as_str)
                .filter_map(|text| Timestamp::parse(text).ok());
            said.filter(|time| *time <= now).map(Times::at).next()
        };
        for entity in intel.entities.values_mut() {
            entity.times = said(&entity.element).unwrap_or(entity.times);
        }
        for relationship in intel.relationships.values_mut() {
            relationship.times = said(&relationship.element).unwrap_or(relationship.times);
        }
        intel
    }

    /// The dataset is another one now. What changed did so at once, later than all before. The time of an entity
    /// does not move with its observables, nor that of an observable with its entities.
    pub(super) fn take(&mut self, dataset: &Dataset, now: Timestamp, leaving: Leaving) {
        let now = later(now, self.newest);
        self.newest = now;
        let mut found = BTreeSet::new();
        let elements = dataset.elements.iter();
        for element in elements.filter_map(|it| serde_json::from_str::<Value>(it.raw.get()).ok()) {
            let Some(id) = element["id"].as_str().map(str::to_owned) else { continue };
            if !found.insert(id.clone()) {
                continue;
            }
            let kind = element["data"]["type"].as_str().or(element["type"].as_str());
            if kind == Some("relation") || kind.is_none() && element["data"]["source"].is_string() {
                self.relate(id, element, now);
            } else {
                self.describe(id, element, now);
            }
        }
        self.relationships.retain(|id, _| found.contains(id));
        match leaving {
            Leaving::Deleted => self.entities.retain(|id, _| found.contains(id)),
            Leaving::Kept => {
                for (id, entity) in &mut self.entities {
                    entity.is_in_feed &= found.contains(id);
                }
            }
        }
        let known: BTreeSet<String> = self.entities.keys().cloned().collect();
        for observable in &mut self.observables {
            observable.entities.retain(|id| known.contains(id));
        }
    }

    /// The id of the entity that an end of a relationship names.
    pub(super) fn entity_of<'i>(&'i self, end: &'i str) -> &'i str {
        let last = last_part(end);
        let named = || self.names.get(uuid_of(last)).map(String::as_str);
        if self.entities.contains_key(last) { last } else { named().unwrap_or(last) }
    }

    /// Rows with these ids changed, at a time, or later than all before.
    pub(super) fn touch(&mut self, ids: &[String], at: Option<Timestamp>, now: Timestamp) {
        let at = at.unwrap_or_else(|| later(now, self.newest));
        self.newest = self.newest.max(at);
        for id in ids {
            if let Some(entity) = self.entities.get_mut(id) {
                entity.times.updated = at;
            } else if let Some(relationship) = self.relationships.get_mut(id) {
                relationship.times.updated = at;
            }
        }
    }

    fn relate(&mut self, id: String, element: Value, now: Timestamp) {
        let known = self.relationships.get(&id);
        let times = match known {
            Some(known) if known.element == element => known.times,
            Some(known) => Times { updated: now, ..known.times },
            None => Times::at(now),
        };
        self.relationships.insert(id, Relationship { times, element });
    }

    fn describe(&mut self, id: String, mut element: Value, now: Timestamp) {
        let extracts = match element.get_mut("extracts").map(Value::take) {
            Some(Value::Array(extracts)) => extracts,
            _ => Vec::new(),
        };
        self.refer(&element);
        if let Some(name) = element["data"]["id"].as_str() {
            self.names.insert(uuid_of(name).to_owned(), id.clone());
        }
        let places = extracts.iter().filter_map(|extract| self.observe(&id, extract, now));
        let observables: BTreeSet<usize> = places.collect();
        let gone =
            self.entities.get(&id).map(|known| known.observables.clone()).unwrap_or_default();
        for place in gone.difference(&observables) {
            self.observables[*place].entities.remove(&id);
        }
        let is_in_feed = element["meta"]["is_unresolved_idref"] != Value::Bool(true);
        let times = match self.entities.get(&id) {
            Some(known) if known.element == element => known.times,
            Some(known) => Times { updated: now, ..known.times },
            None => Times::at(now),
        };
        self.entities.insert(id, Entity { times, element, observables, is_in_feed });
    }

    /// The place of an observable, which is made or changed as an entity has it.
    fn observe(&mut self, entity: &str, extract: &Value, now: Timestamp) -> Option<usize> {
        let text = |key: &str| extract[key].as_str().map(str::to_owned);
        let (kind, value) = (text("kind")?, text("value")?);
        let maliciousness = maliciousness(&extract["meta"]);
        let place = *self.places.entry((kind.clone(), value.clone())).or_insert_with(|| {
            let entities = BTreeSet::new();
            self.observables.push(Observable {
                times: Times::at(now),
                kind,
                value,
                maliciousness,
                entities,
            });
            self.observables.len() - 1
        });
        let observable = &mut self.observables[place];
        if observable.maliciousness != maliciousness {
            observable.maliciousness = maliciousness;
            observable.times.updated = now;
        }
        observable.entities.insert(entity.to_owned());
        Some(place)
    }

    /// Sources and taxonomies that an entity names.
    fn refer(&mut self, element: &Value) {
        for source in element["sources"].as_array().into_iter().flatten() {
            if let Some(id) = source["source_id"].as_str() {
                let name = source["name"].as_str().unwrap_or(id);
                self.sources.insert(id.to_owned(), name.to_owned());
            }
        }
        for name in leaves(element) {
            if !self.taxonomies.iter().any(|known| known == name) {
                self.taxonomies.push(name.to_owned());
            }
        }
    }
}

/// The UUID at the end of a name.
fn uuid_of(name: &str) -> &str {
    name.len().checked_sub(36).and_then(|from| name.get(from..)).unwrap_or(name)
}

/// The last names of an entity's taxonomy paths.
pub(super) fn leaves(element: &Value) -> impl Iterator<Item = &str> {
    let paths = element["meta"]["taxonomy_paths"].as_array().into_iter().flatten();
    paths.filter_map(|path| path.as_array()?.last()?.as_str())
}

/// Classification and confidence as the public API has them, in one word.
fn maliciousness(meta: &Value) -> &'static str {
    match (meta["classification"].as_str(), meta["confidence"].as_str()) {
        (Some("good" | "safe"), _) => "safe",
        (Some("bad"), Some("high")) => "high",
        (Some("bad"), Some("medium")) => "medium",
        (Some("bad"), _) => "low",
        _ => "unknown",
    }
}
