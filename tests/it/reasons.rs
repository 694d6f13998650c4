//! `why`, asked for every occurrence of a dataset: it says what became of it, as a second reading has it.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::AtomicBool,
};

use misp_trickle::{
    agent::{Silent, sync},
    history::{
        Commit, Cursor, Ended, Ledger, LossOf, MoreLosses, PlaceLosses,
        query::{Answer, Depth, FoundBy, LossAnswer, Remedy, why},
    },
    mapper::Rules,
    model::{Context, DestinationName, Digest, Encoder, Reader, RunNumber, Tlp, shortened},
    plan::{MappingChange, Policy, Standing, Strategy, WithheldReason},
    source::SourceSpec,
    store::{Disk, MemoryEngine, Store},
};
use misp_trickle_testing::{
    dataset::{Dataset, event},
    occurrences::{Becomes, Occurrence, occurrences},
    program::DAY_1,
    reading::{self, COLOURS, Colour},
    world::{World, shared, wait},
};
use uuid::Uuid;

/// The strictest colour that goes where nothing else is configured.
const AMBER: usize = 2;

/// How many occurrences were found to be what.
type Seen = BTreeMap<String, usize>;

fn ask(world: &World, text: &str) -> Vec<Answer> {
    why(&world.ledger, &world.job.destination, text, usize::MAX, Depth::Words).unwrap().answers
}

/// What policy makes of an attribute of an incident that is marked so, in the words of the ledger.
fn standing(incident: Colour, colours: &BTreeSet<Colour>) -> Standing {
    let denies = |colours: &BTreeSet<Colour>| {
        let strictest = colours.iter().flatten().max();
        match strictest.filter(|colour| **colour > AMBER) {
            Some(colour) => {
                let tlp = Tlp::ALL.into_iter().find(|tlp| tlp.name() == COLOURS[*colour]);
                Some(WithheldReason::Tlp(tlp.unwrap()))
            }
            None => colours.contains(&None).then_some(WithheldReason::Unmarked),
        }
    };
    if denies(&[incident].into()).is_some() {
        return Standing::Withheld(WithheldReason::Incident);
    }
    denies(colours).map_or(Standing::Sent, Standing::Withheld)
}

/// A store in memory to which a dataset was delivered under the default policy.
fn delivered(path: &Path) -> Store {
    let mut world = World::new("sync");
    world.job.policy = Policy::default();
    world.job.source = SourceSpec::File(path.to_owned());
    let mut store = Store::over(Box::new(MemoryEngine::on(Disk::default()))).unwrap();
    let (job, wire, interrupt) = (&world.job, world.wire.clone(), AtomicBool::new(false));
    wait(sync(job, &mut store, wire, &*world.clock, &Silent, &interrupt)).unwrap();
    store
}

/// Delivers a dataset, and asks for each of its values.
fn every_occurrence_is_answered(path: &Path) -> Seen {
    let store = delivered(path);
    let destination = DestinationName::new("main");
    let incidents = reading::read(path);
    let mut by_value: BTreeMap<String, Vec<Occurrence>> = BTreeMap::new();
    for occurrence in occurrences(path) {
        by_value.entry(occurrence.value.clone()).or_default().push(occurrence);
    }
    let mut seen = Seen::new();
    for (value, all) in by_value {
        let answers = why(&store, &destination, &value, usize::MAX, Depth::Words).unwrap().answers;
        for occurrence in all {
            for word in told(&answers, &occurrence, &incidents) {
                *seen.entry(word).or_default() += 1;
            }
        }
    }
    seen
}

/// What is answered of one occurrence in each of its incidents: as it has to be, else it panics.
fn told(
    answers: &[Answer],
    occurrence: &Occurrence,
    incidents: &BTreeMap<Uuid, reading::Incident>,
) -> Vec<String> {
    let lost = |event: Option<Uuid>, reason: &str| {
        let is_it = |it: &LossAnswer| {
            let loss = &it.known.loss;
            it.event.as_ref().map(|head| head.uuid.uuid()) == event
                && loss.entity.uuid() == Some(occurrence.entity)
                && *loss.kind == *occurrence.kind
                && *loss.value == *shortened(&occurrence.value)
        };
        let found = answers.iter().find_map(|answer| match answer {
            Answer::Loss(it) if is_it(it) => Some(it),
            _ => None,
        });
        let found = found.unwrap_or_else(|| panic!("{occurrence:?}: {answers:#?}"));
        assert_eq!(&*found.known.loss.reason, reason, "{occurrence:?}");
        assert_eq!((found.known.since, found.known.until), (RunNumber(1), None));
        reason.to_owned()
    };
    match &occurrence.becomes {
        Becomes::Lost(reason) if occurrence.incidents.is_empty() => vec![lost(None, reason)],
        Becomes::Lost(reason) => {
            occurrence.incidents.iter().map(|incident| lost(Some(*incident), reason)).collect()
        }
        Becomes::Attribute(key) => {
            let of = |incident: &Uuid| {
                let found = answers.iter().find_map(|answer| match answer {
                    Answer::Attribute(it) if it.event.uuid.uuid() == *incident => {
                        let attribute = &it.known.attribute;
                        let of = (attribute.kind.name(), attribute.value.as_str());
                        (of == (key.0.as_str(), key.1.as_str())).then_some(it)
                    }
                    _ => None,
                });
                let found = found.unwrap_or_else(|| panic!("{occurrence:?}: {answers:#?}"));
                let holds = |entity: Option<Uuid>| entity == Some(occurrence.entity);
                assert!(found.known.sources.iter().any(|it| holds(it.entity.uuid())));
                let reading = &incidents[incident];
                let wanted = standing(reading.colour, &reading.attributes[key].colours);
                assert_eq!(found.known.standing, wanted, "{occurrence:?}");
                assert_eq!(found.withheld.is_some(), wanted != Standing::Sent);
                assert!(!found.remedies.is_empty());
                if wanted == Standing::Sent { "sent".to_owned() } else { "withheld".to_owned() }
            };
            occurrence.incidents.iter().map(of).collect()
        }
    }
}

#[test]
fn of_the_demonstration_every_occurrence_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day.json");
    std::fs::write(&path, DAY_1).unwrap();
    let seen = every_occurrence_is_answered(&path);
    println!("{seen:?}");
    for word in ["sent", "withheld"] {
        assert!(seen.get(word).is_some_and(|count| *count > 0), "{word}: {seen:?}");
    }
}

#[test]
fn of_real_incidents_every_occurrence_is_answered() {
    let Some(path) = shared("eset-day1.json") else { return };
    let seen = every_occurrence_is_answered(&path);
    println!("{seen:?}");
    for word in ["sent", "withheld", "not_linked", "no_misp_type"] {
        assert!(seen.get(word).is_some_and(|count| *count > 0), "{word}: {seen:?}");
    }
}

/// Datasets of any size are made by a tool beside the data.
#[test]
fn of_trails_every_occurrence_is_answered() {
    let Some(trails) = shared("maltrail-trails.tsv.xz") else { return };
    let tool = trails.with_file_name("../tools/make_dataset.py");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trails.json");
    let count = std::env::var("WHY_TRAILS").unwrap_or_else(|_| "1000".to_owned());
    let mut made = Command::new("python3");
    made.stdout(Stdio::null()).stderr(Stdio::null());
    made.arg(tool).arg("trails").arg(&trails).arg("-o").arg(&path);
    let made = made.args(["--format", "eiq", "--seed", "2", "--observables", &count]).status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: the tool that makes datasets of trails cannot be run");
        return;
    }
    let seen = every_occurrence_is_answered(&path);
    println!("{seen:?}");
    assert!(seen.values().sum::<usize>() >= count.parse().unwrap(), "{seen:?}");
}

/// The losses that `why` answers with, as value, reason, run and run in which it went.
fn losses(world: &World, text: &str) -> Vec<(String, String, u64, Option<u64>)> {
    let lost = ask(world, text).into_iter().filter_map(|answer| match answer {
        Answer::Loss(it) => Some(it.known),
        _ => None,
    });
    let row = |it: misp_trickle::history::KnownLoss| {
        let until = it.until.map(|run| run.0);
        (it.loss.value.to_string(), it.loss.reason.to_string(), it.since.0, until)
    };
    lost.map(row).collect()
}

/// Two incidents, the first of which holds a kind that no rule maps.
fn lossy(set: &mut Dataset) {
    set.incident(1).domains("one", 0..2).observe("made-up", "alert tcp");
    set.incident(1).observe("hash-md5", "no hash");
    set.incident(2).domains("two", 0..2);
}

#[test]
fn losses_come_and_go_with_runs() {
    let (mut world, mut set) = (World::new("sync"), Dataset::default());
    lossy(&mut set);
    world.sync(&set.write());
    let row =
        |since, until| vec![("alert tcp".to_owned(), "no_misp_type".to_owned(), since, until)];
    assert_eq!(losses(&world, "alert tcp"), row(1, None));
    let entity = event(1).to_string();
    let [Answer::Loss(it)] = &ask(&world, "ALERT TCP")[..] else { panic!("one loss") };
    assert_eq!((it.found_by, &*it.remedies), (FoundBy::SourceValue, &[Remedy::Rule][..]));
    assert_eq!(it.event.as_ref().unwrap().uuid.to_string(), entity);
    let [Answer::Loss(it)] = &ask(&world, "no hash")[..] else { panic!("one loss") };
    let loss = &it.known.loss;
    assert_eq!((&*loss.reason, loss.rule.is_some()), ("refused_by_misp", true));
    assert!(loss.detail.as_ref().unwrap().starts_with("MISP refuses it as md5: "));
    assert_eq!(it.remedies, [Remedy::OtherValue]);

    set.incident(1).forget("alert tcp");
    world.sync(&set.write());
    assert_eq!(losses(&world, "alert tcp"), row(1, Some(2)));
    set.incident(1).observe("made-up", "alert tcp");
    world.sync(&set.write());
    assert_eq!(losses(&world, "alert tcp"), row(3, None));
    set.remove(1);
    world.sync(&set.write());
    assert_eq!(losses(&world, "alert tcp"), row(3, Some(4)), "its incident left");
}

/// How each loss of a value ended, by the name of its reason, with the run.
fn ends(world: &World, text: &str) -> Vec<(String, Option<u64>, Option<Ended>)> {
    let lost = ask(world, text).into_iter().filter_map(|answer| match answer {
        Answer::Loss(it) => Some(it.known),
        _ => None,
    });
    lost.map(|it| (it.loss.reason.to_string(), it.until.map(|run| run.0), it.ended)).collect()
}

#[test]
fn how_a_loss_ended_is_told() {
    let (mut world, mut set) = (World::new("sync"), Dataset::default());
    lossy(&mut set);
    world.sync(&set.write());
    let row = |reason: &str, until, ended| (reason.to_owned(), until, ended);
    world.job.mapping_change = MappingChange::Apply;
    let rule = |kind| {
        let table = format!("[observable]\nmade-up = [{{ type = {kind:?} }}]");
        Rules::with_overrides(&table, "rules.toml").unwrap()
    };
    world.job.rules = rule("md5");
    world.sync(&set.write());
    let other = row("no_misp_type", Some(2), Some(Ended::Otherwise));
    assert_eq!(ends(&world, "alert tcp"), [other.clone(), row("refused_by_misp", None, None)]);
    world.job.rules = rule("text");
    world.sync(&set.write());
    let mapped = row("refused_by_misp", Some(3), Some(Ended::Mapped));
    assert_eq!(ends(&world, "alert tcp"), [other, mapped]);

    set.incident(1).link(false);
    world.sync(&set.write());
    let unlinked = row("refused_by_misp", Some(4), Some(Ended::Unlinked));
    let of_none = row("not_linked", None, None);
    let told = ends(&world, "no hash");
    assert!(told.contains(&unlinked) && told.contains(&of_none), "{told:?}");
    set.incident(1).link(true);
    world.sync(&set.write());
    let told = ends(&world, "no hash");
    assert!(told.contains(&row("not_linked", Some(5), Some(Ended::Linked))), "{told:?}");
    assert!(told.contains(&row("refused_by_misp", None, None)), "{told:?}");
    set.incident(1).forget("no hash");
    world.sync(&set.write());
    let told = ends(&world, "no hash");
    assert!(told.contains(&row("refused_by_misp", Some(6), Some(Ended::Left))), "{told:?}");
}

#[test]
fn more_losses_than_are_kept_are_told() {
    let (mut world, mut set) = (World::new("sync"), Dataset::default());
    lossy(&mut set);
    world.sync(&set.write());
    let destination = world.job.destination.clone();
    let place = world.ledger.loss_places(&destination, 0).unwrap()[0];
    let mut losses = world.ledger.losses(&destination, &place).unwrap();
    losses.more = Some(MoreLosses { count: 7, run: RunNumber(1) });
    losses.forgotten = 2;
    let commit = Commit { losses: [(place, losses)].into(), ..Commit::default() };
    world.ledger.commit(&destination, RunNumber(1), commit).unwrap();
    let found = why(&world.ledger, &destination, "nobody knows", 9, Depth::Words).unwrap();
    assert_eq!(found.more_lost, [(world.job.feed.clone(), 9)].into());
    let [Answer::Loss(it)] = &ask(&world, "alert tcp")[..] else { panic!("one loss") };
    assert_eq!(it.more_lost, 9);
    set.incident(2).domains("more", 0..1);
    world.sync(&set.write());
    let found = why(&world.ledger, &destination, "nobody knows", 9, Depth::Words).unwrap();
    assert_eq!(found.more_lost, [(world.job.feed.clone(), 9)].into(), "its event did not change");
    set.incident(1).domains("more", 0..1);
    world.sync(&set.write());
    let found = why(&world.ledger, &destination, "nobody knows", 9, Depth::Words).unwrap();
    assert_eq!(found.more_lost, [(world.job.feed.clone(), 2)].into(), "all that is lost is kept");
}

#[test]
fn what_a_dataset_does_not_hold_is_lost_still_where_nothing_leaves() {
    let (mut world, mut set) = (World::new("sync"), Dataset::default());
    world.job.strategy = Strategy::Append;
    lossy(&mut set);
    world.sync(&set.write());
    let before = losses(&world, "alert tcp");
    let mut next = set.copy();
    next.remove(1);
    world.sync(&next.write());
    assert_eq!(losses(&world, "alert tcp"), before, "nothing says that it is gone");
    set.incident(1).forget("alert tcp");
    world.sync(&set.write());
    assert_eq!(losses(&world, "alert tcp")[0].3, Some(3), "its entity is here without it");
}

/// A ledger that forgets the losses of a run: as an earlier release left it.
#[test]
fn an_older_store_says_that_it_has_no_losses_and_gets_them_with_the_next_reading() {
    let (mut world, mut set) = (World::new("sync"), Dataset::default());
    lossy(&mut set);
    world.sync(&set.write());
    let destination = world.job.destination.clone();
    let places = world.ledger.loss_places(&destination, 0).unwrap();
    assert!(matches!(places[..], [place] if matches!(place.of, LossOf::Event(_))), "{places:?}");
    let losses_of_none = places.into_iter().map(|place| (place, PlaceLosses::default())).collect();
    let commit = Commit { losses: losses_of_none, ..Default::default() };
    world.ledger.commit(&destination, RunNumber(1), commit).unwrap();
    let found = why(&world.ledger, &destination, "alert tcp", 9, Depth::Words).unwrap();
    assert_eq!((found.answers, found.unkept), (vec![], vec![world.job.feed.clone()]));

    set.incident(2).domains("more", 0..1);
    let summary = world.sync(&set.write());
    assert_eq!(summary.run.tally.attributes.sent, 1);
    assert_eq!(losses(&world, "alert tcp")[0].2, 2, "of an event that did not change");
    let found = why(&world.ledger, &destination, "alert tcp", 9, Depth::Words).unwrap();
    assert_eq!(found.unkept, []);
}

/// What an earlier release made of the terms under which a source was delivered whole.
fn terms_of_before(world: &World) -> Digest {
    let record = world.ledger.destination(&world.job.destination).unwrap().unwrap();
    let (policy, reader) = (world.job.policy_fingerprint(), u64::from(Reader::NOW.number()));
    let mut encoder = Encoder::new(Context::Policy);
    let policy = encoder.digest(&policy).text(&record.version).u64(reader).finish();
    let tags = record.all_tag_terms();
    Encoder::new(Context::Policy).text("cursor").digest(&policy).digest(&tags).finish()
}

#[test]
fn an_older_store_gets_its_losses_of_a_source_that_did_not_change() {
    let (mut world, mut set) = (World::new("sync"), Dataset::default());
    lossy(&mut set);
    let path = set.write();
    world.sync(&path);
    let (feed, destination) = (world.job.feed.clone(), world.job.destination.clone());
    let places = world.ledger.loss_places(&destination, 0).unwrap();
    let cursor = world.ledger.cursor(&feed, &destination).unwrap().unwrap();
    assert!(cursor.settled && cursor.source.is_some(), "a shortcut");
    let commit = Commit {
        losses: places.into_iter().map(|place| (place, PlaceLosses::default())).collect(),
        cursor: Some((feed, Cursor { policy: terms_of_before(&world), ..cursor })),
        ..Commit::default()
    };
    world.ledger.commit(&destination, RunNumber(1), commit).unwrap();
    assert_eq!(losses(&world, "alert tcp"), []);
    let before = world.requests();
    world.sync(&path);
    assert_eq!(losses(&world, "alert tcp")[0].2, 2);
    assert_eq!(world.requests(), before, "what is settled is asked for no more");
}
