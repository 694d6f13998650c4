//! Counters: attributes and events by their result, occurrences by what became of them.

use std::{
    collections::BTreeMap,
    ops::{AddAssign, SubAssign},
};

use serde::{Deserialize, Serialize};

/// A struct of counters: each stands once, in the order in which it is shown and stored.
macro_rules! counters {
    ($(#[$doc:meta])* $name:ident { $($field:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[expect(missing_docs, reason = "each name is a result or transition of the design's table")]
        pub struct $name {
            $(pub $field: u64),*
        }

        impl $name {
            /// How many counters there are.
            pub const COUNT: usize = [$(stringify!($field)),*].len();

            /// The counters, each with its name.
            #[must_use]
            pub const fn named(&self) -> [(&'static str, u64); Self::COUNT] {
                [$((stringify!($field), self.$field)),*]
            }

            /// The counters.
            #[must_use]
            pub const fn counts(&self) -> [u64; Self::COUNT] {
                [$(self.$field),*]
            }

            /// What [`Self::counts`] gave.
            #[must_use]
            pub const fn of_counts([$($field),*]: [u64; Self::COUNT]) -> Self {
                Self { $($field),* }
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                $(self.$field += other.$field;)*
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                $(self.$field -= other.$field;)*
            }
        }
    };
}

counters! {
    /// Every attribute of a plan, once, by its result; and transitions, which are outside the sum.
    AttributeTally {
        planned, sent, adopted, declined, rejected, withheld, held, blocked, pending, unchanged,
        superseded, retired, drifted, exposed,
    }
}

counters! {
    /// Events by what became of them. One of which something is held counts as held beside what else it is.
    EventTally { created, updated, unchanged, held, blocked, withheld }
}

impl AttributeTally {
    /// Whether every planned attribute is counted exactly once.
    #[must_use]
    pub const fn adds_up(&self) -> bool {
        let results = self.sent
            + self.adopted
            + self.declined
            + self.rejected
            + self.withheld
            + self.held
            + self.blocked
            + self.pending
            + self.unchanged;
        self.planned == results
    }
}

/// Occurrences of a dataset by what became of them: `occurrences = mapped + merged + lost`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MappingTally {
    /// Distinct (incident, entity, kind, value).
    pub occurrences: u64,
    /// Those that gave an attribute.
    pub mapped: u64,
    /// Those whose attribute another occurrence had given already.
    pub merged: u64,
    /// Those that gave none, by reason.
    pub lost: BTreeMap<Box<str>, u64>,
}

impl MappingTally {
    /// How many occurrences gave nothing, for whatever reason.
    #[must_use]
    pub fn lost_total(&self) -> u64 {
        self.lost.values().sum()
    }
}

impl AddAssign<&Self> for MappingTally {
    fn add_assign(&mut self, other: &Self) {
        self.occurrences += other.occurrences;
        self.mapped += other.mapped;
        self.merged += other.merged;
        for (reason, count) in &other.lost {
            *self.lost.entry(reason.clone()).or_default() += count;
        }
    }
}

impl SubAssign<&Self> for MappingTally {
    fn sub_assign(&mut self, other: &Self) {
        self.occurrences -= other.occurrences;
        self.mapped -= other.mapped;
        self.merged -= other.merged;
        for (reason, count) in &other.lost {
            if let Some(lost) = self.lost.get_mut(reason) {
                *lost -= count;
            }
        }
        self.lost.retain(|_, count| *count > 0);
    }
}
