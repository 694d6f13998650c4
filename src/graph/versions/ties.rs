//! Versions of one entity that have the same time, so that none is the newer one.

use std::collections::BTreeSet;

use crate::{
    graph::{Entity, Observable},
    model::EntityKey,
};

/// How many entities the warning names.
const SHOWN_MAX: usize = 3;

/// Entities that have such versions, where these say different things.
#[derive(Default)]
pub(super) struct Ties(BTreeSet<EntityKey>);

impl Ties {
    /// Adds an entity.
    pub(super) fn add(&mut self, root: &EntityKey) {
        self.0.insert(root.clone());
    }

    /// What a person should know of them: nothing else tells which values are not sent.
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
/// those of all versions count. Both are in canonical form: what is looked up is sorted, as there may be very much of it.
pub(super) fn says_more(other: &Entity, newest: &Entity) -> bool {
    let lacks = |own: &[Box<str>], known: &[Box<str>]| {
        own.iter().any(|text| known.binary_search(text).is_err())
    };
    (&other.title, &other.name) != (&newest.title, &newest.name)
        || lacks(&other.references, &newest.references)
        || lacks(&other.external_ids, &newest.external_ids)
        || other.observables.iter().any(|own| {
            let order = |it: &Observable| (&it.kind, &it.value).cmp(&(&own.kind, &own.value));
            newest.observables.binary_search_by(order).is_err()
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::{digest::canonicalise, sample::any_facts};

    /// The same, item by item.
    fn says_more_plainly(other: &Entity, newest: &Entity) -> bool {
        let lacks = |own: &[Box<str>], known: &[Box<str>]| own.iter().any(|it| !known.contains(it));
        let says = |own: &Observable| {
            newest.observables.iter().any(|it| it.kind == own.kind && it.value == own.value)
        };
        other.title != newest.title
            || other.name != newest.name
            || lacks(&other.references, &newest.references)
            || lacks(&other.external_ids, &newest.external_ids)
            || !other.observables.iter().all(says)
    }

    proptest! {
        #[test]
        fn what_is_looked_up_is_what_is_found_item_by_item(facts in any_facts()) {
            let mut entities = facts.entities;
            entities.iter_mut().for_each(canonicalise);
            for one in &entities {
                for other in &entities {
                    // Few have one title by chance.
                    let other = Entity { title: one.title.clone(), ..other.clone() };
                    let cut = Entity { observables: one.observables.iter().step_by(2).cloned().collect(), ..one.clone() };
                    prop_assert!(!says_more(&cut, one));
                    prop_assert_eq!(says_more(one, &cut), says_more_plainly(one, &cut));
                    prop_assert_eq!(says_more(&other, one), says_more_plainly(&other, one));
                }
            }
        }
    }
}
