//! What stands in STIX objects has to be in the facts: every scalar of a cyber-observable object as a value or a
//! loss, every reference as a relation, and no kind that nobody knows. Worked out from the JSON, by rules
//! that are written down here anew.

use std::{collections::BTreeSet, sync::LazyLock};

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Number, Value, json};

use misp_trickle::{
    format,
    graph::{Entity, Facts},
    model::EntityKey,
};

use super::dataset;

/// Types of cyber-observable objects.
const OBSERVABLE: [&str; 24] = [
    "artifact",
    "autonomous-system",
    "directory",
    "domain-name",
    "email-addr",
    "email-message",
    "file",
    "ipv4-addr",
    "ipv6-addr",
    "mac-addr",
    "mutex",
    "network-traffic",
    "process",
    "software",
    "url",
    "user-account",
    "windows-registry-key",
    "x509-certificate",
    "bank-account",
    "credential",
    "hostname",
    "payment-card",
    "user-agent",
    "x-opencti-hostname",
];

/// Objects that are no entities.
const NO_ENTITIES: [&str; 4] =
    ["relationship", "marking-definition", "extension-definition", "language-content"];

/// Properties of an object that are of its record.
const OF_THE_RECORD: [&str; 14] = [
    "type",
    "id",
    "spec_version",
    "defanged",
    "created",
    "modified",
    "created_by_ref",
    "revoked",
    "confidence",
    "lang",
    "labels",
    "object_marking_refs",
    "granular_markings",
    "external_references",
];

/// Properties that say how another one is written.
const OF_OTHERS: [&str; 4] = ["data_type", "extension_type", "name_enc", "path_enc"];

/// Names of properties that objects are made of, those above left out.
const PROPERTIES: [&str; 28] = [
    "value",
    "name",
    "hashes",
    "SHA-256",
    "SHA3-512",
    "MD5",
    "subject",
    "body",
    "message_id",
    "additional_header_fields",
    "X-Mailer",
    "received_lines",
    "command_line",
    "path",
    "key",
    "values",
    "data",
    "number",
    "rir",
    "dst_port",
    "size",
    "protocols",
    "account_type",
    "integrity_level",
    "iban",
    "extensions",
    "x_opencti_score",
    "of tomorrow",
];

/// Names of references.
const REFERENCES: [&str; 8] = [
    "from_ref",
    "to_refs",
    "src_ref",
    "image_ref",
    "content_ref",
    "sample_refs",
    "event_ref",
    "of_tomorrow_refs",
];

/// A bundle of objects with properties of all shapes: all of it is JSON, and nothing damaged.
pub(super) fn bundle(input: &mut Unstructured<'_>) -> Result<String> {
    let id = |object_type: &str, number: u8| {
        format!("{object_type}--00000000-0000-4000-8000-00000000000{number}")
    };
    let mut objects = Vec::new();
    for number in 0..input.int_in_range(1..=6_u8)? {
        let others = ["malware", "event", "incident", "x-custom"];
        let object_type = if input.ratio(1, 4)? {
            *input.choose(&others)?
        } else {
            *input.choose(&OBSERVABLE)?
        };
        let mut object = properties(input, 0)?;
        object.insert("type".to_owned(), json!(object_type));
        object.insert("id".to_owned(), json!(id(object_type, number)));
        for _ in 0..input.int_in_range(0..=2_u8)? {
            let target = id(input.choose(&OBSERVABLE)?, input.int_in_range(0..=6)?);
            let target = if input.arbitrary()? { json!(target) } else { json!([target, "x--1"]) };
            object.insert((*input.choose(&REFERENCES)?).to_owned(), target);
        }
        objects.push(Value::Object(object));
    }
    Ok(json!({"type": "bundle", "objects": objects}).to_string())
}

fn properties(input: &mut Unstructured<'_>, depth: u8) -> Result<Map<String, Value>> {
    let mut properties = Map::new();
    for _ in 0..input.int_in_range(0..=5_u8)? {
        let name = match input.int_in_range(0..=9_u8)? {
            0 => *input.choose(&OF_OTHERS)?,
            1 => *input.choose(&OF_THE_RECORD[7..12])?,
            _ => *input.choose(&PROPERTIES)?,
        };
        let is_dictionary = matches!(name, "additional_header_fields" | "hashes" | "extensions");
        let value = match is_dictionary && depth < 3 && input.ratio(2, 3)? {
            true => Value::Object(self::properties(input, depth + 1)?),
            false => value(input, depth)?,
        };
        properties.insert(name.to_owned(), value);
    }
    Ok(properties)
}

fn value(input: &mut Unstructured<'_>, depth: u8) -> Result<Value> {
    Ok(match input.int_in_range(0..=12_u8)? {
        0 if depth < 3 => Value::Object(properties(input, depth + 1)?),
        1 if depth < 3 => json!([value(input, depth + 1)?, value(input, depth + 1)?]),
        2 => json!(input.arbitrary::<bool>()?),
        3 => json!(input.arbitrary::<i32>()?),
        4 => Value::Null,
        5 => json!("x".repeat(2_000)),
        // Written with a point.
        6 => json!(f64::from(input.arbitrary::<i16>()?) / f64::from(input.int_in_range(1..=4_u8)?)),
        _ => json!(dataset::text(input)?),
    })
}

static KINDS: LazyLock<BTreeSet<String>> = LazyLock::new(format::kinds);

/// Looks for what stands in the bundles of a text, and says how many values and references it looked for.
///
/// # Panics
/// If something is missing.
pub(super) fn check(text: &[u8], facts: &Facts) -> [usize; 2] {
    let mut sought = [0, 0];
    for entity in &facts.entities {
        for observable in &entity.observables {
            let kind = observable.kind.as_str();
            assert!(KINDS.contains(kind) || kind.ends_with("-pattern"), "nobody knows {kind:?}");
        }
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let documents = serde_json::Deserializer::from_slice(text).into_iter::<Value>();
    for document in documents.map_while(std::result::Result::ok).filter(|it| it["type"] == "bundle")
    {
        let objects = document["objects"].as_array().map_or(&[][..], Vec::as_slice);
        for object in objects {
            let [values, references] = is_told(object, objects, facts);
            sought = [sought[0] + values, sought[1] + references];
        }
    }
    sought
}

fn is_told(object: &Value, objects: &[Value], facts: &Facts) -> [usize; 2] {
    let text = |name: &str| object[name].as_str().unwrap_or_default();
    let (object_type, id) = (text("type").to_ascii_lowercase(), text("id"));
    if object_type.is_empty() || id.is_empty() || NO_ENTITIES.contains(&&*object_type) {
        return [0, 0];
    }
    let key = EntityKey::whole(id);
    let versions: Vec<&Entity> =
        facts.entities.iter().filter(|it| it.key == key && *it.kind == *object_type).collect();
    if versions.is_empty() {
        assert!(facts.skipped > 0, "{object} is neither there nor left out");
        return [0, 0];
    }
    let mut said = Said::of(&object_type, object);
    if OBSERVABLE.contains(&&*object_type) {
        for value in &said.values {
            assert!(versions.iter().any(|it| holds(it, value)), "{value:?} of {object} is lost");
        }
    }
    // Of several versions the newest speaks.
    let same = |other: &&Value| other["id"].as_str().is_some_and(|it| EntityKey::whole(it) == key);
    if objects.iter().filter(same).count() > 1 {
        said.references.clear();
    }
    for (kind, target) in &said.references {
        let target = EntityKey::whole(target);
        let is_there = facts.relations.iter().any(|relation| {
            (&relation.source, &relation.target) == (&key, &target) && *relation.kind == **kind
        });
        assert!(is_there || facts.skipped > 0, "{kind} of {object} is no relation");
    }
    [if OBSERVABLE.contains(&&*object_type) { said.values.len() } else { 0 }, said.references.len()]
}

/// Whether an entity has a value, as an observable or as a loss, which may be cut.
fn holds(entity: &Entity, value: &str) -> bool {
    let observed =
        |held: &str| held == value || held.split_once(": ").is_some_and(|(_, text)| text == value);
    let lost = |held: &str| {
        held == value || held.strip_suffix('\u{2026}').is_some_and(|start| value.starts_with(start))
    };
    entity.observables.iter().any(|it| observed(&it.value))
        || entity.unusable.iter().any(|it| lost(&it.value))
}

/// What an object says.
#[derive(Default)]
struct Said {
    values: Vec<String>,
    /// Name of the property and id.
    references: Vec<(String, String)>,
}

impl Said {
    fn of(object_type: &str, object: &Value) -> Self {
        let mut said = Self::default();
        let properties = object.as_object().into_iter().flatten();
        for (name, inside) in properties.filter(|(name, _)| !OF_THE_RECORD.contains(&name.as_str()))
        {
            // What STIX 2.0 observed refers to itself.
            if !(object_type == "observed-data" && name == "objects") {
                said.inside(name, inside);
            }
        }
        said
    }

    fn inside(&mut self, name: &str, value: &Value) {
        if name.starts_with("x_opencti_") || OF_OTHERS.contains(&name) {
            return;
        }
        let text = match value {
            Value::Object(properties) => {
                return properties.iter().for_each(|(name, value)| self.inside(name, value));
            }
            Value::Array(items) => return items.iter().for_each(|item| self.inside(name, item)),
            Value::Null | Value::Bool(_) => return,
            Value::String(text) => text.clone(),
            Value::Number(number) => written(number),
        };
        if name.ends_with("_ref") || name.ends_with("_refs") {
            let none = ["created_by_ref", "object_marking_refs", "marking_ref", "granted_refs"];
            let target = text.split("--").next().unwrap_or_default();
            if !none.contains(&name) && !target.is_empty() && !NO_ENTITIES.contains(&target) {
                self.references.push((name.to_owned(), text));
            }
        } else if !text.trim().is_empty() {
            self.values.push(text);
        }
    }
}

/// A number as a value: without a point where it is whole.
fn written(number: &Number) -> String {
    let text = number.to_string();
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeded;
    use misp_trickle::{format::Format, model::Symbol};

    /// A check that never sees the interesting cases holds for nothing.
    #[test]
    fn seeds_reach_values_and_references() {
        let mut sought = [0, 0];
        for seed in 0..400 {
            let bytes = seeded(seed, 2_048);
            let text = bundle(&mut Unstructured::new(&bytes)).expect("long enough");
            let facts = format::decode(text.as_bytes(), &Symbol::new("fuzz"), Format::Stix21);
            let [values, references] = check(text.as_bytes(), &facts.expect("a bundle"));
            sought = [sought[0] + values, sought[1] + references];
        }
        assert!(sought.iter().all(|count| *count >= 1_000), "{sought:?}");
    }
}
