//! One entity under a bare key and a whole id.
//!
//! A source may hold EclecticIQ JSON, which names an entity by its UUID, beside STIX, which names it by its
//! whole id. Where the types agree both mean one entity.

pub(super) mod apart;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Facts,
    names::{Name, Names, Places},
};

/// Pairs of a bare key and a whole id that mean one entity: the type of the one is that of the other, or
/// nothing is said of the bare one but a link, and no other type has its UUID. Of what was set apart from its bare key
/// likewise.
pub(super) fn of(facts: &Facts, names: &Names<'_>, places: &Places) -> Vec<(Name, Name)> {
    let mut runs = names.namesakes();
    let mut pairs: Vec<(Name, Name)> = Vec::new();
    for run in &runs {
        let prefix = |name: Name| names.key(name).prefix();
        let is_apart = |name: &Name| !prefix(*name).is_empty() && names.key(*name).kind().is_none();
        if !run.clone().any(|name| is_apart(&name)) {
            continue;
        }
        let mut wholes = BTreeMap::<&str, Name>::new();
        for name in run.clone() {
            if let Some(whole) = prefix(name).strip_suffix('-') {
                wholes.entry(whole).or_insert(name);
            }
        }
        let apart = run.clone().filter(is_apart);
        pairs.extend(apart.filter_map(|name| Some((name, *wholes.get(prefix(name))?))));
    }
    runs.retain(|run| names.key(run.start).is_bare());
    if runs.is_empty() {
        return pairs;
    }
    let mut kinds: BTreeMap<Name, BTreeSet<&str>> =
        runs.iter().map(|run| (run.start, BTreeSet::new())).collect();
    for (at, entity) in facts.entities.iter().enumerate() {
        for name in [Some(places.keys[at]), places.platforms[at]].into_iter().flatten() {
            if let Some(kinds) = kinds.get_mut(&name) {
                kinds.insert(entity.kind.as_str());
            }
        }
    }
    for run in runs {
        let (bare, kinds) = (run.start, &kinds[&run.start]);
        let is_alone = run.len() == 2;
        let same = (bare + 1..run.end).filter(|&name| match names.key(name).kind() {
            Some(_) if kinds.is_empty() => is_alone,
            Some(kind) => kinds.contains(kind),
            None => false,
        });
        pairs.extend(same.map(|name| (bare, name)));
    }
    pairs
}
