//! Names that entities of several types share, told apart in the plainest way: `graph` must agree, and shares no code
//! with this.

use std::collections::{BTreeMap, BTreeSet};

use misp_trickle::{
    graph::{Entity, Extent, Relation},
    model::{EntityKey, Symbol},
};

use super::{
    dataset::{Dataset, Form},
    strict::tag_colour,
};

/// The types that have a name, with what each goes by.
type Shared = BTreeMap<EntityKey, BTreeMap<Symbol, EntityKey>>;

impl Dataset {
    /// The same dataset, in which no two types share a name.
    pub(super) fn apart(&self, events: &[Symbol]) -> Self {
        let shared = shared(&self.entities, events);
        let mut apart = self.clone();
        for (place, entity) in self.entities.iter().enumerate() {
            apart.entities[place].key = key(&shared, &entity.key, &entity.kind);
            let platform = entity.platform.as_ref();
            apart.entities[place].platform = platform.map(|name| key(&shared, name, &entity.kind));
            if shared.contains_key(&entity.key) {
                for newer in (0..self.entities.len()).filter(|&it| self.is_newer(it, place)) {
                    apart.entity_forms[place].extend(self.colours(newer));
                }
            }
        }
        (apart.relations, apart.link_forms) = (Vec::new(), Vec::new());
        for (link, forms) in self.relations.iter().zip(&self.link_forms) {
            for (source, target) in self.meant(link, &shared, events) {
                apart.relations.push(Relation { source, target, ..link.clone() });
                apart.link_forms.push(forms.clone());
            }
        }
        apart
    }

    /// Whether one is the newest of its type and name, and may be newer than another of that name.
    fn is_newer(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.entities[one], &self.entities[other]);
        let mut same =
            self.entities.iter().filter(|it| (&it.key, &it.kind) == (&one.key, &one.kind));
        one.key == other.key
            && (one.modified.is_none() || same.all(|it| it.modified <= one.modified))
            && (one.modified.is_none()
                || other.modified.is_none()
                || one.modified >= other.modified)
    }

    /// All colours of an entity, as those of a part.
    fn colours(&self, place: usize) -> Vec<(Form, Extent)> {
        let Entity { tlp, partly, tags, .. } = &self.entities[place];
        let tagged = tags.iter().filter_map(|tag| tag_colour(tag));
        let colours = tlp.iter().chain(partly).copied().chain(tagged).map(Form::Colour);
        let forms = self.entity_forms[place].iter().map(|(form, _)| *form);
        colours.chain(forms).map(|form| (form, Extent::Part)).collect()
    }

    /// The ends that a link may mean.
    fn meant(
        &self,
        link: &Relation,
        shared: &Shared,
        events: &[Symbol],
    ) -> Vec<(EntityKey, EntityKey)> {
        let all = |name: &EntityKey| {
            let mut all = vec![name.clone()];
            let others = shared.get(name).into_iter().flat_map(BTreeMap::values);
            all.extend(others.filter(|key| *key != name).cloned());
            all
        };
        if !link.update_of {
            let targets = all(&link.target);
            let pairs = all(&link.source).into_iter();
            return pairs
                .flat_map(|one| targets.clone().into_iter().map(move |other| (one.clone(), other)))
                .collect();
        }
        let [newer, older] = [&link.source, &link.target].map(|end| types(&self.entities, end));
        let both = newer.intersection(&older);
        let ends = |one: &Symbol, other: &Symbol| {
            (key(shared, &link.source, one), key(shared, &link.target, other))
        };
        let same: Vec<_> = both.map(|kind| ends(kind, kind)).collect();
        if !same.is_empty() || newer.is_empty() || older.is_empty() {
            let as_named = vec![(link.source.clone(), link.target.clone())];
            return if same.is_empty() { as_named } else { same };
        }
        let akin = |name: &EntityKey, own: &BTreeSet<Symbol>, others: &BTreeSet<Symbol>| {
            let is_event = others.iter().any(|kind| events.contains(kind));
            let like = own.iter().find(|kind| events.contains(kind) == is_event);
            like.map_or(name.clone(), |kind| key(shared, name, kind))
        };
        vec![(akin(&link.source, &newer, &older), akin(&link.target, &older, &newer))]
    }
}

fn key(shared: &Shared, name: &EntityKey, kind: &Symbol) -> EntityKey {
    shared.get(name).and_then(|types| types.get(kind)).unwrap_or(name).clone()
}

fn types(entities: &[Entity], name: &EntityKey) -> BTreeSet<Symbol> {
    let have = entities.iter().filter(|it| it.key == *name || it.platform.as_ref() == Some(name));
    have.map(|entity| entity.kind.clone()).collect()
}

fn shared(entities: &[Entity], events: &[Symbol]) -> Shared {
    let platforms = entities.iter().filter_map(|entity| entity.platform.as_ref());
    let names: BTreeSet<&EntityKey> =
        entities.iter().map(|entity| &entity.key).chain(platforms).collect();
    let mut shared = Shared::new();
    for name in names.into_iter().filter(|name| name.kind().is_none()) {
        let types = types(entities, name);
        let first =
            types.iter().min_by_key(|kind| (!events.contains(kind), &***kind != "incident", *kind));
        let goes_by = |kind: &Symbol| match (Some(kind) == first, name.uuid()) {
            (true, _) => name.clone(),
            (false, Some(_)) => EntityKey::whole(&format!("{kind}-{name}")),
            (false, None) => EntityKey::whole(&format!("{kind}--{name}")),
        };
        if types.len() > 1 {
            let keys = types.iter().map(|kind| (kind.clone(), goes_by(kind))).collect();
            shared.insert(name.clone(), keys);
        }
    }
    shared
}
