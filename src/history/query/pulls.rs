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
    /// How many they are.
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
    let told = log(ledger, filter, None)?.into_iter().rev().filter_map(PullsAlike::of);
    let mut told: Vec<PullsAlike> = told.collect();
    told.sort_by_key(|it| it.first);
    let (mut ended, mut open) = (Vec::new(), Vec::<PullsAlike>::new());
    for next in told {
        ended.extend(open.extract_if(.., |it| it.last.begun < next.first));
        match open.iter_mut().find(|it| it.feed == next.feed && it.last.went_as(&next.last)) {
            Some(same) => same.join(next),
            None => open.push(next),
        }
    }
    ended.append(&mut open);
    ended.sort_by_key(|it| it.last.begun);
    ended.reverse();
    ended.truncate(limit.unwrap_or(usize::MAX));
    Ok(ended)
}

impl PullsAlike {
    /// What a run tells of those that it and attempts like it rested on.
    fn of(run: RunRecord) -> Option<Self> {
        let last = run.pull?;
        let (times, first) = match run.repeated {
            // The first of them ended before the run began, and its own time is not kept.
            Some(repeated) => (repeated.times + 1, run.begun.min(last.begun)),
            None => (1, last.begun),
        };
        Some(Self { feed: run.feed, last, times, first, runs: vec![run.number] })
    }

    /// Takes over what another run tells of the same pulls.
    fn join(&mut self, other: Self) {
        let (last, more) = (&mut self.last, other.last);
        last.begun = last.begun.max(more.begun);
        last.requests = last.requests.max(more.requests);
        last.bytes_received = last.bytes_received.max(more.bytes_received);
        self.times = self.times.max(other.times);
        self.runs.extend(other.runs);
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
        let b = RunFilter { destination: Some(DestinationName::new("b")), ..RunFilter::default() };
        assert_eq!(super::pulls(&ledger, &b, None).unwrap().len(), 3);
    }
}
