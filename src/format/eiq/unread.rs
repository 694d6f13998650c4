//! What is seen in entities and not read: told once for each sort and source, with the number and the first
//! place, as a large package would otherwise drown all else in the same words.

use std::collections::BTreeMap;

use super::{
    external_ids,
    lenient::{Held, List, Strings},
    wire::{Embedded, Object},
};
use crate::{
    format::{element::Element, scalar::absence::says_nothing},
    graph::Facts,
    model::{Issue, Place, Severity},
};

/// A sort of what is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Reference,
    Cybox,
    Taxonomy,
    Attack,
    CustomAttribute,
}

impl Sort {
    /// What so many of them are, and what to do.
    fn told(self, count: usize) -> String {
        let (what, cure) = match self {
            Self::Reference => (
                "observables are named by URL or number and not read",
                "let the source put the observables themselves in (`extracts` of EclecticIQ JSON)",
            ),
            Self::Cybox => (
                "observables in CybOX are not read",
                "what EclecticIQ extracted from them stands in `extracts`",
            ),
            Self::Taxonomy => (
                "taxonomy entries are named by id and give no tags",
                "their names stand in `taxonomy_paths` of EclecticIQ JSON",
            ),
            Self::Attack => (
                "ATT&CK classifications have no technique or tactic that can be read",
                "ids such as T1566.001 or TA0001 are read",
            ),
            Self::CustomAttribute => {
                ("custom attributes are not read", "no type of MISP is known for them")
            }
        };
        format!("{what} ({count} in all): {cure}")
    }
}

/// How many of each sort there are, and where the first is.
#[derive(Debug, Default)]
pub(super) struct Unread(BTreeMap<Sort, (usize, Place)>);

impl Unread {
    /// Counts what is not read of an entity.
    pub(super) fn see(&mut self, object: &Object<'_>, element: &Element<'_>) {
        let (data, meta) = (&object.data.0, &object.meta.0);
        self.embedded("/observables", &object.observables, element);
        self.embedded("/data/observables", &data.observables, element);
        self.embedded("/data/observable", &data.observable, element);
        let paths = meta.taxonomy_paths.0.iter();
        let named = paths.filter(|path| path.0.iter().any(|leaf| leaf.get().is_some())).count();
        let unclear = external_ids::attacks(meta).next().is_none();
        let attack = |Strings(texts): &Strings<'_>| {
            usize::from(unclear && texts.iter().any(|text| !says_nothing(text)))
        };
        let taxonomy = match meta.taxonomy.0 {
            0 => "/meta/taxonomies",
            _ => "/meta/taxonomy",
        };
        for (sort, inside, count) in [
            (Sort::Cybox, "/data/related_observables", data.related_observables.0),
            (Sort::Taxonomy, taxonomy, (meta.taxonomy.0 + meta.taxonomies.0).saturating_sub(named)),
            (Sort::Attack, "/meta/attacks", attack(&meta.attacks)),
            (Sort::Attack, "/meta/attack", attack(&meta.attack)),
            (Sort::CustomAttribute, "/custom_attributes", object.custom_attributes.0),
            (Sort::CustomAttribute, "/data/custom_attributes", data.custom_attributes.0),
            (Sort::CustomAttribute, "/meta/custom_attributes", meta.custom_attributes.0),
        ] {
            self.count(sort, count, inside, element);
        }
    }

    fn embedded(&mut self, inside: &str, list: &List<Held<Embedded<'_>>>, element: &Element<'_>) {
        let (mut references, mut cybox) = (0, 0);
        for held in &list.0 {
            match held {
                Held::Nothing => {}
                Held::Reference => references += 1,
                // A value that is no text is told where it stands.
                Held::Is(held) if !held.value.is_absent() => {}
                Held::Is(held) if held.data.0.is_empty() => cybox += 1,
                Held::Is(held) => {
                    for inner in &held.data.0 {
                        match inner {
                            Held::Is(inner) if inner.value.is_absent() => cybox += 1,
                            Held::Reference => references += 1,
                            Held::Is(_) | Held::Nothing => {}
                        }
                    }
                }
            }
        }
        self.count(Sort::Reference, references, inside, element);
        self.count(Sort::Cybox, cybox, inside, element);
    }

    fn count(&mut self, sort: Sort, count: usize, inside: &str, element: &Element<'_>) {
        if count > 0 {
            let (all, _) = self.0.entry(sort).or_insert_with(|| (0, element.place_of(inside)));
            *all += count;
        }
    }

    /// Tells all of it.
    pub(super) fn report(self, facts: &mut Facts) {
        for (sort, (count, place)) in self.0 {
            let what = sort.told(count);
            facts.report(Issue { place, severity: Severity::Warning, what });
        }
    }
}
