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
        (vec![], vec![amber_strict], vec![], Some(Tlp::AmberStrict)),
        (vec![U2], vec![], vec![], Some(Tlp::Red)),
        (vec![white], vec![U2], vec![], Some(Tlp::Red)),
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
        let marking = facts.entities[0].marking();
        assert_eq!(marking.tlp, expected, "{objects:?}");
        // A marking of a part does not mark the rest.
        let is_marked = objects[0]["object_marking_refs"] != json!([]);
        assert_eq!(marking.unmarked, !is_marked || expected.is_none(), "{objects:?}");
    }
}

#[test]
fn a_marking_that_cannot_be_read_is_red() {
    for definition in [json!({"tlp": "purple"}), json!({}), json!("so"), Value::Null] {
        let facts = decode(&json!([
            {"type": "marking-definition", "id": format!("marking-definition--{U2}"),
             "definition_type": "tlp", "definition": definition},
            {"type": "malware", "id": format!("malware--{U1}"),
             "object_marking_refs": [format!("marking-definition--{U2}")]},
        ]));
        assert_eq!(facts.entities[0].tlp, Some(Tlp::Red), "{definition}");
        assert_eq!((facts.issues.len(), facts.skipped), (1, 0));
    }
    for (granular, expected) in [
        (json!({"a": 1}), Some(Tlp::Red)),
        (json!(["x"]), Some(Tlp::Red)),
        (json!([{"selectors": ["name"]}]), Some(Tlp::Red)),
        (json!([{"lang": "nl", "marking_ref": ["x"]}]), Some(Tlp::Red)),
        (json!([{"lang": "nl", "marking_ref": null}]), None),
        (json!([]), None),
        (Value::Null, None),
    ] {
        let facts = decode(&json!([
            {"type": "malware", "id": format!("malware--{U1}"), "granular_markings": granular},
        ]));
        assert_eq!(facts.entities[0].marking(), Marking { tlp: expected, unmarked: true });
        let told = facts.issues.first().map(ToString::to_string);
        let begin = "bundle.json#/objects/0/granular_markings: ";
        assert_eq!(told.is_some_and(|told| told.starts_with(begin)), expected.is_some());
    }
}

#[test]
fn what_is_no_colour_is_told_once() {
    let purple = json!({"type": "tlp", "value": "purple"});
    for more in [json!({"x_p": purple}), json!({"x_tlp": purple}), json!({"x_tlp": "purple"})] {
        let mut malware = json!({"type": "malware", "id": format!("malware--{U1}"), "name": "m"});
        malware.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let facts = decode(&json!([malware]));
        let told = facts.issues.iter().map(ToString::to_string);
        let told: Vec<String> = told.filter(|told| told.contains("purple")).collect();
        let what = "\"purple\" is no TLP colour; the object is taken as TLP red";
        assert_eq!(told, [format!("bundle.json#/objects/0: warning: {what}")]);
        assert_eq!(facts.entities[0].marking().tlp, Some(Tlp::Red));
    }
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
    let markings = facts.entities.iter().map(Entity::marking);
    let red = |unmarked| Marking { tlp: Some(Tlp::Red), unmarked };
    assert_eq!(markings.collect::<Vec<_>>(), [red(false), red(true), red(false)], "{facts:?}");
}

/// What an object is marked as that uses the marking that a definition of these properties stands for.
fn defined(properties: &Value) -> Facts {
    let mut definition = json!({
        "type": "marking-definition", "id": format!("marking-definition--{U2}"), "spec_version": "2.1",
        "created": "2024-01-01T00:00:00Z",
    });
    let all = definition.as_object_mut().unwrap();
    all.extend(properties.as_object().unwrap().clone());
    decode(&json!([definition, {
        "type": "malware", "id": format!("malware--{U1}"),
        "object_marking_refs": [format!("marking-definition--{U2}")],
    }]))
}

#[test]
fn a_definition_says_its_colour_in_many_forms() {
    const EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";
    for (name, tlp) in
        [("RED", Tlp::Red), ("amber+strict", Tlp::AmberStrict), ("Green", Tlp::Green)]
    {
        let tagged = format!("TLP:{name}");
        for definition in [
            json!({"definition_type": "tlp", "definition": {"tlp": name}}),
            json!({"definition_type": "TLP", "definition": {"TLP": name}}),
            json!({"definition_type": "tlp", "definition": {"tlp": tagged}}),
            json!({"definition_type": "tlp", "definition": {"Tlp": [name]}}),
            json!({"definition_type": "tlp", "definition": {"level": name}}),
            json!({"definition_type": "tlp", "definition": name}),
            json!({"definition_type": "tlp", "definition": tagged, "name": "x"}),
            json!({"definition": {"tlp": name}}),
            json!({"definition_type": "iep", "definition": {"iep": {"tlp": name}}}),
            json!({"name": tagged}),
            json!({"name": name}),
            json!({"definition_type": "statement", "definition": {"statement": name}}),
            json!({"name": tagged, "definition_type": "statement", "definition": {"statement": "x"}}),
            json!({"definition_type": "statement", "definition": {"statement": tagged}}),
            json!({"definition_type": "statement",
                   "definition": {"statement": format!("For members. {tagged}, until May")}}),
            json!({"definition_type": "statement", "definition": tagged}),
            json!({"definition_type": "statement", "definition": {"statement": "custom"},
                   "x_opencti_definition_type": "TLP", "x_opencti_definition": tagged}),
            json!({"definition_type": "statement", "definition": {"statement": "custom"},
                   "x_opencti_definition_type": "TLP", "x_opencti_definition": name}),
            json!({"x_opencti_definition": tagged}),
            json!({"name": "x", "tlp_2_0": name}),
            json!({"extensions": {EXTENSION: {"extension_type": "property-extension", "tlp_2_0": name}}}),
            json!({"extensions": {EXTENSION.to_uppercase(): {"TLP_2_0": tagged}}}),
            json!({"extensions": {"extension-definition--x": {"tlp": name}}}),
            json!({"description": format!("That of {tagged}.")}),
        ] {
            let facts = defined(&definition);
            assert_eq!(facts.entities[0].tlp, Some(tlp), "{definition}");
            assert_eq!(facts.issues, [], "{definition}");
        }
    }
    for definition in [
        json!({"definition_type": "statement", "definition": {"statement": "Copyright 2024, red"}}),
        json!({"definition_type": "PAP", "name": "PAP:RED", "definition": {"pap": "red"}}),
        json!({"name": "Red Hat"}),
        json!({"description": "Ours."}),
        json!({"x_tlp": null, "definition_type": "statement", "definition": {}}),
        json!({"name": "tlp:ex:chr"}),
    ] {
        let facts = defined(&definition);
        assert_eq!(facts.entities[0].tlp, None, "{definition}");
        assert_eq!(facts.issues, [], "{definition}");
    }
    for definition in [
        json!({"definition_type": "tlp", "definition": {"tlp": null}}),
        json!({"definition_type": "tlp", "definition": {"tlp": 7}, "name": "TLP:GREEN"}),
        json!({"extensions": {EXTENSION: {"extension_type": "property-extension"}}}),
        json!({"extensions": {EXTENSION: {}}}),
        json!({"extensions": {EXTENSION: null}}),
        json!({"extensions": {EXTENSION: []}}),
        json!({"extensions": {EXTENSION: {"tlp_2_0": ""}}}),
        json!({"extensions": {EXTENSION: {"extension_type": "property-extension", "tlp_2_0": null}}}),
        json!({"extensions": {"x-tlp": {}}, "name": "ours"}),
        json!({"name": "TLP", "definition_type": "statement", "definition": {"statement": "x"}}),
        json!({"definition_type": "statement", "definition": {"statement": "Traffic Light Protocol"}}),
        json!({"x_opencti_definition_type": "TLP", "x_opencti_definition": "so"}),
    ] {
        let facts = defined(&definition);
        assert_eq!(facts.entities[0].tlp, Some(Tlp::Red), "{definition}");
        assert_eq!(facts.issues.len(), 1, "{definition}");
    }
}

#[test]
fn a_definition_that_says_nothing_is_none() {
    for empty in [
        json!({}),
        json!({"definition_type": null, "definition": {}}),
        json!({"definition_type": "", "name": " ", "extensions": {}, "lang": "en", "revoked": false}),
    ] {
        let facts = defined(&empty);
        assert_eq!(facts.entities[0].tlp, Some(Tlp::Red), "{empty}");
        assert_eq!(facts.issues, [], "{empty}");
    }
}

#[test]
fn a_colour_that_stands_twice_is_the_strictest() {
    let uses = format!(
        r#"{{"type": "malware", "id": "malware--{U1}", "object_marking_refs": "marking-definition--{U2}"}}"#
    );
    let defines = |body: &str| {
        format!(r#"{{"type": "marking-definition", "id": "marking-definition--{U2}", {body}}}"#)
    };
    for body in [
        r#""definition_type": "tlp", "definition": {"tlp": "red", "tlp": "green"}"#,
        r#""name": "TLP:GREEN", "definition_type": "tlp", "definition": {"tlp": "red"}"#,
        // What cannot be read defines nothing.
        r#""name": "TLP:RED", "name": "TLP:GREEN""#,
    ] {
        let facts = decode_raw(&[&defines(body), &uses]);
        assert_eq!(facts.entities[0].tlp, Some(Tlp::Red), "{body}");
    }
}

#[test]
fn what_is_no_id_of_a_marking_is_no_less_a_marking() {
    let green = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
    let red = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    for (refs, tlp, issues) in [
        (json!([green]), Some(Tlp::Green), 0),
        (json!(green), Some(Tlp::Green), 0),
        (json!([green.to_uppercase(), format!(" {green} ")]), Some(Tlp::Green), 0),
        (json!([green, [red]]), Some(Tlp::Red), 1),
        (json!([green, [[green], [red]]]), Some(Tlp::Red), 1),
        (json!([green, [green]]), Some(Tlp::Green), 1),
        (json!([green, {"id": green}]), Some(Tlp::Green), 1),
        (json!([green, {"id": green, "definition": {"tlp": "RED"}}]), Some(Tlp::Red), 1),
        (json!([green, ["x"], [7]]), Some(Tlp::Red), 2),
        (json!([green, {}]), Some(Tlp::Red), 1),
        (json!([green, null]), Some(Tlp::Red), 1),
        (json!([green, 7, true]), Some(Tlp::Red), 2),
        (json!([green, ""]), Some(Tlp::Red), 1),
        (json!({"id": green}), Some(Tlp::Green), 1),
        (json!({"id": "x"}), Some(Tlp::Red), 1),
        (json!([[green, "x"]]), Some(Tlp::Red), 1),
        (json!([[green, {"id": green, "name": "x"}]]), Some(Tlp::Green), 1),
        (json!(7), Some(Tlp::Red), 1),
        (json!([green, "TLP:AMBER"]), Some(Tlp::Amber), 1),
        (json!("amber+strict"), Some(Tlp::AmberStrict), 1),
        (json!([green, "identity--x"]), Some(Tlp::Red), 0),
        (json!([]), None, 0),
        (json!(""), None, 0),
        (Value::Null, None, 0),
    ] {
        let object = |kind: &str| {
            json!({"type": kind, "id": format!("{kind}--{U1}"), "relationship_type": "x",
                   "source_ref": format!("a--{U2}"), "target_ref": format!("b--{U3}"),
                   "object_marking_refs": refs})
        };
        let facts = decode(&json!([object("malware")]));
        assert_eq!(facts.entities[0].marking(), Marking::of(tlp), "{refs}");
        assert_eq!((facts.issues.len(), facts.skipped), (issues, 0), "{refs}");
        let facts = decode(&json!([object("relationship")]));
        assert_eq!(facts.relations[0].tlp, tlp, "{refs}");
        assert_eq!((facts.issues.len(), facts.skipped), (issues, 0), "{refs}");
    }
}

#[test]
fn objects_and_relationships_are_marked_beside_their_references() {
    let green = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
    let red = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    for (more, tlp) in [
        (json!({}), Tlp::Green),
        (json!({"labels": ["TLP:RED"]}), Tlp::Red),
        (json!({"labels": "tlp=amber-strict"}), Tlp::AmberStrict),
        (json!({"labels": ["red", "tlp:ex:chr", "tlp:white"]}), Tlp::Green),
        (json!({"x": {"value": "TLP:RED"}}), Tlp::Red),
        (json!({"x": [{"content": "TLP:RED"}]}), Tlp::Red),
        (json!({"x": {"y": {"name": "tlp red"}}}), Tlp::Red),
        (json!({"extensions": {"x": {"level": {"value": "TLP:RED"}}}}), Tlp::Red),
        (json!({"x": {"value": "red"}, "y": {"status": {"value": "RED"}}}), Tlp::Green),
        (json!({"x": {"value": "It is not TLP:RED"}}), Tlp::Green),
        (json!({"x": {"title": "TLP:RED", "description": {"value": "TLP:RED"}}}), Tlp::Green),
        (json!({"value": "TLP:RED", "content": "TLP:RED"}), Tlp::Green),
        (json!({"objects": {"0": {"type": "domain-name", "value": "TLP:RED"}}}), Tlp::Green),
        (json!({"x": "%54LP:RED", "y": "T%4CP%C2%A0GREEN"}), Tlp::Red),
        (json!({"x_tags": ["T&shy;L<wbr>P:RED"]}), Tlp::Red),
        (json!({"%54lp_color": "RED"}), Tlp::Red),
        (json!({"\u{1d5e7}\u{1d5df}\u{1d5e3}": "RED"}), Tlp::Red),
        (json!({"x": {"type": "T&shy;LP", "value": "\u{1d5e5}ED"}}), Tlp::Red),
        (json!({"name": "TLP", "labels": ["red"], "x_color": "red"}), Tlp::Green),
        (json!({"x_scheme": "TLP", "x_code": "RED"}), Tlp::Red),
        (json!({"labels": ["RED", "x", "TLP"]}), Tlp::Red),
        (json!({"x_tags": [["TLP", "AMBER"], ["Team", "red"]]}), Tlp::Amber),
        (json!({"x": {"brand": "traffic", "color": "red"}}), Tlp::Green),
        (json!({"x": {"type": "tlp", "red": false, "green": true}}), Tlp::Green),
        (json!({"labels": ["for members, TLP:AMBER"]}), Tlp::Amber),
        (json!({"labels": [{"value": "TLP:RED"}]}), Tlp::Red),
        (json!({"labels": [{"tlp:red": true}, 7]}), Tlp::Red),
        (json!({"x_opencti_labels": ["a", "TLP:AMBER"]}), Tlp::Amber),
        (json!({"x_marking": ["TLP:RED"]}), Tlp::Red),
        (json!({"x_misp_tags": ["Traffic light protocol: amber"]}), Tlp::Amber),
        (json!({"x_misp_tags": ["\u{ff34}\u{ff2c}\u{ff30}:AMBER"]}), Tlp::Amber),
        (json!({"x_misp_tags": ["T\u{200b}LP:AMBER"]}), Tlp::Amber),
        (json!({"x_misp_tags": [{"name": "tlp:unclear"}]}), Tlp::Red),
        (json!({"indicator_types": ["benign", "tlp-amber"]}), Tlp::Amber),
        (json!({"extensions": {"x": {"labels": "TLP level: red"}}}), Tlp::Red),
        (json!({"granular_markings": [{"marking_ref": red, "selectors": ["x"]}]}), Tlp::Red),
        (json!({"tlp": "red"}), Tlp::Red),
        (json!({"tlpValue": "RED"}), Tlp::Red),
        (json!({"x_tlpv2": "RED"}), Tlp::Red),
        (json!({"reportTLP": "so"}), Tlp::Red),
        (json!({"x": {"TLPDesignation": "AMBER"}}), Tlp::Amber),
        (json!({"x_tlpx": "so", "atlp": "Red Ltd"}), Tlp::Green),
        (json!({"x_tlpx": "RED"}), Tlp::Red),
        (json!({"atlp": ["red"]}), Tlp::Red),
        (json!({"tlp": {"data": {"attributes": {"name": "RED"}}}}), Tlp::Red),
        (json!({"tlp": {"data": {"attributes": {"level": "purple"}}}}), Tlp::Red),
        (
            json!({"tlp": {"name": "green", "data": {"attributes": {"order": 3, "made": "2024"}}}}),
            Tlp::Green,
        ),
        (json!({"x_attributes": [{"type": "TLP", "value": "RED"}]}), Tlp::Red),
        (json!({"x_attributes": [{"name": "TLP", "id": 1, "value": "TLP:RED"}]}), Tlp::Red),
        (json!({"x_attributes": [{"value": "so", "attribute_name": "TLP Level"}]}), Tlp::Red),
        (
            json!({"extensions": {"x": {"properties": [{"key": "tlp", "values": ["GREEN", "AMBER"]}]}}}),
            Tlp::Amber,
        ),
        (json!({"x_attributes": [{"type": "TLP"}, {"value": "RED"}]}), Tlp::Green),
        (
            json!({"x_attributes": [{"type": "TLP report", "value": "RED"}, {"name": "tlp", "value": null}]}),
            Tlp::Green,
        ),
        (json!({"x_labels": ["T.L.P.: RED"]}), Tlp::Red),
        (json!({"x_labels": ["&#84;LP RED", "<b>x</b>"]}), Tlp::Red),
        (json!({"x_tlp_level": "TLP:AMBER"}), Tlp::Amber),
        (json!({"X_TLP": "purple"}), Tlp::Red),
        (json!({"x_tlp": null, "tlp_color": "none"}), Tlp::Green),
        (json!({"extensions": {"x": {"tlp_2_0": "red"}}}), Tlp::Red),
        (json!({"objects": {"0": {"type": "url", "object_marking_refs": [red]}}}), Tlp::Red),
        (json!({"name": "not TLP:RED", "description": "tlp red"}), Tlp::Green),
    ] {
        for kind in ["malware", "sighting", "observed-data", "relationship", "url"] {
            let mut object = json!({
                "type": kind, "id": format!("{kind}--{U1}"), "object_marking_refs": [green],
                "relationship_type": "x",
                "source_ref": format!("a--{U2}"), "target_ref": format!("b--{U3}"),
            });
            object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let facts = decode(&json!([object]));
            let found = match kind {
                "relationship" => facts.relations[0].tlp,
                _ => facts.entities[0].marking().tlp,
            };
            assert_eq!(found, Some(tlp), "{object}");
        }
    }
}

#[test]
fn versions_of_a_relationship_that_tie_are_as_strict_as_the_strictest() {
    let green = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
    let red = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    let version = |modified: &str, target: &str, marking: &str| {
        json!({"type": "relationship", "id": format!("relationship--{U1}"), "modified": modified,
               "relationship_type": "x", "source_ref": format!("a--{U2}"),
               "target_ref": format!("b--{target}"), "object_marking_refs": [marking]})
    };
    let (early, late) = ("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z");
    for (versions, colours) in [
        ([version(late, U3, green), version(early, U3, red)], vec![Tlp::Green]),
        ([version(late, U3, green), version(late, U3, red)], vec![Tlp::Red, Tlp::Red]),
        ([version(late, U3, green), version(late, U4, red)], vec![Tlp::Red, Tlp::Red]),
        ([version(late, U3, green), version("soon", U3, red)], vec![Tlp::Red]),
        ([version(late, U3, red), version("soon", U3, green)], vec![Tlp::Red]),
        ([version("", U3, red), version("soon", U3, green)], vec![Tlp::Red, Tlp::Red]),
    ] {
        let facts = decode(&json!(versions));
        let found: Vec<_> = facts.relations.iter().map(|relation| relation.tlp).collect();
        assert_eq!(found, colours.into_iter().map(Some).collect::<Vec<_>>(), "{versions:?}");
    }
}

#[test]
fn a_marking_that_is_defined_nowhere_is_told_once() {
    let uses = |kind: &str, marking: &str| {
        json!({"type": kind, "id": format!("{kind}--{U1}"), "relationship_type": "x",
               "source_ref": format!("a--{U2}"), "target_ref": format!("b--{U3}"),
               "object_marking_refs": [format!("marking-definition--{marking}")]})
    };
    let objects = [uses("a", U3), uses("b", U3), uses("relationship", U3), uses("c", U4)];
    let texts = objects.each_ref().map(Value::to_string);
    let mut facts = decode_unsettled(&texts.each_ref().map(String::as_str));
    let warnings = facts.settle(&Said::new());
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    for (warning, id) in warnings.iter().zip([U3, U4]) {
        assert!(warning.starts_with(&format!("marking-definition--{id} is defined nowhere")));
    }
}
