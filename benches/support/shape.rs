//! Datasets in hostile shapes, in STIX 2.1 and EclecticIQ JSON.

use std::fmt::Write as _;

/// An id of STIX: of what sort, and the number among these.
fn id(kind: &str, number: u32) -> String {
    let sort = kind.bytes().fold(0_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("{kind}--00000000-{sort:04x}-4000-8000-{number:012x}")
}

const TIMES: &str = "\"spec_version\":\"2.1\",\"created\":\"2024-05-14T11:00:00Z\",\"modified\":\"2024-05-14T11:00:00Z\",\
    \"object_marking_refs\":[\"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da\"]";

fn bundle(objects: &[String]) -> Vec<u8> {
    format!("{{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-000000000001\",\"objects\":[{}]}}", objects.join(","))
        .into_bytes()
}

fn object(kind: &str, number: u32, inside: &str) -> String {
    let id = id(kind, number);
    format!("{{\"type\":\"{kind}\",\"id\":\"{id}\",\"name\":\"{kind} {number}\",{TIMES}{inside}}}")
}

fn link(number: u32, kind: &str, from: &str, to: &str) -> String {
    let own = id("relationship", number);
    format!(
        "{{\"type\":\"relationship\",\"id\":\"{own}\",\"relationship_type\":\"{kind}\",{TIMES},\
         \"source_ref\":\"{from}\",\"target_ref\":\"{to}\"}}"
    )
}

fn indicator(number: u32, values: impl Iterator<Item = String>, inside: &str) -> String {
    let values: Vec<String> =
        values.map(|value| format!("domain-name:value = '{value}'")).collect();
    let pattern = format!("[{}]", values.join(" OR "));
    object(
        "indicator",
        number,
        &format!(
            ",\"valid_from\":\"2024-05-14T11:00:00Z\",\"pattern_type\":\"stix\",\"pattern\":\"{pattern}\",\"indicator_types\":[\"malicious-activity\"]{inside}"
        ),
    )
}

/// Indicators that together have so many tags and as many values, on an incident that has the tags too.
pub(crate) fn tags(size: u32) -> Vec<u8> {
    let tags: Vec<String> = (0..size).map(|tag| format!("\"tag number {tag}\"")).collect();
    let labels = format!(",\"labels\":[{}]", tags.join(","));
    let incident = object("incident", 1, &labels);
    let other: Vec<String> = (0..size).map(|tag| format!("\"another tag {tag}\"")).collect();
    let labels = format!(",\"labels\":[{}]", other.join(","));
    let values = (0..size).map(|number| format!("d{number}.example"));
    let indicator = indicator(1, values, &labels);
    bundle(&[incident, indicator, link(1, "related-to", &id("indicator", 1), &id("incident", 1))])
}

/// A large element, and many behind it that are damaged.
pub(crate) fn damaged(size: u32) -> Vec<u8> {
    let large = format!(",\"description\":\"{}\"", "x".repeat(size as usize * 400));
    let mut objects = vec![object("incident", 1, &large)];
    objects.extend((0..size).map(|number| format!("{{\"type\":\"incident\",\"id\":0{number}}}")));
    bundle(&objects)
}

/// An indicator that belongs to very many incidents.
pub(crate) fn hub(size: u32) -> Vec<u8> {
    let mut objects = vec![indicator(1, std::iter::once("a.example".to_owned()), "")];
    for number in 0..size {
        objects.push(object("incident", number, ""));
        objects.push(link(number, "related-to", &id("indicator", 1), &id("incident", number)));
    }
    bundle(&objects)
}

/// A system that was impacted by very many incidents.
pub(crate) fn impacted(size: u32) -> Vec<u8> {
    let mut objects = vec![indicator(1, std::iter::once("a.example".to_owned()), "")];
    for number in 0..size {
        objects.push(object("incident", number, ""));
        objects.push(link(number, "impacts", &id("incident", number), &id("indicator", 1)));
    }
    bundle(&objects)
}

/// So many incidents with one value each, of this round.
pub(crate) fn events(size: u32, round: u32) -> Vec<u8> {
    let mut objects = Vec::new();
    for number in 0..size {
        let mut value = String::new();
        write!(value, "d{number}.of-{round}.example").expect("writing to a String never fails");
        objects.push(object("incident", number, ""));
        objects.push(indicator(number, std::iter::once(value), ""));
        objects.push(link(number, "related-to", &id("indicator", number), &id("incident", number)));
    }
    bundle(&objects)
}
