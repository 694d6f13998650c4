//! What MISP's rows say of what the ledger claims.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{AttributeUuid, EventUuid},
    plan::{KnownAttribute, KnownEvent, Row, Standing},
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
    /// Why nothing is known of it.
    pub why: Option<Box<str>>,
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
}

/// What became of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

impl Drift {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Missing => "missing",
            Self::Edited => "edited",
            Self::Restored => "restored",
            Self::Arrived => "arrived",
        }
    }
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
                Some(drift) => finding.differences.push(Difference {
                    attribute: known.attribute.uuid,
                    kind: known.attribute.kind.name(),
                    value: known.attribute.value.as_str().into(),
                    drift,
                }),
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
        self.there == There::Yes && self.differences.is_empty()
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
