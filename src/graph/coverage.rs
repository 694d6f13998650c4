//! How much of its source a dataset holds.

use std::collections::BTreeSet;

use crate::model::EntityKey;

/// How much of its source a dataset holds. What is not in the dataset has left the source only as far as that follows
/// from this.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Coverage {
    /// All of it: what is not here has left it.
    #[default]
    Whole,
    /// All of it, but something in it cannot be read: what seems to be missing may be that.
    WholeButDamaged,
    /// One page of several: what is not here may be on another.
    Page,
    /// What it gave so far, which need not be all.
    Changes {
        /// What it said is gone, and what did not come back: an id of an entity or of a version of one.
        gone: BTreeSet<EntityKey>,
    },
    /// Less than it gave so far: a part that came last was lost.
    Behind,
}

impl Coverage {
    /// That of a dataset of two parts of one source.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Self::Whole { other } else { self }
    }
}
