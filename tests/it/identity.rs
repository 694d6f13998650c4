//! Which object is which, from run to run: an object of STIX is known by its whole id.

#![allow(missing_docs, clippy::unwrap_used)]

use std::path::PathBuf;

use misp_trickle::model::Symbol;
use misp_trickle_testing::world;
use serde_json::{Value, json};
use world::World;

const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const OLD: &str = "2024-01-01T00:00:00.000Z";
const NEW: &str = "2025-01-01T00:00:00.000Z";

/// A UUID by number.
fn uuid(number: u8) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

fn object(kind: &str, number: u8, modified: &str, marking: &str) -> Value {
    json!({"type": kind, "spec_version": "2.1", "id": format!("{kind}--{}", uuid(number)),
           "created": OLD, "modified": modified, "name": format!("{kind} {number}"),
           "object_marking_refs": [marking]})
}

fn indicator(number: u8, domain: &str) -> Value {
    let mut object = object("indicator", number, OLD, GREEN);
    object["pattern"] = json!(format!("[domain-name:value = '{domain}']"));
    object["pattern_type"] = json!("stix");
    object
}

fn link(number: u8, kind: &str, source: &Value, target: &Value) -> Value {
    json!({"type": "relationship", "id": format!("relationship--{}", uuid(number)), "created": OLD,
           "modified": OLD, "relationship_type": kind, "source_ref": source["id"],
           "target_ref": target["id"]})
}

/// A bundle in a file of its own.
struct Bundle {
    folder: tempfile::TempDir,
    objects: Vec<Value>,
}

impl Bundle {
    fn of(objects: &[Value]) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), objects: objects.to_vec() }
    }

    fn write(&self) -> PathBuf {
        let path = self.folder.path().join("bundle.json");
        let bundle = json!({"type": "bundle", "id": format!("bundle--{}", uuid(99)),
                            "objects": self.objects});
        std::fs::write(&path, bundle.to_string()).unwrap();
        path
    }
}

fn sync(world: &mut World, objects: &[Value]) -> misp_trickle::agent::Summary {
    world.sync(&Bundle::of(objects).write())
}

/// Values that MISP holds, by event UUID, sorted.
fn held(world: &World) -> Vec<(String, Vec<String>)> {
    let misp = world.misp.lock().unwrap();
    let mut held: Vec<_> = misp
        .events()
        .iter()
        .map(|event| {
            let mut values: Vec<_> =
                misp.attributes(event.uuid).iter().map(|it| it.value.clone()).collect();
            values.sort();
            (event.uuid.to_string(), values)
        })
        .collect();
    held.sort();
    held
}

/// An incident with one value.
fn incident_with(domain: &str) -> Vec<Value> {
    let (incident, indicator) = (object("incident", 1, OLD, GREEN), indicator(2, domain));
    let link = link(3, "related-to", &indicator, &incident);
    vec![incident, indicator, link]
}

#[test]
fn an_object_of_another_type_with_the_uuid_of_an_incident_does_not_retire_it() {
    let mut world = World::new("sync");
    let before = incident_with("a.example");
    sync(&mut world, &before);
    let mut after = before.clone();
    after.push(object("note", 1, NEW, GREEN));
    let requests = world.requests();
    for dataset in [&after, &before] {
        let summary = sync(&mut world, dataset);
        assert_eq!(summary.run.tally.attributes.retired, 0);
        assert_eq!(summary.run.dataset.incidents, 1);
    }
    assert_eq!(world.requests(), requests);
    assert_eq!(held(&world), [(uuid(1), vec!["a.example".to_owned()])]);
}

#[test]
fn what_lies_behind_an_object_is_not_freed_by_a_namesake_of_it() {
    let mut world = World::new("sync");
    world.job.policy.allow_tlp = [misp_trickle::model::Tlp::Green].into();
    world.job.graph.depth = 2;
    let (incident, red) = (object("incident", 1, OLD, GREEN), object("campaign", 4, OLD, RED));
    let behind = indicator(5, "behind-red.example");
    let links = [link(6, "related-to", &red, &incident), link(7, "related-to", &behind, &red)];
    let mut dataset = vec![incident, red, behind];
    dataset.extend(links);
    dataset.push(object("note", 4, NEW, GREEN));
    let summary = sync(&mut world, &dataset);
    assert!(held(&world).iter().all(|(_, values)| values.is_empty()), "{:?}", held(&world));
    assert!(summary.run.tally.attributes.withheld > 0);
}

#[test]
fn two_roots_with_one_uuid_have_an_event_each_whoever_leaves() {
    let mut world = World::new("sync");
    world.job.graph.roots.push(Symbol::new("campaign"));
    let own = |domain: &str, root: Value| {
        let number = if &root["type"] == "campaign" { 10 } else { 20 };
        let indicator = indicator(number, domain);
        let link = link(number + 1, "related-to", &indicator, &root);
        vec![root, indicator, link]
    };
    let incident = own("incident.example", object("incident", 1, OLD, GREEN));
    let campaign = own("campaign.example", object("campaign", 1, NEW, GREEN));
    let both: Vec<_> = incident.iter().chain(&campaign).cloned().collect();
    sync(&mut world, &both);
    let first = held(&world);
    assert_eq!(first.len(), 2);
    assert!(first.contains(&(uuid(1), vec!["incident.example".to_owned()])), "{first:?}");
    for dataset in [&campaign, &both, &incident, &both] {
        let requests = world.requests();
        sync(&mut world, dataset);
        assert_eq!(world.requests(), requests, "nothing is new");
        assert_eq!(held(&world), first);
    }

    // The type whose event the ledger has keeps it.
    let mut world = World::new("sync");
    world.job.graph.roots.push(Symbol::new("campaign"));
    sync(&mut world, &campaign);
    sync(&mut world, &both);
    let held = held(&world);
    assert!(held.contains(&(uuid(1), vec!["campaign.example".to_owned()])), "{held:?}");
    assert_eq!(held.len(), 2);
}

#[test]
fn a_newer_version_under_another_id_goes_on_in_the_event_of_the_first() {
    let mut world = World::new("sync");
    sync(&mut world, &incident_with("a.example"));
    let newer = object("incident", 8, NEW, GREEN);
    let (a, b) = (indicator(2, "a.example"), indicator(9, "b.example"));
    let dataset = [
        link(3, "related-to", &a, &object("incident", 1, OLD, GREEN)),
        link(4, "related-to", &b, &newer),
        link(5, "stix_update_of", &newer, &object("incident", 1, OLD, GREEN)),
        newer,
        a,
        b,
    ];
    sync(&mut world, &dataset);
    let values = ["a.example", "b.example"].map(str::to_owned).to_vec();
    assert_eq!(held(&world), [(uuid(1), values)]);

    let note = object("note", 30, NEW, GREEN);
    let mut hijack = dataset.to_vec();
    hijack.push(link(31, "stix_update_of", &note, &dataset[3]));
    hijack.push(note);
    let summary = sync(&mut world, &hijack);
    assert_eq!(summary.run.tally.attributes.retired, 0);
    assert!(summary.run.notes.iter().any(|note| note.contains("types differ")));
}

#[test]
fn a_return_after_a_removal_is_a_return_whatever_the_times_say() {
    for time in [OLD, NEW] {
        let mut world = World::new("sync");
        let there = incident_with("a.example");
        sync(&mut world, &there);
        let mut revoked = there.clone();
        for object in &mut revoked[..2] {
            object["revoked"] = json!(true);
            object["modified"] = json!("2024-06-01T00:00:00.000Z");
        }
        revoked.extend(incident_with("other.example").into_iter().map(|mut object| {
            for field in ["id", "source_ref", "target_ref"] {
                if let Some(id) = object[field].as_str() {
                    object[field] = json!(id.replace("0000-4000", "1111-4000"));
                }
            }
            object
        }));
        let gone = sync(&mut world, &revoked);
        assert_eq!(gone.run.tally.attributes.retired, 1);
        let mut back = there.clone();
        back[0]["modified"] = json!(time);
        let requests = world.requests();
        let returned = sync(&mut world, &back);
        assert_eq!(world.requests(), requests);
        assert_eq!(returned.run.tally.attributes.unchanged, 1, "{:?}", returned.run.tally);
        assert_eq!(returned.run.dataset.incidents, 1);
        sync(&mut world, &incident_with("new.example"));
        let values = ["a.example", "new.example"].map(str::to_owned).to_vec();
        assert!(held(&world).contains(&(uuid(1), values)), "{:?}", held(&world));
    }
}

/// A package of EclecticIQ JSON with one incident and its indicator; `diff` is what the package says of the incident.
fn package(folder: &tempfile::TempDir, diff: &str) -> PathBuf {
    let [incident, indicator] = [uuid(1), uuid(2)];
    let entity = |id: &str, kind: &str, diff: &str, extracts: Value| {
        json!({"id": id, "diff": diff, "data": {"id": format!("{{https://eiq.example}}{kind}-{id}"),
               "type": kind, "title": kind, "timestamp": OLD}, "meta": {"tlp_color": "GREEN"}, "extracts": extracts})
    };
    let domain =
        json!([{"kind": "domain", "value": "a.example", "meta": {"classification": "bad"}}]);
    let package = json!({"content-type": "urn:eclecticiq.com:json:1.0", "entities": [
        entity(&incident, "incident", diff, json!([])),
        entity(&indicator, "indicator", "add", domain),
        {"data": {"type": "relation", "key": "related", "source": indicator, "target": incident}},
    ]});
    let path = folder.path().join("package.json");
    std::fs::write(&path, package.to_string()).unwrap();
    path
}

#[test]
fn what_a_package_removes_and_brings_back_goes_on_in_its_event() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new("sync");
    world.job.allow_empty = true;
    world.sync(&package(&folder, "add"));
    let before = held(&world);
    assert_eq!(before, [(uuid(1), vec!["a.example".to_owned()])]);
    let removed = world.sync(&package(&folder, "del"));
    assert_eq!(removed.run.tally.attributes.retired, 1, "{:?}", removed.run.notes);
    assert_eq!(held(&world), before, "nothing is deleted");
    let (requests, back) = (world.requests(), world.sync(&package(&folder, "add")));
    assert_eq!(world.requests(), requests, "what is there is not sent again: {:?}", back.run.notes);
    assert_eq!((held(&world), back.run.tally.attributes.unchanged), (before, 1));
}
