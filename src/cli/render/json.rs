//! Answers as JSON. Each has a `schema`; within one version fields are only added.

use serde_json::{Map, Value, json};

use crate::{
    history::{
        ChangeKind, DatasetTally, DestinationTally, RunRecord,
        query::{
            Answer, AttributeAnswer, AttributeChange, Difference, EventAnswer, EventChanges,
            Exposure, Phrase, RefusedTag, Shown, Status, Unpublished, Why,
        },
    },
    misp::Source,
    model::{Marking, RunNumber},
    plan::{AttributeTally, EventHead, Publishing},
};

use super::Detail;

/// `misp-trickle/log/1`: the runs, newest first.
#[must_use]
pub fn log(runs: &[RunRecord]) -> Value {
    json!({ "schema": "misp-trickle/log/1", "runs": list(runs, run) })
}

/// `misp-trickle/show/1`: a run and its changes by event.
#[must_use]
pub fn show(shown: &Shown, detail: Detail) -> Value {
    json!({
        "schema": "misp-trickle/show/1",
        "run": run(&shown.run),
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

/// The record of a run, without a schema of its own.
#[must_use]
pub fn run(run: &RunRecord) -> Value {
    let mut value = json!({
        "id": run.id.to_string(),
        "number": run.number.0,
        "feed": run.feed.as_str(),
        "destination": run.destination.as_str(),
        "begun": run.begun.to_string(),
        "ended": run.ended.map(|time| time.to_string()),
        "source": run.source,
        "source_digest": run.source_digest.map(|digest| digest.to_string()),
        "rules": run.rules.to_string(),
        "outcome": run.outcome.name(),
        "dataset": dataset(&run.dataset),
        "notes": run.notes,
    });
    if let (Value::Object(value), Value::Object(tally)) = (&mut value, tally(&run.tally)) {
        value.extend(tally);
    }
    value
}

/// Requests, bytes, `events` and `attributes` of a run, as `sync --json` gives them for a destination.
#[must_use]
pub fn tally(tally: &DestinationTally) -> Value {
    json!({
        "requests": tally.requests,
        "bytes_sent": tally.bytes_sent,
        "bytes_received": tally.bytes_received,
        "events": {
            "created": tally.events_created,
            "updated": tally.events_updated,
            "unchanged": tally.events_unchanged,
            "held": tally.events_held,
            "blocked": tally.events_blocked,
            "withheld": tally.events_withheld,
        },
        "attributes": attributes(&tally.attributes),
    })
}

/// What a dataset held, as `sync --json` gives it.
#[must_use]
pub fn dataset(dataset: &DatasetTally) -> Value {
    json!({
        "incidents": dataset.incidents,
        "entities": dataset.entities,
        "skipped": dataset.skipped,
        "occurrences": dataset.mapping.occurrences,
        "mapped": dataset.mapping.mapped,
        "merged": dataset.mapping.merged,
        "lost": dataset.mapping.lost.iter()
            .map(|(reason, count)| (reason.to_string(), json!(count)))
            .collect::<Map<_, _>>(),
    })
}

/// Attributes by their result, and the transitions, which are outside the sum.
#[must_use]
pub fn attributes(tally: &AttributeTally) -> Value {
    json!({
        "planned": tally.planned,
        "sent": tally.sent,
        "adopted": tally.adopted,
        "declined": tally.declined,
        "rejected": tally.rejected,
        "withheld": tally.withheld,
        "held": tally.held,
        "blocked": tally.blocked,
        "pending": tally.pending,
        "unchanged": tally.unchanged,
        "superseded": tally.superseded,
        "retired": tally.retired,
        "drifted": tally.drifted,
        "exposed": tally.exposed,
    })
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
    json!({
        "found": "attribute",
        "by": it.found_by.name(),
        "event": head(&it.event),
        "uuid": attribute.uuid.to_string(),
        "type": attribute.kind.name(),
        "category": attribute.category.name(),
        "value": attribute.value.as_str(),
        "to_ids": attribute.to_ids,
        "comment": attribute.comment,
        "first_seen": attribute.first_seen.map(|time| time.to_string()),
        "last_seen": attribute.last_seen.map(|time| time.to_string()),
        "tags": attribute.tags,
        "standing": phrase(&Phrase::from(&it.known.standing), "standing"),
        "since_run": it.known.since.0,
        "overruled": it.known.overruled,
        "exposed": it.known.exposed,
        "marking": marking(it.known.marking),
        "wanted_by": list(&it.wanted_by, |name| json!(name.as_str())),
        "sources": list(&it.known.sources, source),
        "supersedes": list(&it.supersedes, replaced),
        "superseded_by": it.superseded_by.as_ref().map(|(uuid, value)| json!({
            "uuid": uuid.to_string(),
            "value": value.as_ref().map(crate::misp::Value::as_str),
        })),
        "history": history(&it.history),
    })
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
        "marking": marking(head.marking),
    })
}

fn marking(marking: Marking) -> Value {
    json!({ "tlp": marking.tlp.map(crate::model::Tlp::name), "unmarked": marking.unmarked })
}

fn source(source: &Source) -> Value {
    json!({
        "entity": source.entity.as_str(),
        "kind": source.kind.as_str(),
        "rule": source.rule.as_str(),
        "raw": source.raw,
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
        "last_run": status.last_run.as_ref().map(run),
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
        "advice": it.advice,
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
