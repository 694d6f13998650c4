//! The checklist as text and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    cli::{
        render::{Clean, line},
        verbs::doctor::{Found, finding::Finding},
    },
    config::Destination,
};

/// For people.
pub(crate) fn text(found: &Found<'_>) -> String {
    let mut out = String::new();
    lines(&mut out, &found.store);
    lines(&mut out, &found.source);
    for (destination, findings) in &found.destinations {
        line!(out, "\ndestination {}", destination.name);
        lines(&mut out, findings);
    }
    out
}

fn lines(out: &mut String, findings: &[Finding]) {
    for Finding { check, outcome, what, cure } in findings {
        line!(out, "{:<8} {check:<10} {}", outcome.name(), Clean(what));
        if let Some(cure) = cure {
            line!(out, "{:<19} -> {}", "", Clean(cure));
        }
    }
}

/// For programs.
pub(crate) fn json(found: &Found<'_>) -> Value {
    let list = |findings: &[Finding]| {
        let each = |finding: &Finding| {
            let Finding { check, outcome, what, cure } = finding;
            json!({ "check": check, "state": outcome.name(), "detail": what, "cure": cure })
        };
        findings.iter().map(each).collect::<Vec<_>>()
    };
    let of_destination = |(destination, findings): &(&Destination, Vec<Finding>)| json!({ "destination": destination.name, "findings": list(findings) });
    let destinations: Vec<Value> = found.destinations.iter().map(of_destination).collect();
    json!({
        "schema": "misp-trickle/doctor/2",
        "store": list(&found.store),
        "source": list(&found.source),
        "destinations": destinations,
    })
}
