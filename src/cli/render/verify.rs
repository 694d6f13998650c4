//! What `verify` found.

use std::fmt::Write;

use crate::{
    agent::Verified,
    cli::Report,
    delivery::verify::{Difference, LostColour, There},
    model::DestinationName,
};

use super::{
    json::name_of,
    marks::{bad, faint, head, odd},
    words::{Bytes, Clean, Title, line},
};

/// One destination and what was found there.
pub type Outcome = (DestinationName, Result<Verified, Report>);

/// What was found in words, one block for each destination that answered.
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
        line!(out, "  event {} {}", faint(finding.event), head(Title(&finding.info)));
        if finding.there == There::No {
            line!(out, "    {}: deleted, lost, or hidden from this key", bad("is not there"));
        }
        if let Some(why) = &finding.why {
            line!(out, "    MISP does not say what it holds of it: {}", Clean(why));
        }
        if let Some(LostColour { tag, attributes }) = &finding.lost {
            let exposed = bad(format!("{attributes} attributes are exposed"));
            line!(out, "    lacks its tag {}: {exposed}", Clean(tag));
        }
        for Difference { kind, value, drift, tag, .. } in &finding.differences {
            let lacks = tag.as_ref().map(|tag| format!(", lacks its tag {}", Clean(tag)));
            let lacks = lacks.unwrap_or_default();
            let drift = odd(format!("{:<9}", name_of(drift)));
            line!(out, "    {drift} {kind} {}{lacks}", Clean(value));
        }
        if finding.extras > 0 {
            line!(out, "    {} more were added by others, which is no drift", finding.extras);
        }
    }
    let tally = &found.tally;
    let (sent, received) = (Bytes(tally.bytes_sent), Bytes(tally.bytes_received));
    line!(out, "  wire:  {} requests, {sent} sent, {received} received", tally.requests);
}
