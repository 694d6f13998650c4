//! The store's records of itself.

use serde::{Deserialize, Serialize};

use crate::store::record::{envelope::Stored, keys::Kind};

/// The format of the whole store. A later one is refused at opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct FormatV1(pub(in super::super) u32);

impl Stored for FormatV1 {}

impl Stored for IdentityV1 {}

impl Stored for CountersV1 {}

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

/// Written with every commit: what a check compares the records with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in super::super) struct CountersV1 {
    /// Commits so far.
    pub(in super::super) sequence: u64,
    /// Records of each [`Kind`], in its order, the store's own not counted.
    counts: [u64; Kind::ALL.len() - 1],
}

impl CountersV1 {
    /// Records of a kind; `None` for the store's own.
    pub(in super::super) fn count(&self, kind: Kind) -> Option<u64> {
        self.counts.get(kind as usize).copied()
    }

    /// No record yet, after so many commits.
    pub(in super::super) fn after(sequence: u64) -> Self {
        Self { sequence, ..Self::default() }
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
