//! MISP attributes and events as values in canonical form.

use crate::model::{AttributeUuid, Context, Digest, Encoder, EventUuid, Timestamp};

use super::{AttributeType, Category, Value};

/// A simple MISP attribute, in the form MISP would store it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Identity; see [`attribute_uuid`](super::attribute_uuid).
    pub uuid: AttributeUuid,
    /// MISP's `type`.
    pub kind: AttributeType,
    /// One of the categories that the type allows.
    pub category: Category,
    /// The normalised value.
    pub value: Value,
    /// Whether MISP exports it to detection systems.
    pub to_ids: bool,
    /// Context for people; empty if there is none.
    pub comment: Box<str>,
    /// When it was first seen.
    pub first_seen: Option<Timestamp>,
    /// When it was last seen; never before `first_seen`.
    pub last_seen: Option<Timestamp>,
    /// Tag names, sorted, without doubles.
    pub tags: Vec<Box<str>>,
}

impl Attribute {
    /// Digest over all fields.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let seen = |encoder: &mut Encoder, time: Timestamp| {
            encoder.i64(time.micros());
        };
        Encoder::new(Context::Attribute)
            .bytes(self.uuid.uuid().as_bytes())
            .text(self.kind.name())
            .text(self.category.name())
            .text(self.value.as_str())
            .flag(self.to_ids)
            .text(&self.comment)
            .option(self.first_seen, seen)
            .option(self.last_seen, seen)
            .list(self.tags.iter(), |encoder, tag| {
                encoder.text(tag);
            })
            .finish()
    }
}

/// The fields of a MISP event that are not attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFields {
    /// The title; never empty (MISP refuses an empty one).
    pub info: Box<str>,
    /// The day, `YYYY-MM-DD`, not before 1600-01-01.
    pub date: Box<str>,
    /// 0 initial, 1 ongoing, 2 complete.
    pub analysis: u8,
    /// Tag names, sorted, without doubles.
    pub tags: Vec<Box<str>>,
}

/// A MISP event with its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Identity; see [`event_uuid`](super::event_uuid).
    pub uuid: EventUuid,
    /// Its own fields.
    pub fields: EventFields,
    /// Its attributes, sorted by UUID.
    pub attributes: Vec<Attribute>,
}

impl Event {
    /// Digest over the event's own fields and the sorted digests of its attributes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut leaves: Vec<Digest> = self.attributes.iter().map(Attribute::digest).collect();
        leaves.sort_unstable();
        Encoder::new(Context::Event)
            .bytes(self.uuid.uuid().as_bytes())
            .text(&self.fields.info)
            .text(&self.fields.date)
            .u64(self.fields.analysis.into())
            .list(self.fields.tags.iter(), |encoder, tag| {
                encoder.text(tag);
            })
            .list(leaves.iter(), |encoder, leaf| {
                encoder.digest(leaf);
            })
            .finish()
    }
}
