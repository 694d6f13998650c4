//! The power goes while the store is written, or a source is pulled: nothing that was acknowledged is lost.
//!
//! `POWER_CUTS=50 cargo test --release --test power_cut -- --nocapture` does it fifty times. A child process
//! writes to a store on a file system of its own, in a loop device. It is stopped at a random moment, and the
//! device's file is copied as the disk has it then; what the system still held in memory is not in it. The
//! copy is mounted, which replays its journal, and the store in it has to hold what was acknowledged.
//! It needs root, `mount`, `mkfs.ext4` and a loop device, and says so where it cannot run.
//!
//! The same child is only killed too (`ENGINE_KILLS`), which needs nothing, and each is done to sled and to redb.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails or says so by it")]

mod mirror;

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use dataset::Dataset;
use dice::Dice;
use loop_device::{Image, Mounted, Unavailable};
use misp_trickle::{
    history::{Change, ChangeKind, Commit, EventUpdate, Ledger, MemoryLedger, RunRecord},
    model::{DestinationName, RunNumber},
    plan::KnownEvent,
};
use misp_trickle_testing::{dataset, dice, keeper::Keeper, loop_device, world};
use tempfile::TempDir;
use world::World;

const CHILD: &str = "writes_until_the_power_goes";
/// Where the child finds the folder of its store, and the name of the engine.
const STORE: &str = "POWER_CUT_STORE";
const ENGINE: &str = "POWER_CUT_ENGINE";
/// The longest a child may write, in milliseconds.
const LIFE_MS: u64 = 1_500;

#[test]
fn nothing_acknowledged_is_lost() {
    nothing_is_lost(Keeper::Sled);
}

#[test]
fn nothing_acknowledged_is_lost_on_redb() {
    nothing_is_lost(Keeper::Redb);
}

#[test]
fn nothing_acknowledged_is_lost_when_it_is_killed() {
    for keeper in [Keeper::Sled, Keeper::Redb] {
        let mut dice = Dice::new(seed());
        let kills = std::env::var("ENGINE_KILLS").map_or(3, |kills| kills.parse().unwrap());
        let acknowledged = (0..kills).filter_map(|_| kill_once(keeper, &mut dice)).sum::<usize>();
        println!("{}: {kills} kills, {acknowledged} acknowledged commits", keeper.name());
        assert!(acknowledged > 0, "nothing was acknowledged: nothing was shown");
    }
}

fn kill_once(keeper: Keeper, dice: &mut Dice) -> Option<usize> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut child = begin(CHILD, keeper, &path);
    let mut told = BufReader::new(child.stdout.take().unwrap());
    // What it tells first comes after any time that a loaded machine needs.
    let begun = wait_for(&mut told, "done 1.");
    thread::sleep(Duration::from_millis(dice.below(LIFE_MS)));
    child.kill().unwrap();
    child.wait().unwrap();
    judge(keeper, begun.as_bytes().chain(told), &path)
}

fn nothing_is_lost(keeper: Keeper) {
    let Some(rounds) = rounds() else { return };
    let mut dice = Dice::new(seed());
    let (mut acknowledged, mut early) = (0, 0);
    for round in 0..rounds {
        let life = Duration::from_millis(dice.below(LIFE_MS));
        match cut_once(keeper, life) {
            Ok(Some(acks)) => acknowledged += acks,
            Ok(None) => early += 1,
            Err(Unavailable(why)) => {
                println!("skipped: {why}");
                return;
            }
        }
        println!("round {round} of {rounds}: alive for {life:?}, {acknowledged} commits in all");
    }
    println!(
        "{rounds} cuts, {acknowledged} acknowledged commits, {early} cuts before the first one"
    );
    assert!(acknowledged > rounds, "hardly anything was acknowledged: nothing was shown");
}

/// How often the power goes.
fn rounds() -> Option<usize> {
    let rounds = std::env::var("POWER_CUTS").map_or(0, |rounds| rounds.parse().unwrap());
    if rounds == 0 {
        println!(
            "skipped: POWER_CUTS says how often the power goes; it needs root and a loop device"
        );
    }
    (rounds > 0).then_some(rounds)
}

fn seed() -> u64 {
    std::env::var("POWER_CUT_SEED").map_or(1, |seed| seed.parse().unwrap())
}

/// A disk as it is once the power went.
struct AfterTheCut {
    mounted: Mounted,
    /// Holds the image; goes last.
    _folder: TempDir,
}

impl AfterTheCut {
    fn path(&self) -> &Path {
        self.mounted.path()
    }
}

/// One life of a child that writes. Gives what it told, and the disk afterwards.
fn cut(
    name: &str,
    keeper: Keeper,
    life: Duration,
) -> Result<(BufReader<ChildStdout>, AfterTheCut), Unavailable> {
    let folder = tempfile::tempdir().unwrap();
    let image = Image::new(folder.path())?;
    let mounted = image.mount("before")?;
    let mut child = begin(name, keeper, &mounted.path().join("state"));
    let mut told = BufReader::new(child.stdout.take().unwrap());
    wait_for(&mut told, "ready");
    thread::sleep(life);
    signal(&child, "STOP");
    let copy = image.copy();
    child.kill().unwrap();
    child.wait().unwrap();
    drop(mounted);
    let mounted = copy.mount("after")?;
    Ok((told, AfterTheCut { mounted, _folder: folder }))
}

/// One life of a store. Gives the number of acknowledged commits, `None` if the power went before any.
fn cut_once(keeper: Keeper, life: Duration) -> Result<Option<usize>, Unavailable> {
    let (told, mounted) = cut(CHILD, keeper, life)?;
    Ok(judge(keeper, told, &mounted.path().join("state")))
}

/// Holds a store against what its child told.
fn judge(keeper: Keeper, told: impl BufRead, path: &Path) -> Option<usize> {
    let told = Told::read(told)?;
    let found = fingerprint_at(keeper, path);
    assert!(
        told.may_be(&found),
        "after {} acknowledged commits the store holds something else: {found}",
        told.acknowledged
    );
    Some(told.acknowledged)
}

fn begin(name: &str, keeper: Keeper, store: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(STORE, store)
        .env(ENGINE, keeper.name())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

/// What the child tells to the end of a line that begins so.
fn wait_for(told: &mut BufReader<ChildStdout>, beginning: &str) -> String {
    let (mut said, mut line) = (String::new(), 0);
    while !said[line..].starts_with(beginning) {
        line = said.len();
        assert!(told.read_line(&mut said).unwrap() > 0, "the child ended before it began to write");
    }
    said
}

/// What the child told of its commits before the power went.
struct Told {
    /// Commits that returned.
    acknowledged: usize,
    /// What the ledger was after the last of them.
    held: String,
    /// What it is once the commit under way is kept, if there was one.
    next: Option<String>,
}

impl Told {
    /// `None` if nothing was acknowledged, not even the new store.
    fn read(lines: impl BufRead) -> Option<Self> {
        let (mut acknowledged, mut held, mut next) = (0, None, None);
        for line in lines.lines().map(Result::unwrap) {
            match line.split_once(' ') {
                Some(("begin", fingerprint)) => next = Some(fingerprint.to_owned()),
                Some(("done", _)) => {
                    acknowledged += 1;
                    held = next.take();
                }
                _ => {}
            }
        }
        held.map(|held| Self { acknowledged, held, next })
    }

    fn may_be(&self, found: &str) -> bool {
        self.held == found || self.next.as_deref() == Some(found)
    }
}

/// What the store in a folder holds, after every record was checked.
fn fingerprint_at(keeper: Keeper, path: &Path) -> String {
    let store = keeper.open(path);
    let report = store.check().unwrap();
    assert_eq!(report.problems, [], "the store is damaged");
    fingerprint(&store)
}

/// A digest of every answer the ledger gives.
fn fingerprint(ledger: &impl Ledger) -> String {
    let mut digest = blake3::Hasher::new();
    let mut add = |answer: String| {
        digest.update(answer.as_bytes());
    };
    let runs = ledger.runs().unwrap();
    for run in &runs {
        add(format!("{run:?} {:?}", ledger.changes(run.number).unwrap()));
    }
    for destination in ledger.destinations().unwrap() {
        add(format!("{:?}", ledger.destination(&destination).unwrap()));
        for head in ledger.heads(&destination).unwrap() {
            add(format!("{:?}", ledger.event(&destination, head.uuid).unwrap()));
        }
    }
    add(format!("{:?}", ledger.aliases().unwrap()));
    digest.finalize().to_hex().to_string()
}

#[test]
#[ignore = "the process whose power goes; the test above starts it"]
fn writes_until_the_power_goes() {
    let Some(path) = std::env::var_os(STORE) else {
        println!("skipped: nobody said where");
        return;
    };
    let path = Path::new(&path);
    let keeper = Keeper::named(&std::env::var(ENGINE).unwrap());
    let template = Template::new();
    println!("\nready");
    let mut model = MemoryLedger::default();
    println!("begin {}", fingerprint(&model));
    let mut store = Some(keeper.create(path));
    println!("done 0");
    // A run opens the store, commits some times, and closes it.
    for number in 1.. {
        let mut open = store.take().unwrap_or_else(|| keeper.open(path));
        for step in 0..1 + number % 5 * 10 {
            let destination = &template.destination;
            let commit = || template.commit(number, step);
            model.commit(destination, RunNumber(number), commit()).unwrap();
            println!("begin {}", fingerprint(&model));
            open.commit(destination, RunNumber(number), commit()).unwrap();
            println!("done {number}.{step}");
        }
    }
}

/// What the commits are made of: events, a run and a destination as a sync leaves them.
struct Template {
    destination: DestinationName,
    events: Vec<KnownEvent>,
    run: RunRecord,
    record: misp_trickle::plan::DestinationRecord,
}

impl Template {
    fn new() -> Self {
        let (mut world, mut dataset) = (World::new("sync"), Dataset::default());
        for incident in 1..4 {
            dataset.incident(incident).domains("one", 0..usize::from(incident) * 150);
        }
        world.sync(&dataset.write());
        let destination = world.job.destination.clone();
        let heads = world.ledger.heads(&destination).unwrap();
        let event = |uuid| world.ledger.event(&destination, uuid).unwrap().unwrap();
        Self {
            events: heads.iter().map(|head| event(head.uuid)).collect(),
            run: world.ledger.run(RunNumber(1)).unwrap().unwrap(),
            record: world.ledger.destination(&destination).unwrap().unwrap(),
            destination,
        }
    }

    /// One step of a run: an event's head, some of its attributes, each with a number of its own, and what
    /// the history gains. The runs of long ago are not repeated, so that the fingerprint stays cheap.
    fn commit(&self, run: u64, step: u64) -> Commit {
        let event = &self.events[usize::try_from((run + step) % 3).unwrap()];
        let stamp = i64::try_from(run * 100 + step).unwrap();
        let mut head = event.head.clone();
        head.timestamp = Some(stamp);
        head.unproven = step.is_multiple_of(2);
        let most = usize::try_from(9 << (step % 6)).unwrap();
        let few = event.attributes.values().skip(usize::try_from(step * 3).unwrap()).take(most);
        let attributes: Vec<_> = few
            .cloned()
            .map(|mut known| {
                known.timestamp = Some(stamp);
                known
            })
            .collect();
        let uuid = head.uuid;
        let change = |known: &misp_trickle::plan::KnownAttribute| {
            let attribute = Some(known.attribute.uuid);
            Change { event: uuid, attribute, kind: ChangeKind::Sent }
        };
        Commit {
            events: vec![EventUpdate {
                changes: attributes.iter().map(change).collect(),
                head,
                attributes,
            }],
            run: Some(RunRecord { number: RunNumber(run), ..self.run.clone() }),
            destination: Some(self.record.clone()),
            ..Commit::default()
        }
    }
}
