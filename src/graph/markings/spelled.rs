//! Ids that are written otherwise than ids are (`indicator--{<uuid>}`, with a letter that shows nothing): they make objects of
//! their own, and each may be a version of the object whose id they spell.

use std::collections::{BTreeMap, BTreeSet};

use super::Markings;
use crate::{
    graph::Entity,
    model::{EntityKey, Tlp},
};

impl Markings {
    /// Takes down that an id spells that of another object.
    pub fn spell(&mut self, written: EntityKey, meant: EntityKey) {
        self.spelled.insert(written, meant);
    }
}

/// Makes all that may be one object as strict as the strictest of it.
pub(super) fn share(entities: &mut [Entity], spelled: &BTreeMap<EntityKey, EntityKey>) {
    if spelled.is_empty() {
        return;
    }
    let meant: BTreeSet<&EntityKey> = spelled.values().collect();
    let of = |entity: &Entity| {
        let names = [Some(&entity.key), entity.platform.as_ref()].into_iter().flatten();
        let mut names = names.map(|name| spelled.get(name).unwrap_or(name));
        names.find(|name| meant.contains(name)).cloned()
    };
    let mut strictest: BTreeMap<EntityKey, Option<Tlp>> = BTreeMap::new();
    for entity in &*entities {
        if let Some(object) = of(entity) {
            let held = strictest.entry(object).or_default();
            *held = entity.marking().tlp.max(*held);
        }
    }
    for entity in entities {
        if let Some(tlp) = of(entity).and_then(|object| strictest[&object]) {
            entity.partly = entity.partly.max(Some(tlp));
        }
    }
}
