//! What is marked stricter than the policy allows stays here, in whatever form it is marked; and what is marked as the
//! policy allows goes, in each of these forms.

use std::{
    fs,
    path::{Path, PathBuf},
};

use misp_trickle::{
    model::Tlp,
    plan::{Policy, Unmarked},
};
use serde_json::{Value, json};

use misp_trickle_testing::world::World;

const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const OWN: &str = "marking-definition--99999999-9999-4999-8999-999999999999";
const TLP_2: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// How many attributes MISP has after a run over a file or folder, when only clear and green may go.
fn sent(path: &Path, unmarked: Unmarked) -> usize {
    sent_up_to(&[Tlp::Clear, Tlp::Green], path, unmarked)
}

/// The same, when these colours may go.
fn sent_up_to(allowed: &[Tlp], path: &Path, unmarked: Unmarked) -> usize {
    let mut world = World::new("admin");
    world.job.policy = Policy { allow_tlp: allowed.iter().copied().collect(), unmarked };
    world.sync(path);
    let misp = world.misp.lock().expect("nobody panicked");
    misp.events().iter().map(|event| misp.attributes(event.uuid).len()).sum()
}

/// Writes a document to a file of its own and delivers it under both policies for what is unmarked.
fn sent_of(document: &Value, name: &str) -> [usize; 2] {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(format!("{name}.json"));
    fs::write(&path, document.to_string()).expect("a file");
    [Unmarked::Deny, Unmarked::Allow].map(|unmarked| sent(&path, unmarked))
}

/// Ids and texts of colours stricter than green, and green in their place.
const GREENER: [(&str, &str); 16] = [
    ("e828b379-4e03-4974-9ac4-e53a884c97c1", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
    ("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "34098fce-860f-48ae-8e50-ebd3cc5e41da"),
    ("55d920b0-5e8b-4f79-9ee9-91f868d9b421", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
    ("f88d31f6-486f-44da-b317-01333bde0b82", "34098fce-860f-48ae-8e50-ebd3cc5e41da"),
    ("939a9414-2ddd-4d32-a0cd-375ea402b003", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
    ("826578e1-40ad-459f-bc73-ede076f81f37", "00000000-0000-4000-8000-000000000001"),
    ("TLP:AMBER+STRICT", "TLP:GREEN"),
    ("tlp:amber+strict", "tlp:green"),
    ("TLP:AMBER", "TLP:GREEN"),
    ("TLP:RED", "TLP:GREEN"),
    ("tlp:red", "tlp:green"),
    ("\"red\"", "\"green\""),
    ("\"RED\"", "\"GREEN\""),
    ("\"AMBER\"", "\"GREEN\""),
    ("\"amber\"", "\"green\""),
    ("\"amber+strict\"", "\"green\""),
];

/// The values of a text: all names under `.example`.
fn values(text: &str) -> usize {
    let names = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-');
    let names: std::collections::BTreeSet<&str> =
        names.filter(|name| name.ends_with(".example")).collect();
    names.len()
}

/// Each of these went out once.
#[test]
fn nothing_goes_out_of_what_is_marked_in_an_odd_form() {
    let cases = cases("marking-odd");
    assert!(cases.len() >= 289, "{cases:?}");
    for case in cases {
        for unmarked in [Unmarked::Deny, Unmarked::Allow] {
            assert_eq!(sent(&case, unmarked), 0, "{} leaks", case.display());
        }
    }
}

#[test]
fn amber_that_is_called_strict_elsewhere_is_no_plain_amber() {
    let amber = [Tlp::Clear, Tlp::Green, Tlp::Amber];
    let cases = cases("amber-strict");
    assert!(cases.len() >= 20, "{cases:?}");
    for case in cases {
        assert_eq!(sent_up_to(&amber, &case, Unmarked::Allow), 0, "{} leaks", case.display());
        let strict = [&amber[..], &[Tlp::AmberStrict, Tlp::Red]].concat();
        assert_ne!(
            sent_up_to(&strict, &case, Unmarked::Allow),
            0,
            "{} has no value",
            case.display()
        );
    }
}

#[test]
fn what_is_green_in_many_words_goes_where_green_may_go() {
    let cases = cases("marking-green");
    assert!(cases.len() >= 30, "{cases:?}");
    for case in cases {
        assert_ne!(sent(&case, Unmarked::Allow), 0, "{} is withheld", case.display());
    }
}

/// The files of a folder of test data.
fn cases(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    fs::read_dir(&folder).expect("a folder").map(|it| it.expect("an entry").path()).collect()
}

#[test]
fn nothing_stricter_goes_out_of_the_cases_and_all_of_their_green_twins_does() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/marking");
    let mut count = 0;
    for case in fs::read_dir(&cases).expect("a folder") {
        let case = case.expect("an entry").path();
        for unmarked in [Unmarked::Deny, Unmarked::Allow] {
            assert_eq!(sent(&case, unmarked), 0, "{} leaks", case.display());
            let folder = tempfile::tempdir().expect("a folder");
            let files: Vec<_> = match case.is_dir() {
                true => fs::read_dir(&case)
                    .expect("a folder")
                    .map(|it| it.expect("one").path())
                    .collect(),
                false => vec![case.clone()],
            };
            let mut all = String::new();
            for file in files {
                let mut text = fs::read_to_string(&file).expect("a text");
                GREENER.iter().for_each(|(strict, green)| text = text.replace(strict, green));
                fs::write(folder.path().join(file.file_name().expect("a name")), &text)
                    .expect("a file");
                all.push_str(&text);
            }
            assert_eq!(
                sent(folder.path(), unmarked),
                values(&all),
                "{} holds back",
                case.display()
            );
        }
        count += 1;
    }
    assert!(count >= 7, "{count} cases");
}

/// An incident, an indicator and the relationship between them, all green; then something is changed.
fn bundle(change: impl FnOnce(&mut Vec<Value>)) -> Value {
    let id = |kind: &str, digit: u8| format!("{kind}--{digit}1111111-1111-4111-8111-111111111111");
    let object = |kind: &str, digit: u8, more: Value| {
        let mut object = json!({
            "type": kind, "spec_version": "2.1", "id": id(kind, digit), "name": "n",
            "created": "2024-01-01T00:00:00Z", "modified": "2024-01-01T00:00:00Z",
            "object_marking_refs": [GREEN],
        });
        object.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
        object
    };
    let pattern = "[domain-name:value = 'a.example']";
    let mut objects = vec![
        object("incident", 1, json!({})),
        object(
            "indicator",
            2,
            json!({"pattern": pattern, "pattern_type": "stix",
                                      "valid_from": "2024-01-01T00:00:00Z"}),
        ),
        object(
            "relationship",
            3,
            json!({"relationship_type": "related-to",
                                         "source_ref": id("indicator", 2), "target_ref": id("incident", 1)}),
        ),
    ];
    change(&mut objects);
    json!({"type": "bundle", "id": id("bundle", 9), "objects": objects})
}

/// A marking of its own, used by one of the three, and defined so.
fn defined(place: usize, properties: Value) -> Value {
    let Value::Object(properties) = properties else { panic!("properties are an object") };
    bundle(|objects| {
        objects[place]["object_marking_refs"] = json!([GREEN, OWN]);
        let mut definition =
            json!({"type": "marking-definition", "id": OWN, "created": "2024-01-01T00:00:00Z"});
        let all = definition.as_object_mut().expect("an object");
        all.extend(properties);
        objects.push(definition);
    })
}

fn with(place: usize, key: &str, value: Value) -> Value {
    bundle(|objects| objects[place][key] = value)
}

/// Every form in which STIX says a colour of an incident, an indicator or the relationship between them.
fn forms(place: usize, colour: &str, id: &str) -> Vec<(&'static str, Value)> {
    let tag = format!("TLP:{}", colour.to_uppercase());
    let id = format!("marking-definition--{id}");
    let copy = |modified: Value| {
        let (id, tag) = (id.clone(), tag.clone());
        bundle(move |objects| {
            let mut copy = objects[place].clone();
            copy["object_marking_refs"] = json!([id]);
            copy["labels"] = json!([tag]);
            copy["modified"] = modified.clone();
            if modified.is_null() {
                copy["created"] = Value::Null;
            }
            objects.push(copy);
        })
    };
    vec![
        ("a fixed id", with(place, "object_marking_refs", json!([GREEN, id]))),
        ("a fixed id alone", with(place, "object_marking_refs", json!(id))),
        ("an id in capitals", with(place, "object_marking_refs", json!([id.to_uppercase()]))),
        ("a list in the list", with(place, "object_marking_refs", json!([GREEN, [id]]))),
        ("an object in the list", with(place, "object_marking_refs", json!([GREEN, {"id": id}]))),
        ("a name in the list", with(place, "object_marking_refs", json!([GREEN, tag]))),
        (
            "a part",
            with(place, "granular_markings", json!([{"marking_ref": id, "selectors": ["name"]}])),
        ),
        ("a label", with(place, "labels", json!(["x", tag]))),
        (
            "a label in small letters",
            with(place, "labels", json!([tag.to_lowercase().replace(':', " = ")])),
        ),
        ("a property", with(place, "x_tlp", json!(colour))),
        (
            "TLP 1.0",
            defined(place, json!({"definition_type": "tlp", "definition": {"tlp": colour}})),
        ),
        (
            "a key in capitals",
            defined(place, json!({"definition_type": "TLP", "definition": {"TLP": colour}})),
        ),
        (
            "a tag as colour",
            defined(place, json!({"definition_type": "tlp", "definition": {"tlp": tag}})),
        ),
        ("a bare definition", defined(place, json!({"definition_type": "tlp", "definition": tag}))),
        (
            "TLP 2.0",
            defined(
                place,
                json!({"extensions": {TLP_2: {"extension_type": "property-extension", "tlp_2_0": colour}}}),
            ),
        ),
        (
            "a name",
            defined(
                place,
                json!({"name": tag, "definition_type": "statement", "definition": {"statement": "x"}}),
            ),
        ),
        (
            "a statement",
            defined(
                place,
                json!({"definition_type": "statement", "definition": {"statement": format!("This is {tag}.")}}),
            ),
        ),
        (
            "OpenCTI",
            defined(
                place,
                json!({"definition_type": "statement", "definition": {"statement": "custom"},
                                         "x_opencti_definition_type": "TLP", "x_opencti_definition": tag}),
            ),
        ),
        ("a copy of the same time", copy(json!("2024-01-01T00:00:00Z"))),
        ("a copy without a time", copy(Value::Null)),
        ("a copy with no readable time", copy(json!("soon"))),
    ]
}

#[test]
fn each_form_of_a_marking_holds_on_every_object_and_frees_its_green_twin() {
    for (colour, id, goes) in [
        ("red", "e828b379-4e03-4974-9ac4-e53a884c97c1", false),
        ("amber+strict", "826578e1-40ad-459f-bc73-ede076f81f37", false),
        ("green", "34098fce-860f-48ae-8e50-ebd3cc5e41da", true),
    ] {
        for place in 0..3 {
            for (form, document) in forms(place, colour, id) {
                let found = sent_of(&document, "day");
                assert_eq!(found, [usize::from(goes); 2], "{form} on {place} of {colour}");
            }
        }
    }
}

#[test]
fn a_marking_that_nobody_defines_holds_and_the_configuration_says_what_it_is() {
    let document = with(1, "object_marking_refs", json!([GREEN, OWN]));
    assert_eq!(sent_of(&document, "day"), [0; 2]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("day.json");
    fs::write(&path, document.to_string()).expect("a file");
    for (said, goes) in [(Some(Tlp::Green), 1), (None, 1), (Some(Tlp::Red), 0)] {
        let mut world = World::new("admin");
        world.job.policy =
            Policy { allow_tlp: [Tlp::Clear, Tlp::Green].into(), unmarked: Unmarked::Deny };
        let attributes = |world: &World| {
            let misp = world.misp.lock().expect("nobody panicked");
            misp.events().iter().map(|event| misp.attributes(event.uuid).len()).sum::<usize>()
        };
        let summary = world.sync(&path);
        let notes = summary.run.notes.iter().filter(|note| note.contains("is defined nowhere"));
        assert_eq!((notes.count(), attributes(&world)), (1, 0), "{:?}", summary.run.notes);
        // The same bytes are looked at again.
        world.job.graph.markings = [(misp_trickle::model::MarkingId::of(OWN), said)].into();
        let summary = world.sync(&path);
        assert!(!summary.run.notes.iter().any(|note| note.contains("is defined nowhere")));
        assert_eq!(attributes(&world), goes, "{said:?}");
    }
}

/// An incident, an indicator and the relation between them in EclecticIQ JSON, with something changed.
fn package(place: usize, data: &Value, meta: &Value) -> Value {
    let id = |kind: &str, digit: u8| {
        format!("{{https://x}}{kind}-{digit}1111111-1111-4111-8111-111111111111")
    };
    let mut entities = vec![
        json!({"data": {"id": id("incident", 1), "type": "incident", "title": "n",
                        "timestamp": "2024-01-01T00:00:00Z"}, "meta": {"tlp_color": "GREEN"}}),
        json!({"data": {"id": id("indicator", 2), "type": "indicator", "title": "n",
                        "timestamp": "2024-01-01T00:00:00Z"}, "meta": {"tlp_color": "GREEN"},
               "extracts": [{"kind": "domain", "value": "a.example", "meta": {"classification": "bad"}}]}),
        json!({"data": {"id": id("relation", 3), "type": "relation", "key": "related_indicators",
                        "source": id("incident", 1), "target": id("indicator", 2)}, "meta": {}}),
    ];
    for (part, more) in [("data", data), ("meta", meta)] {
        let all = entities[place][part].as_object_mut().expect("an object");
        all.extend(more.as_object().expect("one").clone());
    }
    json!({"content-type": "urn:eclecticiq.com:json:1.0", "entities": entities})
}

#[test]
fn each_form_of_eclecticiq_holds_and_frees_its_green_twin() {
    for (colour, goes) in [("RED", 0), ("AMBER", 0), ("GREEN", 1)] {
        let tag = format!("tlp:{}", colour.to_lowercase());
        let handling = json!({"handling": [{"marking_structures": [{"color": colour}]}]});
        for place in 0..3 {
            for (data, meta) in [
                (json!({}), json!({"tlp_color": colour})),
                (json!({}), json!({"tlp_color": tag})),
                (json!({}), json!({"tlp_color": {"value": colour}})),
                (json!({}), json!({"tlp_color": null, "tlp_color_override": colour})),
                (json!({}), json!({"tags": ["x", tag]})),
                (json!({}), json!({"tags": [format!("TLP = {colour}")]})),
                (json!({}), json!({"taxonomy_paths": [["TLP", colour]]})),
                (handling.clone(), json!({})),
                (
                    json!({"handling": [{"marking_structures": [{"statement": format!("TLP:{colour}")}]}]}),
                    json!({}),
                ),
            ] {
                let found = sent_of(&package(place, &data, &meta), "day");
                assert_eq!(found, [goes; 2], "{data} {meta} on {place}");
            }
        }
    }
}
