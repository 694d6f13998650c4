//! What of an object cannot be read: what marks it is heard all the same, or it is red.

use super::*;

const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";

/// The marking of a green object with some more properties, and of a relationship; how much is told and left out.
fn marked(more: &str) -> ([Option<Tlp>; 2], usize, usize) {
    let object = |kind: &str, ends: &str| {
        let marking = format!(r#""object_marking_refs":["{GREEN}"]"#);
        format!(r#"{{"type":"{kind}","id":"{kind}--{U1}",{ends}{marking},{more}}}"#)
    };
    let ends = format!(r#""relationship_type":"x","source_ref":"a--{U2}","target_ref":"b--{U3}","#);
    let facts = decode_raw(&[&object("malware", ""), &object("relationship", &ends)]);
    let found = [facts.entities[0].marking().tlp, facts.relations[0].tlp];
    (found, facts.issues.len(), facts.skipped)
}

#[test]
fn a_number_that_is_too_large_hides_no_marking() {
    let long = "9".repeat(400);
    for number in ["1e400", "-1E+500", &long] {
        for marking in [
            r#""x_tlp":"RED""#.to_owned(),
            r#""labels":["TLP:RED"]"#.to_owned(),
            format!(r#""extensions":{{"x":{{"object_marking_refs":["{RED}"]}}}}"#),
        ] {
            for score in [
                format!(r#""x_score":{number}"#),
                format!(r#""x":[1,{{"a \" 1":{number} }},"\\","{number}",{number}]"#),
            ] {
                let red = ([Some(Tlp::Red); 2], 0, 0);
                assert_eq!(marked(&format!("{marking},{score}")), red, "{marking} {score}");
                assert_eq!(marked(&format!("{score},{marking}")), red, "{marking} {score}");
            }
        }
        let (found, told, _) = marked(&format!(r#""x_tlp":"green","x_score":{number}"#));
        assert_eq!((found, told), ([Some(Tlp::Green); 2], 0));
    }
    let defines = format!(
        r#"{{"type":"marking-definition","id":"marking-definition--{U2}","name":"TLP:RED","x":1e400}}"#
    );
    let uses = format!(
        r#"{{"type":"malware","id":"malware--{U1}","object_marking_refs":["marking-definition--{U2}"]}}"#
    );
    let facts = decode_raw(&[&defines, &uses]);
    assert_eq!((facts.entities[0].tlp, facts.issues.len()), (Some(Tlp::Red), 0));
}

#[test]
fn what_cannot_be_looked_at_is_red() {
    let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
    for more in [r#""x_tlp":"RED""#, r#""labels":["tlp:green"]"#, r#""x_markings":[]"#] {
        let found = marked(&format!(r#"{more},"x_deep":{deep}"#));
        assert_eq!(found, ([Some(Tlp::Red); 2], 2, 0), "{more}");
    }
    // Nothing in it may be a marking beside that which is read.
    assert_eq!(marked(&format!(r#""x_deep":{deep}"#)), ([Some(Tlp::Green); 2], 0, 0));
    // A definition that is green elsewhere.
    let defines = |more: &str| {
        format!(r#"{{"type":"marking-definition","id":"marking-definition--{U2}",{more}}}"#)
    };
    let uses = format!(
        r#"{{"type":"malware","id":"malware--{U1}","object_marking_refs":["marking-definition--{U2}"]}}"#
    );
    let (green, other) =
        (defines(r#""name":"TLP:GREEN""#), defines(&format!(r#""name":"TLP:RED","x":{deep}"#)));
    let facts = decode_raw(&[&green, &other, &uses]);
    assert_eq!((facts.entities[0].tlp, facts.issues.len()), (Some(Tlp::Red), 1));
}

#[test]
fn a_version_is_dated_by_its_creation_only_where_it_says_no_other_time() {
    let created = "2024-01-01T00:00:00Z";
    for (modified, time) in [
        (Value::Null, Some(created)),
        (json!(""), Some(created)),
        (json!("2024-01-02T00:00:00Z"), Some("2024-01-02T00:00:00Z")),
        (json!("04/11/2026"), None),
        (json!("2024-01-02T25:00:00Z"), None),
        (json!("9999-12-31T23:59:59Z"), None),
        (json!(" "), None),
        (json!(true), None),
        (json!({"value": "2024-01-02T00:00:00Z"}), None),
        (json!([]), None),
    ] {
        let text = json!({"type": "malware", "id": format!("malware--{U1}"), "created": created,
                          "modified": modified})
        .to_string();
        let entity = &decode_raw(&[&text]).entities[0];
        let time = time.map(|time| Timestamp::parse(time).unwrap());
        assert_eq!(entity.modified, time, "{modified}");
        assert_eq!(entity.created, Some(Timestamp::parse(created).unwrap()));
        let Some(OwnId::Of { version, .. }) = own_id(text.as_bytes()) else { panic!("{text}") };
        assert_eq!(version, time, "{modified}");
    }
    // Neither frees what an older version marks.
    let version = |kind: &str, created: &str, modified: &str, marking: &str| {
        json!({"type": kind, "id": format!("{kind}--{U1}"), "created": created,
               "modified": modified, "relationship_type": "x", "source_ref": format!("a--{U2}"),
               "target_ref": format!("b--{U3}"), "object_marking_refs": [marking]})
    };
    for [one, other] in [
        [(created, "2024-01-03T00:00:00Z", RED), ("2024-01-04T00:00:00Z", "soon", GREEN)],
        [(created, "2024-01-03T00:00:00Z", GREEN), (created, "soon", RED)],
    ] {
        let of = |(created, modified, marking)| version("relationship", created, modified, marking);
        let facts = decode(&json!([of(one), of(other)]));
        assert_eq!(facts.relations.iter().map(|it| it.tlp).max(), Some(Some(Tlp::Red)));
        assert_eq!(facts.relations.iter().filter(|it| it.removed.is_none()).count(), 1);
    }
}

#[test]
fn a_version_that_is_damaged_may_be_marked_stricter() {
    let (early, late) = ("2024-01-01T00:00:00Z", "2024-01-03T00:00:00Z");
    let of = |kind: &str, modified: &str, more: &str| {
        format!(
            r#"{{"type":"{kind}","id":"{kind}--{U1}","modified":"{modified}","object_marking_refs":["{GREEN}"],"relationship_type":"x",
                "source_ref":"a--{U2}","target_ref":"b--{U3}"{more}}}"#
        )
    };
    for kind in ["malware", "relationship"] {
        let good = of(kind, "2024-01-02T00:00:00Z", "");
        for (damaged, tlp) in [
            (of(kind, late, r#","name":"a","name":"b""#), Tlp::Red),
            (of(kind, late, r#","x":01"#), Tlp::Red),
            (of(kind, "soon", r#","x":01"#), Tlp::Red),
            (of(kind, late, r#","modified":"2024-01-01T00:00:00Z""#), Tlp::Red),
            (of(kind, late, "").replacen(r#""type""#, r#""Type""#, 1), Tlp::Red),
            // An older version has no say, and another object none.
            (of(kind, early, r#","x":01"#), Tlp::Green),
            (of("tool", late, r#","x":01"#), Tlp::Green),
        ] {
            for objects in [[&*good, &*damaged], [&*damaged, &*good]] {
                let mut facts = decode_unsettled(&objects);
                let told = facts.settle(&Said::new()).len();
                let found = match kind {
                    "relationship" => facts.relations[0].tlp,
                    _ => facts.entities[0].marking().tlp,
                };
                assert_eq!((found, facts.skipped), (Some(tlp), 1), "{objects:?}");
                assert_eq!(told, usize::from(tlp == Tlp::Red && kind == "malware"), "{objects:?}");
            }
        }
    }
    let marking = format!("marking-definition--{U2}");
    let defines = format!(r#"{{"type":"marking-definition","id":"{marking}","name":"TLP:GREEN"}}"#);
    let damaged = defines.replace("GREEN", "RED").replace('}', r#","x":01}"#);
    let uses =
        format!(r#"{{"type":"malware","id":"malware--{U1}","object_marking_refs":["{marking}"]}}"#);
    let facts = decode_raw(&[&defines, &damaged, &uses]);
    assert_eq!(facts.entities[0].tlp, Some(Tlp::Red));
}
