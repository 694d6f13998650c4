//! MISP attributes and events as values in canonical form.

use serde::{Deserialize, Serialize};

use crate::model::{AttributeUuid, Context, Digest, Encoder, EventUuid, Timestamp};

use super::{AttributeType, Category, Value, attribute_uuid};

/// A simple MISP attribute, in the form MISP would store it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Attribute {
    /// Identity: `attribute_uuid` gives it.
    pub uuid: AttributeUuid,
    /// MISP's `type`.
    #[serde(rename = "type")]
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
    /// One with nothing but its value: all else is as its type has it.
    #[must_use]
    pub fn plain(event: EventUuid, kind: AttributeType, value: Value) -> Self {
        Self {
            uuid: attribute_uuid(event, kind, &value),
            kind,
            category: kind.default_category(),
            value,
            to_ids: kind.default_to_ids(),
            comment: "".into(),
            first_seen: None,
            last_seen: None,
            tags: Vec::new(),
        }
    }

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::misp::{attribute_uuid, normalise};

    fn attribute(event: EventUuid, value: &str) -> Attribute {
        let kind = AttributeType::named("domain").expect("one of MISP's types");
        let value = normalise(kind, value).expect("a domain");
        Attribute {
            uuid: attribute_uuid(event, kind, &value),
            kind,
            category: kind.default_category(),
            value,
            to_ids: true,
            comment: "seen".into(),
            first_seen: Some(Timestamp::from_seconds(1)),
            last_seen: None,
            tags: vec!["tlp:red".into()],
        }
    }

    fn event() -> Event {
        let uuid = "13cb1207-0674-4a54-a999-df5ff8e35c1a".parse().expect("a UUID");
        Event {
            uuid,
            fields: EventFields {
                info: "Ebb".into(),
                date: "2024-05-14".into(),
                analysis: 1,
                tags: vec!["tlp:green".into()],
            },
            attributes: vec![attribute(uuid, "a.example"), attribute(uuid, "b.example")],
        }
    }

    /// The ledger compares with digests of earlier versions of the program.
    #[test]
    fn digests_are_frozen() {
        let event = event();
        assert_eq!(event.attributes[0].digest().short(), "b93ca8e33bde");
        assert_eq!(event.digest().short(), "471e6b23bc07");
    }

    #[test]
    fn the_order_of_attributes_is_no_part_of_an_event() {
        let mut turned = event();
        turned.attributes.reverse();
        assert_eq!(turned.digest(), event().digest());
    }

    #[test]
    fn every_field_counts() {
        let base = event();
        let changes: [fn(&mut Event); 8] = [
            |event| event.fields.info = "Flow".into(),
            |event| event.fields.analysis = 2,
            |event| event.fields.tags.clear(),
            |event| event.attributes[0].to_ids = false,
            |event| event.attributes[0].comment = "".into(),
            |event| event.attributes[0].last_seen = Some(Timestamp::from_seconds(1)),
            |event| event.attributes[0].tags.clear(),
            |event| drop(event.attributes.pop()),
        ];
        for change in changes {
            let mut changed = base.clone();
            change(&mut changed);
            assert_ne!(changed.digest(), base.digest());
        }
    }
}
