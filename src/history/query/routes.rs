//! When each route last did what it is for.

use std::collections::BTreeMap;

use crate::{
    history::{Ledger, LedgerError, Outcome, Pull, PullOutcome, RunKind, RunRecord},
    model::{FeedName, RouteName, Timestamp},
};

/// What the history says of one feed at one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteHistory {
    /// Its newest record.
    pub last: RunRecord,
    /// When a run of it last came to its end: everything delivered, or accounted for.
    pub last_success: Option<Timestamp>,
    /// How many attempts in a row failed since.
    pub failures: u64,
    /// The last pull that a run of it rested on.
    pub last_pull: Option<Pull>,
    /// When the last of those began that did not fail.
    pub last_good_pull: Option<Timestamp>,
}

impl RouteHistory {
    /// When its last attempt began and ended. Of attempts that are told of in one record only the end of the last is
    /// known, and of one that was cut off only the beginning.
    #[must_use]
    pub fn last_attempt(&self) -> (Timestamp, Timestamp) {
        match self.last.repeated {
            Some(repeated) => (repeated.last, repeated.last),
            None => (self.last.begun, self.last.ended.unwrap_or(self.last.begun)),
        }
    }
}

/// Every route that ever ran, under the name that its feed has by now, of the names that feeds had. What was forgotten
/// never ran.
///
/// # Errors
/// If the ledger cannot be read.
pub fn routes(
    ledger: &dyn Ledger,
    former: &BTreeMap<FeedName, FeedName>,
) -> Result<BTreeMap<RouteName, RouteHistory>, LedgerError> {
    let mut routes = BTreeMap::<_, RouteHistory>::new();
    let mut runs = ledger.runs()?;
    runs.sort_by_key(|run| run.number);
    for run in runs {
        let feed = former.get(&run.feed).unwrap_or(&run.feed).clone();
        if run.kind() == RunKind::Forgetting {
            // A feed is forgotten everywhere.
            routes.retain(|name: &RouteName, _| name.feed != feed);
            continue;
        }
        let name = RouteName { feed, destination: run.destination.clone() };
        let next = match routes.remove(&name) {
            Some(before) => RouteHistory { last: run, ..before },
            None => RouteHistory::beginning(run),
        };
        routes.insert(name, next.counted());
    }
    Ok(routes)
}

impl RouteHistory {
    fn beginning(last: RunRecord) -> Self {
        Self { last, last_success: None, failures: 0, last_pull: None, last_good_pull: None }
    }

    /// Counts its newest record.
    fn counted(mut self) -> Self {
        if let Some(pull) = &self.last.pull {
            self.last_pull = Some(pull.clone());
            let is_good = pull.outcome != PullOutcome::Failed;
            self.last_good_pull = is_good.then_some(pull.begun).or(self.last_good_pull);
        }
        match self.last.outcome {
            Outcome::Done | Outcome::Partial => {
                (self.last_success, self.failures) = (Some(self.last_attempt().1), 0);
            }
            Outcome::Failed => self.failures += self.last.attempts(),
            Outcome::Interrupted | Outcome::Unfinished => {}
        }
        self
    }
}
