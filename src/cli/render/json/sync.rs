//! What runs did at their destinations.

use serde::Serialize;

use crate::{
    cli::{Report, render::sync::Outcome},
    history::{self, DatasetTally, DestinationTally, RunRecord},
    model::{DestinationName, Digest, RunNumber},
};

/// `sync`, `apply` and `repair --adopt`: what the runs did.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/sync/2")]
pub struct SyncAnswer<'a> {
    /// The newest run; null where there was none.
    pub run: Option<RunNumber>,
    /// Its name by content.
    pub run_id: Option<Digest>,
    /// The worst outcome of all.
    pub outcome: history::Outcome,
    /// What was done, by destination.
    pub destinations: Vec<DestinationRun<'a>>,
    /// What the dataset holds.
    pub dataset: Option<&'a DatasetTally>,
}

/// What was done at one destination.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum DestinationRun<'a> {
    /// There was a run.
    Ran(Box<Run<'a>>),
    /// There was none: the source could not be read, or MISP not be asked who it is.
    NotRun(Box<NoRun<'a>>),
}

/// No run at a destination.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NoRun<'a> {
    /// The destination.
    pub destination: &'a DestinationName,
    /// `failed`.
    pub outcome: history::Outcome,
    /// Why.
    pub error: &'a Report,
}

/// A run at one destination.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Run<'a> {
    /// The destination.
    pub destination: &'a DestinationName,
    /// How it ended.
    pub outcome: history::Outcome,
    /// Why it ended before it was done.
    pub error: Option<Report>,
    /// Counted from 1 in each store.
    pub run: RunNumber,
    /// Name by content.
    pub run_id: Digest,
    /// What it did.
    #[serde(flatten)]
    pub tally: DestinationTally,
    /// Events that MISP took the request to publish, and does not show as published yet.
    pub events_publishing: u64,
    /// Events that stay unpublished until somebody does something about it.
    pub events_unpublished: u64,
    /// What a person should know.
    pub notes: &'a [String],
}

impl<'a> SyncAnswer<'a> {
    /// The answer.
    #[must_use]
    pub fn new(outcomes: &'a [Outcome]) -> Self {
        let runs: Vec<&RunRecord> = runs(outcomes).collect();
        let failed = runs.len() < outcomes.len();
        let worst = runs.iter().map(|run| run.outcome).max_by_key(|outcome| severity(*outcome));
        Self {
            run: runs.last().map(|run| run.number),
            run_id: runs.last().map(|run| run.id),
            outcome: worst.filter(|_| !failed).unwrap_or(history::Outcome::Failed),
            destinations: outcomes.iter().map(destination).collect(),
            dataset: runs.first().map(|run| &run.dataset),
        }
    }
}

const fn severity(outcome: history::Outcome) -> u8 {
    match outcome {
        history::Outcome::Done => 0,
        history::Outcome::Partial => 1,
        history::Outcome::Interrupted => 2,
        history::Outcome::Unfinished | history::Outcome::Failed => 3,
    }
}

fn destination((destination, outcome): &Outcome) -> DestinationRun<'_> {
    match outcome {
        Ok(summary) => DestinationRun::Ran(Box::new(Run {
            destination,
            outcome: summary.run.outcome,
            error: Report::of_ending(&summary.ending),
            run: summary.run.number,
            run_id: summary.run.id,
            tally: summary.run.tally,
            events_publishing: summary.publishing.asked,
            events_unpublished: summary.publishing.unpublished,
            notes: &summary.run.notes,
        })),
        Err(error) => {
            let outcome = history::Outcome::Failed;
            DestinationRun::NotRun(Box::new(NoRun { destination, outcome, error }))
        }
    }
}

fn runs(outcomes: &[Outcome]) -> impl Iterator<Item = &RunRecord> {
    outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()).map(|summary| &summary.run)
}
