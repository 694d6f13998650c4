//! What runs did at their destinations.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    agent::Summary,
    cli::Report,
    history::{self, DatasetTally, RunRecord},
    model::DestinationName,
};

use super::words::{Bytes, Clean, attribute_counts, counts, line, spoken};

/// One destination and what came of the run there.
pub type Outcome = (DestinationName, Result<Summary, Report>);

/// `misp-trickle/sync/2`. `run` and `run_id` name the newest run, and `outcome` is the worst of all; they stand at
/// each destination too. Where MISP could not be asked who it is, there is only an `error`.
#[must_use]
pub fn json(outcomes: &[Outcome]) -> Value {
    let runs: Vec<&RunRecord> = runs(outcomes).collect();
    let destinations: Vec<Value> =
        outcomes.iter().map(|(name, outcome)| one_json(name, outcome)).collect();
    let failed = runs.len() < outcomes.len();
    let worst = runs.iter().map(|run| run.outcome).max_by_key(|outcome| severity(*outcome));
    let outcome = match worst {
        Some(outcome) if !failed => outcome.name(),
        _ => "failed",
    };
    json!({
        "schema": "misp-trickle/sync/2",
        "run": runs.last().map(|run| run.number),
        "run_id": runs.last().map(|run| run.id),
        "outcome": outcome,
        "destinations": destinations,
        "dataset": runs.first().map(|run| &run.dataset),
    })
}

const fn severity(outcome: history::Outcome) -> u8 {
    match outcome {
        history::Outcome::Done => 0,
        history::Outcome::Partial => 1,
        history::Outcome::Interrupted => 2,
        history::Outcome::Unfinished | history::Outcome::Failed => 3,
    }
}

fn one_json(name: &DestinationName, outcome: &Result<Summary, Report>) -> Value {
    let Summary { run, ending, publishing } = match outcome {
        Ok(summary) => summary,
        Err(error) => {
            return json!({ "destination": name, "outcome": "failed", "error": error });
        }
    };
    json!({
        "destination": name,
        "run": run.number,
        "run_id": run.id,
        "outcome": run.outcome,
        "error": Report::of_ending(ending),
        "requests": run.tally.requests,
        "bytes_sent": run.tally.bytes_sent,
        "bytes_received": run.tally.bytes_received,
        "events": run.tally.events,
        "events_publishing": publishing.asked,
        "events_unpublished": publishing.unpublished,
        "attributes": run.tally.attributes,
        "notes": run.notes,
    })
}

/// The same in words, one block for each destination that a run reached.
#[must_use]
pub fn text(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for summary in outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()) {
        if !out.is_empty() {
            line!(out);
        }
        one_text(&mut out, summary);
    }
    out
}

fn one_text(out: &mut String, Summary { run, publishing, .. }: &Summary) {
    let tally = &run.tally;
    let (number, id, outcome) = (run.number, run.id.short(), run.outcome.name());
    line!(out, "run {number} {id}, {} -> {}: {outcome}", run.feed, run.destination);
    let waiting = [("publishing", publishing.asked), ("unpublished", publishing.unpublished)];
    let events: Vec<_> = tally.events.named().into_iter().chain(waiting).collect();
    line!(out, "  events:      {}", counts(&events));
    line!(out, "  attributes:  {}", counts(&attribute_counts(&tally.attributes)));
    dataset(out, &run.dataset);
    let (sent, received) = (Bytes(tally.bytes_sent), Bytes(tally.bytes_received));
    match tally.requests {
        0 => line!(out, "  wire:        not one request"),
        1 => line!(out, "  wire:        1 request, {sent} sent, {received} received"),
        many => line!(out, "  wire:        {many} requests, {sent} sent, {received} received"),
    }
}

/// What of a dataset reaches no MISP, by reason.
pub(super) fn dataset(out: &mut String, dataset: &DatasetTally) {
    let lost = &dataset.mapping.lost;
    if !lost.is_empty() {
        let each = lost.iter().map(|(reason, count)| format!("{count} {}", Clean(&spoken(reason))));
        line!(out, "  not mapped:  {}", each.collect::<Vec<_>>().join(", "));
    }
    if dataset.skipped > 0 {
        line!(out, "  skipped:     {} damaged objects", dataset.skipped);
    }
}

fn runs(outcomes: &[Outcome]) -> impl Iterator<Item = &RunRecord> {
    outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()).map(|summary| &summary.run)
}
