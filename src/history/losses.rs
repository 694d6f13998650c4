//! Occurrences of datasets that did not reach MISP: what is kept of each, where, and from which run to which.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{Context, Encoder, EntityKey, EventUuid, RunNumber, Symbol};

/// Most losses of one feed in one event that are kept one by one; all are counted.
pub(crate) const LOSSES_OF_EVENT_MAX: usize = 100_000;
/// Most bytes of one place as they are stored: far from what a record may hold, whatever the texts.
pub(crate) const LOSSES_BYTES_MAX: usize = 16 << 20;
/// Most bytes of a loss beside its texts, or of a text beside its letters, as they are stored.
const LOSS_FRAME_BYTES: usize = 48;
/// Most of those of no incident that stand in one bucket: some two million of a feed at one destination.
const LOSSES_OF_BUCKET_MAX: usize = 512;
/// Buckets of what belongs to no incident.
pub(crate) const LOSS_BUCKETS: u16 = 4096;

/// An occurrence that gave no attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Loss {
    /// Root of the entity that holds it.
    pub entity: EntityKey,
    /// The observable's kind, or `entity` where the entity itself holds it.
    pub kind: Symbol,
    /// As it stands in the dataset; of a long one what is kept of long texts.
    pub value: Box<str>,
    /// Why, by the name that the accounts have for it.
    pub reason: Symbol,
    /// Why, in words, where there is more to say than the name does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Symbol>,
    /// The mapping rule that took it and could not use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Symbol>,
}

/// A loss, and when it was one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KnownLoss {
    /// The loss.
    #[serde(flatten)]
    pub loss: Loss,
    /// The run in which it came, the last time if it came more than once.
    #[serde(rename = "since_run")]
    pub since: RunNumber,
    /// The run that found it no longer lost so, be it gone, linked, mapped or lost otherwise; none while it is.
    #[serde(rename = "until_run", default, skip_serializing_if = "Option::is_none")]
    pub until: Option<RunNumber>,
}

/// Where losses are kept together: of one feed, by its place at the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LossPlace {
    /// The feed's bit at the destination.
    pub feed: u8,
    /// Of what.
    #[serde(flatten)]
    pub of: LossOf,
}

/// What losses are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossOf {
    /// Of no incident, in the bucket of their values and entities.
    Unlinked(u16),
    /// Of an event.
    Event(EventUuid),
}

impl LossOf {
    /// The bucket of a value of an entity that belongs to no incident: a value that many hold fills none.
    #[must_use]
    pub fn unlinked(entity: &EntityKey, value: &str) -> Self {
        let digest = Encoder::new(Context::Record).text(entity.as_str()).text(value).finish();
        let [high, low, ..] = *digest.as_bytes();
        Self::Unlinked(u16::from_be_bytes([high, low]) % LOSS_BUCKETS)
    }

    const fn most(self) -> usize {
        match self {
            Self::Unlinked(_) => LOSSES_OF_BUCKET_MAX,
            Self::Event(_) => LOSSES_OF_EVENT_MAX,
        }
    }

    /// What is kept once a run found that the dataset has these losses there, sorted. Of one that was known and is
    /// not among them `is_over` says whether that means anything: a dataset need not hold all of its source.
    #[must_use]
    pub fn settle(
        self,
        before: &[KnownLoss],
        now: impl IntoIterator<Item = Loss>,
        run: RunNumber,
        is_over: impl Fn(&Loss) -> bool,
    ) -> Vec<KnownLoss> {
        let now: BTreeSet<Loss> = now.into_iter().collect();
        let mut spans: BTreeMap<&Loss, (RunNumber, Option<RunNumber>)> = BTreeMap::new();
        for KnownLoss { loss, since, until } in before {
            let ends = until.is_none() && !now.contains(loss) && is_over(loss);
            spans.insert(loss, (*since, if ends { Some(run) } else { *until }));
        }
        for loss in &now {
            let span = spans.entry(loss).or_insert((run, None));
            if span.1.is_some() {
                *span = (run, None);
            }
        }
        // What is over goes first where there is no room, of it the first in order.
        let (over, here): (Vec<_>, Vec<_>) = spans.into_iter().partition(|(_, it)| it.1.is_some());
        let mut room = Room { places: self.most(), ..Room::default() };
        let mut known: Vec<_> = here.into_iter().take_while(|(loss, _)| room.has(loss)).collect();
        known.extend(over.into_iter().rev().take_while(|(loss, _)| room.has(loss)));
        known.sort_unstable();
        let known = known.into_iter();
        known.map(|(loss, (since, until))| KnownLoss { loss: loss.clone(), since, until }).collect()
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
        KnownLoss { loss: loss(value), since: RunNumber(since), until: until.map(RunNumber) }
    }

    const PLACE: LossOf = LossOf::Unlinked(0);

    #[test]
    fn losses_come_go_and_come_back_and_each_run_stands_with_them() {
        let settle = |before: &[KnownLoss], now: &[&str], run| {
            PLACE.settle(before, now.iter().map(|it| loss(it)), RunNumber(run), |_| true)
        };
        let first = settle(&[], &["b", "a", "a"], 1);
        assert_eq!(first, [known("a", 1, None), known("b", 1, None)]);
        assert_eq!(settle(&first, &["a", "b"], 2), first, "nothing changed");
        let second = settle(&first, &["b", "c"], 3);
        assert_eq!(second, [known("a", 1, Some(3)), known("b", 1, None), known("c", 3, None)]);
        assert_eq!(settle(&second, &["b", "c"], 4), second, "an end is told once");
        let back = settle(&second, &["a", "b", "c"], 5);
        assert_eq!(back[0], known("a", 5, None));
    }

    #[test]
    fn what_a_dataset_does_not_tell_stays_as_it_is() {
        let before = [known("a", 1, None), known("b", 1, None), known("c", 1, Some(2))];
        let after = PLACE.settle(&before, [], RunNumber(7), |loss| &*loss.value == "b");
        assert_eq!(after, [known("a", 1, None), known("b", 1, Some(7)), known("c", 1, Some(2))]);
    }

    #[test]
    fn what_is_over_makes_room_for_what_is() {
        let number = |number: usize| format!("{number:05}");
        let old: Vec<KnownLoss> =
            (0..10).map(|it| known(&format!("old {it}"), 1, Some(2))).collect();
        let now = |count: usize| (0..count).map(|it| loss(&number(it)));
        let most = LOSSES_OF_BUCKET_MAX;
        let some = PLACE.settle(&old, now(most - 4), RunNumber(3), |_| true);
        assert_eq!(some.len(), most);
        let over: Vec<_> = some.iter().filter(|it| it.until.is_some()).collect();
        assert_eq!((over.len(), &*over[0].loss.value), (4, "old 6"));
        let all = PLACE.settle(&old, now(most + 5), RunNumber(3), |_| true);
        assert_eq!(all.len(), most);
        assert_eq!(&*all.last().unwrap().loss.value, number(most - 1), "the first in order");
    }

    #[test]
    fn a_value_that_many_hold_fills_no_bucket() {
        let holder = |number: u32| EntityKey::of(&format!("holder-{number}"));
        let buckets = (0..600).map(|it| LossOf::unlinked(&holder(it), "192.0.2.1"));
        assert!(buckets.collect::<BTreeSet<_>>().len() > 500);
    }
}
