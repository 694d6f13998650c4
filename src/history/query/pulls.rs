//! The pulls of feeds, as those tell of them who rested on them.
//!
//! A pull has no record of its own: everybody who was due when it ended keeps it with what became of the run, also where
//! nothing became of it. So several tell of one pull, and one may tell of many that went alike.

use serde::Serialize;

use crate::{
    history::{Ledger, LedgerError, Pull, RunRecord},
    model::{FeedName, RunNumber, Timestamp},
};

use super::{RunFilter, log};

/// Pulls of one feed that went alike, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PullsAlike {
    /// The feed.
    pub feed: FeedName,
    /// The last of them, with the requests and bytes of all.
    #[serde(flatten)]
    pub last: Pull,
    /// How many they are; at least so many where several runs tell of them, which need not tell of the same.
    pub times: u64,
    /// When the first of them was.
    pub first: Timestamp,
    /// The runs that rested on them.
    pub runs: Vec<RunNumber>,
}

/// The pulls that runs rested on, the newest first, at most `limit` of those that stand together.
///
/// # Errors
/// If the ledger cannot be read.
pub fn pulls(
    ledger: &dyn Ledger,
    filter: &RunFilter,
    limit: Option<usize>,
) -> Result<Vec<PullsAlike>, LedgerError> {
    let told = log(ledger, filter, None)?.into_iter().rev().filter_map(Told::of);
    let mut told: Vec<Told> = told.collect();
    told.sort_by_key(|it| it.pulls.first);
    let (mut ended, mut open) = (Vec::new(), Vec::<Told>::new());
    for next in told {
        ended.extend(open.extract_if(.., |it| it.until < next.pulls.first));
        match open.iter_mut().find(|it| it.is_of_same(&next)) {
            Some(same) => same.join(next),
            None => open.push(next),
        }
    }
    ended.append(&mut open);
    let mut ended: Vec<PullsAlike> = ended.into_iter().map(|it| it.pulls).collect();
    ended.sort_by_key(|it| it.last.begun);
    ended.reverse();
    ended.truncate(limit.unwrap_or(usize::MAX));
    Ok(ended)
}

/// What runs tell of pulls alike.
struct Told {
    pulls: PullsAlike,
    /// Whether the time of the first of them is that of the run.
    is_of_run: bool,
    /// When the runs began, or the last pull if that was later: what a run tells by its own time may be of these.
    until: Timestamp,
}

impl Told {
    /// What a run tells of those that it and attempts like it rested on.
    fn of(run: RunRecord) -> Option<Self> {
        let last = run.pull?;
        let (times, first) = match run.repeated {
            // The first of them ended before the run began, and its own time is not kept.
            Some(repeated) => (repeated.times + 1, run.begun.min(last.begun)),
            None => (1, last.begun),
        };
        let until = last.begun.max(run.ended.unwrap_or(run.begun));
        let pulls = PullsAlike { feed: run.feed, last, times, first, runs: vec![run.number] };
        Some(Self { pulls, is_of_run: run.repeated.is_some(), until })
    }

    /// Whether another, of which the first is not earlier, tells of the same pulls.
    fn is_of_same(&self, next: &Self) -> bool {
        let end = if next.is_of_run { self.until } else { self.pulls.last.begun };
        self.pulls.feed == next.pulls.feed
            && self.pulls.last.went_as(&next.pulls.last)
            && next.pulls.first <= end
    }

    /// Takes over what another run tells of the same pulls.
    fn join(&mut self, other: Self) {
        self.until = self.until.max(other.until);
        let (other, pulls) = (other.pulls, &mut self.pulls);
        let (last, more) = (&mut pulls.last, other.last);
        last.begun = last.begun.max(more.begun);
        last.requests = last.requests.max(more.requests);
        last.bytes_received = last.bytes_received.max(more.bytes_received);
        pulls.times = pulls.times.max(other.times);
        pulls.runs.extend(other.runs);
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        history::{
            PullOutcome, Repeated,
            query::testing::{MapLedger, run},
        },
        model::DestinationName,
    };

    use super::*;

    const FAILED: PullOutcome = PullOutcome::Failed;
    const UNCHANGED: PullOutcome = PullOutcome::Unchanged;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000 + 60 * minute)
    }

    /// Run `number` begins at that minute, and tells of so many more pulls alike until the last.
    fn told(number: u64, to: &str, outcome: PullOutcome, more: u64, last: i64) -> RunRecord {
        let pull = Pull {
            begun: at(last),
            outcome,
            error: None,
            requests: more + 1,
            bytes_received: 10 * (more + 1),
            objects: 7,
            notes: Vec::new(),
        };
        let repeated = (more > 0).then(|| Repeated { times: more, last: at(last) });
        RunRecord { pull: Some(pull), repeated, ..run(number, "", to) }
    }

    #[test]
    fn what_several_tell_of_the_same_pulls_is_told_once() {
        let runs = vec![
            told(1, "a", PullOutcome::Whole, 0, 1),
            told(2, "b", PullOutcome::Whole, 0, 1),
            run(3, "", "files"),
            told(4, "a", UNCHANGED, 36, 40),
            // It was due as often for a while, and then something was refused there.
            told(5, "b", UNCHANGED, 4, 10),
            told(6, "b", UNCHANGED, 2, 40),
            told(7, "a", FAILED, 2, 44),
            told(8, "b", FAILED, 0, 42),
            told(9, "a", UNCHANGED, 0, 45),
        ];
        let ledger = MapLedger { runs, ..MapLedger::default() };
        let pulls = |limit| pulls(&ledger, &RunFilter::default(), limit).unwrap();
        let shown = |it: &PullsAlike| {
            let runs: Vec<u64> = it.runs.iter().map(|number| number.0).collect();
            let cost = (it.last.requests, it.last.bytes_received);
            (it.last.outcome, it.first, it.last.begun, it.times, cost, runs)
        };
        assert_eq!(
            pulls(None).iter().map(shown).collect::<Vec<_>>(),
            [
                (UNCHANGED, at(45), at(45), 1, (1, 10), vec![9]),
                (FAILED, at(7), at(44), 3, (3, 30), vec![7, 8]),
                (UNCHANGED, at(4), at(40), 37, (37, 370), vec![4, 5, 6]),
                (PullOutcome::Whole, at(1), at(1), 1, (1, 10), vec![1, 2]),
            ]
        );
        assert_eq!(pulls(Some(1)).len(), 1);
        // `a` has both pulls in one record, which does not say when the first was; `b` has one for each.
        let runs = vec![
            told(51, "a", UNCHANGED, 1, 60),
            told(52, "b", UNCHANGED, 0, 50),
            told(61, "b", UNCHANGED, 0, 60),
        ];
        let both = MapLedger { runs, ..MapLedger::default() };
        assert_eq!(
            super::pulls(&both, &RunFilter::default(), None)
                .unwrap()
                .iter()
                .map(shown)
                .collect::<Vec<_>>(),
            [(UNCHANGED, at(50), at(60), 2, (2, 20), vec![52, 51, 61])]
        );
        let b = RunFilter { destination: Some(DestinationName::new("b")), ..RunFilter::default() };
        assert_eq!(super::pulls(&ledger, &b, None).unwrap().len(), 3);
    }
}
