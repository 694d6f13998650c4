//! When each route last did what it is for.

use std::collections::BTreeMap;

use crate::{
    history::{Ledger, LedgerError, Outcome, Pull, RunKind, RunRecord},
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
        let before = routes.remove(&name);
        let (last_success, failures, pulled) = before.map_or((None, 0, None), |before| {
            (before.last_success, before.failures, before.last_pull)
        });
        let last_pull = run.pull.clone().or(pulled);
        let next = RouteHistory { last: run, last_success, failures, last_pull };
        routes.insert(name, next.counted());
    }
    Ok(routes)
}

impl RouteHistory {
    /// Counts its newest record.
    fn counted(mut self) -> Self {
        let attempts = 1 + self.last.repeated.map_or(0, |repeated| repeated.times);
        match self.last.outcome {
            Outcome::Done | Outcome::Partial => {
                (self.last_success, self.failures) = (Some(self.last_attempt().1), 0);
            }
            Outcome::Failed => self.failures += attempts,
            Outcome::Interrupted | Outcome::Unfinished => {}
        }
        self
    }
}
