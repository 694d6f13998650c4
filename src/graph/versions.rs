//! Version chains: which versions are of one entity, which of them is the newest, and which key is the
//! entity's for ever.
//!
//! An edit makes a new version. A minor one keeps the key and gets a new platform id; a major one gets a
//! new key, and a `stix_update_of` relation to the old one. The root of a chain must stay the same from
//! run to run although old versions leave the dataset, so what was learned once comes back as
//! [`Aliases`].

mod ties;

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use crate::model::{EntityKey, Marking, Reader, Symbol, Timestamp};

use super::{
    Entity, Facts,
    digest::{Dated, EntityDigester},
    names::{Name, Names, Places, index},
    namesakes::{self, apart::Shared},
    order::ChainOrder,
};
use ties::{Ties, says_more};

/// What the ledger remembers of names: platform ids and STIX UUIDs to the root of their entity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases(pub BTreeMap<EntityKey, EntityKey>);

/// Two roots that turned out to be one entity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Joined {
    /// The older one, whose event stays.
    pub kept: EntityKey,
    /// The other one, whose event is to be retired.
    pub retired: EntityKey,
}

/// All that is known of the entities' versions.
pub(super) struct Chains {
    /// One for each entity, sorted by root.
    pub(super) nodes: Vec<Chain>,
    /// Place in `nodes` of what a name means, if that is in the dataset.
    pub(super) node_of: Vec<Option<u32>>,
    /// By relation: the names of its source and target.
    pub(super) ends: Vec<[Name; 2]>,
    /// Names other than the root, of entities that have a version in the dataset.
    pub(super) other_names: BTreeMap<EntityKey, EntityKey>,
    pub(super) learned: BTreeMap<EntityKey, EntityKey>,
    pub(super) joined: Vec<Joined>,
    pub(super) warnings: Vec<String>,
}

/// One entity of the dataset.
pub(super) struct Chain {
    pub(super) root: EntityKey,
    /// Place of its newest version among the facts' entities.
    pub(super) newest: usize,
    /// Markings of copies that may be as new as it.
    pub(super) copies: Vec<Marking>,
    group: Name,
}

/// What is known of the names of one entity.
#[derive(Default)]
struct Group {
    names: Vec<Name>,
    /// Roots that the ledger knows, each with the name that it was known by.
    known: BTreeSet<(EntityKey, Name)>,
}

struct Resolver<'a> {
    facts: &'a Facts,
    aliases: &'a Aliases,
    event_kinds: &'a [Symbol],
    names: Names<'a>,
    places: Places,
    order: ChainOrder,
    ties: Ties,
    chains: Chains,
}

/// Resolves all version chains. The entities are in canonical form. Those of several types that share a name are set
/// apart, but for readers to which they were one.
pub(super) fn resolve(facts: &mut Facts, aliases: &Aliases, event_kinds: &[Symbol]) -> Chains {
    let (names, places) = Names::of(facts);
    if facts.read_by.is_some_and(|reader| reader < Reader::FOURTH) {
        return chains(facts, (names, places), aliases, event_kinds);
    }
    let shared = Shared::of(facts, &names, &places, aliases, event_kinds);
    if shared.is_empty() {
        return chains(facts, (names, places), aliases, event_kinds);
    }
    let aliases = shared.set_apart(facts, aliases);
    let mut chains = chains(facts, Names::of(facts), &aliases, event_kinds);
    chains.warnings.extend(shared.warning());
    chains
}

fn chains(
    facts: &Facts,
    (names, places): (Names<'_>, Places),
    aliases: &Aliases,
    event_kinds: &[Symbol],
) -> Chains {
    let order = ChainOrder::of(facts, &places);
    let chains = Chains {
        nodes: Vec::new(),
        node_of: Vec::new(),
        ends: Vec::new(),
        other_names: BTreeMap::new(),
        learned: BTreeMap::new(),
        joined: Vec::new(),
        warnings: Vec::new(),
    };
    let ties = Ties::default();
    Resolver { facts, aliases, event_kinds, names, places, order, ties, chains }.run()
}

impl<'a> Resolver<'a> {
    fn run(mut self) -> Chains {
        let groups = self.group();
        let versions = self.versions();
        for same in versions.chunk_by(|one, next| one.0 == next.0) {
            self.chain(same[0].0, same, groups.get(&same[0].0));
        }
        for (&name, group) in &groups {
            let absent = versions.binary_search_by_key(&name, |&(group, _)| group).is_err();
            if absent && !group.known.is_empty() {
                let root = self.root(&[], Some(group));
                self.learn(&root, group);
            }
        }
        self.finish()
    }

    /// Joins all names that mean one entity; gives those that have several names or a known root.
    fn group(&mut self) -> BTreeMap<Name, Group> {
        self.names.join_versions(self.facts, &self.places);
        for (bare, whole) in namesakes::of(self.facts, &self.names, &self.places) {
            self.names.join(bare, whole);
        }
        let known = self.known();
        let mut first: BTreeMap<&EntityKey, Name> = BTreeMap::new();
        for (name, root) in &known {
            let name = *name;
            let one = *first.entry(root).or_insert(name);
            self.names.join(one, name);
            if let Some(own) = self.names.find(root) {
                self.names.join(own, name);
            }
        }
        let mut groups: BTreeMap<Name, Group> = BTreeMap::new();
        for (group, names) in self.names.groups() {
            groups.insert(group, Group { names, known: BTreeSet::new() });
        }
        for (name, root) in known {
            let group = self.names.group(name);
            let of = groups
                .entry(group)
                .or_insert_with(|| Group { names: vec![group], known: BTreeSet::new() });
            of.known.insert((root, name));
        }
        groups
    }

    /// Names that the ledger knows, with the root it knows for them.
    fn known(&self) -> Vec<(Name, EntityKey)> {
        if self.aliases.0.is_empty() {
            return Vec::new();
        }
        (0..index(self.names.len()))
            .filter_map(|name| Some((name, self.aliases.root(self.names.key(name))?)))
            .collect()
    }

    /// Every version with the group that it is of, sorted by group.
    fn versions(&mut self) -> Vec<(Name, u32)> {
        let mut versions: Vec<(Name, u32)> = Vec::with_capacity(self.places.keys.len());
        for (place, &key) in self.places.keys.iter().enumerate() {
            versions.push((self.names.group(key), index(place)));
        }
        versions.sort_unstable();
        versions
    }

    fn chain(&mut self, name: Name, versions: &[(Name, u32)], group: Option<&Group>) {
        let places: Vec<usize> = versions.iter().map(|&(_, place)| place as usize).collect();
        let newest = places.iter().copied().max_by(|&one, &other| self.compare(one, other));
        let newest = newest.expect("a chain has at least one version");
        let others = || places.iter().copied().filter(|&place| place != newest);
        let copies = others().filter(|&place| self.may_be_as_new(place, newest));
        let copies = copies.map(|place| self.facts.entities[place].marking()).collect();
        let root = self.root(&places, group);
        if others().any(|place| self.is_left_unsaid(place, newest)) {
            self.ties.add(&root);
        }
        if let Some(group) = group {
            self.learn(&root, group);
            let others = group.names.iter().map(|&name| self.names.key(name));
            for other in others.filter(|&key| *key != root) {
                self.chains.other_names.insert(other.clone(), root.clone());
            }
        }
        if self.becomes_event(newest) {
            self.remember(&root, &root);
        }
        self.chains.nodes.push(Chain { root, newest, copies, group: name });
    }

    /// By time; where that is equal by place in the chain; where that is equal too, a removed version
    /// wins, as what is absent is never sent; then by content, so that the order of input has no say.
    fn compare(&self, one: usize, other: usize) -> Ordering {
        let entity = |at: usize| &self.facts.entities[at];
        self.age_order(one).cmp(&self.age_order(other)).then_with(|| {
            let digester = EntityDigester::new();
            let late = |at: usize| {
                let Entity { key, platform, id, created, .. } = entity(at);
                (digester.digest(entity(at), Dated::Yes), key, platform, id, created)
            };
            late(one).cmp(&late(other))
        })
    }

    /// What decides which of two versions is newer; where it is equal, their content does.
    fn age_order(&self, at: usize) -> (Option<Timestamp>, (u32, u32), bool) {
        let entity = &self.facts.entities[at];
        (entity.modified, self.rank(at), entity.removed)
    }

    /// Whether a version is as new as the one that counts and says something that is not sent.
    fn is_left_unsaid(&self, place: usize, newest: usize) -> bool {
        let [other, counts] = [place, newest].map(|at| &self.facts.entities[at]);
        !counts.removed
            && self.age_order(place) == self.age_order(newest)
            && says_more(other, counts)
    }

    /// Whether a version may be as new as the one that counts: one of the same time, whatever its place in the chain.
    /// Where a time is not known, only a major update of which the time is known comes after it for sure.
    fn may_be_as_new(&self, place: usize, newest: usize) -> bool {
        let time = |at: usize| self.facts.entities[at].modified;
        let (rank, last) = (self.rank(place), self.rank(newest));
        match (time(place), time(newest)) {
            (Some(time), Some(last_time)) => time == last_time,
            (None, Some(_)) => rank.0 >= last.0,
            (_, None) => true,
        }
    }

    fn rank(&self, place: usize) -> (u32, u32) {
        self.order.rank(self.places.keys[place], self.places.platforms[place])
    }

    /// The key of an entity: what the ledger knows, else the first version that is there or named.
    fn root(&mut self, places: &[usize], group: Option<&Group>) -> EntityKey {
        let cyclic =
            group.is_some_and(|group| group.names.iter().any(|&name| self.order.is_cyclic(name)));
        let root = match group {
            Some(group) if !group.known.is_empty() => self.known_root(places, group, cyclic),
            _ if cyclic => self.oldest(places, cyclic).clone(),
            _ => self.named(places, group).unwrap_or_else(|| self.oldest(places, cyclic)).clone(),
        };
        if cyclic {
            self.chains.warnings.push(format!(
                "the versions of {root} form a cycle of stix_update_of relations; \
                 {root} is taken as the first of them"
            ));
        }
        root
    }

    /// The first version of a chain, where only relations name it: it left the dataset, or never was in it, and
    /// every version that is there updates another.
    fn named(&self, places: &[usize], group: Option<&Group>) -> Option<&'a EntityKey> {
        let updates = |&place: &usize| self.rank(place).0 > 0;
        let first =
            |&name: &Name| self.order.is_first(name) && self.names.key(name).uuid().is_some();
        let names = group.filter(|_| places.iter().all(updates))?.names.iter().copied();
        names.filter(first).min().map(|name| self.names.key(name))
    }

    fn oldest(&self, places: &[usize], cyclic: bool) -> &'a EntityKey {
        let entities = &self.facts.entities;
        let oldest = places.iter().copied().min_by_key(|&place| {
            let age = (!cyclic).then(|| (age(&entities[place]), self.rank(place)));
            (age, &entities[place].key)
        });
        &entities[oldest.expect("an entity without a known root has a version")].key
    }

    /// Of several known roots the one first in the chain, else the older, else the smaller key. A root
    /// without a version in the dataset is older than one that has it.
    fn known_root(&mut self, places: &[usize], group: &Group, cyclic: bool) -> EntityKey {
        let mut ages: BTreeMap<&EntityKey, ((u32, u32), Option<Timestamp>)> = BTreeMap::new();
        for (root, name) in &group.known {
            let rank = self.order.rank(*name, None);
            let entry = ages.entry(root).or_insert((rank, None));
            entry.0 = entry.0.min(rank);
        }
        for &place in places {
            let entity = &self.facts.entities[place];
            let root = self.aliases.root(&entity.key).unwrap_or_else(|| entity.key.clone());
            if let Some((_, known)) = ages.get_mut(&root) {
                let own = age(entity);
                *known =
                    known.map_or(own, |known| own.map_or(Some(known), |own| Some(own.min(known))));
            }
        }
        let kept = *ages
            .iter()
            .min_by_key(|&(root, age)| ((!cyclic).then_some(age), root))
            .expect("the caller saw a known root")
            .0;
        for &retired in ages.keys().filter(|&&root| root != kept) {
            self.chains.warnings.push(format!(
                "{retired} turned out to be another version of {kept}: the event of {kept} stays, \
                 the event of {retired} is retired"
            ));
            self.chains.joined.push(Joined { kept: kept.clone(), retired: retired.clone() });
            self.remember(retired, kept);
        }
        kept.clone()
    }

    /// Remembers every name of an entity that goes by more than one.
    fn learn(&mut self, root: &EntityKey, group: &Group) {
        for &name in &group.names {
            let key = self.names.key(name);
            self.remember(key, root);
        }
        if group.names.len() > 1 {
            self.remember(root, root);
        }
    }

    fn remember(&mut self, name: &EntityKey, root: &EntityKey) {
        if self.aliases.0.get(name) != Some(root) {
            self.chains.learned.insert(name.clone(), root.clone());
        }
    }

    fn becomes_event(&self, place: usize) -> bool {
        self.event_kinds.contains(&self.facts.entities[place].kind)
    }

    fn finish(mut self) -> Chains {
        // Groups come in the order of their first name, so this is close to sorted already.
        self.chains.nodes.sort_by(|one, other| one.root.cmp(&other.root));
        let mut node_of_group = vec![None; self.names.len()];
        for (node, chain) in self.chains.nodes.iter().enumerate() {
            node_of_group[chain.group as usize] = Some(index(node));
        }
        let names = 0..index(self.names.len());
        self.chains.node_of =
            names.map(|name| node_of_group[self.names.group(name) as usize]).collect();
        self.chains.ends = self.places.ends;
        self.chains.joined.sort_unstable();
        self.chains.warnings.extend(self.ties.warning());
        self.chains.warnings.sort_unstable();
        self.chains
    }
}

impl Aliases {
    /// The root of a name. A bare alias, from an EclecticIQ dataset or a store of 0.1.0, holds for any type: it
    /// leads to the object of the same type.
    fn root(&self, name: &EntityKey) -> Option<EntityKey> {
        if let Some(root) = self.end(name) {
            return Some(root.clone());
        }
        name.kind()?;
        match self.end(&name.bare())? {
            root if root.kind().is_none() => {
                let root = name.with_uuid_of(root);
                Some(self.end(&root).cloned().unwrap_or(root))
            }
            root => (root.kind() == name.kind()).then(|| root.clone()),
        }
    }

    /// The aliases as an older reader knew them.
    #[must_use]
    pub fn as_read_by(&self, reader: Reader) -> Self {
        if reader >= Reader::SECOND {
            return self.clone();
        }
        let mut bare = BTreeMap::new();
        let (own, others): (Vec<_>, Vec<_>) =
            self.0.iter().partition(|(name, _)| name.kind().is_none());
        for (name, root) in own.into_iter().chain(others) {
            bare.entry(name.bare()).or_insert_with(|| root.bare());
        }
        Self(bare)
    }

    /// Follows aliases of aliases; of those that run in a circle the smallest is the end.
    pub(super) fn end(&self, name: &EntityKey) -> Option<&EntityKey> {
        let next = |root: &EntityKey| self.0.get(root).filter(|&next| next != root);
        let mut root = self.0.get(name)?;
        let mut passed = BTreeSet::new();
        while let Some(further) = next(root) {
            if !passed.insert(root) {
                let circle = std::iter::successors(next(root), |&key| next(key));
                return circle.take_while(|&key| key != root).chain([root]).min();
            }
            root = further;
        }
        Some(root)
    }
}

fn age(entity: &Entity) -> Option<Timestamp> {
    entity.modified.or(entity.created)
}
