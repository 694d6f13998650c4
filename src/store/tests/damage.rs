//! Damaged files: an error, or an answer that was true at some commit and is said to be old; never a
//! claim that no commit made.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    history::{Commit, Ledger},
    model::{DestinationName, RunNumber},
};

use super::{
    super::{
        OpenError, OpenMode, RepairMode, Store, Warning,
        engine::{
            Effort, Engine, Writes,
            sled::{SledEngine, at_rest},
            tail::end_of_log,
        },
        lifecycle::{found::Found, opened::open_engine},
        record::keys,
    },
    folder::{copy, copy_at_rest, open, owner},
    script::{Dice, answers, commit, run, sound_answers},
};

/// Bytes of a segment of sled's file.
const SEGMENT: usize = 512 << 10;

/// What became of one damaged copy.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    NotOpened,
    SomeUnread,
    Untouched,
    Older,
}

/// A store on disk, and all answers after each of its commits.
fn build(path: &Path) -> Vec<Vec<String>> {
    let mut store = Store::create(path, owner(1)).unwrap();
    let mut states = vec![sound_answers(&store)];
    let mut dice = Dice(42);
    for step in 0..24 {
        if step % 8 == 7 {
            drop(store);
            store = open(path).unwrap();
        }
        let (name, run, commit) = commit(&mut dice, store.last_run().unwrap());
        store.commit(&name, run, commit).unwrap();
        states.push(sound_answers(&store));
    }
    states
}

fn judge(path: &Path, states: &[Vec<String>], damage: &str) -> Outcome {
    // Opened for writing, the heads of an older state would be marked: that is another test.
    let opened = Store::open(path, OpenMode::ReadOnly, owner(3), Duration::from_secs(2));
    let Ok(store) = opened else { return Outcome::NotOpened };
    let found = answers(&store);
    for (question, answer) in found.iter().enumerate() {
        if let Ok(answer) = answer {
            let known = states.iter().any(|state| &state[question] == answer);
            assert!(known, "{damage}: question {question} has an answer that never was true");
        }
    }
    let whole: Option<Vec<&String>> = found.iter().map(|answer| answer.as_ref().ok()).collect();
    let Some(whole) = whole else { return Outcome::SomeUnread };
    let state = states.iter().rposition(|state| state.iter().eq(whole.iter().copied()));
    let state = state.unwrap_or_else(|| panic!("{damage}: answers of several states are mixed"));
    if state + 1 == states.len() {
        return Outcome::Untouched;
    }
    let told = store
        .warnings()
        .iter()
        .any(|warning| matches!(warning, Warning::Older { .. } | Warning::Suspect));
    assert!(told, "{damage}: the state is old and nothing says so");
    Outcome::Older
}

fn files(path: &Path) -> Vec<String> {
    let engine = fs::read_dir(path.join("engine")).unwrap().map(|entry| entry.unwrap());
    let engine = engine.filter(|entry| entry.file_type().unwrap().is_file());
    let mut files: Vec<String> =
        engine.map(|entry| format!("engine/{}", entry.file_name().display())).collect();
    files.push("acknowledged".to_owned());
    files.sort();
    files
}

fn spoil(path: &Path, states: &[Vec<String>], spoil: impl Fn(&mut Dice, &mut Vec<u8>)) {
    let mut dice = Dice(9);
    let mut outcomes = BTreeSet::new();
    for file in files(path) {
        let rounds = if file == "engine/db" { 40 } else { 6 };
        for round in 0..rounds {
            let copies = tempfile::tempdir().unwrap();
            let copied = copies.path().join("state");
            copy(path, &copied);
            let mut bytes = fs::read(copied.join(&file)).unwrap();
            spoil(&mut dice, &mut bytes);
            fs::write(copied.join(&file), bytes).unwrap();
            outcomes.insert(judge(&copied, states, &format!("{file}, round {round}")));
        }
    }
    assert!(outcomes.len() > 1, "no damage was felt, or all: {outcomes:?}");
}

#[test]
fn a_flipped_bit_never_becomes_a_claim() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let states = build(&path);
    spoil(&path, &states, |dice, bytes| {
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
        let at = usize::try_from(dice.below(used as u64)).unwrap();
        bytes[at] ^= 1 << dice.below(8);
    });
}

#[test]
fn a_zeroed_block_or_a_cut_off_file_never_becomes_a_claim() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let states = build(&path);
    spoil(&path, &states, |dice, bytes| {
        let at = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
        if dice.below(2) == 0 {
            bytes.truncate(at);
        } else {
            let end = (at + 4096).min(bytes.len());
            bytes[at..end].fill(0);
        }
    });
}

#[test]
fn an_earlier_state_of_the_files_is_told_from_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let (path, earlier) = (folder.path().join("state"), folder.path().join("earlier"));
    let mut store = Store::create(&path, owner(1)).unwrap();
    copy(&path.join("engine"), &earlier);
    let (name, run, commit) = commit(&mut Dice(1), store.last_run().unwrap());
    store.commit(&name, run, commit).unwrap();
    drop(store);
    fs::remove_dir_all(path.join("engine")).unwrap();
    fs::rename(&earlier, path.join("engine")).unwrap();
    let warnings = open(&path).unwrap().warnings().to_vec();
    assert_eq!(warnings, [Warning::Older { acknowledged: 2, found: 1 }]);
}

/// The files of an engine, by name.
fn content(engine: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(engine).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let read = |entry: fs::DirEntry| {
        (entry.file_name().display().to_string(), fs::read(entry.path()).unwrap())
    };
    files.map(read).collect()
}

/// Files of an engine beside the one in use, by the names of their folders.
fn kept(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.display().to_string());
    names.filter(|name| name.starts_with("engine.")).collect()
}

fn repair(path: &Path) {
    Store::repair(path, owner(1), Duration::ZERO, RepairMode::InPlace).unwrap();
}

/// Commits until the segment in which the log ends holds something and has room for more, and gives what it holds: places
/// in sled's file.
fn ended(path: &Path, is_all_in_snapshot: bool) -> Range<usize> {
    for seed in 100.. {
        if is_all_in_snapshot {
            drop(open(path).unwrap());
        }
        let segment = {
            let _resting = at_rest(&path.join("engine")).unwrap();
            end_of_log(&path.join("engine/db")).unwrap()
        };
        if (8_192..SEGMENT / 2).contains(&segment.len()) {
            return segment;
        }
        let mut store = open(path).unwrap();
        let (name, run, commit) = commit(&mut Dice(seed), store.last_run().unwrap());
        store.commit(&name, run, commit).unwrap();
    }
    unreachable!("seeds have no end")
}

/// sled goes on in the last segment of its file where the header of that is damaged, and leaves the header as it is: it
/// does not find again what it takes from then on. What it opens it changes, also before the damage.
#[test]
fn what_is_committed_behind_damage_is_there_when_the_store_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    build(&path);
    // With commits behind the snapshot, and with none.
    for is_all_in_snapshot in [false, true] {
        let segment = ended(&path, is_all_in_snapshot);
        let copies = tempfile::tempdir().unwrap();
        let sound = copies.path().join("sound");
        copy_at_rest(&path, &sound);
        let answers = {
            let read = copies.path().join("read");
            copy(&sound, &read);
            sound_answers(&open(&read).unwrap())
        };
        let whole = fs::read(sound.join("engine/db")).unwrap();
        let last = whole.iter().rposition(|byte| *byte != 0).unwrap() / SEGMENT;
        assert!(last > 0);
        let damages = (0..=last)
            .flat_map(|it| [(it, 1, true), (it, 1, false), (it, 4_096, true)])
            .map(|(segment, length, is_repaired)| (segment * SEGMENT + 6, length, is_repaired));
        // In the middle of what the last segment holds, and in its last message.
        let torn = [segment.start + segment.len() / 2, segment.end - 1].map(|at| (at, 1, false));
        for (at, length, is_repaired) in damages.chain(torn) {
            let damage = format!("{length} bytes at {at}, repaired: {is_repaired}");
            let copied = copies.path().join("state");
            copy(&sound, &copied);
            let mut bytes = whole.clone();
            bytes[at..at + length].iter_mut().for_each(|byte| *byte = !*byte);
            fs::write(copied.join("engine/db"), bytes).unwrap();
            let found = content(&copied.join("engine"));
            if is_repaired {
                repair(&copied);
            }
            let mut store = match open(&copied) {
                // sled does not get through all damage by itself.
                Err(OpenError::Damaged { .. }) if !is_repaired => {
                    repair(&copied);
                    open(&copied)
                }
                opened => opened,
            }
            .unwrap();
            let is_suspect = |it: &Warning| matches!(it, Warning::Suspect);
            assert!(!store.warnings().iter().any(is_suspect), "`check` finds nothing any more");
            // sled may have written anew at the end what stands elsewhere too.
            let is_lost = at % SEGMENT == 6 || sound_answers(&store) != answers;
            assert_eq!(
                kept(&copied),
                if is_lost { &["engine.damaged-1"][..] } else { &[] },
                "{damage}"
            );
            if is_lost {
                let kept = content(&copied.join("engine.damaged-1"));
                assert!(kept == found, "{damage}: kept otherwise than found");
            }
            let (name, number) = (DestinationName::new("main"), store.begin_run().unwrap());
            let record = run(&mut Dice(1), number, &name);
            let made = Commit { run: Some(record.clone()), ..Commit::default() };
            store.commit(&name, number, made).unwrap();
            drop(store);
            let store = open(&copied).unwrap();
            // What was torn itself may be missed; what came after it may not.
            let mut problems = store.check().unwrap().problems;
            problems.retain(|_| at % SEGMENT == 6);
            let found = (store.warnings(), store.run(number).unwrap(), problems);
            assert_eq!(found, (&[][..], Some(record), vec![]), "{damage}");
            drop(store);
            fs::remove_dir_all(copied).unwrap();
        }
    }
}

/// A store in whose last commit a message is torn, and its files: once acknowledged, and once with the mark of a commit before, as where
/// a process was killed while it wrote.
fn torn(folder: &Path) -> (PathBuf, PathBuf, BTreeMap<String, Vec<u8>>) {
    let (path, killed) = (folder.join("state"), folder.join("killed"));
    build(&path);
    let before = ended(&path, false);
    copy_at_rest(&path, &killed);
    let mut store = open(&path).unwrap();
    let (name, run, commit) = commit(&mut Dice(7), store.last_run().unwrap());
    store.commit(&name, run, commit).unwrap();
    drop(store);
    let acknowledged = folder.join("acknowledged");
    copy_at_rest(&path, &acknowledged);
    let db = acknowledged.join("engine/db");
    let mut bytes = fs::read(&db).unwrap();
    assert_eq!(end_of_log(&db).unwrap().start, before.start);
    // In the first message that was written since.
    bytes[before.end + 6] ^= 1;
    fs::write(&db, bytes).unwrap();
    assert_eq!(end_of_log(&db).unwrap(), before);
    fs::remove_dir_all(killed.join("engine")).unwrap();
    copy(&acknowledged.join("engine"), &killed.join("engine"));
    let found = content(&killed.join("engine"));
    (acknowledged, killed, found)
}

#[test]
fn a_message_that_a_killed_process_left_torn_is_no_damage_and_nothing_is_kept_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (acknowledged, killed, found) = torn(folder.path());
    for _ in 0..2 {
        let store = open(&killed).unwrap();
        assert_eq!((store.check().unwrap().problems, kept(&killed)), (vec![], vec![]));
        assert!(store.warnings().iter().all(|it| matches!(it, Warning::Copied { .. })));
    }
    let reader = || {
        let wait = Duration::from_secs(2);
        Store::open(&acknowledged, OpenMode::ReadOnly, owner(3), wait).unwrap().warnings().to_vec()
    };
    assert!(reader().contains(&Warning::Suspect));
    assert!(content(&acknowledged.join("engine")) == found);
    let renewed = Warning::Renewed { aside: "engine.damaged-1".to_owned() };
    assert!(open(&acknowledged).unwrap().warnings().contains(&renewed));
    assert!(content(&acknowledged.join("engine.damaged-1")) == found);
    assert_eq!(open(&acknowledged).unwrap().warnings(), []);
}

/// Whoever died in between left a copy that was cut off, or one that is whole beside files that sled changed since.
#[test]
fn what_a_killed_opening_copied_is_kept_and_what_it_copied_in_part_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _, found) = torn(folder.path());
    let unfinished = path.join("engine.found.new");
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("db"), "half").unwrap();
    let cut = folder.path().join("cut");
    copy(&path, &cut);
    drop(open(&cut).unwrap());
    assert_eq!(kept(&cut), ["engine.damaged-1"]);
    assert!(content(&cut.join("engine.damaged-1")) == found);

    copy(&path.join("engine"), &path.join("engine.found"));
    drop(SledEngine::open(&path.join("engine"), Effort::Usual, &mut |_| Ok(())).unwrap());
    assert!(content(&path.join("engine")) != found, "sled leaves what it opens as it was");
    drop(open(&path).unwrap());
    assert_eq!(kept(&path), ["engine.damaged-1"]);
    assert!(content(&path.join("engine.damaged-1")) == found);
    assert_eq!(open(&path).unwrap().warnings(), []);
}

/// An opening that is killed where it would see that nothing is missing.
fn killed_while_it_opens(path: &Path) {
    let mut found = Found::look(path).unwrap();
    drop(open_engine(path, Effort::Usual, Some(&mut found)).unwrap());
    assert_eq!(kept(path).len(), 1);
}

/// The next finds nothing torn any more, as sled cleared it.
#[test]
fn what_is_torn_and_was_never_acknowledged_is_not_kept_if_the_opening_that_copied_it_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (acknowledged, killed, found) = torn(folder.path());
    killed_while_it_opens(&killed);
    let store = open(&killed).unwrap();
    assert_eq!((store.check().unwrap().problems, kept(&killed)), (vec![], vec![]));
    assert!(store.warnings().iter().all(|it| matches!(it, Warning::Copied { .. })));

    killed_while_it_opens(&acknowledged);
    drop(open(&acknowledged).unwrap());
    assert_eq!(kept(&acknowledged), ["engine.damaged-1"]);
    assert!(content(&acknowledged.join("engine.damaged-1")) == found);
}

#[test]
fn files_that_were_put_back_do_not_cost_those_that_were_found_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    build(&path);
    let backup = folder.path().join("backup");
    copy_at_rest(&path, &backup);
    fs::write(path.join("engine/conf"), "segment_size: many").unwrap();
    let found = content(&path.join("engine"));
    assert!(matches!(open(&path), Err(OpenError::Damaged { .. })));
    assert_eq!(kept(&path), ["engine.found"]);
    fs::remove_dir_all(path.join("engine")).unwrap();
    copy(&backup.join("engine"), &path.join("engine"));
    fs::copy(backup.join("acknowledged"), path.join("acknowledged")).unwrap();
    let kept_in = Warning::Kept { aside: "engine.damaged-1".to_owned() };
    assert_eq!(open(&path).unwrap().warnings(), [kept_in]);
    assert_eq!(open(&path).unwrap().warnings(), []);
    assert_eq!(kept(&path), ["engine.damaged-1"]);
    assert!(content(&path.join("engine.damaged-1")) == found);
}

/// Not all damage shows before sled opens the files: a repair keeps them as it finds them.
#[test]
fn a_repair_keeps_damage_that_shows_only_when_records_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    build(&path);
    let mut engine =
        SledEngine::open(&path.join("engine"), Effort::Usual, &mut |_| Ok(())).unwrap();
    engine.commit(&Writes::from([(keys::run(RunNumber(1)), Some(b"xx".to_vec()))])).unwrap();
    drop(engine);
    let still = folder.path().join("still");
    copy_at_rest(&path, &still);
    let found = content(&still.join("engine"));
    repair(&still);
    assert_eq!(kept(&still), ["engine.damaged-1"]);
    assert!(content(&still.join("engine.damaged-1")) == found);
}

/// Puts the files of a backup in the place of the engine's, with damage of their own.
fn put_back(path: &Path, backup: &Path, damage: &str) -> BTreeMap<String, Vec<u8>> {
    let engine = path.join("engine");
    fs::remove_dir_all(&engine).unwrap();
    copy(&backup.join("engine"), &engine);
    fs::write(engine.join("conf"), damage).unwrap();
    content(&engine)
}

#[test]
fn files_that_were_put_back_damaged_are_kept_as_well_and_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    build(&path);
    let backup = folder.path().join("backup");
    copy_at_rest(&path, &backup);
    let opened = || {
        for _ in 0..2 {
            assert!(matches!(open(&path), Err(OpenError::Damaged { .. })));
        }
        kept(&path)
    };
    let first = put_back(&path, &backup, "segment_size: many");
    assert_eq!(opened(), ["engine.found"]);
    let second = put_back(&path, &backup, "segment_size: few");
    let mut names = opened();
    names.sort();
    assert_eq!(names, ["engine.damaged-1", "engine.found"]);
    assert!(content(&path.join("engine.damaged-1")) == first);
    assert!(content(&path.join("engine.found")) == second);
    // More are not kept than somebody will look at, and none is removed for another.
    for number in 0..12 {
        put_back(&path, &backup, &format!("segment_size: {number} many"));
        opened();
    }
    assert_eq!(kept(&path).len(), 8);
    assert!(content(&path.join("engine.damaged-2")) == second);
    // What is sound in the end is opened, and what was kept stays.
    fs::remove_dir_all(path.join("engine")).unwrap();
    copy(&backup.join("engine"), &path.join("engine"));
    fs::copy(backup.join("acknowledged"), path.join("acknowledged")).unwrap();
    assert_eq!(open(&path).unwrap().warnings(), []);
    assert!(!path.join("found.left").exists());
    assert_eq!(kept(&path).len(), 8);
}

#[test]
fn a_repair_of_files_that_were_put_back_damaged_keeps_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    build(&path);
    let backup = folder.path().join("backup");
    copy_at_rest(&path, &backup);
    let first = put_back(&path, &backup, "segment_size: many");
    assert!(matches!(open(&path), Err(OpenError::Damaged { .. })));
    let second = put_back(&path, &backup, "segment_size: few");
    repair(&path);
    let mut names = kept(&path);
    names.sort();
    assert_eq!(names, ["engine.damaged-1", "engine.damaged-2"]);
    assert!(content(&path.join("engine.damaged-1")) == first);
    assert!(content(&path.join("engine.damaged-2")) == second);
}
