//! The questions people ask of the history, answered as plain values.
//!
//! Everything is read through [`Ledger`]; nothing here writes, prints or knows how it is stored.

mod changes;
mod everything;
mod exposed;
mod overview;
mod pages;
mod part;
mod pulls;
mod routes;
mod select;
mod status;
mod traffic;
mod why;
mod words;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::fmt;

use super::{Ledger, LedgerError, RunRecord};
use crate::model::{DestinationName, Fault, FeedName};

pub use changes::{AttributeChange, Difference, EventChanges, Shown, diff, show};
pub use everything::everything;
pub use exposed::ExposedCount;
pub use overview::{Example, Overview, Task, TaskKind, overview};
pub use pages::{
    EventFilter, EventsPage, RunsFilter, RunsPage, ShownPart, events_page, runs_page, show_part,
};
pub use part::Memory;
pub use pulls::{PullsAlike, pulls};
pub use routes::{RouteHistory, routes};
pub use select::{Selected, select_base, select_run};
pub use status::{Exposure, RefusedTag, Status, Unpublished, status};
pub use traffic::{Day, traffic};
pub use why::{
    Answer, AttributeAnswer, Depth, EventAnswer, FoundBy, LossAnswer, MAY_HIDE, Remedy, Whose, Why,
    Withheld, looked_for, why,
};
pub use words::Phrase;

/// Which runs a question is about; the default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only runs of this feed.
    pub feed: Option<FeedName>,
    /// Only runs that delivered to this destination.
    pub destination: Option<DestinationName>,
}

impl RunFilter {
    /// Whether a run is one of those.
    #[must_use]
    pub fn takes(&self, run: &RunRecord) -> bool {
        self.feed.as_ref().is_none_or(|feed| *feed == run.feed)
            && self.destination.as_ref().is_none_or(|name| *name == run.destination)
    }
}

/// The runs, newest first, at most `limit` of them.
///
/// # Errors
/// If the ledger cannot be read.
pub fn log(
    ledger: &dyn Ledger,
    filter: &RunFilter,
    limit: Option<usize>,
) -> Result<Vec<RunRecord>, LedgerError> {
    let mut runs = ledger.runs()?;
    runs.retain(|run| filter.takes(run));
    runs.truncate(limit.unwrap_or(usize::MAX));
    Ok(runs)
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// No run of that name.
    NoSuchRun {
        /// What was asked for.
        asked: String,
        /// What there is.
        hint: String,
    },
    /// No run of that feed, or to that destination, while there are others.
    NoRunOf {
        /// What was asked for.
        filter: RunFilter,
        /// What there is.
        hint: String,
    },
    /// Several runs begin like that.
    Ambiguous {
        /// What was asked for.
        asked: String,
        /// Beginnings of the ids with the numbers.
        candidates: Vec<String>,
    },
    /// The text cannot name a run.
    NotARun {
        /// What was asked for.
        asked: String,
    },
    /// The first run of a difference is newer than the second.
    Backwards {
        /// Number of the first run.
        from: u64,
        /// Number of the second.
        to: u64,
    },
    /// The two runs delivered to different places.
    Apart {
        /// Number of the first run.
        from: u64,
        /// Where it delivered.
        from_name: DestinationName,
        /// Number of the second run.
        to: u64,
        /// Where it delivered.
        to_name: DestinationName,
    },
    /// The ledger could not be read.
    Ledger(#[from] LedgerError),
}

impl QueryError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoSuchRun { asked, hint } => {
                Fault::new(format!("no run is called {asked:?}"), hint)
            }
            Self::NoRunOf { filter, hint } => {
                let feed = filter.feed.iter().map(|name| format!("of a feed {:?}", name.as_str()));
                let place = filter.destination.iter();
                let place = place.map(|name| format!("to a destination {:?}", name.as_str()));
                let asked = feed.chain(place).collect::<Vec<_>>().join(" ");
                Fault::new(format!("the store knows no run {asked}"), hint)
            }
            Self::Ambiguous { asked, candidates } => {
                let candidates = candidates.join(", ");
                Fault::new(
                    format!("{asked:?} is the beginning of several runs: {candidates}"),
                    "write more of it, or the number",
                )
            }
            Self::NotARun { asked } => Fault::new(
                format!("{asked:?} cannot name a run"),
                "write the beginning of its id, its number, @ for the newest, or @- and @-N for those before",
            ),
            Self::Backwards { from, to } => Fault::new(
                format!("run {from} is newer than run {to}, and nothing leaves MISP"),
                "exchange the two",
            ),
            Self::Apart { from, from_name, to, to_name } => Fault::new(
                format!("run {from} went to {from_name}, run {to} to {to_name}"),
                "compare runs of one destination",
            ),
            Self::Ledger(error) => error.fault(),
        }
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}
