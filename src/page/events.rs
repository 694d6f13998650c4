//! Events, and one event with its attributes.

use maud::{Markup, html};

use crate::{
    history::query::{EventsPage, Phrase},
    model::{AttributeUuid, Count, DestinationName, Marking, Tlp},
    plan::{DestinationRecord, EventHead, KnownAttribute, KnownEvent},
};

use super::{
    frame::{Place, Site, within},
    link::{Query, misp_event},
    parts::{
        standings,
        text::{Tone, badge, counted, heading, prose, value, visible},
    },
};

/// So many attributes of an event are on a page.
const ATTRIBUTES_MAX: usize = 200;

/// The words by which events can be chosen.
pub const STANDINGS: [&str; 6] =
    ["present", "absent", "declined", "blocked", "unsettled", "exposed"];

/// What was asked of the list of events.
#[derive(Debug, Clone, Default)]
pub struct EventsAsked {
    /// The destination.
    pub destination: Option<DestinationName>,
    /// Only those of this colour.
    pub tlp: Option<Tlp>,
    /// Only those that stand so.
    pub standing: Option<String>,
}

/// A page of events.
#[must_use]
pub fn events(
    site: &Site,
    page: &EventsPage,
    all: &[DestinationName],
    asked: &EventsAsked,
) -> String {
    let main = html! {
        (filters(all, asked))
        @if page.events.is_empty() { p.muted { "There is no such event." } }
        @else {
            table.stack {
                thead { tr {
                    th scope="col" { "Event" } th scope="col" { "TLP" } th scope="col" { "In MISP" } th.number scope="col" { "Withheld" }
                } }
                tbody { @for head in &page.events { (row(head)) } }
            }
        }
        p.muted {
            (counted(page.events.len() as u64, "event", "events"))
            @if page.hidden > 0 { "; " (Count(page.hidden).to_string()) " not shown, as they are marked stricter" }
        }
        @if let Some(after) = page.next {
            p { a rel="next" href=(query(asked).with("after", &after.to_string()).on("/events")) { "More events" } }
        }
    };
    within(site, "Events", Place::Events, &main)
}

fn query(asked: &EventsAsked) -> Query {
    let mut query = Query::default();
    if let Some(name) = &asked.destination {
        query = query.with("destination", name.as_str());
    }
    if let Some(tlp) = asked.tlp {
        query = query.with("tlp", tlp.name());
    }
    if let Some(standing) = &asked.standing {
        query = query.with("standing", standing);
    }
    query
}

fn filters(all: &[DestinationName], asked: &EventsAsked) -> Markup {
    html! {
        form.filters method="get" action="/events" {
            @if all.len() > 1 {
                label { "Destination " select name="destination" {
                    @for name in all { option value=(name.as_str()) selected[asked.destination.as_ref() == Some(name)] { (name.as_str()) } }
                } }
            }
            label { "TLP " select name="tlp" {
                option value="" { "any" }
                @for tlp in Tlp::ALL { option value=(tlp.name()) selected[asked.tlp == Some(tlp)] { (tlp.name()) } }
            } }
            label { "Standing " select name="standing" {
                option value="" { "any" }
                @for word in STANDINGS { option value=(word) selected[asked.standing.as_deref() == Some(word)] { (word) } }
            } }
            button type="submit" { "Show" }
        }
    }
}

fn row(head: &EventHead) -> Markup {
    let withheld: u64 = head.feeds.values().map(|feed| feed.attributes.withheld).sum();
    html! {
        tr {
            th scope="row" { a href={ "/events/" (head.uuid) } { (heading(&head.fields.info)) } " " time.muted { (head.fields.date) } }
            td data-label="TLP" { (marking(head.marking)) }
            td data-label="In MISP" { (presence(head)) }
            td.number data-label="Withheld" { (Count(withheld).to_string()) }
        }
    }
}

fn presence(head: &EventHead) -> Markup {
    let Phrase { word, detail } = Phrase::from(&head.presence);
    html! { (badge(standings::tone_of_event(word), word)) @if let Some(detail) = detail { " " (prose(&detail)) } }
}

/// A marking in words.
pub(super) fn marking(marking: Marking) -> Markup {
    html! {
        @match (marking.tlp, marking.unmarked) {
            (Some(tlp), false) => { (tlp.name()) }
            (Some(tlp), true) => { (tlp.name()) ", in part without" }
            (None, _) => { "none" }
        }
    }
}

/// An event at one destination, with some of its attributes.
#[derive(Debug)]
pub struct EventView {
    /// The destination.
    pub destination: DestinationName,
    /// What is known of it.
    pub record: Option<DestinationRecord>,
    /// The event.
    pub event: KnownEvent,
}

/// One event wherever it goes, its attributes from one on.
#[must_use]
pub fn event(site: &Site, views: &[EventView], after: Option<AttributeUuid>) -> String {
    let main = html! { @for view in views { (at(view, after)) } };
    within(site, "Event", Place::Events, &main)
}

fn at(view: &EventView, after: Option<AttributeUuid>) -> Markup {
    let head = &view.event.head;
    let all = &view.event.attributes;
    let behind = all.iter().filter(|(uuid, _)| after.is_none_or(|after| **uuid > after));
    let shown: Vec<(&AttributeUuid, &KnownAttribute)> = behind.take(ATTRIBUTES_MAX).collect();
    let last = shown
        .last()
        .map(|(uuid, _)| **uuid)
        .filter(|last| all.last_key_value().is_some_and(|(end, _)| end != last));
    html! {
        section {
            h2 { (heading(&head.fields.info)) }
            dl {
                dt { "Destination" } dd { (visible(view.destination.as_str())) }
                dt { "In MISP" } dd {
                    (presence(head))
                    @if let Some(link) = view.record.as_ref().and_then(|record| misp_event(record, head.uuid, head.misp_id)) {
                        ", " a href=(link) rel="noreferrer noopener" { "open it there" }
                    }
                }
                dt { "UUID" } dd { code { (head.uuid) } }
                dt { "Marking" } dd { (marking(head.marking)) }
                dt { "Day" } dd { (head.fields.date) }
                dt { "Incident" } dd { code { (heading(head.root.as_str())) } }
                dt { "Story" } dd { a href=(Query::default().with("q", &head.uuid.to_string()).on("/value")) { "why it is so" } }
            }
            h3 { (counted(all.len() as u64, "attribute", "attributes")) }
            table.stack {
                thead { tr {
                    th scope="col" { "Type" } th scope="col" { "Value" } th scope="col" { "Standing" } th scope="col" { "TLP" } th scope="col" { "From" }
                } }
                tbody { @for (_, known) in &shown { (attribute(known)) } }
            }
            @if let Some(last) = last {
                p { a rel="next" href={ "/events/" (head.uuid) "?after=" (last) } { "More attributes" } }
            }
        }
    }
}

fn attribute(known: &KnownAttribute) -> Markup {
    let attribute = &known.attribute;
    let Phrase { word, detail } = Phrase::from(&known.standing);
    html! {
        tr {
            td data-label="Type" { (attribute.kind.name()) }
            td data-label="Value" {
                (value(attribute.kind, attribute.value.as_str())) br;
                a.small href=(Query::default().with("q", &attribute.uuid.to_string()).on("/value")) { "its story" }
            }
            td data-label="Standing" {
                (badge(standings::tone(word), word)) @if let Some(detail) = detail { " " (prose(&detail)) }
                " " span.muted { "since " a href={ "/runs/" (known.since) } { "run " (known.since) } }
                @if let Some(why) = &known.exposed { br; (badge(Tone::Bad, "exposed")) " " (prose(&why.to_string())) }
            }
            td data-label="TLP" { (marking(known.marking)) }
            td data-label="From" {
                @for source in known.sources.iter().take(3) { div { code { (heading(source.entity.as_str())) } " " span.muted { "by " (source.rule) } } }
                @if known.sources.len() > 3 { span.muted { "and " (Count(known.sources.len() as u64 - 3).to_string()) " more" } }
            }
        }
    }
}
