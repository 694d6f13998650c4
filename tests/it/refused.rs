//! Something takes MISP's questions and most bodies, and refuses some: the rest goes on, and what is refused is
//! found, named and left for the next run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, sync::Arc};

use misp_trickle::{
    agent::{Ending, Summary},
    delivery::{Call, Concurrency, Reply, Trouble},
    plan::Publish,
    remote::{self, Answer},
    source::SourceSpec,
};
use misp_trickle_testing::{obstructed, world};
use obstructed::{Obstructed, attributes, carried, dataset, run, world};
use tempfile::TempDir;
use world::{LocalWire, World};

const PAGE: &[u8] = b"<html><h1>Request blocked</h1></html>";
const MISPS_OWN: &[u8] = br#"{"name":"An Internal Error Has Occurred."}"#;

/// What refuses a body: a firewall's pages, a proxy's words, MISP's own bare 500, and no answer at all.
const REFUSALS: [(u16, &[u8]); 21] = [
    (200, PAGE),
    (302, b""),
    (400, PAGE),
    (401, PAGE),
    (403, PAGE),
    (403, br#"{"message":"Forbidden"}"#),
    (404, PAGE),
    (404, br#"{"error":{"code":"NotFound"}}"#),
    (405, PAGE),
    (406, PAGE),
    (410, b""),
    (413, PAGE),
    (414, PAGE),
    (431, PAGE),
    (451, PAGE),
    (500, PAGE),
    (500, MISPS_OWN),
    (501, PAGE),
    (504, PAGE),
    (511, PAGE),
    (524, PAGE),
];

fn answer((status, body): (u16, &[u8])) -> Answer {
    Answer { status, body: body.to_vec(), ..Answer::default() }
}

fn holds(call: &Call, value: &str) -> bool {
    carried(call).iter().any(|it| it.attribute.value.as_str().starts_with(value))
}

/// The sandbox behind something that refuses one value.
fn without(world: &World, value: &'static str, refusal: (u16, &'static [u8])) -> Arc<Obstructed> {
    Obstructed::new(world, move |call, _| holds(call, value).then(|| answer(refusal)))
}

/// Bodies that were refused, by their bytes.
fn refused(wire: &Obstructed, refuses: impl Fn(&Call) -> bool) -> Vec<usize> {
    let sent = wire.sent.lock().unwrap();
    let calls = sent.iter().map(|(_, call)| call).filter(|call| refuses(call));
    calls.map(|call| remote::encode(call, true).body.len()).collect()
}

fn said(summary: &Summary) -> String {
    summary.run.notes.join("\n")
}

#[test]
fn one_refused_value_is_found_and_named_and_everything_else_goes() {
    let folder = TempDir::new().unwrap();
    for refusal in REFUSALS {
        let mut world = world(dataset(&folder, 6, 200));
        let wire = without(&world, "d150.i2.", refusal);
        let summary = run(&mut world, wire.clone());
        let said = said(&summary);
        assert_eq!(summary.ending, Ending::Partial, "{refusal:?} {said}");
        let tally = summary.run.tally.attributes;
        assert_eq!((tally.sent, tally.pending), (6 * 200 - 1, 1), "{refusal:?} {said}");
        assert!(said.contains("d150.i2.example.org"), "{refusal:?} {said}");
        assert!(said.contains("Incident") && said.contains("of "), "{refusal:?} {said}");
        let bytes = refused(&wire, |call| holds(call, "d150.i2."));
        let all: usize = bytes.iter().sum();
        // MISP's own error is heard once more from the way that names what is wrong.
        assert!(all <= 2 * bytes[0], "{refusal:?}: {bytes:?}");
        assert!(wire.count() < 60, "{refusal:?}: {}", wire.count());
    }
}

#[test]
fn a_refused_value_costs_the_next_run_one_small_body_and_no_other_value() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 3, 200));
    let wire = without(&world, "d150.i2.", (403, PAGE));
    run(&mut world, wire);
    world.job.source = SourceSpec::File(dataset(&folder, 3, 260));
    let wire = without(&world, "d150.i2.", (403, PAGE));
    let summary = run(&mut world, wire.clone());
    assert_eq!(summary.run.tally.attributes.sent, 3 * 60, "{}", said(&summary));
    let bytes = refused(&wire, |call| holds(call, "d150.i2."));
    assert!(bytes.len() == 1 && bytes[0] < 600, "{bytes:?}");
    let wire = world.wire.clone();
    world.job.source = SourceSpec::File(dataset(&folder, 3, 261));
    assert_eq!(run(&mut world, wire).ending, Ending::Done);
}

#[test]
fn an_event_whose_title_is_refused_is_given_up_and_its_values_are_not_tried_one_by_one() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 3, 100));
    let first = std::sync::OnceLock::new();
    let wire = Obstructed::new(&world, move |call, _| match call {
        Call::AddEvent(new) if new.uuid == *first.get_or_init(|| new.uuid) => {
            Some(answer((403, PAGE)))
        }
        _ => None,
    });
    let summary = run(&mut world, wire.clone());
    assert_eq!(summary.ending, Ending::Partial);
    assert_eq!(summary.run.tally.attributes.sent, 200, "{}", said(&summary));
    assert!(said(&summary).contains("refused even without attributes"), "{}", said(&summary));
    assert!(wire.count() < 40, "{}", wire.count());
}

#[test]
fn where_nothing_is_let_through_five_events_are_enough_and_the_next_run_begins_with_others() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 40, 8));
    let writes = |call: &Call, _| call.writes().then(|| answer((403, PAGE)));
    let tried = |wire: &Obstructed| -> BTreeSet<_> {
        let sent = wire.sent.lock().unwrap();
        let events = sent.iter().filter_map(|(_, call)| match call {
            Call::AddEvent(new) => Some(new.uuid),
            _ => None,
        });
        events.collect()
    };
    let mut seen = BTreeSet::new();
    for number in 1..=5 {
        let wire = Obstructed::new(&world, writes);
        let summary = run(&mut world, wire.clone());
        assert_eq!(summary.ending, Ending::Partial, "{}", said(&summary));
        assert!(said(&summary).contains("nothing was let through"), "{}", said(&summary));
        let now = tried(&wire);
        assert!((5..=7).contains(&now.len()), "run {number}: {}", now.len());
        assert!(now.is_disjoint(&seen), "run {number} begins with what was refused before");
        seen.extend(now);
    }
    let wire = world.wire.clone();
    assert_eq!(run(&mut world, wire).ending, Ending::Done);
    assert_eq!(world.misp.lock().unwrap().events().len(), 40);
}

#[test]
fn a_size_that_failed_is_not_tried_again() {
    let folder = TempDir::new().unwrap();
    for refusal in [(413, PAGE), (504, PAGE), (500, MISPS_OWN), (500, PAGE), (524, PAGE)] {
        let mut world = world(dataset(&folder, 4, 900));
        world.job.concurrency = Concurrency::Fixed(1);
        let large = |call: &Call| attributes(call) > 100;
        let wire = Obstructed::new(&world, move |call, _| large(call).then(|| answer(refusal)));
        let summary = run(&mut world, wire.clone());
        assert_eq!(summary.ending, Ending::Done, "{refusal:?} {}", said(&summary));
        let sizes = |wire: &Obstructed| -> Vec<usize> {
            let sent = wire.sent.lock().unwrap();
            sent.iter().map(|(_, call)| attributes(call)).filter(|size| *size > 100).collect()
        };
        let failed = sizes(&wire);
        assert!(failed.is_sorted_by(|a, b| a > b) && failed.len() <= 5, "{refusal:?} {failed:?}");
        world.job.source = SourceSpec::File(dataset(&folder, 5, 900));
        let wire = Obstructed::new(&world, move |call, _| large(call).then(|| answer(refusal)));
        assert_eq!(run(&mut world, wire.clone()).ending, Ending::Done);
        let failed = sizes(&wire);
        assert!(failed.iter().all(|size| *size < 150), "{refusal:?} {failed:?}");
    }
}

#[test]
fn the_trouble_of_one_event_keeps_nobody_waiting_however_large_it_is() {
    let folder = TempDir::new().unwrap();
    let path = dataset(&folder, 30, 4);
    let mut world = world(path);
    world.job.concurrency = Concurrency::Fixed(2);
    let first = std::sync::OnceLock::new();
    let wire = Obstructed::new(&world, move |call, _| {
        let event = match call {
            Call::AddEvent(new) => *first.get_or_init(|| new.uuid),
            Call::Metadata(event) | Call::Listing(event) => *event,
            _ => return None,
        };
        let is_it = match call {
            Call::AddEvent(new) => new.uuid == event,
            _ => first.get() == Some(&event),
        };
        is_it.then(|| answer((504, PAGE)))
    });
    let summary = run(&mut world, wire.clone());
    assert_eq!(summary.ending, Ending::Partial, "{}", said(&summary));
    assert_eq!(summary.run.tally.events.created, 29, "{}", said(&summary));
    // It was tried once, then all the others were, and only then again.
    let sent = wire.sent.lock().unwrap();
    let unlucky = sent.iter().find_map(|(_, call)| match call {
        Call::AddEvent(new) => Some(new.uuid),
        _ => None,
    });
    let about = |call: &Call| match call {
        Call::AddEvent(new) => Some(new.uuid),
        Call::Metadata(event) => Some(*event),
        _ => None,
    };
    let second = sent.iter().enumerate().filter(|(_, (_, call))| about(call) == unlucky).nth(1);
    assert!(second.unwrap().0 > 30, "{second:?}");
}

/// One event of many loses an attribute on its way into MISP, which says nothing; perhaps somebody else adds one
/// there at once, so that the count is right again.
#[test]
fn what_misp_drops_in_silence_is_found_in_its_event_alone() {
    let folder = TempDir::new().unwrap();
    for somebody_adds in [false, true] {
        let mut world = world(dataset(&folder, 30, 100));
        let (inner, admin) = (world.wire.clone(), world.keys.get("admin").unwrap().to_owned());
        let wire = Obstructed::new(&world, move |call, _| {
            let Call::AddEvent(new) = call else { return None };
            if !holds(call, "d50.i7.") {
                return None;
            }
            let mut less = new.clone();
            less.attributes.retain(|it| !it.attribute.value.as_str().starts_with("d50.i7."));
            let mut answer = inner.answer(&Call::AddEvent(less)).1;
            if somebody_adds {
                let path = format!("/attributes/add/{}", new.uuid);
                inner.raw(&admin, "POST", &path, r#"{"type":"domain","value":"x.example.org"}"#);
                let text = String::from_utf8(answer.body).unwrap();
                let (before, after) = (r#""attribute_count":"99""#, r#""attribute_count":"100""#);
                assert!(text.contains(before), "{text}");
                answer.body = text.replace(before, after).into_bytes();
            }
            Some(answer)
        });
        let summary = run(&mut world, wire.clone());
        assert_eq!(summary.ending, Ending::Done, "{}", said(&summary));
        assert_eq!(summary.run.tally.attributes.sent, 3_000);
        let sent = wire.sent.lock().unwrap();
        let asked = |events: &dyn Fn(usize) -> bool| {
            let all = sent.iter().filter_map(|(_, call)| match call {
                Call::Rows { events, .. } => Some(events.len()),
                _ => None,
            });
            all.filter(|count| events(*count)).count()
        };
        assert_eq!(asked(&|events| events == 1), 1, "only its event is listed, once");
        assert!(asked(&|events| events > 1) <= 2);
        assert!(!sent.iter().any(|(_, call)| matches!(call, Call::Listing(_))));
    }
}

#[test]
fn of_an_event_that_an_analyst_deleted_nothing_is_sent_before_misp_took_the_event() {
    let folder = TempDir::new().unwrap();
    for deleted in [true, false] {
        let mut world = world(dataset(&folder, 6, 50));
        let wire = world.wire.clone();
        run(&mut world, wire);
        let event = world.misp.lock().unwrap().events()[2].uuid;
        let admin = world.keys.get("admin").unwrap().to_owned();
        let path = format!("/events/delete/{event}");
        assert_eq!(world.wire.raw(&admin, "POST", &path, "").0, 200);
        if !deleted {
            let path = format!("/eventBlocklists/delete/{event}");
            assert_eq!(world.wire.raw(&admin, "POST", &path, "").0, 200);
        }
        world.job.source = SourceSpec::File(dataset(&folder, 6, 51));
        let wire = Obstructed::new(&world, |_, _| None);
        let summary = run(&mut world, wire.clone());
        let sent = wire.sent.lock().unwrap();
        let made: Vec<usize> = sent
            .iter()
            .filter(|(_, call)| matches!(call, Call::AddEvent(_)))
            .map(|(_, call)| attributes(call))
            .collect();
        assert_eq!(made, [0], "{}", said(&summary));
        assert_eq!(said(&summary).contains("sent again"), !deleted, "{}", said(&summary));
        let held = world.misp.lock().unwrap().attributes(event).len();
        assert_eq!(held, if deleted { 0 } else { 51 });
    }
}

/// No answer comes at all: a connection that is reset, or nothing within `timeout`.
#[test]
fn a_reset_or_a_time_out_for_one_value_is_found_as_a_page_is() {
    let folder = TempDir::new().unwrap();
    for arrives in [false, true] {
        let mut world = world(dataset(&folder, 6, 200));
        let inner = world.wire.clone();
        let silence = move |call: &Call| {
            if !holds(call, "d150.i2.") {
                return None;
            }
            // A body may have got to MISP, and its answer not back; the value itself never gets there.
            if arrives && carried(call).len() > 1 {
                drop(inner.answer(&less(call, "d150.i2.")));
            }
            let why = "the connection broke before the whole answer was there".into();
            Some(Reply::Trouble(Trouble::Unknown { why, retry_after: None }))
        };
        let wire = Obstructed::silent(&world, silence);
        let summary = run(&mut world, wire.clone());
        let said = said(&summary);
        assert_eq!(summary.ending, Ending::Partial, "{said}");
        assert_eq!(summary.run.tally.attributes.pending, 1, "{said}");
        let held: usize = {
            let misp = world.misp.lock().unwrap();
            misp.events().iter().map(|event| misp.attributes(event.uuid).len()).sum()
        };
        assert_eq!(held, 6 * 200 - 1, "{said}");
        assert!(said.contains("d150.i2.example.org"), "{said}");
        assert!(wire.count() < 70, "{}", wire.count());
        let bytes = refused(&wire, |call| holds(call, "d150.i2."));
        // The one value is tried more than once, as a time-out may pass.
        assert!(bytes.iter().sum::<usize>() <= 2 * bytes[0], "{bytes:?}");
    }
}

fn less(call: &Call, value: &str) -> Call {
    let mut call = call.clone();
    match &mut call {
        Call::AddEvent(new) => {
            new.attributes.retain(|it| !it.attribute.value.as_str().starts_with(value));
        }
        Call::AppendQuietly { attributes, .. } | Call::AppendLoudly { attributes, .. } => {
            attributes.retain(|it| !it.attribute.value.as_str().starts_with(value));
        }
        _ => {}
    }
    call
}

/// What stands before MISP when a request to an event that is published goes wrong.
type Spoils = fn(&LocalWire, &Call) -> Option<Reply>;

/// apache's 413 lets MISP run with an empty body: it unpublishes the event.
fn apaches_413(inner: &LocalWire, call: &Call) -> Option<Reply> {
    let Call::AppendQuietly { event, attributes } = call else { return None };
    (attributes.len() > 60).then(|| {
        drop(inner.answer(&Call::AppendQuietly { event: *event, attributes: Vec::new() }));
        remote::decode(call, &answer((413, PAGE)))
    })
}

/// The same, and no value is let through at all.
fn apaches_413_to_everything(inner: &LocalWire, call: &Call) -> Option<Reply> {
    if let Call::AppendQuietly { event, .. } = call {
        drop(inner.answer(&Call::AppendQuietly { event: *event, attributes: Vec::new() }));
    }
    (!carried(call).is_empty()).then(|| remote::decode(call, &answer((413, PAGE))))
}

/// All of it arrives, and no answer comes back.
fn lost_answers(inner: &LocalWire, call: &Call) -> Option<Reply> {
    if carried(call).is_empty() {
        return None;
    }
    drop(inner.answer(call));
    let why = "the connection broke before the whole answer was there".into();
    Some(Reply::Trouble(Trouble::Unknown { why, retry_after: None }))
}

#[test]
fn what_a_request_that_went_wrong_unpublished_is_published_again() {
    let folder = TempDir::new().unwrap();
    let all: [(Spoils, u64); 3] =
        [(apaches_413, 400), (apaches_413_to_everything, 0), (lost_answers, 400)];
    for (number, (spoils, sent)) in all.into_iter().enumerate() {
        for publish in [Publish::Keep, Publish::Always] {
            let mut world = World::new("sync");
            world.job.settings.publish = publish;
            world.job.source = SourceSpec::File(dataset(&folder, 2, 50));
            let wire = world.wire.clone();
            run(&mut world, wire);
            let events: Vec<_> =
                world.misp.lock().unwrap().events().iter().map(|it| it.uuid).collect();
            let admin = world.keys.get("admin").unwrap().to_owned();
            for event in &events {
                let path = format!("/events/publish/{event}");
                assert_eq!(world.wire.raw(&admin, "POST", &path, "{}").0, 200);
            }
            world.job.source = SourceSpec::File(dataset(&folder, 2, 250));
            let inner = world.wire.clone();
            let wire = Obstructed::silent(&world, move |call| spoils(&inner, call));
            let summary = run(&mut world, wire);
            assert_eq!(summary.run.tally.attributes.sent, sent, "{number} {}", said(&summary));
            let misp = world.misp.lock().unwrap();
            assert!(misp.events().iter().all(|it| it.published), "{number} {}", said(&summary));
        }
    }
}

#[test]
fn a_size_that_failed_is_remembered_and_one_value_blames_no_size() {
    let folder = TempDir::new().unwrap();
    let sizes = |wire: &Obstructed| -> Vec<usize> {
        let sent = wire.sent.lock().unwrap();
        sent.iter().map(|(_, call)| attributes(call)).filter(|size| *size > 0).collect()
    };
    let mut world = world(dataset(&folder, 1, 900));
    world.job.concurrency = Concurrency::Fixed(1);
    let large = |call: &Call, _| (attributes(call) > 100).then(|| answer((413, PAGE)));
    let wire = Obstructed::new(&world, large);
    run(&mut world, wire.clone());
    let failed = sizes(&wire).into_iter().filter(|size| *size > 100).min().unwrap();
    // However many requests go well, it is not tried again, as long as anybody could remember.
    for domains in [4_000, 8_000] {
        world.job.source = SourceSpec::File(dataset(&folder, 1, domains));
        let wire = Obstructed::new(&world, |_, _| None);
        run(&mut world, wire.clone());
        assert!(sizes(&wire).iter().all(|size| *size < failed), "{failed} {:?}", sizes(&wire));
    }
    world.clock.advance(31 * 24 * 3_600);
    world.job.source = SourceSpec::File(dataset(&folder, 1, 14_000));
    let wire = Obstructed::new(&world, |_, _| None);
    run(&mut world, wire.clone());
    assert!(sizes(&wire).iter().any(|size| *size >= failed), "{failed} {:?}", sizes(&wire));

    let mut world = self::world(dataset(&folder, 3, 400));
    let wire = without(&world, "d150.i2.", (413, PAGE));
    run(&mut world, wire);
    world.job.source = SourceSpec::File(dataset(&folder, 3, 900));
    let wire = Obstructed::new(&world, |_, _| None);
    run(&mut world, wire.clone());
    assert!(sizes(&wire).contains(&500), "{:?}", sizes(&wire));
}
