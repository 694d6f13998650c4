//! The index leads to all that reading everything finds, and a store without one gets it.

use std::collections::BTreeSet;

use crate::{
    history::{Ledger, LossOf, LossPlace, RunRecord, Term},
    model::{DestinationName, EventUuid},
    store::{Disk, MemoryEngine, Store, engine::Writes, record::keys::Kind},
};

use super::script::{Dice, commit, destinations, events};

/// A store after so many random commits, all of them to one destination.
fn built(commits: u64) -> (Disk, Store) {
    let disk = Disk::default();
    let mut store = Store::over(Box::new(MemoryEngine::on(disk.clone()))).unwrap();
    for step in 0..commits {
        let (_, run, mut commit) = commit(&mut Dice(step), store.last_run().unwrap());
        commit.run = commit.run.map(|record| RunRecord { destination: name(), ..record });
        store.commit(&name(), run, commit).unwrap();
    }
    (disk, store)
}

fn name() -> DestinationName {
    destinations()[0].clone()
}

/// Every term of what a store holds leads there, and so do events to their changes.
fn assert_complete(store: &Store) {
    let leads = |term: u32| store.find(&name(), &[term]).unwrap().expect("there is an index");
    let mut terms = 0;
    for head in store.heads(&name()).unwrap() {
        let event = store.event(&name(), head.uuid).unwrap().unwrap();
        let attributes = event.attributes.values().flat_map(Term::of_attribute);
        for term in attributes.chain(Term::of_head(&head)) {
            assert!(leads(term).events.contains(&head.uuid), "{}", head.uuid);
            terms += 1;
        }
    }
    for place in (0..2).flat_map(|feed| store.loss_places(&name(), feed).unwrap()) {
        for known in store.losses(&name(), &place).unwrap() {
            for term in Term::of_loss(&known.loss) {
                assert!(leads_to(&leads(term), &place), "{place:?}");
                terms += 1;
            }
        }
    }
    assert!(terms > 1_000, "{terms}");
    let asked: BTreeSet<EventUuid> = events().into_iter().take(2).collect();
    let mut read = Vec::new();
    for run in store.runs().unwrap().iter().rev() {
        let changes = store.changes(run.number).unwrap().into_iter();
        let changes = changes.filter(|change| asked.contains(&change.event));
        read.extend(changes.map(|change| (run.number, change)));
    }
    assert!(read.len() > 100, "{}", read.len());
    assert!(store.changes_of(&name(), &asked).unwrap() == read);
}

fn leads_to(found: &crate::history::Found, place: &LossPlace) -> bool {
    match place.of {
        LossOf::Event(event) => found.events.contains(&event),
        LossOf::Unlinked(_) => found.losses.contains(place),
    }
}

#[test]
fn every_term_leads_to_what_has_it() {
    let (_, store) = built(60);
    assert_complete(&store);
    assert_eq!(store.check().unwrap().problems, []);
}

#[test]
fn a_store_without_an_index_gets_one_when_it_is_opened_to_be_written_to() {
    let (disk, mut store) = built(60);
    let mut pages = Vec::new();
    let scanned = store.engine.scan(Kind::Index.prefix(), &mut |key, _| {
        pages.push(key.to_vec());
        Ok(())
    });
    scanned.unwrap();
    assert!(pages.len() > 3, "{}", pages.len());
    // As in a store of an earlier release, but for what is left of an index that was cut off.
    store.counters.indexed = false;
    store.write(Writes::from([(pages[1].clone(), None)])).unwrap();
    assert_eq!(store.find(&name(), &[7]).unwrap(), None, "all is read instead");
    drop(store);
    let store = Store::over(Box::new(MemoryEngine::on(disk))).unwrap();
    assert_complete(&store);
    assert_eq!(store.check().unwrap().problems, []);
}
