//! Answers of MISP. Ids and times come as texts, flags as booleans; a field that is not there or not of
//! its kind makes the answer no answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};

use crate::{http::Misread, model::shortened, remote::json::NotMisp};

/// Reads a number that MISP writes as text, or as a number.
fn number<'de, D: Deserializer<'de>, N: std::str::FromStr + TryFrom<i64>>(
    deserializer: D,
) -> Result<N, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
    }
    let wrong = || de::Error::custom("a number was expected");
    match Either::deserialize(deserializer)? {
        Either::Number(number) => N::try_from(number).map_err(|_| wrong()),
        Either::Text(text) => text.parse().map_err(|_| wrong()),
    }
}

fn maybe_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    number(deserializer).map(Some)
}

fn maybe_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    number(deserializer).map(Some)
}

/// The metadata of an event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct EventMetadata {
    /// Numeric id.
    #[serde(deserialize_with = "number")]
    pub(crate) id: u64,
    /// UUID.
    pub(crate) uuid: String,
    /// Title.
    pub(crate) info: String,
    /// Day.
    pub(crate) date: String,
    /// Analysis level.
    #[serde(deserialize_with = "number")]
    pub(crate) analysis: u8,
    /// Last change, seconds since 1970.
    #[serde(deserialize_with = "number")]
    pub(crate) timestamp: i64,
    /// Whether it is published.
    pub(crate) published: bool,
    /// When it was published last, seconds since 1970.
    #[serde(default, deserialize_with = "maybe_time")]
    pub(crate) publish_timestamp: Option<i64>,
    /// Live attributes.
    #[serde(default, deserialize_with = "maybe_number")]
    pub(crate) attribute_count: Option<u64>,
    /// The creating organisation.
    #[serde(default, rename = "Orgc")]
    pub(crate) orgc: Option<OrgAnswer>,
    /// Tags.
    #[serde(default, rename = "Tag")]
    pub(crate) tags: Vec<TagAnswer>,
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct OrgAnswer {
    /// UUID.
    pub(crate) uuid: String,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct TagAnswer {
    /// Name.
    pub(crate) name: String,
}

/// `servers/getVersion`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct VersionAnswer {
    /// Such as `2.5.1`.
    pub(crate) version: String,
    /// Encodings of request bodies; absent before 2.4.140.
    #[serde(default)]
    pub(crate) request_encoding: Vec<String>,
}

/// `users/view/me`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct WhoamiAnswer {
    /// The role's permissions and more.
    #[serde(rename = "Role")]
    pub(crate) role: BTreeMap<String, serde_json::Value>,
    /// The organisation.
    #[serde(rename = "Organisation")]
    pub(crate) organisation: OrgAnswer,
    /// The user.
    #[serde(default, rename = "User")]
    pub(crate) user: BTreeMap<String, serde_json::Value>,
}

/// One attribute in the echo of attributes/add.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct AttributeEcho {
    /// UUID, as it was sent.
    pub(crate) uuid: String,
    /// MISP's number of it.
    #[serde(default)]
    pub(crate) id: serde_json::Value,
    /// Seconds since 1970.
    #[serde(deserialize_with = "number")]
    pub(crate) timestamp: i64,
    /// Names of its tags; for a single attribute they stand beside it.
    #[serde(default, rename = "Tag", deserialize_with = "names")]
    pub(crate) tags: Vec<String>,
}

/// Names of tags. An attribute without tags may have an empty list, or none.
fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let tags = Option::<Vec<TagAnswer>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(tags.into_iter().map(|tag| tag.name).collect())
}

/// A tag as MISP lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct TagListed {
    /// Numeric id.
    #[serde(deserialize_with = "number")]
    pub(crate) id: u64,
    /// Name.
    pub(crate) name: String,
    /// The organisation that alone may use it, or 0.
    #[serde(default, deserialize_with = "number")]
    pub(crate) org_id: u64,
    /// The user who alone may use it, or 0.
    #[serde(default, deserialize_with = "number")]
    pub(crate) user_id: u64,
    /// Whether it is shown.
    #[serde(default = "yes")]
    pub(crate) exportable: bool,
    /// Whether it is for local use only.
    #[serde(default)]
    pub(crate) local_only: bool,
}

const fn yes() -> bool {
    true
}

/// A number that MISP writes as text, or as a number.
#[must_use]
pub(crate) fn as_number(value: &serde_json::Value) -> Option<u64> {
    match value {
        serde_json::Value::Number(number) => number.as_u64(),
        serde_json::Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Errors by field name.
pub(crate) type FieldErrors = BTreeMap<String, Vec<String>>;

/// What attributes/add answers, with 200 or 403.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct AttributesAnswer {
    /// Those that were saved.
    pub(crate) saved: Vec<AttributeEcho>,
    /// Errors of those that were not, by their place in the request.
    pub(crate) errors: BTreeMap<usize, FieldErrors>,
}

/// An answer that says no.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ErrorAnswer {
    /// A short text.
    #[serde(default)]
    pub(crate) name: String,
    /// Usually the same again.
    #[serde(default)]
    pub(crate) message: String,
    /// Text, or errors by field, or by event and field.
    #[serde(default)]
    pub(crate) errors: serde_json::Value,
    /// `false` where validation said no.
    #[serde(default)]
    pub(crate) saved: Option<bool>,
}

impl ErrorAnswer {
    /// What MISP said, in one line and not without end: the errors where there are some, else the message.
    #[must_use]
    pub(crate) fn words(&self) -> String {
        let mut texts = Vec::new();
        collect_texts(&self.errors, &mut texts);
        let text = if !texts.is_empty() {
            texts.join(" ")
        } else if self.message.is_empty() {
            self.name.clone()
        } else {
            self.message.clone()
        };
        // MISP escapes its exceptions for HTML.
        let text = text.replace("&#039;", "'").replace("&quot;", "\"").replace("&amp;", "&");
        shortened(&text).into_owned()
    }
}

fn collect_texts(value: &serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => texts.push(text.clone()),
        serde_json::Value::Array(list) => list.iter().for_each(|each| collect_texts(each, texts)),
        serde_json::Value::Object(map) => map.values().for_each(|each| collect_texts(each, texts)),
        _ => {}
    }
}

fn json<'a, T: Deserialize<'a>>(body: &'a [u8], what: &str) -> Result<T, NotMisp> {
    serde_json::from_slice(body)
        .map_err(|error| NotMisp::misread(&format!("{what}, and "), &Misread::of(body, &error)))
}

#[derive(Deserialize)]
struct Wrapped {
    #[serde(rename = "Event")]
    event: EventMetadata,
}

/// The answer of events/add and events/edit.
///
/// # Errors
/// If it is anything else.
pub(crate) fn event(body: &[u8]) -> Result<EventMetadata, NotMisp> {
    json::<Wrapped>(body, "an event was expected").map(|wrapped| wrapped.event)
}

/// The answer of events/restSearch with metadata for one UUID.
///
/// # Errors
/// If it is anything else.
pub(crate) fn event_search(body: &[u8]) -> Result<Vec<EventMetadata>, NotMisp> {
    #[derive(Deserialize)]
    struct Response {
        response: Vec<Wrapped>,
    }
    let response: Response = json(body, "a list of events was expected")?;
    Ok(response.response.into_iter().map(|wrapped| wrapped.event).collect())
}

/// The answer of servers/getVersion.
///
/// # Errors
/// If it is anything else.
pub(crate) fn version(body: &[u8]) -> Result<VersionAnswer, NotMisp> {
    json(body, "a version was expected")
}

/// The answer of users/view/me.
///
/// # Errors
/// If it is anything else.
pub(crate) fn whoami(body: &[u8]) -> Result<WhoamiAnswer, NotMisp> {
    json(body, "a user was expected")
}

/// The tags in the answer of tags/search.
///
/// # Errors
/// If it is anything else.
pub(crate) fn tags(body: &[u8]) -> Result<Vec<TagListed>, NotMisp> {
    #[derive(Deserialize)]
    struct Found {
        #[serde(rename = "Tag")]
        tag: TagListed,
    }
    let found: Vec<Found> = json(body, "a list of tags was expected")?;
    Ok(found.into_iter().map(|found| found.tag).collect())
}

/// A key as auth_keys/index lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct KeyListed {
    /// Its first characters.
    pub(crate) authkey_start: String,
    /// Its last characters.
    pub(crate) authkey_end: String,
    /// Whether it is for reading only.
    #[serde(default)]
    pub(crate) read_only: bool,
    /// Seconds since 1970, 0 for never.
    #[serde(default, deserialize_with = "number")]
    pub(crate) expiration: i64,
    /// Where it may be used from; none: everywhere.
    #[serde(default)]
    pub(crate) allowed_ips: Option<Vec<String>>,
}

/// The keys in the answer of auth_keys/index.
///
/// # Errors
/// If it is anything else.
pub(crate) fn keys(body: &[u8]) -> Result<Vec<KeyListed>, NotMisp> {
    #[derive(Deserialize)]
    struct Found {
        #[serde(rename = "AuthKey")]
        key: KeyListed,
    }
    let found: Vec<Found> = json(body, "a list of keys was expected")?;
    Ok(found.into_iter().map(|found| found.key).collect())
}

/// The numbers in the answer of sharing_groups/index.
///
/// # Errors
/// If it is anything else.
pub(crate) fn sharing_groups(body: &[u8]) -> Result<Vec<u64>, NotMisp> {
    #[derive(Deserialize)]
    struct Numbered {
        #[serde(deserialize_with = "number")]
        id: u64,
    }
    #[derive(Deserialize)]
    struct Found {
        #[serde(rename = "SharingGroup")]
        group: Numbered,
    }
    #[derive(Deserialize)]
    struct Response {
        response: Vec<Found>,
    }
    let found: Response = json(body, "a list of sharing groups was expected")?;
    Ok(found.response.into_iter().map(|found| found.group.id).collect())
}

/// An event as a minimal events/index lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct EventIndexed {
    /// UUID.
    pub(crate) uuid: String,
    /// Whether it is published.
    #[serde(default)]
    pub(crate) published: bool,
    /// UUID of the creating organisation.
    #[serde(default)]
    pub(crate) orgc_uuid: Option<String>,
}

/// The events in the answer of a minimal events/index.
///
/// # Errors
/// If it is anything else.
pub(crate) fn event_index(body: &[u8]) -> Result<Vec<EventIndexed>, NotMisp> {
    json(body, "a list of events was expected")
}

/// An answer that says no, as MISP does: with a name, or with what was not saved. Others answer in JSON, too.
///
/// # Errors
/// If it is anything else.
pub(crate) fn errors(body: &[u8]) -> Result<ErrorAnswer, NotMisp> {
    let answer: ErrorAnswer = json(body, "an error message was expected")?;
    match answer.name.is_empty() && answer.saved.is_none() {
        true => Err(NotMisp::new("an error message of MISP was expected".to_owned())),
        false => Ok(answer),
    }
}

impl AttributesAnswer {
    /// Reads what attributes/add answers to a request of `count` attributes: a single attribute, a list,
    /// errors by place, or the errors of a single one without a place.
    ///
    /// # Errors
    /// If it is anything else, or speaks of a place beyond the request.
    pub(crate) fn read(body: &[u8], count: usize) -> Result<Self, NotMisp> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Saved {
            Many(Vec<AttributeEcho>),
            One(Box<AttributeEcho>),
        }
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "Attribute")]
            saved: Option<Saved>,
            errors: Option<BTreeMap<String, serde_json::Value>>,
            #[serde(default, rename = "AttributeTag")]
            tags: serde_json::Value,
        }
        let answer: Answer = json(body, "saved attributes were expected")?;
        let saved = match answer.saved {
            Some(Saved::Many(list)) => list,
            Some(Saved::One(mut one)) => {
                one.tags.extend(attached(&answer.tags));
                vec![*one]
            }
            None => Vec::new(),
        };
        let mut errors = BTreeMap::new();
        for (name, value) in answer.errors.unwrap_or_default() {
            let (place, fields) = match name.strip_prefix("attribute_") {
                Some(place) => {
                    let place = place.parse().ok().filter(|place| *place < count);
                    let place = place.ok_or_else(|| NotMisp::new(format!("errors of {name}")))?;
                    (place, fields(&value))
                }
                // An array of exactly one failing item is answered like a single attribute.
                None if count == 1 => (0, [(name, texts(&value))].into()),
                None => return Err(NotMisp::new(format!("errors of the field {name}"))),
            };
            errors.entry(place).or_insert_with(FieldErrors::new).extend(fields);
        }
        if saved.is_empty() && errors.is_empty() {
            return Err(NotMisp::new("neither attributes nor errors"));
        }
        Ok(Self { saved, errors })
    }
}

/// Names of the tags that stand beside a single attribute.
fn attached(tags: &serde_json::Value) -> Vec<String> {
    let each: Vec<&serde_json::Value> = match tags {
        serde_json::Value::Array(list) => list.iter().collect(),
        serde_json::Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    };
    let names = each.iter().filter_map(|attached| attached.pointer("/Tag/name")?.as_str());
    names.map(str::to_owned).collect()
}

fn fields(value: &serde_json::Value) -> FieldErrors {
    let serde_json::Value::Object(map) = value else {
        return [("value".to_owned(), texts(value))].into();
    };
    map.iter().map(|(name, value)| (name.clone(), texts(value))).collect()
}

fn texts(value: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    collect_texts(value, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_success_is_read_by_place() {
        let body = br#"{"Attribute":{"uuid":"u","timestamp":"17"},"AttributeTag":[],
            "errors":{"attribute_1":{"value":["IP address has an invalid format."]}}}"#;
        let answer = AttributesAnswer::read(body, 2).unwrap();
        assert_eq!(answer.saved.len(), 1);
        assert_eq!(answer.errors[&1]["value"], ["IP address has an invalid format."]);
        assert!(AttributesAnswer::read(body, 1).is_err(), "a place beyond the request");
    }

    #[test]
    fn a_single_failure_has_no_place() {
        let body = br#"{"saved":false,"errors":{"uuid":["The UUID provided is not unique"]}}"#;
        let answer = AttributesAnswer::read(body, 1).unwrap();
        assert_eq!(answer.errors[&0]["uuid"], ["The UUID provided is not unique"]);
        assert!(AttributesAnswer::read(body, 2).is_err());
    }

    #[test]
    fn html_and_half_json_are_no_answers() {
        for body in [&b"<html>"[..], b"", b"{\"Event\":{", b"{}", b"{\"Event\":{\"id\":\"x\"}}"] {
            assert!(event(body).is_err());
        }
    }

    #[test]
    fn words_are_unescaped() {
        let body = br#"{"name":"x","message":"It&#039;s no."}"#;
        assert_eq!(errors(body).unwrap().words(), "It's no.");
    }
}
