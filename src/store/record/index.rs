//! A page of the index: where the fingerprints of terms lead, or which chunks of changes tell of an event.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    history::LedgerError,
    store::record::envelope::{Body, Stored, damaged, encode},
};

/// What a fingerprint leads to: the UUID of an event, or a place of losses in the same form.
pub(in super::super) type Spot = [u8; 16];
/// A chunk of changes: run, commit, part.
pub(in super::super) type ChunkName = (u64, u64, u32);

/// So long a page gets before the next one begins, in bytes: it fits one value of the engine.
const PAGE_BYTES_MAX: usize = 5 << 10;
const SPOT_BYTES: usize = size_of::<Spot>();
const CHANGE_BYTES: usize = 10;

/// No release wrote it yet. The columns are bytes, so that a page is looked through as it stands.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct PageV1<'a> {
    spots: &'a [u8],
    /// Fingerprints, big-endian.
    terms: &'a [u8],
    /// For each of them a number of the list before, big-endian in two bytes.
    places: &'a [u8],
    /// Numbers of that list, each with a chunk that tells of that event.
    changes: Vec<(u16, ChunkName)>,
}

impl Stored for PageV1<'_> {}

/// A page that is added to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Page {
    spots: Vec<u8>,
    terms: Vec<u8>,
    places: Vec<u8>,
    changes: Vec<(u16, ChunkName)>,
}

impl<'a> PageV1<'a> {
    pub(in super::super) fn read(body: &'a Body) -> Result<Self, LedgerError> {
        let page: Self = body.decode("a page of the index")?;
        let (spots, rest) = page.spots.as_chunks::<SPOT_BYTES>();
        let (terms, more) = page.terms.as_chunks::<4>();
        let (places, most) = page.places.as_chunks::<2>();
        let numbers = places.iter().map(|place| u16::from_be_bytes(*place));
        let mut numbers = numbers.chain(page.changes.iter().map(|(number, _)| *number));
        let is_whole = [rest, more, most].iter().all(|rest| rest.is_empty());
        let leads = numbers.all(|number| usize::from(number) < spots.len());
        match is_whole && leads && terms.len() == places.len() {
            true => Ok(page),
            false => Err(damaged("a page of the index leads nowhere".to_owned())),
        }
    }

    fn spot(&self, number: u16) -> Spot {
        self.spots.as_chunks::<SPOT_BYTES>().0[usize::from(number)]
    }

    /// Where one of these fingerprints leads to.
    pub(in super::super) fn leads(&self, terms: &[[u8; 4]], to: &mut BTreeSet<Spot>) {
        let of_page = self.terms.as_chunks::<4>().0.iter();
        for (term, place) in of_page.zip(self.places.as_chunks::<2>().0) {
            if terms.contains(term) {
                to.insert(self.spot(u16::from_be_bytes(*place)));
            }
        }
    }

    /// Where each of these fingerprints leads to, as bits by their places in the list.
    pub(in super::super) fn leads_each(&self, terms: &[[u8; 4]], to: &mut BTreeMap<Spot, u32>) {
        let of_page = self.terms.as_chunks::<4>().0.iter();
        for (term, place) in of_page.zip(self.places.as_chunks::<2>().0) {
            if let Some(bit) = terms.iter().position(|it| it == term) {
                *to.entry(self.spot(u16::from_be_bytes(*place))).or_default() |= 1 << bit;
            }
        }
    }

    /// The chunks that tell of one of these events.
    pub(in super::super) fn tells(&self, events: &BTreeSet<Spot>, to: &mut BTreeSet<ChunkName>) {
        let told = self.changes.iter().filter(|(spot, _)| events.contains(&self.spot(*spot)));
        to.extend(told.map(|(_, chunk)| *chunk));
    }
}

impl Page {
    pub(in super::super) fn of(read: &PageV1<'_>) -> Self {
        let PageV1 { spots, terms, places, changes } = read;
        let (spots, terms, places) = (spots.to_vec(), terms.to_vec(), places.to_vec());
        Self { spots, terms, places, changes: changes.clone() }
    }

    pub(in super::super) fn body(&self) -> Result<Body, LedgerError> {
        let Self { spots, terms, places, changes } = self;
        encode(&PageV1 { spots, terms, places, changes: changes.clone() })
    }

    /// Adds what fits, and takes it out of the lists.
    pub(in super::super) fn fill(
        &mut self,
        terms: &mut BTreeSet<(Spot, u32)>,
        changes: &mut BTreeSet<(Spot, ChunkName)>,
    ) {
        let spots = self.spots.as_chunks::<SPOT_BYTES>().0.iter().copied();
        let mut numbers: BTreeMap<Spot, u16> = spots.zip(0..).collect();
        while self.has_room()
            && let Some((spot, term)) = terms.pop_first()
        {
            let number = self.number(&mut numbers, spot);
            self.terms.extend(term.to_be_bytes());
            self.places.extend(number.to_be_bytes());
        }
        while self.has_room()
            && let Some((spot, chunk)) = changes.pop_first()
        {
            let number = self.number(&mut numbers, spot);
            self.changes.push((number, chunk));
        }
    }

    fn number(&mut self, numbers: &mut BTreeMap<Spot, u16>, spot: Spot) -> u16 {
        let next = u16::try_from(numbers.len()).expect("a page holds far fewer");
        *numbers.entry(spot).or_insert_with(|| {
            self.spots.extend(spot);
            next
        })
    }

    const fn has_room(&self) -> bool {
        let changes = self.changes.len() * CHANGE_BYTES;
        self.spots.len() + self.terms.len() + self.places.len() + changes < PAGE_BYTES_MAX
    }
}
