//! What is known of a value, an attribute or an event, as text.
//!
//! Titles, values and MISP's words were written by others: control characters in them are shown, never
//! sent to the terminal.

use std::fmt::{self, Write};

use crate::{
    history::{
        ChangeKind, KnownLoss,
        query::{Answer, AttributeAnswer, EventAnswer, LossAnswer, Phrase, Remedy, Why, Withheld},
    },
    model::{EntityKey, FeedName, Marking, RunNumber},
};

use super::{
    json::name_of,
    marks::{bad, faint, head, odd, state},
    words::{Clean, Title, line, spoken, states},
};

/// All that is known of what was asked for.
#[must_use]
pub fn why(found: &[Why]) -> String {
    let mut out = String::new();
    for why in found {
        for answer in &why.answers {
            if !out.is_empty() {
                line!(out);
            }
            match answer {
                Answer::Attribute(it) => attribute_answer(&mut out, why, it),
                Answer::Event(it) => event_answer(&mut out, why, it),
                Answer::Loss(it) => loss_answer(&mut out, why, it),
            }
        }
        if why.more > 0 {
            line!(out, "\n{} more at {}; `-n` tells more of them", why.more, why.destination);
        }
        if why.unread > 0 {
            let events = if why.unread == 1 { "event" } else { "events" };
            let (unread, at) = (why.unread, &why.destination);
            line!(out, "\n{unread} {events} at {at} may have more of it; `--scan` reads them too");
        }
    }
    out
}

fn attribute_answer(out: &mut String, why: &Why, it: &AttributeAnswer) {
    let (known, attribute) = (&it.known, &it.known.attribute);
    let value = head(Clean(attribute.value.as_str()));
    line!(out, "attribute {} {value}", attribute.kind);
    if let Some(why) = &known.exposed {
        line!(out, "{}    {}", bad("Exposed:"), Clean(&why.to_string()));
    }
    line!(out, "UUID:       {} (found by {})", faint(attribute.uuid), name_of(&it.found_by));
    let (event, title) = (faint(it.event.uuid), Title(&it.event.fields.info));
    line!(out, "Event:      {event} {title}, at {}", why.destination);
    let standing = Phrase::from(&known.standing);
    let said = standing.to_string();
    line!(out, "Standing:   {}, since run {}", state(standing.word, Clean(&said)), known.since);
    line!(out, "Marking:    {}", Mark(known.marking));
    let wanted: Vec<&str> = it.wanted_by.iter().map(FeedName::as_str).collect();
    withheld(out, it.withheld.as_ref());
    match (&it.superseded_by, wanted.is_empty()) {
        (Some((by, None)), _) => line!(out, "Wanted by:  none; superseded by {by}"),
        (Some((_, Some(value))), _) => {
            line!(out, "Wanted by:  none; superseded by {}", Clean(value.as_str()));
        }
        (None, true) => line!(out, "Wanted by:  none; retired"),
        (None, false) => line!(out, "Wanted by:  {}", wanted.join(", ")),
    }
    for (_, value) in &it.supersedes {
        line!(out, "Supersedes: {}", Clean(value.as_str()));
    }
    if known.overruled {
        line!(out, "Overruled:  an analyst changed it in MISP; it is left so");
    }
    for source in &known.sources {
        let (kind, rule) = (&source.kind, &source.rule);
        let raw = source.raw.as_ref().map(|raw| format!(", written {}", Clean(raw)));
        let entity = Clean(source.entity.as_str());
        line!(out, "Source:     {entity}, {kind}, by rule {rule}{}", raw.unwrap_or_default());
    }
    history(out, &it.history);
    remedies(out, &it.remedies);
}

fn event_answer(out: &mut String, why: &Why, it: &EventAnswer) {
    let event = &it.event;
    line!(out, "event {} {}", faint(event.uuid), head(Title(&event.fields.info)));
    let exposed: u64 = event.feeds.values().map(|feed| feed.attributes.exposed).sum();
    if exposed > 0 {
        line!(
            out,
            "{}    {exposed} attributes; `status` names them, with what to do by hand",
            bad("Exposed:")
        );
    }
    let presence = Phrase::from(&event.presence).to_string();
    let id = event.misp_id.map(|id| format!(", event {id} there")).unwrap_or_default();
    line!(out, "MISP:       {}, {}{id}", why.destination, Clean(&presence));
    line!(out, "Incident:   {} (found by {})", Clean(event.root.as_str()), name_of(&it.found_by));
    line!(out, "Marking:    {}", Mark(event.marking));
    withheld(out, it.withheld.as_ref());
    if let Some(why) = &it.blocked {
        line!(out, "{}    {}", odd("Blocked:"), Clean(&why.to_string()));
    }
    if !it.lost.is_empty() {
        let lost = it.lost.iter().map(|(reason, count)| format!("{count} {}", spoken(reason)));
        line!(out, "Lost:       {}", lost.collect::<Vec<_>>().join(", "));
    }
    let all: Vec<_> = it.standings.iter().map(|(word, count)| (*word, *count)).collect();
    line!(out, "Attributes: {}", states(&all));
    for (tag, why, _) in event.tags.refused() {
        line!(out, "{}     {}: {}", odd("No tag:"), Clean(tag), Clean(why));
    }
    if let Some(why) = event.publishing.unpublished() {
        line!(out, "Published:  no: {}", Clean(why));
    }
    history(out, &it.history);
    remedies(out, &it.remedies);
}

fn history(out: &mut String, history: &[(RunNumber, ChangeKind)]) {
    for (run, kind) in history {
        line!(out, "    run {run}: {}", Clean(&Phrase::from(kind).to_string()));
    }
}

fn loss_answer(out: &mut String, why: &Why, it: &LossAnswer) {
    let KnownLoss { loss, since, until, .. } = &it.known;
    line!(out, "lost {} {}", Clean(&loss.kind), head(Clean(&loss.value)));
    let reason = spoken(&loss.reason);
    let detail = loss.detail.as_ref().map(|detail| format!(": {}", Clean(detail)));
    let rule = loss.rule.as_ref().map(|rule| format!(", by rule {}", Clean(rule)));
    line!(out, "Lost:       {reason}{}{}", detail.unwrap_or_default(), rule.unwrap_or_default());
    let entity = Clean(loss.entity.as_str());
    line!(out, "Held by:    {entity} (found by {})", name_of(&it.found_by));
    match &it.event {
        Some(head) => {
            let (event, title) = (faint(head.uuid), Title(&head.fields.info));
            line!(out, "Event:      {event} {title}, at {}", why.destination);
        }
        None => {
            line!(out, "Event:      none at {}: {}", why.destination, it.without_event());
        }
    }
    let over = |run| format!("; no longer lost so since run {run}: {}", it.known.how_it_ended());
    let over = until.map(over);
    line!(out, "Dataset:    feed {}, since run {since}{}", it.feed, over.unwrap_or_default());
    if it.more_lost > 0 {
        line!(out, "Beside it:  at least {} more of its event that are only counted", it.more_lost);
    }
    remedies(out, &it.remedies);
}

fn withheld(out: &mut String, why: Option<&Withheld>) {
    let Some(why) = why else { return };
    let entities: Vec<&str> = why.entities.iter().map(EntityKey::as_str).collect();
    let (reason, mark, by) = (why.reason(), Mark(why.marking), why.marked_by());
    let word = odd("Withheld:");
    line!(out, "{word}   {reason}; marked {mark} {by} {}", Clean(&entities.join(", ")));
}

fn remedies(out: &mut String, remedies: &[Remedy]) {
    for remedy in remedies {
        line!(out, "To change:  {}", Clean(&remedy.to_string()));
    }
}

/// A marking in words.
struct Mark(Marking);

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.tlp, self.0.unmarked) {
            (Some(tlp), false) => f.write_str(tlp.tag()),
            (Some(tlp), true) => write!(f, "{}, and some of its sources have none", tlp.tag()),
            (None, _) => f.write_str("none"),
        }
    }
}
