//! Runs: what each did, and what it changed.

use maud::{Markup, html};

use crate::{
    history::{Outcome, Pull, RunRecord, query::Shown},
    model::{Bytes, Count, Timestamp},
    plan::AttributeTally,
};

use super::{
    changes::{Lead, changes},
    text::{Tone, ago, badge, counted, prose, time, visible},
};

/// So many lines of changes are shown of one run.
const LINES_MAX: usize = 200;

/// A run in a list; what it changed, where it changed something.
#[derive(Debug, Clone)]
pub struct RunView {
    /// Its record.
    pub run: RunRecord,
    /// What it changed.
    pub shown: Option<Shown>,
}

/// The newest runs of so many; those that did nothing stand together.
pub(in crate::page) fn runs(views: &[RunView], of: u64, now: Timestamp) -> Markup {
    html! {
        section aria-labelledby="runs" {
            h2 #runs { "Runs" }
            @if views.is_empty() { p.muted { "There is no run yet." } }
            @else {
                p.muted { "The newest " (Count(views.len() as u64).to_string()) " of " (Count(of).to_string()) ", newest first." }
                @for group in views.chunk_by(|one, next| is_quiet(&one.run) && is_quiet(&next.run)) {
                    @if is_quiet(&group[0].run) { (quiet(group)) }
                    @else { @for view in group { (one(view, now)) } }
                }
            }
        }
    }
}

fn is_quiet(run: &RunRecord) -> bool {
    let exposed = run.tally.attributes.exposed;
    run.outcome == Outcome::Done && run.changed_nothing() && exposed == 0 && run.notes.is_empty()
}

/// Runs that did nothing, newest first.
fn quiet(group: &[RunView]) -> Markup {
    let attempts = group.iter().map(|view| view.run.attempts()).sum();
    html! {
        @if let (Some(newest), Some(oldest)) = (group.first(), group.last()) {
            p.run.muted {
                span.run-name {
                    "Run " (oldest.run.number)
                    @if group.len() > 1 { " to " (newest.run.number) }
                }
                " " (counted(attempts, "attempt", "attempts")) " that changed nothing, "
                (time(oldest.run.begun))
                @if attempts > 1 { " to " (time(newest.run.last())) }
            }
        }
    }
}

fn one(view: &RunView, now: Timestamp) -> Markup {
    let run = &view.run;
    html! {
        details.run {
            summary {
                span.run-name { "Run " (run.number) } " "
                (badge(tone(run.outcome), run.outcome.name())) " "
                (visible(run.feed.as_str())) " → " (visible(run.destination.as_str())) " "
                span.muted { (ago(run.begun, now)) } br;
                (gained(run))
            }
            (record(run))
            @if let Some(shown) = &view.shown {
                (changes(&shown.events, LINES_MAX, &format!("misp-trickle show {}", run.number), Lead::Nowhere))
            }
        }
    }
}

pub(in crate::page) const fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Done => Tone::Good,
        Outcome::Partial | Outcome::Interrupted | Outcome::Unfinished => Tone::Warning,
        Outcome::Failed => Tone::Bad,
    }
}

/// What it did, in one line.
pub(in crate::page) fn gained(run: &RunRecord) -> Markup {
    let AttributeTally { sent, adopted, superseded, retired, exposed, .. } = run.tally.attributes;
    let mut words = Vec::new();
    for (count, one, more) in [
        (run.tally.events.created, "event created", "events created"),
        (run.tally.events.updated, "event updated", "events updated"),
        (sent, "attribute sent", "attributes sent"),
        (adopted, "adopted", "adopted"),
        (superseded, "superseded", "superseded"),
        (retired, "retired", "retired"),
        (exposed, "exposed", "exposed"),
    ] {
        words.extend((count > 0).then(|| counted(count, one, more)));
    }
    let travelled = run.tally.bytes_sent + run.tally.bytes_received;
    html! {
        span {
            @if words.is_empty() { "changed nothing" } @else { (words.join(", ")) }
            ", " (Bytes(travelled).to_string())
        }
    }
}

/// All of its record.
pub(in crate::page) fn record(run: &RunRecord) -> Markup {
    let tally = &run.tally;
    let ended = run.ended.map(|ended| run.begun.until(ended).as_secs());
    html! {
        dl {
            dt { "Id" } dd { code { (run.id.short()) } }
            dt { "Source" } dd { (prose(&run.source)) }
            dt { "Begun" } dd { (time(run.begun)) @match ended { Some(seconds) => { ", took " (seconds) " s" } None => { ", no end recorded" } } }
            @if let Some(repeated) = run.repeated {
                dt { "Repeated" } dd { (counted(repeated.times, "time", "times")) " in the same way, last at " (time(repeated.last)) }
            }
            @if let Some(last) = &run.pull { dt { "Pull" } dd { (pull(last)) } }
            dt { "Events" } dd { (named(&tally.events.named())) }
            dt { "Attributes" } dd { (named(&tally.attributes.named())) }
            dt { "Wire" } dd {
                (counted(tally.requests, "request", "requests")) ", " (Bytes(tally.bytes_sent).to_string()) " up, "
                (Bytes(tally.bytes_received).to_string()) " down"
            }
            @if !run.notes.is_empty() {
                dt { "Notes" } dd { ul.plain { @for note in &run.notes { li { (prose(note)) } } } }
            }
        }
    }
}

fn named(counts: &[(&'static str, u64)]) -> Markup {
    let some: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| format!("{} {word}", Count(*count)))
        .collect();
    html! { @if some.is_empty() { "none" } @else { (some.join(", ")) } }
}

fn pull(Pull { begun, outcome, error, requests, bytes_received, objects, notes }: &Pull) -> Markup {
    html! {
        (outcome.name()) ", " (time(*begun)) ", " (counted(*requests, "request", "requests")) ", "
        (Bytes(*bytes_received).to_string()) ", " (counted(*objects, "object", "objects"))
        @if let Some(error) = error { ": " (prose(error)) }
        @if !notes.is_empty() { ul.plain { @for note in notes { li { (prose(note)) } } } }
    }
}
