//! The store's records of itself.

use serde::{Deserialize, Serialize};

use crate::{
    history::LedgerError,
    store::record::{
        envelope::{Body, Stored},
        keys::Kind,
    },
};

/// Kinds of records that there were when counters were first written.
const KINDS_V1: usize = 8;
/// And when they first told of an index.
const KINDS_V2: usize = 10;

/// The format of the whole store. A later one is refused at opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct FormatV1(pub(in super::super) u32);

impl Stored for FormatV1 {}

impl Stored for IdentityV1 {}

impl Stored for CountersV1 {}

impl Stored for CountersV2 {
    const VERSION: u8 = 2;
}

impl Stored for CountersV3 {
    const VERSION: u8 = 3;
}

impl FormatV1 {
    /// The format that is written now.
    pub(in super::super) const CURRENT: Self = Self(1);
}

/// Which store this is, and where it was when it was last written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct IdentityV1 {
    /// Random, given at creation; a copy has the same.
    pub(in super::super) id: [u8; 16],
    /// The folder's path with all links resolved.
    pub(in super::super) path: String,
    /// The folder's inode; a copy has another.
    pub(in super::super) inode: u64,
}

/// As 0.1.0 wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct CountersV1 {
    sequence: u64,
    counts: [u64; KINDS_V1],
}

/// As it was before the index led from words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct CountersV2 {
    sequence: u64,
    counts: [u64; KINDS_V2],
    is_indexed: bool,
}

/// Written with every commit: what a check compares the records with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in super::super) struct CountersV3 {
    /// Commits so far.
    pub(in super::super) sequence: u64,
    /// Records of each [`Kind`], in its order, the store's own not counted.
    counts: [u64; Kind::ALL.len() - 1],
    /// Of which making the index is that leads to all that it should; 0 where none does.
    index: u8,
}

/// How the index is made now. One that was made otherwise is made anew.
const INDEX: u8 = 3;

impl From<CountersV1> for CountersV2 {
    fn from(before: CountersV1) -> Self {
        let mut counters = Self { sequence: before.sequence, ..Self::default() };
        counters.counts[..KINDS_V1].copy_from_slice(&before.counts);
        counters
    }
}

impl From<CountersV2> for CountersV3 {
    fn from(before: CountersV2) -> Self {
        let mut counters = Self::after(before.sequence);
        counters.counts[..KINDS_V2].copy_from_slice(&before.counts);
        // The first way to make an index.
        counters.index = u8::from(before.is_indexed);
        counters
    }
}

impl CountersV3 {
    /// The counters that a body holds.
    pub(in super::super) fn read(body: &Body) -> Result<Self, LedgerError> {
        let what = "the commit counter";
        match body.version {
            Self::VERSION => body.decode(what),
            _ => Ok(body.decode_either::<CountersV2, CountersV1>(what)?.into()),
        }
    }

    /// Records of a kind; `None` for the store's own.
    pub(in super::super) fn count(&self, kind: Kind) -> Option<u64> {
        self.counts.get(kind as usize).copied()
    }

    /// No record yet, after so many commits.
    pub(in super::super) fn after(sequence: u64) -> Self {
        Self { sequence, ..Self::default() }
    }

    /// Whether all that the index should lead to is in it.
    pub(in super::super) const fn is_indexed(&self) -> bool {
        self.index == INDEX
    }

    /// The same, with or without an index.
    pub(in super::super) const fn with_index(self, indexed: bool) -> Self {
        Self { index: if indexed { INDEX } else { 0 }, ..self }
    }

    pub(in super::super) fn add(&mut self, kind: Kind) {
        if let Some(count) = self.counts.get_mut(kind as usize) {
            *count += 1;
        }
    }

    /// Takes one away. Damage may have left fewer than there should be; `check` will say so.
    pub(in super::super) fn take(&mut self, kind: Kind) {
        if let Some(count) = self.counts.get_mut(kind as usize) {
            *count = count.saturating_sub(1);
        }
    }
}
