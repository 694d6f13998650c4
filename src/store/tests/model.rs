//! The store gives the same answers as the ledger of plain maps, whatever was committed.

use crate::history::{
    Clearance, Ledger, MemoryLedger,
    query::{Memory, Overview, overview},
};

use super::{
    super::{Disk, MemoryEngine, Store},
    folder::{open, owner},
    script::{Dice, commit, destinations, sound_answers},
};

/// Plays one commit on both; the generator is seeded alike, so both get the same one.
fn play(seed: u64, ledgers: [&mut dyn Ledger; 2]) {
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
