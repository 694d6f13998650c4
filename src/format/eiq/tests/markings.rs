//! Markings in all the forms in which a package has them.

use super::*;
use crate::model::Marking;

const U1: &str = "11111111-1111-4111-8111-111111111111";

#[test]
fn the_marking_that_counts_is_found() {
    let legacy = r#","handling":[{"marking_structures":[{"marking_structure_type":"tlp","color":"GREEN"},
        {"color":"AMBER"},{"terms":"x"}]},null]"#;
    for (data, meta, tlp) in [
        ("", "", None),
        ("", r#""tlp_color":null,"tlp_color_override":"NONE""#, None),
        ("", r#""tlp_color":"WHITE""#, Some(Tlp::Clear)),
        ("", r#""tlp_color":"RED","tlp_color_override":"GREEN""#, Some(Tlp::Green)),
        ("", r#""tlp_color":"RED","tlp_color_override":"""#, Some(Tlp::Red)),
        (legacy, r#""tlp_color":"NONE""#, Some(Tlp::Amber)),
        ("", r#""tlp_color":"null","tlp_color_override":"None""#, None),
        ("", r#""tlp_color":"tlp:amber-strict""#, Some(Tlp::AmberStrict)),
        ("", r#""tlp_color":{"value":"Red"}"#, Some(Tlp::Red)),
        (r#","handling":[{"marking_structures":[{"statement":"x"},{"color":null}]}]"#, "", None),
        (r#","handling":"TLP:AMBER""#, r#""tlp_color":"AMBER""#, Some(Tlp::Amber)),
        (r#","handling":"AMBER""#, "", Some(Tlp::Amber)),
        (r#","handling":[{"marking_structures":[{"color":{"value":"RED"}}]}]"#, "", Some(Tlp::Red)),
        (r#","handling":{"tlp":"GREEN"}"#, "", Some(Tlp::Green)),
    ] {
        assert_eq!(entity(&indicator(data, meta)).tlp, tlp, "{data} {meta}");
    }
}

#[test]
fn what_marks_beside_the_colour_is_heard_where_it_is_stricter() {
    let handling =
        r#","handling":[{"marking_structures":[{"color":"AMBER"},{"statement":"TLP:GREEN"}]}]"#;
    for (data, meta, tlp, told) in [
        (handling, r#""tlp_color":"WHITE""#, Tlp::Amber, true),
        (handling, r#""tlp_color":"RED","tlp_color_override":"WHITE""#, Tlp::Amber, true),
        (handling, r#""tlp_color":"RED""#, Tlp::Red, false),
        ("", r#""tlp_color":"WHITE","tags":["TLP: Red"]"#, Tlp::Red, false),
        ("", r#""tags":["x","tlp:green"]"#, Tlp::Green, false),
        (
            "",
            r#""tlp_color":"GREEN","taxonomy_paths":[["a","TLP","Amber"],["TLP","About"]]"#,
            Tlp::Amber,
            false,
        ),
    ] {
        let mut facts = read_one(&indicator(data, meta));
        let warnings = facts.settle(&crate::graph::Said::new());
        assert_eq!(facts.entities[0].tlp, Some(tlp), "{data} {meta}");
        let of_tags =
            meta.contains("tlp_color") && (meta.contains("Red") || meta.contains("paths"));
        assert_eq!(warnings.len(), usize::from(of_tags), "{warnings:?}");
        let said: Vec<String> = issues(&facts);
        let begin =
            "day.json#/entities/0/data/handling: warning: says TLP amber, and the marking is clear";
        assert_eq!(said.iter().any(|said| said.starts_with(begin)), told, "{said:?}");
        assert_eq!(said.len(), usize::from(told));
    }
}

#[test]
fn what_marks_a_part_or_stands_where_the_platform_has_no_marking_is_heard() {
    for (data, meta, root) in [
        (r#","tlp_color":"RED""#, "", ""),
        (r#","tags":["TLP:RED"]"#, "", ""),
        (r#","tags":["\u0054LP:RED"]"#, "", ""),
        (r#","tags":["TRAFFIC LIGHT PROTOCOL = RED"]"#, "", ""),
        (r#","types":[{"value":"tlp red"}]"#, "", ""),
        ("", r#","tlp":"RED""#, ""),
        ("", r#","tlp_marking":{"color":"Red"}"#, ""),
        ("", r#","taxonomy_paths":[["for members: TLP RED"]]"#, ""),
        ("", r#","taxonomies":[{"name":"TLP - RED"}]"#, ""),
        ("", "", r#","tlp_color":"TLP:RED""#),
        ("", "", r#","tags":["tlp:unclear"]"#),
        (
            "",
            "",
            r#","extracts":[{"kind":"domain","value":"a.example","meta":{"tlp_color":"RED"}}]"#,
        ),
        (
            "",
            "",
            r#","extracts":[{"kind":"domain","value":"a.example","tags":[{"name":"tlp:red"}]}]"#,
        ),
        ("", "", r#","sources":[{"name":"x","tlp_color":"PINK"}]"#),
    ] {
        for (own, unmarked) in [(r#""tlp_color":"GREEN""#, false), (r#""tlp_color":null"#, true)] {
            let text = format!(
                r#"{{"id":"{U1}","data":{{"type":"indicator","title":"x"{data}}},"meta":{{{own}{meta}}}{root}}}"#
            );
            let marking = Marking { tlp: Some(Tlp::Red), unmarked };
            assert_eq!(read_one(&text).entities[0].marking(), marking, "{text}");
        }
    }
    let overridden = r#""tlp_color":{"value":"RED"},"tlp_color_override":"GREEN""#;
    assert_eq!(entity(&indicator("", overridden)).marking(), Marking::of(Some(Tlp::Green)));
}

#[test]
fn a_relation_has_a_marking_of_its_own() {
    let relation = |data: &str, meta: &str| {
        let ends = r#""source":"a","target":"b""#;
        format!(r#"{{"data":{{"type":"relation","key":"x",{ends}{data}}},"meta":{{{meta}}}}}"#)
    };
    for (data, meta, tlp) in [
        ("", "", None),
        ("", r#""tlp_color":"NONE""#, None),
        ("", r#""tlp_color":"RED""#, Some(Tlp::Red)),
        ("", r#""tlp_color":"RED","tlp_color_override":"AMBER""#, Some(Tlp::Amber)),
        ("", r#""tlp_color":"GREEN","tags":["tlp:amber+strict"]"#, Some(Tlp::AmberStrict)),
        (r#","handling":[{"marking_structures":[{"color":"RED"}]}]"#, "", Some(Tlp::Red)),
        ("", r#""tlp_color":"PINK""#, Some(Tlp::Red)),
        (r#","tags":["TLP:RED"]"#, r#""tlp_color":"GREEN""#, Some(Tlp::Red)),
    ] {
        let facts = read_one(&relation(data, meta));
        assert_eq!(facts.relations[0].tlp, tlp, "{data} {meta}");
    }
}

#[test]
fn a_marking_under_a_key_in_other_letters_makes_stricter_and_is_told() {
    let color = r#"[{"marking_structures":[{"color":"RED"}]}]"#;
    for (data, meta, root) in [
        (format!(r#","Handling":{color}"#), "", String::new()),
        (format!(r#","HANDLING":{color}"#), "", String::new()),
        (String::new(), r#","Tlp_color":"RED""#, String::new()),
        (String::new(), r#","TLP_COLOR_OVERRIDE":{"Value":"Red"}"#, String::new()),
        (String::new(), r#","Tags":["TLP:RED"]"#, String::new()),
        (String::new(), r#","Taxonomy_Paths":[["x","TLP","RED"]]"#, String::new()),
        (String::new(), "", r#","Meta":{"tlp_color":"RED"}"#.to_owned()),
        (String::new(), "", format!(r#","Data":{{"handling":{color}}}"#)),
    ] {
        for (own, unmarked) in [(r#""tlp_color":"GREEN""#, false), (r#""tlp_color":null"#, true)] {
            for kind in ["indicator", "relation"] {
                let text = format!(
                    r#"{{"id":"{U1}","data":{{"type":"{kind}","title":"x","source":"a","target":"b"{data}}},"meta":{{{own}{meta}}}{root}}}"#
                );
                let facts = read_one(&text);
                if kind == "relation" {
                    assert_eq!(facts.relations[0].tlp, Some(Tlp::Red), "{text}");
                } else {
                    let marking = Marking { tlp: Some(Tlp::Red), unmarked };
                    assert_eq!(facts.entities[0].marking(), marking, "{text}");
                }
                assert_eq!(issues(&facts).len(), 1, "{text}");
            }
        }
    }
    for root in [
        format!(r#","handling":{color}"#),
        format!(r#","sources":[{{"handling":{color}}}]"#),
        r#","extracts":[{"kind":"domain","value":"a.example","marking":"RED"}]"#.to_owned(),
    ] {
        let text = format!(
            r#"{{"id":"{U1}","data":{{"type":"indicator","title":"x"}},"meta":{{"tlp_color":"GREEN"}}{root}}}"#
        );
        assert_eq!(read_one(&text).entities[0].marking(), Marking::of(Some(Tlp::Red)), "{text}");
    }
}

#[test]
fn what_cannot_be_read_hides_no_marking() {
    let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
    for (value, told) in [("1e400", 0), ("-1E+999", 0), (&*deep, 1)] {
        for kind in ["indicator", "relation"] {
            let text = format!(
                r#"{{"id":"{U1}","data":{{"type":"{kind}","title":"x","source":"a","target":"b","tlp":"RED"}},"meta":{{"tlp_color":"GREEN"}},"relevancy":{value}}}"#
            );
            let facts = read_one(&text);
            let of_relation = facts.relations.first().map(|relation| relation.tlp);
            let found = of_relation.unwrap_or_else(|| facts.entities[0].marking().tlp);
            assert_eq!(found, Some(Tlp::Red), "{text}");
            assert_eq!((issues(&facts).len(), facts.skipped), (told, 0), "{text}");
        }
    }
    let handled = r#","handling":[{"marking_structures":[{"color":"RED","x":1e400}]}]"#;
    assert_eq!(entity(&indicator(handled, "")).tlp, Some(Tlp::Red));
}

#[test]
fn handling_that_says_it_is_tlp_and_has_no_colour_is_red() {
    let of = |structure: &str| format!(r#"[{{"marking_structures":[{structure}]}}]"#);
    let tlp = r#""marking_structure_type":"tlp""#;
    for (handling, marking, told) in [
        (of(&format!("{{{tlp}}}")), Some(Tlp::Red), 1),
        (of(&format!(r#"{{{tlp},"value":"RED - recipients only"}}"#)), Some(Tlp::Red), 0),
        (of(&format!(r#"{{{tlp},"value":"GREEN or RED, ask us"}}"#)), Some(Tlp::Red), 0),
        (of(&format!(r#"{{{tlp},"value":"for recipients"}}"#)), Some(Tlp::Red), 1),
        (of(&format!(r#"{{{tlp},"color":"PINK"}}"#)), Some(Tlp::Red), 1),
        (of(&format!(r#"{{{tlp},"color":"GREEN"}},{{{tlp}}}"#)), Some(Tlp::Red), 1),
        (of(r#"{"xsi:type":"tlpMarking:TLPMarkingStructureType"}"#), Some(Tlp::Red), 1),
        (
            of(r#"{"xsi:type":"tlpMarking:TLPMarkingStructureType","color":"GREEN"}"#),
            Some(Tlp::Green),
            0,
        ),
        (of(r#"{"name":"TLP","value":"AMBER"}"#), Some(Tlp::Amber), 0),
        (of(&format!(r#"{{{tlp},"data":{{"color":"AMBER"}}}}"#)), Some(Tlp::Amber), 0),
        (of(r#"{"statement":"<p><strong>TLP</strong>: RED</p>"}"#), Some(Tlp::Red), 0),
        (of(r#"{"marking_structure_type":"simple","statement":"Red Ltd, all rights"}"#), None, 0),
        (r#""RED (named recipients)""#.to_owned(), Some(Tlp::Red), 0),
        (r#""named recipients""#.to_owned(), Some(Tlp::Red), 1),
        (r#"["TLP:GREEN","for members"]"#.to_owned(), Some(Tlp::Green), 0),
        (r#"["none"]"#.to_owned(), None, 0),
        (r#""""#.to_owned(), None, 0),
        ("[]".to_owned(), None, 0),
    ] {
        for (kind, ends) in [("indicator", ""), ("relation", r#","source":"a","target":"b""#)] {
            let text = format!(
                r#"{{"id":"{U1}","data":{{"type":"{kind}","title":"x"{ends},"handling":{handling}}},"meta":{{}}}}"#
            );
            let facts = read_one(&text);
            let of_relation = facts.relations.first().map(|relation| relation.tlp);
            let found = of_relation.unwrap_or_else(|| facts.entities[0].marking().tlp);
            assert_eq!(found, marking, "{text}");
            assert_eq!(issues(&facts).len(), told, "{text}: {:?}", facts.issues);
        }
    }
}

#[test]
fn a_colour_in_an_object_or_a_list_is_heard_where_it_is_stricter() {
    for (meta, marking, told) in [
        (r#"{"tlp_color":{"value":"GREEN","name":"RED"}}"#, Marking::of(Some(Tlp::Red)), 1),
        (r#"{"tlp_color":{"name":"GREEN","value":"GREEN"}}"#, Marking::of(Some(Tlp::Green)), 0),
        (r#"{"tlp_color":["RED"]}"#, Marking::of(Some(Tlp::Red)), 1),
        (r#"[{"tlp_color":"RED"}]"#, Marking { tlp: Some(Tlp::Red), unmarked: true }, 1),
        (
            r#"{"tlp_color":{"value":"RED"},"tlp_color_override":"GREEN"}"#,
            Marking::of(Some(Tlp::Green)),
            0,
        ),
        (
            r#"{"tlp_color":"GREEN","custom_attributes":[{"name":"TLP","value":"RED"}]}"#,
            Marking::of(Some(Tlp::Red)),
            1,
        ),
    ] {
        let text =
            format!(r#"{{"id":"{U1}","data":{{"type":"indicator","title":"x"}},"meta":{meta}}}"#);
        let facts = read_one(&text);
        assert_eq!(facts.entities[0].marking(), marking, "{text}");
        assert_eq!(issues(&facts).len(), told, "{text}: {:?}", facts.issues);
    }
}

#[test]
fn ids_of_markings_are_read_as_in_stix() {
    const OWN: &str = "marking-definition--99999999-9999-4999-8999-999999999999";
    const FIXED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
    let defines = format!(r#"{{"type":"marking-definition","id":"{OWN}","name":"TLP:AMBER"}}"#);
    for (refs, defined, tlp) in [
        (format!(r#"["{OWN}"]"#), &*defines, Tlp::Amber),
        (format!(r#"["{OWN}"]"#), "", Tlp::Red),
        (format!(r#""{FIXED}""#), "", Tlp::Red),
        (format!(r#"["{GREEN}"]"#), "", Tlp::Green),
        (format!(r#"["{GREEN}",{{"id":"{FIXED}"}}]"#), "", Tlp::Red),
        (r#"["x"]"#.to_owned(), "", Tlp::Red),
        ("[]".to_owned(), "", Tlp::Green),
    ] {
        for (inner, outer) in [(true, false), (false, true)] {
            let refs = format!(r#","object_marking_refs":{refs}"#);
            let part = |is: bool| if is { &*refs } else { "" };
            let entity = |kind: &str| {
                format!(
                    r#"{{"id":"{U1}","data":{{"type":"{kind}","title":"x","source":"a","target":"b"{}}},"meta":{{"tlp_color":"GREEN"}}{}}}"#,
                    part(inner),
                    part(outer),
                )
            };
            let (one, link) = (entity("indicator"), entity("relation"));
            let text = format!(r#"{{"entities":[{one},{one},{link}],"objects":[{defined}]}}"#);
            let file = Symbol::new("day.json");
            let mut facts = decode(text.as_bytes(), &file, Format::Auto).unwrap();
            facts.settle(&crate::graph::Said::new());
            assert_eq!(facts.entities.len(), 1, "{text}");
            assert_eq!(facts.entities[0].marking(), Marking::of(Some(tlp)), "{text}");
            assert_eq!(facts.relations[0].tlp, Some(tlp), "{text}");
        }
    }
}

#[test]
fn a_version_that_is_damaged_may_be_marked_stricter() {
    let of = |timestamp: &str, more: &str| {
        format!(
            r#"{{"id":"{U1}","data":{{"id":"{{x}}indicator-{INDICATOR}","type":"indicator","title":"x","timestamp":"{timestamp}"{more}}},"meta":{{"tlp_color":"GREEN"}}}}"#
        )
    };
    let good = of("2024-01-02T00:00:00Z", "");
    for (damaged, tlp) in [
        (of("2024-01-03T00:00:00Z", r#","timestamp":"soon""#), Tlp::Red),
        (of("2024-01-03T00:00:00Z", r#","x":01"#).replace(U1, "1"), Tlp::Red),
        (of("soon", r#","x":01"#).replace(INDICATOR, INCIDENT), Tlp::Red),
        (of("2024-01-01T00:00:00Z", r#","x":01"#), Tlp::Green),
        (of("soon", r#","x":01"#).replace(INDICATOR, INCIDENT).replace(U1, "1"), Tlp::Green),
    ] {
        let mut facts = read_one(&format!("{good},{damaged}"));
        let told = facts.settle(&crate::graph::Said::new()).len();
        assert_eq!(facts.entities[0].marking(), Marking::of(Some(tlp)), "{damaged}");
        assert_eq!((told, facts.skipped), (usize::from(tlp == Tlp::Red), 1), "{damaged}");
    }
}

#[test]
fn nan_is_no_colour_and_stays_red_to_earlier_readers() {
    for nan in ["[]", r#""nan""#, "\"NaN\"", r#"{"value":[]}"#] {
        let meta = format!(r#""tlp_color":"GREEN","tlp_color_override":{nan}"#);
        let read = || read_one(&indicator("", &meta));
        let settled = |mut facts: Facts| {
            drop(facts.settle(&crate::graph::Said::new()));
            facts.entities[0].marking().tlp
        };
        assert_eq!(settled(read()), Some(Tlp::Green), "{nan}");
        assert_eq!(settled(read().as_read_by(Reader::THIRD)), Some(Tlp::Red), "{nan}");
    }
    for odd in ["[1]", "true", "1.5"] {
        let meta = format!(r#""tlp_color":"GREEN","tlp_color_override":{odd}"#);
        assert_eq!(read_one(&indicator("", &meta)).entities[0].tlp, Some(Tlp::Red), "{odd}");
    }
}
