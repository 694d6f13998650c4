//! What may be and what must be in the event of an incident, worked out from the facts in the plainest
//! way: `graph` must agree, and shares no code with this.
//!
//! Where several versions of an entity have the same time, which of them counts is `graph`'s to say. So
//! there are two answers, one that takes what any of them says and one that takes what all of them say.

use std::collections::{BTreeMap, BTreeSet};

use misp_trickle::{
    graph::{Entity, Maliciousness, Observable},
    model::{EntityKey, Symbol},
};

use super::dataset::Dataset;

/// Number of an entity: of all the names that mean it.
pub(super) type Group = usize;

/// A value of an entity: whose, of which kind, as written.
pub(super) type Occurrence = (Group, Symbol, Box<str>);

/// Which versions have to agree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sure {
    Any,
    All,
}

/// The dataset by entities.
pub(super) struct Reach<'d> {
    groups: BTreeMap<&'d EntityKey, Group>,
    /// The versions that may be the newest.
    newest: BTreeMap<Group, Vec<&'d Entity>>,
    /// From, to, and whether it costs nothing.
    links: BTreeSet<(Group, Group, bool)>,
    /// Who impacted whom.
    impacts: BTreeSet<(Group, Group)>,
    events: &'d [Symbol],
    depth: u8,
}

impl<'d> Reach<'d> {
    pub(super) fn of(dataset: &'d Dataset, events: &'d [Symbol], depth: u8) -> Self {
        let groups = groups(dataset);
        let mut newest: BTreeMap<Group, Vec<&Entity>> = BTreeMap::new();
        for entity in &dataset.entities {
            newest.entry(groups[&entity.key]).or_default().push(entity);
        }
        for versions in newest.values_mut() {
            let last = versions.iter().map(|version| version.modified).max();
            versions.retain(|version| Some(version.modified) == last);
        }
        let mut links = BTreeSet::new();
        let mut impacts = BTreeSet::new();
        for link in
            dataset.relations.iter().filter(|link| link.removed.is_none() && !link.update_of)
        {
            let (one, other) = (groups[&link.source], groups[&link.target]);
            links.extend([(one, other, link.free.is_some()), (other, one, false)]);
            if link.kind.as_str() == "impacted_refs" && one != other {
                impacts.insert((one, other));
            }
        }
        Self { groups, newest, links, impacts, events, depth }
    }

    /// The entity that a name means.
    pub(super) fn group(&self, name: &EntityKey) -> Group {
        *self.groups.get(name).expect("a root is a name of the dataset")
    }

    /// Entities that become events.
    pub(super) fn incidents(&self, sure: Sure) -> BTreeSet<Group> {
        self.are(sure, |version| self.is_incident(version))
    }

    /// Entities that are there.
    pub(super) fn present(&self, sure: Sure) -> BTreeSet<Group> {
        self.are(sure, |_| true)
    }

    /// Entities whose values belong to an incident, itself included.
    pub(super) fn members(&self, incident: Group, sure: Sure) -> BTreeSet<Group> {
        let may_enter = self.are(sure, |version| !self.is_incident(version));
        let mut costs = BTreeMap::from([(incident, 0)]);
        loop {
            let known = costs.clone();
            for (one, other, free) in &self.links {
                let Some(cost) = known.get(one) else { continue };
                let cost = if *free && *one != incident { *cost } else { cost + 1 };
                let best = costs.get(other).is_none_or(|best| cost < *best);
                if cost <= self.depth && best && may_enter.contains(other) {
                    costs.insert(*other, cost);
                }
            }
            if costs == known {
                return costs.into_keys().collect();
            }
        }
    }

    /// Of these members of an incident, what was impacted by it or by others of them.
    pub(super) fn impacted(&self, incident: Group, members: &BTreeSet<Group>) -> BTreeSet<Group> {
        let inside = self.impacts.iter().filter(|(one, _)| members.contains(one));
        inside
            .map(|(_, other)| *other)
            .filter(|other| *other != incident && members.contains(other))
            .collect()
    }

    /// What entities hold, each value once.
    pub(super) fn occurrences(&self, of: &BTreeSet<Group>, sure: Sure) -> BTreeSet<Occurrence> {
        let mut all = BTreeSet::new();
        for group in of {
            let present = self.newest[group].iter().filter(|version| !version.removed);
            let held = present.map(|version| {
                let observed = version.observables.iter().map(|each| (&each.kind, &each.value));
                let unusable = version.unusable.iter().map(|each| (&each.kind, &each.value));
                let held = observed.chain(unusable);
                held.map(|(kind, value)| (*group, kind.clone(), value.clone())).collect()
            });
            let held: Option<BTreeSet<_>> = match sure {
                Sure::Any => held.reduce(|one: BTreeSet<_>, other| &one | &other),
                Sure::All => held.reduce(|one: BTreeSet<_>, other| &one & &other),
            };
            all.extend(held.unwrap_or_default());
        }
        all
    }

    /// Whether whatever version counts says that an observable of it is good, or the victim's own.
    pub(super) fn is_barred(&self, group: Group, kind: &Symbol, value: &str) -> bool {
        let bars = |observable: &Observable| {
            let own = ["affected-asset", "targeted-victim"];
            (&observable.kind, &*observable.value) == (kind, value)
                && (observable.maliciousness == Maliciousness::Safe
                    || own.iter().any(|link| observable.links.has(link)))
        };
        self.newest[&group].iter().all(|version| version.observables.iter().any(bars))
    }

    /// Whether an entity is linked to what is not there and may be an incident: for sure if no name of that says
    /// what it is; perhaps also where a step that costs nothing leads on to the entity.
    pub(super) fn reaches_outside(&self, group: Group, sure: Sure) -> bool {
        let there = match sure {
            Sure::Any => self.are(Sure::All, |_| true),
            Sure::All => self.are(Sure::Any, |_| true),
        };
        let is_named = |of: &Group| {
            let names = self.groups.iter().filter(|(_, group)| *group == of);
            names.into_iter().any(|(name, _)| name.as_str().contains("--"))
        };
        let outside = self.links.iter().filter(|(_, other, _)| !there.contains(other));
        let sure_enough = outside.filter(|(_, other, _)| sure == Sure::Any || !is_named(other));
        let mut reaching: BTreeSet<Group> = sure_enough.map(|(one, ..)| *one).collect();
        for _ in 0..if sure == Sure::Any { self.newest.len() } else { 0 } {
            let free = self.links.iter().filter(|(one, _, free)| *free && reaching.contains(one));
            let further: Vec<Group> = free.map(|(_, other, _)| *other).collect();
            reaching.extend(further);
        }
        reaching.contains(&group)
    }

    fn is_incident(&self, version: &Entity) -> bool {
        self.events.contains(&version.kind)
    }

    /// Entities that are there and of which any or all newest versions are so.
    fn are(&self, sure: Sure, so: impl Fn(&Entity) -> bool) -> BTreeSet<Group> {
        let is = |version: &&Entity| !version.removed && so(version);
        let fitting = self.newest.iter().filter(|(_, versions)| match sure {
            Sure::Any => versions.iter().any(is),
            Sure::All => versions.iter().all(is),
        });
        fitting.map(|(group, _)| *group).collect()
    }
}

/// Numbers the entities: names are the same that a version or an update joins.
fn groups(dataset: &Dataset) -> BTreeMap<&EntityKey, Group> {
    let mut joined: BTreeMap<&EntityKey, BTreeSet<&EntityKey>> = BTreeMap::new();
    let mut join = |one, other| {
        joined.entry(one).or_default().insert(other);
        joined.entry(other).or_default().insert(one);
    };
    for entity in &dataset.entities {
        join(&entity.key, entity.platform.as_ref().unwrap_or(&entity.key));
    }
    for relation in &dataset.relations {
        let is_update = relation.update_of && relation.removed.is_none();
        join(&relation.source, if is_update { &relation.target } else { &relation.source });
        join(&relation.target, &relation.target);
    }
    let mut groups: BTreeMap<&EntityKey, Group> = BTreeMap::new();
    for (number, first) in joined.keys().enumerate() {
        let mut open = vec![*first];
        while let Some(name) = open.pop() {
            if !groups.contains_key(name) {
                groups.insert(name, number);
                open.extend(&joined[name]);
            }
        }
    }
    groups
}
