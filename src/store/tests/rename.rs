//! A destination that gets another name: all of it is there under the new one, or all of it under the old one.

use std::collections::BTreeSet;

use crate::{
    history::{Ledger, MemoryLedger},
    model::DestinationName,
    store::{
        Disk, Fault, MemoryEngine, Store,
        tests::script::{Dice, commit, destinations, feeds},
    },
};

const STEPS: u64 = 60;
const NEW: &str = "a name that nobody had";

/// All that is known of a destination, whatever its name is.
fn known(ledger: &impl Ledger, name: &DestinationName) -> String {
    let heads = ledger.heads(name).unwrap();
    let events: Vec<_> = heads.iter().map(|head| ledger.event(name, head.uuid).unwrap()).collect();
    let losses = (0..32).flat_map(|feed| ledger.loss_places(name, feed).unwrap());
    let losses: Vec<_> =
        losses.map(|place| (ledger.losses(name, &place).unwrap(), place)).collect();
    let uuids: BTreeSet<_> = heads.iter().map(|head| head.uuid).collect();
    let changes = ledger.changes_of(name, &uuids).unwrap();
    let cursors: Vec<_> = feeds().iter().map(|feed| ledger.cursor(feed, name).unwrap()).collect();
    let runs = ledger.runs().unwrap().into_iter().filter(|run| run.destination == *name);
    let runs: Vec<_> = runs.map(|run| (run.number, run.id, run.tally)).collect();
    let record = ledger.destination(name).unwrap();
    format!("{record:?} {heads:?} {events:?} {losses:?} {changes:?} {cursors:?} {runs:?}")
}

fn filled(store: &mut impl Ledger) {
    for step in 0..STEPS {
        let (name, run, made) = commit(&mut Dice(step), store.last_run().unwrap());
        store.commit(&name, run, made).unwrap();
    }
}

#[test]
fn all_that_is_known_of_a_destination_goes_to_its_new_name_and_no_other_changes() {
    let new = DestinationName::new(NEW);
    let mut renamed = 0;
    for old in destinations() {
        let mut store = Store::over(Box::new(MemoryEngine::on(Disk::default()))).unwrap();
        filled(&mut store);
        let others: Vec<_> = destinations().into_iter().filter(|it| *it != old).collect();
        let before: Vec<String> = others.iter().map(|it| known(&store, it)).collect();
        let (was, nothing) = (known(&store, &old), known(&MemoryLedger::default(), &old));
        let is_known = store.destination(&old).unwrap().is_some();
        renamed += usize::from(is_known);
        assert_eq!(store.rename_destination(&old, &new).unwrap(), is_known);
        if !is_known {
            continue;
        }
        assert_eq!(known(&store, &new), was);
        assert_eq!(known(&store, &old), nothing);
        let after: Vec<String> = others.iter().map(|it| known(&store, it)).collect();
        assert_eq!(after, before);
        assert_eq!(store.check().unwrap().problems, []);
        assert!(!store.rename_destination(&old, &new).unwrap(), "it is done once");
        assert_eq!(known(&store, &new), was);
        assert!(store.rename_destination(&new, &old).unwrap());
        assert_eq!(known(&store, &old), was);
    }
    assert!(renamed > 2, "{renamed}");
}

#[test]
fn a_crash_leaves_all_of_it_under_one_name() {
    let (new, old) = (DestinationName::new(NEW), destinations()[0].clone());
    for fault in [Fault::NothingKept, Fault::AllKept] {
        let disk = Disk::default();
        let mut store = Store::over(Box::new(MemoryEngine::on(disk.clone()))).unwrap();
        filled(&mut store);
        let was = known(&store, &old);
        drop(store);
        let failing = MemoryEngine::on(disk.clone()).failing_after(0, fault);
        let mut store = Store::over(Box::new(failing)).unwrap();
        store.rename_destination(&old, &new).unwrap_err();
        drop(store);
        let mut store = Store::over(Box::new(MemoryEngine::on(disk))).unwrap();
        let (name, other) = if fault == Fault::AllKept { (&new, &old) } else { (&old, &new) };
        assert_eq!(known(&store, name), was);
        assert!(store.heads(other).unwrap().is_empty());
        assert_eq!(store.check().unwrap().problems, []);
        store.rename_destination(&old, &new).unwrap();
        assert_eq!(known(&store, &new), was);
    }
}
