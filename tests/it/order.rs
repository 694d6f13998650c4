//! The order of rows is not promised: what is foretold wrong costs a list or two, never a wrong word, and not one in
//! every run.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, dead_code)]

use dataset::{Dataset, event};
use misp_trickle::{
    agent::Ending,
    history::Ledger,
    sandbox::{Release, RowOrder, Setup},
};
use misp_trickle_testing::{dataset, scene, world};
use scene::{assert_at_rest, contents, deliver, head, request};
use serde_json::json;
use world::World;

fn world(row_order: RowOrder) -> World {
    let world = World::new("sync");
    set_up(&world, Release::V2_5_19, row_order);
    world
}

fn set_up(world: &World, release: Release, row_order: RowOrder) {
    let setup = Setup { release, row_order, ..Setup::default() };
    world.misp.lock().unwrap().set_up(setup);
}

/// So many of each of two types, which MISP lists apart.
fn add(set: &mut Dataset, number: u16, name: &str, count: usize) {
    set.incident(number).domains(name, 0..count);
    for each in 0..count {
        let address = format!("10.{number}.{}.{each}", name.len());
        set.incident(number).observe("ipv4", &address);
    }
}

/// Bytes that an append of ten costs to receive, bodies alone.
fn append(world: &mut World, set: &mut Dataset, number: u16, name: &str) -> u64 {
    add(set, number, name, 5);
    let summary = deliver(world, set);
    assert_eq!((summary.ending, summary.run.tally.attributes.sent), (Ending::Done, 10));
    println!(
        "{number} {name}: {} requests, {} bytes",
        summary.run.tally.requests, summary.run.tally.bytes_received
    );
    summary.run.tally.bytes_received
}

/// A list of 240 rows.
const LIST: u64 = 240 * 52;

#[test]
fn what_is_listed_by_type_costs_a_list_twice_and_not_in_every_run() {
    let mut world = world(RowOrder::Type);
    let mut set = Dataset::default();
    for number in 1..=3 {
        add(&mut set, number, "first", 120);
    }
    assert_eq!(deliver(&mut world, &mut set).ending, Ending::Done);
    assert!(append(&mut world, &mut set, 1, "second") > LIST, "a surprise");
    let again = append(&mut world, &mut set, 1, "thirdly");
    assert!(again < LIST / 4, "{again}");
    let record = world.ledger.destination(&world.job.destination).unwrap().unwrap();
    assert_eq!(record.reorders.as_deref(), Some("2.5.19"), "it is remembered of this version");
    // In a MISP that is known for it one surprise is enough, and each event had one when it was made.
    let other = append(&mut world, &mut set, 2, "fourthly");
    assert!(other < LIST / 4, "{other}");
    let found = world.verify();
    assert_eq!((found.proven, found.present), (3, 750), "{:?}", found.findings);
    println!("verify: {} requests, {} bytes", found.tally.requests, found.tally.bytes_received);
    assert!(found.tally.bytes_received < LIST, "{}", found.tally.bytes_received);
    assert_at_rest(&mut world, &mut set);
    // An update may bring another order: it is foretold anew.
    set_up(&world, Release::V2_5_1, RowOrder::Insertion);
    world.clock.advance(25 * 3_600);
    add(&mut set, 3, "afterupdate", 60);
    assert_eq!(deliver(&mut world, &mut set).ending, Ending::Done);
    let record = world.ledger.destination(&world.job.destination).unwrap().unwrap();
    assert!(!record.reorders());
}

#[test]
fn what_an_analyst_does_is_found_where_no_list_is_foretold() {
    let mut world = world(RowOrder::Type);
    let mut set = Dataset::default();
    add(&mut set, 1, "first", 60);
    deliver(&mut world, &mut set);
    append(&mut world, &mut set, 1, "second");
    append(&mut world, &mut set, 1, "thirdly");
    assert!(head(&world, event(1)).seen.goes_by_time(false));
    let rows = contents(&world)[&event(1)].1.clone();
    request(&world, "orgadmin", &format!("/attributes/delete/{}", rows[3].uuid), &json!({}));
    request(
        &world,
        "orgadmin",
        &format!("/attributes/edit/{}", rows[70].uuid),
        &json!({"comment": "x"}),
    );
    let added = json!({"type": "domain", "value": "analyst.example.org"});
    request(&world, "orgadmin", &format!("/attributes/add/{}", event(1)), &added);
    let found = world.verify();
    let finding = &found.findings[0];
    assert_eq!((finding.differences.len(), finding.extras), (2, 1), "{finding:?}");
    // A hard deletion shows in the number alone.
    request(&world, "orgadmin", &format!("/attributes/delete/{}/1", rows[5].uuid), &json!({}));
    let found = world.verify();
    assert_eq!(found.findings[0].differences.len(), 3, "{:?}", found.findings[0].differences);
    // And an append leaves all of it alone.
    add(&mut set, 1, "fourthly", 5);
    let summary = deliver(&mut world, &mut set);
    assert_eq!((summary.ending, summary.run.tally.attributes.declined), (Ending::Done, 2));
    assert_eq!(world.verify().findings, []);
}

#[test]
fn an_attribute_that_an_analyst_narrows_costs_one_list() {
    let mut world = world(RowOrder::Distribution);
    let mut set = Dataset::default();
    add(&mut set, 1, "first", 120);
    deliver(&mut world, &mut set);
    let uuid = contents(&world)[&event(1)].1[200].uuid;
    request(&world, "orgadmin", &format!("/attributes/edit/{uuid}"), &json!({"distribution": "0"}));
    assert!(append(&mut world, &mut set, 1, "second") > LIST);
    for name in ["thirdly", "fourthly", "fifthmost"] {
        assert!(append(&mut world, &mut set, 1, name) < LIST / 4);
    }
    assert_eq!(head(&world, event(1)).seen.reordered, 0, "it was edited, and moved by that");
}

#[test]
fn after_a_loud_append_to_an_edited_event_verification_is_cheap() {
    let mut world = world(RowOrder::Insertion);
    let mut set = Dataset::default();
    for number in 1..=4 {
        add(&mut set, number, "first", 250);
    }
    deliver(&mut world, &mut set);
    let uuid = contents(&world)[&event(1)].1[30].uuid;
    request(&world, "orgadmin", &format!("/attributes/edit/{uuid}"), &json!({"comment": "seen"}));
    for number in 1..=4 {
        set.incident(number).domains("loud", 0..1);
    }
    assert_eq!(deliver(&mut world, &mut set).run.tally.requests, 4, "echoes, and nothing else");
    let found = world.verify();
    println!("verify: {} requests, {} bytes", found.tally.requests, found.tally.bytes_received);
    assert_eq!((found.proven, found.findings[0].differences.len()), (3, 1));
    assert!(found.tally.bytes_received < 500 * 52 / 5, "{}", found.tally.bytes_received);
}
