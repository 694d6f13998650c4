//! References between cyber-observable objects, which may point forwards: they are collected while the
//! objects are read, and resolved when all are known.
//!
//! What refers to an object takes over its values and its marking; what that object took over itself stays
//! behind, but for an observed-data, which has all. Each reference costs a copy, so the copies of one source
//! are limited; a few bytes of input could ask for terabytes.

use std::collections::{BTreeMap, BTreeSet};

use super::observed::{self, Takes};
use crate::{
    format::element::Element,
    graph::{Entity, Extent, Facts, Mark, Observable, Unusable},
    model::{EntityKey, Interner, Issue, Locus, Place, Severity, Tlp},
};

/// All references of a source.
#[derive(Debug)]
pub(super) struct References {
    targets: Vec<Target>,
    /// An object, what it takes over, and the id of the object that has it.
    parts: Vec<(usize, Takes, EntityKey)>,
    /// An observed-data, and the id of an object that it observed.
    objects: Vec<(usize, EntityKey)>,
    /// How many bytes may still be copied.
    room: usize,
    /// The source, to report that there is no room.
    place: Option<Place>,
}

/// An entity that is a cyber-observable object.
#[derive(Debug, Clone, Copy)]
struct Target {
    entity: usize,
    /// Whether its first observable is its `value`, to which other objects refer.
    has_value: bool,
    /// The markings of all objects of its id.
    mark: Option<Mark>,
}

impl References {
    /// No references yet; at most so many bytes will be copied.
    pub(super) fn new(room: usize) -> Self {
        Self { targets: Vec::new(), parts: Vec::new(), objects: Vec::new(), room, place: None }
    }

    /// Notes an entity that others may refer to.
    pub(super) fn note(&mut self, entity: usize, has_value: bool) {
        self.targets.push(Target { entity, has_value, mark: None });
    }

    /// Notes that an object is to have what another one says.
    pub(super) fn want_part(
        &mut self,
        entity: usize,
        takes: Takes,
        id: EntityKey,
        element: &Element<'_>,
    ) {
        self.note_place(element);
        self.parts.push((entity, takes, id));
    }

    /// Notes that an observed-data is to have the observables of these objects.
    pub(super) fn want_objects(
        &mut self,
        entity: usize,
        ids: impl Iterator<Item = EntityKey>,
        element: &Element<'_>,
    ) {
        self.note_place(element);
        let ids: BTreeSet<EntityKey> = ids.collect();
        self.objects.extend(ids.into_iter().map(|id| (entity, id)));
    }

    fn note_place(&mut self, element: &Element<'_>) {
        let place = || Place { locus: Locus::Whole, ..element.place() };
        self.place.get_or_insert_with(place);
    }

    /// Hands out what was wanted. The markings of all entities must be noted.
    pub(super) fn resolve(mut self, symbols: &mut Interner, facts: &mut Facts) {
        let left_out = self.resolve_parts(symbols, facts) + self.resolve_objects(facts);
        if let (Some(place), 1..) = (self.place, left_out) {
            let what = format!(
                "{left_out} references to observed objects would take more memory than allowed; \
                 what they refer to was left out, split the source"
            );
            facts.report(Issue { place, severity: Severity::Skipped, what });
        }
    }

    /// Returns how many references there was no room for. All is read before anything is handed out, so
    /// that the order of the objects has no say.
    fn resolve_parts(&mut self, symbols: &mut Interner, facts: &mut Facts) -> usize {
        let targets = self.newest_targets(facts);
        let (mut taken, mut left_out) = (Vec::new(), 0);
        let mut whole: BTreeSet<(usize, usize)> = BTreeSet::new();
        for (entity, takes, id) in std::mem::take(&mut self.parts) {
            let Some(target) = find(&targets, &facts.entities, &id) else { continue };
            let found = &facts.entities[target.entity];
            let part = match takes {
                Takes::Value(gives, since) => {
                    let first = found.observables.first().filter(|_| target.has_value);
                    let Some(first) = first else { continue };
                    let since = since.max(first.since);
                    let read = gives.read("value", &first.value, since);
                    let Some((kind, since)) = read else { continue };
                    let value = first.value.clone();
                    let observable = observed::seen(symbols.symbol(kind), value, since);
                    (vec![observable], Vec::new())
                }
                Takes::All(name, since) => {
                    if entity == target.entity || !whole.insert((entity, target.entity)) {
                        continue;
                    }
                    let name = symbols.symbol(name);
                    let observables = found.observables.iter().cloned();
                    let named = |of: Observable| match &*of.kind {
                        "file" => Observable { kind: name.clone(), ..of },
                        _ => of,
                    };
                    let named = |of: Observable| {
                        let since = since.max(of.since);
                        named(of).since(since)
                    };
                    (observables.map(named).collect(), found.unusable.clone())
                }
            };
            let values = part.0.iter().map(|observable| &observable.value);
            let values = values.chain(part.1.iter().map(|unusable| &unusable.value));
            if self.take_room(values.map(|value| cost(value)).sum()) {
                taken.push((entity, part, target.mark));
            } else {
                left_out += 1;
            }
        }
        for (entity, (observables, unusable), mark) in taken {
            receive(facts, entity, observables, unusable, mark);
        }
        left_out
    }

    /// Returns how many references there was no room for.
    fn resolve_objects(&mut self, facts: &mut Facts) -> usize {
        let targets = self.newest_targets(facts);
        let mut left_out = 0;
        for (entity, id) in std::mem::take(&mut self.objects) {
            let Some(target) = find(&targets, &facts.entities, &id) else { continue };
            let found = &facts.entities[target.entity].observables;
            if self.take_room(found.iter().map(|observable| cost(&observable.value)).sum()) {
                let seen = found.iter().cloned().map(|observable| {
                    let links = observable.links.with("observed");
                    Observable { links, ..observable }
                });
                let seen: Vec<Observable> = seen.collect();
                receive(facts, entity, seen, Vec::new(), target.mark);
            } else {
                left_out += 1;
            }
        }
        left_out
    }

    /// One object for each id, in the order of the ids: the newest, then the one with more content.
    fn newest_targets(&mut self, facts: &mut Facts) -> Vec<Target> {
        let marks = self.marks(facts);
        let Facts { entities, markings, .. } = facts;
        let key = |target: &Target| &entities[target.entity].key;
        self.targets.sort_by(|a, b| {
            let order = |target: &Target| {
                let entity = &entities[target.entity];
                (&entity.key, entity.modified, &entity.observables, target.entity)
            };
            order(a).cmp(&order(b))
        });
        let newest = self.targets.chunk_by(|a, b| key(a) == key(b)).filter_map(|versions| {
            let all = versions.iter().filter_map(|version| marks.get(&version.entity));
            let mark = markings.together(all.flatten().copied());
            versions.last().map(|newest| Target { mark, ..*newest })
        });
        newest.collect()
    }

    /// What each target is marked with.
    fn marks(&self, facts: &mut Facts) -> BTreeMap<usize, Vec<Mark>> {
        let mut marks: BTreeMap<usize, Vec<Mark>> =
            self.targets.iter().map(|target| (target.entity, Vec::new())).collect();
        for (entity, mark) in facts.markings.uses() {
            if let Some(marks) = marks.get_mut(&entity) {
                marks.push(mark);
            }
        }
        for (entity, marks) in &mut marks {
            let tags = facts.entities[*entity].tags.iter();
            let tagged = tags.filter_map(|tag| Tlp::of_tag(tag)).max();
            marks.extend(tagged.map(|tlp| facts.markings.colour(tlp)));
        }
        marks
    }

    /// Takes room for a copy, if there is enough.
    fn take_room(&mut self, bytes: usize) -> bool {
        let left = self.room.checked_sub(bytes);
        self.room = left.unwrap_or(self.room);
        left.is_some()
    }
}

fn find(targets: &[Target], entities: &[Entity], id: &EntityKey) -> Option<Target> {
    let at = targets.binary_search_by(|target| entities[target.entity].key.cmp(id)).ok()?;
    Some(targets[at])
}

/// What a copy of an observable takes in memory, near enough.
fn cost(value: &str) -> usize {
    value.len() + size_of::<Observable>()
}

/// What an entity takes over makes it as strict, and not marked where it is not.
fn receive(
    facts: &mut Facts,
    entity: usize,
    observables: Vec<Observable>,
    unusable: Vec<Unusable>,
    mark: Option<Mark>,
) {
    facts.entities[entity].observables.extend(observables);
    facts.entities[entity].unusable.extend(unusable);
    if let Some(mark) = mark {
        facts.markings.mark(entity, mark, Extent::Part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        format::{Decoder as _, stix::Decoder},
        model::Symbol,
    };

    #[test]
    fn copies_are_limited_and_what_is_left_out_is_reported() {
        let id = |digit: &str| format!("{}-0000-4000-8000-000000000000", digit.repeat(8));
        let url = format!(r#"{{"type": "url", "id": "url--{}", "value": "u"}}"#, id("1"));
        let observed = |digit| {
            format!(
                r#"{{"type": "observed-data", "id": "observed-data--{}",
                    "object_refs": ["url--{1}", "url--{1}"]}}"#,
                id(digit),
                id("1")
            )
        };
        let file = Symbol::new("b.json");
        let mut facts = Facts::default();
        let mut decoder = Decoder { references: References::new(2 * cost("u")), ..Decoder::new() };
        for raw in [observed("2"), url.clone(), observed("3"), url, observed("4")] {
            decoder.read(&Element::alone("objects", &raw, &file), &mut facts).expect("an object");
        }
        decoder.finish(&mut facts);
        let counts: Vec<usize> = facts.entities.iter().map(|e| e.observables.len()).collect();
        assert_eq!(counts, [1, 1, 1, 1, 0]);
        assert_eq!(facts.skipped, 1);
        assert!(facts.issues[0].to_string().starts_with("b.json: skipped: 1 references to"));
    }
}
