//! Answers as text, in the manner of git's `log` and `show`.
//!
//! Titles, values and MISP's words were written by others: control characters in them are shown, never
//! sent to the terminal.

use std::fmt::Write;

use crate::{
    cli::render::json::{FeedStatus, Held, RouteStatus},
    history::{
        Pull, Repeated, RunRecord,
        query::{AttributeChange, Difference, EventChanges, Phrase, PullsAlike, Shown, Status},
    },
};

use super::{
    Detail,
    words::{Bytes, Clean, Span, attribute_counts, counts, line, sign},
};

/// The runs, one block each.
#[must_use]
pub fn log(runs: &[RunRecord]) -> String {
    let mut out = String::new();
    for (place, run) in runs.iter().enumerate() {
        if place > 0 {
            line!(out);
        }
        block(&mut out, run);
    }
    out
}

/// The runs, one line each.
#[must_use]
pub fn oneline(runs: &[RunRecord]) -> String {
    let mut out = String::new();
    for run in runs {
        let (id, number, begun) = (run.id.short(), run.number, run.begun);
        let outcome = run.outcome.name();
        let what = counts(&attribute_counts(&run.tally.attributes));
        let again =
            run.repeated.as_ref().map_or_else(String::new, |it| format!(" ({})", again(it)));
        let (feed, destination) = (&run.feed, &run.destination);
        line!(out, "{id} {number} {begun} {feed} -> {destination} {outcome}: {what}{again}");
    }
    out
}

/// The pulls, newest first.
#[must_use]
pub fn pulls(pulls: &[PullsAlike]) -> String {
    let mut out = String::new();
    for PullsAlike { feed, last, times, first, runs } in pulls {
        line!(out, "{feed} {} {}", last.begun, pull(last));
        if *times > 1 {
            let least = if runs.len() > 1 { "at least " } else { "" };
            line!(out, "    {least}{times} alike since {first}");
        }
        let runs: Vec<String> = runs.iter().map(ToString::to_string).collect();
        line!(out, "    runs: {}", runs.join(", "));
        last.notes.iter().for_each(|note| line!(out, "    {}", Clean(note)));
    }
    out
}

/// What came of a pull, and what it took.
fn pull(Pull { outcome, error, requests, bytes_received, objects, .. }: &Pull) -> String {
    let why = error.as_ref().map_or_else(String::new, |error| format!(" ({})", Clean(error)));
    let (outcome, bytes) = (outcome.name(), Bytes(*bytes_received));
    format!("{outcome}{why}; {requests} requests, {bytes} received, {objects} objects")
}

/// Attempts without a record of their own.
fn again(Repeated { times, last }: &Repeated) -> String {
    let times = if *times == 1 { "once".to_owned() } else { format!("{times} times") };
    format!("{times} more in the same way, last at {last}")
}

/// A run and what it changed.
#[must_use]
pub fn show(shown: &Shown, detail: Detail) -> String {
    let mut out = String::new();
    block(&mut out, &shown.run);
    events(&mut out, &shown.events, detail);
    out
}

/// The net changes of several runs.
#[must_use]
pub fn diff(difference: &Difference, detail: Detail) -> String {
    let mut out = String::new();
    let Difference { destination, from, to, runs, .. } = difference;
    let plural = if *runs == 1 { "" } else { "s" };
    let from = if from.0 == 0 { "the beginning".to_owned() } else { format!("run {from}") };
    line!(out, "{destination}: from {from} to run {to}, {runs} run{plural}");
    if difference.events.is_empty() {
        line!(out, "nothing changed");
    }
    events(&mut out, &difference.events, detail);
    out
}

/// How things stand, what needs a person first.
#[must_use]
pub fn status(found: &[Status], routes: &[RouteStatus], feeds: &[FeedStatus]) -> String {
    let mut out = String::new();
    for status in found {
        if !out.is_empty() {
            line!(out);
        }
        one_status(&mut out, status);
    }
    if !routes.is_empty() {
        line!(out);
        routes.iter().for_each(|route| one_route(&mut out, route));
        feeds.iter().for_each(|feed| one_feed(&mut out, feed));
    }
    out
}

fn one_route(out: &mut String, route: &RouteStatus) {
    let success = match (route.last_success, route.age_seconds) {
        (Some(at), Some(seconds)) => {
            format!("last success {at}, {} ago", Span(seconds))
        }
        _ => "no success yet".to_owned(),
    };
    let failures = match route.failures {
        0 => String::new(),
        1 => "; the last attempt failed".to_owned(),
        many => format!("; {many} attempts in a row failed"),
    };
    let gone = if route.is_configured { "" } else { "; not in the configuration" };
    let (feed, destination) = (&route.feed, &route.destination);
    let held = match route.held {
        None => String::new(),
        Some(Held::Paused) => "; paused".to_owned(),
        Some(Held::FirstRun) => format!(
            "; its first run waits; next: `misp-trickle resume --feed {feed} --destination {destination}`"
        ),
    };
    line!(out, "{feed} -> {destination}: {success}{failures}{gone}{held}");
}

fn one_feed(out: &mut String, status: &FeedStatus) {
    let FeedStatus { feed, last_pull, pull_age_seconds, last_good_pull, good_pull_age_seconds } =
        status;
    let (Some(last), Some(seconds)) = (last_pull, pull_age_seconds) else {
        line!(out, "{feed}: not pulled yet");
        return;
    };
    line!(out, "{feed}: last pull {}, {} ago: {}", last.begun, Span(*seconds), pull(last));
    match (last_good_pull, good_pull_age_seconds) {
        (Some(good), _) if *good == last.begun => {}
        (Some(good), Some(seconds)) => {
            line!(out, "  last good pull {good}, {} ago", Span(*seconds));
        }
        _ => line!(out, "  no good pull yet"),
    }
    last.notes.iter().for_each(|note| line!(out, "    {}", Clean(note)));
}

fn block(out: &mut String, run: &RunRecord) {
    line!(out, "run {} {}", run.number, run.id.short());
    line!(out, "Feed:     {} -> {}", run.feed, run.destination);
    line!(out, "Source:   {}", Clean(&run.source));
    match run.ended {
        Some(ended) => {
            let seconds = ended.seconds().saturating_sub(run.begun.seconds());
            line!(out, "Begun:    {} ({seconds} s)", run.begun);
        }
        None => line!(out, "Begun:    {} (no end recorded)", run.begun),
    }
    if let Some(repeated) = &run.repeated {
        line!(out, "Repeated: {}", again(repeated));
    }
    if let Some(last) = &run.pull {
        line!(out, "Pull:     {} {}", last.begun, pull(last));
        last.notes.iter().for_each(|note| line!(out, "          {}", Clean(note)));
    }
    line!(out, "Outcome:  {}", run.outcome.name());
    line!(out);
    let tally = &run.tally;
    line!(out, "    events:      {}", counts(&tally.events.named()));
    line!(out, "    attributes:  {}", counts(&attribute_counts(&run.tally.attributes)));
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
    for note in &run.notes {
        line!(out, "    {}", Clean(note));
    }
}

fn events(out: &mut String, events: &[EventChanges], detail: Detail) {
    for event in events {
        line!(out);
        line!(out, "event {} {}", event.event, Clean(event.title.as_deref().unwrap_or("")));
        for kind in &event.own {
            line!(out, "  {} {}", sign(kind.effect()), Clean(&Phrase::from(kind).to_string()));
        }
        match detail {
            Detail::Full => {
                for it in &event.attributes {
                    attribute_line(out, it);
                }
            }
            Detail::Counts => {
                let all: Vec<_> = event.counts().into_iter().collect();
                line!(out, "    {}", counts(&all));
            }
        }
    }
}

fn attribute_line(out: &mut String, it: &AttributeChange) {
    let phrase = Phrase::from(&it.kind);
    let what = match &it.content {
        Some((kind, value)) => format!("{kind}  {}", Clean(value.as_str())),
        None => it.uuid.to_string(),
    };
    let detail = match (&it.instead, &phrase.detail) {
        (Some(value), _) => format!("  by {}", Clean(value.as_str())),
        (None, Some(detail)) => format!("  ({})", Clean(detail)),
        (None, None) => String::new(),
    };
    line!(out, "  {} {:<10}  {what}{detail}", sign(it.kind.effect()), phrase.word);
}

fn one_status(out: &mut String, status: &Status) {
    let record = status.record.as_ref();
    let url = record.map_or("never reached", |record| record.url.as_str());
    let version = record.filter(|record| !record.version.is_empty());
    let version = version.map(|it| format!(", MISP {}", it.version)).unwrap_or_default();
    line!(out, "destination {}", status.destination);
    for it in &status.exposed {
        let content = it.attribute.as_ref().and_then(|(_, content)| content.as_ref());
        let what = content.map_or_else(
            || "the event".to_owned(),
            |(kind, value)| format!("{kind} {}", Clean(value.as_str())),
        );
        let title = Clean(&it.title);
        line!(out, "  ! exposed: {what}, in {} {title}: {}", it.event, Clean(&it.why.to_string()));
    }
    for it in &status.refused_tags {
        let (event, title) = &it.first;
        let more =
            if it.events > 1 { format!(" and {} more", it.events - 1) } else { String::new() };
        let (tag, title, why) = (Clean(&it.tag), Clean(title), Clean(&it.why));
        line!(out, "  ! tag refused: {tag}, on {event} {title}{more}: {why}");
    }
    for it in &status.unpublished {
        let (event, title) = &it.first;
        let more =
            if it.events > 1 { format!(" and {} more", it.events - 1) } else { String::new() };
        line!(out, "  ! unpublished: {event} {}{more}: {}", Clean(title), Clean(&it.why));
    }
    for (feed, why) in &status.removals_wait {
        line!(out, "  ! removals wait, feed {}: {}", Clean(feed.as_str()), Clean(why));
    }
    line!(out, "MISP:       {}{}", Clean(url), Clean(&version));
    match &status.last_run {
        Some(run) => {
            let (number, outcome) = (run.number, run.outcome.name());
            line!(out, "Last run:   {number} {}, {}, {outcome}", run.id.short(), run.last());
        }
        None => line!(out, "Last run:   none"),
    }
    let words = |map: &std::collections::BTreeMap<&'static str, u64>| {
        counts(&map.iter().map(|(word, count)| (*word, *count)).collect::<Vec<_>>())
    };
    line!(out, "Events:     {}; {} unsettled", words(&status.events), status.unsettled);
    if status.publishing > 0 {
        line!(
            out,
            "Publishing: {} events; MISP took the request, and shows it later",
            status.publishing
        );
    }
    line!(out, "Attributes: {}", words(&status.attributes));
    let (retired, superseded) = (status.retired, status.superseded);
    line!(
        out,
        "Of these:   {retired} retired, {superseded} superseded; {} drifted",
        status.drifted
    );
}
