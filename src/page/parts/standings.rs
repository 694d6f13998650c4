//! Where the values stand: counts that add up.

use maud::{Markup, html};

use crate::{
    history::{RunRecord, query::Overview},
    model::{Count, spoken},
    plan::MappingTally,
};

use super::{
    chart::share,
    text::{Tone, badge, counted, prose, visible},
};

/// In MISP first, then what waits, then what does not go.
const ORDER: [&str; 8] =
    ["sent", "adopted", "pending", "held", "withheld", "rejected", "blocked", "declined"];

/// Each destination with what it was ever to have, and what the dataset held that was delivered last.
pub(in crate::page) fn standings(overviews: &[Overview]) -> Markup {
    html! {
        section aria-labelledby="standings" {
            h2 #standings { "Where the values stand" }
            @for overview in overviews {
                h3 { (visible(overview.status.destination.as_str())) (version(overview)) }
                (attributes(overview))
                (beside(overview))
                @for run in &overview.datasets { (dataset(run)) }
            }
        }
    }
}

fn version(overview: &Overview) -> Markup {
    let record = overview.status.record.as_ref().filter(|record| !record.version.is_empty());
    html! { @if let Some(record) = record { span.muted { ", MISP " (visible(&record.version)) } } }
}

fn attributes(overview: &Overview) -> Markup {
    let counts = &overview.status.attributes;
    let all: u64 = counts.values().sum();
    let events: u64 = overview.status.events.values().sum();
    html! {
        table {
            caption { (counted(all, "attribute", "attributes")) " in " (counted(events, "event", "events")) }
            thead { tr { th scope="col" { "State" } th.number scope="col" { "Attributes" } th.wide scope="col" { "Share" } } }
            tbody {
                @for word in ORDER { @if let Some(count) = counts.get(word) {
                    tr {
                        th scope="row" { (badge(tone(word), word)) (reasons(overview, word)) }
                        td.number { (Count(*count).to_string()) }
                        td.wide { (share(*count, all, class(word))) }
                    }
                } }
            }
            tfoot { tr { th scope="row" { "in all" } td.number { (Count(all).to_string()) } td.wide {} } }
        }
    }
}

/// How a standing is.
pub(in crate::page) fn tone(word: &str) -> Tone {
    match word {
        "sent" | "adopted" => Tone::Good,
        "rejected" | "blocked" => Tone::Bad,
        "pending" | "held" => Tone::Warning,
        _ => Tone::Quiet,
    }
}

/// How the presence of an event is.
pub(in crate::page) fn tone_of_event(word: &str) -> Tone {
    match word {
        "present" => Tone::Good,
        "blocked" => Tone::Bad,
        _ => Tone::Quiet,
    }
}

fn class(word: &str) -> &'static str {
    match tone(word) {
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Warning => "warning",
        Tone::Quiet => "quiet",
    }
}

fn reasons(overview: &Overview, word: &str) -> Markup {
    let why = overview.reasons.iter().filter(|((of, _), _)| *of == word);
    let why: Vec<_> = why.map(|((_, why), count)| (why, *count)).collect();
    html! {
        @if !why.is_empty() {
            ul.plain.muted { @for (why, count) in why { li { (Count(count).to_string()) ": " (prose(why)) } } }
        }
    }
}

/// What is in MISP and is not quite as the dataset has it.
fn beside(overview: &Overview) -> Markup {
    let status = &overview.status;
    html! {
        p.muted {
            "Of those in MISP " (Count(status.retired).to_string()) " left the dataset and "
            (Count(status.superseded).to_string()) " gave their place to another value. Of "
            (Count(status.drifted).to_string()) " the dataset says something else than MISP holds. "
            (counted(status.unsettled, "event", "events")) " not settled."
        }
    }
}

/// What the dataset of a run came to.
fn dataset(run: &RunRecord) -> Markup {
    let MappingTally { occurrences, mapped, merged, lost } = &run.dataset.mapping;
    html! {
        table {
            caption {
                "Dataset of run " (run.number) ", feed " (visible(run.feed.as_str())) ": "
                (counted(run.dataset.incidents, "incident", "incidents")) ", "
                (counted(run.dataset.entities, "entity", "entities"))
            }
            thead { tr { th scope="col" { "Observables" } th.number scope="col" { "Occurrences" } th.wide scope="col" { "Share" } } }
            tbody {
                (line("gave an attribute", *mapped, *occurrences, "good"))
                (line("gave one that another gave already", *merged, *occurrences, "good"))
                @for (reason, count) in lost { (line(&format!("lost: {}", spoken(reason)), *count, *occurrences, "quiet")) }
            }
            tfoot { tr { th scope="row" { "in all" } td.number { (Count(*occurrences).to_string()) } td.wide {} } }
        }
    }
}

fn line(what: &str, part: u64, whole: u64, class: &str) -> Markup {
    html! {
        tr {
            th scope="row" { (what) }
            td.number { (Count(part).to_string()) }
            td.wide { (share(part, whole, class)) }
        }
    }
}
