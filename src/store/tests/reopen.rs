//! A store that its owner opens again, and one whose folder is not where it was any more.

use std::{fs, path::Path, sync::mpsc};

use crate::{
    history::Ledger,
    model::{FeedName, RunNumber},
    store::{
        Disk, Fault, MemoryEngine, OpenError, Store, Warning,
        tests::{
            folder::{build, names, open},
            script::{Dice, commit, sound_answers},
        },
    },
};

fn play(store: &mut Store, step: u64) -> Result<(), String> {
    let (name, run, made) = commit(&mut Dice(step), store.last_run().unwrap());
    store.commit(&name, run, made).map_err(|error| error.to_string())
}

/// The disk is full for one commit; the engine's files stay as they are.
fn fail(store: &mut Store) {
    let engine = MemoryEngine::on(Disk::default()).failing_after(0, Fault::DiskFull);
    store.engine = Box::new(engine);
    assert!(play(store, 100).unwrap_err().contains("make room"));
}

/// A store that a write has failed of, what it answered before, and the number of the run that was begun.
fn failed(path: &Path) -> (Store, Vec<String>, RunNumber) {
    let mut store = build(path, 5);
    let before = sound_answers(&store);
    let begun = store.begin_run().unwrap();
    fail(&mut store);
    (store, before, begun)
}

#[test]
fn a_store_that_could_not_be_written_goes_on_once_it_was_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let (mut store, before, begun) = failed(&path);
    assert!(store.has_failed());
    assert!(play(&mut store, 101).unwrap_err().contains("a write failed before"));
    store.reopen().unwrap();
    assert!(!store.has_failed());
    assert!(sound_answers(&store) == before);
    assert_eq!(store.warnings(), []);
    assert!(store.begin_run().unwrap() > begun, "a number is given once");
    assert!(matches!(open(&path), Err(OpenError::Locked { .. })), "the lock stays held");
    play(&mut store, 102).unwrap();
    let after = sound_answers(&store);
    drop(store);
    assert!(sound_answers(&open(&path).unwrap()) == after);
}

#[test]
fn what_is_missing_when_it_is_opened_again_is_told_as_at_every_opening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    drop(build(&path, 5));
    super::folder::copy_at_rest(&path.join("engine"), &folder.path().join("older"));
    let mut store = open(&path).unwrap();
    play(&mut store, 50).unwrap();
    fail(&mut store);
    fs::remove_dir_all(path.join("engine")).unwrap();
    super::folder::copy(&folder.path().join("older"), &path.join("engine"));
    store.reopen().unwrap();
    let older = |warning: &Warning| matches!(warning, Warning::Older { .. });
    assert!(store.warnings().iter().any(older), "{:?}", store.warnings());
    // What cannot be opened gives no answer any more.
    fail(&mut store);
    fs::remove_dir_all(path.join("engine")).unwrap();
    store.reopen().unwrap_err();
    store.runs().unwrap_err();
    store.reopen().unwrap_err();
}

#[test]
fn who_reads_a_view_of_before_is_told_to_ask_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = build(&folder.path().join("state"), 3);
    let (give, take) = mpsc::channel::<Store>();
    let reach = move |work: &mut dyn FnMut(&Store)| work(&take.recv().unwrap());
    let view = store.view(Box::new(reach)).unwrap();
    fail(&mut store);
    store.reopen().unwrap();
    give.send(store).unwrap();
    let error = view.runs().unwrap_err().to_string();
    assert!(error.contains("ask again"), "{error}");
}

#[test]
fn nothing_is_written_to_a_store_that_was_moved_deleted_or_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("state"), folder.path().join("aside"));
    let mut store = build(&path, 3);
    fs::rename(&path, &aside).unwrap();
    let error = play(&mut store, 10).unwrap_err();
    assert!(error.contains("moved or deleted") && error.contains("put the folder back"), "{error}");
    let mut other = build(&path, 1);
    let error = play(&mut store, 10).unwrap_err();
    assert!(error.contains("another folder has its place"), "{error}");
    store.reopen().unwrap_err();
    play(&mut other, 11).unwrap();
    // Where the first one ends, it leaves alone what the other told.
    let there = names(&path);
    drop(store);
    assert_eq!(names(&path), there);
    drop(other);
    let mut store = open(&aside).unwrap();
    fs::rename(&path, folder.path().join("other")).unwrap();
    play(&mut store, 12).unwrap();
    fs::remove_dir_all(&aside).unwrap();
    assert!(play(&mut store, 13).unwrap_err().contains("moved or deleted"));
}

/// What stands in the way of an opening passes: until then nothing is answered, and the lock stays held.
#[test]
fn a_store_that_could_not_be_opened_again_is_opened_once_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let (mut store, before, begun) = failed(&path);
    let (mark, aside) = (path.join("acknowledged"), folder.path().join("aside"));
    fs::rename(&mark, &aside).unwrap();
    fs::create_dir(&mark).unwrap();
    for _ in 0..2 {
        store.reopen().unwrap_err();
        assert!(store.has_failed());
        let error = store.runs().unwrap_err().to_string();
        assert!(error.contains("directory") && error.contains("next run"), "{error}");
        assert!(matches!(open(&path), Err(OpenError::Locked { .. })), "the lock stays held");
    }
    fs::remove_dir(&mark).unwrap();
    fs::rename(&aside, &mark).unwrap();
    store.reopen().unwrap();
    assert!(!store.has_failed() && sound_answers(&store) == before);
    assert!(store.begin_run().unwrap() > begun, "a number is given once");
    play(&mut store, 102).unwrap();
}

/// A mirror is of the store that was opened, so it is written nowhere else.
#[test]
fn no_mirror_is_made_where_the_store_is_gone_or_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("state"), folder.path().join("aside"));
    let store = build(&path, 1);
    let files = store.mirror_files(&FeedName::new("main"));
    drop(files.write("one.pack", 0).unwrap());
    fs::rename(&path, &aside).unwrap();
    let error = files.write("two.pack", 0).map(drop).unwrap_err().to_string();
    assert!(error.contains("moved or deleted"), "{error}");
    assert!(!path.exists(), "the store's folder was made again");
    let other = build(&path, 1);
    let error = files.write("two.pack", 0).map(drop).unwrap_err().to_string();
    assert!(error.contains("another folder has its place"), "{error}");
    assert!(!path.join("mirror").exists());
    // Nor is anything removed of it.
    let others = other.mirror_files(&FeedName::new("main"));
    drop(others.write("one.pack", 0).unwrap());
    files.remove("one.pack").unwrap_err();
    assert_eq!(others.names().unwrap().len(), 1);
    drop(other);
    fs::rename(&path, folder.path().join("other")).unwrap();
    fs::rename(&aside, &path).unwrap();
    drop(files.write("two.pack", 0).unwrap());
    assert_eq!(files.names().unwrap().len(), 2);
}
