//! A crash at any write: what is opened afterwards is the state before the step or after it.

use crate::{
    history::{Ledger, LedgerError, MemoryLedger},
    store::{
        Disk, Fault, MemoryEngine, Store,
        record::keys::Kind,
        tests::script::{Dice, commit, sound_answers},
    },
};

#[test]
fn a_step_is_there_whole_or_not_at_all() {
    for fault in [Fault::NothingKept, Fault::AllKept] {
        for crash_at in 1..14_u64 {
            let (disk, mut model) = (Disk::default(), MemoryLedger::default());
            let engine = MemoryEngine::on(disk.clone()).failing_after(crash_at, fault);
            let mut store = Store::over(Box::new(engine)).unwrap();
            for step in 0.. {
                let last = store.last_run().unwrap();
                let (name, run, made) = commit(&mut Dice(step), last);
                let failed = store.commit(&name, run, made).is_err();
                if !failed || fault == Fault::AllKept {
                    let (name, run, made) = commit(&mut Dice(step), last);
                    model.commit(&name, run, made).unwrap();
                }
                if failed {
                    let (name, run, made) = commit(&mut Dice(step), last);
                    let error = store.commit(&name, run, made).unwrap_err();
                    assert!(matches!(&error, LedgerError::Io { .. }), "{error}");
                    assert!(error.to_string().contains("a write failed before"), "{error}");
                    break;
                }
            }
            drop(store);
            let store = Store::over(Box::new(MemoryEngine::on(disk))).unwrap();
            assert!(sound_answers(&store) == sound_answers(&model), "{fault:?} {crash_at}");
            assert_eq!(store.check().unwrap().problems, [], "{fault:?} {crash_at}");
        }
    }
}

#[test]
fn a_full_disk_is_said_and_keeps_what_was_committed() {
    let disk = Disk::default();
    let engine = MemoryEngine::on(disk.clone()).failing_after(5, Fault::DiskFull);
    let mut store = Store::over(Box::new(engine)).unwrap();
    let error = (0..).find_map(|step| {
        let (name, run, made) = commit(&mut Dice(step), store.last_run().unwrap());
        store.commit(&name, run, made).err()
    });
    let error = error.unwrap().to_string();
    assert!(error.contains("make room and run it again"), "{error}");
    let before = store.counters.sequence;
    drop(store);
    let store = Store::over(Box::new(MemoryEngine::on(disk))).unwrap();
    assert_eq!(store.counters.sequence, before);
    assert_eq!(store.check().unwrap().problems, []);
}

#[test]
fn a_check_names_every_record_that_was_tampered_with() {
    let disk = Disk::default();
    let mut store = Store::over(Box::new(MemoryEngine::on(disk.clone()))).unwrap();
    for step in 0..14 {
        let (name, run, made) = commit(&mut Dice(step), store.last_run().unwrap());
        store.commit(&name, run, made).unwrap();
    }
    assert!(store.check().unwrap().is_sound());
    let keys = disk.keys();
    for kind in Kind::ALL {
        assert!(keys.iter().any(|key| Kind::of(key) == Some(kind)), "no {}", kind.name());
    }
    let mut dice = Dice(1);
    for key in &keys {
        if Kind::of(key) == Some(Kind::Object) && dice.below(4) > 0 {
            continue;
        }
        let whole = disk.value(key).unwrap();
        let mut flipped = whole.clone();
        let at = usize::try_from(dice.below(flipped.len() as u64)).unwrap();
        flipped[at] ^= 1;
        for spoilt in [Some(flipped), None] {
            disk.spoil(key, spoilt);
            assert!(!store.check().unwrap().is_sound(), "{}", key.escape_ascii());
            disk.spoil(key, Some(whole.clone()));
        }
        let mut elsewhere = key.clone();
        elsewhere.push(0);
        disk.spoil(&elsewhere, Some(whole));
        assert!(!store.check().unwrap().is_sound(), "{}", key.escape_ascii());
        disk.spoil(&elsewhere, None);
    }
    assert!(store.check().unwrap().is_sound());
}
