//! The store gives the same answers as the ledger of plain maps, whatever was committed.

use std::time::Duration;

use crate::{
    history::{
        Clearance, Ledger, LedgerError, MemoryLedger,
        query::{Memory, Overview, overview},
    },
    model::{Reader, RunNumber, Timestamp},
};

use super::{
    super::{Disk, Engine, MemoryEngine, Store, Writes},
    folder::{open, owner},
    redb_engine::RedbEngine,
    script::{Dice, commit, destinations, sound_answers},
};

/// Plays one commit on each; the generator is seeded alike, so all get the same one.
fn play<const N: usize>(seed: u64, ledgers: [&mut dyn Ledger; N]) {
    for ledger in ledgers {
        let last = ledger.last_run().unwrap();
        let (destination, run, commit) = commit(&mut Dice(seed), last);
        ledger.commit(&destination, run, commit).unwrap();
    }
}

#[test]
fn random_commits_give_the_answers_of_the_model() {
    for seed in 0..6_u64 {
        let (disk, mut model) = (Disk::default(), MemoryLedger::default());
        let mut store = Store::over(Box::new(MemoryEngine::on(disk.clone()))).unwrap();
        for step in 0..25 {
            play(seed * 1000 + step, [&mut store, &mut model]);
            if step % 6 == 0 {
                assert!(sound_answers(&store) == sound_answers(&model), "{seed} {step}");
            }
        }
        assert!(sound_answers(&store) == sound_answers(&model), "seed {seed}");
        assert_eq!(store.check().unwrap().problems, [], "seed {seed}");
        let reopened = Store::over(Box::new(MemoryEngine::on(disk))).unwrap();
        assert!(sound_answers(&reopened) == sound_answers(&model), "seed {seed}, reopened");
    }
}

/// Also proves that what one event adds adds up to what all of them come to.
#[test]
fn what_an_overview_remembers_is_read_again_once_it_changed() {
    let (mut store, mut model) = (
        Store::over(Box::new(MemoryEngine::on(Disk::default()))).unwrap(),
        MemoryLedger::default(),
    );
    let mut memory = Memory::default();
    let all = |ledger: &dyn Ledger, memory: &mut Memory| -> Vec<Overview> {
        let names = destinations();
        names.iter().map(|name| overview(ledger, name, Clearance::ALL, memory).unwrap()).collect()
    };
    for step in 0..120 {
        play(step, [&mut store, &mut model]);
        assert_eq!(all(&store, &mut memory), all(&model, &mut Memory::default()), "{step}");
    }
    // Nothing is read of what did not change.
    let before = memory.reads();
    all(&store, &mut memory);
    assert!(before > 100 && memory.reads() == before, "{before}");
}

#[test]
fn on_disk_it_is_the_same_after_every_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut model = MemoryLedger::default();
    drop(Store::create(&path, owner(1)).unwrap());
    for round in 0..4_u64 {
        let mut store = open(&path).unwrap();
        assert!(sound_answers(&store) == sound_answers(&model), "round {round}");
        for step in 0..12 {
            play(round * 100 + step, [&mut store, &mut model]);
        }
        assert!(sound_answers(&store) == sound_answers(&model), "round {round}");
        let report = store.check().unwrap();
        assert_eq!(report.problems, [], "round {round}");
        assert!(report.attributes > 0);
        assert_eq!(store.warnings(), []);
    }
}

#[test]
fn on_redb_it_is_the_same_after_every_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("redb");
    let mut model = MemoryLedger::default();
    for round in 0..4_u64 {
        let mut store = Store::over(Box::new(RedbEngine::open(&path).unwrap())).unwrap();
        assert!(sound_answers(&store) == sound_answers(&model), "round {round}");
        for step in 0..12 {
            play(round * 100 + step, [&mut store, &mut model]);
        }
        assert!(sound_answers(&store) == sound_answers(&model), "round {round}");
        assert_eq!(store.check().unwrap().problems, [], "round {round}");
    }
}

#[test]
fn what_one_engine_exports_the_other_takes() {
    let folder = tempfile::tempdir().unwrap();
    let redb = |name: &str| Box::new(RedbEngine::open(&folder.path().join(name)).unwrap());
    let mut store = Store::over(redb("first")).unwrap();
    for step in 0..20 {
        play(step, [&mut store]);
    }
    let (export, path) = (exported(&store), folder.path().join("state"));
    Store::import(&path, owner(1), Duration::ZERO, &mut (export.join("\n") + "\n").as_bytes())
        .unwrap();
    let sled = open(&path).unwrap();
    assert_eq!(exported(&sled)[1..], export[1..]);
    let mut second = redb("second");
    let mut pairs = Writes::new();
    let keep = &mut |key: &[u8], value: &[u8]| {
        pairs.insert(key.to_vec(), Some(value.to_vec()));
        Ok(())
    };
    sled.engine.scan(b"", keep).unwrap();
    second.commit(&pairs).unwrap();
    assert_eq!(exported(&Store::over(second).unwrap())[1..], export[1..]);
}

#[test]
fn what_a_later_release_read_is_newer_not_known() {
    let mut store = Store::over(Box::new(MemoryEngine::on(Disk::default()))).unwrap();
    let later = Reader::numbered(Reader::NOW.number() + 1);
    let (name, run, mut commit) = (0_u64..)
        .map(|seed| commit(&mut Dice(seed), RunNumber(0)))
        .find(|(_, _, commit)| commit.events.iter().any(|event| !event.head.feeds.is_empty()))
        .unwrap();
    for feed in commit.events.iter_mut().flat_map(|event| event.head.feeds.values_mut()) {
        feed.reader = later;
    }
    store.commit(&name, run, commit).unwrap();
    let error = store.heads(&name).unwrap_err();
    assert!(matches!(error, LedgerError::Newer { .. }), "{error}");
}

/// The lines of an export, the first of which names store and time.
fn exported(store: &Store) -> Vec<String> {
    let mut bytes = Vec::new();
    store.export(&mut bytes, Timestamp::from_seconds(1_700_000_000)).unwrap();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}
