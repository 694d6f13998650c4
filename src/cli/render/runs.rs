//! Runs and pulls, in the manner of git's `log`.
//!
//! Titles, values and MISP's words were written by others: control characters in them are shown, never
//! sent to the terminal.

use std::{collections::BTreeSet, fmt::Write};

use crate::history::{
    Pull, Repeated, RunRecord,
    query::{PullsAlike, everything},
};

use super::{
    Detail,
    marks::{Ago, At, Tone, Toned, faint, head, outcome},
    notes,
    words::{Bytes, Clean, attribute_counts, line, more, states},
};

/// Runs that are told together.
enum Part<'r> {
    /// One, in all that it did.
    Run(&'r RunRecord),
    /// Several in a row that changed nothing and have nothing to say, newest first.
    Quiet(&'r [RunRecord]),
}

/// All runs, each by itself unless it is to be brief.
fn parts(runs: &[RunRecord], detail: Detail) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for alike in runs.chunk_by(|a, b| a.is_quiet() && b.is_quiet()) {
        match alike {
            [_, _, ..] if detail == Detail::Brief => parts.push(Part::Quiet(alike)),
            alike => parts.extend(alike.iter().map(Part::Run)),
        }
    }
    parts
}

/// How many runs there are in these parts.
fn runs_in(parts: &[Part<'_>]) -> usize {
    let runs = parts.iter().map(|part| match part {
        Part::Run(_) => 1,
        Part::Quiet(runs) => runs.len(),
    });
    runs.sum()
}

/// The runs, one block each; `whole` shows what is left out here.
#[must_use]
pub fn log(runs: &[RunRecord], detail: Detail, whole: &str) -> String {
    let mut out = String::new();
    let parts = parts(runs, detail);
    let (shown, _) = detail.cut(&parts);
    for (place, part) in shown.iter().enumerate() {
        if place > 0 {
            line!(out);
        }
        match part {
            Part::Run(run) => block(&mut out, run, detail),
            Part::Quiet(runs) => {
                let (first, last, what) = quiet(runs);
                line!(out, "{}", head(format_args!("{first} to {last}")));
                line!(out, "{what}: `{}`", Clean(whole));
            }
        }
    }
    if shown.len() < parts.len() {
        line!(out);
        more(&mut out, runs_in(&parts[shown.len()..]), "runs", whole);
    }
    out
}

/// The first and the last of quiet runs, and what there is to say of all of them.
fn quiet(runs: &[RunRecord]) -> (String, u64, String) {
    let (newest, oldest) = (&runs[0], &runs[runs.len() - 1]);
    let routes: BTreeSet<String> =
        runs.iter().map(|run| format!("{} -> {}", run.feed, run.destination)).collect();
    let routes: Vec<String> = routes.into_iter().collect();
    let (since, until, count) = (At(oldest.begun), At(newest.last()), runs.len());
    let what = format!(
        "{count} runs changed nothing, {}, {since} to {until}, {}",
        routes.join(", "),
        Ago(newest.last())
    );
    (format!("runs {}", oldest.number), newest.number.0, what)
}

/// The runs, one line each; `whole` shows what is left out here.
#[must_use]
pub fn oneline(runs: &[RunRecord], detail: Detail, whole: &str) -> String {
    let mut out = String::new();
    let parts = parts(runs, detail);
    let (shown, _) = detail.cut(&parts);
    for part in shown {
        let run = match part {
            Part::Run(run) => run,
            Part::Quiet(runs) => {
                let (first, last, what) = quiet(runs);
                line!(out, "{first} to {last}: {what}: `{}`", Clean(whole));
                continue;
            }
        };
        let (id, number, begun) = (faint(run.id.short()), run.number, At(run.begun));
        let outcome = outcome(run.outcome);
        let what = states(&attribute_counts(&run.tally.attributes));
        let again =
            run.repeated.as_ref().map_or_else(String::new, |it| format!(" ({})", again(it)));
        let (feed, destination) = (&run.feed, &run.destination);
        line!(out, "{id} {number} {begun} {feed} -> {destination} {outcome}: {what}{again}");
    }
    more(&mut out, runs_in(&parts[shown.len()..]), "runs", whole);
    out
}

/// The pulls, newest first; `whole` shows what is left out here.
#[must_use]
pub fn pulls(pulls: &[PullsAlike], detail: Detail, whole: &str) -> String {
    let mut out = String::new();
    let (shown, hidden) = detail.cut(pulls);
    for PullsAlike { feed, last, times, first, runs } in shown {
        line!(out, "{feed} {} {}", At(last.begun), pull(last));
        if *times > 1 {
            let least = if runs.len() > 1 { "at least " } else { "" };
            line!(out, "    {least}{times} alike since {}", At(*first));
        }
        let runs: Vec<String> = runs.iter().map(ToString::to_string).collect();
        line!(out, "    runs: {}", runs.join(", "));
        notes::lines(&mut out, "    ", &last.notes, detail);
    }
    more(&mut out, hidden, "pulls", whole);
    out
}

/// What came of a pull, and what it took.
pub(super) fn pull(
    Pull { outcome, error, requests, bytes_received, objects, .. }: &Pull,
) -> String {
    let why = error.as_ref().map_or_else(String::new, |error| format!(" ({})", Clean(error)));
    let tone = error.as_ref().map(|_| Tone::Bad);
    let (outcome, bytes) = (Toned(tone, outcome.name()), Bytes(*bytes_received));
    format!("{outcome}{why}; {requests} requests, {bytes} received, {objects} objects")
}

/// Attempts without a record of their own.
fn again(Repeated { times, last }: &Repeated) -> String {
    let times = if *times == 1 { "once".to_owned() } else { format!("{times} times") };
    format!("{times} more in the same way, last at {}", At(*last))
}

/// All that a run's record tells.
pub(super) fn block(out: &mut String, run: &RunRecord, detail: Detail) {
    line!(out, "{} {}", head(format_args!("run {}", run.number)), faint(run.id.short()));
    line!(out, "Feed:     {} -> {}", run.feed, run.destination);
    line!(out, "Source:   {}", Clean(&run.source));
    match run.ended {
        Some(ended) => {
            let seconds = ended.seconds().saturating_sub(run.begun.seconds());
            line!(out, "Begun:    {} ({}, took {seconds} s)", At(run.begun), Ago(run.begun));
        }
        None => line!(out, "Begun:    {} ({}, no end recorded)", At(run.begun), Ago(run.begun)),
    }
    if let Some(repeated) = &run.repeated {
        line!(out, "Repeated: {}", again(repeated));
    }
    if let Some(last) = &run.pull {
        line!(out, "Pull:     {} {}", At(last.begun), pull(last));
        notes::lines(out, "          ", &last.notes, detail);
    }
    line!(out, "Outcome:  {}", outcome(run.outcome));
    line!(out);
    let tally = &run.tally;
    line!(out, "    events:      {}", states(&tally.events.named()));
    line!(out, "    attributes:  {}", states(&attribute_counts(&run.tally.attributes)));
    let mapping = &run.dataset.mapping;
    line!(
        out,
        "    dataset:     {} incidents, {} entities; {} occurrences = {} mapped + {} merged + {} lost",
        run.dataset.incidents,
        run.dataset.entities,
        mapping.occurrences,
        mapping.mapped,
        mapping.merged,
        mapping.lost_total()
    );
    let (sent, received) = (Bytes(tally.bytes_sent), Bytes(tally.bytes_received));
    line!(out, "    wire:        {} requests, {sent} sent, {received} received", tally.requests);
    if let Some(everything) = everything(run) {
        line!(out, "    everything:  about {}, had all of it been sent", Bytes(everything));
    }
    notes::lines(out, "    ", &run.notes, detail);
}
