//! Which version of the reading a fact comes from.

use serde::{Deserialize, Serialize};

/// A version of all that makes facts of bytes: the decoders, and what counts as the identity of an entity.
///
/// It grows when a release reads more, or otherwise, than the one before. A store remembers by which reader
/// an event was last planned: what only a newer one finds is held until somebody accepts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reader(u8);

impl Reader {
    /// That of misp-trickle 0.1.0.
    pub const FIRST: Self = Self(1);
    /// An object of STIX is known by its whole id; kinds, references and values that 0.1.0 passed over.
    pub const SECOND: Self = Self(2);
    /// Forms of values and of objects that the second passed over, or took for something else; versions of relations.
    pub const THIRD: Self = Self(3);
    /// Elements in which a key stands twice; what those before took for a marking that is none.
    pub const FOURTH: Self = Self(4);
    /// The one of this program. Stores are made by whatever was built, so one that was once in a program is frozen.
    pub const NOW: Self = Self::FOURTH;

    /// The reader of a number that was written down.
    #[must_use]
    pub const fn numbered(number: u8) -> Self {
        Self(number)
    }

    /// Its number, to be written down.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The one before it.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Whether this program reads more than it.
    #[must_use]
    pub fn is_older(self) -> bool {
        self < Self::NOW
    }
}
