//! The same objects in every envelope that producers put them in, and what is told of those that are none.

use super::{super::route::Router, *};
use crate::{
    format::Decoding,
    graph::{Coverage, Facts},
    model::Reader,
};

const INCIDENT: &str = r#"{"type":"incident","spec_version":"2.1","name":"I","id":"incident--1eb25301-52dc-4085-af2d-99410dd7edf8"}"#;
/// As a producer writes it that sorts the names of members.
const INDICATOR: &str = r#"{"id":"indicator--a8350309-b7bc-4a10-a698-aefcca1292e2","name":"c2","objects":{"0":[]},"pattern":"[ipv4-addr:value = '198.51.100.50']","type":"indicator"}"#;
const LINK: &str = r#"{"type":"relationship","id":"relationship--8daee261-ec3a-4847-a23e-8fada4e6ca5e","relationship_type":"related-to","source_ref":"indicator--a8350309-b7bc-4a10-a698-aefcca1292e2","target_ref":"incident--1eb25301-52dc-4085-af2d-99410dd7edf8"}"#;
const ENTITY: &str = r#"{"id":"00000000-0000-4000-8000-000000000001","data":{"type":"incident","id":"{x}incident-00000000-0000-4000-8000-000000000001"},"meta":{"title":"t"}}"#;

fn read(text: &str) -> Result<Facts, FormatError> {
    decode(text.as_bytes(), &Symbol::new("f"), Format::Auto)
}

/// The facts, whichever reader was the first to find them.
fn facts(text: &str) -> Facts {
    let mut facts = read(text).unwrap_or_else(|error| panic!("{error} of {text}"));
    for entity in &mut facts.entities {
        entity.before = None;
        entity.observables.iter_mut().for_each(|it| it.since = Reader::FIRST);
    }
    facts.relations.iter_mut().for_each(|it| it.since = Reader::FIRST);
    facts
}

fn issues(facts: &Facts) -> Vec<String> {
    facts.issues.iter().map(ToString::to_string).collect()
}

fn all() -> String {
    [INCIDENT, INDICATOR, LINK].join(",")
}

fn bundle(objects: &str) -> String {
    format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{objects}]}}"#)
}

#[test]
fn the_same_objects_give_the_same_facts_in_every_envelope() {
    let (all, plain) = (all(), facts(&bundle(&all())));
    assert_eq!((plain.entities.len(), plain.relations.len()), (2, 1));
    let sorted = format!(r#"{{"id":"bundle--1","objects":[{all}],"type":"bundle"}}"#);
    for text in [
        [INCIDENT, INDICATOR, LINK].join("\n"),
        [INCIDENT, "", INDICATOR, " \t", LINK, ""].join("\r\n"),
        [INCIDENT, INDICATOR, LINK].concat(),
        format!("[{all}]"),
        format!("[[{INCIDENT}],[],[{INDICATOR},{LINK}]]"),
        format!("\u{feff}[{all}]"),
        format!("[{},{}]", bundle(INCIDENT), bundle(&[INDICATOR, LINK].join(","))),
        [bundle(INCIDENT), bundle(&[INDICATOR, LINK].join(","))].join("\n"),
        format!("[{},{INDICATOR},{LINK}]", bundle(INCIDENT)),
        [bundle(INCIDENT).as_str(), INDICATOR, LINK].join("\n"),
        bundle(&bundle(&all)),
        bundle(&bundle(&bundle(&all))),
        bundle(&[INCIDENT, &bundle(INDICATOR), LINK].join(",")),
        bundle(&sorted),
        sorted.clone(),
        format!("[{sorted}]"),
        format!(r#"{{"more":false,"objects":[{all}]}}"#),
        format!(r#"{{"objects":[{all}]}}"#),
        format!(r#"{{"type":"bundle","Objects":[{all}]}}"#),
        format!(r#"[{{"OBJECTS":[{all}]}}]"#),
        format!(
            r#"{{"content-type":"urn:eclecticiq.com:json:2.0","entities":[],"objects":[{all}]}}"#
        ),
        format!(r#"{{"objects":[{all}],"entities":[]}}"#),
    ] {
        for read_as in [text.clone(), text.replace(',', " ,\n ").replace('{', "{\n")] {
            let found = facts(&read_as);
            assert_eq!(found.entities, plain.entities, "{read_as}");
            assert_eq!(found.relations, plain.relations, "{read_as}");
            assert_eq!((issues(&found), found.skipped), (vec![], 0), "{read_as}");
        }
    }
}

#[test]
fn what_the_first_reader_passed_over_says_so() {
    let bare = format!("{INCIDENT}\n{INDICATOR}\n{LINK}");
    let damaged = |inside: &str| format!("{},{inside}", &INCIDENT[..INCIDENT.len() - 1]) + "}";
    let half = damaged(r#""labels":["\ud83d"]"#);
    let unread = damaged(r#""description":"\ud83d""#);
    for (text, entities, relations) in [
        (bundle(&all()), 2, 1),
        (format!("[{},{}]", bundle(INCIDENT), bundle(INDICATOR)), 2, 0),
        (bare, 0, 0),
        (format!("[{INCIDENT}]"), 0, 0),
        (bundle(&format!("{INCIDENT},{}", bundle(&format!("{INDICATOR},{LINK}")))), 1, 0),
        (format!("[[{}]]", bundle(INCIDENT)), 0, 0),
        (format!(r#"{{"entities":[{ENTITY}],"objects":[{}]}}"#, all()), 1, 0),
        (bundle(&format!("{half},{INDICATOR},{LINK}")), 1, 1),
        (bundle(&format!("{unread},{INDICATOR}")), 2, 0),
        (bundle(&format!("{},{INDICATOR}", damaged(r#""x":NaN"#))), 1, 0),
    ] {
        let then = read(&text).unwrap().as_read_by(Reader::FIRST);
        assert_eq!((then.entities.len(), then.relations.len()), (entities, relations), "{text}");
    }
}

#[test]
fn bare_entities_of_eclecticiq_are_read_like_those_of_a_package() {
    let other = ENTITY.replace("000001", "000002");
    let plain = facts(&format!(r#"{{"entities":[{ENTITY},{other}]}}"#));
    assert_eq!(plain.entities.len(), 2);
    for text in [format!("{ENTITY}\n{other}"), format!("[{ENTITY},{other}]")] {
        assert_eq!(facts(&text).entities, plain.entities, "{text}");
    }
}

#[test]
fn both_lists_of_a_package_are_read_or_the_one_that_is_not_is_named() {
    let text = format!(r#"{{"entities":[{ENTITY}],"objects":[{}]}}"#, all());
    assert_eq!(facts(&text).entities.len(), 3);
    for (format, entities, list) in
        [(Format::EclecticIq, 1, "objects"), (Format::Stix21, 2, "entities")]
    {
        let found = decode(text.as_bytes(), &Symbol::new("f"), format).unwrap();
        assert_eq!(found.entities.len(), entities);
        assert_eq!(
            issues(&found),
            [format!(
                "f#/{list}: warning: this list is of another format than the `format` setting says; not \
                 read: set `format = \"auto\"` to read both"
            )]
        );
    }
    let text = format!(r#"{{"entities":[{ENTITY}],"objects":[]}}"#);
    let found = decode(text.as_bytes(), &Symbol::new("f"), Format::EclecticIq).unwrap();
    assert_eq!(issues(&found), [""; 0], "an empty list says nothing");
}

#[test]
fn what_is_damaged_in_a_bare_object_costs_only_that_object() {
    for broken in [
        r#"{"type":"indicator","id":"indicator--1","a":01}"#,
        r#"{"type":"indicator","id":"indicator--1","a" 1}"#,
        r#"{"id":"indicator--1","name":"\q","type":"indicator"}"#,
    ] {
        for text in [
            format!("{INCIDENT}\n{broken}\n{INDICATOR}"),
            format!("[{INCIDENT},{broken},{INDICATOR}]"),
        ] {
            let found = facts(&text);
            assert_eq!((found.entities.len(), found.skipped), (2, 1), "{text}");
        }
    }
    let text = format!("{INCIDENT}\n{{\"type\":\"indicator\",\"id\":\"indicator--1\",\"a\":01}}");
    assert!(
        issues(&facts(&text))[0]
            .starts_with("f (document 2): skipped: cannot be read as an object (line 2, "),
        "{:?}",
        issues(&facts(&text))
    );
    let nested = bundle(&bundle(&format!(r#"{INCIDENT},{{"id":"x","a":01}},{INDICATOR}"#)));
    let found = facts(&nested);
    assert_eq!((found.entities.len(), found.skipped), (2, 1));
    assert!(
        issues(&found)[0].starts_with("f#/objects/0/objects/1: skipped: "),
        "{:?}",
        issues(&found)
    );
}

#[test]
fn a_list_that_is_none_is_reported_in_an_inner_bundle_too() {
    let inner = r#"{"type":"bundle","objects":{"type":"incident"}}"#;
    for (text, place) in [(inner.to_owned(), "f#/objects"), (bundle(inner), "f#/objects/0/objects")]
    {
        let found = facts(&text);
        let expected = format!("{place}: skipped: should be a list and is none; left out");
        assert_eq!((issues(&found), found.skipped), (vec![expected], 1));
    }
    let found = facts(&bundle(r#"{"type":"bundle","id":"bundle--2"}"#));
    assert_eq!((found.entities.len(), found.skipped), (0, 0));
}

#[test]
fn what_is_too_deep_in_an_inner_bundle_costs_only_itself() {
    let deep = format!("{}{}", "[".repeat(130), "]".repeat(130));
    let found = facts(&bundle(&bundle(&format!("{INCIDENT},{deep},{INDICATOR}"))));
    assert_eq!((found.entities.len(), found.skipped), (2, 1), "{:?}", issues(&found));
}

#[test]
fn bundles_may_not_stand_in_one_another_without_end() {
    let deep = (0..40).fold(all(), |inner, _| bundle(&inner));
    let found = facts(&deep);
    assert_eq!((found.entities.len(), found.skipped), (0, 1));
    assert!(issues(&found)[0].contains("a bundle in more than 16 others"), "{:?}", issues(&found));
    let lists = format!("{}{}{}", "[".repeat(40), all(), "]".repeat(40));
    assert!(read(&lists).unwrap_err().to_string().contains("lists in one another"), "{lists}");
}

#[test]
fn a_bundle_within_another_may_be_longer_than_an_object() {
    let long = format!(r#"{{"type":"incident","id":"incident--1","name":"{}"}}"#, "x".repeat(120));
    let inner = bundle(&format!("{INCIDENT},{long},{long}"));
    let limits = Limits { buffer_bytes: 8, object_bytes_max: 200, depth_max: 32 };
    for text in [bundle(&inner), format!("[{}]", bundle(&inner)), bundle(&bundle(&inner))] {
        let file = Symbol::new("f");
        let mut router = Router::new(&file, Format::Auto, Decoding::new());
        split(text.as_bytes(), &file, limits, &mut router).unwrap();
        let found = router.into_sink().finish();
        assert_eq!((found.entities.len(), found.skipped), (3, 0), "{:?}", found.issues);
    }
}

#[test]
fn a_page_is_told_as_one() {
    for (members, page) in [
        (r#""more":true,"#, true),
        (r#""more":true,"next":"2","#, true),
        (r#""more":"true","#, true),
        (r#""next":"2","#, true),
        (r#""next":2,"#, true),
        (r#""more":false,"next":"2","#, false),
        (r#""more":false,"#, false),
        (r#""next":null,"#, false),
        (r#""next":"","#, false),
        ("", false),
    ] {
        let (head, tail) =
            (format!("{{{members}\"objects\":[{INCIDENT}]}}"), members.trim_end_matches(','));
        let tail = match tail {
            "" => head.clone(),
            tail => format!("{{\"objects\":[{INCIDENT}],{tail}}}"),
        };
        for text in [head, tail] {
            let found = facts(&text);
            assert_eq!(found.coverage == Coverage::Page, page, "{text}");
            let says = "warning: this is one page of several; what is on the others is not here, so nothing \
                        is retired: fetch them all and put their objects into one bundle";
            let expected = if page { vec![format!("f: {says}")] } else { vec![] };
            assert_eq!(issues(&found), expected, "{text}");
        }
    }
    let pages = format!(r#"{{"more":true,"objects":[{INCIDENT}]}} {{"objects":[{INDICATOR}]}}"#);
    assert_eq!(facts(&pages).coverage, Coverage::Page);
    let mut whole = facts(&bundle(INCIDENT));
    whole.extend(facts(&pages));
    assert_eq!(whole.coverage, Coverage::Page);
}

#[test]
fn what_is_no_dataset_is_called_by_its_name() {
    let xml = "export it as EclecticIQ JSON or STIX 2.1";
    let page = "this is a web page, perhaps a login page; fetch the dataset again, signed in";
    for (text, words) in [
        ("<!DOCTYPE html><html><head><title>Sign in</title></head></html>", page),
        ("<!-- x -->\r\n<HTML>", page),
        ("\u{feff}\n<html lang=\"en\">", page),
        ("<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"x\">", page),
        (
            "<?xml version='1.0'?><stix:STIX_Package xmlns:stix='http://stix.mitre.org/stix-1'>",
            "this is STIX 1",
        ),
        ("<STIX_Package/>", xml),
        ("<?xml version='1.0'?>", "this is XML"),
        ("<rss>", xml),
        (
            r#"{"count":1,"data":[{"id":"x","data":{"type":"incident"}}],"total_count":9}"#,
            "this is a page of EclecticIQ's API (`data`)",
        ),
        (r#"{"Event":{"info":"x"}}"#, "this is MISP's own JSON (`Event`)"),
        (r#"{"response":[{"Event":{}}]}"#, "this is MISP's own JSON (`response`)"),
        (r#"[{"Event":{"info":"x"}}]"#, "this is MISP's own JSON (`Event`)"),
        (r#"{"response":{"Attribute":[]}}"#, "a MISP takes it itself"),
        (
            r#"{"9a1cf2a4-0b5d-4a3c-8f6e-1d2c3b4a5f60":{"info":"x","date":"2024-01-01"}}"#,
            "MISP's own JSON",
        ),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    for utf16 in [&b"\xff\xfe{\0"[..], b"\xfe\xff\0{", b"{\0\"\0", b"\0{\0\""] {
        let error = decode(utf16, &Symbol::new("f"), Format::Auto).unwrap_err().to_string();
        assert!(error.contains("this is UTF-16; convert it to UTF-8 first"), "{error}");
    }
    for (bytes, words) in [
        (&b"PK\x03\x04abc"[..], "this is a ZIP archive; unpack it first"),
        (b"PK\x05\x06\0\0", "this is a ZIP archive with nothing in it; export"),
        (b"x\x9c\xab\x56", "this is packed by zlib; unpack it"),
        (b"x^\xab\x56", "this is packed by zlib; unpack it"),
        (&tar("./day.json"), "this is a tar archive; unpack it and read the files"),
        (&tar("day.json"), "this is a tar archive; unpack it and read the files"),
        (b"BZh91AY", "this is packed by bzip2"),
        (b"\xfd7zXZ\0", "this is packed by xz"),
        (b"7z\xbc\xaf\x27\x1c", "this is a 7z archive"),
        (b"\x1f\x8b\x08\0", "this is packed twice"),
        (b"%PDF-1.7", "this is a PDF"),
        (b"\xff\xfe\0\0{\0\0\0", "this is UTF-32; convert it"),
        (b"\0\0\xfe\xff\0\0\0{", "this is UTF-32; convert it"),
        (b"{\0\0\0\"\0\0\0", "this is UTF-32; convert it"),
        (b"\0\0\0{\0\0\0\"", "this is UTF-32; convert it"),
        (b"\0\0\0\0\0\0\0\0", "zeros where JSON should begin"),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", "two byte order marks; save it"),
        (b"\x1e{}\n\x1e{}", "a JSON text sequence (RFC 7464); remove"),
        (b"data: {}\n\n", "keep what stands behind each `data:`"),
        (b"event: x\ndata: {}\n\n", "keep what stands behind each `data:`"),
        (b"eyJ0eXBlIjoiYnVuZGxlIn0=", "this is base64; decode it"),
        (b"ewogICJ0eXBlIjoiYnVuZGxlIgp9", "this is base64; decode it"),
        (b"id,value\n1,a.example\n", "this is text or CSV, not JSON; export"),
        (b"{\"objects\": [{},]}", "if a comma stands before it, remove that"),
        (br#"{"objects":[]} 7"#, "export or fetch the dataset again"),
        (br#"{"title":"Error","error_code":"500","http_status":"500"}"#, "a TAXII server gave"),
    ] {
        let error = decode(bytes, &Symbol::new("f"), Format::Auto).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let error = read(&format!("{}\n<html>", bundle(INCIDENT))).unwrap_err().to_string();
    assert!(error.contains("web page"), "{error}");
}

/// The head of a tar archive that holds a file.
fn tar(name: &str) -> Vec<u8> {
    let mut head = vec![0; 512];
    head[..name.len()].copy_from_slice(name.as_bytes());
    head[257..262].copy_from_slice(b"ustar");
    head
}

#[test]
fn messages_show_the_character_that_stands_there() {
    for (text, error) in [
        (
            "{”type”: 1}",
            "f:1:2: expected the name of a member in quotes, found `”` (U+201D): write plain quotes, \"…\"",
        ),
        ("{\"a\": ‘x’}", "f:1:7: expected a value, found `‘` (U+2018): write plain quotes, \"…\""),
        ("{} é", "f:1:4: expected `{` or `[`, found `é` (U+00E9)"),
        ("{} \u{1f600}", "f:1:4: expected `{` or `[`, found `😀` (U+1F600)"),
        ("{} \u{202e}", "f:1:4: expected `{` or `[`, found `\\u{202e}` (U+202E)"),
        ("{} \u{a0}", "f:1:4: expected `{` or `[`, found `\\u{a0}` (U+00A0)"),
        ("{} '", "f:1:4: expected `{` or `[`, found `'`"),
        ("{} \u{1}", "f:1:4: expected `{` or `[`, found `\\u{1}` (U+0001)"),
    ] {
        for size in [1, 2, 100] {
            assert_eq!(pieces(text, &[size], SMALL).1, Some(told(error)));
        }
    }
    let error = error_of(b"{} \xe2\x28");
    assert_eq!(
        error,
        told("f:1:4: expected `{` or `[`, found the byte 0xE2, which is no UTF-8 here")
    );
    let error = error_of(b"{} \xe2");
    assert_eq!(
        error,
        told("f:1:4: expected `{` or `[`, found the byte 0xE2, which is no UTF-8 here")
    );
}

#[test]
fn what_marks_a_document_as_a_whole_makes_all_in_it_as_strict_and_nothing_marked() {
    use crate::model::Tlp;
    let red = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    for (member, tlp) in [
        (format!(r#""object_marking_refs":["{red}"]"#), Some(Tlp::Red)),
        (r#""granular_markings":[{}]"#.to_owned(), Some(Tlp::Red)),
        (r#""tlp":"amber""#.to_owned(), Some(Tlp::Amber)),
        (r#""X_TLP":"so""#.to_owned(), Some(Tlp::Red)),
        (r#""labels":"TLP:GREEN""#.to_owned(), Some(Tlp::Green)),
        (r#""handling":{}"#.to_owned(), Some(Tlp::Red)),
        (r#""labels":["a"],"tlp":null,"object_marking_refs":[]"#.to_owned(), None),
        (r#""x_marked":"a","meta":{"title":"TLP:RED"}"#.to_owned(), None),
        (r#""x_list":[{"tlp":"red","name":"a"}],"relations":[{"tlp":"red"}]"#.to_owned(), None),
        (r#""labels":["a",7],"description":"TLP:RED","x":[[1e400]]"#.to_owned(), None),
        (r#""labels":["x","TLP:RED"]"#.to_owned(), Some(Tlp::Red)),
        (r#""tags":[{"name":"TLP:AMBER"}]"#.to_owned(), Some(Tlp::Amber)),
        (r#""x_opencti_labels":["TLP","RED"]"#.to_owned(), Some(Tlp::Red)),
        (r#""tlp":4"#.to_owned(), Some(Tlp::Red)),
        (r#""tlp":true"#.to_owned(), Some(Tlp::Red)),
        (r#""x_tlpv2":["green","amber"]"#.to_owned(), Some(Tlp::Amber)),
        (r#""meta":{"tlp":1}"#.to_owned(), Some(Tlp::Red)),
        (r#""meta":{"tlp_color":"RED"}"#.to_owned(), Some(Tlp::Red)),
        (r#""meta":{"n":NaN,"tlp_color":"RED"}"#.to_owned(), Some(Tlp::Red)),
        (r#""meta":{"n":1e400,"tlp_color":"GREEN"}"#.to_owned(), Some(Tlp::Green)),
        (r#""x":{"y":{"object_marking_refs":["RED-ID"]}}"#.replace("RED-ID", red), Some(Tlp::Red)),
        (r#""x":{"object_marking_refs":["x"]}"#.to_owned(), Some(Tlp::Red)),
        (r#""object_marking_refs":"marking-definition--1""#.to_owned(), Some(Tlp::Red)),
        (r#""extensions":{"x":{"tlp_2_0":"red"}}"#.to_owned(), Some(Tlp::Red)),
        (r#""x":{"attributes":[{"type":"TLP","value":"RED"}]}"#.to_owned(), Some(Tlp::Red)),
        (r#""classification":"TLP:RED""#.to_owned(), Some(Tlp::Red)),
        (r#""classification":["TLP:RED"]"#.to_owned(), Some(Tlp::Red)),
        (format!(r#""labels":["{}"]"#, "x".repeat(70_000)), None),
        (format!(r#""x":{{"x":"{}","tlp":"RED"}}"#, "x".repeat(70_000)), Some(Tlp::Red)),
        (format!(r#""x":["{}","TLP:RED"]"#, "x".repeat(70_000)), Some(Tlp::Red)),
        (format!(r#""x":"{}TLP:RED""#, " ".repeat(70_000)), Some(Tlp::Red)),
        (format!(r#""{}tlp":"RED""#, "x_".repeat(7_000)), Some(Tlp::Red)),
        (format!(r#""x":{}{}"#, "[".repeat(200), "]".repeat(200)), Some(Tlp::Red)),
    ] {
        let text = bundle(&all());
        let (before, behind) = (text.replacen('{', &format!("{{{member},"), 1), {
            format!("{},{member}}}", &text[..text.len() - 1])
        });
        for text in [before, behind] {
            let mut facts = facts(&format!("{}\n{text}", bundle(ENTITY)));
            facts.settle(&crate::graph::Said::new());
            let [incident, indicator] = &facts.entities[..] else { panic!("{text}") };
            for entity in [incident, indicator] {
                assert_eq!((entity.tlp, entity.partly), (None, tlp), "{text}");
            }
            assert_eq!(facts.relations[0].tlp, tlp, "{text}");
            let told = issues(&facts)
                .iter()
                .filter(|it| it.contains("the whole document is marked"))
                .count();
            assert_eq!(told, usize::from(tlp.is_some()), "{text}");
        }
    }
    // An object that stands alone is no document.
    let alone =
        INCIDENT.replace('{', &format!(r#"{{"object_marking_refs":["{red}"],"labels":["a"],"#));
    for text in [alone.clone(), format!("{alone}\n{INDICATOR}"), format!("[{alone},{INDICATOR}]")] {
        let mut facts = facts(&text);
        facts.settle(&crate::graph::Said::new());
        assert_eq!((facts.entities[0].tlp, facts.entities[0].partly), (Some(Tlp::Red), None));
        assert!(facts.entities.iter().skip(1).all(|it| it.partly.is_none()), "{text}");
    }
}
