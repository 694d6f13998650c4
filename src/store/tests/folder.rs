//! The store's folder: who may open it, who may read it, and whether it is where it was.

use std::{fs, path::Path, process::Command, time::Duration};

use crate::{
    history::{Commit, Ledger},
    model::{DestinationName, RunNumber, Timestamp},
    plan::KnownEvent,
    store::{
        OpenError, OpenMode, Owner, RepairMode, RepairReport, Store, Warning,
        engine::{
            Effort, Engine, VALUE_BYTES_MAX, Writes,
            sled::{SledEngine, at_rest},
        },
        record::{
            FormatV1,
            envelope::{Form, encode, seal},
            keys,
        },
        tests::script::{Dice, commit, destinations, events, run, sound_answers},
    },
};

pub(in super::super) fn owner(pid: u32) -> Owner {
    Owner {
        pid,
        host: "host-a".into(),
        command: "misp-trickle sync".into(),
        now: Timestamp::from_seconds(1_700_000_000),
    }
}

pub(in super::super) fn open(path: &Path) -> Result<Store, OpenError> {
    // A process that another test is just starting holds our locks until it has started.
    Store::open(path, OpenMode::ReadWrite, owner(2), Duration::from_secs(2))
}

fn open_engine(folder: &Path) -> SledEngine {
    SledEngine::open(folder, Effort::Usual, &mut |sign| panic!("{sign:?}, and nothing was wrong"))
        .unwrap()
}

/// Copies a store once nobody writes it any more: sled's threads of a handle that is gone may.
pub(super) fn copy_at_rest(from: &Path, to: &Path) {
    let _rests = at_rest(&from.join("engine")).unwrap();
    copy(from, to);
}

pub(super) fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

pub(super) fn build(path: &Path, commits: u64) -> Store {
    let mut store = Store::create(path, owner(1)).unwrap();
    for step in 0..commits {
        if step % 8 == 7 {
            drop(store);
            store = open(path).unwrap();
        }
        let (name, run, commit) = commit(&mut Dice(step), store.last_run().unwrap());
        store.commit(&name, run, commit).unwrap();
    }
    store
}

pub(super) fn repair(path: &Path, mode: RepairMode) -> Result<RepairReport, OpenError> {
    Store::repair(path, owner(1), Duration::from_secs(2), mode)
}

/// Writes to the engine behind the store's back.
pub(super) fn spoil(path: &Path, writes: &Writes) {
    let folder = path.join("engine");
    let mut engine = SledEngine::open(&folder, Effort::Usual, &mut |_| Ok(())).unwrap();
    engine.commit(writes).unwrap();
}

pub(super) fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// All events of a store that holds them, with the name of their destination.
pub(super) fn all_events(store: &Store) -> Vec<(DestinationName, KnownEvent)> {
    let pairs = destinations().into_iter().flat_map(|name| {
        let with = move |event| (name.clone(), event);
        events().into_iter().map(with)
    });
    pairs
        .filter_map(|(name, event)| Some((name.clone(), store.event(&name, event).unwrap()?)))
        .collect()
}

#[test]
fn without_a_store_there_is_nothing_to_open() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("none")] {
        assert!(matches!(open(&path), Err(OpenError::NoStore { .. })));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "asking leaves nothing behind");
}

#[test]
fn a_store_is_created_once_and_only_in_a_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/state");
    let id = Store::create(&path, owner(1)).unwrap().id();
    assert!(matches!(Store::create(&path, owner(1)), Err(OpenError::Exists { .. })));
    assert_eq!(open(&path).unwrap().id(), id);
    fs::write(folder.path().join("thesis.txt"), "").unwrap();
    let error = Store::create(folder.path(), owner(1)).unwrap_err();
    assert!(matches!(&error, OpenError::Occupied { .. }), "{error}");
    assert!(!folder.path().join("lock").exists());
}

#[test]
fn a_creation_that_was_cut_off_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    drop(open_engine(&path.join("engine")));
    assert!(matches!(open(&path), Err(OpenError::NoStore { .. })));
    drop(Store::create(&path, owner(1)).unwrap());
    assert!(open(&path).is_ok());
}

#[test]
fn a_record_of_any_length_is_kept_and_goes_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut store = Store::create(&path, owner(1)).unwrap();
    let (name, number) = (DestinationName::new("main"), RunNumber(1));
    for length in [3_000_000, 2_000_000, 40] {
        let mut record = run(&mut Dice(1), number, &name);
        record.notes = vec![Dice(length).noise(usize::try_from(length).unwrap())];
        let commit = Commit { run: Some(record.clone()), ..Commit::default() };
        store.commit(&name, number, commit).unwrap();
        assert_eq!(store.run(number).unwrap(), Some(record.clone()));
        drop(store);
        store = open(&path).unwrap();
        assert_eq!(store.run(number).unwrap(), Some(record));
        // Nothing is missing, and nothing is left of the one before.
        assert_eq!(store.check().unwrap().problems, [], "{length}");
    }
}

#[test]
fn a_second_process_is_told_who_has_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut first = Store::create(&path, owner(4711)).unwrap();
    let text = |error: OpenError| match error {
        OpenError::Locked { holder, .. } => holder,
        other => panic!("{other}"),
    };
    let holder = text(open(&path).unwrap_err());
    for part in ["pid 4711", "host-a", "misp-trickle sync", &first.id().to_string()] {
        assert!(holder.contains(part), "{holder}");
    }
    let name = DestinationName::new("main");
    first.commit(&name, RunNumber(12), Commit::default()).unwrap();
    assert!(text(open(&path).unwrap_err()).contains("run 12"));
    drop(first);
    assert!(open(&path).is_ok());
}

#[test]
fn one_who_waits_gets_the_store_when_it_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let first = Store::create(&path, owner(1)).unwrap();
    let waiting = std::thread::spawn({
        let path = path.clone();
        move || Store::open(&path, OpenMode::ReadOnly, owner(2), Duration::from_secs(60)).is_ok()
    });
    std::thread::sleep(Duration::from_millis(60));
    assert!(!waiting.is_finished());
    drop(first);
    assert!(waiting.join().unwrap());
}

#[test]
fn a_reader_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    drop(Store::create(&path, owner(1)).unwrap());
    // A process that another test begins has the lock too, until it is another program.
    let wait = Duration::from_secs(10);
    let mut store = Store::open(&path, OpenMode::ReadOnly, owner(2), wait).unwrap();
    let error = store.commit(&DestinationName::new(""), RunNumber(1), Commit::default());
    assert!(error.unwrap_err().to_string().contains("for reading only"));
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;

    fn check(path: &Path) {
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        if path.is_dir() {
            fs::read_dir(path).unwrap().for_each(|entry| check(&entry.unwrap().path()));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let store = Store::create(&path, owner(1)).unwrap();
    check(&path);
    drop(store);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(path.join("engine/db"), fs::Permissions::from_mode(0o644)).unwrap();
    let _store = open(&path).unwrap();
    check(&path);
}

#[test]
fn a_copy_is_recognised_once_and_a_renamed_store_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved, copied) =
        (folder.path().join("a"), folder.path().join("b"), folder.path().join("c"));
    let id = Store::create(&path, owner(1)).unwrap().id();
    fs::rename(&path, &moved).unwrap();
    assert_eq!(open(&moved).unwrap().warnings(), []);
    copy(&moved, &copied);
    let copy = open(&copied).unwrap();
    let from = fs::canonicalize(&moved).unwrap().display().to_string();
    assert_eq!(copy.warnings(), [Warning::Copied { from }]);
    assert_eq!(copy.id(), id);
    drop(copy);
    assert_eq!(open(&copied).unwrap().warnings(), []);
}

#[test]
fn a_folder_copied_while_it_is_written_to_opens_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut store = Store::create(&path, owner(1)).unwrap();
    let mut dice = Dice(77);
    for round in 0..3 {
        for _ in 0..6 {
            let (name, run, commit) = commit(&mut dice, store.last_run().unwrap());
            store.commit(&name, run, commit).unwrap();
        }
        let copied = folder.path().join(format!("copy-{round}"));
        copy(&path, &copied);
        let then = open(&copied).unwrap();
        assert!(sound_answers(&then) == sound_answers(&store));
        assert_eq!(then.check().unwrap().problems, []);
    }
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    drop(Store::create(&path, owner(1)).unwrap());
    let mut engine = open_engine(&path.join("engine"));
    let format = seal(keys::FORMAT, 1, Form::Plain, &encode(&FormatV1(2)).unwrap().bytes);
    engine.commit(&Writes::from([(keys::FORMAT.to_vec(), Some(format))])).unwrap();
    drop(engine);
    let error = open(&path).unwrap_err();
    assert!(matches!(&error, OpenError::Newer { .. }), "{error}");
    assert!(error.to_string().contains("newer misp-trickle"), "{error}");
}

#[test]
fn every_commit_of_the_engine_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = open_engine(folder.path());
    for round in 1..=3_u8 {
        engine.commit(&Writes::from([(vec![round], Some(vec![round]))])).unwrap();
        assert_eq!(engine.syncs(), u64::from(round));
    }
}

#[test]
fn a_snapshot_that_was_cut_off_does_not_stop_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = open_engine(folder.path());
    engine.commit(&Writes::from([(vec![1], Some(vec![2]))])).unwrap();
    drop(engine);
    fs::write(folder.path().join("snap.0000000000000FFF.generating"), [0; 7]).unwrap();
    let engine = open_engine(folder.path());
    assert_eq!(engine.get(&[1]).unwrap(), Some(vec![2]));
}

/// sled puts what outgrows a page into files that it never syncs.
#[test]
fn values_of_full_length_never_leave_the_synced_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = open_engine(folder.path());
    let mut dice = Dice(5);
    for _ in 0..60 {
        let writes = (0..40).map(|_| {
            let value = dice.noise(VALUE_BYTES_MAX).into_bytes();
            (dice.number().to_be_bytes().repeat(15), Some(value))
        });
        engine.commit(&writes.collect()).unwrap();
    }
    drop(engine);
    assert_eq!(fs::read_dir(folder.path().join("blobs")).unwrap().count(), 0);
}
