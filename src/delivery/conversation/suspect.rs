//! Why a body is refused: it is too large for the way there, or one of its values is not let through. Smaller
//! bodies tell. Where one value is refused even alone, sizes were not at fault; where all the pieces of a
//! refused body are taken, its size was.

use std::collections::BTreeSet;

use crate::{delivery::chunk::TooMuch, model::AttributeUuid};

/// After a size that failed, so many twentieths of it are tried: all bodies on the way to one refused value
/// together are less than twice the first, what frames them included.
const NEXT_TWENTIETHS: usize = 9;
/// After a refused value, each body that is taken lets the next be so many times as large.
const GROWTH: usize = 4;
/// So many values of an event refused one after the other, with nothing taken in between: all of them are.
const ALONE_MAX: usize = 3;
/// How often one attribute alone is sent where it may pass by itself.
const TRIES_ALONE: u32 = 4;

/// What one event's refused bodies tell.
#[derive(Debug)]
pub(super) struct Suspect {
    /// Most attributes in the next body.
    most: usize,
    search: Option<Search>,
    /// Values refused alone since something was taken.
    alone: usize,
    /// Values refused alone, in all.
    refused: usize,
    /// Tries of the attribute that is being sent alone.
    tries: u32,
    /// Something of the event was let through.
    taken: bool,
    lesson: Option<TooMuch>,
}

/// A search under way.
#[derive(Debug)]
struct Search {
    /// One of these is refused, unless the size was too much.
    suspects: BTreeSet<AttributeUuid>,
    /// The smallest size that failed.
    failed: usize,
    /// Whether the size is the likelier cause, so that other events should not try it either.
    by_size: bool,
}

impl Suspect {
    pub(super) const fn new() -> Self {
        Self {
            most: usize::MAX,
            search: None,
            alone: 0,
            refused: 0,
            tries: 0,
            taken: false,
            lesson: None,
        }
    }

    /// Most attributes in the next body.
    pub(super) const fn most(&self) -> usize {
        self.most
    }

    /// What other events should not exceed for now.
    pub(super) fn most_for_others(&self) -> Option<usize> {
        self.search.as_ref().filter(|search| search.by_size).map(|_| self.most)
    }

    /// A body of several attributes was refused.
    pub(super) fn failed(&mut self, body: &[AttributeUuid], by_size: bool) {
        self.most = (body.len() * NEXT_TWENTIETHS / 20).max(1);
        self.tries = 0;
        let suspects = body.iter().copied().collect();
        let by_size = by_size && self.search.as_ref().is_none_or(|search| search.by_size);
        self.search = Some(Search { suspects, failed: body.len(), by_size });
    }

    /// An attribute alone was refused, in a way that may pass by itself. Says whether to try it again.
    pub(super) const fn try_again(&mut self) -> bool {
        self.tries += 1;
        self.tries < TRIES_ALONE
    }

    /// An attribute is refused even alone: no size was at fault.
    pub(super) fn found(&mut self) {
        (self.most, self.search, self.tries) = (1, None, 0);
        self.alone += 1;
        self.refused += 1;
    }

    /// Whether one value after the other is refused, and none is taken.
    pub(super) const fn refuses_all(&self) -> bool {
        self.alone >= ALONE_MAX
    }

    /// A body got through.
    pub(super) fn taken(&mut self, body: &[AttributeUuid]) {
        (self.alone, self.tries, self.taken) = (0, 0, true);
        let Some(search) = &mut self.search else {
            self.most = self.most.saturating_mul(GROWTH);
            return;
        };
        search.suspects.retain(|key| !body.contains(key));
        if search.suspects.is_empty() {
            self.lesson = Some(TooMuch { failed: search.failed, fits: self.most });
            (self.most, self.search) = (usize::MAX, None);
        }
    }

    /// The size that was too much, as far as it is known when the conversation ends or a search did.
    pub(super) const fn take_lesson(&mut self) -> Option<TooMuch> {
        self.lesson.take()
    }

    /// Nothing more is tried: a search that came to no end leaves its size as the likelier cause.
    pub(super) fn end(&mut self) {
        if let Some(search) = self.search.take().filter(|search| search.by_size) {
            self.lesson = Some(TooMuch { failed: search.failed, fits: self.most });
        }
    }

    /// Whether bodies were refused, and none got through.
    pub(super) const fn took_nothing(&self) -> bool {
        !self.taken && (self.refused > 0 || self.search.is_some())
    }

    /// Whether a body got through.
    pub(super) const fn took_something(&self) -> bool {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(range: std::ops::Range<u128>) -> Vec<AttributeUuid> {
        range.map(|number| AttributeUuid::new(uuid::Uuid::from_u128(number))).collect()
    }

    /// Sends attributes in order, as a conversation does; gives the sizes that failed, and what was learned.
    fn send(all: u128, most: usize, bad: &[u128]) -> (Vec<usize>, Option<TooMuch>) {
        let (suspect, mut lesson) = (&mut Suspect::new(), None::<TooMuch>);
        let (mut queue, mut failed) = (keys(0..all), Vec::new());
        let bad: Vec<_> = bad.iter().flat_map(|number| keys(*number..*number + 1)).collect();
        while !queue.is_empty() {
            let limit = lesson.map_or(1_000, |lesson| lesson.fits);
            let size = queue.len().min(suspect.most().min(limit));
            let body: Vec<_> = queue[..size].to_vec();
            if size <= most && !body.iter().any(|key| bad.contains(key)) {
                suspect.taken(&body);
                lesson = suspect.take_lesson().or(lesson);
                drop(queue.drain(..size));
                continue;
            }
            failed.push(size);
            if size == 1 {
                suspect.found();
                drop(queue.drain(..1));
            } else {
                suspect.failed(&body, true);
            }
        }
        (failed, lesson)
    }

    #[test]
    fn bodies_on_the_way_to_one_refused_value_are_less_than_twice_the_first() {
        for bad in [0, 1, 499, 998, 999] {
            let (failed, lesson) = send(1_000, usize::MAX, &[bad]);
            assert!(failed.iter().sum::<usize>() < 1_900, "{bad}: {failed:?}");
            assert!(failed.windows(2).all(|two| two[1] < two[0]), "{bad}: {failed:?}");
            assert_eq!(lesson, None, "no size was at fault");
        }
    }

    #[test]
    fn a_size_that_is_too_much_is_found_between_two() {
        let (failed, lesson) = send(1_000, 60, &[]);
        assert_eq!(failed, [1_000, 450, 202, 90]);
        assert_eq!(lesson, Some(TooMuch { failed: 90, fits: 40 }));
    }

    #[test]
    fn where_several_values_are_refused_each_costs_little() {
        let (failed, _) = send(1_000, usize::MAX, &[50, 150, 400, 800]);
        assert!(failed.iter().sum::<usize>() < 2 * 1_900, "{failed:?}");
    }
}
