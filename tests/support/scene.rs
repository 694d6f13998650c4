//! Two agents with a store each and an analyst before one MISP, and what may never happen among them.

use std::collections::{BTreeMap, BTreeSet};

use misp_trickle::{
    agent::Summary,
    history::Ledger,
    model::EventUuid,
    plan::{EventHead, KnownAttribute, KnownEvent},
    sandbox::{AttributeView, EventView, Misp},
};
use serde_json::Value as Data;
use uuid::Uuid;

use crate::{dataset::Dataset, world::World};

/// What MISP holds: every event with all of its attributes, deleted ones included.
pub type Contents = BTreeMap<Uuid, (EventView, Vec<AttributeView>)>;

pub fn contents(world: &World) -> Contents {
    let misp = world.misp.lock().unwrap();
    let events = misp.events().into_iter();
    events.map(|event| (event.uuid, (event.clone(), misp.attributes(event.uuid)))).collect()
}

pub struct Scene {
    pub a: World,
    pub b: World,
    pub set: Dataset,
}

impl Scene {
    /// Two agents of one organisation, neither of which delivered anything yet.
    pub fn new() -> Self {
        let a = World::new("sync");
        let b = a.second("publisher");
        Self { a, b, set: Dataset::default() }
    }

    /// Both agents deliver the dataset, one after the other.
    pub fn both_sync(&mut self) -> (Summary, Summary) {
        (deliver(&mut self.a, &mut self.set), deliver(&mut self.b, &mut self.set))
    }

    pub fn contents(&self) -> Contents {
        contents(&self.a)
    }

    /// The first attribute of an event that has this value.
    pub fn attribute(&self, event: Uuid, value: &str) -> AttributeView {
        let attributes = self.a.misp.lock().unwrap().attributes(event);
        attributes.into_iter().find(|it| it.value == value).unwrap_or_else(|| panic!("no {value}"))
    }

    /// A request of the analyst, who has a key of the same organisation, a while after the last run.
    pub fn analyst(&self, path: &str, body: &Data) -> Data {
        request(&self.a, "orgadmin", path, body)
    }

    /// What both ledgers know of an attribute, by the value that the dataset gave it.
    pub fn known(&self, event: Uuid, value: &str) -> [KnownAttribute; 2] {
        [&self.a, &self.b].map(|agent| known(agent, event, value))
    }
}

/// A request with the key of a role; it has to succeed.
pub fn request(world: &World, role: &str, path: &str, body: &Data) -> Data {
    world.clock.advance(5);
    let key = world.keys.get(role).unwrap();
    let (status, answer) = world.wire.raw(key, "POST", path, &body.to_string());
    assert_eq!(status, 200, "{path}: {answer}");
    serde_json::from_str(&answer).unwrap()
}

/// What the ledger knows of an event.
pub fn known_event(world: &World, event: Uuid) -> KnownEvent {
    world.ledger.event(&world.job.destination, EventUuid::new(event)).unwrap().unwrap()
}

pub fn known(world: &World, event: Uuid, value: &str) -> KnownAttribute {
    let mut known = known_event(world, event).attributes.into_values();
    known.find(|known| known.attribute.value.as_str() == value).unwrap_or_else(|| panic!("{value}"))
}

pub fn head(world: &World, event: Uuid) -> EventHead {
    world.ledger.head(&world.job.destination, EventUuid::new(event)).unwrap().unwrap()
}

/// One agent delivers. Whatever the run does: nothing that is in MISP is changed or removed, the sum
/// adds up, and no type and value that is there, even deleted, is added once more.
pub fn deliver(world: &mut World, set: &mut Dataset) -> Summary {
    let before = contents(world);
    let summary = world.sync(&set.write());
    let after = contents(world);
    for (uuid, (event, attributes)) in &before {
        let (now, there) = after.get(uuid).expect("no run deletes an event");
        for attribute in attributes {
            assert!(there.contains(attribute), "changed back or lost: {attribute:?}");
        }
        assert!(event.tags.iter().all(|tag| now.tags.contains(tag)), "a tag of {uuid} is gone");
        assert_eq!(event.orgc_uuid, now.orgc_uuid);
    }
    for (uuid, (_, attributes)) in &after {
        let old: BTreeSet<u32> = before
            .get(uuid)
            .map(|(_, attributes)| attributes.iter().map(|it| it.id).collect())
            .unwrap_or_default();
        for new in attributes.iter().filter(|it| !old.contains(&it.id)) {
            let same = |it: &&AttributeView| it.kind == new.kind && it.value == new.value;
            assert_eq!(attributes.iter().filter(same).count(), 1, "twice: {new:?}");
        }
    }
    let t = summary.run.tally.attributes;
    let results = t.sent + t.adopted + t.declined + t.rejected + t.withheld + t.held;
    assert_eq!(t.planned, results + t.blocked + t.pending + t.unchanged, "{t:?}");
    summary
}

/// The run after the last one has nothing to ask.
pub fn assert_at_rest(world: &mut World, set: &mut Dataset) {
    let (requests, before) = (world.requests(), contents(world));
    let summary = world.sync(&set.write());
    assert_eq!(world.requests(), requests, "{:#?}", summary.run.tally);
    assert_eq!(contents(world), before);
}

/// MISP as it is now, to come back to later.
pub fn backup(world: &World) -> Misp {
    world.misp.lock().unwrap().clone()
}

/// MISP is as it was, or another one.
pub fn restore(world: &World, misp: Misp) {
    world.misp.lock().unwrap().restore(misp);
}

/// Live attributes of an event by value.
pub fn values(contents: &Contents, event: Uuid) -> BTreeSet<String> {
    let attributes = contents[&event].1.iter().filter(|attribute| !attribute.deleted);
    attributes.map(|attribute| attribute.value.clone()).collect()
}
