//! Runs in a list, one run, the difference of two, and what went wrong.

use maud::{Markup, html};

use crate::{
    history::{
        Outcome, RunRecord,
        query::{Difference, EventChanges, RunsFilter, RunsPage, ShownPart},
    },
    model::{DestinationName, FeedName},
};

use super::{
    frame::{Place, Site, within},
    link::Query,
    parts::{
        changes::{Lead, changes},
        runs::{gained, record, tone},
        text::{Tone, ago, badge, counted, visible},
    },
};

/// So many lines of a difference are shown.
pub const DIFF_LINES: usize = 1_000;

/// What was asked of the list of runs.
#[derive(Debug, Clone, Default)]
pub struct RunsAsked {
    /// Which runs.
    pub filter: RunsFilter,
    /// The feeds that can be chosen.
    pub feeds: Vec<FeedName>,
    /// The destinations that can be chosen.
    pub destinations: Vec<DestinationName>,
}

/// A page of runs.
#[must_use]
pub fn runs_page(site: &Site, page: &RunsPage, asked: &RunsAsked) -> String {
    let main = html! {
        (filters(asked))
        (table(site, &page.runs))
        @if let Some(before) = page.next {
            p { a rel="next" href=(query(&asked.filter).with("before", &before.to_string()).on("/runs")) { "Older runs" } }
        }
    };
    within(site, "Runs", Place::Runs, &main)
}

/// Runs that went wrong, or in part.
#[must_use]
pub fn faults_page(site: &Site, page: &RunsPage) -> String {
    let main = html! {
        @if page.runs.is_empty() { p { (badge(Tone::Good, "none")) " of the runs that were looked at went wrong." } }
        @for run in &page.runs {
            section {
                h2 { a href={ "/runs/" (run.number) } { "Run " (run.number) } " " (badge(tone(run.outcome), run.outcome.name())) }
                p { (visible(run.feed.as_str())) " → " (visible(run.destination.as_str())) ", " (ago(run.begun, site.now)) }
                (record(run))
            }
        }
        @if let Some(before) = page.next {
            p { a rel="next" href=(Query::default().with("before", &before.to_string()).on("/faults")) { "Older faults" } }
        }
    };
    within(site, "Faults", Place::Faults, &main)
}

fn query(filter: &RunsFilter) -> Query {
    let mut query = Query::default();
    if let Some(feed) = &filter.runs.feed {
        query = query.with("feed", feed.as_str());
    }
    if let Some(name) = &filter.runs.destination {
        query = query.with("destination", name.as_str());
    }
    if let Some(outcome) = filter.outcome {
        query = query.with("outcome", outcome.name());
    }
    if filter.did_something {
        query = query.with("did", "something");
    }
    query
}

fn filters(RunsAsked { filter, feeds, destinations }: &RunsAsked) -> Markup {
    html! {
        form.filters method="get" action="/runs" {
            label { "Feed " select name="feed" {
                option value="" { "any" }
                @for name in feeds { option value=(name.as_str()) selected[filter.runs.feed.as_ref() == Some(name)] { (name.as_str()) } }
            } }
            label { "Destination " select name="destination" {
                option value="" { "any" }
                @for name in destinations { option value=(name.as_str()) selected[filter.runs.destination.as_ref() == Some(name)] { (name.as_str()) } }
            } }
            label { "Outcome " select name="outcome" {
                option value="" { "any" }
                @for outcome in Outcome::ALL { option value=(outcome.name()) selected[filter.outcome == Some(outcome)] { (outcome.name()) } }
            } }
            label { input type="checkbox" name="did" value="something" checked[filter.did_something]; " did something" }
            button type="submit" { "Show" }
        }
    }
}

fn table(site: &Site, runs: &[RunRecord]) -> Markup {
    html! {
        @if runs.is_empty() { p.muted { "There is no such run." } }
        @else {
            table.stack {
                thead { tr { th scope="col" { "Run" } th scope="col" { "Outcome" } th scope="col" { "Route" } th scope="col" { "Did" } th scope="col" { "When" } } }
                tbody { @for run in runs { tr {
                    th scope="row" { a href={ "/runs/" (run.number) } { "Run " (run.number) } }
                    td data-label="Outcome" { (badge(tone(run.outcome), run.outcome.name())) }
                    td data-label="Route" { (visible(run.feed.as_str())) " → " (visible(run.destination.as_str())) }
                    td data-label="Did" { (gained(run)) @if let Some(more) = run.repeated { ", " (counted(more.times, "time", "times")) " more" } }
                    td data-label="When" { (ago(run.begun, site.now)) }
                } } }
            }
        }
    }
}

/// One run with a part of what it changed.
#[must_use]
pub fn run_page(site: &Site, part: &ShownPart) -> String {
    let run = &part.shown.run;
    let main = html! {
        p {
            (badge(tone(run.outcome), run.outcome.name())) " "
            (visible(run.feed.as_str())) " → " (visible(run.destination.as_str())) ", " (ago(run.begun, site.now))
        }
        (record(run))
        p { a href=(Query::default().with("to", &run.number.to_string()).on("/diff")) { "Difference to the run before" } }
        h2 {
            @if part.is_later || part.next.is_some() { "Changes, a part of them" }
            @else { "Changes in " (counted(part.shown.events.len() as u64, "event", "events")) }
        }
        (changes(&part.shown.events, usize::MAX, "", Lead::ToPages))
        @if let Some(from) = part.next {
            p { a rel="next" href={ "/runs/" (run.number) "?from=" (from) } { "More changes" } }
        }
    };
    within(site, &format!("Run {}", run.number), Place::Runs, &main)
}

/// What several runs changed together.
#[must_use]
pub fn diff_page(site: &Site, difference: &Difference) -> String {
    let Difference { destination, from, to, runs, events } = difference;
    let all: usize = events.iter().map(EventChanges::count).sum();
    let main = html! {
        form.filters method="get" action="/diff" {
            label { "After run " input name="from" value=(from) size="6" inputmode="numeric"; }
            label { "up to run " input name="to" value=(to) size="6" inputmode="numeric"; }
            button type="submit" { "Compare" }
        }
        p {
            "At " (visible(destination.as_str())) ", in " (counted(*runs, "run", "runs")) ": "
            strong { (counted(all as u64, "change", "changes")) }
        }
        h2 { "Changes in " (counted(events.len() as u64, "event", "events")) }
        (changes(events, DIFF_LINES, &format!("misp-trickle diff {from} {to}"), Lead::ToPages))
    };
    within(site, &format!("From {from} to {to}"), Place::Runs, &main)
}
