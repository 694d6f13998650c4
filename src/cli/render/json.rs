//! Answers as JSON. Each has a `schema`; within one version fields are only added.

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
    model::RunNumber,
    plan::{EventHead, Publishing},
};

use super::Detail;

/// `misp-trickle/log/1`: the runs, newest first.
#[must_use]
pub fn log(runs: &[RunRecord]) -> Value {
    json!({ "schema": "misp-trickle/log/1", "runs": plain(&runs) })
}

/// `misp-trickle/show/1`: a run and its changes by event.
#[must_use]
pub fn show(shown: &Shown, detail: Detail) -> Value {
    json!({
        "schema": "misp-trickle/show/1",
        "run": plain(&shown.run),
        "events": list(&shown.events, |event| changes(event, detail)),
    })
}

/// `misp-trickle/diff/1`: the net changes of several runs by event.
#[must_use]
pub fn diff(difference: &Difference, detail: Detail) -> Value {
    json!({
        "schema": "misp-trickle/diff/1",
        "destination": difference.destination.as_str(),
        "from": difference.from.0,
        "to": difference.to.0,
        "runs": difference.runs,
        "events": list(&difference.events, |event| changes(event, detail)),
    })
}

/// `misp-trickle/why/1`: what each destination's ledger knows of what was asked for.
#[must_use]
pub fn why(asked: &str, found: &[Why]) -> Value {
    let each = |why: &Why| {
        json!({
            "destination": why.destination.as_str(),
            "answers": list(&why.answers, answer),
            "more": why.more,
        })
    };
    json!({ "schema": "misp-trickle/why/1", "asked": asked, "destinations": list(found, each) })
}

/// `misp-trickle/status/1`: how things stand at each destination.
#[must_use]
pub fn status(found: &[Status]) -> Value {
    json!({ "schema": "misp-trickle/status/1", "destinations": list(found, one_status) })
}

/// The record of a run, without a schema of its own, or a part of one: as serde writes it, and so as an export has it.
#[must_use]
pub fn plain(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("the ledger's types are plain values with texts for keys")
}

fn changes(event: &EventChanges, detail: Detail) -> Value {
    let mut value = json!({
        "event": event.event.to_string(),
        "title": event.title,
        "own": list(&event.own, change),
        "counts": event.counts(),
    });
    if detail == Detail::Full {
        value["attributes"] = list(&event.attributes, attribute_change);
    }
    value
}

fn attribute_change(it: &AttributeChange) -> Value {
    let mut value = change(&it.kind);
    value["uuid"] = json!(it.uuid.to_string());
    value["type"] = json!(it.content.as_ref().map(|(kind, _)| kind.name()));
    value["value"] = json!(it.content.as_ref().map(|(_, value)| value.as_str()));
    if let ChangeKind::Superseded(by) = &it.kind {
        let instead = it.instead.as_ref().map(crate::misp::Value::as_str);
        value["superseded_by"] = json!({ "uuid": by.to_string(), "value": instead });
    }
    value
}

fn change(kind: &ChangeKind) -> Value {
    phrase(&Phrase::from(kind), "change")
}

fn phrase(phrase: &Phrase, key: &str) -> Value {
    json!({ key: phrase.word, "detail": phrase.detail })
}

fn answer(answer: &Answer) -> Value {
    match answer {
        Answer::Attribute(it) => attribute_answer(it),
        Answer::Event(it) => event_answer(it),
    }
}

fn attribute_answer(it: &AttributeAnswer) -> Value {
    let attribute = &it.known.attribute;
    let replaced = |(uuid, value): &(crate::model::AttributeUuid, crate::misp::Value)| {
        json!({
            "uuid": uuid.to_string(),
            "value": value.as_str(),
        })
    };
    let mut value = json!({
        "found": "attribute",
        "by": it.found_by.name(),
        "event": head(&it.event),
        "standing": phrase(&Phrase::from(&it.known.standing), "standing"),
        "since_run": it.known.since.0,
        "overruled": it.known.overruled,
        "exposed": it.known.exposed.as_ref().map(ToString::to_string),
        "marking": it.known.marking,
        "wanted_by": it.wanted_by,
        "sources": it.known.sources,
        "supersedes": list(&it.supersedes, replaced),
        "superseded_by": it.superseded_by.as_ref().map(|(uuid, value)| json!({
            "uuid": uuid.to_string(),
            "value": value.as_ref().map(crate::misp::Value::as_str),
        })),
        "history": history(&it.history),
    });
    extend(&mut value, plain(attribute));
    value
}

fn extend(value: &mut Value, more: Value) {
    if let (Value::Object(value), Value::Object(more)) = (value, more) {
        value.extend(more);
    }
}

fn event_answer(it: &EventAnswer) -> Value {
    json!({
        "found": "event",
        "by": it.found_by.name(),
        "event": head(&it.event),
        "attributes": it.standings,
        "refused_tags": it
            .event
            .tags
            .refused()
            .map(|(tag, why, _)| json!({"tag": tag, "why": why}))
            .collect::<Vec<_>>(),
        "history": history(&it.history),
    })
}

fn head(head: &EventHead) -> Value {
    json!({
        "uuid": head.uuid.to_string(),
        "misp_id": head.misp_id,
        "title": head.fields.info,
        "date": head.fields.date,
        "incident": head.root.as_str(),
        "presence": phrase(&Phrase::from(&head.presence), "presence"),
        "published": head.published,
        "publishing": head.publishing == Publishing::Asked,
        "unpublished": head.publishing.unpublished(),
        "marking": head.marking,
    })
}

fn history(history: &[(RunNumber, ChangeKind)]) -> Value {
    list(history, |(run, kind)| {
        let mut value = change(kind);
        value["run"] = json!(run.0);
        value
    })
}

fn one_status(status: &Status) -> Value {
    let record = status.record.as_ref();
    json!({
        "destination": status.destination.as_str(),
        "url": record.map(|record| record.url.as_str()),
        "misp_version": record.map(|record| record.version.as_str()),
        "last_run": status.last_run,
        "events": status.events,
        "unsettled": status.unsettled,
        "attributes": status.attributes,
        "retired": status.retired,
        "superseded": status.superseded,
        "drifted": status.drifted,
        "exposed": list(&status.exposed, exposure),
        "refused_tags": list(&status.refused_tags, refused_tag),
        "publishing": status.publishing,
        "unpublished": list(&status.unpublished, unpublished),
    })
}

fn exposure(it: &Exposure) -> Value {
    let content = it.attribute.as_ref().and_then(|(_, content)| content.as_ref());
    json!({
        "event": it.event.to_string(),
        "title": it.title,
        "uuid": it.attribute.as_ref().map(|(uuid, _)| uuid.to_string()),
        "type": content.map(|(kind, _)| kind.name()),
        "value": content.map(|(_, value)| value.as_str()),
        "advice": it.why.to_string(),
    })
}

fn unpublished(it: &Unpublished) -> Value {
    json!({
        "why": it.why,
        "events": it.events,
        "event": it.first.0.to_string(),
        "title": it.first.1,
    })
}

fn refused_tag(it: &RefusedTag) -> Value {
    json!({
        "tag": it.tag,
        "why": it.why,
        "events": it.events,
        "event": it.first.0.to_string(),
        "title": it.first.1,
    })
}

fn list<T>(items: &[T], each: impl FnMut(&T) -> Value) -> Value {
    Value::Array(items.iter().map(each).collect())
}
