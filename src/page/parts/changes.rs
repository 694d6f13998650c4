//! What runs changed, by event.

use maud::{Markup, html};

use crate::{
    history::query::{AttributeChange, EventChanges, Phrase},
    model::Count,
    plan::{ChangeKind, Effect},
};

use super::text::{Tone, badge, heading, prose, value};

/// Where a click on an event leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Lead {
    ToPages,
    /// There is this page alone.
    Nowhere,
}

/// The events with their changes, at most so many lines of them.
pub(in crate::page) fn changes(
    events: &[EventChanges],
    lines_max: usize,
    rest: &str,
    lead: Lead,
) -> Markup {
    let (mut left, mut shown) = (lines_max, Vec::new());
    for event in events {
        if left == 0 {
            break;
        }
        left -= 1;
        let own = &event.own[..event.own.len().min(left)];
        left -= own.len();
        let attributes = &event.attributes[..event.attributes.len().min(left)];
        left -= attributes.len();
        shown.push((event, own, attributes));
    }
    let told: usize = shown.iter().map(|(_, own, attributes)| own.len() + attributes.len()).sum();
    let all: usize = events.iter().map(EventChanges::count).sum();
    html! {
        @for (event, own, attributes) in shown { (one(event, own, attributes, lead)) }
        @if all > told { p.muted { "… " (Count((all - told) as u64).to_string()) " more changes: " code { (rest) } } }
    }
}

fn one(
    event: &EventChanges,
    own: &[ChangeKind],
    attributes: &[AttributeChange],
    lead: Lead,
) -> Markup {
    html! {
        h3 {
            @match &event.title {
                Some(title) if lead == Lead::ToPages => { a href={ "/events/" (event.event) } { (heading(title)) } }
                Some(title) => { (prose(title)) }
                None => { code { (event.event) } }
            }
        }
        @if !own.is_empty() { ul.plain { @for kind in own { li { (phrase(kind)) } } } }
        @if !attributes.is_empty() {
            table.stack.changes {
                thead { tr { th scope="col" { "Change" } th scope="col" { "Type" } th scope="col" { "Value" } th scope="col" { "Why" } } }
                tbody { @for change in attributes { (row(change)) } }
            }
        }
    }
}

fn row(change: &AttributeChange) -> Markup {
    let Phrase { word, detail } = Phrase::from(&change.kind);
    html! {
        tr {
            td data-label="Change" { (badge(tone(&change.kind), word)) }
            td data-label="Type" { @if let Some((kind, _)) = &change.content { (kind.name()) } }
            td data-label="Value" {
                @match &change.content { Some((kind, exact)) => { (value(*kind, exact.as_str())) } None => { code { (change.uuid) } } }
            }
            td data-label="Why" {
                @match (&change.instead, &change.content) {
                    (Some(instead), Some((kind, _))) => { "by " (value(*kind, instead.as_str())) }
                    _ if matches!(change.kind, ChangeKind::Superseded(_)) => { "by a value that is not shown" }
                    _ => { @if let Some(detail) = detail { (prose(&detail)) } }
                }
            }
        }
    }
}

/// What happened, and what more there is to say.
pub(in crate::page) fn phrase(kind: &ChangeKind) -> Markup {
    let Phrase { word, detail } = Phrase::from(kind);
    html! { (badge(tone(kind), word)) @if let Some(detail) = detail { " " (prose(&detail)) } }
}

fn tone(kind: &ChangeKind) -> Tone {
    match kind.effect() {
        Effect::Gained | Effect::There => Tone::Good,
        Effect::Other => Tone::Warning,
        Effect::Wrong => Tone::Bad,
        Effect::Nothing => Tone::Quiet,
    }
}
