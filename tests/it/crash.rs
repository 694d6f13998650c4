//! An agent that dies at each of its commits, or is stopped after each answer, in situations in which it
//! matters what the half of a run that was kept says. `simulation` finds such situations by chance; these are kept for good.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use crashing::{Claims, Crash, CrashingLedger};
use dataset::{Dataset, event};
use misp_trickle::{
    agent::{self, Observer, Phase, Progress, Silent},
    history::Ledger,
    model::EventUuid,
    plan::{Publish, Standing},
    source::SourceSpec,
};
use misp_trickle_testing::{crashing, dataset, world};
use world::{World, wait};

/// More commits than any run here makes.
const COMMITS: u64 = 10;

/// One run that dies; the wire and MISP live on.
fn sync_and_die(world: &mut World, path: PathBuf, crash: Crash) {
    world.job.source = SourceSpec::File(path);
    world.clock.advance(60);
    let interrupt = AtomicBool::new(false);
    let mut claims = Claims::default();
    let mut ledger = CrashingLedger::new(&mut world.ledger, &mut claims, Some(crash), None);
    let (wire, clock) = (world.wire.clone(), &*world.clock);
    let run = agent::sync(&world.job, &mut ledger, wire, clock, &Silent, &interrupt);
    drop(wait(run));
}

/// Stops the run after so many answers.
struct Stopping {
    answers: AtomicUsize,
    interrupt: AtomicBool,
}

impl Observer for Stopping {
    fn progress(&self, progress: Progress) {
        let is_answer = matches!(progress.phase, Phase::Delivering);
        if is_answer && self.answers.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.interrupt.store(true, Ordering::SeqCst);
        }
    }

    fn note(&self, _: &str) {}
}

fn sync_and_stop(world: &mut World, path: PathBuf, answers: usize) {
    world.job.source = SourceSpec::File(path);
    world.clock.advance(60);
    let observer =
        Stopping { answers: AtomicUsize::new(answers), interrupt: AtomicBool::new(false) };
    let (wire, clock, interrupt) = (world.wire.clone(), &*world.clock, &observer.interrupt);
    let run = agent::sync(&world.job, &mut world.ledger, wire, clock, &observer, interrupt);
    wait(run).unwrap();
}

/// Every commit as the one at which the agent dies, kept and not kept.
fn each_crash() -> impl Iterator<Item = Crash> {
    (0..COMMITS).flat_map(|after| [true, false].map(|kept| Crash { after, kept }))
}

/// Attributes that the ledger counts as wanted and not yet sent.
fn waiting(world: &World, number: u16) -> usize {
    let known = world.ledger.event(&world.job.destination, EventUuid::new(event(number))).unwrap();
    let attributes = known.map(|known| known.attributes).unwrap_or_default();
    let waits = |standing: &Standing| *standing == Standing::Pending;
    attributes.values().filter(|it| !it.wanted.is_empty() && waits(&it.standing)).count()
}

/// Two incidents, one of which has left the dataset again.
fn one_left() -> (World, Dataset) {
    let (mut world, mut dataset) = (World::new("sync"), Dataset::default());
    dataset.incident(1).domains("one", 0..4);
    dataset.incident(2).domains("two", 0..2);
    world.sync(&dataset.write());
    dataset.remove(1);
    world.sync(&dataset.write());
    (world, dataset)
}

#[test]
fn an_incident_that_came_back_to_a_deleted_event_leaves_nothing_waiting() {
    for crash in each_crash() {
        let (mut world, mut dataset) = one_left();
        let analyst = world.keys.get("orgadmin").unwrap().to_owned();
        let path = format!("/events/delete/{}", event(1));
        assert_eq!(world.wire.raw(&analyst, "POST", &path, "{}").0, 200);
        dataset.incident(1).domains("one", 0..9);
        sync_and_die(&mut world, dataset.write(), crash);
        dataset.remove(1);
        let summary = world.sync(&dataset.write());
        assert!(summary.run.tally.attributes.adds_up(), "{crash:?}: {:?}", summary.run.tally);
        assert_eq!(summary.run.tally.attributes.pending, 0, "{crash:?}");
        assert_eq!(waiting(&world, 1), 0, "{crash:?}");
        assert!(world.misp.lock().unwrap().event(event(1)).is_none(), "{crash:?}");
    }
}

#[test]
fn an_incident_that_came_back_and_left_again_leaves_nothing_waiting() {
    for crash in each_crash() {
        let (mut world, mut dataset) = one_left();
        world.job.chunk_max = 2;
        dataset.incident(1).domains("one", 0..9);
        sync_and_die(&mut world, dataset.write(), crash);
        dataset.remove(1);
        let summary = world.sync(&dataset.write());
        assert!(summary.run.tally.attributes.adds_up(), "{crash:?}: {:?}", summary.run.tally);
        assert_eq!(waiting(&world, 1), 0, "{crash:?}");
        let before = world.requests();
        world.sync(&dataset.write());
        assert_eq!(world.requests(), before, "{crash:?}");
    }
}

#[test]
fn a_deleted_event_leaves_nothing_to_prove_wherever_the_run_is_stopped() {
    for answers in 1..7 {
        let (mut world, mut dataset) = (World::new("sync"), Dataset::default());
        dataset.incident(1).domains("one", 0..4);
        dataset.incident(2).domains("two", 0..2);
        world.sync(&dataset.write());
        let analyst = world.keys.get("orgadmin").unwrap().to_owned();
        let path = format!("/events/delete/{}", event(1));
        assert_eq!(world.wire.raw(&analyst, "POST", &path, "{}").0, 200);
        dataset.incident(1).domains("one", 4..6);
        sync_and_stop(&mut world, dataset.write(), answers);
        let summary = world.sync(&dataset.write());
        assert_eq!(summary.run.tally.attributes.declined, 6, "{answers} answers");
        let heads = world.ledger.heads(&world.job.destination).unwrap();
        assert!(heads.iter().all(|head| !head.unproven), "{answers} answers");
    }
}

#[test]
fn a_tag_that_came_after_an_event_was_created_and_not_recorded_is_attached() {
    for crash in each_crash() {
        let (mut world, mut dataset) = (World::new("tageditor"), Dataset::default());
        dataset.incident(1).domains("one", 0..4);
        sync_and_die(&mut world, dataset.write(), crash);
        dataset.incident(1).tag("campaign");
        world.sync(&dataset.write());
        let made = world.misp.lock().unwrap().event(event(1)).unwrap();
        assert!(made.tags.contains(&"campaign".to_owned()), "{crash:?}: {:?}", made.tags);
    }
}

#[test]
fn what_was_to_inherit_a_stricter_tag_does_not_go_below_a_freer_one() {
    let values = ["one.example.com", "two.example.com"];
    for crash in each_crash() {
        for other in [false, true] {
            let mut world = World::new("sync");
            let mut red = Dataset::default();
            for value in values {
                red.incident(1).tlp(Some("RED")).observe("domain", value);
            }
            sync_and_die(&mut world, red.write(), crash);
            if other {
                let mut green = Dataset::default();
                green.incident(1).tlp(Some("GREEN")).observe("domain", "three.example.com");
                world.second("sync").sync(&green.write());
            }
            let mut amber = Dataset::default();
            for value in values {
                amber.incident(1).tlp(Some("AMBER")).observe_as(Some("RED"), "domain", value);
            }
            let summary = world.sync(&amber.write());
            assert_eq!(summary.run.tally.attributes.pending, 0, "{crash:?}");
            let misp = world.misp.lock().unwrap();
            let below_red = misp.event(event(1)).unwrap().tags.contains(&"tlp:red".to_owned());
            for value in values {
                let all = misp.attributes(event(1));
                let it = all.iter().find(|it| it.value == value).unwrap();
                assert!(below_red || it.tags == ["tlp:red"], "{crash:?}, {other}: {it:?}");
            }
        }
    }
}

/// An incident in its second version, with the first one and the link between them or without.
fn second_version(folder: &std::path::Path, with_first: bool) -> PathBuf {
    let incident = |number: u16, seconds: u16| {
        serde_json::json!({
            "data": {"id": format!("{{https://x.example}}incident-{}", event(number)), "type": "incident",
                     "title": "Incident", "timestamp": format!("2025-03-01T00:00:{seconds:02}Z")},
            "meta": {"tlp_color": "CLEAR"},
            "extracts": [{"kind": "domain", "value": "a.example.com"}],
        })
    };
    let mut entities = vec![incident(2, 2)];
    if with_first {
        let (newer, older) = (event(2), event(1));
        entities.push(incident(1, 1));
        entities.push(serde_json::json!({"data": {"type": "relation", "subtype": "stix_update_of",
                                                  "source": newer.to_string(), "target": older.to_string()}}));
    }
    let package =
        serde_json::json!({"content-type": "urn:eclecticiq.com:json:1.0", "entities": entities});
    let path = folder.join(format!("{with_first}.json"));
    std::fs::write(&path, package.to_string()).unwrap();
    path
}

#[test]
fn a_newer_version_goes_on_in_the_event_that_a_dead_run_made() {
    let folder = tempfile::tempdir().unwrap();
    for crash in each_crash() {
        let mut world = World::new("sync");
        sync_and_die(&mut world, second_version(folder.path(), true), crash);
        world.sync(&second_version(folder.path(), false));
        let misp = world.misp.lock().unwrap();
        assert_eq!(misp.events().len(), 1, "{crash:?}: {:?}", misp.events());
    }
}

/// An event that is published, as all events are or as an analyst had it, and what is to be published again.
fn published(publish: Publish, dataset: &mut Dataset) -> World {
    let mut world = World::new("sync");
    world.job.settings.publish = publish;
    dataset.incident(1).domains("one", 0..4);
    world.sync(&dataset.write());
    let analyst = world.keys.get("orgadmin").unwrap().to_owned();
    let path = format!("/events/publish/{}", event(1));
    assert_eq!(world.wire.raw(&analyst, "POST", &path, "{}").0, 200);
    world
}

fn is_published(world: &World) -> bool {
    world.misp.lock().unwrap().event(event(1)).unwrap().published
}

#[test]
fn what_a_dead_run_left_unpublished_is_published_by_the_next() {
    type Edit = fn(&mut Dataset);
    let edits: [(Edit, bool); 3] = [
        (
            |it| {
                it.incident(1).domains("more", 0..40);
            },
            false,
        ),
        (
            |it| {
                it.incident(1).title("Another");
            },
            false,
        ),
        // The incident leaves the dataset before the next run.
        (
            |it| {
                it.incident(1).domains("more", 0..40);
            },
            true,
        ),
    ];
    for publish in [Publish::Keep, Publish::Always] {
        for (place, (edit, leaves)) in edits.into_iter().enumerate() {
            for crash in each_crash() {
                let context = format!("{publish:?}, edit {place}, {crash:?}");
                let mut dataset = Dataset::default();
                let mut world = published(publish, &mut dataset);
                edit(&mut dataset);
                sync_and_die(&mut world, dataset.write(), crash);
                if leaves {
                    dataset.remove(1);
                    dataset.incident(2).domains("two", 0..4);
                }
                let summary = world.sync(&dataset.write());
                assert!(is_published(&world), "{context}: {:?}", summary.run.notes);
                assert_eq!(summary.publishing.unpublished, 0, "{context}");
                // The run after it has nothing to ask, but whether MISP shows it.
                let requests = world.requests();
                world.sync(&dataset.write());
                assert_eq!(world.requests(), requests, "{context}");
            }
        }
    }
}

#[test]
fn an_event_that_is_new_to_a_dead_run_is_published_by_the_next() {
    for crash in each_crash() {
        let (mut world, mut dataset) = (World::new("sync"), Dataset::default());
        world.job.settings.publish = Publish::Always;
        dataset.incident(1).domains("one", 0..4);
        sync_and_die(&mut world, dataset.write(), crash);
        let summary = world.sync(&dataset.write());
        assert!(is_published(&world), "{crash:?}: {:?}", summary.run.notes);
    }
}
