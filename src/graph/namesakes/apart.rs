//! One name for entities of several types: each type is an entity of its own.
//!
//! EclecticIQ names an entity by a UUID, and nothing keeps two of different types from having the same. The type that
//! becomes an event keeps the name, and so its event; any other goes by its type and that name, here and in the
//! aliases. A link that gives the name alone may mean any of them, so it leads to all. As one may be a newer version of
//! another whose type was changed, none is freer than a newer one of its name.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    graph::{
        Aliases, Entity, Facts, Relation,
        names::{Names, Places},
    },
    model::{EntityKey, Symbol, Tlp},
};

/// Most entities of one name that a link leads to.
const MEANT_MAX: usize = 8;
/// Most names that a warning shows.
const SHOWN_MAX: usize = 3;

/// Names that entities of several types have, with what each type goes by.
pub(in crate::graph) struct Shared<'o> {
    names: BTreeMap<EntityKey, BTreeMap<Box<str>, EntityKey>>,
    events: &'o [Symbol],
}

/// The names that an entity has.
fn names_of(entity: &Entity) -> impl Iterator<Item = &EntityKey> {
    [Some(&entity.key), entity.platform.as_ref()].into_iter().flatten()
}

/// A type in one spelling.
fn type_of(kind: &Symbol) -> Box<str> {
    kind.replace(['_', ' '], "-").into()
}

/// What an entity of a type goes by where another has its name. No id of STIX is so written.
fn apart(kind: &str, name: &EntityKey) -> EntityKey {
    let dashes = if name.uuid().is_some() { "-" } else { "--" };
    EntityKey::whole(&format!("{kind}{dashes}{name}"))
}

impl<'o> Shared<'o> {
    /// Finds them: what stands so in the facts, and what the ledger learned to tell apart.
    pub(in crate::graph) fn of(
        facts: &Facts,
        names: &Names<'_>,
        places: &Places,
        aliases: &Aliases,
        events: &'o [Symbol],
    ) -> Self {
        let mut first: Vec<Option<&Symbol>> = vec![None; names.len()];
        let mut several = BTreeSet::new();
        for (place, entity) in facts.entities.iter().enumerate() {
            for name in [Some(places.keys[place]), places.platforms[place]].into_iter().flatten() {
                match &mut first[name as usize] {
                    Some(kind) if **kind != entity.kind => drop(several.insert(names.key(name))),
                    of => *of = Some(&entity.kind),
                }
            }
        }
        // A whole id of STIX says its type.
        several.retain(|name| name.kind().is_none());
        let mut shared = Self { names: BTreeMap::new(), events };
        let known: BTreeSet<&EntityKey> = aliases.0.keys().filter(|name| is_apart(name)).collect();
        if several.is_empty() && known.is_empty() {
            return shared;
        }
        let mut types: BTreeMap<&EntityKey, BTreeSet<Box<str>>> = BTreeMap::new();
        for entity in &facts.entities {
            for name in names_of(entity).filter(|name| name.kind().is_none()) {
                let kind = type_of(&entity.kind);
                let is_known = || !known.is_empty() && known.contains(&apart(&kind, name));
                if several.contains(name) || is_known() {
                    types.entry(name).or_default().insert(kind);
                }
            }
        }
        for (name, types) in types {
            shared.add(name, &types, &known);
        }
        shared
    }

    fn add(&mut self, name: &EntityKey, types: &BTreeSet<Box<str>>, known: &BTreeSet<&EntityKey>) {
        let is_known = |kind: &str| known.contains(&apart(kind, name));
        let rank = |kind: &str| (is_known(kind), !self.is_event(kind), kind != "incident");
        let Some(first) = types.iter().min_by_key(|kind| (rank(kind), *kind)) else { return };
        let goes_by = |kind: &str| match *kind == **first && !is_known(kind) {
            true => name.clone(),
            false => apart(kind, name),
        };
        let keys: BTreeMap<_, _> = types.iter().map(|kind| (kind.clone(), goes_by(kind))).collect();
        if keys.values().any(|key| key != name) {
            self.names.insert(name.clone(), keys);
        }
    }

    fn is_event(&self, kind: &str) -> bool {
        self.events.iter().any(|event| *type_of(event) == *kind)
    }

    pub(in crate::graph) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// What an entity of a type goes by that has a name.
    fn key(&self, name: &EntityKey, kind: &str) -> EntityKey {
        self.names.get(name).and_then(|types| types.get(kind)).unwrap_or(name).clone()
    }

    /// All that a name may mean.
    fn meant(&self, name: &EntityKey) -> Vec<EntityKey> {
        let types = self.names.get(name).into_iter().flat_map(BTreeMap::values);
        let others = types.filter(|key| *key != name).cloned();
        std::iter::once(name.clone()).chain(others).take(MEANT_MAX).collect()
    }

    /// Gives each type its own entity. The aliases are those that still hold.
    pub(in crate::graph) fn set_apart(&self, facts: &mut Facts, aliases: &Aliases) -> Aliases {
        self.heed_newer(&mut facts.entities);
        self.relate(facts);
        let mut touched = Vec::new();
        for (place, entity) in facts.entities.iter_mut().enumerate() {
            if names_of(entity).any(|name| self.names.contains_key(name)) {
                touched.push(place);
                let kind = type_of(&entity.kind);
                entity.key = self.key(&entity.key, &kind);
                entity.platform = entity.platform.take().map(|name| self.key(&name, &kind));
            }
        }
        still_hold(facts, &touched, aliases)
    }

    /// Marks each version as strict as the newest of other types that is not older.
    fn heed_newer(&self, entities: &mut [Entity]) {
        let mut versions: BTreeMap<EntityKey, Vec<usize>> = BTreeMap::new();
        for (place, entity) in entities.iter().enumerate() {
            if self.names.contains_key(&entity.key) {
                versions.entry(entity.key.clone()).or_default().push(place);
            }
        }
        for mut places in versions.into_values() {
            let mut newest = BTreeMap::new();
            for entity in places.iter().map(|place| &entities[*place]) {
                let time = newest.entry(type_of(&entity.kind)).or_insert(entity.modified);
                *time = entity.modified.max(*time);
            }
            // What has no time may be the newest.
            places.sort_by_key(|place| {
                let time = entities[*place].modified;
                std::cmp::Reverse((time.is_none(), time))
            });
            let mut strictest: Option<Tlp> = None;
            let mut undated = Vec::new();
            let same_time =
                |one: &usize, next: &usize| entities[*one].modified == entities[*next].modified;
            let runs: Vec<Vec<usize>> = places.chunk_by(same_time).map(<[_]>::to_vec).collect();
            for run in runs {
                for entity in run.iter().map(|place| &entities[*place]) {
                    let is_newest = newest.get(&type_of(&entity.kind)) == Some(&entity.modified);
                    if is_newest || entity.modified.is_none() {
                        strictest = entity.marking().tlp.max(strictest);
                    }
                }
                for place in run {
                    let entity = &mut entities[place];
                    entity.partly = strictest.max(entity.partly);
                    if entity.modified.is_none() {
                        undated.push(place);
                    }
                }
            }
            for place in undated {
                entities[place].partly = strictest.max(entities[place].partly);
            }
        }
    }

    /// Leads links to all that their ends may mean. An update is one between entities of one type where it can be.
    fn relate(&self, facts: &mut Facts) {
        let is_shared = |relation: &Relation| {
            [&relation.source, &relation.target].into_iter().any(|it| self.names.contains_key(it))
        };
        let (ambiguous, plain): (Vec<_>, Vec<_>) =
            std::mem::take(&mut facts.relations).into_iter().partition(is_shared);
        let updates = ambiguous.iter().filter(|it| it.update_of);
        let ends: BTreeSet<&EntityKey> = updates.flat_map(|it| [&it.source, &it.target]).collect();
        let mut types: BTreeMap<&EntityKey, BTreeSet<Box<str>>> = BTreeMap::new();
        for entity in facts.entities.iter().filter(|_| !ends.is_empty()) {
            for name in names_of(entity).filter(|name| ends.contains(name)) {
                types.entry(name).or_default().insert(type_of(&entity.kind));
            }
        }
        facts.relations = plain;
        for relation in &ambiguous {
            let ends = match relation.update_of {
                true => self.updated(relation, &types),
                false => {
                    let targets = self.meant(&relation.target);
                    let sources = self.meant(&relation.source).into_iter();
                    let pairs = sources.flat_map(|source| {
                        targets.iter().map(move |it| (source.clone(), it.clone()))
                    });
                    pairs.collect()
                }
            };
            facts.relations.extend(ends.into_iter().map(|(source, target)| Relation {
                source,
                target,
                ..relation.clone()
            }));
        }
    }

    /// The ends of an update: those of one type; where none is, what becomes an event stands aside for what becomes none.
    fn updated(
        &self,
        relation: &Relation,
        types: &BTreeMap<&EntityKey, BTreeSet<Box<str>>>,
    ) -> Vec<(EntityKey, EntityKey)> {
        let none = BTreeSet::new();
        let Relation { source, target, .. } = relation;
        let [newer, older] = [source, target].map(|end| types.get(end).unwrap_or(&none));
        let same = newer.intersection(older);
        let same: Vec<_> =
            same.map(|kind| (self.key(source, kind), self.key(target, kind))).collect();
        if !same.is_empty() || newer.is_empty() || older.is_empty() {
            return if same.is_empty() { vec![(source.clone(), target.clone())] } else { same };
        }
        let akin = |own: &BTreeSet<Box<str>>, name: &EntityKey, others: &BTreeSet<Box<str>>| {
            let events = others.iter().any(|kind| self.is_event(kind));
            let like = own.iter().find(|kind| self.is_event(kind) == events);
            like.map_or_else(|| name.clone(), |kind| self.key(name, kind))
        };
        vec![(akin(newer, source, older), akin(older, target, newer))]
    }

    /// What a person should know of them.
    pub(in crate::graph) fn warning(&self) -> Option<String> {
        let several = || self.names.iter().filter(|(_, types)| types.len() > 1);
        let shown: Vec<String> = several()
            .take(SHOWN_MAX)
            .map(|(name, types)| {
                let types: Vec<&str> = types.keys().map(AsRef::as_ref).take(MEANT_MAX).collect();
                format!("{name} ({})", types.join(", "))
            })
            .collect();
        let count = several().count();
        (count > 0).then(|| {
            format!(
                "{count} ids are those of entities of several types, which are taken for several entities: {}; what is \
                 linked by such an id is linked to all of them",
                shown.join(", ")
            )
        })
    }
}

/// Whether a key is such as [`apart`] gives: a type, one dash and a UUID.
fn is_apart(key: &EntityKey) -> bool {
    const UUID_BYTES: usize = 36;
    let dashes = key.as_str().as_bytes().split_last_chunk::<UUID_BYTES>().map(|(kind, _)| kind);
    dashes.is_some_and(|kind| kind.ends_with(b"-") && !kind.ends_with(b"--"))
        && key.uuid().is_some()
}

/// The aliases without those that lead such an entity to one of another type: they are of a time when both were one.
/// What an update joins still is.
fn still_hold(facts: &Facts, touched: &[usize], aliases: &Aliases) -> Aliases {
    let mut aliases = aliases.clone();
    let end = |name: &EntityKey| aliases.end(name).filter(|root| *root != name).cloned();
    let led: Vec<(EntityKey, EntityKey, Box<str>)> = touched
        .iter()
        .map(|place| &facts.entities[*place])
        .flat_map(|entity| names_of(entity).map(move |name| (name, entity)))
        .filter_map(|(name, entity)| Some((name.clone(), end(name)?, type_of(&entity.kind))))
        .collect();
    if led.is_empty() {
        return aliases;
    }
    let mut types: BTreeMap<&EntityKey, BTreeSet<Box<str>>> =
        led.iter().map(|(_, root, _)| (root, BTreeSet::new())).collect();
    for entity in &facts.entities {
        for name in names_of(entity) {
            if let Some(types) = types.get_mut(name) {
                types.insert(type_of(&entity.kind));
            }
        }
    }
    let (mut names, places) = Names::of(facts);
    names.join_versions(facts, &places);
    let mut group = |name: &EntityKey| names.find(name).map(|name| names.group(name));
    for (name, root, kind) in &led {
        let is_of_another = !types[root].is_empty() && !types[root].contains(kind);
        if is_of_another && group(name) != group(root) {
            aliases.0.remove(name);
        }
    }
    aliases
}
