//! Which marking holds.

use super::*;

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
