//! A store that knows nothing before a MISP that may have everything: MISP is asked before bodies go to it, and one
//! that has nothing is asked nothing.

#![allow(missing_docs)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use misp_trickle::{
    agent::Ending,
    delivery::{Call, Concurrency},
    history::MemoryLedger,
    remote::Answer,
    source::SourceSpec,
};
use misp_trickle_testing::{obstructed, world};
use obstructed::{Obstructed, attributes, dataset, run, world};
use tempfile::TempDir;
use world::World;

fn watched(world: &World) -> Arc<Obstructed> {
    Obstructed::new(world, |_, _| None)
}

/// Sizes of the bodies that make events, and how many events were asked about.
fn made_and_asked(wire: &Obstructed) -> (Vec<usize>, Vec<usize>) {
    let sent = wire.sent.lock().unwrap();
    let made = sent.iter().filter(|(_, call)| matches!(call, Call::AddEvent(_)));
    let asked = sent.iter().filter_map(|(_, call)| match call {
        Call::WhichEvents(events) => Some(events.len()),
        _ => None,
    });
    (made.map(|(_, call)| attributes(call)).collect(), asked.collect())
}

fn delete(world: &World, place: usize) -> uuid::Uuid {
    let event = world.misp.lock().unwrap().events()[place].uuid;
    let admin = world.keys.get("admin").unwrap().to_owned();
    assert_eq!(world.wire.raw(&admin, "POST", &format!("/events/delete/{event}"), "").0, 200);
    event
}

#[test]
fn a_misp_that_is_new_as_well_is_asked_nothing() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 70, 5));
    let wire = watched(&world);
    assert_eq!(run(&mut world, wire.clone()).ending, Ending::Done);
    let (made, asked) = made_and_asked(&wire);
    assert_eq!((made.len(), asked.len()), (70, 0));
    assert_eq!(made.iter().filter(|size| **size == 0).count(), 1, "a colour is tried once");
}

#[test]
fn a_lost_store_sends_no_body_to_an_event_that_is_there() {
    let folder = TempDir::new().unwrap();
    for concurrency in [1, 4] {
        let mut world = world(dataset(&folder, 70, 20));
        let wire = world.wire.clone();
        run(&mut world, wire);
        let deleted = delete(&world, 33);
        world.ledger = MemoryLedger::default();
        world.job.concurrency = Concurrency::Fixed(concurrency);
        let wire = watched(&world);
        let summary = run(&mut world, wire.clone());
        let said = summary.run.notes.join("\n");
        let (made, asked) = made_and_asked(&wire);
        assert_eq!((summary.ending, made), (Ending::Done, vec![0, 0]), "{said}");
        assert_eq!(asked.iter().sum::<usize>(), 69, "{asked:?}");
        assert!(asked.len() <= 3, "{asked:?}");
        assert!(!said.contains("sent again"), "{said}");
        assert_eq!(summary.run.tally.attributes.sent + summary.run.tally.attributes.adopted, 1_380);
        assert!(world.misp.lock().unwrap().events().iter().all(|event| event.uuid != deleted));
    }
}

/// MISP has half of it; what it has not is made, without attributes first.
#[test]
fn what_is_not_there_is_made() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 10, 20));
    let wire = world.wire.clone();
    run(&mut world, wire);
    world.ledger = MemoryLedger::default();
    world.job.source = SourceSpec::File(dataset(&folder, 20, 20));
    let wire = watched(&world);
    let summary = run(&mut world, wire.clone());
    assert_eq!(summary.ending, Ending::Done, "{:?}", summary.run.notes);
    assert_eq!(world.misp.lock().unwrap().events().len(), 20);
    assert_eq!(summary.run.tally.events.created, 10);
}

/// The first event has trouble of its own: the others wait for another, not for it.
#[test]
fn the_trouble_of_the_first_event_keeps_nobody_waiting() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 12, 5));
    let first = std::sync::OnceLock::new();
    let wire = Obstructed::new(&world, move |call, _| match call {
        Call::AddEvent(new) if new.uuid == *first.get_or_init(|| new.uuid) => {
            Some(Answer { status: 504, ..Answer::default() })
        }
        _ => None,
    });
    let summary = run(&mut world, wire);
    assert_eq!(summary.ending, Ending::Partial, "{:?}", summary.run.notes);
    assert_eq!(world.misp.lock().unwrap().events().len(), 11);
}

/// One event is to be looked at, and would prove the colour of another that was chosen as the first: neither waits for
/// the other for ever.
#[test]
fn the_first_event_and_one_that_proves_its_colour_do_not_wait_for_each_other() {
    let folder = TempDir::new().unwrap();
    let mut elsewhere = world(dataset(&folder, 2, 5));
    let wire = elsewhere.wire.clone();
    run(&mut elsewhere, wire);
    let doubtful = elsewhere.misp.lock().unwrap().events().iter().map(|it| it.uuid).min().unwrap();
    let mut world = world(dataset(&folder, 2, 5));
    let page = |status| Some(Answer { status, body: b"<html>".to_vec(), ..Answer::default() });
    let wire = Obstructed::new(&world, move |call, _| match call {
        Call::AddEvent(new) if new.uuid.uuid() == doubtful => page(504),
        Call::Metadata(event) if event.uuid() == doubtful => page(504),
        Call::AddEvent(_) => page(403),
        _ => None,
    });
    run(&mut world, wire);
    let wire = watched(&world);
    assert_eq!(run(&mut world, wire).ending, Ending::Done);
    assert_eq!(world.misp.lock().unwrap().events().len(), 2);
}
