//! What MISP's answers prove: a 304 from something that answers so to any tag proves nothing, and what MISP
//! cannot list at once is proven in pages.

#![allow(missing_docs)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use misp_trickle::{
    agent::{self, Ending, Sample, Summary, Verified, VerifyOptions},
    delivery::{Backoff, Call, verify::Drift},
    remote::{self, Answer},
    sandbox::{Release, Setup},
    source::SourceSpec,
};
use misp_trickle_testing::{obstructed, world};
use obstructed::{Obstructed, carried, dataset, run, world};
use tempfile::TempDir;
use world::{LocalWire, World, wait};

fn said(summary: &Summary) -> String {
    summary.run.notes.join("\n")
}

fn not_modified() -> Answer {
    Answer { status: 304, ..Answer::default() }
}

/// Whether a call carries an entity tag.
fn is_conditional(call: &Call) -> bool {
    remote::encode(call, true).if_none_match.is_some()
}

/// MISP loses a value of a request in silence.
fn losing(inner: &LocalWire, call: &Call, value: &str) -> Option<Answer> {
    let is_it = |text: &str| text.starts_with(value);
    if !carried(call).iter().any(|it| is_it(it.attribute.value.as_str())) {
        return None;
    }
    let mut call = call.bare().clone();
    match &mut call {
        Call::AddEvent(new) => new.attributes.retain(|it| !is_it(it.attribute.value.as_str())),
        Call::AppendQuietly { attributes, .. } => {
            attributes.retain(|it| !is_it(it.attribute.value.as_str()));
        }
        _ => return None,
    }
    Some(inner.answer(&call).1)
}

/// The sandbox, which drops a value quietly, behind something that answers 304 wherever it may.
fn liar(world: &World, value: &'static str, lies: fn(&Call) -> bool) -> Arc<Obstructed> {
    let inner = world.wire.clone();
    Obstructed::new(world, move |call, _| {
        let lost = losing(&inner, call, value);
        if lies(call) { Some(not_modified()) } else { lost }
    })
}

fn held(world: &World) -> usize {
    let misp = world.misp.lock().unwrap();
    misp.events().iter().map(|event| misp.attributes(event.uuid).len()).sum()
}

fn verify(world: &World, wire: &Obstructed) -> Verified {
    let options = VerifyOptions {
        seed: 1,
        backoff: Backoff { base_ms: 1, max_ms: 1, tries_max: 2, seed: 1 },
        ..world.verify_options(Sample::All)
    };
    let verify = agent::verify(&options, &world.ledger, wire, &*world.clock);
    wait(verify).unwrap()
}

#[test]
fn a_304_to_everything_proves_nothing_and_is_told_once() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 4, 60));
    let wire = liar(&world, "d50.i2.", is_conditional);
    let summary = run(&mut world, wire.clone());
    let said = said(&summary);
    assert_eq!((summary.ending, held(&world)), (Ending::Done, 240), "{said}");
    assert_eq!(said.matches("304").count(), 1, "{said}");
    let lied = wire.sent.lock().unwrap().iter().filter(|(_, call)| is_conditional(call)).count();
    assert_eq!(lied, 1, "no tag is sent to somebody who lied");
}

/// The first run is proven, and then something comes in between that caches.
#[test]
fn who_was_honest_in_the_run_before_has_to_show_it_anew() {
    let folder = TempDir::new().unwrap();
    for lies in [is_conditional, |call: &Call| matches!(call, Call::Rows { .. } | Call::Probe)] {
        let mut world = world(dataset(&folder, 4, 60));
        let wire = world.wire.clone();
        run(&mut world, wire);
        world.job.source = SourceSpec::File(dataset(&folder, 4, 90));
        let wire = liar(&world, "d80.i2.", lies);
        let summary = run(&mut world, wire);
        assert_eq!((&summary.ending, held(&world)), (&Ending::Done, 360), "{}", said(&summary));
    }
}

/// What is asked again after a lie may go of the event that a run is about first, however little is left.
#[test]
fn a_304_to_a_question_about_several_events_holds_up_no_run_that_has_a_limit() {
    for most in (10_000..=26_000).step_by(2_000) {
        let folder = TempDir::new().unwrap();
        let mut world = world(dataset(&folder, 4, 60));
        let wire = world.wire.clone();
        run(&mut world, wire);
        world.job.source = SourceSpec::File(dataset(&folder, 4, 90));
        world.job.max_transfer = Some(most);
        loop {
            let before = held(&world);
            let wire = liar(&world, "none", |call| matches!(call, Call::Rows { .. } | Call::Probe));
            let summary = run(&mut world, wire);
            if summary.ending == Ending::Done {
                break;
            }
            assert!(held(&world) > before, "with {most} bytes {before} are there");
        }
        assert_eq!(held(&world), 360);
    }
}

/// Of an event that was made just now MISP counts what it took: a 304 that says otherwise is not believed.
#[test]
fn a_304_that_the_count_contradicts_is_not_believed() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 4, 60));
    let wire = liar(&world, "d50.i2.", |call| matches!(call, Call::Rows { .. }));
    let summary = run(&mut world, wire);
    assert_eq!((&summary.ending, held(&world)), (&Ending::Done, 240), "{}", said(&summary));
}

#[test]
fn an_honest_misp_is_asked_nothing_for_it_where_an_event_is_made_or_a_version_asked() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 4, 60));
    let probes = |wire: &Obstructed| {
        let sent = wire.sent.lock().unwrap();
        sent.iter().filter(|(_, call)| matches!(call, Call::Probe)).count()
    };
    for (incidents, domains, asked) in [(4, 60, 0), (5, 60, 0), (5, 90, 1), (5, 91, 0)] {
        world.job.source = SourceSpec::File(dataset(&folder, incidents, domains));
        let wire = Obstructed::new(&world, |_, _| None);
        let summary = run(&mut world, wire.clone());
        assert_eq!((summary.ending, probes(&wire)), (Ending::Done, asked), "{domains}");
        assert_eq!(summary.run.tally.requests, wire.count() as u64);
    }
}

#[test]
fn verify_believes_no_304_of_a_liar() {
    let folder = TempDir::new().unwrap();
    for (events, domains) in [(1, 3), (6, 100)] {
        let mut world = world(dataset(&folder, events, domains));
        let wire = world.wire.clone();
        run(&mut world, wire);
        let event = world.misp.lock().unwrap().events()[0].uuid;
        let attribute = world.misp.lock().unwrap().attributes(event)[1].uuid;
        let admin = world.keys.get("admin").unwrap().to_owned();
        let path = format!("/attributes/delete/{attribute}");
        assert_eq!(world.wire.raw(&admin, "POST", &path, "").0, 200);
        let wire = Obstructed::new(&world, |call, _| is_conditional(call).then(not_modified));
        let found = verify(&world, &wire);
        assert_eq!(found.proven, found.events - 1, "{found:?}");
        assert_eq!(found.findings[0].differences[0].drift, Drift::Deleted);
        assert_eq!(found.notes.len(), 1, "{found:?}");
        assert_eq!(found.tally.requests, wire.count() as u64);
    }
}

/// Nobody is taken for a liar who could not be asked.
#[test]
fn a_304_waits_until_the_question_about_it_is_answered() {
    let folder = TempDir::new().unwrap();
    let mut world = world(dataset(&folder, 3, 60));
    let wire = world.wire.clone();
    run(&mut world, wire);
    world.job.source = SourceSpec::File(dataset(&folder, 3, 90));
    let asked = AtomicUsize::new(0);
    let wire = Obstructed::new(&world, move |call, _| {
        let first = matches!(call, Call::Probe) && asked.fetch_add(1, Ordering::SeqCst) < 2;
        first.then(|| Answer { status: 503, ..Answer::default() })
    });
    let summary = run(&mut world, wire);
    assert_eq!((&summary.ending, held(&world)), (&Ending::Done, 270), "{}", said(&summary));
    assert!(!said(&summary).contains("304"), "{}", said(&summary));
}

/// MISP that runs out of memory over events of so many rows, and half as many in other places.
fn with_memory_for(rows: usize, world: &World) {
    let setup =
        Setup { memory_rows: Some(rows / 2), release: Release::V2_5_19, ..Setup::default() };
    world.misp.lock().unwrap().set_up(setup);
}

#[test]
fn what_misp_cannot_list_is_proven_in_pages() {
    let folder = TempDir::new().unwrap();
    for role in ["tageditor", "sync"] {
        let mut world = World::new(role);
        world.job.source = SourceSpec::File(dataset(&folder, 3, 150));
        with_memory_for(100, &world);
        let wire = liar(&world, "d50.i2.", |_| false);
        let summary = run(&mut world, wire.clone());
        assert_eq!((&summary.ending, held(&world)), (&Ending::Done, 450), "{}", said(&summary));
        assert_eq!(said(&summary).matches("memory_limit").count(), 1, "{}", said(&summary));
        assert_eq!(summary.run.tally.requests, wire.count() as u64);
        // More is appended, and what an analyst deleted stays so.
        let event = world.misp.lock().unwrap().events()[0].uuid;
        let attribute = world.misp.lock().unwrap().attributes(event)[1].uuid;
        let admin = world.keys.get("admin").unwrap().to_owned();
        let path = format!("/attributes/delete/{attribute}");
        assert_eq!(world.wire.raw(&admin, "POST", &path, "").0, 200);
        world.job.source = SourceSpec::File(dataset(&folder, 3, 180));
        let wire = Obstructed::new(&world, |_, _| None);
        let summary = run(&mut world, wire);
        assert_eq!((&summary.ending, held(&world)), (&Ending::Done, 540), "{}", said(&summary));
        assert_eq!(summary.run.tally.attributes.declined, 1);
        let found = verify(&world, &Obstructed::new(&world, |_, _| None));
        assert_eq!((found.proven, found.extras, found.unasked), (3, 0, 0), "{found:?}");
        // Nothing but its own 304 proves a page.
        let wire = Obstructed::new(&world, |call, _| is_conditional(call).then(not_modified));
        let found = verify(&world, &wire);
        assert_eq!((found.proven, found.extras, found.unasked), (3, 0, 0), "{found:?}");
    }
}

/// Something treats searches for attributes otherwise than all else: what it answered elsewhere says nothing of pages.
#[test]
fn who_lies_about_pages_alone_is_caught() {
    let folder = TempDir::new().unwrap();
    let mut world = World::new("sync");
    world.job.source = SourceSpec::File(dataset(&folder, 3, 150));
    with_memory_for(100, &world);
    let wire = world.wire.clone();
    run(&mut world, wire);
    world.job.source = SourceSpec::File(dataset(&folder, 3, 600));
    let searches_attributes =
        |call: &Call| matches!(call, Call::Page(_) | Call::RowsSince { .. } | Call::CountLive(_));
    let wire = liar(&world, "d160.i2.", searches_attributes);
    let summary = run(&mut world, wire);
    assert_eq!((&summary.ending, held(&world)), (&Ending::Done, 1_800), "{}", said(&summary));
    assert!(said(&summary).contains("answers 304 to a tag that nothing has"), "{}", said(&summary));
}

#[test]
fn a_page_is_the_price_of_a_304() {
    let folder = TempDir::new().unwrap();
    let mut world = World::new("sync");
    world.job.source = SourceSpec::File(dataset(&folder, 1, 150));
    let wire = world.wire.clone();
    run(&mut world, wire);
    with_memory_for(100, &world);
    let wire = Obstructed::new(&world, |_, _| None);
    let found = verify(&world, &wire);
    assert_eq!((found.proven, found.present), (1, 150), "{found:?}");
    assert!(found.tally.bytes_received < 1_600, "{found:?}");
}

/// One event that MISP says nothing about at all keeps no other from being looked at.
#[test]
fn verify_goes_on_with_the_other_events() {
    let folder = TempDir::new().unwrap();
    for answer in [(500, r#"{"name":"An Internal Error Has Occurred."}"#), (200, ""), (504, "late")]
    {
        let mut world = world(dataset(&folder, 8, 60));
        let wire = world.wire.clone();
        run(&mut world, wire);
        let event = world.misp.lock().unwrap().events()[3].uuid;
        let wire = Obstructed::new(&world, move |call, _| {
            let is_it = match call.bare() {
                Call::Rows { events, .. } => events.iter().any(|it| it.uuid() == event),
                Call::Metadata(it) | Call::Listing(it) => it.uuid() == event,
                Call::Page(page) => page.event.uuid() == event,
                Call::CountLive(_) | Call::RowsSince { .. } => true,
                _ => false,
            };
            let (status, body) = (answer.0, answer.1.as_bytes().to_vec());
            is_it.then(|| Answer { status, body, ..Answer::default() })
        });
        let found = verify(&world, &wire);
        assert_eq!((found.events, found.proven, found.unasked), (8, 7, 1), "{answer:?} {found:?}");
        assert!(!found.has_drifted() && found.extras == 0, "{found:?}");
        let why = found.findings[0].why.as_deref().unwrap();
        assert!(answer.0 == 504 || why.contains("memory_limit"), "{why}");
    }
}
