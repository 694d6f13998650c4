//! A page of the index: where the fingerprints of terms lead, or which chunks of changes tell of an event.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    history::LedgerError,
    store::record::{
        entry,
        envelope::{Body, Stored, encode},
    },
};

/// What a fingerprint leads to: the UUID of an event, or a place of losses in the same form.
pub(in super::super) type Spot = [u8; 16];
/// A chunk of changes: run, commit, part.
pub(in super::super) type ChunkName = (u64, u64, u32);

/// So long a page gets before the next one begins, in bytes: it fits one value of the engine.
const PAGE_BYTES_MAX: usize = 5 << 10;
const TERM_BYTES: usize = 6;
const CHANGE_BYTES: usize = 10;

/// No release wrote it yet.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct PageV1 {
    spots: Vec<Spot>,
    /// Fingerprints, each with a number of the list before.
    terms: Vec<([u8; 4], u32)>,
    /// Numbers of that list, each with a chunk that tells of that event.
    changes: Vec<(u32, ChunkName)>,
}

impl Stored for PageV1 {}

impl PageV1 {
    pub(in super::super) fn read(body: &Body) -> Result<Self, LedgerError> {
        let page: Self = body.decode("a page of the index")?;
        let numbers = page.terms.iter().map(|(_, spot)| spot);
        for number in numbers.chain(page.changes.iter().map(|(spot, _)| spot)) {
            entry(&page.spots, *number)?;
        }
        Ok(page)
    }

    pub(in super::super) fn body(&self) -> Result<Body, LedgerError> {
        encode(self)
    }

    /// Adds what fits, and takes it out of the lists.
    pub(in super::super) fn fill(
        &mut self,
        terms: &mut BTreeSet<(Spot, u32)>,
        changes: &mut BTreeSet<(Spot, ChunkName)>,
    ) {
        let mut numbers: BTreeMap<Spot, u32> = self.spots.iter().copied().zip(0..).collect();
        while self.has_room()
            && let Some((spot, term)) = terms.pop_first()
        {
            let number = self.number(&mut numbers, spot);
            self.terms.push((term.to_be_bytes(), number));
        }
        while self.has_room()
            && let Some((spot, chunk)) = changes.pop_first()
        {
            let number = self.number(&mut numbers, spot);
            self.changes.push((number, chunk));
        }
    }

    fn number(&mut self, numbers: &mut BTreeMap<Spot, u32>, spot: Spot) -> u32 {
        *numbers.entry(spot).or_insert_with(|| {
            self.spots.push(spot);
            u32::try_from(self.spots.len() - 1).expect("a page holds far fewer")
        })
    }

    const fn has_room(&self) -> bool {
        self.spots.len() * size_of::<Spot>()
            + self.terms.len() * TERM_BYTES
            + self.changes.len() * CHANGE_BYTES
            < PAGE_BYTES_MAX
    }

    /// Where one of these fingerprints, which are sorted, leads to.
    pub(in super::super) fn leads(&self, terms: &[[u8; 4]], to: &mut BTreeSet<Spot>) {
        let found = self.terms.iter().filter(|(term, _)| terms.binary_search(term).is_ok());
        to.extend(found.map(|(_, spot)| self.spots[*spot as usize]));
    }

    /// The chunks that tell of one of these events.
    pub(in super::super) fn tells(&self, events: &BTreeSet<Spot>, to: &mut BTreeSet<ChunkName>) {
        let of = |spot: u32| events.contains(&self.spots[spot as usize]);
        to.extend(self.changes.iter().filter(|(spot, _)| of(*spot)).map(|(_, chunk)| *chunk));
    }
}
