//! Objects to facts, by small bundles made for one rule each, and by real ones where they are present.

use std::{collections::BTreeMap, fs, path::Path};

use proptest::prelude::*;
use serde_json::{Value, json, value::RawValue};

use super::*;
use crate::{
    format::{Decoder as _, Format},
    graph::{Observable, WhyUnusable},
    model::{Severity, Timestamp, Tlp},
};

const U1: &str = "11111111-1111-4111-8111-111111111111";
const U2: &str = "22222222-2222-4222-8222-222222222222";
const U3: &str = "33333333-3333-4333-8333-333333333333";
const U4: &str = "44444444-4444-4444-8444-444444444444";

fn decode_raw(objects: &[&str]) -> Facts {
    let file = Symbol::new("bundle.json");
    let (mut decoder, mut facts) = (Decoder::new(), Facts::default());
    for (index, raw) in objects.iter().enumerate() {
        let element = Element { index, ..Element::alone("objects", raw, &file) };
        decoder.element(&element, &mut facts);
    }
    decoder.finish(&mut facts);
    facts
}

/// Decodes the objects of a JSON list, forwards and backwards: the order must not matter.
fn decode(objects: &Value) -> Facts {
    let mut texts: Vec<String> = objects.as_array().unwrap().iter().map(Value::to_string).collect();
    let facts = decode_raw(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    texts.reverse();
    let backwards = decode_raw(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(sorted(&facts), sorted(&backwards));
    facts
}

/// The facts as text in an order that does not depend on that of the input.
fn sorted(facts: &Facts) -> Vec<String> {
    let entities = facts.entities.iter().map(|entity| {
        let mut entity = entity.clone();
        entity.observables.sort();
        format!("{entity:?}")
    });
    let relations = facts.relations.iter().map(|relation| format!("{relation:?}"));
    let mut lines: Vec<String> = entities.chain(relations).collect();
    lines.sort();
    lines
}

fn one(object: &Value) -> Entity {
    let mut facts = decode(&json!([object]));
    assert_eq!(facts.issues, [], "{object}");
    facts.entities.remove(0)
}

fn kinds_and_values(observables: &[Observable]) -> Vec<(&str, &str)> {
    observables.iter().map(|observable| (&*observable.kind, &*observable.value)).collect()
}

/// `source -kind-> target` with the first digit of each key.
fn arrows(facts: &Facts) -> Vec<String> {
    let digit = |key: &EntityKey| key.as_str().chars().next().unwrap();
    let arrow = |relation: &Relation| {
        let removed = if relation.removed { " (removed)" } else { "" };
        let (source, target) = (digit(&relation.source), digit(&relation.target));
        format!("{source} -{}-> {target}{removed}", relation.kind)
    };
    let mut arrows: Vec<String> = facts.relations.iter().map(arrow).collect();
    arrows.sort();
    arrows
}

#[test]
fn an_incident_keeps_all_that_facts_can_hold() {
    let entity = one(&json!({
        "type": "incident", "spec_version": "2.1", "id": format!("incident--{U1}").to_uppercase(),
        "created": "2024-05-14T11:00:00Z", "modified": "2024-05-15T11:00:00.5Z",
        "name": " Breach ", "labels": ["a", "b"], "confidence": 80, "x_custom": {"deep": [1]},
        "external_references": [
            {"source_name": "blog", "url": "HTTPS://example.com/x", "external_id": "T1059"},
            {"source_name": "mail", "url": "mailto:a@example.com"},
        ],
    }));
    assert_eq!(entity.key.as_str(), U1);
    assert_eq!(&*entity.id, format!("INCIDENT--{U1}"));
    assert_eq!((&*entity.kind, &*entity.title), ("incident", " Breach "));
    assert_eq!(entity.created, Timestamp::parse("2024-05-14T11:00:00Z").ok());
    assert_eq!(entity.modified, Timestamp::parse("2024-05-15T11:00:00.5Z").ok());
    assert_eq!(entity.tags, ["a".into(), "b".into()]);
    assert_eq!(entity.references, ["HTTPS://example.com/x".into()]);
    assert_eq!(entity.external_ids, ["T1059".into()]);
    assert_eq!((entity.tlp, entity.removed), (None, false));
}

#[test]
fn an_indicator_gives_what_its_pattern_says() {
    let indicator = |properties: Value| {
        let mut object = json!({"type": "indicator", "id": format!("indicator--{U1}")});
        object.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
        one(&object)
    };
    let entity = indicator(json!({
        "pattern": "[url:value = 'https://example.com/']", "pattern_type": "stix",
        "valid_from": "2024-01-01T00:00:00Z", "valid_until": "2025-01-01T00:00:00Z",
    }));
    assert_eq!(kinds_and_values(&entity.observables), [("uri", "https://example.com/")]);
    assert!(entity.observables[0].links.has("test-mechanism"));
    assert_eq!(entity.start.unwrap().day(), "2024-01-01");
    assert_eq!(entity.end.unwrap().day(), "2025-01-01");
    for (pattern_type, kind) in [
        ("yara", "yara"),
        ("Snort", "snort"),
        ("suricata", "snort"),
        ("sigma", "sigma"),
        ("pcre", "pcre-pattern"),
        ("ipv4", "ipv4-pattern"),
    ] {
        let entity = indicator(json!({"pattern": "rule x", "pattern_type": pattern_type}));
        assert_eq!(kinds_and_values(&entity.observables), [(kind, "rule x")]);
        assert!(entity.observables[0].links.has("test-mechanism"));
    }
    let entity = indicator(json!({"pattern": "[url:value = 'https://example.com/'"}));
    assert_eq!(entity.observables, []);
    assert!(matches!(entity.unusable[0].why, WhyUnusable::PatternSyntax(35, _)));
}

#[test]
fn a_benign_indicator_is_never_bad() {
    let maliciousness = |types: Value| {
        one(&json!({
            "type": "indicator", "id": format!("indicator--{U1}"),
            "pattern": "[url:value = 'a']", "indicator_types": types,
        }))
        .observables[0]
            .maliciousness
    };
    assert_eq!(maliciousness(json!(["benign"])), Maliciousness::Safe);
    assert_eq!(maliciousness(json!(["benign", "malicious-activity"])), Maliciousness::Unknown);
    assert_eq!(maliciousness(json!(["anonymization"])), Maliciousness::Unknown);
}

#[test]
fn an_indicator_without_a_pattern_is_kept_with_a_warning() {
    let facts = decode(&json!([{"type": "indicator", "id": format!("indicator--{U1}")}]));
    assert_eq!((facts.entities.len(), facts.skipped), (1, 0));
    assert_eq!(
        facts.issues[0].to_string(),
        format!(
            "bundle.json#/objects/0: warning: indicator--{U1} has no pattern, so no observables"
        )
    );
}

#[test]
fn titles_where_there_is_no_name() {
    for (kind, properties, title) in [
        ("location", json!({"country": "NL", "city": "Utrecht"}), "Utrecht, NL"),
        ("location", json!({"region": "northern-europe"}), "northern-europe"),
        ("note", json!({"abstract": "a", "content": "b"}), "a"),
        ("malware-analysis", json!({"product": "p"}), "p"),
        ("threat-actor", json!({"description": "d"}), ""),
        ("url", json!({"value": "https://example.com/"}), "https://example.com/"),
        ("file", json!({"hashes": {"MD5": "aa"}}), "aa"),
        ("file", json!({"hashes": {"MD5": "aa"}, "name": "n"}), "n"),
        ("network-traffic", json!({"dst_port": 443}), ""),
        ("x-acme-thing", json!({"name": "n"}), "n"),
    ] {
        let mut object = json!({"type": kind, "id": format!("{kind}--{U1}")});
        object.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
        let entity = one(&object);
        assert_eq!((&*entity.kind, &*entity.title), (kind, title));
    }
}

#[test]
fn a_vulnerability_has_the_ids_of_its_name_and_references() {
    let entity = one(&json!({
        "type": "vulnerability", "id": format!("vulnerability--{U1}"),
        "name": "CVE-2021-44228 and CVE-2021-45046",
        "external_references": [{"source_name": "cve", "external_id": "CVE-2021-44228"}],
    }));
    assert_eq!(entity.external_ids, ["CVE-2021-44228".into(), "CVE-2021-45046".into()]);
}

#[test]
fn relationships_containers_and_sightings_are_relations() {
    let facts = decode(&json!([
        {"type": "relationship", "id": format!("relationship--{U4}"),
         "relationship_type": "indicates", "source_ref": format!("indicator--{U1}"),
         "target_ref": format!("malware--{U2}")},
        {"type": "relationship", "id": format!("relationship--{U3}"), "revoked": true,
         "relationship_type": "uses", "source_ref": format!("malware--{U2}"),
         "target_ref": format!("tool--{U1}")},
        {"type": "report", "id": format!("report--{U1}"), "name": "r",
         "object_refs": [format!("incident--{U2}"), format!("malware--{U3}"),
                         format!("relationship--{U4}"), format!("marking-definition--{U4}")]},
        {"type": "observed-data", "id": format!("observed-data--{U2}"),
         "object_refs": [format!("url--{U3}")]},
        {"type": "sighting", "id": format!("sighting--{U3}"),
         "sighting_of_ref": format!("indicator--{U1}"),
         "observed_data_refs": [format!("observed-data--{U2}")],
         "where_sighted_refs": [format!("identity--{U4}")]},
    ]));
    assert_eq!(facts.issues, []);
    let kinds: Vec<_> = facts.entities.iter().map(|entity| &*entity.kind).collect();
    assert_eq!(kinds, ["report", "observed-data", "sighting"]);
    assert_eq!(
        arrows(&facts),
        [
            "1 -indicates-> 2",
            "1 -object_refs-> 2",
            "1 -object_refs-> 3",
            "2 -uses-> 1 (removed)",
            "3 -observed_data_refs-> 2",
            "3 -sighting_of_ref-> 1",
        ]
    );
}

#[test]
fn only_the_newest_version_of_an_object_has_relations() {
    let report = |day: &str, refs: Value| {
        json!({"type": "report", "id": format!("report--{U1}"), "object_refs": refs,
               "modified": format!("2024-01-{day}T00:00:00Z")})
    };
    let uses = |day: &str, revoked: bool| {
        json!({"type": "relationship", "id": format!("relationship--{U1}"),
               "relationship_type": "uses", "revoked": revoked,
               "source_ref": format!("malware--{U2}"), "target_ref": format!("tool--{U4}"),
               "modified": format!("2024-01-{day}T00:00:00Z")})
    };
    let (two, three) = (format!("malware--{U2}"), format!("malware--{U3}"));
    let facts = decode(&json!([
        report("02", json!([three])),
        uses("03", true),
        report("01", json!([two, three])),
        uses("02", false),
    ]));
    assert_eq!(facts.entities.len(), 2, "both versions; the graph takes the newest");
    assert_eq!(arrows(&facts), ["1 -object_refs-> 3", "2 -uses-> 4 (removed)"]);
}

#[test]
fn a_relationship_without_an_end_is_skipped_and_without_a_type_is_not() {
    let facts = decode(&json!([
        {"type": "relationship", "id": format!("relationship--{U1}"),
         "relationship_type": "uses", "source_ref": format!("malware--{U2}")},
        {"type": "relationship", "id": format!("relationship--{U2}"),
         "source_ref": format!("malware--{U2}"), "target_ref": format!("tool--{U3}")},
    ]));
    let said: Vec<_> = facts.issues.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            format!(
                "bundle.json#/objects/0: skipped: relationship--{U1} has no target_ref; left out"
            ),
            format!(
                "bundle.json#/objects/1: warning: relationship--{U2} has no relationship_type; \
             taken as related-to"
            ),
        ]
    );
    assert_eq!((facts.skipped, arrows(&facts)), (1, vec!["2 -related-to-> 3".to_owned()]));
}

#[test]
fn observed_data_has_the_observables_of_its_objects() {
    let facts = decode(&json!([
        {"type": "observed-data", "id": format!("observed-data--{U1}"),
         "first_observed": "2024-01-01T00:00:00Z", "last_observed": "2024-01-02T00:00:00Z",
         "object_refs": [format!("network-traffic--{U2}"), format!("process--{U4}")]},
        {"type": "network-traffic", "id": format!("network-traffic--{U2}"), "dst_port": 443,
         "src_ref": format!("ipv4-addr--{U3}"), "dst_ref": format!("ipv4-addr--{U4}")},
        {"type": "ipv4-addr", "id": format!("ipv4-addr--{U3}"), "value": "198.51.100.3"},
    ]));
    assert_eq!(facts.issues, []);
    let by_kind = |kind: &str| facts.entities.iter().find(|e| &*e.kind == kind).unwrap();
    let traffic = by_kind("network-traffic");
    let expected = [("port", "443"), ("ip-src", "198.51.100.3")];
    assert_eq!(kinds_and_values(&traffic.observables), expected);
    assert!(traffic.observables.iter().all(|o| o.context_only && !o.links.has("observed")));
    let observed = by_kind("observed-data");
    assert_eq!(kinds_and_values(&observed.observables), expected);
    assert!(observed.observables.iter().all(|o| o.context_only && o.links.has("observed")));
    assert_eq!(observed.start.unwrap().day(), "2024-01-01");
    assert_eq!(observed.end.unwrap().day(), "2024-01-02");
    assert_eq!(kinds_and_values(&by_kind("ipv4-addr").observables), [("ipv4", "198.51.100.3")]);
}

#[test]
fn observed_data_of_stix_2_0_holds_its_objects_itself() {
    let entity = one(&json!({
        "type": "observed-data", "id": format!("observed-data--{U1}"),
        "objects": {"0": {"type": "domain-name", "value": "a.example", "resolves_to_refs": ["1"]},
                    "1": {"type": "ipv4-addr", "value": "198.51.100.3"}},
    }));
    let mut shown = kinds_and_values(&entity.observables);
    shown.sort_unstable();
    assert_eq!(
        shown,
        [("domain", "a.example"), ("ipv4", "198.51.100.3"), ("ipv4", "198.51.100.3")]
    );
}

#[test]
fn the_strictest_of_all_markings_holds() {
    let definition = |uuid: &str, kind: &str, body: Value| {
        json!({"type": "marking-definition", "id": format!("marking-definition--{uuid}"),
               "definition_type": kind, "definition": body})
    };
    let tlp_2 = |uuid: &str, colour: &str| {
        json!({"type": "marking-definition", "id": format!("marking-definition--{uuid}"),
               "extensions": {"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":
                   {"extension_type": "property-extension", "tlp_2_0": colour}}})
    };
    let white = "613f2e26-407d-48c7-9eca-b8e91df99dc9";
    let amber_strict = "939a9414-2ddd-4d32-a0cd-375ea402b003";
    for (whole, granular, definitions, expected) in [
        (vec![], vec![], vec![], None),
        (vec![white], vec![], vec![], Some(Tlp::Clear)),
        (vec![white], vec![amber_strict], vec![], Some(Tlp::AmberStrict)),
        (vec![U2], vec![], vec![], None),
        (vec![U2], vec![], vec![definition(U2, "tlp", json!({"tlp": "amber"}))], Some(Tlp::Amber)),
        (
            vec![U2, white],
            vec![],
            vec![definition(U2, "statement", json!({"statement": "x"}))],
            Some(Tlp::Clear),
        ),
        (vec![U2], vec![], vec![definition(U2, "statement", json!({"statement": "x"}))], None),
        (vec![U3, U2], vec![white], vec![tlp_2(U2, "green"), tlp_2(U3, "RED")], Some(Tlp::Red)),
        (vec![U2], vec![], vec![tlp_2(U2, "clear"), tlp_2(U2, "amber")], Some(Tlp::Amber)),
        (
            vec![white],
            vec![],
            vec![definition(white, "tlp", json!({"tlp": "red"}))],
            Some(Tlp::Red),
        ),
    ] {
        let refs = |uuids: Vec<&str>| -> Vec<String> {
            uuids.iter().map(|uuid| format!("marking-definition--{uuid}")).collect()
        };
        let granular: Vec<Value> = refs(granular)
            .iter()
            .map(|id| json!({"marking_ref": id, "selectors": ["name"]}))
            .chain([json!({"lang": "nl", "selectors": ["name"]})])
            .collect();
        let mut objects = vec![json!({
            "type": "malware", "id": format!("malware--{U1}"), "name": "m",
            "object_marking_refs": refs(whole), "granular_markings": granular,
        })];
        objects.extend(definitions);
        let facts = decode(&json!(objects));
        assert_eq!(facts.issues, []);
        assert_eq!(facts.entities.len(), 1);
        assert_eq!(facts.entities[0].tlp, expected, "{objects:?}");
    }
}

#[test]
fn a_marking_that_cannot_be_read_is_red() {
    for definition in [json!({"tlp": "purple"}), json!({}), json!("amber"), Value::Null] {
        let facts = decode(&json!([
            {"type": "marking-definition", "id": format!("marking-definition--{U2}"),
             "definition_type": "tlp", "definition": definition},
            {"type": "malware", "id": format!("malware--{U1}"),
             "object_marking_refs": [format!("marking-definition--{U2}")]},
        ]));
        assert_eq!(facts.entities[0].tlp, Some(Tlp::Red), "{definition}");
        assert_eq!((facts.issues.len(), facts.skipped), (1, 0));
    }
    let facts = decode(&json!([
        {"type": "malware", "id": format!("malware--{U1}"), "granular_markings": {"a": 1}},
    ]));
    assert_eq!(facts.entities[0].tlp, Some(Tlp::Red));
    assert!(facts.issues[0].to_string().starts_with("bundle.json#/objects/0/granular_markings: "));
}

#[test]
fn an_observable_carries_its_marking_along() {
    let facts = decode(&json!([
        {"type": "observed-data", "id": format!("observed-data--{U1}"),
         "object_marking_refs": ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"],
         "object_refs": [format!("domain-name--{U2}")]},
        {"type": "domain-name", "id": format!("domain-name--{U2}"), "value": "a.example",
         "resolves_to_refs": [format!("ipv4-addr--{U3}")]},
        {"type": "ipv4-addr", "id": format!("ipv4-addr--{U3}"), "value": "198.51.100.3",
         "object_marking_refs": ["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]},
    ]));
    assert!(facts.entities.iter().all(|entity| entity.tlp == Some(Tlp::Red)), "{facts:?}");
}

#[test]
fn objects_about_objects_give_no_entity() {
    let facts = decode(&json!([
        {"type": "language-content", "id": format!("language-content--{U1}"),
         "object_ref": format!("malware--{U2}")},
        {"type": "extension-definition", "id": format!("extension-definition--{U1}"), "name": "x"},
    ]));
    assert_eq!((facts.entities.len(), facts.issues.len()), (0, 0));
}

#[test]
fn damaged_objects_are_skipped_and_named() {
    let facts = decode_raw(&[
        r#"{"type": "malware", "name": "no id"}"#,
        r#"{"id": "malware--1"}"#,
        r#"{}"#,
        r#"[]"#,
        r#"{"type": "malware", "id": "malware--2" "#,
        r#"{"type": "malware", "id": "malware--3", "modified": "yesterday"}"#,
    ]);
    assert_eq!(facts.skipped, 5);
    let places: Vec<_> = facts.issues.iter().map(|issue| issue.place.to_string()).collect();
    let expected = (0..5).map(|at| format!("bundle.json#/objects/{at}"));
    assert_eq!(
        places,
        expected.chain(["bundle.json#/objects/5/modified".to_owned()]).collect::<Vec<_>>()
    );
    assert_eq!(facts.issues[5].severity, Severity::Warning);
    assert_eq!((facts.entities.len(), facts.entities[0].modified), (1, None));
}

#[test]
fn bundles_and_envelopes_are_told_from_other_documents() {
    let object = json!({"type": "malware", "id": format!("malware--{U1}")});
    let (file, bundle) = (Symbol::new("x.json"), json!({"type": "bundle", "objects": [object]}));
    let envelope = json!({"more": true, "next": "n", "objects": [object]});
    let both = format!("{bundle}\n{envelope}");
    for (text, format, entities) in [
        (bundle.to_string(), Format::Auto, 1),
        (envelope.to_string(), Format::Auto, 1),
        (both, Format::Stix21, 2),
        ("{}".to_owned(), Format::Stix21, 0),
    ] {
        let facts = crate::format::decode(text.as_bytes(), &file, format).unwrap();
        assert_eq!((facts.entities.len(), facts.issues.len()), (entities, 0), "{text}");
    }
    let text = bundle.to_string();
    assert!(crate::format::decode(text.as_bytes(), &file, Format::EclecticIq).is_err());
}

/// The bundles under `../shared/data/stix`, where there are any.
fn real_bundles() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/stix");
    let mut bundles = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                bundles.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    bundles.sort();
    bundles
}

#[derive(serde::Deserialize)]
struct Bundle<'a> {
    #[serde(borrow)]
    objects: Vec<&'a RawValue>,
}

/// How many objects of a bundle are to be entities, and how many relationships have both ends.
fn expected_counts(objects: &[&str]) -> (usize, usize) {
    let (mut entities, mut relationships) = (0, 0);
    for raw in objects {
        let object: Value = serde_json::from_str(raw).unwrap();
        match object["type"].as_str().unwrap() {
            "marking-definition" | "extension-definition" | "language-content" => {}
            "relationship" => relationships += usize::from(object["target_ref"].is_string()),
            _ => entities += 1,
        }
    }
    (entities, relationships)
}

#[test]
fn real_bundles_are_read_whole() {
    let bundles = real_bundles();
    if bundles.is_empty() {
        println!("skipped: no bundles in ../shared/data/stix");
        return;
    }
    println!("objects entities relations observables unusable skipped warnings file");
    let (mut reasons, mut kinds) = (BTreeMap::new(), BTreeMap::new());
    for (name, text) in &bundles {
        let bundle: Bundle<'_> = serde_json::from_str(text).unwrap();
        let objects: Vec<&str> = bundle.objects.iter().map(|raw| raw.get()).collect();
        let source = crate::format::decode(text.as_bytes(), &Symbol::new(name), Format::Auto);
        let facts = source.unwrap();
        let observables = facts.entities.iter().flat_map(|entity| &entity.observables);
        let unusable = facts.entities.iter().flat_map(|entity| &entity.unusable);
        println!(
            "{:7} {:8} {:9} {:11} {:8} {:7} {:8} {name}",
            objects.len(),
            facts.entities.len(),
            facts.relations.len(),
            observables.clone().count(),
            unusable.clone().count(),
            facts.skipped,
            facts.issues.len() - facts.skipped,
        );
        for observable in observables {
            *kinds.entry(observable.kind.to_string()).or_insert(0) += 1;
        }
        for unusable in unusable {
            let reason = match &unusable.why {
                WhyUnusable::PatternSyntax(_, expected) => format!("syntax: {expected}"),
                WhyUnusable::PathNotMapped => "path not mapped".to_owned(),
            };
            *reasons.entry(reason).or_insert(0) += 1;
        }
        let (entities, relationships) = expected_counts(&objects);
        assert_eq!(facts.entities.len(), entities, "{name}");
        assert!(facts.relations.len() >= relationships, "{name}");
    }
    println!("{reasons:#?}\n{kinds:#?}");
}

fn arbitrary_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "",
        "true",
        "url",
        "tlp",
        "stix",
        "[url:value = 'a']",
        "[",
        "2024-01-01T00:00:00Z",
        "malware--11111111-1111-4111-8111-111111111111",
        "5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop::sample::select(vec![
            "value",
            "type",
            "id",
            "tlp",
            "url",
            "marking_ref",
            "dst_ref",
            "hashes",
            "MD5",
            "name",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..4).prop_map(|map| {
                Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Properties of any shape make no object an error, and read the same twice.
    #[test]
    fn properties_of_any_shape_are_read(
        kind in prop::sample::select(vec![
            "indicator", "observed-data", "network-traffic", "file", "relationship", "report",
            "marking-definition", "vulnerability", "x-any",
        ]),
        properties in prop::collection::btree_map(
            prop::sample::select(vec![
                "pattern", "pattern_type", "objects", "object_refs", "dst_ref", "src_ref", "hashes",
                "name", "external_references", "granular_markings", "object_marking_refs",
                "definition", "definition_type", "extensions", "created", "modified", "revoked",
                "source_ref", "target_ref", "relationship_type", "labels", "value",
            ]),
            arbitrary_json(),
            0..8,
        ),
    ) {
        let mut object = json!({"type": kind, "id": format!("{kind}--{U1}")});
        let map = object.as_object_mut().unwrap();
        map.extend(properties.into_iter().map(|(key, value)| (key.to_owned(), value)));
        let facts = decode(&json!([object, {"type": "url", "id": format!("url--{U1}"), "value": "a"}]));
        prop_assert_eq!(facts.entities.len() + facts.relations.len() + facts.skipped > 0, true);
        if kind != "relationship" {
            prop_assert_eq!(facts.skipped, 0);
        }
    }
}
