//! EclecticIQ JSON packages, versions 1.0 and 2.0.
//!
//! A package of version 2.0 may hold an entity in both `entities` and `entities_v2`; both are read, and
//! of equal copies one is kept. Which of two different versions counts is for `graph` to decide.

mod entity;
mod external_ids;
mod handling;
pub(super) mod kinds;
mod lenient;
mod link;
mod mechanism;
mod name;
mod observable;
mod older;
mod relation;
#[cfg(test)]
mod tests;
mod unread;
mod wire;

use std::collections::BTreeMap;

use super::{
    Decoder as _, Format,
    apart::{OwnId, lost::lost},
    element::Element,
    spelling,
    versions::Versions,
};
use crate::{
    graph::{Entity, Extent, Facts, Mark, Relation},
    model::{EntityKey, Interner, Issue, Reader, Timestamp},
};
pub(in crate::format) use name::key;
use unread::Unread;
use wire::Object;

/// Turns the elements of `entities` and `entities_v2` into facts.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    symbols: Interner,
    /// Where in the facts the latest entity with this platform id is.
    known: BTreeMap<EntityKey, usize>,
    /// Of which versions of relations those in the facts are.
    versions: Versions,
    pairs: relation::Pairs,
    unread: Unread,
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Notes of which version of what a relation is that comes to this place.
    fn note(&mut self, object: &Object<'_>, place: usize) {
        let data = &object.data.0;
        if let Some(id) = data.id.get().or(object.id.get()) {
            let time = data.timestamp.get().and_then(|text| Timestamp::parse(text).ok());
            // Earlier readers knew no versions: all counted.
            self.versions.note(&key(id), [time, None], place);
        }
    }

    /// Keeps an entity unless an equal one came before, and marks the one that is kept.
    fn keep(&mut self, entity: Entity, marks: Vec<Mark>, facts: &mut Facts) {
        let id = entity.platform.as_ref().unwrap_or(&entity.key);
        let known = self.known.get(id).copied();
        let place = match known.filter(|at| facts.entities.get(*at) == Some(&entity)) {
            Some(place) => place,
            None => {
                self.known.insert(id.clone(), facts.entities.len());
                facts.entities.push(entity);
                facts.entities.len() - 1
            }
        };
        for mark in marks {
            facts.markings.mark(place, mark, Extent::Part);
        }
    }
}

/// By what an object is known, if it can be read: its own id before that of the entity, which all versions share.
pub(super) fn own_id(raw: &[u8]) -> Option<OwnId> {
    let object: Object<'_> = serde_json::from_slice(raw).ok()?;
    let is_entity = !object.is_relation() && object.kind().is_some();
    if object.is_unresolved() || is_entity && object.is_placeholder() {
        return Some(OwnId::Placeholder);
    }
    let data = &object.data.0;
    let id = object.id.get().or(data.id.get()).map(key);
    let version = data.timestamp.get().and_then(|text| Timestamp::parse(text).ok());
    Some(OwnId::Of { id, version })
}

/// Whether an element is an object as it is written.
pub(super) fn reads(raw: &[u8]) -> bool {
    serde_json::from_slice::<Object<'_>>(raw).is_ok()
}

impl super::Decoder for Decoder {
    fn read(&mut self, element: &Element<'_>, facts: &mut Facts) -> Result<(), Issue> {
        let object = element.read_once::<Object<'_>>()?;
        object.tell_odd(element, facts);
        if object.is_unresolved() {
            return Ok(());
        }
        let (entities, relations) = (facts.entities.len(), facts.relations.len());
        self.object(&object, element, facts);
        if object.data.0.handling.is_new {
            facts.came_with(Reader::THIRD, entities, relations);
        }
        Ok(())
    }

    fn versions(&mut self) -> &mut Versions {
        &mut self.versions
    }

    fn finish(self, facts: &mut Facts) {
        self.versions.keep_newest(facts);
        self.unread.report(facts);
    }
}

impl Decoder {
    fn object(&mut self, object: &Object<'_>, element: &Element<'_>, facts: &mut Facts) {
        if object.is_relation() {
            match relation::relations(object, &mut self.symbols, &mut self.pairs) {
                Ok(relations) => {
                    let (tlp, marks) = entity::of_link(object, element, facts);
                    let mark = facts.markings.together(marks);
                    for relation in relations {
                        self.note(object, facts.relations.len());
                        facts.relations.push(Relation { tlp, mark, ..relation });
                    }
                }
                Err(what) => {
                    facts.report(element.skipped(what));
                    self.lose(&lost(element.raw, Format::EclecticIq), facts);
                }
            }
            return;
        }
        match object.kind() {
            None => {
                facts.report(element.skipped("has no `type`; left out"));
                self.lose(&lost(element.raw, Format::EclecticIq), facts);
            }
            Some(_) if object.is_placeholder() => {}
            Some(kind) => {
                let kind = self.symbols.symbol(&kind.to_ascii_lowercase());
                match entity::entity(object, kind, element, &mut self.symbols, facts) {
                    Some((entity, marks)) => {
                        if let Some(meant) = spelling::of_eiq(&entity.key) {
                            facts.markings.spell(entity.key.clone(), meant);
                        }
                        self.unread.see(object, element);
                        self.keep(entity, marks, facts);
                    }
                    None => self.lose(&lost(element.raw, Format::EclecticIq), facts),
                }
            }
        }
    }
}
