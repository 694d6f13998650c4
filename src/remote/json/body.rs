//! Bodies of requests. Fields that would say what MISP takes by default anyway are left out: every byte
//! counts on a thin link.

use serde::Serialize;

use crate::{
    misp::{Attribute, EventFields},
    model::{EventUuid, Timestamp},
};

/// An attribute in a request. The order of the fields is that which packs best: what differs from attribute to
/// attribute stands together, and what is alike makes one long run.
#[derive(Debug, Serialize)]
pub(crate) struct AttributeBody<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'a str>,
    value: &'a str,
    uuid: String,
    timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_ids: Option<u8>,
    #[serde(skip_serializing_if = "str::is_empty")]
    comment: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_correlation: Option<u8>,
    #[serde(rename = "Tag", skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagBody<'a>>,
}

#[derive(Debug, Serialize)]
struct TagBody<'a> {
    name: &'a str,
}

impl<'a> AttributeBody<'a> {
    /// The attribute with its timestamp, in seconds since 1970.
    #[must_use]
    pub(crate) fn new(attribute: &'a Attribute, timestamp: i64, correlate: bool) -> Self {
        let kind = attribute.kind;
        let default = attribute.category == kind.default_category();
        Self {
            kind: kind.name(),
            category: (!default).then(|| attribute.category.name()),
            value: attribute.value.as_str(),
            uuid: attribute.uuid.to_string(),
            timestamp,
            to_ids: Some(u8::from(attribute.to_ids)),
            comment: &attribute.comment,
            first_seen: attribute.first_seen.map(seen),
            last_seen: attribute.last_seen.map(seen),
            disable_correlation: (!correlate).then_some(1),
            tags: tag_bodies(&attribute.tags),
        }
    }

    /// The same for attributes/add, which takes the type's own `to_ids` where none is named (MISP 2.5.1); of
    /// events/edit that is not known.
    #[must_use]
    pub(crate) fn for_add(attribute: &'a Attribute, timestamp: i64, correlate: bool) -> Self {
        let body = Self::new(attribute, timestamp, correlate);
        let is_default = attribute.to_ids == attribute.kind.default_to_ids();
        Self { to_ids: body.to_ids.filter(|_| !is_default), ..body }
    }
}

/// Full ISO 8601 in UTC, the only form that MISP does not read as something else.
fn seen(time: Timestamp) -> String {
    time.to_string()
}

fn tag_bodies(tags: &[Box<str>]) -> Vec<TagBody<'_>> {
    tags.iter().map(|name| TagBody { name }).collect()
}

/// An event in a request: to be created, or with what of it changes.
#[derive(Debug, Serialize, Default)]
pub(crate) struct EventBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uuid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    analysis: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threat_level_id: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distribution: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sharing_group_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_correlation: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
    #[serde(rename = "Tag", skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagBody<'a>>,
    #[serde(rename = "Attribute", skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<AttributeBody<'a>>,
}

#[derive(Serialize)]
struct Wrapped<'a> {
    #[serde(rename = "Event")]
    event: &'a EventBody<'a>,
}

fn bytes(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("plain structs with text keys always serialise")
}

/// Body of events/add.
#[must_use]
pub(crate) fn new_event<'a>(
    uuid: EventUuid,
    fields: &'a EventFields,
    (distribution, sharing_group_id): (u8, Option<u64>),
    threat_level_id: u8,
    correlate: bool,
    attributes: Vec<AttributeBody<'a>>,
) -> Vec<u8> {
    let event = EventBody {
        uuid: Some(uuid.to_string()),
        info: Some(&fields.info),
        date: Some(&fields.date),
        analysis: Some(fields.analysis),
        threat_level_id: Some(threat_level_id),
        distribution: Some(distribution),
        sharing_group_id,
        disable_correlation: (!correlate).then_some(1),
        timestamp: None,
        tags: tag_bodies(&fields.tags),
        attributes,
    };
    bytes(&Wrapped { event: &event })
}

/// Body of events/edit: what of the event changes, or attributes to add.
#[must_use]
pub(crate) fn edit<'a>(
    info: Option<&'a str>,
    date: Option<&'a str>,
    analysis: Option<u8>,
    timestamp: Option<i64>,
    attributes: Vec<AttributeBody<'a>>,
) -> Vec<u8> {
    let event = EventBody { info, date, analysis, timestamp, attributes, ..EventBody::default() };
    // Unwrapped bodies work as well (MISP 2.5.1) and are shorter.
    bytes(&event)
}

/// Body of attributes/add: a single attribute is sent as such, several as a list.
#[must_use]
pub(crate) fn attributes(attributes: &[AttributeBody<'_>]) -> Vec<u8> {
    match attributes {
        [single] => bytes(single),
        several => bytes(&several),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::misp::{AttributeType, Value};

    #[test]
    fn defaults_are_left_out() {
        let event: EventUuid = "13cb1207-0674-4a54-a999-df5ff8e35c1a".parse().unwrap();
        let plain = |kind| {
            let kind = AttributeType::named(kind).unwrap();
            Attribute::plain(event, kind, Value::stored("198.51.100.7"))
        };
        let text = |body: AttributeBody<'_>| String::from_utf8(attributes(&[body])).unwrap();
        for (kind, to_ids) in [("ip-dst", true), ("text", false)] {
            let mut attribute = plain(kind);
            let known = format!(
                r#"{{"type":"{kind}","value":"198.51.100.7","uuid":"{}","timestamp":1700000000"#,
                attribute.uuid
            );
            let all = format!("{known},\"to_ids\":{}}}", u8::from(to_ids));
            assert_eq!(text(AttributeBody::new(&attribute, 1_700_000_000, true)), all);
            let short = format!("{known}}}");
            assert_eq!(text(AttributeBody::for_add(&attribute, 1_700_000_000, true)), short);
            attribute.to_ids = !to_ids;
            let other = format!("{known},\"to_ids\":{}}}", u8::from(!to_ids));
            assert_eq!(text(AttributeBody::for_add(&attribute, 1_700_000_000, true)), other);
        }
    }
}
