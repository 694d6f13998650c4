//! What runs did at their destinations.

use std::fmt::Write;

use crate::{
    agent::Summary,
    cli::Report,
    history::{DatasetTally, RunRecord},
    model::DestinationName,
};

use super::{
    marks::{faint, head, outcome},
    words::{Bytes, Clean, attribute_counts, counts, line, spoken, states},
};

/// One destination and what came of the run there.
pub type Outcome = (DestinationName, Result<Summary, Report>);

/// What runs did in words, one block for each destination that a run reached.
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

/// A run in one line, for a log.
#[must_use]
pub fn in_a_line(run: &RunRecord) -> String {
    let (tally, outcome) = (&run.tally, run.outcome.name());
    let attributes = counts(&attribute_counts(&tally.attributes));
    let (sent, received) = (Bytes(tally.bytes_sent), Bytes(tally.bytes_received));
    let requests = tally.requests;
    format!("{outcome}: {attributes}; {requests} requests, {sent} sent, {received} received")
}

fn one_text(out: &mut String, Summary { run, publishing, .. }: &Summary) {
    let tally = &run.tally;
    let (run_is, id) = (head(format!("run {}", run.number)), faint(run.id.short()));
    let (feed, destination, outcome) = (&run.feed, &run.destination, outcome(run.outcome));
    line!(out, "{run_is} {id}, {feed} -> {destination}: {outcome}");
    let waiting = [("publishing", publishing.asked), ("unpublished", publishing.unpublished)];
    let events: Vec<_> = tally.events.named().into_iter().chain(waiting).collect();
    line!(out, "  events:      {}", states(&events));
    line!(out, "  attributes:  {}", states(&attribute_counts(&tally.attributes)));
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
