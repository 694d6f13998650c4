//! What the dataset wants MISP to hold: the result of mapping, before any policy.

use serde::{Deserialize, Serialize};

use crate::model::{EntityKey, EventUuid, Marking, Symbol};

use super::{Attribute, EventFields};

/// The event that one incident calls for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredEvent {
    /// Identity of the event.
    pub uuid: EventUuid,
    /// The incident: root of its version chain.
    pub root: EntityKey,
    /// The event's own fields.
    pub fields: EventFields,
    /// Where the day among them comes from.
    pub dated: Dated,
    /// The incident's own marking; where policy denies it, nothing of the incident is sent.
    pub marking: Marking,
    /// Whether an event that is not there yet may be created (not for a rejected or deleted incident).
    pub create: bool,
    /// The attributes, sorted by UUID, no two with the same.
    pub attributes: Vec<DesiredAttribute>,
}

/// Where the day of an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dated {
    /// The incident says it.
    Itself,
    /// The incident has no usable time, so another day stands in: an event that is known keeps the one it has.
    StandIn,
}

/// The day that misp-trickle 0.1.0 gave events without a usable time.
pub const UNDATED: &str = "1970-01-01";

/// One attribute that an incident calls for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredAttribute {
    /// The attribute as it would be sent.
    pub attribute: Attribute,
    /// The strictest marking over all its sources and every entity on the path.
    pub marking: Marking,
    /// Where it comes from, sorted.
    pub sources: Vec<Source>,
}

/// One occurrence that an attribute comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Source {
    /// Root of the entity that carries it.
    pub entity: EntityKey,
    /// The observable's kind, or `entity` where the entity itself gave the attribute.
    pub kind: Symbol,
    /// Id of the mapping rule.
    pub rule: Symbol,
    /// The value as it stood in the dataset, where it differs from the normalised one.
    pub raw: Option<Box<str>>,
}
