//! Incidents in STIX 2.1, as servers hold them.

use std::collections::BTreeSet;

use misp_trickle::{
    format::{self, Format},
    model::Symbol,
};
use serde_json::{Value, json};

use crate::told::told;

/// Events of one whole read of a bundle.
pub fn read(text: &str) -> BTreeSet<String> {
    told(format::decode(text.as_bytes(), &Symbol::new("x"), Format::Stix21).unwrap())
}

pub fn id(kind: &str, number: usize) -> String {
    format!("{kind}--7c1e0000-0000-4000-8000-{number:012}")
}

/// An incident, an indicator, and the relationship of the two, in the version of this minute.
pub fn incident(number: usize, minute: usize) -> Vec<Value> {
    let times = |kind: &str| {
        json!({"type": kind, "spec_version": "2.1", "id": id(kind, number),
            "created": "2026-11-18T10:00:00.000Z",
            "modified": format!("2026-11-18T10:{minute:02}:00.000Z")})
    };
    let with = |mut object: Value, more: Value| {
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    vec![
        with(times("incident"), json!({"name": format!("incident {number} at {minute}")})),
        with(
            times("indicator"),
            json!({"name": "i", "pattern_type": "stix", "valid_from": "2026-11-18T10:00:00Z",
                "pattern": format!("[domain-name:value = 'i{number}.v{minute}.example']")}),
        ),
        with(
            times("relationship"),
            json!({"relationship_type": "indicates", "source_ref": id("indicator", number),
                "target_ref": id("incident", number)}),
        ),
    ]
}

/// The first versions of several.
pub fn incidents(numbers: impl IntoIterator<Item = usize>) -> Vec<Value> {
    numbers.into_iter().flat_map(|number| incident(number, 0)).collect()
}

/// One text of them.
pub fn bundle(objects: &[Value]) -> String {
    json!({"type": "bundle", "id": "bundle--1", "objects": objects}).to_string()
}
