//! Whether `verify` sees that a TLP tag is gone, what it costs to see that none is, and that the next run mends it.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::time::Duration;

use dataset::{Dataset, domain, event};
use misp_trickle::{
    agent::{self, Ending, Verified},
    delivery::verify::{Drift, Finding},
    model::EventUuid,
    plan::TagStanding,
};
use misp_trickle_testing::{dataset, scene, world};
use scene::{assert_at_rest, contents, deliver, head, known, request};
use serde_json::json;
use world::World;

/// Three events: of one colour, of another, and of one with attributes that have a colour of their own.
fn delivered() -> (World, Dataset) {
    let mut world = World::new("user");
    world.job.verify_every = Some(Duration::from_secs(60));
    for tag in ["tlp:clear", "tlp:green", "tlp:amber", "tlp:red", "checked"] {
        request(&world, "admin", "/tags/add", &json!({"name": tag}));
    }
    let mut set = Dataset::default();
    set.incident(1).tlp(Some("GREEN")).domains("green", 0..5);
    set.incident(2).tlp(Some("AMBER")).domains("amber", 0..5);
    set.incident(3).domains("clear", 0..5);
    for number in 0..4 {
        set.incident(3).observe_as(Some("RED"), "domain", &domain("red", number));
    }
    assert_eq!(deliver(&mut world, &mut set).ending, Ending::Done);
    (world, set)
}

/// The UUID of an attribute of ours in MISP.
fn attribute(world: &World, number: u16, value: &str) -> String {
    known(world, event(number), value).attribute.uuid.to_string()
}

fn untag(world: &World, uuid: &str, tag: &str) {
    world.clock.advance(30);
    request(world, "orgadmin", "/tags/removeTagFromObject", &json!({"uuid": uuid, "tag": tag}));
    world.clock.advance(90);
}

/// The administrator deletes a tag and makes it anew: it is gone everywhere, and no timestamp tells.
fn lose(world: &World, tag: &str) {
    let found = request(world, "admin", "/tags/search", &json!([tag]));
    let id = found[0]["Tag"]["id"].as_str().unwrap().to_owned();
    request(world, "admin", &format!("/tags/delete/{id}"), &json!({}));
    request(world, "admin", "/tags/add", &json!({"name": tag}));
    world.clock.advance(90);
}

fn of(found: &Verified, number: u16) -> &Finding {
    found.findings.iter().find(|it| it.event == EventUuid::new(event(number))).unwrap()
}

/// Sends something to an event that nothing happened to, so that the run looks at the others.
fn sync_something(world: &mut World, set: &mut Dataset) -> agent::Summary {
    set.incident(1).domains("later", 0..1);
    world.clock.advance(3_600);
    world.sync(&set.write())
}

#[test]
fn tags_that_are_there_are_proven_by_their_rows_and_by_counts() {
    let (world, _set) = delivered();
    let found = world.verify();
    assert_eq!((found.events, found.proven, found.present), (3, 3, 19));
    assert!(!found.has_exposed() && !found.has_drifted());
    // The rows of two events, those of the third with their tags; a colour of each.
    println!("{} requests", found.tally.requests);
    assert_eq!(found.tally.requests, 2 + 3, "{:?}", found.tally);
}

#[test]
fn a_colour_that_was_taken_off_an_event_is_told_with_numbers_and_attached() {
    let (mut world, mut set) = delivered();
    untag(&world, &event(2).to_string(), "tlp:amber");
    let found = world.verify();
    assert_eq!((found.proven, found.exposed, found.exposed_events), (2, 5, 1));
    assert!(found.has_exposed() && !found.has_drifted());
    let lost = of(&found, 2).lost.as_ref().unwrap();
    assert_eq!((&*lost.tag, lost.attributes), ("tlp:amber", 5));
    assert!(contents(&world)[&event(2)].0.tags.is_empty(), "nothing was changed");

    assert_eq!(sync_something(&mut world, &mut set).ending, Ending::Done);
    assert_eq!(contents(&world)[&event(2)].0.tags, ["tlp:amber"]);
    assert_eq!(head(&world, event(2)).tags.standing("tlp:amber"), Some(&TagStanding::Shown));
    assert!(!world.verify().has_exposed());
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn a_colour_that_was_taken_off_attributes_is_told_by_name_and_attached() {
    let (mut world, mut set) = delivered();
    untag(&world, &attribute(&world, 3, &domain("red", 1)), "tlp:red");
    let found = world.verify();
    assert_eq!((found.proven, found.exposed, found.exposed_events), (2, 1, 0));
    let [difference] = &of(&found, 3).differences[..] else { panic!("{found:?}") };
    assert_eq!((&*difference.value, difference.drift), (&*domain("red", 1), Drift::Exposed));
    assert_eq!(difference.tag.as_deref(), Some("tlp:red"));

    assert_eq!(sync_something(&mut world, &mut set).ending, Ending::Done);
    let red = |world: &World| {
        contents(world)[&event(3)].1.iter().filter(|it| it.tags.contains(&"tlp:red".into())).count()
    };
    assert_eq!(red(&world), 4);
    let found = world.verify();
    assert!(!found.has_exposed() && !found.has_drifted(), "{found:?}");
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn a_tag_that_the_administrator_deleted_is_missed_everywhere() {
    let (mut world, mut set) = delivered();
    lose(&world, "tlp:red");
    lose(&world, "tlp:green");
    let found = world.verify();
    assert_eq!((found.proven, found.exposed, found.exposed_events), (1, 9, 1), "{found:?}");
    assert!(of(&found, 3).differences.iter().all(|one| one.drift == Drift::Exposed));
    set.incident(2).domains("later", 0..1);
    world.clock.advance(3_600);
    assert_eq!(world.sync(&set.write()).ending, Ending::Done);
    let found = world.verify();
    assert!(!found.has_exposed() && !found.has_drifted(), "{found:?}");
    assert_eq!(contents(&world)[&event(1)].0.tags, ["tlp:green"]);
}

#[test]
fn what_others_attach_hides_no_missing_colour_and_a_stricter_one_is_none() {
    let (world, _set) = delivered();
    for number in 0..2 {
        let uuid = attribute(&world, 3, &domain("red", number));
        let tag = json!({"uuid": uuid, "tag": "checked"});
        request(&world, "orgadmin", "/tags/attachTagToObject", &tag);
    }
    untag(&world, &attribute(&world, 3, &domain("red", 1)), "tlp:red");
    // The analyst marks the event stricter.
    let red = json!({"uuid": event(2).to_string(), "tag": "tlp:red"});
    request(&world, "orgadmin", "/tags/attachTagToObject", &red);
    untag(&world, &event(2).to_string(), "tlp:amber");
    let found = world.verify();
    assert_eq!((found.exposed, found.exposed_events), (1, 0), "{found:?}");
    let differences = &of(&found, 3).differences;
    let drift = |number| {
        let value = domain("red", number);
        differences.iter().find(|one| *one.value == *value).map(|one| one.drift)
    };
    assert_eq!((drift(0), drift(1)), (Some(Drift::Edited), Some(Drift::Exposed)));
}
