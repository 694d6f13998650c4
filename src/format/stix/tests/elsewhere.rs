//! Markings under keys that are written otherwise, in objects within, and on definitions.

use super::*;

const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";

fn object(kind: &str, refs: &Value, more: &Value) -> Value {
    let mut object = json!({
        "type": kind, "id": format!("{kind}--{U1}"), "object_marking_refs": refs, "relationship_type": "x",
        "source_ref": format!("a--{U2}"), "target_ref": format!("b--{U3}"),
    });
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

#[test]
fn a_key_in_other_letters_makes_stricter_and_nothing_marked() {
    for (more, told) in [
        (json!({"Object_Marking_Refs": [RED]}), 1),
        (json!({"OBJECT_MARKING_REFS": RED}), 1),
        (json!({"Object_Marking_Refs": ["red"]}), 1),
        (json!({"Object_Marking_Refs": ["x"]}), 1),
        (json!({"Object_Marking_Refs": [{"Id": RED}]}), 1),
        (json!({" object_marking_refs": [RED]}), 1),
        (json!({"object_marking_ref": RED}), 1),
        (json!({"objectMarkingRefs": [RED]}), 1),
        (json!({"object-marking-refs": [&RED["marking-definition--".len()..]]}), 1),
        (json!({"object_marking\u{200b}_refs": [RED]}), 1),
        (json!({"Granular_Markings": [{"marking_ref": RED, "selectors": ["x"]}]}), 1),
        (json!({"granular_markings": [{"lang": "nl", "Marking_Ref": RED}]}), 1),
        (json!({"Labels": ["TLP:RED"]}), 1),
        (json!({"LABELS": ["x", ["TLP", "RED"]]}), 1),
        (json!({"X_OpenCTI_Labels": "tlp:red"}), 1),
        (json!({"Tags": [{"namespace": "tlp", "predicate": "red"}]}), 1),
        (json!({"Extensions": {"x": {"tlp_2_0": "red"}}}), 1),
        (json!({"x_part": {"object_marking_refs": [RED]}}), 0),
        (json!({"x_parts": [{"granular_markings": [{"marking_ref": RED}]}]}), 0),
        (json!({"x_marking": "red"}), 0),
        (json!({"x_markings": [RED]}), 0),
        (json!({"x_tlp_ref": RED}), 0),
        (json!({"x_tags": ["TLP", "RED"]}), 0),
        (json!({"x_classification": "TLP:RED"}), 0),
        (json!({"external_references": [{"source_name": "TLP", "external_id": "red"}]}), 0),
        (json!({"external_references": [{"source_name": "x", "description": "TLP:RED"}]}), 0),
        (json!({"x_traffic_light": "red"}), 0),
        (json!({"x_tags": ["RED (TLP)"]}), 0),
        (json!({"x_tags": ["\u{422}LP:RED"]}), 0),
        (json!({"x_tags": ["tlp%3ARED"]}), 0),
        (json!({"x_markings": [{"color": "RED", "type": "TLP"}]}), 0),
    ] {
        for kind in ["malware", "observed-data", "relationship", "url"] {
            for (refs, unmarked) in [(json!([GREEN]), false), (json!([]), true)] {
                let object = object(kind, &refs, &more);
                let facts = decode(&json!([object]));
                if kind == "relationship" {
                    assert_eq!(facts.relations[0].tlp, Some(Tlp::Red), "{object}");
                } else {
                    let marking = facts.entities[0].marking();
                    assert_eq!(marking.tlp, Some(Tlp::Red), "{object}");
                    let whole =
                        ["x_marking", "x_tlp_ref", "x_cl", "x_tr", "external_references", "x_tags"]
                            .iter()
                            .any(|key| more.to_string().contains(key));
                    assert!(marking.unmarked == unmarked || whole, "{object}");
                }
                assert_eq!((facts.issues.len(), facts.skipped), (told, 0), "{:?}", facts.issues);
            }
        }
    }
    // What frees in such a form frees nothing.
    for more in [
        json!({"Object_Marking_Refs": [GREEN]}),
        json!({"Labels": ["TLP:GREEN"]}),
        json!({"x_markings": ["green"], "Extensions": {"x": {"tlp": "green"}}}),
    ] {
        let facts = decode(&json!([object("malware", &json!([RED]), &more)]));
        assert_eq!(facts.entities[0].marking(), Marking::of(Some(Tlp::Red)), "{more}");
    }
    for more in [json!({"Object_Marking_Refs": [GREEN]}), json!({"Labels": ["TLP:GREEN"]})] {
        let facts = decode(&json!([object("malware", &json!([]), &more)]));
        let marking = Marking { tlp: Some(Tlp::Green), unmarked: true };
        assert_eq!(facts.entities[0].marking(), marking, "{more}");
    }
}

#[test]
fn nothing_is_told_of_markings_that_stand_where_they_should() {
    for more in [
        json!({"granular_markings": [{"marking_ref": GREEN, "selectors": ["labels.[0]", "name"]}]}),
        json!({"object_refs": [RED], "labels": ["Marking", "handling"]}),
        json!({"name": "Marking of red lines", "description": "TLP:RED", "x_lists": ["TLP", "RED"]}),
        json!({"labels": ["TLP", "red-team"], "objects": {"0": {"object_marking_refs": [GREEN]}}}),
    ] {
        let facts = decode(&json!([object("malware", &json!([GREEN]), &more)]));
        assert_eq!(facts.entities[0].marking(), Marking::of(Some(Tlp::Green)), "{more}");
        assert_eq!(facts.issues, [], "{more}");
    }
}

/// A marking definition and an object that it marks.
fn defined(properties: &Value) -> (Marking, Facts, Vec<String>) {
    let mut definition =
        json!({"type": "marking-definition", "id": format!("marking-definition--{U2}")});
    definition.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
    let object = json!({
        "type": "malware", "id": format!("malware--{U1}"),
        "object_marking_refs": [format!("marking-definition--{U2}")],
    });
    let texts = [definition.to_string(), object.to_string()];
    let mut facts = decode_unsettled(&texts.each_ref().map(String::as_str));
    let warnings = facts.settle(&Said::new());
    (facts.entities[0].marking(), facts, warnings)
}

#[test]
fn a_definition_under_keys_in_other_letters_is_heard() {
    for definition in [
        json!({"Definition_Type": "tlp", "Definition": {"tlp": "red"}}),
        json!({"DEFINITION": {"tlp": "red"}}),
        json!({"Name": "TLP:RED"}),
        json!({"name": "TLP:GREEN", "NAME": "TLP:RED"}),
        json!({"Extensions": {"x": {"tlp_2_0": "red"}}}),
        json!({"X_OpenCTI_Definition": "TLP:RED"}),
    ] {
        let (marking, facts, warnings) = defined(&definition);
        assert_eq!(marking, Marking::of(Some(Tlp::Red)), "{definition}");
        assert_eq!((facts.issues.len(), warnings.len()), (1, 0), "{:?}", facts.issues);
    }
}

#[test]
fn a_definition_that_is_marked_makes_as_strict_and_nothing_marked() {
    let whole = |tlp| Marking::of(Some(tlp));
    for (more, marking, told) in [
        (json!({"name": "TLP:GREEN", "object_marking_refs": [RED]}), whole(Tlp::Red), 1),
        (json!({"name": "TLP:GREEN", "object_marking_refs": [GREEN]}), whole(Tlp::Green), 0),
        (json!({"name": "TLP:RED", "object_marking_refs": [GREEN]}), whole(Tlp::Red), 0),
        (
            json!({"name": "TLP:GREEN", "granular_markings": [{"marking_ref": RED}]}),
            whole(Tlp::Red),
            1,
        ),
        (json!({"name": "TLP:GREEN", "object_marking_refs": ["x"]}), whole(Tlp::Red), 1),
        (
            json!({"definition_type": "statement", "definition": {"statement": "x"},
                   "object_marking_refs": [GREEN]}),
            Marking { tlp: Some(Tlp::Green), unmarked: true },
            1,
        ),
        (
            json!({"name": "TLP:GREEN", "object_marking_refs": [format!("marking-definition--{U2}")]}),
            whole(Tlp::Green),
            0,
        ),
    ] {
        let (found, _, warnings) = defined(&more);
        assert_eq!(found, marking, "{more}");
        assert_eq!(warnings.len(), told, "{warnings:?}");
    }
    let (found, facts, _) = defined(&json!({"name": "TLP:GREEN", "Object_Marking_Refs": [RED]}));
    assert_eq!((found, facts.issues.len()), (whole(Tlp::Red), 1));
}

#[test]
fn definitions_that_mark_each_other_are_as_strict_as_the_strictest_behind_them() {
    let ids: Vec<String> = (0..3_000).map(|n| format!("marking-definition--{n:036}")).collect();
    let mut objects: Vec<Value> = (0..ids.len())
        .map(|n| {
            json!({"type": "marking-definition", "id": ids[n], "name": "TLP:GREEN",
                   "object_marking_refs": [ids[(n + 1) % ids.len()]]})
        })
        .collect();
    objects[2_000]["granular_markings"] = json!([{"marking_ref": RED, "selectors": ["name"]}]);
    objects.push(object("relationship", &json!([ids[2_001]]), &json!({})));
    objects.push(object("malware", &json!([ids[1], GREEN]), &json!({})));
    let facts = decode(&json!(objects));
    assert_eq!(facts.entities[0].marking(), Marking::of(Some(Tlp::Red)));
    assert_eq!(facts.relations[0].tlp, Some(Tlp::Red));
}

#[test]
fn what_a_relationship_links_to_a_marking_is_marked_with_it() {
    let own = format!("marking-definition--{U3}");
    let malware = object("malware", &json!([GREEN]), &json!({}));
    let defines = json!({"type": "marking-definition", "id": own, "name": "TLP:AMBER"});
    let link = |source: &str, target: &str, more: Value| {
        let more = json!({"source_ref": source, "target_ref": target})
            .as_object()
            .unwrap()
            .clone()
            .into_iter()
            .chain(more.as_object().unwrap().clone())
            .collect();
        object("relationship", &json!([]), &Value::Object(more))
    };
    let malware_id = malware["id"].as_str().unwrap();
    for (marking, tlp) in [(RED, Tlp::Red), (&*own, Tlp::Amber), (GREEN, Tlp::Green)] {
        for marking in [marking.to_owned(), marking.to_uppercase()] {
            for (source, target) in [(malware_id, &*marking), (&*marking, malware_id)] {
                for kind in ["object-marking", "related-to", "x"] {
                    let link = link(source, target, json!({"relationship_type": kind}));
                    for objects in
                        [json!([malware, link, defines]), json!([defines, link, malware])]
                    {
                        let facts = decode(&objects);
                        assert_eq!(
                            facts.entities[0].marking(),
                            Marking::of(Some(tlp)),
                            "{objects}"
                        );
                    }
                }
            }
        }
    }
    let unmarked = object("malware", &json!([]), &json!({}));
    let facts = decode(&json!([unmarked, link(malware_id, GREEN, json!({}))]));
    let marking = Marking { tlp: Some(Tlp::Green), unmarked: true };
    assert_eq!(facts.entities[0].marking(), marking);
    for others in [
        vec![link(malware_id, RED, json!({"revoked": true}))],
        vec![link(RED, GREEN, json!({}))],
        vec![
            link(malware_id, RED, json!({"modified": "2024-01-01T00:00:00Z"})),
            link(malware_id, GREEN, json!({"modified": "2024-01-02T00:00:00Z"})),
        ],
    ] {
        let facts = decode(&Value::from([vec![malware.clone()], others.clone()].concat()));
        assert_eq!(facts.entities[0].marking(), Marking::of(Some(Tlp::Green)), "{others:?}");
    }
}

#[test]
fn the_id_of_a_marking_marks_under_any_key_but_that_of_what_a_container_lists() {
    let own = format!("marking-definition--{U3}");
    let defines = json!({"type": "marking-definition", "id": own, "name": "TLP:RED"});
    for id in [RED, &*own, &RED.to_uppercase(), &format!(" {RED} ")] {
        for more in [
            json!({"x_level": id}),
            json!({"x_level_ref": id}),
            json!({"x_refs": [GREEN, id]}),
            json!({"x": {"y": [{"id": id}]}}),
            json!({"extensions": {"x": {"confidentiality": id}}}),
            json!({"external_references": [{"source_name": "x", "external_id": id}]}),
            json!({"description": id}),
        ] {
            for kind in ["malware", "relationship", "report", "url"] {
                let object = object(kind, &json!([GREEN]), &more);
                let facts = decode(&json!([object, defines]));
                let entity = facts.entities.first().map(|it| it.marking().tlp);
                let tlp = entity.unwrap_or_else(|| facts.relations[0].tlp);
                assert_eq!(tlp, Some(Tlp::Red), "{object}");
            }
        }
        let report = object("report", &json!([GREEN]), &json!({"object_refs": [id, "a--1"]}));
        let facts = decode(&json!([report, defines]));
        assert_eq!(facts.entities[0].marking(), Marking::of(Some(Tlp::Green)), "{id}");
    }
    let silent = json!({"type": "marking-definition", "id": own, "definition": {"statement": "x"}});
    let object = object("malware", &json!([GREEN]), &json!({"x_level": own}));
    let facts = decode(&json!([object, silent]));
    assert_eq!(facts.entities[0].marking(), Marking::of(Some(Tlp::Green)));
}
