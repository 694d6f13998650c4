//! Whole documents: damaged ones, real ones, and those of any shape.

use super::*;

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
    let envelope = json!({"more": false, "objects": [object]});
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
                WhyUnusable::Enrichment => "enrichment".to_owned(),
                WhyUnusable::NotWhole => "not whole".to_owned(),
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
