//! Whose an event is decides what may be done to it, with every key anew.

#![allow(missing_docs, clippy::unwrap_used, dead_code)]

#[path = "support/dataset.rs"]
mod dataset;
#[path = "support/scene.rs"]
mod scene;
#[path = "support/world.rs"]
mod world;

use dataset::{Dataset, event};
use misp_trickle::{agent::Ending, plan::OnForeign};
use scene::{assert_at_rest, contents, deliver, head, request};
use serde_json::json;
use world::World;

/// Requests of a kind so far.
fn asked(world: &World, action: &str) -> u64 {
    world.misp.lock().unwrap().counters().by_action.get(action).copied().unwrap_or(0)
}

/// An event of a site administrator's organisation, which all may see.
fn theirs() -> (World, Dataset) {
    let mut admin = World::new("admin");
    request(&admin, "admin", "/tags/add", &json!({"name": "tlp:clear"}));
    admin.job.settings.distribution = 1;
    let mut set = Dataset::default();
    set.incident(1).domains("theirs", 0..5);
    deliver(&mut admin, &mut set);
    (admin, set)
}

#[test]
fn to_append_to_others_takes_a_site_administrators_key() {
    let (admin, mut set) = theirs();
    let mut sync = admin.second("sync");
    sync.job.settings.on_foreign = OnForeign::Append;
    set.incident(1).domains("ours", 0..3);
    let before = contents(&sync);
    let summary = deliver(&mut sync, &mut set);
    assert_eq!((summary.ending, summary.run.tally.events_blocked), (Ending::Partial, 1));
    assert!(summary.run.notes.iter().any(|note| note.contains("only a site administrator's key")));
    assert_eq!((contents(&sync), asked(&sync, "POST attributes/add")), (before, 0));
    // It is told as long as it is so, and asked for no more.
    let requests = sync.requests();
    assert_eq!(deliver(&mut sync, &mut set).ending, Ending::Partial);
    set.incident(1).domains("more", 0..3);
    assert_eq!(deliver(&mut sync, &mut set).ending, Ending::Partial);
    assert_eq!(sync.requests(), requests);
    // With such a key it goes.
    let mut other = admin.second("admin");
    (other.ledger, other.job) = (sync.ledger, sync.job);
    let summary = deliver(&mut other, &mut set);
    assert_eq!((summary.ending, summary.run.tally.events_blocked), (Ending::Done, 0));
    assert_eq!(contents(&other)[&event(1)].1.len(), 11);
    assert_at_rest(&mut other, &mut set);
}

#[test]
fn with_the_key_of_another_organisation_nothing_is_appended_to_what_was_ours() {
    let mut ours = World::new("sync");
    request(&ours, "admin", "/tags/add", &json!({"name": "tlp:clear"}));
    ours.job.settings.distribution = 1;
    let mut set = Dataset::default();
    set.incident(1).domains("first", 0..30);
    assert_eq!(deliver(&mut ours, &mut set).ending, Ending::Done);
    // An administrator of another organisation may write to everything; nobody told the agent to.
    let mut other = ours.second("admin");
    (other.ledger, other.job) = (ours.ledger, ours.job);
    let before = contents(&other);
    set.incident(1).domains("second", 0..30);
    let summary = deliver(&mut other, &mut set);
    assert_eq!((summary.ending, summary.run.tally.attributes.sent), (Ending::Partial, 0));
    assert_eq!(contents(&other), before);
    assert_eq!(summary.run.tally.attributes.blocked, 30);
    // With the key that it was delivered by, it goes on.
    let mut back = other.second("sync");
    (back.ledger, back.job) = (other.ledger, other.job);
    let summary = deliver(&mut back, &mut set);
    assert_eq!(
        (summary.ending, summary.run.tally.attributes.sent),
        (Ending::Done, 30),
        "{:?}",
        summary.run.notes
    );
    assert_eq!(head(&back, event(1)).presence, misp_trickle::plan::Presence::Present);
    assert_at_rest(&mut back, &mut set);
}
