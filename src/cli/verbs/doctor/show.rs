//! The checklist as text and as JSON.

use std::fmt::Write;

use serde::Serialize;

use crate::{
    cli::{
        render::{Clean, Tone, Toned, head, line},
        verbs::doctor::{
            Found,
            finding::{Finding, Outcome},
        },
    },
    config::Destination,
    model::DestinationName,
};

/// For people.
pub(super) fn text(found: &Found<'_>) -> String {
    let mut out = String::new();
    lines(&mut out, &found.store);
    lines(&mut out, &found.source);
    for (destination, findings) in &found.destinations {
        line!(out, "\n{}", head(format_args!("destination {}", destination.name)));
        lines(&mut out, findings);
    }
    out
}

fn lines(out: &mut String, findings: &[Finding]) {
    for Finding { check, outcome, what, cure } in findings {
        let tone = match outcome {
            Outcome::Good => Tone::Good,
            Outcome::Odd => Tone::Odd,
            Outcome::Bad(_) => Tone::Bad,
        };
        let word = Toned(Some(tone), format_args!("{:<8}", outcome.name()));
        line!(out, "{word} {check:<10} {}", Clean(what));
        if let Some(cure) = cure {
            line!(out, "{:<19} -> {}", "", Clean(cure));
        }
    }
}

/// Findings of each kind.
#[cfg(test)]
pub(in crate::cli) fn sample() -> String {
    use crate::cli::Exit;
    let key = "MISP takes the key, whose user me@example.org has the role User";
    let tags = "tlp:amber and tlp:green are not in MISP, and the role may not make them: what is marked so is withheld";
    let cure = "have an administrator make them: Event Actions, List Taxonomies, tlp, enable all of its tags";
    let mut out = String::new();
    lines(&mut out, &[Finding::good("store", "state is free and can be written")]);
    line!(out, "\n{}", head("destination main"));
    let findings = [
        Finding::good("key", key),
        Finding::odd(
            "organisation",
            "events will be of ORGNAME, as a new MISP calls its own",
            cure,
        ),
        Finding::bad("tags", Exit::Refused, tags, cure),
    ];
    lines(&mut out, &findings);
    out
}

/// `doctor`: what was looked at, and how it is.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/doctor/2")]
pub(crate) struct DoctorAnswer<'a> {
    /// Of the store.
    store: Vec<FindingView<'a>>,
    /// Of the sources.
    source: Vec<FindingView<'a>>,
    /// Of each destination.
    destinations: Vec<DestinationFindings<'a>>,
}

/// What was looked at of one destination.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct DestinationFindings<'a> {
    /// The destination.
    destination: &'a DestinationName,
    /// In the order in which they are shown.
    findings: Vec<FindingView<'a>>,
}

/// One line of the checklist.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename = "Check")]
struct FindingView<'a> {
    /// What was looked at, in a word.
    check: &'a str,
    /// How it is.
    state: State,
    /// What was found.
    detail: &'a str,
    /// What to do about it.
    cure: Option<&'a str>,
}

/// How a thing is.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", rename = "CheckState")]
enum State {
    /// As it has to be.
    Ok,
    /// Perhaps not as it was meant.
    Warning,
    /// A run will not do what it is for.
    Fault,
}

/// For programs.
pub(super) fn json<'a>(found: &'a Found<'_>) -> DoctorAnswer<'a> {
    let destination = |(destination, findings): &'a (&Destination, Vec<Finding>)| {
        DestinationFindings { destination: &destination.name, findings: views(findings) }
    };
    DoctorAnswer {
        store: views(&found.store),
        source: views(&found.source),
        destinations: found.destinations.iter().map(destination).collect(),
    }
}

fn views(findings: &[Finding]) -> Vec<FindingView<'_>> {
    findings.iter().map(FindingView::from).collect()
}

impl<'a> From<&'a Finding> for FindingView<'a> {
    fn from(finding: &'a Finding) -> Self {
        let state = match finding.outcome {
            Outcome::Good => State::Ok,
            Outcome::Odd => State::Warning,
            Outcome::Bad(_) => State::Fault,
        };
        Self { check: finding.check, state, detail: &finding.what, cure: finding.cure.as_deref() }
    }
}
