//! Numbers for the names of a dataset, and which names mean the same entity.
//!
//! A dataset names one entity by its id, by the platform ids of its versions and by both in relations.
//! All names are numbered by one sort of integers (a UUID is one; where several types share it, they are told
//! apart afterwards), as a million lookups by text would cost more than everything else here; then they are
//! joined by union and find.

use std::collections::BTreeMap;

use crate::model::EntityKey;

use super::Facts;

/// Number of a name. Numbers follow the order of the names: those with a UUID first, then other texts.
pub(super) type Name = u32;

/// All names of a dataset, numbered, and joined where they mean one entity.
pub(super) struct Names<'f> {
    keys: Vec<&'f EntityKey>,
    uuids: Vec<(u64, u64)>,
    parents: Vec<Name>,
}

/// The numbers of the names in each place of the facts.
pub(super) struct Places {
    /// By entity: its key.
    pub(super) keys: Vec<Name>,
    /// By entity: the platform id of this version.
    pub(super) platforms: Vec<Option<Name>>,
    /// By relation: source and target.
    pub(super) ends: Vec<[Name; 2]>,
}

impl<'f> Names<'f> {
    /// Numbers every name of the facts.
    pub(super) fn of(facts: &'f Facts) -> (Self, Places) {
        let written: Vec<&EntityKey> = facts
            .entities
            .iter()
            .flat_map(|entity| [Some(&entity.key), entity.platform.as_ref()])
            .flatten()
            .chain(facts.relations.iter().flat_map(|relation| [&relation.source, &relation.target]))
            .collect();
        let (names, numbers) = Self::number(&written);
        let mut next = numbers.into_iter();
        let mut next = || next.next().expect("every written name has a number");
        let mut places = Places {
            keys: Vec::with_capacity(facts.entities.len()),
            platforms: Vec::with_capacity(facts.entities.len()),
            ends: Vec::with_capacity(facts.relations.len()),
        };
        for entity in &facts.entities {
            places.keys.push(next());
            places.platforms.push(entity.platform.as_ref().map(|_| next()));
        }
        places.ends.extend(facts.relations.iter().map(|_| [next(), next()]));
        (names, places)
    }

    fn number(written: &[&'f EntityKey]) -> (Self, Vec<Name>) {
        let mut numbers = vec![0; written.len()];
        let mut by_uuid = Vec::with_capacity(written.len());
        let mut by_text = Vec::new();
        for (place, key) in written.iter().enumerate() {
            let place = index(place);
            match key.uuid() {
                Some(uuid) => {
                    let (high, low) = uuid.as_u64_pair();
                    by_uuid.push((high, low, place));
                }
                None => by_text.push((key.as_str(), place)),
            }
        }
        by_uuid.sort_unstable();
        by_text.sort_unstable();
        let mut keys: Vec<&EntityKey> = Vec::new();
        let mut uuids: Vec<(u64, u64)> = Vec::new();
        for same in by_uuid.chunk_by_mut(|one, next| (one.0, one.1) == (next.0, next.1)) {
            let prefix = |&(_, _, place): &(u64, u64, u32)| written[place as usize].prefix();
            if !same.is_sorted_by_key(prefix) {
                same.sort_by_cached_key(prefix);
            }
            for of_type in same.chunk_by(|one, next| prefix(one) == prefix(next)) {
                let (high, low, place) = of_type[0];
                uuids.push((high, low));
                keys.push(written[place as usize]);
                let number = index(keys.len() - 1);
                of_type.iter().for_each(|&(_, _, place)| numbers[place as usize] = number);
            }
        }
        let mut last = None;
        for (text, place) in by_text {
            if last.replace(text) != Some(text) {
                keys.push(written[place as usize]);
            }
            numbers[place as usize] = index(keys.len() - 1);
        }
        let parents = (0..index(keys.len())).collect();
        (Self { keys, uuids, parents }, numbers)
    }

    /// How many names there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The name itself.
    pub(super) fn key(&self, name: Name) -> &'f EntityKey {
        self.keys[name as usize]
    }

    /// The number of a name, if the facts hold it.
    pub(super) fn find(&self, key: &EntityKey) -> Option<Name> {
        let found = match key.uuid() {
            Some(uuid) => {
                let uuid = uuid.as_u64_pair();
                let first = self.uuids.partition_point(|known| *known < uuid);
                let same = self.uuids[first..].partition_point(|known| *known == uuid);
                let prefix = key.prefix();
                let same = &self.keys[first..first + same];
                same.binary_search_by_key(&prefix, |known| known.prefix()).ok().map(|at| first + at)
            }
            None => self.keys[self.uuids.len()..]
                .binary_search_by(|known| known.as_str().cmp(key.as_str()))
                .ok()
                .map(|at| at + self.uuids.len()),
        };
        found.map(index)
    }

    /// Says that two names mean the same entity. The smallest number speaks for all.
    pub(super) fn join(&mut self, one: Name, other: Name) {
        let (one, other) = (self.group(one), self.group(other));
        self.parents[one.max(other) as usize] = one.min(other);
    }

    /// Joins the names of each version, and those that an update joins.
    pub(super) fn join_versions(&mut self, facts: &Facts, places: &Places) {
        for (&key, &platform) in places.keys.iter().zip(&places.platforms) {
            if let Some(platform) = platform {
                self.join(key, platform);
            }
        }
        for (relation, &[newer, older]) in facts.relations.iter().zip(&places.ends) {
            if relation.update_of && relation.removed.is_none() {
                self.join(newer, older);
            }
        }
    }

    /// The number that speaks for all names of an entity, whatever the order in which they were joined.
    pub(super) fn group(&mut self, mut name: Name) -> Name {
        while self.parents[name as usize] != name {
            let grand = self.parents[self.parents[name as usize] as usize];
            self.parents[name as usize] = grand;
            name = grand;
        }
        name
    }

    /// The names of each UUID that several names share, in their order.
    pub(super) fn namesakes(&self) -> Vec<std::ops::Range<Name>> {
        let mut runs = Vec::new();
        let mut start = 0;
        for same in self.uuids.chunk_by(|one, next| one == next) {
            let end = start + index(same.len());
            if same.len() > 1 {
                runs.push(start..end);
            }
            start = end;
        }
        runs
    }

    /// Names of every entity that has more than one, by the number that speaks for them.
    pub(super) fn groups(&mut self) -> BTreeMap<Name, Vec<Name>> {
        let mut groups: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
        for name in 0..index(self.len()) {
            let group = self.group(name);
            if group != name {
                groups.entry(group).or_insert_with(|| vec![group]).push(name);
            }
        }
        groups
    }
}

/// A place in a list as a number of 32 bits, which keeps the tables small.
pub(super) fn index(place: usize) -> u32 {
    u32::try_from(place).expect("a dataset with four billion names does not fit in memory")
}
