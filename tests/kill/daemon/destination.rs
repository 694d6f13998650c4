//! A MISP behind a faulty proxy, and what must never be there or in the ledger of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
};

use misp_trickle::{
    history::Ledger,
    model::DestinationName,
    plan::{KnownEvent, Standing},
    store::Store,
};
use misp_trickle_testing::program::Sandbox;
use uuid::Uuid;

use super::feeds::{Feeds, Incidents};
use crate::proxy::FaultyProxy;

pub(super) struct Destination {
    pub(super) name: &'static str,
    pub(super) sandbox: Sandbox,
    pub(super) proxy: Arc<FaultyProxy>,
    has_both: bool,
    /// What the ledger said to be in MISP, by event and attribute.
    claimed: BTreeSet<(Uuid, Uuid)>,
}

impl Destination {
    pub(super) fn start(name: &'static str, has_both: bool, seed: u64, renews: bool) -> Self {
        let sandbox = Sandbox::start();
        let proxy = FaultyProxy::before(sandbox.address, seed);
        proxy.renews.store(renews, Ordering::SeqCst);
        Self { name, sandbox, proxy, has_both, claimed: BTreeSet::new() }
    }

    /// No event and no value that nobody wants, none twice, and none touched after it was added.
    pub(super) fn look_at_misp(&self, feeds: &Feeds) {
        let wanted = feeds.wanted(self.has_both);
        let traffic = self.proxy.traffic.lock().unwrap();
        assert!(
            traffic.renewed.is_empty(),
            "{}: newer timestamps: {:?}",
            self.name,
            traffic.renewed
        );
        for (event, attributes) in self.held() {
            let Some(values) = wanted.get(&event) else {
                panic!("{}: nobody wants the event {event}", self.name)
            };
            let mut seen = BTreeSet::new();
            for attribute in attributes {
                let what = format!("{}: {event} {attribute:?}", self.name);
                let typed = (attribute.kind.to_string(), attribute.value);
                assert!(values.contains(&typed), "nobody wants {what}");
                assert!(seen.insert(typed), "twice: {what}");
                let sent = traffic.sent.get(&(event, attribute.uuid));
                assert_eq!(sent, Some(&attribute.timestamp), "changed by what came again: {what}");
            }
        }
    }

    /// Whether it holds exactly what its feeds call for.
    pub(super) fn holds_all(&self, feeds: &Feeds) {
        let held = self.held().into_iter().map(|(event, attributes)| {
            let typed = attributes.into_iter().map(|it| (it.kind.to_string(), it.value));
            (event, typed.collect::<BTreeSet<_>>())
        });
        let (held, wanted): (Incidents, Incidents) = (held.collect(), feeds.wanted(self.has_both));
        for (event, values) in &wanted {
            let there = held.get(event).cloned().unwrap_or_default();
            let missing: Vec<_> = values.difference(&there).collect();
            assert!(missing.is_empty(), "{}: {event} lacks {missing:?}", self.name);
        }
        assert_eq!(held, wanted, "{}", self.name);
    }

    /// What lives in MISP, by event.
    fn held(&self) -> BTreeMap<Uuid, Vec<misp_trickle::sandbox::AttributeView>> {
        let misp = self.sandbox.misp.lock().unwrap();
        let mut held = BTreeMap::new();
        for event in misp.events() {
            let attributes = misp.attributes(event.uuid);
            assert!(attributes.iter().all(|it| !it.deleted), "{}: {attributes:?}", self.name);
            let earlier = held.insert(event.uuid, attributes);
            assert!(earlier.is_none(), "{}: two events {}", self.name, event.uuid);
        }
        held
    }

    /// What was sent was written down before, what is claimed is true, and what was claimed once stays so.
    pub(super) fn look_at_the_store(&mut self, store: Option<&Store>) {
        let sent = self.proxy.traffic.lock().unwrap().sent.clone();
        let name = self.name;
        let Some(store) = store else {
            assert!(sent.is_empty() && self.claimed.is_empty(), "{name}: the store is gone");
            return;
        };
        let destination = DestinationName::new(name);
        let heads = store.heads(&destination).unwrap();
        let known = heads.iter().map(|head| store.event(&destination, head.uuid).unwrap().unwrap());
        let known: Vec<KnownEvent> = known.collect();
        let mut attributes = BTreeMap::new();
        for event in &known {
            let rows = event.attributes.values();
            attributes
                .extend(rows.map(|it| ((event.head.uuid.uuid(), it.attribute.uuid.uuid()), it)));
        }
        for (place, timestamp) in &sent {
            let Some(ours) = attributes.get(place) else {
                panic!("{name}: {place:?} was sent, and the ledger knows nothing of it")
            };
            let same = ours.standing != Standing::Pending || ours.timestamp == Some(*timestamp);
            assert!(same, "{name}: {place:?} would go with another timestamp: {ours:?}");
        }
        let held = self.held().into_iter();
        let there: BTreeSet<(Uuid, Uuid)> = held
            .flat_map(|(event, rows)| rows.into_iter().map(move |row| (event, row.uuid)))
            .collect();
        let claims: BTreeSet<(Uuid, Uuid)> = attributes
            .iter()
            .filter(|(_, ours)| ours.standing.is_in_misp())
            .map(|(place, _)| *place)
            .collect();
        let untrue: Vec<_> = claims.difference(&there).collect();
        assert!(untrue.is_empty(), "{name}: the ledger claims {untrue:?}");
        let withdrawn: Vec<_> = self.claimed.difference(&claims).collect();
        assert!(withdrawn.is_empty(), "{name}: {withdrawn:?} was claimed once");
        self.claimed = claims;
    }
}
