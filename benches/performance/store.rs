//! What a step of a run takes in the store: on sled, on redb, and in a file that is synced at each step.

use std::{
    fs,
    io::Write as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{
    section::{Claim, Section, Table},
    spent::of_this_process,
};
use misp_trickle::{
    history::{Change, ChangeKind, Commit, EventUpdate, Ledger, RunRecord},
    model::{DestinationName, RunNumber},
    plan::{DestinationRecord, KnownAttribute, KnownEvent},
    store::Store,
};
use misp_trickle_testing::{dataset::Dataset, keeper::Keeper, world::World};

/// Attributes of an event.
const ATTRIBUTES: usize = 500;
/// Bytes that are written to the plain file at each step: about what a small step has.
const STEP_BYTES: usize = 1_000;
/// So long the store is open and nothing is asked of it.
const IDLE: Duration = Duration::from_secs(5);
/// What sled takes at most: bytes of an attribute, bytes of a run, and a step in times of the plain file's.
const ATTRIBUTE_BYTES: f64 = 150.0;
const RUN_BYTES: f64 = 4_000.0;
const STEP_TIMES: f64 = 10.0;

pub(crate) fn measure(measures: bool) -> Section {
    let (events, runs) = if measures { (60, 1_000) } else { (2, 3) };
    let mut section = Section::new(
        "store",
        "The store, on sled and on redb",
        &[
            "A first delivery of events with 500 attributes each, one durable step an event, then runs that change one attribute: \
             two steps each. *plain file* appends 1,000 bytes at each step and syncs them: no store that \
             keeps its word is faster on this disk. Bytes are those of all files after the store was closed; *small* those \
             after `gc` (sled) and compaction (redb). *idle* is processor time while it is open for five seconds and nobody asks.",
            "redb is in no package: the tests and this bench have it, to know what sled costs.",
        ],
    );
    let load = Load::new(events);
    let sled = load.take(Keeper::Sled, runs);
    let redb = load.take(Keeper::Redb, runs);
    let file = plain_file(runs);
    section.claims = vec![
        claim("bytes of an attribute", sled.attribute, ATTRIBUTE_BYTES, redb.attribute),
        claim("bytes of a run that changes one", sled.run, RUN_BYTES, redb.run),
        Claim {
            what: "a durable step, in times of a synced write to a plain file".to_owned(),
            measured: sled.step / file,
            most: STEP_TIMES,
            goal: None,
            limit: format!("a plain file: 1; redb: {:.1}", redb.step / file),
        },
    ];
    let columns = [
        "kept by",
        "first: steps/s",
        "later: ms a step",
        "CPU ms a step",
        "bytes an attribute",
        "bytes a run",
        "MB",
        "MB, small",
        "open: ms",
        "check: s",
        "idle: CPU ms/s",
    ];
    let plain = ["plain file", "", &format!("{:.2}", file * 1e3), "", "", "", "", "", "", "", ""];
    section.tables.push(Table {
        caption: format!("{} attributes, then {runs} runs", events * ATTRIBUTES),
        columns: columns.map(str::to_owned).to_vec(),
        rows: vec![
            sled.row(Keeper::Sled.name()),
            redb.row(Keeper::Redb.name()),
            plain.map(str::to_owned).to_vec(),
        ],
    });
    section
}

fn claim(what: &str, measured: f64, most: f64, redb: f64) -> Claim {
    let limit = format!("redb: {redb:.0}");
    Claim { what: what.to_owned(), measured, most, goal: None, limit }
}

/// What is committed: events, a run and a destination as a sync leaves them.
struct Load {
    destination: DestinationName,
    events: Vec<KnownEvent>,
    run: RunRecord,
    record: DestinationRecord,
}

impl Load {
    fn new(events: usize) -> Self {
        let (mut world, mut dataset) = (World::new("sync"), Dataset::default());
        for incident in (1..).take(events) {
            dataset.incident(incident).domains("one", 0..ATTRIBUTES);
        }
        world.sync(&dataset.write());
        let destination = world.job.destination.clone();
        let heads = world.ledger.heads(&destination).expect("it is in memory");
        let event =
            |uuid| world.ledger.event(&destination, uuid).ok().flatten().expect("it has a head");
        let run = world.ledger.run(RunNumber(1)).ok().flatten().expect("one run was made");
        let record = world.ledger.destination(&destination).ok().flatten().expect("it was met");
        let events = heads.iter().map(|head| event(head.uuid)).collect();
        Self { events, run, record, destination }
    }

    fn step(&self, run: u64, event: &KnownEvent, attributes: Vec<KnownAttribute>) -> Commit {
        let head = event.head.clone();
        let change = |known: &KnownAttribute| {
            let attribute = Some(known.attribute.uuid);
            Change { event: head.uuid, attribute, kind: ChangeKind::Sent }
        };
        let changes = attributes.iter().map(change).collect();
        Commit {
            events: vec![EventUpdate { changes, head, attributes }],
            run: Some(RunRecord { number: RunNumber(run), ..self.run.clone() }),
            destination: Some(self.record.clone()),
            ..Commit::default()
        }
    }

    /// A run that changes one attribute: what it will send is kept before, what came of it behind.
    fn small_run(&self, store: &mut Store, number: u64) {
        let at = usize::try_from(number).expect("runs are counted in usize");
        let event = &self.events[at % self.events.len()];
        let known = event.attributes.values().nth(at % ATTRIBUTES).cloned();
        let mut known = known.expect("each event has so many");
        for stamp in [0, 1] {
            known.timestamp = Some(i64::try_from(number * 2 + stamp).expect("runs are few"));
            let commit = self.step(number, event, vec![known.clone()]);
            store.commit(&self.destination, RunNumber(number), commit).expect("the disk has room");
        }
    }

    fn take(&self, keeper: Keeper, runs: u64) -> Taken {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state");
        drop(keeper.create(&path));
        let begun = bytes_of(&path);
        let mut store = keeper.open(&path);
        let first = Instant::now();
        for event in &self.events {
            let commit = self.step(1, event, event.attributes.values().cloned().collect());
            store.commit(&self.destination, RunNumber(1), commit).expect("the disk has room");
        }
        let first = first.elapsed().as_secs_f64() / self.events.len() as f64;
        drop(store);
        keeper.shrink(&path);
        let delivered = bytes_of(&path);
        let mut store = keeper.open(&path);
        let (later, processor) = (Instant::now(), of_this_process());
        for number in (2..).take(usize::try_from(runs).expect("runs are few")) {
            self.small_run(&mut store, number);
        }
        let steps = 2.0 * runs as f64;
        let (later, processor) =
            (later.elapsed().as_secs_f64() / steps, (of_this_process() - processor) / steps);
        drop(store);
        let bytes = bytes_of(&path);
        let opened = Instant::now();
        let store = keeper.open(&path);
        let opened = opened.elapsed().as_secs_f64();
        let checked = Instant::now();
        assert_eq!(store.check().expect("it can be read").problems, []);
        let checked = checked.elapsed().as_secs_f64();
        let idle = of_this_process();
        thread::sleep(IDLE);
        let idle = (of_this_process() - idle) / IDLE.as_secs_f64();
        drop(store);
        keeper.shrink(&path);
        let small = bytes_of(&path);
        Taken {
            first,
            step: later,
            processor,
            attribute: delivered.saturating_sub(begun) as f64
                / (self.events.len() * ATTRIBUTES) as f64,
            run: small.saturating_sub(delivered) as f64 / runs as f64,
            bytes,
            small,
            opened,
            checked,
            idle,
        }
    }
}

/// In seconds, bytes, and seconds a second.
struct Taken {
    first: f64,
    step: f64,
    processor: f64,
    attribute: f64,
    run: f64,
    bytes: u64,
    small: u64,
    opened: f64,
    checked: f64,
    idle: f64,
}

impl Taken {
    fn row(&self, name: &str) -> Vec<String> {
        let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
        vec![
            name.to_owned(),
            format!("{:.0}", 1.0 / self.first),
            format!("{:.2}", self.step * 1e3),
            format!("{:.2}", self.processor * 1e3),
            format!("{:.0}", self.attribute),
            format!("{:.0}", self.run),
            megabytes(self.bytes),
            megabytes(self.small),
            format!("{:.0}", self.opened * 1e3),
            format!("{:.2}", self.checked),
            format!("{:.1}", self.idle * 1e3),
        ]
    }
}

/// Seconds that a step takes which only appends and syncs.
fn plain_file(runs: u64) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = fs::File::create(folder.path().join("file")).expect("a new file");
    let begun = Instant::now();
    for _ in 0..2 * runs {
        file.write_all(&[0; STEP_BYTES])
            .and_then(|()| file.sync_data())
            .expect("the disk has room");
    }
    begun.elapsed().as_secs_f64() / (2 * runs) as f64
}

/// Bytes of all files in a folder.
fn bytes_of(path: &Path) -> u64 {
    let entries = fs::read_dir(path)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read"));
    let sizes = entries.map(|entry| match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
        true => bytes_of(&entry.path()),
        false => entry.metadata().map_or(0, |file| file.len()),
    });
    sizes.sum()
}
