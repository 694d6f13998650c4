//! What `verify` found.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    agent::Verified,
    cli::Report,
    delivery::verify::{Difference, Finding, LostColour, There},
    model::DestinationName,
};

use super::words::{Bytes, Clean, line};

/// One destination and what was found there.
pub type Outcome = (DestinationName, Result<Verified, Report>);

/// `misp-trickle/verify/2`. Events that are as the ledger says are only counted.
#[must_use]
pub fn json(outcomes: &[Outcome]) -> Value {
    let destinations: Vec<Value> =
        outcomes.iter().map(|(name, outcome)| one_json(name, outcome)).collect();
    json!({ "schema": "misp-trickle/verify/2", "destinations": destinations })
}

fn one_json(name: &DestinationName, outcome: &Result<Verified, Report>) -> Value {
    match outcome {
        Ok(found) => json!({
            "destination": name,
            "error": null,
            "drifted": found.has_drifted(),
            "events_known": found.known,
            "events_checked": found.events,
            "events_proven": found.proven,
            "events_unanswered": found.unasked,
            "attributes_proven": found.present,
            "attributes_of_others": found.extras,
            "attributes_exposed": found.exposed,
            "events_exposed": found.exposed_events,
            "out_of_time": found.out_of_time,
            "findings": found.findings.iter().map(finding).collect::<Vec<_>>(),
            "requests": found.tally.requests,
            "bytes_sent": found.tally.bytes_sent,
            "bytes_received": found.tally.bytes_received,
            "notes": found.notes,
        }),
        Err(error) => json!({ "destination": name, "error": error }),
    }
}

fn finding(finding: &Finding) -> Value {
    let difference = |one: &Difference| {
        let Difference { attribute, kind, value, drift, tag } = one;
        json!({
            "difference": drift.name(),
            "uuid": attribute,
            "type": kind,
            "value": value,
            "lacks_tag": tag,
        })
    };
    json!({
        "event": finding.event,
        "title": finding.info,
        "presence": match finding.there {
            There::Yes => "present",
            There::No => "absent",
            There::Unknown => "unknown",
        },
        "detail": finding.why,
        "attributes_proven": finding.present,
        "attributes_of_others": finding.extras,
        "attributes_exposed": finding.exposed(),
        "lacks_tag": finding.lost.as_ref().map(|lost| &*lost.tag),
        "differences": finding.differences.iter().map(difference).collect::<Vec<_>>(),
    })
}

/// The same in words, one block for each destination that answered.
#[must_use]
pub fn text(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    let answered = outcomes.iter().filter_map(|(name, one)| Some((name, one.as_ref().ok()?)));
    for (place, (name, found)) in answered.enumerate() {
        if place > 0 {
            line!(out);
        }
        one_text(&mut out, name, found);
    }
    out
}

fn one_text(out: &mut String, name: &DestinationName, found: &Verified) {
    let Verified { known, events, proven, present, .. } = found;
    line!(
        out,
        "{name}: {proven} of {events} events proven, {present} attributes; {known} are known"
    );
    for finding in &found.findings {
        line!(out, "  event {} {}", finding.event, Clean(&finding.info));
        if finding.there == There::No {
            line!(out, "    is not there: deleted, lost, or hidden from this key");
        }
        if let Some(why) = &finding.why {
            line!(out, "    MISP does not say what it holds of it: {}", Clean(why));
        }
        if let Some(LostColour { tag, attributes }) = &finding.lost {
            line!(out, "    lacks its tag {}: {attributes} attributes are exposed", Clean(tag));
        }
        for Difference { kind, value, drift, tag, .. } in &finding.differences {
            let lacks = tag.as_ref().map(|tag| format!(", lacks its tag {}", Clean(tag)));
            let lacks = lacks.unwrap_or_default();
            line!(out, "    {:<9} {kind} {}{lacks}", drift.name(), Clean(value));
        }
        if finding.extras > 0 {
            line!(out, "    {} more were added by others, which is no drift", finding.extras);
        }
    }
    let tally = &found.tally;
    let (sent, received) = (Bytes(tally.bytes_sent), Bytes(tally.bytes_received));
    line!(out, "  wire:  {} requests, {sent} sent, {received} received", tally.requests);
}
