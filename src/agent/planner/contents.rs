//! Whether an entity of a dataset still has what was lost of it.

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    graph::Graph,
    history::Loss,
    misp::DesiredEvent,
    model::{EntityKey, kept_text},
};

/// Kinds and values, in the form in which losses are kept.
type Values<'g> = BTreeSet<(&'g str, Cow<'g, str>)>;

/// The values of a dataset's entities, of each once it was asked for.
pub(in crate::agent) struct Contents<'g> {
    pub(super) graph: &'g Graph,
    known: RefCell<BTreeMap<EntityKey, Values<'g>>>,
}

impl<'g> Contents<'g> {
    pub(in crate::agent) const fn of(graph: &'g Graph) -> Self {
        Self { graph, known: RefCell::new(BTreeMap::new()) }
    }

    /// Whether the entity that a loss is of has its value, mapped or not.
    pub(super) fn has(&self, loss: &Loss) -> bool {
        let mut known = self.known.borrow_mut();
        let values = known.entry(loss.entity.clone());
        let values = values.or_insert_with(|| self.values(&loss.entity));
        has(values, loss)
    }

    fn values(&self, root: &EntityKey) -> Values<'g> {
        let Some(entity) = self.graph.newest(root) else { return Values::new() };
        let observed = entity.distinct_observables().map(|it| (&it.kind, &it.value));
        let unusable = entity.distinct_unusable().map(|it| (&it.kind, &it.value));
        observed.chain(unusable).map(|(kind, value)| (kind.as_str(), kept_text(value))).collect()
    }
}

/// The occurrences that an event's attributes come from, once that was asked.
pub(super) struct Occurrences<'e> {
    event: &'e DesiredEvent,
    known: RefCell<Option<BTreeMap<&'e EntityKey, Values<'e>>>>,
}

impl<'e> Occurrences<'e> {
    pub(super) const fn of(event: &'e DesiredEvent) -> Self {
        Self { event, known: RefCell::new(None) }
    }

    /// Whether what was lost gives an attribute.
    pub(super) fn has(&self, loss: &Loss) -> bool {
        let mut known = self.known.borrow_mut();
        let known = known.get_or_insert_with(|| self.read());
        known.get(&loss.entity).is_some_and(|values| has(values, loss))
    }

    fn read(&self) -> BTreeMap<&'e EntityKey, Values<'e>> {
        let mut known = BTreeMap::<_, Values<'e>>::new();
        for desired in &self.event.attributes {
            for source in &desired.sources {
                let raw = source.raw.as_deref().unwrap_or(desired.attribute.value.as_str());
                let of_entity = known.entry(&source.entity).or_default();
                of_entity.insert((source.kind.as_str(), kept_text(raw)));
            }
        }
        known
    }
}

fn has(values: &Values<'_>, loss: &Loss) -> bool {
    values.contains(&(loss.kind.as_str(), Cow::Borrowed(&*loss.value)))
}
