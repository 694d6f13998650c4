//! A MISP that is down, busy, or behind something that takes no large requests: how soon a run stops, how
//! long it waits, and what it remembers.

use std::sync::{Mutex, atomic::AtomicBool};

use misp_trickle::{
    agent::{self, Ending, Silent},
    delivery::Call,
    history::Ledger,
    remote::Answer,
    source::SourceSpec,
};
use misp_trickle_testing::{obstructed, world};
use obstructed::{Obstructed, asks, attributes, carried, dataset, run, world};
use tempfile::TempDir;
use world::{World, wait};

#[test]
fn a_misp_that_goes_down_ends_a_run_of_a_thousand_events_after_eight_requests() {
    let folder = TempDir::new().unwrap();
    for status in [502, 503, 504, 500, 429] {
        let mut world = world(dataset(&folder, 1_000, 1));
        let down = Obstructed::new(&world, move |_, number| {
            let body = br#"{"name":"An Internal Error Has Occurred."}"#.to_vec();
            (number > 3).then(|| Answer { status, body, ..Answer::default() })
        });
        let summary = run(&mut world, down.clone());
        assert!(matches!(summary.ending, Ending::Network(_)), "{status}: {:?}", summary.ending);
        assert!(down.count() <= 3 + 8 + 2, "{status}: {} requests", down.count());
        if status != 504 {
            continue;
        }
        // And it goes on where it was, once MISP is back.
        let wire = world.wire.clone();
        let summary = run(&mut world, wire);
        assert_eq!(summary.ending, Ending::Done, "{status}");
        assert_eq!(world.misp.lock().unwrap().events().len(), 1_000, "{status}");
    }
}

#[test]
fn a_single_event_that_misp_never_answers_for_does_not_keep_the_others_waiting() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 40, 2));
    let unlucky = Mutex::new(None);
    let wire = Obstructed::new(&world, move |call, _| {
        let event = match call {
            Call::AddEvent(new) => new.uuid,
            Call::Metadata(event) => *event,
            _ => return None,
        };
        let unlucky = *unlucky.lock().unwrap().get_or_insert(event);
        (event == unlucky).then(|| Answer { status: 504, ..Answer::default() })
    });
    let summary = run(&mut world, wire);
    assert_eq!(summary.ending, Ending::Partial);
    assert_eq!(world.misp.lock().unwrap().events().len(), 39);
}

#[test]
fn a_rest_that_misp_asks_for_is_granted_to_all_events_at_once() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 20, 2));
    let wire = Obstructed::new(&world, |call, number| {
        let busy = !asks(call) && number <= 5;
        let retry_after = Some(300);
        busy.then(|| Answer { status: 429, retry_after, ..Answer::default() })
    });
    let summary = run(&mut world, wire.clone());
    assert_eq!(summary.ending, Ending::Done);
    let sent = wire.sent.lock().unwrap();
    let writes: Vec<i64> =
        sent.iter().filter(|(_, call)| !asks(call)).map(|(time, _)| *time).collect();
    // Those under way together may meet the same 429; whatever comes after it, waits.
    let (first, rest) = (writes[0], &writes[2..]);
    assert!(rest.iter().all(|time| time - first >= 300), "{writes:?}");
}

#[test]
fn a_rest_that_is_too_long_ends_the_run() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 20, 2));
    let wire = Obstructed::new(&world, |call, _| {
        let retry_after = Some(7_200);
        (!asks(call)).then(|| Answer { status: 503, retry_after, ..Answer::default() })
    });
    let before = world.clock.seconds();
    let summary = run(&mut world, wire);
    let Ending::Network(why) = &summary.ending else { panic!("{:?}", summary.ending) };
    assert!(why.contains("7200 seconds"), "{why}");
    assert!(world.clock.seconds() - before < 900);
}

#[test]
fn what_is_too_large_is_halved_until_it_fits_remembered_and_slowly_tried_again() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 1, 3_000));
    let narrow = |call: &Call, _| {
        (attributes(call) > 60).then(|| Answer { status: 413, ..Answer::default() })
    };
    let wire = Obstructed::new(&world, narrow);
    let summary = run(&mut world, wire.clone());
    assert_eq!(summary.ending, Ending::Done);
    assert_eq!(summary.run.tally.attributes.sent, 3_000);
    let refused = |wire: &Obstructed| {
        let sent = wire.sent.lock().unwrap();
        sent.iter().filter(|(_, call)| attributes(call) > 60).count()
    };
    // 1,000, 500, 250, 125, 62, and a raise or two that were too much.
    assert!((5..=7).contains(&refused(&wire)), "{}", refused(&wire));
    let chunk_max = |world: &World| {
        world.ledger.destination(&world.job.destination).unwrap().unwrap().chunk_max
    };
    let learned = chunk_max(&world);
    assert!((30..=60).contains(&learned), "{learned}");

    // The next run begins with what was learned.
    world.job.source = SourceSpec::File(dataset(&folder, 2, 3_050));
    let wire = Obstructed::new(&world, narrow);
    assert_eq!(run(&mut world, wire.clone()).ending, Ending::Done);
    let first = wire.sent.lock().unwrap().iter().map(|(_, call)| attributes(call)).find(|n| *n > 0);
    assert!(first <= Some(usize::try_from(learned).unwrap()), "{first:?}");

    // Where nothing is in the way any more, it grows, once a month has passed since the last size failed.
    world.clock.advance(31 * 24 * 3_600);
    world.job.source = SourceSpec::File(dataset(&folder, 3, 6_000));
    let wire = Obstructed::new(&world, |_, _| None);
    assert_eq!(run(&mut world, wire).ending, Ending::Done);
    assert!(chunk_max(&world) > 60, "{}", chunk_max(&world));
}

#[test]
fn one_attribute_that_is_too_large_for_the_way_does_not_hold_up_the_others() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 1, 40));
    world.job.chunk_max = 8;
    let wire = Obstructed::new(&world, |call, _| {
        let fat = carried(call).iter().any(|it| it.attribute.value.as_str().starts_with("d33."));
        fat.then(|| Answer { status: 413, ..Answer::default() })
    });
    let summary = run(&mut world, wire);
    assert_eq!(summary.ending, Ending::Partial);
    let attributes = summary.run.tally.attributes;
    assert_eq!((attributes.sent, attributes.pending), (39, 1), "{:?}", summary.run.notes);
}

#[test]
fn one_attribute_that_misp_chokes_on_is_found_by_halving_and_the_rest_goes_in_large_requests() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 1, 2_000));
    let wire = Obstructed::new(&world, |call, _| {
        let is_bad = |value: &str| value.starts_with("d1234.");
        let choke = carried(call).iter().any(|it| is_bad(it.attribute.value.as_str()));
        let body = br#"{"name":"An Internal Error Has Occurred."}"#.to_vec();
        choke.then(|| Answer { status: 500, body, ..Answer::default() })
    });
    let summary = run(&mut world, wire.clone());
    assert_eq!(summary.ending, Ending::Partial);
    let attributes = summary.run.tally.attributes;
    assert_eq!((attributes.sent, attributes.pending), (1_999, 1), "{:?}", summary.run.notes);
    assert!(summary.run.notes.iter().any(|note| note.contains("d1234.")));
    assert!(wire.count() < 60, "{}", wire.count());
    let chunk_max = world.ledger.destination(&world.job.destination).unwrap().unwrap().chunk_max;
    assert_eq!(chunk_max, 1_000, "one bad attribute says nothing about the next event");
}

#[test]
fn an_answer_of_misp_lets_the_count_of_troubles_begin_anew() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 60, 2));
    let wire = Obstructed::new(&world, |call, number| {
        // A fourth of them, in no step with what a conversation asks.
        let lost = !asks(call) && (number.wrapping_mul(2_654_435_761) >> 16) % 4 == 0;
        lost.then(|| Answer { status: 504, ..Answer::default() })
    });
    let summary = run(&mut world, wire);
    assert_eq!(summary.ending, Ending::Done, "{:?}", summary.run.notes);
}

#[test]
fn a_run_that_takes_too_long_stops_and_the_next_goes_on() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 40, 3));
    world.job.deadline = Some(std::time::Duration::from_secs(600));
    let begun = world.clock.seconds();
    let mut runs = 0;
    loop {
        runs += 1;
        let before = world.clock.seconds();
        let wire = world.wire.clone();
        let summary = run(&mut world, wire);
        let attributes = &summary.run.tally.attributes;
        // The last may only have to look whether all is there.
        let done = summary.ending == Ending::Done;
        assert!(attributes.sent > 0 || done, "run {runs} got nowhere");
        if summary.ending == Ending::Done {
            break;
        }
        assert_eq!(summary.ending, Ending::OutOfTime);
        assert!(world.clock.seconds() - before < 700, "run {runs} did not stop");
    }
    assert!((3..20).contains(&runs), "{runs} runs in {} s", world.clock.seconds() - begun);
    let misp = world.misp.lock().unwrap();
    let held: usize = misp.events().iter().map(|event| misp.attributes(event.uuid).len()).sum();
    assert_eq!(held, 40 * 3);
}

#[test]
fn a_misp_that_wants_a_long_rest_is_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 2, 1));
    let busy = Obstructed::new(&world, move |_, _| {
        Some(Answer { status: 429, retry_after: Some(1_000_000), ..Answer::default() })
    });
    let interrupt = AtomicBool::new(false);
    let (clock, ledger) = (&*world.clock, &mut world.ledger);
    let run = agent::sync(&world.job, ledger, busy.clone(), clock, &Silent, &interrupt);
    let error = wait(run).unwrap_err().to_string();
    assert!(error.contains("429"), "{error}");
    assert_eq!(busy.count(), 1);
}

#[test]
fn what_passes_by_itself_is_waited_for_and_no_size_is_blamed() {
    let folder = TempDir::new().unwrap();
    for status in [408, 425, 429, 502, 503, 520, 521, 522, 523, 525, 526, 527, 529, 530] {
        for takes_effect in [false, true] {
            let mut world = world(dataset(&folder, 3, 200));
            let (left, inner) = (std::sync::atomic::AtomicUsize::new(3), world.wire.clone());
            let wire = Obstructed::new(&world, move |call, _| {
                let take = |left: usize| left.checked_sub(1);
                let order = std::sync::atomic::Ordering::SeqCst;
                if !call.writes() || left.fetch_update(order, order, take).is_err() {
                    return None;
                }
                if takes_effect && !matches!(status, 425 | 429) {
                    drop(inner.answer(call));
                }
                Some(Answer { status, body: b"<html>later</html>".to_vec(), ..Answer::default() })
            });
            let summary = run(&mut world, wire);
            assert_eq!(summary.ending, Ending::Done, "{status} {:?}", summary.run.notes);
            let misp = world.misp.lock().unwrap();
            let held = |event: uuid::Uuid| misp.attributes(event).len();
            let held: usize = misp.events().iter().map(|event| held(event.uuid)).sum();
            assert_eq!(held, 600, "{status}");
            let record = world.ledger.destination(&world.job.destination).unwrap().unwrap();
            assert_eq!(record.chunk_max, 1_000, "{status}");
        }
    }
}
