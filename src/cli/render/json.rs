//! Answers as JSON. Each has a `schema`; within one version fields are only added.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    history::{
        ChangeKind, RunRecord,
        query::{
            Answer, AttributeAnswer, AttributeChange, Difference, EventAnswer, EventChanges,
            Exposure, Phrase, RefusedTag, Shown, Status, Unpublished, Why,
        },
    },
    misp::{self, AttributeType},
    model::{AttributeUuid, RunNumber},
    plan::EventHead,
};

use super::Detail;

/// `misp-trickle/log/2`: the runs, newest first.
#[must_use]
pub fn log(runs: &[RunRecord]) -> Value {
    json!({ "schema": "misp-trickle/log/2", "runs": plain(&runs) })
}

/// `misp-trickle/show/2`: a run and its changes by event.
#[must_use]
pub fn show(shown: &Shown, detail: Detail) -> Value {
    json!({
        "schema": "misp-trickle/show/2",
        "run": plain(&shown.run),
        "events": list(&shown.events, |event| changes(event, detail)),
    })
}

/// `misp-trickle/diff/2`: the net changes of several runs by event.
#[must_use]
pub fn diff(difference: &Difference, detail: Detail) -> Value {
    json!({
        "schema": "misp-trickle/diff/2",
        "destination": difference.destination,
        "from_run": difference.from,
        "to_run": difference.to,
        "runs": difference.runs,
        "events": list(&difference.events, |event| changes(event, detail)),
    })
}

/// `misp-trickle/why/2`: what each destination's ledger knows of what was asked for.
#[must_use]
pub fn why(asked: &str, found: &[Why]) -> Value {
    let each = |why: &Why| {
        json!({
            "destination": why.destination,
            "answers": list(&why.answers, answer),
            "more": why.more,
        })
    };
    json!({ "schema": "misp-trickle/why/2", "asked": asked, "destinations": list(found, each) })
}

/// `misp-trickle/status/2`: how things stand at each destination.
#[must_use]
pub fn status(found: &[Status]) -> Value {
    json!({ "schema": "misp-trickle/status/2", "destinations": list(found, one_status) })
}

/// The record of a run, without a schema of its own, or a part of one: as serde writes it, and so as an export has it.
#[must_use]
pub fn plain(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("the ledger's types are plain values with texts for keys")
}

fn changes(event: &EventChanges, detail: Detail) -> Value {
    let mut value = json!({
        "event": event.event,
        "title": event.title,
        "changes": list(&event.own, change),
        "counts": event.counts().into_iter()
            .map(|(word, count)| (word.replace(' ', "_"), count))
            .collect::<BTreeMap<_, _>>(),
    });
    if detail == Detail::Full {
        value["attributes"] = list(&event.attributes, attribute_change);
    }
    value
}

fn attribute_change(it: &AttributeChange) -> Value {
    change_of_attribute(it.uuid, it.content.as_ref(), &it.kind, it.instead.as_ref())
}

/// A change of one attribute, wherever it stands.
pub(super) fn change_of_attribute(
    uuid: AttributeUuid,
    content: Option<&(AttributeType, misp::Value)>,
    kind: &ChangeKind,
    instead: Option<&misp::Value>,
) -> Value {
    let mut value = change(kind);
    value["uuid"] = json!(uuid);
    value["type"] = json!(content.map(|(kind, _)| kind));
    value["value"] = json!(content.map(|(_, value)| value));
    if let ChangeKind::Superseded(by) = kind {
        value["superseded_by"] = json!({ "uuid": by, "value": instead });
    }
    value
}

/// What happened, by the names of the glossary.
pub(super) fn change(kind: &ChangeKind) -> Value {
    state("change", kind, kind.detail().as_deref())
}

/// A state under its name in the glossary: the reason by its name, too, and what more there is to say in words.
fn state(key: &str, state: &impl Serialize, detail: Option<&str>) -> Value {
    let (name, inner) = named(plain(state));
    let has_reason = matches!(name.as_str(), "withheld" | "blocked" | "exposed");
    let reason = inner.filter(|_| has_reason).map(|inner| named(inner).0);
    match key {
        "reason" => json!({ "reason": name, "detail": detail }),
        _ => json!({ key: name, "reason": reason, "detail": detail }),
    }
}

/// The name of a variant, and what is in it.
fn named(variant: Value) -> (String, Option<Value>) {
    match variant {
        Value::String(name) => (name, None),
        Value::Object(one) => {
            let (name, inner) =
                one.into_iter().next().expect("a variant is a name and what is in it");
            (name, Some(inner))
        }
        other => (other.to_string(), None),
    }
}

fn answer(answer: &Answer) -> Value {
    match answer {
        Answer::Attribute(it) => attribute_answer(it),
        Answer::Event(it) => event_answer(it),
    }
}

fn attribute_answer(it: &AttributeAnswer) -> Value {
    let known = &it.known;
    let mut value = json!({
        "found": "attribute",
        "found_by": it.found_by.name(),
        "event": head(&it.event),
        "since_run": known.since,
        "overruled": known.overruled,
        "exposed": known.exposed.as_ref().map(|why| state("reason", why, Some(&why.to_string()))),
        "marking": known.marking,
        "wanted_by": it.wanted_by,
        "sources": known.sources,
        "supersedes": list(&it.supersedes, |(uuid, value)| json!({ "uuid": uuid, "value": value })),
        "superseded_by": it.superseded_by.as_ref()
            .map(|(uuid, value)| json!({ "uuid": uuid, "value": value })),
        "history": history(&it.history),
    });
    extend(&mut value, plain(&known.attribute));
    let phrase = Phrase::from(&known.standing);
    extend(&mut value, state("standing", &known.standing, phrase.detail.as_deref()));
    value
}

fn event_answer(it: &EventAnswer) -> Value {
    let refused = it.event.tags.refused();
    json!({
        "found": "event",
        "found_by": it.found_by.name(),
        "event": head(&it.event),
        "attributes": it.standings,
        "refused_tags": refused
            .map(|(tag, why, _)| json!({ "tag": tag, "detail": why }))
            .collect::<Vec<_>>(),
        "history": history(&it.history),
    })
}

fn head(head: &EventHead) -> Value {
    let mut value = json!({
        "uuid": head.uuid,
        "misp_id": head.misp_id,
        "title": head.fields.info,
        "date": head.fields.date,
        "incident": head.root,
        "published": head.published,
        "publishing": named(plain(&head.publishing)).0,
        "unpublished": head.publishing.unpublished(),
        "marking": head.marking,
    });
    extend(
        &mut value,
        state("presence", &head.presence, Phrase::from(&head.presence).detail.as_deref()),
    );
    value
}

fn history(history: &[(RunNumber, ChangeKind)]) -> Value {
    list(history, |(run, kind)| {
        let mut value = change(kind);
        value["run"] = json!(run);
        value
    })
}

fn one_status(status: &Status) -> Value {
    let record = status.record.as_ref();
    json!({
        "destination": status.destination,
        "url": record.map(|record| &record.url),
        "misp_version": record.map(|record| &record.version),
        "last_run": status.last_run,
        "events": status.events,
        "events_unsettled": status.unsettled,
        "events_publishing": status.publishing,
        "attributes": status.attributes,
        "retired": status.retired,
        "superseded": status.superseded,
        "drifted": status.drifted,
        "exposed": list(&status.exposed, exposure),
        "refused_tags": list(&status.refused_tags, refused_tag),
        "unpublished": list(&status.unpublished, unpublished),
    })
}

fn exposure(it: &Exposure) -> Value {
    let content = it.attribute.as_ref().and_then(|(_, content)| content.as_ref());
    let mut value = json!({
        "event": it.event,
        "title": it.title,
        "uuid": it.attribute.as_ref().map(|(uuid, _)| uuid),
        "type": content.map(|(kind, _)| kind),
        "value": content.map(|(_, value)| value),
    });
    extend(&mut value, state("reason", &it.why, Some(&it.why.to_string())));
    value
}

fn unpublished(it: &Unpublished) -> Value {
    json!({
        "detail": it.why,
        "event_count": it.events,
        "first_event": it.first.0,
        "first_title": it.first.1,
    })
}

fn refused_tag(it: &RefusedTag) -> Value {
    json!({
        "tag": it.tag,
        "detail": it.why,
        "event_count": it.events,
        "first_event": it.first.0,
        "first_title": it.first.1,
    })
}

fn extend(value: &mut Value, more: Value) {
    if let (Value::Object(value), Value::Object(more)) = (value, more) {
        value.extend(more);
    }
}

fn list<T>(items: &[T], each: impl FnMut(&T) -> Value) -> Value {
    Value::Array(items.iter().map(each).collect())
}
