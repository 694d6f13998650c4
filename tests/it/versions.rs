//! The same dataset before MISPs of two versions: values are judged by the rules of the one they go to.

#![allow(missing_docs, clippy::unwrap_used, dead_code)]

use std::path::Path;

use misp_trickle::{
    agent::Ending,
    history::Ledger,
    sandbox::{Release, Setup},
};
use misp_trickle_testing::world;
use uuid::Uuid;
use world::World;

const INCIDENT: &str = "6b1d3b6c-52a0-4b3e-9b53-0e7b1a4f2c11";

/// An incident with these observables, by kind and value.
fn dataset(path: &Path, values: &[(&str, &str)]) {
    let extract = |(kind, value): &(&str, &str)| {
        format!(
            r#"{{"kind":"{kind}","value":"{value}","meta":{{"classification":"bad","confidence":"high"}}}}"#
        )
    };
    let extracts: Vec<String> = values.iter().map(extract).collect();
    let package = format!(
        r#"{{"content-type":"urn:eclecticiq.com:json:1.0","entities":[{{"id":"{INCIDENT}","data":{{"id":"{{https://x.example}}incident-{INCIDENT}","type":"incident","title":"Incident","timestamp":"2024-05-14T11:00:00+00:00"}},"meta":{{"tlp_color":"GREEN"}},"extracts":[{}]}}]}}"#,
        extracts.join(",")
    );
    std::fs::write(path, package).unwrap();
}

fn world(release: Release) -> World {
    let world = World::new("publisher");
    world.misp.lock().unwrap().set_up(Setup { release, ..Setup::default() });
    let admin = world.keys.get("admin").unwrap().to_owned();
    world.wire.raw(&admin, "POST", "/tags/add", r#"{"name":"tlp:green"}"#);
    world
}

fn held(world: &World) -> Vec<(String, Uuid)> {
    let rows = world.misp.lock().unwrap().attributes(INCIDENT.parse().unwrap());
    let mut rows: Vec<_> = rows.into_iter().map(|row| (row.value, row.uuid)).collect();
    rows.sort();
    rows
}

fn values(world: &World) -> Vec<String> {
    held(world).into_iter().map(|(value, _)| value).collect()
}

const VALUES: [(&str, &str); 4] = [
    ("ipv6", "::FFFF:192.0.2.4"),
    ("ipv6", "::0:1"),
    ("cve", "GHSA-abcd-1234-wxyz"),
    ("cve", "cve-2024-12345"),
];

#[test]
fn each_version_gets_what_it_takes_under_the_same_uuids() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dataset.json");
    dataset(&path, &VALUES);
    let [earlier, later] = [Release::V2_5_1, Release::V2_5_19].map(|release| {
        let mut world = world(release);
        assert_eq!(world.sync(&path).ending, Ending::Done);
        world
    });
    assert_eq!(values(&earlier), ["::0:1", "::FFFF:192.0.2.4", "CVE-2024-12345"]);
    assert_eq!(
        values(&later),
        ["::1", "::ffff:192.0.2.4", "CVE-2024-12345", "GHSA-abcd-1234-wxyz"]
    );
    let uuids = |world: &World| held(world).into_iter().map(|(_, uuid)| uuid).collect::<Vec<_>>();
    let (earlier, later) = (uuids(&earlier), uuids(&later));
    assert!(earlier.iter().all(|uuid| later.contains(uuid)), "{earlier:?} {later:?}");
}

#[test]
fn what_another_version_writes_otherwise_is_no_edit_of_an_analyst() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dataset.json");
    dataset(&path, &VALUES);
    let mut world = world(Release::V2_5_19);
    assert_eq!(world.sync(&path).ending, Ending::Done);
    // A list of all that MISP holds.
    world.adopt(&path);
    let event = misp_trickle::model::EventUuid::new(INCIDENT.parse().unwrap());
    let event = world.ledger.event(&world.job.destination, event).unwrap().unwrap();
    assert_eq!(event.attributes.len(), 4);
    let overruled = event.attributes.values().filter(|known| known.overruled).count();
    assert_eq!(overruled, 0, "nobody touched them");
    let before = world.requests();
    assert_eq!(world.sync(&path).ending, Ending::Done);
    assert_eq!(held(&world).len(), 4);
    assert!(world.requests() - before <= 3, "nothing to send");
}

#[test]
fn an_update_of_misp_lets_through_what_it_takes_now() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dataset.json");
    dataset(&path, &VALUES);
    let mut world = world(Release::V2_5_1);
    assert_eq!(world.sync(&path).ending, Ending::Done);
    let before = held(&world);
    let setup = Setup { release: Release::V2_5_19, ..Setup::default() };
    world.misp.lock().unwrap().set_up(setup);
    // The version is asked for once a day, with a run that has something to send.
    world.clock.advance(25 * 3_600);
    let domains: Vec<String> = (0..100).map(|number| format!("d{number}.example.org")).collect();
    let mut more = VALUES.to_vec();
    more.extend(domains.iter().map(|domain| ("domain", domain.as_str())));
    dataset(&path, &more);
    assert_eq!(world.sync(&path).ending, Ending::Done);
    let after = held(&world);
    assert!(before.iter().all(|row| after.contains(row)), "what is there stays: {after:?}");
    assert_eq!(after.len(), before.len() + 101);
    assert!(after.iter().any(|(value, _)| value == "GHSA-abcd-1234-wxyz"));
}
