//! Tests of the splitter and of whole files.

mod apart;
mod damage;
mod envelopes;
mod lines;
mod markings;
mod numbers;
mod third;
mod twice;
mod writings;

use std::io::{self, Read};

use proptest::prelude::*;

use super::{
    Format, FormatError,
    apart::lost::Found,
    decode,
    element::{Element, Origin},
    splitter::{Limits, Member, Visitor, Wanted, split},
};
use crate::{graph::Coverage, model::Symbol};

const SMALL: Limits = Limits { buffer_bytes: 8, object_bytes_max: 200, depth_max: 4 };

/// Gives a text in reads of at most so many bytes, now and then interrupted.
struct Dribble<'a> {
    rest: &'a [u8],
    sizes: Vec<usize>,
    reads: usize,
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        let size = self.sizes[self.reads % self.sizes.len()];
        if size == 0 && self.reads.is_multiple_of(2) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let size = size.clamp(1, buffer.len());
        self.rest.read(&mut buffer[..size])
    }
}

/// Writes down all it is told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Scribe(Vec<String>);

impl Visitor for Scribe {
    fn begin(&mut self) {
        self.0.push("begin".to_owned());
    }

    fn member(&mut self, name: &str, value: Member<'_>, _: &Origin<'_>) {
        self.0.push(format!("{name} = {value:?}"));
    }

    fn alone(&mut self, _: &'static str) -> bool {
        false
    }

    fn list(&mut self, name: &str, _: bool, _: &Origin<'_>) -> Wanted {
        let known = ["entities", "objects"].into_iter().find(|wanted| *wanted == name);
        known.map_or(Wanted::Whole, Wanted::Elements)
    }

    fn element(&mut self, element: &Element<'_>) {
        self.0.push(format!("{} {}", element.place(), String::from_utf8_lossy(element.raw)));
    }

    fn left_out(&mut self, element: &Element<'_>, found: &Found, what: &str) {
        let ids = found.lost(Format::Stix21).ids;
        let ids = ids.iter().map(|id| format!(" ({id})")).collect::<String>();
        self.0.push(format!("{}{ids}", element.skipped(what)));
    }

    fn end(&mut self, _: &Origin<'_>) -> Result<(), FormatError> {
        self.0.push("end".to_owned());
        Ok(())
    }
}

fn pieces(
    text: impl AsRef<[u8]>,
    sizes: &[usize],
    limits: Limits,
) -> (Vec<String>, Option<String>) {
    let input = Dribble { rest: text.as_ref(), sizes: sizes.to_vec(), reads: 0 };
    let mut scribe = Scribe::default();
    let error = split(input, &Symbol::new("f"), limits, &mut scribe).err();
    (scribe.0, error.map(|error| error.to_string()))
}

fn error_of(text: impl AsRef<[u8]>) -> String {
    pieces(text, &[3], SMALL).1.unwrap()
}

/// What is said where something else stands than was expected, with what to do.
fn told(error: &str) -> String {
    let is_whole =
        error.contains("; ") || !error.contains("found") || error.contains("plain quotes");
    let next = "; export or fetch the dataset again, and write nothing into it by hand";
    let closes = error.ends_with("found `}`") || error.ends_with("found `]`");
    format!("{error}{}", if is_whole || closes { "" } else { next })
}

#[test]
fn the_elements_of_wanted_lists_come_out_one_by_one() {
    let text = "\u{feff} {\"content-type\" : \"a\\u0062\", \"n\":-1, \"enrichments\":[{\"x\":[1]}],
        \"entities\":[ {\"a\":\"]}\\\"\"} , 7,\"s\" ],\"o\":{\"p\":{}},\"objects\":[],\"m\":{}}\r\n{}";
    let expected = [
        "begin",
        r#"content-type = Text("ab")"#,
        "n = Scalar(\"-1\")",
        r#"enrichments = List("[{\"x\":[1]}]")"#,
        r#"f#/entities/0 {"a":"]}\""}"#,
        "f#/entities/1 7",
        r#"f#/entities/2 "s""#,
        r#"o = Object("{\"p\":{}}")"#,
        r#"m = Object("{}")"#,
        "end",
        "begin",
        "end",
    ];
    for size in 1..40 {
        let found = pieces(text, &[size], SMALL);
        assert_eq!(found, (expected.map(str::to_owned).to_vec(), None), "reads of {size}");
    }
}

#[test]
fn documents_may_follow_one_another_or_stand_in_a_list() {
    let one = r#"{"entities":[1]}"#;
    let found = pieces(format!("{one}\n[{one},{one}] \u{feff}{one} []"), &[9], SMALL).0;
    let elements: Vec<_> = found.iter().filter(|line| line.starts_with('f')).collect();
    assert_eq!(
        elements,
        [
            "f#/entities/0 1",
            "f (document 2)#/0/entities/0 1",
            "f (document 2)#/1/entities/0 1",
            "f (document 3)#/entities/0 1",
        ]
    );
}

#[test]
fn too_long_and_too_deep_elements_are_passed_over() {
    let long = format!(r#"{{"a":"{}"}}"#, "]x\\\"".repeat(100));
    let deep = r#"[[[[["a--1",{"id":"b--2"}]]]]]"#;
    let named = long.replace("}", r#","id":"a--1"}"#);
    let text = format!(r#"{{"entities":[{long},[[[[1]]]],{deep},{named},2]}}"#);
    for size in [1, 7, 1000] {
        assert_eq!(
            pieces(&text, &[size], SMALL).0,
            [
                "begin",
                "f#/entities/0: skipped: longer than 200 bytes; left out",
                "f#/entities/1 [[[[1]]]]",
                "f#/entities/2: skipped: nested deeper than 4 levels; left out (b--2) (a--1)",
                "f#/entities/3: skipped: longer than 200 bytes; left out (a--1)",
                "f#/entities/4 2",
                "end",
            ]
        );
    }
}

#[test]
fn what_breaks_a_document_is_named_with_line_and_column() {
    for (text, error) in [
        ("", "f:1:1: there is nothing in it; export or fetch the dataset again"),
        (" \n ", "f:2:2: there is nothing in it; export or fetch the dataset again"),
        ("{\n\"a\" 1}", "f:2:5: expected `:`, found `1`"),
        ("{\"a\":1,}", "f:1:8: expected the name of a member in quotes, found `}`"),
        ("{\"a\":}", "f:1:6: expected a value, found `}`"),
        ("{\"a\":truth}", "f:1:6: neither true, false nor null here"),
        ("{\"entities\":[1 2]}", "f:1:16: expected `,` or `]`, found `2`"),
        ("{\"entities\":[\n1,]}", "f:2:3: expected a value, found `]`"),
        ("{\"entities\":[{\"a\":[}]}", "f:1:20: expected `]`, found `}`"),
        ("{\"entities\":[]]", "f:1:15: expected `,` or `}`, found `]`"),
        ("[1]", "f:1:2: expected an object that starts with `{`, found `1`"),
        ("{} x", "f:1:4: expected `{` or `[`, found `x`"),
        (
            "\u{feff}\u{feff}{}",
            "f:1:4: there are two byte order marks; save it as UTF-8 without any",
        ),
    ] {
        let found = error_of(text);
        assert_eq!(found.split("; if a comma").next().unwrap(), told(error), "{text}");
    }
    assert!(error_of("<?xml version='1.0'?>").contains("this is XML"));
    assert!(error_of(b"\xff\xfe{\0").contains("UTF-16"));
}

#[test]
fn a_document_that_breaks_off_anywhere_is_an_error() {
    let text = r#"[{"a":"b\\","entities":[{"c":[1,"\""]},12],"objects":[]}]"#;
    for length in 1..text.len() {
        let error = error_of(&text[..length]);
        let expected = format!("f:1:{}: the document breaks off here; ", length + 1);
        assert!(error.starts_with(&expected), "{length}: {error}");
    }
}

#[test]
fn a_damaged_element_costs_only_itself() {
    let good = r#"{"id":"a","type":"ttp","data":{"title":"x"}}"#;
    let broken: [&[u8]; 5] =
        [br#"{"a":01}"#, br#"{"a":"\q"}"#, b"{\"a\":\"\xff\"}", br#"{"a" 1}"#, b"{\"a\":\"\n\"}"];
    for raw in broken {
        let text = [b"{\"entities\":[", raw, b",", good.as_bytes(), b"]}"].concat();
        let facts = decode(&text[..], &Symbol::new("f"), Format::Auto).unwrap();
        assert_eq!((facts.entities.len(), facts.skipped), (1, 1));
        assert!(facts.issues[0].to_string().starts_with("f#/entities/0: skipped: cannot be read"));
    }
}

#[test]
fn the_format_is_told_by_the_members_of_a_document() {
    let fails = |text: &str, format| {
        decode(text.as_bytes(), &Symbol::new("f"), format).unwrap_err().to_string()
    };
    for text in [
        r#"{"content-type":"urn:eclecticiq.com:json:2.0"}"#,
        r#"{"entities":[],"content-type":"urn:eclecticiq.com:json:1.0"}"#,
        r#"{"entities_v2":[]}"#,
    ] {
        for format in [Format::Auto, Format::EclecticIq] {
            assert!(decode(text.as_bytes(), &Symbol::new("f"), format).is_ok(), "{text}");
        }
        assert!(fails(text, Format::Stix21).contains("this is not a STIX 2.1 bundle"));
    }
    assert_eq!(
        fails(r#"{"a":1,"b":[]}"#, Format::Auto),
        "f: this is neither an EclecticIQ JSON package (`entities`) nor a STIX 2.1 bundle (`objects`): \
         it has the members `a`, `b`; check the path and the `format` setting"
    );
    assert!(fails("{}", Format::EclecticIq).contains("it has no members"));
    let empty = |text: &str| decode(text.as_bytes(), &Symbol::new("f"), Format::Stix21).is_ok();
    assert!(
        empty("{}") && empty(r#"{"more": false}"#) && empty(r#"{"more": false, "next": null}"#)
    );
    assert!(!empty(r#"{"title": "a"}"#) && !empty(r#"{"more": true, "title": "a"}"#));
    for page in [r#"{"more": true}"#, r#"{"next": "a"}"#] {
        let facts = decode(page.as_bytes(), &Symbol::new("f"), Format::Stix21).unwrap();
        assert_eq!(facts.coverage, Coverage::Page, "{page}");
        assert!(fails(page, Format::Auto).contains("this is neither"), "{page}");
    }
}

#[test]
fn a_list_that_is_none_is_reported() {
    let text =
        r#"{"content-type":"urn:eclecticiq.com:json:2.0","entities":{"a":1},"entities_v2":null}"#;
    let facts = decode(text.as_bytes(), &Symbol::new("f"), Format::Auto).unwrap();
    let issues: Vec<_> = facts.issues.iter().map(ToString::to_string).collect();
    assert_eq!(issues, ["f#/entities: skipped: should be a list and is none; left out"]);
    let text = r#"{"entities":[]} [{"entities":[]},{"entities":"x","content-type":"x"}]"#;
    let facts = decode(text.as_bytes(), &Symbol::new("f"), Format::EclecticIq).unwrap();
    assert_eq!(
        facts.issues[0].to_string(),
        "f (document 2)#/1/entities: skipped: should be a list and is none; left out"
    );
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<i32>().prop_map(Into::into),
        "[a\"\\\\\\[\\]{},: é\n]{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map("[a\"\\\\}]{0,5}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn elements_are_the_same_whatever_the_reads(
        items in prop::collection::vec(json(), 0..6),
        other in json(),
        pretty in any::<bool>(),
        sizes in prop::collection::vec(0_usize..50, 1..6),
        buffer_bytes in 1_usize..64,
    ) {
        let document = serde_json::json!({"a": other, "entities": items, "z": other});
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
        let limits = Limits { buffer_bytes, ..Limits::PRODUCT };
        let (lines, error) = pieces(text.unwrap(), &sizes, limits);
        prop_assert_eq!(error, None);
        let elements: Vec<serde_json::Value> = lines
            .iter()
            .filter_map(|line| line.strip_prefix("f#/entities/")?.split_once(' '))
            .map(|(_, raw)| serde_json::from_str(raw).unwrap())
            .collect();
        prop_assert_eq!(elements, items);
    }

    #[test]
    fn no_bytes_make_it_fail_in_another_way_than_by_an_error(
        bytes in "[\\[\\]{}\":,\\\\ae1 \n]{0,40}",
        sizes in prop::collection::vec(0_usize..9, 1..4),
    ) {
        let whole = pieces(&bytes, &[1000], SMALL);
        prop_assert_eq!(pieces(&bytes, &sizes, SMALL), whole);
        let listed = format!("{{\"entities\":[{bytes}");
        let whole = pieces(&listed, &[1000], SMALL);
        prop_assert_eq!(pieces(&listed, &sizes, SMALL), whole);
    }
}
