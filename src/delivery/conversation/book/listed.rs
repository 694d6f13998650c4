//! How many attributes MISP's list should hold, and where it goes on: counted along, as an event may take hundreds of
//! requests, and after each of them both are wanted.

use crate::plan::{KnownAttribute, Standing};

/// What stands in MISP's list of one attribute, or of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Listed {
    /// Not deleted.
    pub(super) live: u64,
    /// The place behind the last.
    pub(super) next: u32,
}

impl Listed {
    pub(super) fn of(known: &KnownAttribute) -> Self {
        let Some(order) = known.order else { return Self::default() };
        let is_live = known.timestamp.is_some() && known.standing != Standing::Declined;
        Self { live: u64::from(is_live), next: order.saturating_add(1) }
    }

    pub(super) fn of_all<'a>(known: impl Iterator<Item = &'a KnownAttribute>) -> Self {
        known.map(Self::of).fold(Self::default(), |all, one| Self {
            live: all.live + one.live,
            next: all.next.max(one.next),
        })
    }

    /// All of them, once one stands otherwise than before; `None` where all have to be counted again.
    pub(super) fn with(self, now: Self, before: Self) -> Option<Self> {
        let was_last = before.next == self.next && now.next < before.next;
        let live = (self.live + now.live).saturating_sub(before.live);
        (!was_last).then(|| Self { live, next: self.next.max(now.next) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_along_is_what_a_count_gives() {
        let (one, last) = (Listed { live: 1, next: 4 }, Listed { live: 1, next: 9 });
        let all = Listed { live: 7, next: 9 };
        assert_eq!(all.with(Listed { live: 0, ..one }, one), Some(Listed { live: 6, next: 9 }));
        assert_eq!(all.with(Listed { live: 1, next: 10 }, one), Some(Listed { live: 7, next: 10 }));
        assert_eq!(all.with(Listed { live: 0, ..last }, last), Some(Listed { live: 6, next: 9 }));
        // Which is last now nobody knows.
        assert_eq!(all.with(Listed { live: 1, next: 2 }, last), None);
    }
}
