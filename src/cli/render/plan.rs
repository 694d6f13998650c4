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
    sync,
    words::{Bytes, Clean, attribute_counts, counts, line, sign},
};

/// How many attributes and changes of one event are written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// All of them.
    Full,
    /// So many; then how many more there are.
    AtMost(usize),
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

/// One preview in words: what is exposed first, then event by event, then the sums.
#[must_use]
pub fn text(name: &DestinationName, url: &str, preview: &Preview, length: Length) -> String {
    let mut out = String::new();
    line!(out, "{} -> {name} ({})", preview.saved.feed, Clean(url));
    for plan in &preview.plans {
        exposed(&mut out, plan);
    }
    if length != Length::None {
        preview.plans.iter().for_each(|plan| event(&mut out, plan, length));
    }
    line!(out);
    sums(&mut out, preview);
    out
}

fn exposed(out: &mut String, plan: &EventPlan) {
    for change in &plan.changes {
        let ChangeKind::Exposed(why) = &change.kind else { continue };
        let what = shown(plan, change.attribute);
        line!(
            out,
            "  ! exposed     {what}, in {}: {}",
            Clean(title(plan)),
            Clean(&why.to_string())
        );
    }
}

fn event(out: &mut String, plan: &EventPlan, length: Length) {
    let (uuid, title) = (plan.event.head.uuid, Clean(title(plan)));
    line!(out);
    match (&plan.refusal, plan.create) {
        (Some(why), _) => {
            return line!(out, ". event {uuid} {title}\n  . {}", Clean(&why.to_string()));
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
    let mut lines: Vec<String> =
        plan.changes.iter().filter_map(|it| change_line(plan, it)).collect();
    let mut sent: Vec<String> = plan.send.iter().map(|uuid| shown(plan, Some(*uuid))).collect();
    sent.sort_unstable();
    lines.extend(sent.iter().map(|what| format!("+ add         {what}")));
    let shown = match length {
        Length::Full => lines.len(),
        Length::AtMost(count) => count,
        Length::None => 0,
    };
    for text in lines.iter().take(shown) {
        line!(out, "  {text}");
    }
    if lines.len() > shown {
        line!(out, "    and {} more; `-v` shows all", lines.len() - shown);
    }
}

/// One change that needs no request; what is exposed stands at the top already.
fn change_line(plan: &EventPlan, change: &Change) -> Option<String> {
    let phrase = Phrase::from(&change.kind);
    if matches!(change.kind, ChangeKind::Exposed(_)) {
        return None;
    }
    let sign = sign(change.kind.effect());
    let what = shown(plan, change.attribute);
    let after = match (&change.kind, &phrase.detail) {
        (ChangeKind::Superseded(by), _) => {
            let by = attribute(plan, by).map_or("another value", |it| it.value.as_str());
            format!("  ->  {}", Clean(by))
        }
        (_, Some(detail)) => format!("  ({})", Clean(detail)),
        (_, None) => String::new(),
    };
    Some(format!("{sign} {:<11} {what}{after}", phrase.word))
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
    line!(out, "Plan: events: {}", counts(&all));
    let mut all = attribute_counts(&preview.attributes);
    for (word, _) in &mut all {
        if *word == "pending" {
            *word = "to add";
        }
    }
    line!(out, "  attributes:  {}", counts(&all));
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

fn shown(plan: &EventPlan, uuid: Option<AttributeUuid>) -> String {
    match uuid.and_then(|uuid| attribute(plan, &uuid)) {
        Some(it) => format!("{}  {}", it.kind, Clean(it.value.as_str())),
        None => "the event".to_owned(),
    }
}
