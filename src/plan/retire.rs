//! What left the dataset: retired, or superseded by a value that came in its place.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    misp::{DesiredAttribute, Source},
    model::{AttributeUuid, EntityKey, Symbol, Words},
};

use super::{Change, ChangeKind, EventPlan};

/// What a dataset means for what it does not hold: EclecticIQ's update strategies. None deletes in MISP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// The dataset is whole: what it does not hold has left it.
    Replace,
    /// The dataset holds what is new or modified: nothing leaves.
    Append,
    /// The dataset says itself what left it, which no file does: what it does not hold has not left.
    Diff,
}

impl Words for Strategy {
    const WORDS: &'static [(&'static str, Self)] =
        &[("replace", Self::Replace), ("append", Self::Append), ("diff", Self::Diff)];
}

/// Whether what left the dataset is retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retire<'a> {
    /// Yes: the dataset is whole.
    Yes,
    /// Only what comes from nothing but these entities, by their roots: the source said that they are gone.
    Gone(&'a BTreeSet<EntityKey>),
    /// No: the source delivers only what is new, or part of it was damaged.
    No,
}

impl Retire<'_> {
    /// Whether an attribute of these sources leaves where the dataset does not call for it.
    fn takes(self, sources: &[Source]) -> bool {
        match self {
            Self::Yes => true,
            Self::Gone(gone) => {
                !sources.is_empty() && sources.iter().all(|source| gone.contains(&source.entity))
            }
            Self::No => false,
        }
    }
}

/// Per entity and kind: what left, and what came.
#[derive(Default)]
struct Exchange {
    left: Vec<AttributeUuid>,
    came: Vec<AttributeUuid>,
}

/// Takes the feed off every attribute that it does not want any more. One that no feed wants is
/// superseded by a value new to the same entity and kind, the sorted lists of both paired one to
/// one; the rest is retired. Nothing is sent for either.
pub(super) fn apply(
    plan: &mut EventPlan,
    retire: Retire<'_>,
    feed: u8,
    wanted: &BTreeSet<AttributeUuid>,
    fresh: &[(AttributeUuid, &DesiredAttribute)],
) {
    let mut left = Vec::new();
    for (uuid, known) in &mut plan.event.attributes {
        let stays = wanted.contains(uuid) || !known.wanted.has(feed);
        if stays || !retire.takes(&known.sources) {
            continue;
        }
        let before = known.clone();
        known.unsay(feed);
        known.forget_said();
        plan.stirs |= known.stirs(&before, feed);
        plan.touched.insert(*uuid);
        if known.wanted.is_empty() && known.standing.is_in_misp() {
            left.push(*uuid);
        }
    }
    let mut successor = pair(plan, &left, fresh);
    for uuid in left {
        let next = successor.remove(&uuid);
        let known = plan.event.attributes.get_mut(&uuid).expect("taken from the map above");
        known.superseded_by = next;
        let kind = if let Some(next) = next {
            plan.tally.superseded += 1;
            ChangeKind::Superseded(next)
        } else {
            plan.tally.retired += 1;
            ChangeKind::Retired
        };
        plan.changes.push(Change { event: plan.event.head.uuid, attribute: Some(uuid), kind });
    }
}

fn pair(
    plan: &EventPlan,
    left: &[AttributeUuid],
    fresh: &[(AttributeUuid, &DesiredAttribute)],
) -> BTreeMap<AttributeUuid, AttributeUuid> {
    let mut exchanges: BTreeMap<(EntityKey, Symbol), Exchange> = BTreeMap::new();
    let place = |source: &'_ Source| -> bool { &*source.kind != "entity" };
    for uuid in left {
        for source in plan.event.attributes[uuid].sources.iter().filter(|source| place(source)) {
            let place = (source.entity.clone(), source.kind.clone());
            exchanges.entry(place).or_default().left.push(*uuid);
        }
    }
    for (uuid, desired) in fresh {
        for source in desired.sources.iter().filter(|source| place(source)) {
            // A store of 0.1.0 knows the UUID of an entity alone.
            let places = [source.entity.clone(), source.entity.bare()];
            let places = places.map(|entity| (entity, source.kind.clone()));
            if let Some(place) = places.iter().find(|place| exchanges.contains_key(*place)) {
                exchanges.entry(place.clone()).or_default().came.push(*uuid);
            }
        }
    }
    let value = |uuid: &AttributeUuid| plan.event.attributes[uuid].attribute.value.clone();
    let mut pairs = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for exchange in exchanges.values_mut() {
        exchange.left.retain(|uuid| !pairs.contains_key(uuid));
        exchange.came.retain(|uuid| !taken.contains(uuid));
        exchange.left.sort_by_key(value);
        exchange.left.dedup();
        exchange.came.sort_by_key(value);
        exchange.came.dedup();
        for (old, new) in exchange.left.iter().zip(&exchange.came) {
            pairs.insert(*old, *new);
            taken.insert(*new);
        }
    }
    pairs
}
