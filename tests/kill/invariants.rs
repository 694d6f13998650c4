//! What must never be, however the program was killed.

use std::collections::BTreeSet;

use misp_trickle::{
    history::Ledger,
    model::DestinationName,
    plan::{EventHead, KnownEvent, Standing},
    store::Store,
};
use uuid::Uuid;

use crate::scene::Scene;

impl Scene {
    /// Nothing twice, nothing changed back, nothing that an analyst deleted, nothing that nobody wanted.
    pub(crate) fn look_at_misp(&self) {
        let misp = self.misp.lock().unwrap();
        for event in misp.events() {
            let mut live = BTreeSet::new();
            for attribute in misp.attributes(event.uuid) {
                let place = (event.uuid, attribute.value.clone());
                let by_us = attribute.uuid.get_version_num() == 5;
                assert!(!by_us || self.ever.contains(&place), "{place:?} was never desired");
                let comment = self.analyst.comments.get(&attribute.uuid);
                let kept = comment.is_none_or(|comment| *comment == attribute.comment);
                assert!(kept, "changed back: {attribute:?}");
                if !attribute.deleted {
                    assert!(live.insert(attribute.value), "{place:?} twice");
                    let back = by_us && self.analyst.deleted.contains(&place);
                    assert!(!back, "{place:?} came back");
                }
            }
        }
        // The sabotage rewrites what is on its way, behind this.
        let renewed = &self.proxy.traffic.lock().unwrap().renewed;
        assert!(renewed.is_empty(), "sent once more with a newer timestamp: {renewed:?}");
    }

    /// What was sent was written down before, what is claimed is true, and what was claimed once stays so.
    pub(crate) fn look_at_the_store(&mut self, whole: bool) {
        let sent = self.proxy.traffic.lock().unwrap().sent.clone();
        let Some(store) = self.store() else {
            assert!(sent.is_empty() && self.claimed.is_empty(), "the store is gone");
            return;
        };
        let heads = store.heads(&DestinationName::new("main")).unwrap();
        let known: BTreeSet<Uuid> = heads.iter().map(|head| head.uuid.uuid()).collect();
        let unknown = sent.keys().find(|(event, _)| !known.contains(event));
        assert!(unknown.is_none(), "{unknown:?} was sent, and the ledger knows nothing of it");
        let recent = |head: &&EventHead| whole || self.dataset.contains_key(&head.uuid.uuid());
        let recent: Vec<&EventHead> = heads.iter().filter(recent).collect();
        for head in recent {
            let event = store.event(&DestinationName::new("main"), head.uuid).unwrap().unwrap();
            self.look_at(&event);
        }
        if whole {
            self.nothing_is_damaged(&store);
        }
    }

    fn nothing_is_damaged(&self, store: &Store) {
        let report = store.check().unwrap();
        assert!(report.is_sound(), "{:?}", report.problems);
    }

    fn look_at(&mut self, known: &KnownEvent) {
        let event = known.head.uuid.uuid();
        let of_it = (event, Uuid::nil())..=(event, Uuid::max());
        for ((_, attribute), timestamp) in
            self.proxy.traffic.lock().unwrap().sent.range(of_it.clone())
        {
            let ours = known.attributes.iter().find(|(key, _)| key.uuid() == *attribute);
            let Some((_, ours)) = ours else {
                panic!("{attribute} was sent to {event}, and the ledger knows nothing of it");
            };
            let same = ours.standing != Standing::Pending || ours.timestamp == Some(*timestamp);
            assert!(same, "{attribute} would go with another timestamp than {timestamp}: {ours:?}");
        }
        let there: BTreeSet<Uuid> =
            self.misp.lock().unwrap().attributes(event).into_iter().map(|it| it.uuid).collect();
        let before: Vec<Uuid> = self.claimed.range(of_it).map(|(_, key)| *key).collect();
        for (key, ours) in &known.attributes {
            let in_misp = ours.standing.is_in_misp();
            let claimed = before.contains(&key.uuid());
            let kept = in_misp || ours.standing == Standing::Declined;
            assert!(kept || !claimed, "{key} in {event} was claimed once: {ours:?}");
            if in_misp {
                let place = (event, ours.attribute.value.as_str().to_owned());
                let is_there = there.contains(&ours.attribute.uuid.uuid());
                assert!(
                    is_there || self.analyst.excused.contains(&place),
                    "the ledger claims {place:?} as {:?}",
                    ours.standing
                );
                self.claimed.insert((event, key.uuid()));
            }
        }
        let lost = before.iter().find(|key| !known.attributes.keys().any(|it| it.uuid() == **key));
        assert!(lost.is_none(), "the ledger forgot that {lost:?} is in {event}");
    }
}
