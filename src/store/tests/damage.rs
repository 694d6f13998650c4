//! Damaged files: an error, or an answer that was true at some commit and is said to be old; never a
//! claim that no commit made.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use crate::{
    history::{Commit, Ledger},
    model::DestinationName,
};

use super::{
    super::{OpenError, OpenMode, RepairMode, Store, Warning},
    folder::{copy, copy_at_rest, open, owner},
    script::{Dice, answers, commit, run, sound_answers},
};

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

/// sled goes on in the last segment of its file where the header of that is damaged, and leaves the header as it is: it
/// does not find again what it takes from then on.
#[test]
fn what_is_committed_behind_damage_is_there_when_the_store_is_opened_again() {
    const SEGMENT: usize = 512 << 10;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    build(&path);
    // With commits behind the snapshot, and with none.
    for is_all_in_snapshot in [false, true] {
        if is_all_in_snapshot {
            drop(open(&path).unwrap());
        }
        let whole = fs::read(path.join("engine/db")).unwrap();
        let last = whole.iter().rposition(|byte| *byte != 0).unwrap() / SEGMENT;
        assert!(last > 0);
        let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
        let damages = (0..=last)
            .flat_map(|it| [(it, 1, true), (it, 1, false), (it, 4_096, true)])
            .map(|(segment, length, is_repaired)| (segment * SEGMENT + 6, length, is_repaired));
        // In the last segment's header, and in the middle of what it holds.
        let torn = [(last * SEGMENT + used) / 2, used - 40].map(|at| (at, 1, false));
        for (at, length, is_repaired) in damages.chain(torn) {
            let copies = tempfile::tempdir().unwrap();
            let copied = copies.path().join("state");
            copy_at_rest(&path, &copied);
            let mut bytes = whole.clone();
            bytes[at..at + length].iter_mut().for_each(|byte| *byte = !*byte);
            fs::write(copied.join("engine/db"), bytes).unwrap();
            let repair = |path: &Path| {
                Store::repair(path, owner(1), Duration::ZERO, RepairMode::InPlace).unwrap();
            };
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
            if at == last * SEGMENT + 6 {
                // Not what they hold: sled's threads write to what it opened until it is closed.
                let kept = fs::read(copied.join("engine.damaged-1/db")).unwrap();
                assert!(kept.len() > last * SEGMENT, "{} bytes", kept.len());
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
            let damage = format!("{length} bytes at {at}, repaired: {is_repaired}");
            assert_eq!(found, (&[][..], Some(record), vec![]), "{damage}");
        }
    }
}
