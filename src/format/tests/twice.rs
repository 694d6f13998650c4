//! An object in which a key stands twice is not lost, and is as strict as the strictest of its readings.

use super::*;
use crate::{
    graph::{Facts, Said},
    model::{Marking, Reader, Tlp},
};

const U: &str = "1eb25301-52dc-4085-af2d-99410dd7edf8";
const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";

fn read(text: &str) -> Facts {
    decode(text.as_bytes(), &Symbol::new("f"), Format::Auto).unwrap()
}

fn markings(mut facts: Facts) -> Vec<Marking> {
    facts.settle(&Said::new());
    facts.entities.iter().map(crate::graph::Entity::marking).collect()
}

fn stix(rest: &str) -> String {
    let mark = format!(r#""object_marking_refs":["{GREEN}"]"#);
    let object = format!(r#"{{"type":"url","id":"url--{U}","value":"a",{mark},{rest}}}"#);
    format!(r#"{{"type":"bundle","objects":[{object}]}}"#)
}

fn eiq(data: &str, meta: &str, rest: &str) -> String {
    format!(
        r#"{{"entities":[{{"data":{{"id":"{{https://x/}}ttp-{U}","type":"ttp","title":"t"{data}}},
            "meta":{{"tlp_color":"GREEN"{meta}}}{rest}}}]}}"#
    )
}

#[test]
fn an_object_in_which_a_key_stands_twice_is_read_and_told_and_is_as_strict_as_either_reading() {
    let red = format!(r#""object_marking_refs":["{RED}"]"#);
    let granular =
        format!(r#""granular_markings":[{{"marking_ref":"{RED}"}}],"granular_markings":[]"#);
    for (text, key, tlp) in [
        (stix(r#""name":"x","name":"y""#), "name", Tlp::Green),
        (stix(&red), "object_marking_refs", Tlp::Red),
        (stix(r#""object_marking_refs":"purple""#), "object_marking_refs", Tlp::Red),
        (stix(&granular), "granular_markings", Tlp::Red),
        (stix(r#""labels":["tlp:amber"],"labels":[]"#), "labels", Tlp::Amber),
        (stix(r#""labels":[],"labels":["tlp:purple"]"#), "labels", Tlp::Red),
        (stix(r#""name":"x","name":"y","x":{"tlp":"red","tlp":"green"}"#), "name, x/tlp", Tlp::Red),
        (eiq(r#","title":"x","title":"y""#, "", ""), "data/title", Tlp::Green),
        (eiq("", r#","tlp_color":"RED""#, ""), "meta/tlp_color", Tlp::Red),
        (eiq("", r#","tlp_color":"purple""#, ""), "meta/tlp_color", Tlp::Red),
        (eiq("", r#","tlp_color":"AMBER","tlp_color":"CLEAR""#, ""), "meta/tlp_color", Tlp::Amber),
        (
            eiq("", r#","tlp_color_override":"RED","tlp_color_override":"CLEAR""#, ""),
            "meta/tlp_color_override",
            Tlp::Red,
        ),
        (eiq(r#","handling":"TLP:RED","handling":[]"#, "", ""), "data/handling", Tlp::Red),
        (eiq("", "", r#","meta":{"tlp_color":"AMBER"}"#), "meta", Tlp::Amber),
        (
            eiq("", "", r#","extracts":[],"extracts":[{"kind":"uri","value":"b"}]"#),
            "extracts",
            Tlp::Green,
        ),
    ] {
        let facts = read(&text);
        let is_told = |key: &str| {
            let told = facts.issues.iter().map(ToString::to_string);
            told.filter(|it| it.contains(&format!("stands under {key:?};"))).count() == 1
        };
        assert!(is_told(key), "{text}: {:?}", facts.issues);
        assert_eq!((facts.skipped, facts.entities.len()), (0, 1), "{text}");
        assert!(facts.as_read_by(Reader::THIRD).entities.is_empty(), "{text}");
        assert_eq!(markings(facts)[0].tlp, Some(tlp), "{text}");
    }
}

#[test]
fn what_decides_which_object_it_is_loses_it_as_before() {
    let other = format!(r#""id":"url--{}""#, U.replace('1', "2"));
    for rest in [&*other, r#""revoked":false,"revoked":true"#, r#""created":"x","created":"y""#] {
        let facts = read(&stix(rest));
        assert_eq!((facts.skipped, facts.entities.len()), (1, 0), "{rest}");
    }
}

#[test]
fn an_older_version_that_was_red_to_earlier_readers_stays_so_for_them() {
    let version = |day: u8, rest: &str| {
        format!(
            r#"{{"type":"url","id":"url--{U}","value":"a","modified":"2024-01-0{day}T00:00:00Z",
                "object_marking_refs":["{GREEN}"]{rest}}}"#
        )
    };
    let both = [version(1, ""), version(2, r#","name":"x","name":"y""#)].join(",");
    let facts = read(&format!(r#"{{"type":"bundle","objects":[{both}]}}"#));
    let then = markings(facts.as_read_by(Reader::THIRD));
    assert_eq!(then.iter().map(|it| it.tlp).collect::<Vec<_>>(), [Some(Tlp::Red)]);
    assert_eq!(markings(facts).iter().map(|it| it.tlp).collect::<Vec<_>>(), [Some(Tlp::Green); 2]);
}
