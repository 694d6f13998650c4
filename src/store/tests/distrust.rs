//! A store that is older than it was, or may be: what it says of MISP is proven before it is relied on.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    history::{Commit, Ledger},
    model::DestinationName,
    plan::{EventHead, Presence},
    store::{
        OpenMode, Store, Warning,
        lifecycle::permissions,
        tests::{
            folder::{all_events, build, copy, names, open, owner},
            script::{Dice, commit, run},
        },
    },
};

#[test]
fn an_older_store_is_distrusted_by_the_first_that_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, earlier) = (folder.path().join("state"), folder.path().join("earlier"));
    let mut store = build(&path, 20);
    let then = all_events(&store);
    drop(store);
    copy(&path.join("engine"), &earlier);
    store = open(&path).unwrap();
    let (name, run, commit) = commit(&mut Dice(99), store.last_run().unwrap());
    store.commit(&name, run, commit).unwrap();
    drop(store);
    fs::remove_dir_all(path.join("engine")).unwrap();
    fs::rename(&earlier, path.join("engine")).unwrap();

    let is_older = |warning: &Warning| matches!(warning, Warning::Older { .. });
    let reader = Store::open(&path, OpenMode::ReadOnly, owner(1), Duration::from_secs(2)).unwrap();
    assert!(reader.warnings().iter().any(is_older));
    drop(reader);
    let inode = permissions::inode(&path.join("engine")).unwrap();
    let store = open(&path).unwrap();
    assert_eq!(permissions::inode(&path.join("engine")).unwrap(), inode, "sound files stay");
    let is_unsure = |head: &EventHead| head.presence == Presence::Present;
    let marked = then.iter().filter(|(_, e)| is_unsure(&e.head) && !e.head.unproven).count() as u64;
    assert!(marked > 0);
    assert!(store.warnings().contains(&Warning::Distrusted { events: marked }));
    for (name, event) in then {
        let head = store.head(&name, event.head.uuid).unwrap().unwrap();
        assert_eq!(head.unproven, event.head.unproven || is_unsure(&event.head));
    }
    assert_eq!(store.check().unwrap().problems, []);
    drop(store);
    assert_eq!(open(&path).unwrap().warnings(), []);
}

/// Leaves half of sled's snapshot.
fn cut_snapshot(path: &Path) {
    let mut entries = fs::read_dir(path.join("engine")).unwrap().map(|entry| entry.unwrap().path());
    let is_snapshot =
        |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("snap.");
    let snapshot = entries.find(is_snapshot).unwrap();
    let mut bytes = fs::read(&snapshot).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(&snapshot, bytes).unwrap();
}

#[test]
fn a_doubt_is_not_forgotten_by_those_who_only_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    drop(build(&path, 12));
    drop(open(&path).unwrap());
    cut_snapshot(&path);
    for _ in 0..2 {
        let reader = Store::open(&path, OpenMode::ReadOnly, owner(1), Duration::from_secs(2));
        assert_eq!(reader.unwrap().warnings()[0], Warning::Suspect);
    }
    let warnings = open(&path).unwrap().warnings().to_vec();
    let renewed = Warning::Renewed { aside: "engine.damaged-1".to_owned() };
    assert!(
        matches!(&warnings[..], [first, Warning::Distrusted { .. }] if *first == renewed),
        "{warnings:?}"
    );
    assert_eq!(open(&path).unwrap().warnings(), []);
    assert_eq!(names(&path), ["acknowledged", "engine", "engine.damaged-1", "lock"]);
}

#[test]
fn a_doubt_ends_with_the_opening_that_settled_it_also_where_there_is_no_event_to_be_proven() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut store = Store::create(&path, owner(1)).unwrap();
    for step in 0..3 {
        let (name, number) = (DestinationName::new("main"), store.begin_run().unwrap());
        let run = Some(run(&mut Dice(step), number, &name));
        store.commit(&name, number, Commit { run, ..Commit::default() }).unwrap();
    }
    drop(store);
    drop(open(&path).unwrap());
    cut_snapshot(&path);
    let renewed = Warning::Renewed { aside: "engine.damaged-1".to_owned() };
    assert_eq!(open(&path).unwrap().warnings(), [renewed]);
    assert_eq!(open(&path).unwrap().warnings(), []);
    assert_eq!(names(&path), ["acknowledged", "engine", "engine.damaged-1", "lock"]);
}
