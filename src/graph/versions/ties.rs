//! Versions of one entity of which nobody can say which is the newer one.

use std::collections::BTreeSet;

use crate::{
    graph::{Entity, Observable},
    model::EntityKey,
};

/// How many are named.
const SHOWN_MAX: usize = 3;

/// Entities that have such versions, where these say different things.
#[derive(Default)]
pub(super) struct Ties(BTreeSet<EntityKey>);

impl Ties {
    /// Adds an entity.
    pub(super) fn add(&mut self, root: &EntityKey) {
        self.0.insert(root.clone());
    }

    /// What a person should know of them, whose values would otherwise be missed by nobody.
    pub(super) fn warning(&self) -> Option<String> {
        let shown: Vec<&str> = self.0.iter().take(SHOWN_MAX).map(EntityKey::as_str).collect();
        let more = if self.0.len() > SHOWN_MAX { ", …" } else { "" };
        (!self.0.is_empty()).then(|| {
            format!(
                "{} entities have versions of one time, or of none, that differ: {}{more}; of each, one version was taken, \
                 and what only the others say is not sent: give the version that is meant a later time",
                self.0.len(),
                shown.join(", ")
            )
        })
    }
}

/// Whether a version says something that goes into an event and that the one that counts does not say. Of markings
/// those of all versions count.
pub(super) fn says_more(other: &Entity, newest: &Entity) -> bool {
    let titles = |it: &Entity| (it.title.clone(), it.name.clone());
    let lacks = |own: &[Box<str>], known: &[Box<str>]| own.iter().any(|it| !known.contains(it));
    let has = |own: &Observable| {
        newest.observables.iter().any(|it| it.kind == own.kind && it.value == own.value)
    };
    titles(other) != titles(newest)
        || lacks(&other.references, &newest.references)
        || lacks(&other.external_ids, &newest.external_ids)
        || !other.observables.iter().all(has)
}
