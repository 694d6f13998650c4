//! Occurrences of datasets that did not reach MISP: what is kept of each, where, and from which run to which.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{Context, Encoder, EntityKey, EventUuid, RunNumber, Symbol};

/// Buckets of what belongs to no incident.
pub(crate) const LOSS_BUCKETS: u16 = 4096;

/// An occurrence that gave no attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Loss {
    /// Root of the entity that holds it.
    pub entity: EntityKey,
    /// The observable's kind, or `entity` where the entity itself holds it.
    pub kind: Symbol,
    /// As it stands in the dataset; of a long one what is kept of long texts.
    pub value: Box<str>,
    /// Why, by the name that the accounts have for it.
    pub reason: Symbol,
    /// Why, in words, where there is more to say than the name does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Symbol>,
    /// The mapping rule that took it and could not use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Symbol>,
}

/// A loss, and when it was one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KnownLoss {
    /// The loss.
    #[serde(flatten)]
    pub loss: Loss,
    /// The run in which it came, the last time if it came more than once.
    #[serde(rename = "since_run")]
    pub since: RunNumber,
    /// The run that found it no longer lost so; none while it is.
    #[serde(rename = "until_run", default, skip_serializing_if = "Option::is_none")]
    pub until: Option<RunNumber>,
    /// How it ended; none while it is lost, or where an earlier release ended it, which did not keep that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

impl KnownLoss {
    /// How it ended, in words, of one that is over.
    #[must_use]
    pub fn how_it_ended(&self) -> String {
        let not_kept = || "the reason is not recorded".to_owned();
        self.ended.map_or_else(not_kept, |ended| ended.to_string())
    }
}

/// How a loss ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It gives an attribute.
    Mapped,
    /// The dataset does not have it any more, or no rule takes it from its entity.
    Left,
    /// An incident reaches its entity, which none did.
    Linked,
    /// Its incident does not reach its entity any more.
    Unlinked,
    /// It is lost for another reason.
    Otherwise,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mapped => "it gives an attribute now",
            Self::Left => "the dataset does not have it any more",
            Self::Linked => "an incident reaches its entity now",
            Self::Unlinked => "its incident does not reach its entity any more",
            Self::Otherwise => "it is lost for another reason now",
        })
    }
}

/// All that is kept of the losses of one place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlaceLosses {
    /// Those that are kept one by one, sorted.
    #[serde(rename = "losses")]
    pub known: Vec<KnownLoss>,
    /// Those beside them for which there was no room, as they were last counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<MoreLosses>,
    /// How many were kept, are over, and gave their room to others.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub forgotten: u64,
}

/// Losses that are counted alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoreLosses {
    /// How many.
    pub count: u64,
    /// The first run that counted so many.
    pub run: RunNumber,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl PlaceLosses {
    /// How many there are, or were, that are not kept one by one.
    #[must_use]
    pub fn unkept(&self) -> u64 {
        self.more.map_or(0, |more| more.count).saturating_add(self.forgotten)
    }
}

/// Where losses are kept together: of one feed, by its place at the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LossPlace {
    /// The feed's bit at the destination.
    pub feed: u8,
    /// Of what.
    #[serde(flatten)]
    pub of: LossOf,
}

/// What losses are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossOf {
    /// Of no incident, in the bucket of their values and entities.
    Unlinked(u16),
    /// Of an event.
    Event(EventUuid),
}

impl LossOf {
    /// The bucket of a value of an entity that belongs to no incident: a value that many hold fills none.
    #[must_use]
    pub fn unlinked(entity: &EntityKey, value: &str) -> Self {
        let digest = Encoder::new(Context::Record).text(entity.as_str()).text(value).finish();
        let [high, low, ..] = *digest.as_bytes();
        Self::Unlinked(u16::from_be_bytes([high, low]) % LOSS_BUCKETS)
    }
}
