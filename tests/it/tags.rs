//! What MISP shows of tags decides, not what was asked for: it leaves out without a word what belongs to others.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use dataset::{Dataset, domain, event};
use misp_trickle::{
    agent::{Ending, Summary},
    delivery::Call,
    history::{Commit, EventUpdate, Ledger},
    plan::{ChangeKind, EventTags, ExposedReason, Standing, TagStanding, WithheldReason},
    remote::Answer,
    source::SourceSpec,
};
use misp_trickle_testing::{dataset, obstructed, scene, world};
use obstructed::Obstructed;
use scene::{assert_at_rest, contents, deliver, head, known, request};
use serde_json::json;
use world::World;

const DAY: i64 = 24 * 3_600;
const LACKING: Standing = Standing::Withheld(WithheldReason::MarkingCannotBeCarried);

/// A MISP with these tags that anybody may use, and an agent whose key may make none.
fn world_with(tags: &[&str]) -> World {
    let world = World::new("user");
    for tag in tags {
        request(&world, "admin", "/tags/add", &json!({"name": tag}));
    }
    world
}

/// Gives a tag to an organisation: 1 is the administrator's, 0 everybody.
fn give(world: &World, tag: &str, org: u32) {
    let found = request(world, "admin", "/tags/search", &json!([tag]));
    let id = found[0]["Tag"]["id"].as_str().unwrap().to_owned();
    let body = json!({"org_id": org.to_string()});
    request(world, "admin", &format!("/tags/edit/{id}"), &body);
}

fn changes(world: &World, summary: &Summary) -> Vec<ChangeKind> {
    let changes = world.ledger.changes(summary.run.number).unwrap();
    changes.into_iter().map(|change| change.kind).collect()
}

#[test]
fn a_colour_of_another_organisation_keeps_everything_back() {
    for role in ["user", "tageditor"] {
        let mut world = World::new(role);
        request(&world, "admin", "/tags/add", &json!({"name": "tlp:green", "org_id": "1"}));
        let mut set = Dataset::default();
        set.incident(1).tlp(Some("GREEN")).domains("green", 0..5);
        let summary = deliver(&mut world, &mut set);
        assert_eq!(summary.ending, Ending::AllWithheld, "{role}");
        assert_eq!(summary.run.tally.attributes.withheld, 5);
        assert!(contents(&world).is_empty());
        assert_at_rest(&mut world, &mut set);

        give(&world, "tlp:green", 0);
        world.clock.advance(DAY);
        let summary = deliver(&mut world, &mut set);
        assert_eq!((summary.ending, summary.run.tally.attributes.sent), (Ending::Done, 5));
        assert_eq!(contents(&world)[&event(1)].0.tags, ["tlp:green"]);
        assert_at_rest(&mut world, &mut set);
    }
}

#[test]
fn a_clock_that_was_set_back_keeps_nobody_from_asking_again() {
    let mut world = world_with(&["tlp:green"]);
    give(&world, "tlp:green", 1);
    let mut set = Dataset::default();
    set.incident(1).tlp(Some("GREEN")).domains("green", 0..5);
    assert_eq!(deliver(&mut world, &mut set).ending, Ending::AllWithheld);

    give(&world, "tlp:green", 0);
    let month = 30 * DAY;
    world.clock.advance(-month);
    world.step_clock(-month);
    let summary = deliver(&mut world, &mut set);
    assert_eq!((summary.ending, summary.run.tally.attributes.sent), (Ending::Done, 5));
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn the_first_use_of_a_colour_is_an_event_without_attributes() {
    let mut world = world_with(&["tlp:green", "tlp:amber"]);
    let mut set = Dataset::default();
    set.incident(1).tlp(Some("GREEN")).domains("green", 0..5);
    assert_eq!(deliver(&mut world, &mut set).ending, Ending::Done);

    // The list of tags, asked once, says that the key may use it.
    give(&world, "tlp:amber", 1);
    set.incident(2).tlp(Some("AMBER")).domains("amber", 0..5);
    set.incident(3).tlp(Some("AMBER")).domains("amber", 5..9);
    let summary = deliver(&mut world, &mut set);
    assert_eq!((summary.ending, summary.run.tally.attributes.withheld), (Ending::Partial, 9));
    let there = contents(&world);
    let amber: usize =
        [2, 3].iter().filter_map(|it| there.get(&event(*it))).map(|it| it.1.len()).sum();
    assert_eq!(amber, 0, "nothing is out without its colour");
    assert_eq!(known(&world, event(2), &domain("amber", 0)).standing, LACKING);

    give(&world, "tlp:amber", 0);
    world.clock.advance(DAY);
    let summary = deliver(&mut world, &mut set);
    assert_eq!((summary.ending, summary.run.tally.attributes.sent), (Ending::Done, 9));
    for number in [2, 3] {
        assert_eq!(contents(&world)[&event(number)].0.tags, ["tlp:amber"]);
    }
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn what_is_out_without_its_colour_is_exposed_until_it_has_it() {
    let mut world = world_with(&["tlp:green"]);
    let mut set = Dataset::default();
    set.incident(1).tlp(Some("GREEN")).domains("green", 0..5);
    deliver(&mut world, &mut set);
    give(&world, "tlp:green", 1);
    set.incident(2).tlp(Some("GREEN")).domains("more", 0..3);
    let summary = deliver(&mut world, &mut set);
    assert_eq!(summary.ending, Ending::Partial);
    assert_eq!(summary.run.tally.attributes.exposed, 3);
    assert!(contents(&world)[&event(2)].0.tags.is_empty());
    let exposed = |kind: &ChangeKind| matches!(kind, ChangeKind::Exposed(_));
    assert_eq!(changes(&world, &summary).iter().filter(|kind| exposed(kind)).count(), 3);
    assert!(known(&world, event(2), &domain("more", 0)).exposed.is_some());
    let standing = head(&world, event(2)).tags.standing("tlp:green").cloned();
    let Some(TagStanding::Refused { why, .. }) = standing else { panic!("{standing:?}") };
    assert!(why.contains("another organisation"), "{why}");

    // It says so again, asks nothing, and lets nothing follow.
    assert_at_rest(&mut world, &mut set);
    set.incident(2).domains("late", 0..2);
    let summary = deliver(&mut world, &mut set);
    let tally = summary.run.tally.attributes;
    assert_eq!((summary.ending, tally.withheld, tally.exposed), (Ending::Partial, 2, 3));
    assert_eq!(contents(&world)[&event(2)].1.len(), 3);

    give(&world, "tlp:green", 0);
    world.clock.advance(DAY);
    let summary = deliver(&mut world, &mut set);
    assert_eq!((summary.ending, summary.run.tally.attributes.sent), (Ending::Done, 2));
    assert_eq!(contents(&world)[&event(2)].0.tags, ["tlp:green"]);
    let summary = deliver(&mut world, &mut set);
    let ended = |kind: &ChangeKind| matches!(kind, ChangeKind::ExposureEnded(_));
    assert_eq!(changes(&world, &summary).iter().filter(|kind| ended(kind)).count(), 3);
    assert_eq!(summary.run.tally.attributes.exposed, 0);
    assert!(known(&world, event(2), &domain("more", 0)).exposed.is_none());
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn of_a_colour_of_its_own_one_attribute_goes_first() {
    let mut world = world_with(&["tlp:clear", "tlp:red"]);
    let mut set = Dataset::default();
    set.incident(1).domains("clear", 0..5);
    deliver(&mut world, &mut set);
    give(&world, "tlp:red", 1);
    for number in 0..4 {
        set.incident(1).observe_as(Some("RED"), "domain", &domain("red", number));
    }
    let summary = deliver(&mut world, &mut set);
    let tally = summary.run.tally.attributes;
    assert_eq!((tally.sent, tally.withheld, tally.exposed), (1, 3, 1));
    assert_eq!(summary.ending, Ending::Partial);
    assert_eq!(contents(&world)[&event(1)].1.len(), 6);
    let summary = deliver(&mut world, &mut set);
    assert_eq!(summary.run.tally.attributes.exposed, 1, "it stays exposed");
}

#[test]
fn the_first_use_of_a_colour_costs_one_request_and_the_cheapest_event_makes_it() {
    let mut world = world_with(&["tlp:green", "tlp:amber", "tlp:red"]);
    let mut set = Dataset::default();
    for (number, colour) in [(1, "GREEN"), (2, "GREEN"), (3, "AMBER"), (4, "RED"), (5, "GREEN")] {
        set.incident(number).tlp(Some(colour)).domains(&format!("d{number}"), 0..9);
        for tag in 0..number % 5 {
            set.incident(number).tag(&format!("sector:{tag}"));
        }
    }
    // It has a colour of its own, which another event has as well.
    set.incident(5).observe_as(Some("RED"), "domain", &domain("own", 1));
    let summary = deliver(&mut world, &mut set);
    assert_eq!((summary.ending, summary.run.tally.attributes.sent), (Ending::Done, 46));
    // MISP, the key and the tags; five events, and three of them twice; the proof of all.
    assert_eq!(summary.run.tally.requests, 3 + 5 + 3 + 1);
    let (ledger, destination) = (&world.ledger, &world.job.destination);
    let proven = ledger.destination(destination).unwrap().unwrap().proven_tags;
    assert_eq!(proven.len(), 3, "{proven:?}");
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn the_first_event_of_all_is_the_one_that_proves_its_colour_for_least() {
    let mut world = world_with(&["tlp:green"]);
    let mut set = Dataset::default();
    for (number, count) in [(1, 9), (2, 9), (3, 1), (4, 9)] {
        set.incident(number).tlp(Some("GREEN")).domains(&format!("d{number}"), 0..count);
    }
    let made = Arc::new(Mutex::new(Vec::new()));
    let seen = made.clone();
    let obstructed = Obstructed::new(&world, move |call, _| {
        if let Call::AddEvent(new) = call {
            seen.lock().unwrap().push((new.uuid.uuid(), new.attributes.len()));
        }
        None
    });
    world.job.source = SourceSpec::File(set.write());
    assert_eq!(obstructed::run(&mut world, obstructed).ending, Ending::Done);
    let made = made.lock().unwrap();
    assert_eq!(made[0], (event(3), 0), "{made:?}");
    assert!(made[1..].iter().all(|(_, attributes)| *attributes == 9), "{made:?}");
}

/// An event with three attributes of its own colour and two of RED, for a MISP that showed all colours before.
fn with_red_in_a_new_event() -> (World, Dataset) {
    let mut world = world_with(&["tlp:clear", "tlp:red"]);
    let mut set = Dataset::default();
    set.incident(1).domains("clear", 0..3);
    set.incident(3).tlp(Some("RED")).domains("red", 0..3);
    assert_eq!(deliver(&mut world, &mut set).ending, Ending::Done);
    set.incident(2).domains("more", 0..3);
    for number in 0..2 {
        set.incident(2).observe_as(Some("RED"), "domain", &domain("own", number));
    }
    (world, set)
}

/// The same, delivered; what happens to tlp:red meanwhile is said for each call.
fn red_in_a_new_event(
    meanwhile: impl Fn(&Call, &dyn Fn(u32)) + Send + Sync + 'static,
) -> (World, Dataset, Summary) {
    let (mut world, mut set) = with_red_in_a_new_event();
    let (wire, key) = (world.wire.clone(), world.keys.get("admin").unwrap().to_owned());
    let obstructed = Obstructed::new(&world, move |call, _| {
        meanwhile(call, &|org| {
            let found = wire.raw(&key, "POST", "/tags/search", r#"["tlp:red"]"#).1;
            let found: serde_json::Value = serde_json::from_str(&found).unwrap();
            let path = format!("/tags/edit/{}", found[0]["Tag"]["id"].as_str().unwrap());
            wire.raw(&key, "POST", &path, &json!({"org_id": org.to_string()}).to_string());
        });
        None
    });
    world.job.source = SourceSpec::File(set.write());
    let summary = obstructed::run(&mut world, obstructed);
    (world, set, summary)
}

#[test]
fn colours_that_attributes_bring_are_proven_with_their_rows() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let calls = seen.clone();
    let (mut world, mut set, summary) = red_in_a_new_event(move |call, _| {
        calls.lock().unwrap().push(call.clone());
    });
    let tally = summary.run.tally.attributes;
    assert_eq!((summary.ending, tally.sent, tally.exposed), (Ending::Done, 5, 0));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(matches!(&seen[1], Call::TaggedRows { events, .. } if events.len() == 1), "{seen:?}");
    drop(seen);
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn a_colour_dropped_from_attributes_in_silence_is_attached_once() {
    let (mut world, mut set, summary) = red_in_a_new_event(|call, give_red_to| match call {
        Call::AddEvent(_) => give_red_to(1),
        Call::TaggedRows { .. } => give_red_to(0),
        _ => {}
    });
    let kinds = changes(&world, &summary);
    let tally = summary.run.tally.attributes;
    assert_eq!((summary.ending, tally.sent, tally.exposed), (Ending::Done, 5, 0));
    let there = contents(&world)[&event(2)].1.clone();
    let red: Vec<_> = there.iter().filter(|it| it.tags == ["tlp:red"]).collect();
    assert_eq!((there.len(), red.len()), (5, 2), "{there:?}");
    assert!(!known(&world, event(2), &domain("own", 0)).overruled, "nobody but us was there");
    let count = |is: fn(&ChangeKind) -> bool| kinds.iter().filter(|kind| is(kind)).count();
    let begun = count(|kind| matches!(kind, ChangeKind::Exposed(_)));
    let ended = count(|kind| matches!(kind, ChangeKind::ExposureEnded(_)));
    assert_eq!((begun, ended), (2, 2), "exposed until it was attached");
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn one_list_follows_all_colours_that_are_attached() {
    let lists = Arc::new(Mutex::new(Vec::new()));
    let seen = lists.clone();
    let (mut world, mut set, summary) = red_in_a_new_event(move |call, give_red_to| {
        match call {
            Call::AddEvent(_) => give_red_to(1),
            Call::TaggedRows { .. } => give_red_to(0),
            _ => {}
        }
        seen.lock().unwrap().push(call.clone());
    });
    assert_eq!(summary.run.tally.attributes.exposed, 0);
    let seen = lists.lock().unwrap().clone();
    let of = |is: fn(&Call) -> bool| seen.iter().filter(|call| is(call)).count();
    let attached = of(|call| matches!(call, Call::AttachTag { .. }));
    let lists = of(|call| matches!(call, Call::Listing(_)));
    assert_eq!((attached, lists, seen.len()), (2, 1, 5), "{seen:?}");
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn a_colour_that_was_left_out_shows_after_a_lost_answer_too() {
    let (mut world, mut set) = with_red_in_a_new_event();
    let (wire, lost) = (world.wire.clone(), AtomicBool::new(false));
    let obstructed = Obstructed::new(&world, move |call, _| {
        let Call::AddEvent(new) = call else { return None };
        if lost.swap(true, Ordering::SeqCst) {
            return None;
        }
        let mut bare = new.clone();
        bare.attributes.iter_mut().for_each(|it| it.attribute.tags.clear());
        wire.answer(&Call::AddEvent(bare));
        Some(Answer { status: 504, ..Answer::default() })
    });
    world.job.source = SourceSpec::File(set.write());
    let summary = obstructed::run(&mut world, obstructed);
    assert_eq!((summary.ending, summary.run.tally.attributes.exposed), (Ending::Done, 0));
    let there = contents(&world)[&event(2)].1.clone();
    let red = there.iter().filter(|it| it.tags == ["tlp:red"]).count();
    assert_eq!((there.len(), red), (5, 2), "{there:?}");
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn a_colour_that_attributes_cannot_have_exposes_them_by_name() {
    let attempts = Arc::new(Mutex::new(0));
    let counted = attempts.clone();
    let (mut world, mut set, summary) = red_in_a_new_event(move |call, give_red_to| match call {
        Call::AddEvent(_) => give_red_to(1),
        Call::AttachTag { attribute: Some(_), .. } => *counted.lock().unwrap() += 1,
        _ => {}
    });
    let tally = summary.run.tally.attributes;
    assert_eq!((summary.ending, tally.sent, tally.exposed), (Ending::Partial, 5, 2));
    assert_eq!(*attempts.lock().unwrap(), 1, "the first tells");
    for number in 0..2 {
        let exposed = known(&world, event(2), &domain("own", number)).exposed;
        assert_eq!(exposed, Some(ExposedReason::LacksTag("tlp:red".into())));
    }
    assert!(summary.run.notes.iter().any(|note| note.contains("another organisation")));
    // It says so again, and sends nothing more under that colour.
    set.incident(2).observe_as(Some("RED"), "domain", &domain("own", 2));
    let summary = deliver(&mut world, &mut set);
    let tally = summary.run.tally.attributes;
    assert_eq!((summary.ending, tally.withheld, tally.exposed), (Ending::Partial, 1, 2));
    assert_eq!(contents(&world)[&event(2)].1.len(), 5);
    assert_at_rest(&mut world, &mut set);

    give(&world, "tlp:red", 0);
    world.clock.advance(2 * DAY);
    let summary = world.sync(&set.write());
    let tally = summary.run.tally.attributes;
    assert_eq!(summary.ending, Ending::Done);
    assert_eq!((tally.sent, tally.exposed), (1, 0));
    let there = contents(&world)[&event(2)].1.clone();
    assert_eq!(there.iter().filter(|it| it.tags == ["tlp:red"]).count(), 3, "{there:?}");
    let ended = |kind: &ChangeKind| matches!(kind, ChangeKind::ExposureEnded(_));
    assert_eq!(changes(&world, &summary).iter().filter(|kind| ended(kind)).count(), 2);
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn a_dropped_tag_is_a_fact_and_goes_once_it_may() {
    let mut world = world_with(&["tlp:clear", "campaign"]);
    give(&world, "campaign", 1);
    let mut set = Dataset::default();
    set.incident(1).tag("campaign").tag("nowhere").domains("one", 0..3);
    let summary = deliver(&mut world, &mut set);
    assert_eq!((summary.ending, summary.run.tally.attributes.sent), (Ending::Done, 3));
    assert_eq!(contents(&world)[&event(1)].0.tags, ["tlp:clear"]);
    let tags = head(&world, event(1)).tags;
    let refused: Vec<_> =
        tags.refused().map(|(tag, why, _)| (tag.to_owned(), why.to_owned())).collect();
    let left_out =
        |(tag, why): &(String, String), name: &str| tag == name && why.contains("left it out");
    assert!(left_out(&refused[0], "campaign") && left_out(&refused[1], "nowhere"), "{refused:?}");
    let asked = summary.run.tally.requests;
    assert_eq!(asked, 5, "MISP, the key, the colours, the event, and what follows");
    assert_at_rest(&mut world, &mut set);

    give(&world, "campaign", 0);
    world.clock.advance(8 * DAY);
    assert_at_rest(&mut world, &mut set);
    // A run that sends something anyway asks; the event that did not change gets its tag.
    set.incident(2).domains("two", 0..1);
    deliver(&mut world, &mut set);
    deliver(&mut world, &mut set);
    assert_eq!(contents(&world)[&event(1)].0.tags, ["tlp:clear", "campaign"]);
    let tags = head(&world, event(1)).tags;
    let why = tags.refused().map(|(tag, why, _)| (tag, why)).collect::<Vec<_>>();
    assert!(why.len() == 1 && why[0].0 == "nowhere" && why[0].1.contains("not in MISP"), "{why:?}");
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn another_spelling_of_a_tag_is_the_tag() {
    let mut world = world_with(&["TLP:GREEN", "Campaign"]);
    let mut set = Dataset::default();
    set.incident(1).tlp(Some("GREEN")).tag("campaign").domains("green", 0..5);
    let summary = deliver(&mut world, &mut set);
    assert_eq!((summary.ending, summary.run.tally.attributes.sent), (Ending::Done, 5));
    let mut tags = contents(&world)[&event(1)].0.tags.clone();
    tags.sort_unstable();
    assert_eq!(tags, ["Campaign", "TLP:GREEN"]);
    assert_at_rest(&mut world, &mut set);
}

#[test]
fn what_an_earlier_release_sent_is_doubted_until_an_answer_shows_it() {
    let mut world = world_with(&["tlp:clear", "tlp:green"]);
    let mut set = Dataset::default();
    set.incident(1).tlp(Some("GREEN")).domains("green", 0..5);
    deliver(&mut world, &mut set);
    let removal = json!({"uuid": event(1).to_string(), "tag": "tlp:green"});
    request(&world, "orgadmin", "/tags/removeTagFromObject", &removal);
    let mut head = head(&world, event(1));
    head.tags = EventTags::doubted(["tlp:green".into()]);
    let (destination, run) = (world.job.destination.clone(), world.ledger.last_run().unwrap());
    let events = vec![EventUpdate::of(head)];
    world.ledger.commit(&destination, run, Commit { events, ..Commit::default() }).unwrap();
    // The doubt alone is no reason to ask.
    assert_at_rest(&mut world, &mut set);
    set.incident(1).title("Another title");
    assert_eq!(world.sync(&set.write()).ending, Ending::Done);
    assert_eq!(contents(&world)[&event(1)].0.tags, ["tlp:green"]);
    assert_at_rest(&mut world, &mut set);
}
