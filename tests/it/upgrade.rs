//! Stores that misp-trickle 0.1.0 made, from STIX (`tests/data/store-0.1.0`) and from EclecticIQ JSON (`…-eclecticiq`),
//! opened by this version: an upgrade alone sends nothing.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Duration,
};

use misp_trickle::{
    agent::{self, Silent, Summary},
    history::Ledger,
    model::{EntityKey, EventUuid, Timestamp},
    plan::{MappingChange, Standing},
    source::SourceSpec,
    store::{OpenMode, Owner, Store},
};
use misp_trickle_testing::world;
use serde_json::Value;
use world::{World, wait};

const EVENT: &str = "00000001-0000-4000-8000-000000000000";

/// The store of 0.1.0 in a folder of its own, before a sandbox that holds what it sent.
struct Upgrade {
    data: PathBuf,
    folder: tempfile::TempDir,
    world: World,
    store: Store,
}

const STIX: &str = "store-0.1.0";
const ECLECTICIQ: &str = "store-0.1.0-eclecticiq";

impl Upgrade {
    fn new() -> Self {
        Self::of(STIX)
    }

    fn of(name: &str) -> Self {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        let folder = tempfile::tempdir().unwrap();
        let (from, state) = (data.join("state"), folder.path().join("state"));
        fs::create_dir_all(state.join("engine/blobs")).unwrap();
        fs::copy(from.join("acknowledged"), state.join("acknowledged")).unwrap();
        for file in fs::read_dir(from.join("engine")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), state.join("engine").join(file.file_name())).unwrap();
        }
        fs::remove_file(state.join("engine/db.zst")).unwrap();
        let packed = fs::read(from.join("engine/db.zst")).unwrap();
        fs::write(state.join("engine/db"), zstd::decode_all(&*packed).unwrap()).unwrap();
        let owner = Owner {
            pid: 1,
            host: "here".to_owned(),
            command: "test".to_owned(),
            now: Timestamp::from_seconds(0),
        };
        let wait = Duration::from_secs(5);
        let store = Store::open(&state, OpenMode::ReadWrite, owner, wait).unwrap();
        let mut world = World::new("sync");
        world.job.url = "http://127.0.0.1:18099/".to_owned();
        // The store was made later than that clock says.
        world.clock.advance(50_000_000);
        let events: Vec<Value> =
            serde_json::from_slice(&fs::read(data.join("events.json")).unwrap()).unwrap();
        let key = world.keys.get("sync").unwrap().to_owned();
        for event in events {
            let answer = world.wire.raw(&key, "POST", "/events/add", &event.to_string());
            assert_eq!(answer.0, 200, "{}", answer.1);
        }
        Self { data, folder, world, store }
    }

    /// A run over the dataset with some of its text exchanged.
    fn sync(&mut self, exchange: &[(&str, &str)]) -> (Summary, u64) {
        let mut text = fs::read_to_string(self.data.join("bundle.json")).unwrap();
        for (old, new) in exchange {
            assert!(text.contains(old), "{old}");
            text = text.replace(old, new);
        }
        let path = self.folder.path().join("bundle.json");
        fs::write(&path, text).unwrap();
        let before = self.world.requests();
        let World { job, clock, wire, .. } = &mut self.world;
        job.source = SourceSpec::File(path);
        clock.advance(60);
        let interrupt = AtomicBool::new(false);
        let run = agent::sync(job, &mut self.store, wire.clone(), &**clock, &Silent, &interrupt);
        let summary = wait(run).unwrap();
        (summary, self.world.requests() - before)
    }

    /// The values of an event, sorted.
    fn held(&self, event: &str) -> Vec<String> {
        let misp = self.world.misp.lock().unwrap();
        let all = misp.attributes(event.parse().unwrap());
        let mut values: Vec<String> = all.into_iter().map(|it| it.value).collect();
        values.sort();
        values
    }
}

#[test]
fn the_same_data_makes_no_request() {
    let mut upgrade = Upgrade::new();
    for run in 0..3 {
        let (summary, requests) = upgrade.sync(&[]);
        assert_eq!(requests, 0, "run {run}: {:?}", summary.run.notes);
        let tally = summary.run.tally.attributes;
        assert_eq!((tally.sent, tally.pending, tally.exposed), (0, 0, 0), "run {run}: {tally:?}");
        // What a namesake hid, and what is in a newer version under another id.
        assert_eq!(tally.held, 2, "run {run}: {tally:?}");
    }
    let destination = &upgrade.world.job.destination;
    let event = EventUuid::new(EVENT.parse().unwrap());
    let known = upgrade.store.event(destination, event).unwrap().unwrap();
    assert_eq!(known.head.root, EntityKey::whole(&format!("incident--{EVENT}")));
    let held = known.attributes.values().find(|it| it.standing == Standing::Held).unwrap();
    assert_eq!(held.attribute.value.as_str(), "hidden.example");

    upgrade.world.job.mapping_change = MappingChange::Apply;
    let (summary, _) = upgrade.sync(&[]);
    assert_eq!((summary.run.tally.attributes.sent, summary.run.tally.attributes.held), (2, 0));
    assert_eq!(upgrade.held(EVENT), ["a.example", "b.example", "hidden.example", "malware 4"]);
    let (_, requests) = upgrade.sync(&[]);
    assert_eq!(requests, 0);
}

#[test]
fn an_edit_supersedes_and_what_only_this_version_finds_still_waits() {
    let mut upgrade = Upgrade::new();
    let (summary, requests) = upgrade.sync(&[("b.example", "bb.example")]);
    let tally = summary.run.tally.attributes;
    assert!(requests > 0);
    assert_eq!((tally.sent, tally.superseded, tally.held), (1, 1, 2), "{tally:?}");
    assert_eq!(upgrade.held(EVENT), ["a.example", "b.example", "bb.example", "malware 4"]);
}

#[test]
fn the_same_package_of_eclecticiq_makes_no_request() {
    let mut upgrade = Upgrade::of(ECLECTICIQ);
    let before = upgrade.held(EVENT);
    assert!(before.contains(&"b.example".to_owned()), "{before:?}");
    for run in 0..3 {
        let (summary, requests) = upgrade.sync(&[]);
        assert_eq!(requests, 0, "run {run}: {:?}", summary.run.notes);
        let tally = summary.run.tally.attributes;
        assert_eq!((tally.sent, tally.pending, tally.exposed), (0, 0, 0), "run {run}: {tally:?}");
        // A rule of an indicator, the name of an actor, and what an end of a relation by its URL leads to.
        assert_eq!(tally.held, 3, "run {run}: {tally:?}");
    }
    let (summary, _) = upgrade.sync(&[("b.example", "bb.example")]);
    let tally = summary.run.tally.attributes;
    assert_eq!((tally.sent, tally.superseded, tally.held), (1, 1, 3), "{tally:?}");
    upgrade.world.job.mapping_change = MappingChange::Apply;
    let (summary, _) = upgrade.sync(&[]);
    assert_eq!(summary.run.tally.attributes.held, 0, "{:?}", summary.run.tally);
    for value in ["Ebb", "c.example"] {
        assert!(upgrade.held(EVENT).contains(&value.to_owned()), "{:?}", upgrade.held(EVENT));
    }
    assert!(before.iter().all(|value| upgrade.held(EVENT).contains(value)));
}

/// A bundle within a bundle, which 0.1.0 passed over, with an incident that nothing is linked to.
const INNER: &str = r#"{"type": "bundle", "id": "bundle--00000098-0000-4000-8000-000000000000", "objects": [
    {"type": "incident", "spec_version": "2.1", "id": "incident--00000097-0000-4000-8000-000000000000",
     "created": "2024-05-14T11:00:00.000Z", "modified": "2024-05-14T11:00:00.000Z", "name": "incident 97"}]},
  "#;

#[test]
fn an_incident_that_only_this_version_finds_waits_too() {
    let mut upgrade = Upgrade::new();
    let first = "\"objects\": [\n  ";
    let inner = (first, &*format!("{first}{INNER}"));
    let event = "00000097-0000-4000-8000-000000000000";
    for run in 0..3 {
        let (summary, requests) = upgrade.sync(&[inner]);
        assert_eq!(requests, 0, "run {run}: {:?}", summary.run.notes);
        let waits =
            |note: &String| note.contains("wait with what only changed rules or a newer version");
        assert!(summary.run.notes.iter().any(waits), "{:?}", summary.run.notes);
        assert!(upgrade.world.misp.lock().unwrap().event(event.parse().unwrap()).is_none());
    }
    upgrade.world.job.mapping_change = MappingChange::Apply;
    let (summary, _) = upgrade.sync(&[inner]);
    assert_eq!(summary.run.tally.events.created, 1, "{:?}", summary.run.notes);
    assert!(upgrade.world.misp.lock().unwrap().event(event.parse().unwrap()).is_some());
}

#[test]
fn what_waits_is_told_until_somebody_accepts_it() {
    let mut upgrade = Upgrade::new();
    let told = |summary: &Summary| {
        let waits = |note: &&String| note.contains("`sync --accept-mapping` sends it");
        summary.run.notes.iter().find(waits).cloned()
    };
    let (summary, _) = upgrade.sync(&[]);
    assert!(told(&summary).is_some(), "{:?}", summary.run.notes);
    upgrade.world.job.mapping_change = MappingChange::Apply;
    let (summary, _) = upgrade.sync(&[]);
    assert_eq!(told(&summary), None);
}
