//! Records of the store: any bytes are read or refused, what is read is written back the same, a ledger gives
//! back what it was given, and a damaged one gives that or an error, never another answer. Of an export in which
//! somebody changed something, only what the program could have written is taken.

mod case;
mod changed_exports;

use arbitrary::{Result, Unstructured};

use misp_trickle::{
    history::{Commit, EventUpdate, Ledger, LedgerError},
    store::{
        Disk, MemoryEngine, Store,
        probe::{BODIES, rewritten, sealed, unsealed},
    },
};

use case::Case;

/// Reads bodies made of the bytes, and stores a commit made of them.
///
/// # Panics
/// If a body reads otherwise the second time, or the store answers with what it was not given.
pub fn store_record(data: &[u8]) {
    let mut input = Unstructured::new(data);
    // The bytes may end at any time; what was seen until then was checked.
    if let Ok(true) = input.ratio(1, 3) {
        bodies(&mut input).ok();
    } else {
        ledger(&mut input).ok();
    }
}

/// Any bytes to any decoder.
fn bodies(input: &mut Unstructured<'_>) -> Result<()> {
    let (kind, version) =
        (input.int_in_range(0..=BODIES - 1)?, *input.choose(&[1, 1, 2, 2, 0, 3])?);
    let bytes: &[u8] = input.arbitrary()?;
    read(kind, version, bytes);
    let (key, value): (&[u8], &[u8]) = (input.arbitrary()?, input.arbitrary()?);
    assert!(unsealed(key, value).is_err(), "noise is a record of {key:?}");
    let record = sealed(key, bytes);
    assert_eq!(unsealed(key, &record).expect("it was just written"), bytes);
    let elsewhere = [key, b"/"].concat();
    assert!(unsealed(&elsewhere, &record).is_err(), "{key:?} is read under another key");
    let mut damaged = record.clone();
    let at = input.int_in_range(0..=record.len() - 1)?;
    damaged[at] ^= 1 << input.int_in_range(0..=7_u8)?;
    assert!(unsealed(key, &damaged).is_err(), "a flipped bit at {at} is not seen");
    assert!(unsealed(key, &record[..at]).is_err(), "an end at {at} is not seen");
    Ok(())
}

/// What is read is written so that it reads the same; nothing may be missing or stand behind it, and no other
/// version passes for this one.
fn read(kind: u8, version: u8, bytes: &[u8]) {
    match rewritten(kind, version, bytes) {
        Ok((now, once)) => {
            assert!((1..=now).contains(&version), "version {version}, which nobody wrote");
            let again = rewritten(kind, now, &once);
            assert_eq!(again.ok(), Some((now, once.clone())), "kind {kind}: {bytes:?}");
            let longer = [&once[..], &[0]].concat();
            assert!(rewritten(kind, now, &longer).is_err(), "kind {kind}: a byte behind {once:?}");
            if let Some((_, shorter)) = once.split_last() {
                assert!(rewritten(kind, now, shorter).is_err(), "kind {kind}: {once:?} cut off");
            }
            for other in [0, now + 1] {
                assert!(rewritten(kind, other, &once).is_err(), "kind {kind} as version {other}");
            }
        }
        Err(LedgerError::Damaged { what } | LedgerError::Newer { what }) => {
            assert!(!what.is_empty());
        }
        Err(other) => panic!("kind {kind}: {other}"),
    }
}

/// A commit to a store, its answers, and those after damage.
fn ledger(input: &mut Unstructured<'_>) -> Result<()> {
    let disk = Disk::default();
    let mut case = Case::read(input)?;
    let mut store = over(&disk).expect("an empty disk is a new store");
    let (destination, run) = (&case.destination, case.run.number);
    store.commit(destination, run, case.commit()).expect("a disk in memory takes everything");
    answers(&case, &store, Damage::No);
    // A second commit with the same content changes nothing; what it adds comes to what is there.
    let aliases = case::more_aliases(input)?;
    case.aliases.extend(aliases.clone());
    let commit = Commit {
        events: vec![EventUpdate::whole(case.known.clone())],
        aliases,
        ..Commit::default()
    };
    store.commit(destination, run, commit).expect("a disk in memory takes everything");
    answers(&case, &store, Damage::No);
    changed_exports::changed(&case)?;
    drop(store);
    answers(&case, &over(&disk).expect("it was written whole"), Damage::No);
    damage(&case, &disk, input)
}

fn over(disk: &Disk) -> std::result::Result<Store, misp_trickle::store::OpenError> {
    Store::over(Box::new(MemoryEngine::on(disk.clone())))
}

/// Flips a bit somewhere, and gives what was there to every decoder.
fn damage(case: &Case, disk: &Disk, input: &mut Unstructured<'_>) -> Result<()> {
    let key = input.choose(&disk.keys())?.clone();
    let mut value = disk.value(&key).unwrap_or_default();
    if value.is_empty() {
        return Ok(());
    }
    if let Some(body) = value.get(2..value.len().saturating_sub(8)) {
        (0..BODIES).for_each(|kind| (1..=2).for_each(|version| read(kind, version, body)));
    }
    let at = input.int_in_range(0..=value.len() - 1)?;
    value[at] ^= 1 << input.int_in_range(0..=7_u8)?;
    if let Some(body) = value.get(2..value.len().saturating_sub(8)) {
        (0..BODIES).for_each(|kind| (1..=2).for_each(|version| read(kind, version, body)));
    }
    disk.spoil(&key, Some(value));
    if let Ok(store) = over(disk) {
        answers(case, &store, Damage::Yes);
    }
    Ok(())
}

/// Whether something of the store was damaged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Damage {
    No,
    Yes,
}

/// The store gives back what it was given; damaged, that or an error.
fn answers(case: &Case, store: &Store, damage: Damage) {
    let destination = &case.destination;
    let event = case.known.head.uuid;
    let run = case.run.number;
    right(store.event(destination, event), &Some(case.known.clone()), damage);
    right(store.head(destination, event), &Some(case.known.head.clone()), damage);
    right(store.heads(destination), &vec![case.known.head.clone()], damage);
    right(store.destination(destination), &Some(case.record.clone()), damage);
    right(store.cursor(&case.run.feed, destination), &Some(case.cursor.clone()), damage);
    right(store.run(run), &Some(case.run.clone()), damage);
    right(store.changes(run), &case.changes, damage);
    right(store.aliases(), &case.aliases, damage);
    right(store.rules(&case.rules.0), &Some(case.rules.1.clone()), damage);
    right(store.last_run(), &run, damage);
}

fn right<T: PartialEq + std::fmt::Debug>(
    answer: std::result::Result<T, LedgerError>,
    given: &T,
    damage: Damage,
) {
    match answer {
        Ok(answer) => assert_eq!(answer, *given),
        Err(error) => assert!(damage == Damage::Yes, "{error}"),
    }
}
