//! What `verify` found.

use serde::Serialize;

use crate::{
    cli::{Report, render::verify::Outcome},
    delivery::verify::{Difference, Drift, Finding, There},
    model::{AttributeUuid, DestinationName, EventUuid},
};

/// `verify`: what is not as the ledger says; what is as it says is only counted.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/verify/2")]
pub struct VerifyAnswer<'a> {
    /// What was found, by destination.
    pub destinations: Vec<VerifiedDestination<'a>>,
}

impl<'a> VerifyAnswer<'a> {
    /// The answer.
    #[must_use]
    pub fn new(outcomes: &'a [Outcome]) -> Self {
        Self { destinations: outcomes.iter().map(VerifiedDestination::from).collect() }
    }
}

/// What was found at one destination.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum VerifiedDestination<'a> {
    /// MISP was asked.
    Asked(Box<VerifiedView<'a>>),
    /// MISP could not be asked.
    NotAsked(NotVerified<'a>),
}

/// A destination whose MISP could not be asked.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NotVerified<'a> {
    /// The destination.
    pub destination: &'a DestinationName,
    /// Why.
    pub error: &'a Report,
}

/// What was found.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VerifiedView<'a> {
    /// The destination.
    pub destination: &'a DestinationName,
    /// Null: MISP was asked.
    pub error: Option<()>,
    /// Whether anything of ours is not as the ledger says, TLP tags aside.
    pub drifted: bool,
    /// Events that MISP has, as the ledger says.
    pub events_known: u64,
    /// Events that were looked at.
    pub events_checked: u64,
    /// Events that are as the ledger says.
    pub events_proven: u64,
    /// Events about which MISP answers nothing, although it answers other questions.
    pub events_unanswered: u64,
    /// Attributes of ours that are as the ledger says.
    pub attributes_proven: u64,
    /// Attributes that others added since.
    pub attributes_of_others: u64,
    /// Attributes of ours that are there without their TLP tag.
    pub attributes_exposed: u64,
    /// Events of ours that are there without it.
    pub events_exposed: u64,
    /// The deadline passed before all events were looked at.
    pub out_of_time: bool,
    /// The events that are not as the ledger says, those that others added to, and those without an answer.
    pub findings: Vec<FindingView<'a>>,
    /// Requests that were made.
    pub requests: u64,
    /// Bytes that went out, headers included.
    pub bytes_sent: u64,
    /// Bytes that came back.
    pub bytes_received: u64,
    /// What a person should know.
    pub notes: &'a [String],
}

/// What was found of one event.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FindingView<'a> {
    /// The event.
    pub event: EventUuid,
    /// Its title, as the ledger knows it.
    pub title: &'a str,
    /// Whether MISP has it.
    pub presence: Found,
    /// Why nothing is known of it.
    pub detail: Option<&'a str>,
    /// Attributes of ours that are as the ledger says.
    pub attributes_proven: u64,
    /// Attributes that others added since.
    pub attributes_of_others: u64,
    /// Attributes of ours that are there without their TLP tag.
    pub attributes_exposed: u64,
    /// The TLP tag that the event itself lacks.
    pub lacks_tag: Option<&'a str>,
    /// Attributes of ours that are not as the ledger says.
    pub differences: Vec<DifferenceView<'a>>,
}

/// Whether MISP has an event.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It has.
    Present,
    /// It is deleted, lost, or hidden from this key.
    Absent,
    /// MISP answers nothing about it.
    Unknown,
}

/// An attribute of ours that is not as the ledger says.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DifferenceView<'a> {
    /// What became of it, by its name.
    pub difference: Drift,
    /// The attribute's UUID in MISP.
    pub uuid: AttributeUuid,
    /// Its type in MISP.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Its value, as the ledger knows it.
    pub value: &'a str,
    /// The TLP tag of its own that it lost.
    pub lacks_tag: Option<&'a str>,
}

impl<'a> From<&'a Outcome> for VerifiedDestination<'a> {
    fn from((destination, outcome): &'a Outcome) -> Self {
        let found = match outcome {
            Ok(found) => found,
            Err(error) => return Self::NotAsked(NotVerified { destination, error }),
        };
        Self::Asked(Box::new(VerifiedView {
            destination,
            error: None,
            drifted: found.has_drifted(),
            events_known: found.known,
            events_checked: found.events,
            events_proven: found.proven,
            events_unanswered: found.unasked,
            attributes_proven: found.present,
            attributes_of_others: found.extras,
            attributes_exposed: found.exposed,
            events_exposed: found.exposed_events,
            out_of_time: found.out_of_time,
            findings: found.findings.iter().map(FindingView::from).collect(),
            requests: found.tally.requests,
            bytes_sent: found.tally.bytes_sent,
            bytes_received: found.tally.bytes_received,
            notes: &found.notes,
        }))
    }
}

impl<'a> From<&'a Finding> for FindingView<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            event: finding.event,
            title: &finding.info,
            presence: match finding.there {
                There::Yes => Found::Present,
                There::No => Found::Absent,
                There::Unknown => Found::Unknown,
            },
            detail: finding.why.as_deref(),
            attributes_proven: finding.present,
            attributes_of_others: finding.extras,
            attributes_exposed: finding.exposed(),
            lacks_tag: finding.lost.as_ref().map(|lost| &*lost.tag),
            differences: finding.differences.iter().map(DifferenceView::from).collect(),
        }
    }
}

impl<'a> From<&'a Difference> for DifferenceView<'a> {
    fn from(difference: &'a Difference) -> Self {
        Self {
            difference: difference.drift,
            uuid: difference.attribute,
            kind: difference.kind,
            value: &difference.value,
            lacks_tag: difference.tag.as_deref(),
        }
    }
}
