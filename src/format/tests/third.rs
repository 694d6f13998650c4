//! What the third reader reads more or otherwise than those before it, which did not find it in the same bytes.

use super::*;
use crate::{graph::Facts, model::Reader};

const U: &str = "1eb25301-52dc-4085-af2d-99410dd7edf8";

/// The values, the titles, and the ends of the links of the newest version of each object.
fn told(facts: &Facts) -> Vec<String> {
    let mut told = Vec::new();
    for entity in &facts.entities {
        let is_newer =
            |it: &&crate::graph::Entity| it.key == entity.key && it.modified > entity.modified;
        if facts.entities.iter().find(is_newer).is_none() {
            told.push(format!("={}", entity.title));
            told.extend(entity.observables.iter().map(|it| format!("{}={}", it.kind, it.value)));
        }
    }
    let links = facts.relations.iter().filter(|it| it.removed.is_none());
    told.extend(links.map(|it| format!(">{}", it.target)));
    told.sort();
    told.dedup();
    told
}

fn assert_new(text: &str, then: &[&str], now: &[&str]) {
    let facts = decode(text.as_bytes(), &Symbol::new("f"), Format::Auto).unwrap();
    assert_eq!(told(&facts.as_read_by(Reader::SECOND)), then, "then {text}");
    assert_eq!(told(&facts), now, "now {text}");
}

fn object(kind: &str, rest: &str) -> String {
    format!(r#"{{"type":"{kind}","id":"{kind}--{U}",{rest}}}"#)
}

#[test]
fn of_objects_of_stix_older_readers_found_less() {
    let pattern = |value: &str| {
        object("indicator", &format!(r#""pattern":"[network-traffic:dst_ref.value = '{value}']""#))
    };
    let misp = |kind: &str, value: &str| {
        object("x-misp-attribute", &format!(r#""x_misp_type":"{kind}","x_misp_value":"{value}""#))
    };
    let observed = |objects: &str| object("observed-data", &format!(r#""objects":{objects}"#));
    let a = r#"{"type":"url","value":"a"}"#;
    let b = r#"{"type":"url","value":"b"}"#;
    let link = r#"{"type":"network-traffic","dst_ref":"0"}"#;
    for (object, then, now) in [
        (
            pattern("198[.]51.100.1"),
            &["=", "ipv4=198[.]51.100.1"][..],
            &["=", "ipv4=198[.]51.100.1"][..],
        ),
        (pattern("198[dot]51.100.1"), &["="], &["=", "ipv4=198[dot]51.100.1"]),
        (
            misp("domain|ip", "a|b"),
            &["=", "misp-domain=a"],
            &["=", "misp-domain=a", "misp-ip-dst=b"],
        ),
        (
            misp("btc", r#"1","x_misp_value":"2"#),
            &["=", "misp-btc=2"],
            &["=", "misp-btc=1", "misp-btc=2"],
        ),
        (
            object("domain-name", r#""value":"a","value":"b""#),
            &["=b", "domain=b"],
            &["=a", "domain=a", "domain=b"],
        ),
        (
            object("tool", r#""x_ref":"a--1","x_ref":"b--2""#),
            &["=", ">b--2"],
            &["=", ">a--1", ">b--2"],
        ),
        (observed(&format!(r#"{{"0":{a}}}"#)), &["=", "uri=a"], &["=", "uri=a"]),
        (observed(&format!("[{a},{b}]")), &["="], &["=", "uri=a", "uri=b"]),
        (observed(&format!(r#"{{"0":[{a}],"1":{b}}}"#)), &["=", "uri=b"], &["=", "uri=a", "uri=b"]),
        (observed(&format!(r#"{{"0":{a},"0":{b}}}"#)), &["=", "uri=b"], &["=", "uri=a", "uri=b"]),
        (
            observed(&format!(
                r#"{{"0":{{"type":"domain-name","value":"198(dot)51.100.1"}},"1":{link}}}"#
            )),
            &["=", "domain=198(dot)51.100.1"],
            &["=", "domain=198(dot)51.100.1", "ipv4=198(dot)51.100.1"],
        ),
        (object("tool", r#""name":"null""#), &["=null"], &["="]),
        (object("note", r#""name":" None ","abstract":"x""#), &["= None "], &["=x"]),
        (
            object("file", r#""name":"none","hashes":{"MD5":"x"}"#),
            &["=none", "file=none", "hash-md5=x"],
            &["=x", "file=none", "hash-md5=x"],
        ),
    ] {
        assert_new(&format!(r#"{{"type":"bundle","objects":[{object}]}}"#), then, now);
    }
}

#[test]
fn an_object_that_takes_over_what_is_new_has_it_since_then() {
    let name = object("domain-name", r#""value":"198[dot]51.100.1""#);
    let traffic = object("network-traffic", &format!(r#""dst_ref":"domain-name--{U}""#));
    let part = object("file", r#""hashes":{"MD5":"x"},"hashes":{"MD5":"y"}"#);
    let whole = object("x-a", &format!(r#""content_ref":"file--{U}""#));
    for (objects, then, now) in [
        (
            format!("{name},{traffic}"),
            vec!["=", "=198[dot]51.100.1", "domain=198[dot]51.100.1"],
            vec!["=", "=198[dot]51.100.1", "domain=198[dot]51.100.1", "ipv4=198[dot]51.100.1"],
        ),
        (
            format!("{part},{whole}"),
            vec!["=", "=y", "hash-md5=y"],
            vec!["=", "=x", "hash-md5=x", "hash-md5=y"],
        ),
    ] {
        let text = format!(r#"{{"type":"bundle","objects":[{objects}]}}"#);
        let facts = decode(text.as_bytes(), &Symbol::new("f"), Format::Auto).unwrap();
        let values = |facts: &Facts| {
            let told = told(facts).into_iter().filter(|it| !it.starts_with('>'));
            told.collect::<Vec<_>>()
        };
        assert_eq!(values(&facts.as_read_by(Reader::SECOND)), then, "{text}");
        assert_eq!(values(&facts), now, "{text}");
    }
}

#[test]
fn versions_were_others_where_a_time_cannot_be_read() {
    let version = |modified: &str, created: &str, rest: &str| {
        let times = format!(r#""modified":{modified},"created":"{created}T00:00:00Z""#);
        object("domain-name", &format!("{times},{rest}"))
    };
    let (old, first, second) = ("2024-01-01", r#""2024-01-02T00:00:00Z""#, "2024-01-03");
    for unread in [r#""soon""#, r#"["2024-01-03T00:00:00Z"]"#] {
        let one = version(first, old, r#""value":"a","x_ref":"a--1""#);
        let two = version(unread, second, r#""value":"b","x_ref":"b--2""#);
        for objects in [format!("{one},{two}"), format!("{two},{one}")] {
            assert_new(
                &format!(r#"{{"type":"bundle","objects":[{objects}]}}"#),
                &["=b", ">b--2", "domain=b"],
                &["=a", ">a--1", "domain=a"],
            );
        }
    }
}

#[test]
fn relations_that_are_removed_now_were_there() {
    let of_stix = |more: &str| {
        object(
            "relationship",
            &format!(r#""relationship_type":"x","source_ref":"a--1","target_ref":"b--2"{more}"#),
        )
    };
    let of_platform = |time: &str, target: &str, more: &str| {
        format!(
            r#"{{"id":"p","data":{{"id":"{{x}}relation-{U}","type":"relation","key":"uses",
                "timestamp":"{time}","source":"x","target":"{target}"}}{more}}}"#
        )
    };
    let tie = format!("{},{}", of_stix(""), of_stix(r#","revoked":true"#));
    assert_new(&format!(r#"{{"type":"bundle","objects":[{tie}]}}"#), &[">b--2"], &[]);
    let (first, second) = ("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z");
    let versions = [of_platform(first, "a", ""), of_platform(second, "b", "")].join(",");
    assert_new(&format!(r#"{{"entities":[{versions}]}}"#), &[">a", ">b"], &[">b"]);
    let tie = [of_platform(first, "a", ""), of_platform(first, "a", r#","diff":"del""#)].join(",");
    assert_new(&format!(r#"{{"entities":[{tie}]}}"#), &[">a"], &[]);
}

#[test]
fn lists_under_a_name_in_other_letters_were_passed_over() {
    let one = object("url", r#""value":"a""#);
    let two = object("url", r#""value":"b""#).replace("1eb", "2eb");
    let inner = format!(r#"{{"type":"bundle","objects":[{one}]}}"#);
    let found = &["=a", "uri=a"][..];
    for text in [
        format!(r#"{{"type":"bundle","Objects":[{one}]}}"#),
        format!(r#"{{"type":"bundle","OBJECTS":[{inner}]}}"#),
        format!(r#"{{"type":"bundle","objects":[{}]}}"#, inner.replace("objects", "Objects")),
    ] {
        assert_new(&text, &[], found);
    }
    let both = format!(r#"{{"type":"bundle","Objects":[{one}],"objects":[{two}]}}"#);
    assert_new(&both, &["=b", "uri=b"], &["=a", "=b", "uri=a", "uri=b"]);
}

#[test]
fn an_entity_with_handling_that_could_not_be_read_is_new() {
    for kind in ["indicator", "relation"] {
        let text = format!(
            r#"{{"entities":[{{"id":"{U}","data":{{"type":"{kind}","title":"x","source":"a","target":"b",
                "handling":[{{"x":1e400}}]}},"meta":{{}}}}]}}"#
        );
        assert_new(&text, &[], if kind == "relation" { &[">b"] } else { &["=x"] });
    }
}
