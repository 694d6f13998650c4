//! What MISP's rows say of what the ledger claims.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    misp::Attribute,
    model::{AttributeUuid, EventUuid},
    plan::{KnownAttribute, KnownEvent, Row, Standing, has_own_colour},
};

/// One event as MISP holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The event.
    pub event: EventUuid,
    /// Its title, as the ledger knows it.
    pub info: Box<str>,
    /// Whether MISP has it at all.
    pub there: There,
    /// Attributes of ours that are there as the ledger says.
    pub present: u64,
    /// Attributes of ours that are not; empty where the event is gone.
    pub differences: Vec<Difference>,
    /// Attributes of others that were not there before. They are no drift.
    pub extras: u64,
    /// The TLP tag that the event itself is to have, and has not.
    pub lost: Option<LostColour>,
    /// Why nothing is known of it.
    pub why: Option<Box<str>>,
}

/// An event lost its colour in MISP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostColour {
    /// The tag.
    pub tag: Box<str>,
    /// How many attributes of ours are there under no colour of their own.
    pub attributes: u64,
}

/// Whether MISP has an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There {
    /// It has.
    Yes,
    /// It is deleted, lost, or hidden from this key.
    No,
    /// MISP answers other questions, and none about this event.
    Unknown,
}

/// One attribute of ours that is not in MISP as the ledger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The attribute's UUID in MISP.
    pub attribute: AttributeUuid,
    /// MISP's type name.
    pub kind: &'static str,
    /// The value, as the ledger knows it.
    pub value: Box<str>,
    /// What became of it.
    pub drift: Drift,
    /// The TLP tag of its own that it lost.
    pub tag: Option<Box<str>>,
}

/// What became of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// An analyst deleted it.
    Deleted,
    /// It is not in the event any more: lost, moved, or deleted for good.
    Missing,
    /// Somebody changed it: its timestamp is another.
    Edited,
    /// An analyst had deleted it, and it is back.
    Restored,
    /// It is there, and the ledger does not know yet.
    Arrived,
    /// It is there without the TLP tag of its own.
    Exposed,
}

impl Finding {
    /// Compares an event with the rows that MISP has of it.
    #[must_use]
    pub(super) fn of(event: &KnownEvent, rows: &[Row]) -> Self {
        let mut left: BTreeMap<AttributeUuid, Row> =
            rows.iter().map(|row| (row.uuid, *row)).collect();
        let mut finding = Self::absent(event);
        finding.there = There::Yes;
        for known in event.attributes.values() {
            let row = left.remove(&known.attribute.uuid);
            match drift(known, row) {
                Some(drift) => finding.differences.push(Difference::of(known, drift)),
                None => finding.present += u64::from(known.standing.is_in_misp()),
            }
        }
        let foreign: BTreeSet<AttributeUuid> =
            event.head.foreign.iter().map(|(_, row)| row.uuid).collect();
        finding.extras = left.keys().filter(|uuid| !foreign.contains(uuid)).count() as u64;
        finding
    }

    /// The event is not there.
    pub(super) fn absent(event: &KnownEvent) -> Self {
        Self {
            event: event.head.uuid,
            info: event.head.fields.info.clone(),
            there: There::No,
            present: 0,
            differences: Vec::new(),
            extras: 0,
            lost: None,
            why: None,
        }
    }

    /// Nothing could be asked about it.
    pub(super) fn unknown(event: &KnownEvent, why: &str) -> Self {
        Self { there: There::Unknown, why: Some(why.into()), ..Self::absent(event) }
    }

    pub(super) fn with_extras(self, extras: u64) -> Self {
        Self { extras, ..self }
    }

    /// Whether MISP holds what the ledger says.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.there == There::Yes && self.differences.is_empty() && self.lost.is_none()
    }

    /// Whether it is another than the ledger says in more than its TLP tags.
    #[must_use]
    pub fn has_drifted(&self) -> bool {
        let is_other = |one: &Difference| one.drift != Drift::Exposed;
        self.there == There::No || self.differences.iter().any(is_other)
    }

    /// How many attributes of ours are there without their TLP tag.
    #[must_use]
    pub fn exposed(&self) -> u64 {
        let own = self.differences.iter().filter(|one| one.drift == Drift::Exposed).count() as u64;
        own + self.lost.as_ref().map_or(0, |lost| lost.attributes)
    }

    /// An attribute is there without the TLP tag of its own.
    pub(super) fn expose(&mut self, event: &KnownEvent, attribute: AttributeUuid, tag: &str) {
        let known = self.differences.iter_mut().find(|one| one.attribute == attribute);
        if let Some(difference) = known {
            (difference.drift, difference.tag) = (Drift::Exposed, Some(tag.into()));
        } else if let Some(known) = event.attributes.get(&attribute) {
            self.present = self.present.saturating_sub(1);
            let drift = Drift::Exposed;
            self.differences
                .push(Difference { tag: Some(tag.into()), ..Difference::of(known, drift) });
        }
    }

    /// The event is there without its TLP tag.
    pub(super) fn lose_colour(&mut self, event: &KnownEvent, tag: Box<str>) {
        let gone = |known: &KnownAttribute| {
            let mut differences = self.differences.iter();
            let is_gone = |drift: Drift| matches!(drift, Drift::Deleted | Drift::Missing);
            differences.any(|one| one.attribute == known.attribute.uuid && is_gone(one.drift))
        };
        let there = event.attributes.values().filter(|known| known.standing.is_in_misp());
        let under = there.filter(|known| !has_own_colour(&known.attribute) && !gone(known));
        self.lost = Some(LostColour { tag, attributes: under.count() as u64 });
    }
}

impl Difference {
    fn of(known: &KnownAttribute, drift: Drift) -> Self {
        let Attribute { uuid, kind, value, .. } = &known.attribute;
        let (kind, value) = (kind.name(), value.as_str().into());
        Self { attribute: *uuid, kind, value, drift, tag: None }
    }
}

fn drift(known: &KnownAttribute, row: Option<Row>) -> Option<Drift> {
    match (row, &known.standing) {
        (None, standing) => standing.is_in_misp().then_some(Drift::Missing),
        (Some(row), Standing::Declined) => (!row.deleted).then_some(Drift::Restored),
        (Some(row), _) if row.deleted => Some(Drift::Deleted),
        (Some(row), Standing::Sent | Standing::Adopted) => {
            (known.timestamp != Some(row.timestamp)).then_some(Drift::Edited)
        }
        (Some(_), _) => Some(Drift::Arrived),
    }
}
