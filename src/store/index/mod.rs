//! The index: which events and losses a term leads to, which chunks of changes tell of an event, where aliases are.
//!
//! Written in the step of what it leads to. It holds nothing that does not stand elsewhere: a store that has none, or
//! lost part of it, gets it when it is next opened to be written to; until then questions read everything.

mod complete;
mod gather;
mod postings;
mod table;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::{
    history::{Change, Found, LedgerError, LossOf, LossPlace, Term},
    model::{DestinationName, EntityKey, EventUuid, RunNumber},
    store::{
        Store,
        engine::Writes,
        record::{
            AliasesV1, Spot, chunk_of, decode_changes,
            keys::{self, IndexOf, Kind, Name},
        },
    },
};

use gather::Gather;
pub(super) use postings::Postings;
use postings::nowhere;
use table::Table;
use tree::Tree;

/// Pages that are removed in one step.
const PAGES_PER_STEP: usize = 2_000;

/// So many words are looked for at once.
const WORDS_MAX: usize = 16;

fn found_at(spot: Spot, found: &mut Found) {
    let number = u128::from_be_bytes(spot);
    match u32::try_from(number) {
        Ok(number) => {
            let [_, feed, high, low] = number.to_be_bytes();
            let of = LossOf::Unlinked(u16::from_be_bytes([high, low]));
            found.losses.insert(LossPlace { feed, of });
        }
        Err(_) => drop(found.events.insert(EventUuid::new(Uuid::from_bytes(spot)))),
    }
}

impl Store {
    /// Where terms lead to; `None` where there is no index.
    pub(super) fn look_up(
        &self,
        destination: &DestinationName,
        terms: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        if !self.counters.is_indexed() {
            return Ok(None);
        }
        let name = Name::of(destination.as_str());
        let numbers = self.numbers(&name, IndexOf::Terms, terms)?;
        let mut found = Found::default();
        let numbers = numbers.into_values().flatten();
        Table { destination: &name, of: IndexOf::Spots }.read(
            &self.read(),
            numbers,
            &mut |_, spot| found_at(spot, &mut found),
        )?;
        Ok(Some(found))
    }

    /// Where all of some words lead to; `None` where there is no index.
    pub(super) fn look_up_words(
        &self,
        destination: &DestinationName,
        words: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        if !self.counters.is_indexed() {
            return Ok(None);
        }
        let name = Name::of(destination.as_str());
        let words: BTreeSet<u32> = words.iter().copied().collect();
        let words: Vec<u32> = words.into_iter().take(WORDS_MAX).collect();
        let all = (0..words.len()).fold(0_u32, |all, bit| all | 1 << bit);
        let mut bits = BTreeMap::<u32, u32>::new();
        let numbers = self.numbers(&name, IndexOf::Words, &words)?;
        for (bit, word) in words.iter().enumerate() {
            for number in numbers.get(word).into_iter().flatten() {
                *bits.entry(*number).or_default() |= 1 << bit;
            }
        }
        let mut spots = BTreeMap::<Spot, u32>::new();
        Table { destination: &name, of: IndexOf::Spots }.read(
            &self.read(),
            bits.keys().copied(),
            &mut |number, spot| *spots.entry(spot).or_default() |= bits[&number],
        )?;
        let mut found = Found::default();
        let whole = spots.into_iter().filter(|(_, bits)| *bits == all);
        whole.for_each(|(spot, _)| found_at(spot, &mut found));
        Ok(Some(found))
    }

    /// The aliases that may be an entity; `None` where there is no index.
    pub(super) fn look_up_aliases(
        &self,
        entity: &EntityKey,
    ) -> Result<Option<BTreeMap<EntityKey, EntityKey>>, LedgerError> {
        if !self.counters.is_indexed() {
            return Ok(None);
        }
        let terms = [Term::Entity(entity).fingerprint()];
        let buckets = self.numbers(&nowhere(), IndexOf::Aliases, &terms)?;
        let (overlay, mut aliases) = (self.read(), BTreeMap::new());
        for bucket in buckets.into_values().flatten() {
            let [.., high, low] = bucket.to_be_bytes();
            let Some(body) = overlay.record(&keys::aliases_in([high, low]))? else { continue };
            let pairs = body.decode::<AliasesV1<'_>>("aliases")?;
            aliases.extend(pairs.pairs().filter(|(alias, _)| alias.may_be(entity)));
        }
        Ok(Some(aliases))
    }

    /// The changes of events, in order; `None` where there is no index.
    pub(super) fn look_up_changes(
        &self,
        destination: &DestinationName,
        events: &BTreeSet<EventUuid>,
    ) -> Result<Option<Vec<(RunNumber, Change)>>, LedgerError> {
        if !self.counters.is_indexed() {
            return Ok(None);
        }
        let name = Name::of(destination.as_str());
        let terms: Vec<u32> = events.iter().map(|it| Term::Event(*it).fingerprint()).collect();
        let numbers = self.numbers(&name, IndexOf::Changes, &terms)?;
        let (overlay, mut chunks, mut told) = (self.read(), BTreeSet::new(), Vec::new());
        let numbers = numbers.into_values().flatten();
        Table { destination: &name, of: IndexOf::Chunks }.read(
            &overlay,
            numbers,
            &mut |_, chunk| chunks.extend([chunk_of(chunk)]),
        )?;
        for (run, commit, part) in chunks {
            let key = keys::change_chunk(RunNumber(run), commit, part);
            let Some(body) = overlay.record(&key)? else { continue };
            let mut changes = Vec::new();
            decode_changes(&body, &mut changes)?;
            let changes = changes.into_iter().filter(|change| events.contains(&change.event));
            told.extend(changes.map(|change| (RunNumber(run), change)));
        }
        Ok(Some(told))
    }

    /// The numbers that each of these fingerprints leads to.
    fn numbers(
        &self,
        destination: &Name,
        of: IndexOf,
        terms: &[u32],
    ) -> Result<BTreeMap<u32, BTreeSet<u32>>, LedgerError> {
        let terms: BTreeSet<u32> = terms.iter().copied().collect();
        let terms: Vec<u32> = terms.into_iter().collect();
        let mut numbers = BTreeMap::<u32, BTreeSet<u32>>::new();
        Tree { destination, of }.find(&self.read(), &terms, &mut |(term, number)| {
            numbers.entry(term).or_default().insert(number);
        })?;
        Ok(numbers)
    }

    /// Makes the index of a store that has none, part of one, or one that was made otherwise, in steps: from the first
    /// of them until the last it has none.
    pub(super) fn make_index(&mut self) -> Result<(), LedgerError> {
        if self.counters.is_indexed() {
            return Ok(());
        }
        self.counters = self.counters.with_index(false);
        self.drop_index()?;
        let mut store = &mut *self;
        let mut put = |store: &mut &mut Self, destination: &_, portion| {
            store.put_postings(portion, destination)
        };
        Gather { store: &mut store, sink: &mut put, portion: Postings::default() }.all()?;
        self.counters = self.counters.with_index(true);
        self.write(Writes::new())
    }

    fn drop_index(&mut self) -> Result<(), LedgerError> {
        loop {
            let pages = self.engine.page(Kind::Index.prefix(), b"", PAGES_PER_STEP)?;
            if pages.is_empty() {
                return Ok(());
            }
            let mut overlay = self.read();
            pages.into_iter().try_for_each(|(key, _)| overlay.remove_record(key))?;
            let writes = overlay.into_writes();
            self.write(writes)?;
        }
    }

    pub(super) fn put_postings(
        &mut self,
        postings: Postings,
        destination: &DestinationName,
    ) -> Result<(), LedgerError> {
        let mut overlay = self.read();
        postings.put(&mut overlay, &Name::of(destination.as_str()))?;
        let writes = overlay.into_writes();
        if writes.is_empty() { Ok(()) } else { self.write(writes) }
    }
}
