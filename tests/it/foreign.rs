//! Whose an event is decides what may be done to it, with every key anew.

#![allow(missing_docs, clippy::unwrap_used, dead_code)]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use dataset::{Dataset, event};
use misp_trickle::{
    agent::{self, Ending, Observer, Phase, Progress, Summary},
    delivery::Call,
    history::Ledger,
    model::{FeedName, RunNumber},
    plan::{BlockedReason, OnForeign, Presence},
    remote::Answer,
    sandbox::{Release, Setup},
    source::SourceSpec,
};
use misp_trickle_testing::{dataset, obstructed, scene, world};
use obstructed::Obstructed;
use scene::{assert_at_rest, contents, deliver, head, request};
use serde_json::{Value, json};
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
    assert_eq!((summary.ending, summary.run.tally.events.blocked), (Ending::Partial, 1));
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
    assert_eq!((summary.ending, summary.run.tally.events.blocked), (Ending::Done, 0));
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

/// An event of a site administrator's organisation that no other may see, and one who met it all the same.
fn hidden() -> (World, World, Dataset) {
    let mut admin = World::new("admin");
    request(&admin, "admin", "/tags/add", &json!({"name": "tlp:clear"}));
    let mut set = Dataset::default();
    set.incident(1).domains("theirs", 0..5);
    deliver(&mut admin, &mut set);
    let mut sync = admin.second("sync");
    set.incident(1).domains("ours", 0..3);
    assert_eq!(deliver(&mut sync, &mut set).run.tally.events.blocked, 1);
    assert_eq!(head(&sync, event(1)).presence, Presence::Blocked(BlockedReason::EventHidden));
    (admin, sync, set)
}

#[test]
fn an_event_that_was_hidden_is_looked_for_with_another_key() {
    let (admin, mut sync, mut set) = hidden();
    // Nobody asks again by the same key, and no question more than once a day.
    let requests = sync.requests();
    for round in 0..3 {
        assert_eq!(deliver(&mut sync, &mut set).run.tally.events.blocked, 1, "round {round}");
    }
    assert_eq!(sync.requests(), requests);
    // A key of the organisation that owns it, while the dataset stays as it was.
    let mut other = admin.second("admin");
    (other.ledger, other.job) = (sync.ledger, sync.job);
    let summary = deliver(&mut other, &mut set);
    assert_eq!((summary.ending, summary.run.tally.events.blocked), (Ending::Done, 0));
    assert_eq!(contents(&other)[&event(1)].1.len(), 8);
    assert_at_rest(&mut other, &mut set);
}

/// Whether a run reads its source.
#[derive(Default)]
struct Reads(AtomicBool);

impl Observer for Reads {
    fn progress(&self, progress: Progress) {
        self.0.fetch_or(progress.phase == Phase::Reading, Ordering::SeqCst);
    }

    fn note(&self, _: &str) {}
}

/// Delivers a dataset as it is; whether it was read for that.
fn reads(world: &mut World, set: &mut Dataset) -> bool {
    world.job.source = SourceSpec::File(set.write());
    let reads = Reads::default();
    world.sync_watched(&agent::Dataset::default(), &reads);
    reads.0.into_inner()
}

#[test]
fn a_source_is_not_read_again_for_what_waits_for_another_key_before_that_is_asked_for() {
    let (admin, mut sync, mut set) = hidden();
    set.incident(2).domains("free", 0..3);
    deliver(&mut sync, &mut set);
    for round in 0..3 {
        assert!(!reads(&mut sync, &mut set), "round {round}: nothing changed");
    }
    let cursor = |world: &World| {
        world.ledger.cursor(&world.job.feed, &world.job.destination).unwrap().unwrap()
    };
    assert!(cursor(&sync).settled);
    // Once a day it is asked who the key is, and once a week what MISP shows it.
    let (asked_before, mut read) = (asked(&sync, "POST events/index"), 0);
    for _ in 0..15 {
        sync.clock.advance(24 * 3_600);
        read += u64::from(reads(&mut sync, &mut set));
        assert!(!reads(&mut sync, &mut set), "it was asked a minute ago");
    }
    let weekly = asked(&sync, "POST events/index") - asked_before;
    assert!((2..=3).contains(&weekly) && read <= 15, "{weekly} questions, {read} times read");
    // Its owner lets it be seen: found by the next look.
    let uuid = event(1).to_string();
    let all = json!({"Event": {"uuid": uuid, "distribution": "1"}});
    request(&admin, "admin", &format!("/events/edit/{uuid}"), &all);
    for _ in 0..8 {
        sync.clock.advance(24 * 3_600);
        reads(&mut sync, &mut set);
    }
    let now = head(&sync, event(1)).presence;
    assert!(matches!(now, Presence::Blocked(BlockedReason::OwnedBy(_))), "{now:?}");
    assert!(!reads(&mut sync, &mut set), "it is another's, and that was asked for today");
    // Another key reads at once.
    let mut other = admin.second("admin");
    (other.ledger, other.job) = (sync.ledger, sync.job);
    assert!(reads(&mut other, &mut set));
    assert_eq!(contents(&other)[&event(1)].1.len(), 8);
    // What was passed over before it was known who the key is, is looked at once more.
    assert!(reads(&mut other, &mut set));
    assert!(!reads(&mut other, &mut set));
}

#[test]
fn what_one_feed_finds_shown_the_others_look_at() {
    let (admin, mut sync, mut set) = hidden();
    let first = sync.job.feed.clone();
    assert!(!reads(&mut sync, &mut set));
    let uuid = event(1).to_string();
    let all = json!({"Event": {"uuid": uuid, "distribution": "1"}});
    request(&admin, "admin", &format!("/events/edit/{uuid}"), &all);
    // Another feed with the same incident looks first, a week later.
    let mut also = set.copy();
    also.incident(1).domains("also", 0..1);
    sync.job.feed = FeedName::new("second");
    sync.clock.advance(7 * 24 * 3_600);
    assert!(reads(&mut sync, &mut also));
    assert!(matches!(head(&sync, event(1)).presence, Presence::Blocked(BlockedReason::OwnedBy(_))));
    sync.job.feed = first;
    assert!(reads(&mut sync, &mut set), "what it waits for is another thing now");
    assert!(!reads(&mut sync, &mut set));
}

#[test]
fn an_event_that_is_shown_by_now_is_found_within_a_week() {
    let (admin, mut sync, mut set) = hidden();
    let asked_before = asked(&sync, "POST events/index");
    for _ in 0..20 {
        sync.clock.advance(24 * 3_600);
        deliver(&mut sync, &mut set);
    }
    let weekly = asked(&sync, "POST events/index") - asked_before;
    assert!((2..=3).contains(&weekly), "{weekly} questions in 20 days");
    let runs = (1..=sync.ledger.last_run().unwrap().0).map(RunNumber);
    let changes = runs.flat_map(|run| sync.ledger.changes(run).unwrap());
    let blocked = changes.filter(|it| it.attribute.is_none()).count();
    assert_eq!(blocked, 1, "what is as it was is no news");
    // Its owner lets all see it: it is known by now whose it is, and nothing is written to it.
    let uuid = event(1).to_string();
    let all = json!({"Event": {"uuid": uuid, "distribution": "1"}});
    request(&admin, "admin", &format!("/events/edit/{uuid}"), &all);
    for _ in 0..8 {
        sync.clock.advance(24 * 3_600);
        deliver(&mut sync, &mut set);
    }
    let now = head(&sync, event(1)).presence;
    assert!(matches!(now, Presence::Blocked(BlockedReason::OwnedBy(_))), "{now:?}");
    assert_eq!(contents(&sync)[&event(1)].1.len(), 5);
    assert_at_rest(&mut sync, &mut set);
}

/// The answers of a MISP whose metadata leave the owner of an event out, and its index too where it is `mute`.
fn unnamed(world: &World, mute: bool) -> Arc<Obstructed> {
    let inner = world.wire.clone();
    Obstructed::new(world, move |call, _| {
        let answer = || -> (Answer, Value) {
            let (_, answer) = inner.answer(call);
            let json = serde_json::from_slice(&answer.body).unwrap();
            (answer, json)
        };
        let (answer, mut json) = match call {
            Call::Metadata(_) => answer(),
            Call::WhichEvents(_) if mute => answer(),
            _ => return None,
        };
        for found in json.get_mut("response").and_then(Value::as_array_mut).into_iter().flatten() {
            found["Event"].as_object_mut().unwrap().remove("Orgc");
        }
        for row in json.as_array_mut().into_iter().flatten() {
            row.as_object_mut().unwrap().remove("orgc_uuid");
        }
        Some(Answer { body: json.to_string().into_bytes(), ..answer })
    })
}

fn deliver_by(wire: &Arc<Obstructed>, world: &mut World, set: &mut Dataset) -> Summary {
    world.job.source = SourceSpec::File(set.write());
    obstructed::run(world, wire.clone())
}

fn names(summary: &Summary, what: &str) -> bool {
    let event = event(1).to_string();
    summary.run.notes.iter().any(|note| note.contains(what) && note.contains(&event))
}

#[test]
fn where_the_metadata_name_no_owner_the_index_does() {
    // The store was lost, and the event is ours.
    let mut ours = World::new("sync");
    let mut set = Dataset::default();
    set.incident(1).domains("first", 0..5);
    assert_eq!(deliver(&mut ours, &mut set).ending, Ending::Done);
    let mut anew = ours.second("sync");
    set.incident(1).domains("second", 0..5);
    let wire = unnamed(&anew, false);
    let summary = deliver_by(&wire, &mut anew, &mut set);
    // By the second in which they were sent, what is found counts as sent or as adopted.
    let there = summary.run.tally.attributes;
    assert_eq!(
        (summary.ending, there.sent + there.adopted),
        (Ending::Done, 10),
        "{:?}",
        summary.run.notes
    );
    assert_eq!(contents(&anew)[&event(1)].1.len(), 10);
    assert_at_rest(&mut anew, &mut set);
    // It is another organisation's.
    let (admin, mut set) = theirs();
    let mut sync = admin.second("sync");
    let summary = deliver_by(&unnamed(&sync, false), &mut sync, &mut set);
    assert_eq!((&summary.ending, summary.run.tally.events.blocked), (&Ending::Partial, 1));
    assert!(names(&summary, "owned by organisation"), "{:?}", summary.run.notes);
}

#[test]
fn an_event_that_no_answer_names_an_owner_of_is_left_alone_and_told_until_one_does() {
    let mut ours = World::new("sync");
    let mut set = Dataset::default();
    set.incident(1).domains("first", 0..5);
    assert_eq!(deliver(&mut ours, &mut set).ending, Ending::Done);
    let mut anew = ours.second("sync");
    set.incident(1).domains("second", 0..5);
    let wire = unnamed(&anew, true);
    let before = contents(&anew);
    let summary = deliver_by(&wire, &mut anew, &mut set);
    assert_eq!((&summary.ending, summary.run.tally.events.blocked), (&Ending::Partial, 1));
    assert!(names(&summary, "no answer of MISP 2.5.1 says whose it is"), "{:?}", summary.run.notes);
    // It is told as long as it is so, and asked for no more.
    let asked = wire.count();
    for _ in 0..2 {
        let summary = deliver_by(&wire, &mut anew, &mut set);
        assert_eq!((&summary.ending, summary.run.tally.events.blocked), (&Ending::Partial, 1));
        assert!(names(&summary, "unowned: 1 events"), "{:?}", summary.run.notes);
    }
    set.incident(1).domains("third", 0..5);
    assert_eq!(deliver_by(&wire, &mut anew, &mut set).run.tally.attributes.blocked, 15);
    assert_eq!((wire.count(), contents(&anew)), (asked, before));
    assert!(matches!(head(&anew, event(1)).presence, Presence::Blocked(_)));
    // Another MISP may say more.
    let setup = Setup { release: Release::V2_5_19, ..Setup::default() };
    anew.misp.lock().unwrap().set_up(setup);
    anew.clock.advance(25 * 3_600);
    let summary = deliver_by(&unnamed(&anew, false), &mut anew, &mut set);
    let there = summary.run.tally.attributes;
    assert_eq!(
        (summary.ending, there.sent + there.adopted),
        (Ending::Done, 15),
        "{:?}",
        summary.run.notes
    );
    assert_eq!(contents(&anew)[&event(1)].1.len(), 15);
    assert_at_rest(&mut anew, &mut set);
}

/// Under a limit some of them are looked for, and the others by the next run: not a week later.
#[test]
fn hidden_events_that_do_not_fit_into_a_limit_are_looked_for_by_the_next_run() {
    const EVENTS: u16 = 40;
    let (mut admin, mut set) = (World::new("admin"), Dataset::default());
    request(&admin, "admin", "/tags/add", &json!({"name": "tlp:clear"}));
    for number in 1..=EVENTS {
        set.incident(number).domains(&format!("theirs-{number}"), 0..1);
    }
    deliver(&mut admin, &mut set);
    let mut sync = admin.second("sync");
    assert_eq!(deliver(&mut sync, &mut set).run.tally.events.blocked, u64::from(EVENTS));
    for number in 1..=EVENTS {
        let uuid = event(number).to_string();
        let all = json!({"Event": {"uuid": uuid, "distribution": "1"}});
        request(&admin, "admin", &format!("/events/edit/{uuid}"), &all);
    }
    sync.clock.advance(7 * 24 * 3_600);
    sync.job.max_transfer = Some(12_000);
    let hidden = |sync: &World| {
        let is_hidden = Presence::Blocked(BlockedReason::EventHidden);
        (1..=EVENTS).filter(|number| head(sync, event(*number)).presence == is_hidden).count()
    };
    deliver(&mut sync, &mut set);
    assert!(hidden(&sync) > 0, "it is a limit");
    for _ in 0..10 {
        deliver(&mut sync, &mut set);
    }
    assert_eq!(hidden(&sync), 0);
    assert_at_rest(&mut sync, &mut set);
}
