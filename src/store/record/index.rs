//! A page of the index: fingerprints, each with the number of what it leads to. And a page of a table that says what numbers mean.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    history::LedgerError,
    store::record::envelope::{Body, Stored, damaged, encode},
};

/// A fingerprint, and the number of what it leads to.
pub(in super::super) type Posting = (u32, u32);
/// What a number of terms and words means: the UUID of an event, or a place of losses in the same form.
pub(in super::super) type Spot = [u8; 16];
/// A chunk of changes: run, commit, part.
pub(in super::super) type ChunkName = (u64, u64, u32);

/// So many stand in a page at most: it fits one value of the engine.
pub(in super::super) const PAGE_POSTINGS_MAX: usize = 640;
/// So many numbers have their meaning in one page of a table.
pub(in super::super) const TABLE_PAGE_ENTRIES: u32 = 256;

/// No release wrote it yet. Both columns hold first the highest byte of all that stands in them, then the next: what is sorted, or
/// small, is packed well so.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PageV2<'a> {
    /// Fingerprints, sorted.
    terms: &'a [u8],
    /// For each of them a number.
    numbers: &'a [u8],
}

impl Stored for PageV2<'_> {
    // The first version held what numbers mean in each page.
    const VERSION: u8 = 2;
}

/// No release wrote it yet.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TableV1<'a> {
    /// What numbers mean, one behind the other.
    entries: &'a [u8],
}

impl Stored for TableV1<'_> {}

/// The body of a page.
pub(in super::super) fn encode_page(postings: &BTreeSet<Posting>) -> Result<Body, LedgerError> {
    let terms = columns(postings.iter().map(|(term, _)| *term));
    let numbers = columns(postings.iter().map(|(_, number)| *number));
    encode(&PageV2 { terms: &terms, numbers: &numbers })
}

/// What a page holds, sorted.
pub(in super::super) fn decode_page(body: &Body) -> Result<Vec<Posting>, LedgerError> {
    let PageV2 { terms, numbers } = body.decode("a page of the index")?;
    let wrong = || damaged("the columns of a page of the index do not fit".to_owned());
    if terms.len() != numbers.len() || !terms.len().is_multiple_of(4) {
        return Err(wrong());
    }
    let postings: Vec<Posting> = of_columns(terms).zip(of_columns(numbers)).collect();
    if postings.is_sorted_by(|one, next| one < next) { Ok(postings) } else { Err(wrong()) }
}

/// The body of a page of a table.
pub(in super::super) fn encode_table<const N: usize>(
    entries: &[[u8; N]],
) -> Result<Body, LedgerError> {
    encode(&TableV1 { entries: entries.as_flattened() })
}

/// What a page of a table holds.
pub(in super::super) fn decode_table<const N: usize>(
    body: &Body,
) -> Result<Vec<[u8; N]>, LedgerError> {
    let TableV1 { entries } = body.decode("a table of the index")?;
    match entries.as_chunks() {
        (entries, []) => Ok(entries.to_vec()),
        _ => Err(damaged("an entry of a table of the index is cut off".to_owned())),
    }
}

/// A chunk of changes as it stands in a table.
pub(in super::super) fn chunk_entry((run, commit, part): ChunkName) -> [u8; 20] {
    let mut entry = [0; 20];
    entry[..8].copy_from_slice(&run.to_be_bytes());
    entry[8..16].copy_from_slice(&commit.to_be_bytes());
    entry[16..].copy_from_slice(&part.to_be_bytes());
    entry
}

/// The chunk of changes that stands there.
pub(in super::super) fn chunk_of(entry: [u8; 20]) -> ChunkName {
    let [a, b, c, d, e, f, g, h, rest @ ..] = entry;
    let [i, j, k, l, m, n, o, p, rest @ ..] = rest;
    let (run, commit) = ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p]);
    (u64::from_be_bytes(run), u64::from_be_bytes(commit), u32::from_be_bytes(rest))
}

fn columns(numbers: impl Iterator<Item = u32>) -> Vec<u8> {
    let numbers: Vec<[u8; 4]> = numbers.map(u32::to_be_bytes).collect();
    (0..4).flat_map(|byte| numbers.iter().map(move |number| number[byte])).collect()
}

fn of_columns(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let count = bytes.len() / 4;
    let byte = move |place: usize, column: usize| bytes[column * count + place];
    (0..count)
        .map(move |it| u32::from_be_bytes([byte(it, 0), byte(it, 1), byte(it, 2), byte(it, 3)]))
}
