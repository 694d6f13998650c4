//! What is kept of the losses of a place once a run has read its dataset: which came, which ended and how, which found no room.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{RunNumber, Symbol};

use super::losses::{Ended, KnownLoss, Loss, LossOf, MoreLosses, PlaceLosses};

/// Most losses of one feed in one event that are kept one by one; all are counted.
pub(crate) const LOSSES_OF_EVENT_MAX: usize = 100_000;
/// Most bytes of one place as they are stored: far from what a record may hold, whatever the texts.
pub(crate) const LOSSES_BYTES_MAX: usize = 16 << 20;
/// Most bytes of a loss beside its texts, or of a text beside its letters, as they are stored.
const LOSS_FRAME_BYTES: usize = 48;
/// Most of those of no incident that stand in one bucket: some two million of a feed at one destination.
const LOSSES_OF_BUCKET_MAX: usize = 512;

/// What a dataset says of a loss that was known and is none in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing: it need not hold all of its source.
    Untold,
    /// It is over.
    Over(Ended),
}

impl LossOf {
    const fn most(self) -> usize {
        match self {
            Self::Unlinked(_) => LOSSES_OF_BUCKET_MAX,
            Self::Event(_) => LOSSES_OF_EVENT_MAX,
        }
    }

    /// What is kept once a run found that the dataset has these losses there. Of one that was known and is not among
    /// them `fate` says what became of it; one that is lost for another reason is over by that.
    #[must_use]
    pub fn settle(
        self,
        before: &PlaceLosses,
        now: impl IntoIterator<Item = Loss>,
        run: RunNumber,
        fate: impl Fn(&Loss) -> Fate,
    ) -> PlaceLosses {
        let now: BTreeSet<Loss> = now.into_iter().collect();
        let mut spans: BTreeMap<&Loss, Span> = BTreeMap::new();
        let mut tells_all = true;
        for KnownLoss { loss, since, until, ended } in &before.known {
            let mut span = Span { since: *since, until: *until, ended: *ended };
            if until.is_none() && !now.contains(loss) {
                match if is_lost_otherwise(&now, loss) { OTHERWISE } else { fate(loss) } {
                    Fate::Over(how) => (span.until, span.ended) = (Some(run), Some(how)),
                    Fate::Untold => tells_all = false,
                }
            }
            spans.insert(loss, span);
        }
        let begins = Span { since: run, until: None, ended: None };
        for loss in &now {
            let span = spans.entry(loss).or_insert(begins);
            if span.until.is_some() {
                *span = begins;
            }
        }
        // What is over goes first where there is no room, of it the first in order.
        let (over, here): (Vec<_>, Vec<_>) = spans.into_iter().partition(|(_, it)| it.is_over());
        let (here_count, over_count) = (here.len(), over.len());
        let mut room = Room { places: self.most(), ..Room::default() };
        let mut known: Vec<_> = here.into_iter().take_while(|(loss, _)| room.has(loss)).collect();
        let unkept = (here_count - known.len()) as u64;
        known.extend(over.into_iter().rev().take_while(|(loss, _)| room.has(loss)));
        let forgotten = over_count - known.iter().filter(|(_, it)| it.is_over()).count();
        known.sort_unstable_by_key(|(loss, _)| *loss);
        let known = known.into_iter().map(|(loss, Span { since, until, ended })| {
            let loss = loss.clone();
            KnownLoss { loss, since, until, ended }
        });
        PlaceLosses {
            known: known.collect(),
            more: more_of(before.more, unkept, run, tells_all),
            forgotten: before.forgotten.saturating_add(forgotten as u64),
        }
    }
}

const OTHERWISE: Fate = Fate::Over(Ended::Otherwise);

/// When something was lost.
#[derive(Clone, Copy)]
struct Span {
    since: RunNumber,
    until: Option<RunNumber>,
    ended: Option<Ended>,
}

impl Span {
    const fn is_over(&self) -> bool {
        self.until.is_some()
    }
}

/// Whether the same occurrence is among these losses: for another reason, as it is not itself.
fn is_lost_otherwise(now: &BTreeSet<Loss>, loss: &Loss) -> bool {
    let first = Loss { reason: Symbol::new(""), detail: None, rule: None, ..loss.clone() };
    let is_same =
        |it: &Loss| it.entity == loss.entity && it.kind == loss.kind && it.value == loss.value;
    now.range(first..).next().is_some_and(is_same)
}

/// How many a run found no room for. Where the dataset does not tell of all that are kept, what it does not count may be there
/// still.
fn more_of(
    before: Option<MoreLosses>,
    count: u64,
    run: RunNumber,
    tells_all: bool,
) -> Option<MoreLosses> {
    match before {
        Some(before) if before.count == count || !tells_all && before.count > count => Some(before),
        _ => (count > 0).then_some(MoreLosses { count, run }),
    }
}

/// What is left of a place: texts that recur stand once, values each.
#[derive(Debug, Default)]
struct Room<'a> {
    places: usize,
    texts: BTreeSet<&'a str>,
    bytes: usize,
}

impl<'a> Room<'a> {
    /// Takes the room of a loss, if there is as much.
    fn has(&mut self, loss: &'a Loss) -> bool {
        let Loss { entity, kind, value, reason, detail, rule } = loss;
        let names = [Some(kind), Some(reason), detail.as_ref(), rule.as_ref()];
        let names = names.into_iter().flatten().map(Symbol::as_str);
        for text in names.chain([entity.as_str()]) {
            if self.texts.insert(text) {
                self.bytes += text.len() + LOSS_FRAME_BYTES;
            }
        }
        self.bytes += value.len() + LOSS_FRAME_BYTES;
        let has = self.places > 0 && self.bytes <= LOSSES_BYTES_MAX;
        self.places -= usize::from(has);
        has
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EntityKey;

    fn loss(value: &str) -> Loss {
        Loss {
            entity: EntityKey::of("a"),
            kind: Symbol::new("snort"),
            value: value.into(),
            reason: Symbol::new("no_misp_type"),
            detail: None,
            rule: None,
        }
    }

    fn known(value: &str, since: u64, until: Option<u64>) -> KnownLoss {
        let (since, until) = (RunNumber(since), until.map(RunNumber));
        KnownLoss { loss: loss(value), since, until, ended: until.map(|_| Ended::Left) }
    }

    fn place(known: impl IntoIterator<Item = KnownLoss>) -> PlaceLosses {
        PlaceLosses { known: known.into_iter().collect(), ..PlaceLosses::default() }
    }

    fn left(_: &Loss) -> Fate {
        Fate::Over(Ended::Left)
    }

    const PLACE: LossOf = LossOf::Unlinked(0);

    #[test]
    fn losses_come_go_and_come_back_and_each_run_stands_with_them() {
        let settle = |before: &PlaceLosses, now: &[&str], run| {
            PLACE.settle(before, now.iter().map(|it| loss(it)), RunNumber(run), left)
        };
        let first = settle(&PlaceLosses::default(), &["b", "a", "a"], 1);
        assert_eq!(first, place([known("a", 1, None), known("b", 1, None)]));
        assert_eq!(settle(&first, &["a", "b"], 2), first, "nothing changed");
        let second = settle(&first, &["b", "c"], 3);
        let all = [known("a", 1, Some(3)), known("b", 1, None), known("c", 3, None)];
        assert_eq!(second, place(all));
        assert_eq!(settle(&second, &["b", "c"], 4), second, "an end is told once");
        let back = settle(&second, &["a", "b", "c"], 5);
        assert_eq!(back.known[0], known("a", 5, None));
    }

    #[test]
    fn what_a_dataset_does_not_tell_stays_as_it_is() {
        let before = place([known("a", 1, None), known("b", 1, None), known("c", 1, Some(2))]);
        let fate = |loss: &Loss| if &*loss.value == "b" { left(loss) } else { Fate::Untold };
        let after = PLACE.settle(&before, [], RunNumber(7), fate);
        let all = [known("a", 1, None), known("b", 1, Some(7)), known("c", 1, Some(2))];
        assert_eq!(after, place(all));
    }

    #[test]
    fn how_it_ended_stands_with_a_loss() {
        let old = KnownLoss { ended: None, ..known("z", 1, Some(2)) };
        let before = place([known("a", 1, None), known("b", 1, None), old.clone()]);
        let refused = Loss { reason: Symbol::new("refused_by_misp"), ..loss("a") };
        let mapped = |_: &Loss| Fate::Over(Ended::Mapped);
        let after = PLACE.settle(&before, [refused.clone()], RunNumber(3), mapped);
        let end = |value, how| KnownLoss { ended: Some(how), ..known(value, 1, Some(3)) };
        let other = KnownLoss { loss: refused, ..known("a", 3, None) };
        let all = [end("a", Ended::Otherwise), other, end("b", Ended::Mapped), old];
        assert_eq!(after, place(all), "an end without a reason stays one");
    }

    #[test]
    fn what_is_over_makes_room_for_what_is_and_all_that_goes_is_counted() {
        let number = |number: usize| format!("{number:05}");
        let old = place((0..10).map(|it| known(&format!("old {it}"), 1, Some(2))));
        let now = |count: usize| (0..count).map(|it| loss(&number(it)));
        let more = |count, run| Some(MoreLosses { count, run: RunNumber(run) });
        let most = LOSSES_OF_BUCKET_MAX;
        let some = PLACE.settle(&old, now(most - 4), RunNumber(3), left);
        assert_eq!((some.known.len(), some.more, some.forgotten), (most, None, 6));
        let over: Vec<_> = some.known.iter().filter(|it| it.until.is_some()).collect();
        assert_eq!((over.len(), &*over[0].loss.value), (4, "old 6"));
        let all = PLACE.settle(&some, now(most + 5), RunNumber(4), left);
        assert_eq!((all.known.len(), all.more, all.forgotten), (most, more(5, 4), 10));
        assert_eq!(&*all.known.last().unwrap().loss.value, number(most - 1), "the first in order");
        assert_eq!(PLACE.settle(&all, now(most + 5), RunNumber(5), left), all);
        let part = PLACE.settle(&all, now(9), RunNumber(6), |_| Fate::Untold);
        assert_eq!(part.more, more(5, 4), "nothing says that they are gone");
        let few = PLACE.settle(&all, now(most - 1), RunNumber(7), left);
        assert_eq!((few.known.len(), few.unkept()), (most, 10));
    }

    #[test]
    fn a_value_that_many_hold_fills_no_bucket() {
        let holder = |number: u32| EntityKey::of(&format!("holder-{number}"));
        let buckets = (0..600).map(|it| LossOf::unlinked(&holder(it), "192.0.2.1"));
        assert!(buckets.collect::<BTreeSet<_>>().len() > 500);
    }
}
