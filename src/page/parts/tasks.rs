//! What is to be done by hand, the most urgent first.

use maud::{Markup, html};

use crate::{
    history::{
        Clearance,
        query::{Example, Overview, Remedy, Task, TaskKind},
    },
    model::Count,
    plan::DestinationRecord,
};

use crate::page::link::misp_event;

use super::text::{Tone, badge, heading, hidden, prose, value, visible};

/// All destinations, each with what waits there.
pub(in crate::page) fn tasks(overviews: &[Overview], clearance: Clearance) -> Markup {
    let is_nothing = overviews.iter().all(|overview| overview.tasks.is_empty());
    html! {
        section aria-labelledby="tasks" {
            h2 #tasks { "To be done by hand" }
            @if is_nothing { p { (badge(Tone::Good, "nothing")) } }
            @for overview in overviews.iter().filter(|overview| !overview.tasks.is_empty()) {
                h3 { (visible(overview.status.destination.as_str())) }
                ul.tasks { @for it in &overview.tasks { li { (task(it, overview, clearance)) } } }
            }
        }
    }
}

fn task(it: &Task, overview: &Overview, clearance: Clearance) -> Markup {
    let tone = if it.kind == TaskKind::Held { Tone::Warning } else { Tone::Bad };
    html! {
        div.line {
            (badge(tone, it.kind.word())) " "
            @match &it.why {
                Some(why) => { strong { (Count(it.count).to_string()) } " " (prose(why)) }
                None => { (hidden(it.count, clearance.limit())) }
            }
            @if let Some(remedy) = it.remedy.as_ref().filter(|remedy| **remedy != Remedy::Nothing) { " " span.muted { "Would change it: " (prose(&remedy.to_string())) } }
        }
        @if !it.examples.is_empty() { (table(&it.examples, overview.status.record.as_ref())) }
        @if it.count > it.examples.len() as u64 && !it.examples.is_empty() {
            p.muted { "and " (Count(it.count - it.examples.len() as u64).to_string()) " more" }
        }
    }
}

fn table(examples: &[Example], record: Option<&DestinationRecord>) -> Markup {
    let has_values = examples.iter().any(|example| example.attribute.is_some());
    html! {
        table.stack.examples {
            thead { tr {
                @if has_values { th scope="col" { "Type" } th scope="col" { "Value" } }
                th scope="col" { "Event in MISP" }
            } }
            tbody { @for example in examples { tr {
                @match &example.attribute {
                    Some((kind, exact)) => {
                        td data-label="Type" { (kind.name()) }
                        td data-label="Value" { (value(*kind, exact.as_str())) }
                    }
                    None if has_values => { td colspan="2" data-label="Value" { "the event itself" } }
                    None => {}
                }
                td data-label="Event" { (event(example, record)) }
            } } }
        }
    }
}

fn event(example: &Example, record: Option<&DestinationRecord>) -> Markup {
    html! {
        @match record.and_then(|record| misp_event(record, example.event, example.misp_id)) {
            Some(link) => { a href=(link) rel="noreferrer noopener" { (heading(&example.title)) } }
            None => { (prose(&example.title)) }
        }
    }
}
