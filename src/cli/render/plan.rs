//! What a run would do, in the manner of Terraform's `plan`.

use std::fmt::Write;

use crate::{
    agent::Preview,
    history::{DatasetTally, query::Phrase},
    misp::Attribute,
    model::{AttributeUuid, DestinationName},
    plan::{Change, ChangeKind, EventPlan, EventTally, Refusal},
};

use super::{
    marks::{bad, faint, head, odd, state},
    sync,
    words::{Bytes, Clean, Title, attribute_counts, line, more, sign, states},
};

/// How many attributes and changes of one event are written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// All of them.
    Full,
    /// The first of them; then how many more there are.
    AtMost {
        /// Of each event.
        changes: usize,
        /// Of the plan, and of what is exposed.
        events: usize,
    },
    /// None, and no events either.
    None,
}

/// Events of a preview by what would become of them.
pub(super) fn events_of(preview: &Preview) -> EventTally {
    let mut events = EventTally {
        unchanged: preview.unchanged,
        withheld: preview.withheld,
        blocked: preview.blocked,
        ..EventTally::default()
    };
    for plan in &preview.plans {
        events.held += u64::from(plan.tally.held > 0);
        match &plan.refusal {
            Some(Refusal::Withheld(_)) => events.withheld += 1,
            Some(_) => events.blocked += 1,
            None if plan.create => events.created += 1,
            None if plan.needs_misp() => events.updated += 1,
            None if preview.gone.contains(&plan.event.head.uuid) => {}
            None => events.unchanged += 1,
        }
    }
    events
}

/// One preview in words: what is exposed first, then event by event, then the sums; `whole` shows what is left out here.
#[must_use]
pub fn text(
    name: &DestinationName,
    url: &str,
    preview: &Preview,
    length: Length,
    whole: &str,
) -> String {
    let mut out = String::new();
    let route = head(format!("{} -> {name}", preview.saved.feed));
    line!(out, "{route} ({})", Clean(url));
    let (changes, events) = match length {
        Length::Full => (usize::MAX, usize::MAX),
        Length::AtMost { changes, events } => (changes, events),
        Length::None => (0, 0),
    };
    let most = if length == Length::None { usize::MAX } else { events };
    let exposed: Vec<String> = preview.plans.iter().flat_map(exposed).collect();
    exposed.iter().take(most).for_each(|it| line!(out, "{it}"));
    more(&mut out, exposed.len().saturating_sub(most), "exposed", whole);
    preview.plans.iter().take(events).for_each(|plan| event(&mut out, plan, changes, whole));
    let hidden = preview.plans.len().saturating_sub(events);
    if hidden > 0 && events > 0 {
        line!(out);
        more(&mut out, hidden, "events", whole);
    }
    line!(out);
    sums(&mut out, preview);
    out
}

/// What was sent and is marked stricter now, each a line.
fn exposed(plan: &EventPlan) -> Vec<String> {
    let line = |change: &Change| {
        let ChangeKind::Exposed(why) = &change.kind else { return None };
        let (word, what) = (bad("exposed"), shown(plan, change.attribute, 0));
        let (title, why) = (Title(title(plan)), why.to_string());
        Some(format!("  ! {word}     {what}, in {title}: {}", Clean(&why)))
    };
    plan.changes.iter().filter_map(line).collect()
}

fn event(out: &mut String, plan: &EventPlan, most: usize, whole: &str) {
    let (uuid, title) = (faint(plan.event.head.uuid), head(Title(title(plan))));
    line!(out);
    match (&plan.refusal, plan.create) {
        (Some(why), _) => {
            return line!(out, ". event {uuid} {title}\n  . {}", odd(Clean(&why.to_string())));
        }
        (None, true) => line!(out, "+ event {uuid} {title}"),
        (None, false) => line!(out, "~ event {uuid} {title}"),
    }
    let fields = &plan.event.head.fields;
    if plan.create {
        let tags =
            if fields.tags.is_empty() { "no tags".to_owned() } else { fields.tags.join(", ") };
        line!(out, "  + {}, {}", Clean(&fields.date), Clean(&tags));
    }
    if let Some(edit) = &plan.fields {
        line!(out, "  ~ {}", Clean(&edit.describe()));
    }
    for tag in &plan.tags {
        line!(out, "  ~ tag         {}", Clean(tag));
    }
    if plan.unpublishes {
        line!(
            out,
            "  ! unpublish   it was published when it was last seen, and `publish` is \"never\": the change leaves it unpublished"
        );
    }
    if plan.publish {
        line!(out, "  + publish     the key may now, or the last run ended before it");
    }
    let named =
        plan.changes.iter().filter_map(|change| change.attribute).chain(plan.send.iter().copied());
    let kinds = named.filter_map(|uuid| Some(attribute(plan, &uuid)?.kind.name().len()));
    let kinds = kinds.max().unwrap_or(0);
    let mut lines: Vec<String> =
        plan.changes.iter().filter_map(|it| change_line(plan, it, kinds)).collect();
    let mut sent: Vec<String> =
        plan.send.iter().map(|uuid| shown(plan, Some(*uuid), kinds)).collect();
    sent.sort_unstable();
    lines.extend(sent.iter().map(|what| format!("+ add         {what}")));
    for text in lines.iter().take(most) {
        line!(out, "  {text}");
    }
    more(out, lines.len().saturating_sub(most), "changes", whole);
}

/// One change that needs no request; what is exposed stands at the top already.
fn change_line(plan: &EventPlan, change: &Change, kinds: usize) -> Option<String> {
    let phrase = Phrase::from(&change.kind);
    if matches!(change.kind, ChangeKind::Exposed(_)) {
        return None;
    }
    let sign = sign(change.kind.effect());
    let what = shown(plan, change.attribute, kinds);
    let after = match (&change.kind, &phrase.detail) {
        (ChangeKind::Superseded(by), _) => {
            let by = attribute(plan, by).map_or("another value", |it| it.value.as_str());
            format!("  ->  {}", Clean(by))
        }
        (_, Some(detail)) => format!("  ({})", Clean(detail)),
        (_, None) => String::new(),
    };
    let word = state(phrase.word, format!("{:<11}", phrase.word));
    Some(format!("{sign} {word} {what}{after}"))
}

fn sums(out: &mut String, preview: &Preview) {
    let mut all = events_of(preview).named();
    for (word, _) in &mut all {
        *word = match *word {
            "created" => "to create",
            "updated" => "to update",
            other => other,
        };
    }
    line!(out, "Plan: events: {}", states(&all));
    let mut all = attribute_counts(&preview.attributes);
    for (word, _) in &mut all {
        if *word == "pending" {
            *word = "to add";
        }
    }
    line!(out, "  attributes:  {}", states(&all));
    sync::dataset(out, &dataset(preview));
    let cost = &preview.cost;
    match cost.requests {
        0 => line!(out, "  wire:        not one request"),
        requests => {
            let (sent, received) = (Bytes(cost.bytes_sent), Bytes(cost.bytes_received));
            line!(out, "  wire:        about {requests} requests, {sent} to send, {received} back");
        }
    }
}

pub(super) fn dataset(preview: &Preview) -> DatasetTally {
    DatasetTally {
        incidents: preview.incidents,
        entities: preview.entities,
        skipped: preview.skipped,
        mapping: preview.mapping.clone(),
    }
}

/// The title as the dataset has it now.
pub(super) fn title(plan: &EventPlan) -> &str {
    let new = plan.fields.as_ref().and_then(|edit| edit.info.as_deref());
    new.unwrap_or(&plan.event.head.fields.info)
}

fn attribute<'p>(plan: &'p EventPlan, uuid: &AttributeUuid) -> Option<&'p Attribute> {
    plan.event.attributes.get(uuid).map(|known| &known.attribute)
}

/// Type and value of an attribute; types take so many columns.
fn shown(plan: &EventPlan, uuid: Option<AttributeUuid>, kinds: usize) -> String {
    match uuid.and_then(|uuid| attribute(plan, &uuid)) {
        Some(it) => format!("{:<kinds$}  {}", it.kind.name(), Clean(it.value.as_str())),
        None => "the event".to_owned(),
    }
}
