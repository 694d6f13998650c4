//! "Published" is what MISP shows: background workers publish later, or never, and an append unpublishes.

#![allow(missing_docs, clippy::unwrap_used, dead_code)]

use std::time::Duration;

use dataset::{Dataset, event};
use misp_trickle::{
    agent::{Ending, Summary},
    history::{ChangeKind, Ledger, query},
    plan::{Publish, Publishing},
    sandbox::{Jobs, Release, Setup},
};
use misp_trickle_testing::{dataset, scene, world};
use scene::{contents, deliver, head, request};
use serde_json::json;
use world::World;

fn world(role: &str, jobs: Jobs) -> World {
    let mut world = World::new(role);
    world.misp.lock().unwrap().set_up(Setup {
        jobs,
        release: Release::V2_5_19,
        ..Setup::default()
    });
    request(&world, "admin", "/tags/add", &json!({"name": "tlp:clear"}));
    world.job.settings.publish = Publish::Always;
    world
}

fn kinds(world: &World, summary: &Summary) -> Vec<ChangeKind> {
    let changes = world.ledger.changes(summary.run.number).unwrap();
    let of_event = changes.into_iter().filter(|change| change.attribute.is_none());
    of_event.map(|change| change.kind).collect()
}

fn published(world: &World, number: u16) -> bool {
    contents(world)[&event(number)].0.published
}

/// Requests to publish so far.
fn asked_to_publish(world: &World) -> u64 {
    world.misp.lock().unwrap().counters().by_action.get("POST events/publish").copied().unwrap_or(0)
}

#[test]
fn what_a_worker_publishes_later_counts_once_misp_shows_it() {
    let mut world = world("publisher", Jobs::Late);
    let mut set = Dataset::default();
    set.incident(1).domains("one", 0..5);
    let first = deliver(&mut world, &mut set);
    assert_eq!((first.ending.clone(), first.publishing.asked), (Ending::Done, 1));
    assert_eq!(head(&world, event(1)).publishing, Publishing::Asked);
    assert!(!kinds(&world, &first).contains(&ChangeKind::Published), "nothing is published yet");
    let before = world.requests();
    assert_eq!(deliver(&mut world, &mut set).ending, Ending::Done);
    assert_eq!(world.requests(), before, "a run that sends nothing asks nothing");
    set.incident(2).domains("two", 0..5);
    let second = deliver(&mut world, &mut set);
    assert_eq!((second.ending.clone(), second.publishing.unpublished), (Ending::Done, 0));
    assert!(kinds(&world, &second).contains(&ChangeKind::Published));
    let head = head(&world, event(1));
    assert_eq!((head.publishing, head.published), (Publishing::Settled, Some(true)));
}

#[test]
fn without_a_worker_it_is_said_and_not_asked_for_again() {
    let mut world = world("publisher", Jobs::Never);
    let mut set = Dataset::default();
    set.incident(1).domains("one", 0..5);
    assert_eq!(deliver(&mut world, &mut set).ending, Ending::Done);
    set.incident(2).domains("two", 0..5);
    let second = deliver(&mut world, &mut set);
    assert_eq!((second.ending.clone(), second.publishing.unpublished), (Ending::Partial, 1));
    assert!(second.run.notes.iter().any(|note| note.contains("unpublished: 1 events")));
    assert!(kinds(&world, &second).iter().any(|kind| matches!(kind, ChangeKind::Unpublished(_))));
    let (requests, asked) = (world.requests(), asked_to_publish(&world));
    let third = deliver(&mut world, &mut set);
    assert_eq!(
        (third.ending.clone(), world.requests()),
        (Ending::Partial, requests),
        "it is still so"
    );
    set.incident(3).domains("three", 0..5);
    assert_eq!(deliver(&mut world, &mut set).publishing.unpublished, 2);
    assert_eq!(asked_to_publish(&world), asked + 1, "only the new one");
    let status = query::status(&world.ledger, &world.job.destination).unwrap();
    assert_eq!((status.publishing, status.unpublished[0].events), (1, 2));
    // The next change of the event asks anew; by then there are workers.
    world.misp.lock().unwrap().set_up(Setup { release: Release::V2_5_19, ..Setup::default() });
    for number in 1..=3 {
        set.incident(number).domains("more", 0..1);
    }
    let last = deliver(&mut world, &mut set);
    assert_eq!(
        (last.ending, last.publishing.unpublished),
        (Ending::Done, 0),
        "{:?}",
        last.run.notes
    );
    assert!((1..=3).all(|number| published(&world, number)));
}

#[test]
fn what_is_published_after_all_is_found_by_verification() {
    let mut world = world("publisher", Jobs::Never);
    let mut set = Dataset::default();
    set.incident(1).domains("one", 0..5);
    deliver(&mut world, &mut set);
    set.incident(2).domains("two", 0..5);
    assert_eq!(deliver(&mut world, &mut set).publishing.unpublished, 1);
    world.misp.lock().unwrap().set_up(Setup { release: Release::V2_5_19, ..Setup::default() });
    for number in 1..=2 {
        request(&world, "orgadmin", &format!("/events/publish/{}", event(number)), &json!({}));
    }
    world.job.verify_every = Some(Duration::ZERO);
    set.incident(3).domains("three", 0..5);
    let last = deliver(&mut world, &mut set);
    assert_eq!((last.ending, last.publishing), (Ending::Done, Default::default()));
    assert_eq!(head(&world, event(1)).published, Some(true));
}

#[test]
fn without_the_right_nothing_is_asked_until_a_key_may() {
    let mut world = world("user", Jobs::Foreground);
    let mut set = Dataset::default();
    set.incident(1).domains("one", 0..5);
    let first = deliver(&mut world, &mut set);
    assert_eq!((first.ending.clone(), first.run.tally.attributes.sent), (Ending::Partial, 5));
    assert_eq!((asked_to_publish(&world), first.publishing.unpublished), (0, 1));
    let before = world.requests();
    assert_eq!(deliver(&mut world, &mut set).ending, Ending::Partial);
    assert_eq!(world.requests(), before, "not asked for in every run");
    let status = query::status(&world.ledger, &world.job.destination).unwrap();
    assert!(status.unpublished[0].why.contains("perm_publish"));
    let mut with_right = world.second("publisher");
    (with_right.ledger, with_right.job) = (world.ledger, world.job);
    with_right.clock.advance(25 * 3_600);
    let last = deliver(&mut with_right, &mut set);
    assert_eq!(
        (last.ending, last.run.tally.attributes.sent),
        (Ending::Done, 0),
        "{:?}",
        last.run.notes
    );
    assert!(published(&with_right, 1));
    assert_eq!(head(&with_right, event(1)).publishing, Publishing::Settled);
}

#[test]
fn a_blocked_publication_is_told_in_misps_words() {
    let mut world = world("publisher", Jobs::Foreground);
    let call = "/workflows/toggleModule/event-publish/1/1";
    request(&world, "admin", call, &json!({}));
    let mut set = Dataset::default();
    set.incident(1).domains("one", 0..5);
    let first = deliver(&mut world, &mut set);
    assert_eq!((first.ending.clone(), first.publishing.unpublished), (Ending::Partial, 1));
    let refused = |kind: &ChangeKind| matches!(kind, ChangeKind::PublishRefused(_));
    assert!(kinds(&world, &first).iter().any(refused));
    let before = world.requests();
    assert_eq!(deliver(&mut world, &mut set).ending, Ending::Partial);
    assert_eq!(world.requests(), before);
}

#[test]
fn an_append_that_unpublishes_is_told() {
    let mut world = world("publisher", Jobs::Foreground);
    world.job.settings.publish = Publish::Never;
    let mut set = Dataset::default();
    set.incident(1).domains("one", 0..30);
    set.incident(2).domains("two", 0..30);
    deliver(&mut world, &mut set);
    request(&world, "orgadmin", &format!("/events/publish/{}", event(1)), &json!({}));
    set.incident(1).domains("more", 0..30);
    set.incident(2).domains("more", 0..30);
    let second = deliver(&mut world, &mut set);
    assert_eq!(second.ending, Ending::Done);
    let told = |kind: &ChangeKind| matches!(kind, ChangeKind::Unpublished(_));
    assert_eq!(kinds(&world, &second).iter().filter(|kind| told(kind)).count(), 1);
    assert!(second.run.notes.iter().any(|note| note.contains(&event(1).to_string())));
    set.incident(1).domains("even more", 0..30);
    let third = deliver(&mut world, &mut set);
    assert!(!kinds(&world, &third).iter().any(told), "it was unpublished before");
}
