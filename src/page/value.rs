//! Why a value is in MISP, or is not. Only this file knows what an answer consists of.

use maud::{Markup, html};

use crate::{
    history::{
        ChangeKind, KnownLoss,
        query::{
            self, Answer, AttributeAnswer, Depth, EventAnswer, LossAnswer, Phrase, Remedy, Why,
            Withheld,
        },
    },
    model::{Count, RunNumber, spoken},
};

use super::{
    events::marking,
    frame::{Place, Site, within},
    parts::{
        changes::phrase,
        standings,
        text::{Tone, badge, heading, prose, value, visible},
    },
};

/// What each destination's ledger knows of what was asked for.
#[must_use]
pub fn value_page(site: &Site, asked: &str, found: &[Why]) -> String {
    let is_unknown = found.iter().all(Why::is_nothing);
    let main = html! {
        @if asked.is_empty() { p { "Write a value, a UUID, an entity's id, or words of a title into the field above." } }
        @else {
            p.muted { "Asked for " code { (heading(asked)) } }
            @if is_unknown { p { "Nothing is known of it: " (query::looked_for(asked, Depth::Words).unwrap_or_default()) "; " (query::MAY_HIDE) "." } }
        }
        @for why in found {
            @for (feed, count) in &why.more_lost {
                p.muted { "Feed " (visible(feed.as_str())) " lost at least " (Count(*count).to_string()) " more at " (visible(why.destination.as_str())) " than are kept by name; it may be one of them" }
            }
            @for answer in &why.answers { (one(why, answer)) }
            @if why.more > 0 { p.muted { (Count(why.more).to_string()) " more at " (visible(why.destination.as_str())) "; a longer part of it, or the whole, finds fewer" } }
            @if why.unread > 0 { p.muted { (Count(why.unread).to_string()) " events at " (visible(why.destination.as_str())) " may have more of it and were not read; " code { "misp-trickle why --scan" } " reads them" } }
        }
    };
    within(site, "Why", Place::Elsewhere, &main)
}

fn one(why: &Why, answer: &Answer) -> Markup {
    html! {
        section {
            @match answer {
                Answer::Attribute(it) => { (attribute(why, it)) }
                Answer::Event(it) => { (event(why, it)) }
                Answer::Loss(it) => { (loss(why, it)) }
            }
        }
    }
}

fn attribute(why: &Why, it: &AttributeAnswer) -> Markup {
    let (known, attribute) = (&it.known, &it.known.attribute);
    let standing = Phrase::from(&known.standing);
    html! {
        h2 { (attribute.kind.name()) }
        dl {
            dt { "Value" } dd { (value(attribute.kind, attribute.value.as_str())) }
            dt { "Standing" } dd {
                (badge(standings::tone(standing.word), standing.word))
                @if let Some(detail) = &standing.detail { " " (prose(detail)) }
                ", since " (run(known.since))
            }
            @if let Some(exposed) = &known.exposed { dt { "Exposed" } dd { (badge(Tone::Bad, "exposed")) " " (prose(&exposed.to_string())) } }
            dt { "Event" } dd { a href={ "/events/" (it.event.uuid) } { (heading(&it.event.fields.info)) } ", at " (visible(why.destination.as_str())) }
            dt { "Marking" } dd { (marking(known.marking)) }
            dt { "Wanted by" } dd {
                @if it.wanted_by.is_empty() { "no feed any more" }
                @for feed in &it.wanted_by { (visible(feed.as_str())) " " }
            }
            @if let Some((_, Some(by))) = &it.superseded_by { dt { "Superseded by" } dd { (value(attribute.kind, by.as_str())) } }
            @if !it.supersedes.is_empty() {
                dt { "Supersedes" } dd { @for (_, old) in &it.supersedes { div { (value(attribute.kind, old.as_str())) } } }
            }
            @if known.overruled { dt { "Overruled" } dd { "an analyst changed it in MISP; it is left so" } }
            @for source in &known.sources {
                dt { "Source" } dd {
                    code { (heading(source.entity.as_str())) } ", " (source.kind) ", by rule " (source.rule)
                    @if let Some(raw) = &source.raw { ", written " code { (heading(raw)) } }
                }
            }
            (withheld(it.withheld.as_ref()))
            (remedies(&it.remedies))
            dt { "UUID" } dd { code { (attribute.uuid) } }
        }
        (history(&it.history))
    }
}

fn event(why: &Why, it: &EventAnswer) -> Markup {
    let head = &it.event;
    let presence = Phrase::from(&head.presence);
    html! {
        h2 { "Event " a href={ "/events/" (head.uuid) } { (heading(&head.fields.info)) } }
        dl {
            dt { "In MISP" } dd {
                (badge(standings::tone_of_event(presence.word), presence.word))
                @if let Some(detail) = &presence.detail { " " (prose(detail)) }
                ", at " (visible(why.destination.as_str()))
            }
            dt { "Marking" } dd { (marking(head.marking)) }
            dt { "Incident" } dd { code { (heading(head.root.as_str())) } }
            dt { "Attributes" } dd {
                @for (word, count) in &it.standings { (Count(*count).to_string()) " " (word) " " }
            }
            @if let Some(blocked) = &it.blocked { dt { "Not made" } dd { (prose(&blocked.to_string())) } }
            @for (tag, detail, _) in head.tags.refused() { dt { "Tag missing" } dd { (prose(tag)) ": " (prose(detail)) } }
            @if let Some(detail) = head.publishing.unpublished() { dt { "Unpublished" } dd { (prose(detail)) } }
            (withheld(it.withheld.as_ref()))
            (remedies(&it.remedies))
        }
        (history(&it.history))
    }
}

fn loss(why: &Why, it: &LossAnswer) -> Markup {
    let KnownLoss { loss, since, until, .. } = &it.known;
    html! {
        h2 { "Lost: " (loss.kind) }
        dl {
            dt { "Value" } dd { (prose(&loss.value)) }
            dt { "Why" } dd {
                (badge(Tone::Quiet, "lost")) " " (spoken(&loss.reason))
                @if let Some(detail) = &loss.detail { ": " (prose(detail)) }
                @if let Some(rule) = &loss.rule { ", by rule " (rule) }
            }
            dt { "Held by" } dd { code { (heading(loss.entity.as_str())) } }
            dt { "Event" } dd {
                @match &it.event {
                    Some(head) => { a href={ "/events/" (head.uuid) } { (heading(&head.fields.info)) } ", at " (visible(why.destination.as_str())) }
                    None => { "none at " (visible(why.destination.as_str())) ": " (it.without_event()) }
                }
            }
            dt { "Dataset" } dd {
                "feed " (visible(it.feed.as_str())) ", since " (run(*since))
                @if let Some(until) = until { "; no longer lost so since " (run(*until)) ": " (it.known.how_it_ended()) }
            }
            @if it.more_lost > 0 { dt { "Beside it" } dd { "at least " (Count(it.more_lost).to_string()) " more of its event that are only counted" } }
            (remedies(&it.remedies))
        }
    }
}

fn withheld(withheld: Option<&Withheld>) -> Markup {
    html! {
        @if let Some(withheld) = withheld {
            dt { "Withheld" } dd {
                (prose(&withheld.reason())) "; marked " (marking(withheld.marking)) " " (withheld.marked_by()) " "
                @for entity in &withheld.entities { code { (heading(entity.as_str())) } " " }
            }
        }
    }
}

fn remedies(remedies: &[Remedy]) -> Markup {
    html! {
        @if !remedies.is_empty() {
            dt { "Would change it" } dd { @for remedy in remedies { div { (prose(&remedy.to_string())) } } }
        }
    }
}

fn run(number: RunNumber) -> Markup {
    html! { a href={ "/runs/" (number) } { "run " (number) } }
}

fn history(history: &[(RunNumber, ChangeKind)]) -> Markup {
    html! {
        @if !history.is_empty() {
            h3 { "What happened to it" }
            ol.plain { @for (number, kind) in history { li { (run(*number)) ": " (phrase(kind)) } } }
        }
    }
}
