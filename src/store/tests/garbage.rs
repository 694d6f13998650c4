//! Garbage: what nothing needs is removed, and nothing else; what cannot be rewritten leaves nothing behind.

use crate::{
    history::Ledger,
    store::{
        OpenError, Store,
        engine::{
            Writes,
            memory::{Disk, MemoryEngine},
        },
        record::{
            envelope::{Place, seal_object},
            keys,
        },
        tests::{
            folder::{build, names, open, spoil},
            script::sound_answers,
        },
    },
};

#[test]
fn fresh_files_that_cannot_be_filled_are_not_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let store = Store::over(Box::new(MemoryEngine::on(disk.clone()))).unwrap();
    disk.spoil(keys::IDENTITY, None);
    let error = store.renewed(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn garbage_is_collected_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let store = build(&path, 60);
    let (before, commits) = (sound_answers(&store), store.counters.sequence);
    drop(store);
    let place = Place { key: b"h/x", role: "attributes", number: 0, at: &[] };
    let (digest, value) = seal_object(&place, 0, 1, b"left behind");
    let key = keys::object([0; keys::NEAR_BYTES], &digest);
    let mut store = open(&path).unwrap();
    store.write(Writes::from([(key, Some(value))])).unwrap();
    assert_eq!(store.check().unwrap().problems.len(), 1);
    let report = store.gc().unwrap();
    assert_eq!(report.objects_removed, 1);
    assert!(report.bytes_after <= report.bytes_before);
    let store = open(&path).unwrap();
    assert!(sound_answers(&store) == before, "a fact was lost");
    assert_eq!((store.check().unwrap().problems, store.warnings()), (vec![], &[][..]));
    assert!(store.counters.sequence > commits);
    let again = store.gc().unwrap();
    assert_eq!(again.objects_removed, 0);
    // How large the engine's file is depends on its cleaning in the background, so a second copy may still
    // turn out smaller; it never makes anything larger.
    assert!(again.bytes_after <= again.bytes_before, "{again:?} after {report:?}");
    assert!(sound_answers(&open(&path).unwrap()) == before);
    assert_eq!(names(&path), ["acknowledged", "engine", "lock"]);
}

#[test]
fn a_damaged_store_is_not_collected() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let store = build(&path, 12);
    let last = store.last_run().unwrap();
    drop(store);
    spoil(&path, &Writes::from([(keys::run(last), Some(b"xx".to_vec()))]));
    assert!(matches!(open(&path).unwrap().gc(), Err(OpenError::Damaged { .. })));
}
