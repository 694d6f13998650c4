//! Which version came after which, from `stix_update_of` relations.

use std::collections::{BTreeMap, BTreeSet};

use super::{Facts, names::Name, names::Places};

/// The order of versions within their chains.
#[derive(Default)]
pub(super) struct ChainOrder {
    /// Between ids of entities (a major version).
    by_key: Ranks,
    /// Between names as written, which are mostly platform ids (a minor version keeps its key).
    by_name: Ranks,
}

/// How many versions of its chain a name is after, at most; and the names that have no such number.
#[derive(Default)]
struct Ranks {
    ranks: BTreeMap<Name, u32>,
    cyclic: BTreeSet<Name>,
}

impl ChainOrder {
    /// Reads the order from all relations that are there.
    pub(super) fn of(facts: &Facts, places: &Places) -> Self {
        let updates: BTreeSet<(Name, Name)> = facts
            .relations
            .iter()
            .zip(&places.ends)
            .filter(|(relation, _)| relation.update_of && relation.removed.is_none())
            .map(|(_, &[newer, older])| (newer, older))
            .collect();
        if updates.is_empty() {
            return Self::default();
        }
        let mut key_of: BTreeMap<Name, Name> = BTreeMap::new();
        for (&key, &platform) in places.keys.iter().zip(&places.platforms) {
            if let Some(platform) = platform {
                key_of.entry(platform).and_modify(|known| *known = key.min(*known)).or_insert(key);
            }
        }
        let key = |name| key_of.get(&name).copied().unwrap_or(name);
        let by_key = updates.iter().map(|&(newer, older)| (key(newer), key(older))).collect();
        Self { by_key: Ranks::of(&by_key), by_name: Ranks::of(&updates) }
    }

    /// Place of a version in its chain, for comparing with others of the chain: the oldest is least.
    pub(super) fn rank(&self, key: Name, platform: Option<Name>) -> (u32, u32) {
        (self.by_key.rank(key), self.by_name.rank(platform.unwrap_or(key)))
    }

    /// Whether a name is that of a version which others update, and which updates none.
    pub(super) fn is_first(&self, name: Name) -> bool {
        self.by_key.ranks.get(&name) == Some(&0)
    }

    /// Whether a name is on a cycle, or newer than one.
    pub(super) fn is_cyclic(&self, name: Name) -> bool {
        self.by_key.cyclic.contains(&name) || self.by_name.cyclic.contains(&name)
    }
}

impl Ranks {
    /// Works upwards from what is an update of nothing; what is never reached hangs on a cycle.
    fn of(updates: &BTreeSet<(Name, Name)>) -> Self {
        let mut newer_than: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
        let mut open: BTreeMap<Name, usize> = BTreeMap::new();
        for &(newer, older) in updates.iter().filter(|(newer, older)| newer != older) {
            newer_than.entry(older).or_default().push(newer);
            *open.entry(newer).or_default() += 1;
            open.entry(older).or_default();
        }
        let mut ranks: BTreeMap<Name, u32> = BTreeMap::new();
        let mut ready: Vec<Name> =
            open.iter().filter(|&(_, &count)| count == 0).map(|(&name, _)| name).collect();
        while let Some(name) = ready.pop() {
            open.remove(&name);
            let next = ranks.entry(name).or_default().saturating_add(1);
            for &newer in newer_than.get(&name).into_iter().flatten() {
                let rank = ranks.entry(newer).or_default();
                *rank = next.max(*rank);
                let count = open.get_mut(&newer).expect("a name is open until its last update");
                *count -= 1;
                if *count == 0 {
                    ready.push(newer);
                }
            }
        }
        let cyclic: BTreeSet<Name> = open.into_keys().collect();
        ranks.retain(|name, _| !cyclic.contains(name));
        Self { ranks, cyclic }
    }

    fn rank(&self, name: Name) -> u32 {
        self.ranks.get(&name).copied().unwrap_or(0)
    }
}
