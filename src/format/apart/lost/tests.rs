//! What may be told of broken, unusual and whole elements.

use super::*;

const UUID: &str = "13cb1207-0674-4a54-a999-df5ff8e35c1a";
const OTHER: &str = "99999999-0674-4a54-a999-df5ff8e35c1a";

/// What an element may be, `U` and `O` in which stand for two UUIDs.
fn of(raw: &str, format: Format) -> (Vec<String>, Option<Timestamp>) {
    let raw = raw.replace('U', UUID).replace('O', OTHER);
    let Lost { ids, version, .. } = lost(raw.as_bytes(), format);
    let short = |id: &EntityKey| id.as_str().replace(UUID, "U").replace(OTHER, "O");
    (ids.iter().map(short).collect(), version)
}

fn stix(raw: &str) -> Vec<String> {
    of(raw, Format::Stix21).0
}

fn eiq(raw: &str) -> Vec<String> {
    of(raw, Format::EclecticIq).0
}

#[test]
fn an_object_of_stix_is_what_its_id_says_however_that_is_written() {
    for raw in [
        r#"{"id":"a--U","x":undefined}"#,
        r#"{"x":{"id":"O"},"id":"a--U","x":01}"#,
        r#"{"\u0069d":"a--U","x":01}"#,
        r#"{"ID ":" a--U","x":01}"#,
        r#"{"id":"a\u002d\u002dU","x":01}"#,
        r#"{"id":["a--U"],"type":"a"}"#,
        r#"{"id":{"value":"a--U"},"type":"b"}"#,
        r#"{id:"a--U",x:1}"#,
        r"{'type': 'b', 'id': 'a--U'}",
        r#"{"created_by_ref":"b--O","id" : "A--U","x":01}"#,
        r#"{"type":"relationship","id":"a--U","source_ref":"b--O","target_ref":null}"#,
    ] {
        assert_eq!(stix(raw), ["a--U"], "{raw}");
    }
    assert_eq!(stix(r#"{"id":"a--U","id":"a--O"}"#), ["a--U", "a--O"]);
    assert_eq!(stix(r#"{"id":"x","id":"a--O"}"#), ["x", "a--O"]);
    assert_eq!(stix(r#"{"id":"a--1","x":[{"id":"b--2"},"id",{"id":7}],"#), ["a--1", "b--2"]);
    let deep = format!(r#"{{"x":{}{},"id":"a--U"}}"#, "[".repeat(70_000), "]".repeat(70_000));
    assert_eq!(stix(&deep), ["a--U"]);
}

#[test]
fn what_has_no_id_that_can_be_read_may_be_all_of_its_type_that_it_names() {
    for raw in [
        r#"{"type":"a","_id":"a--U"}"#,
        r#"{"type":"a","uuid":"U"}"#,
        r#"{"_id":"a--U"}"#,
        r#"["a--U"]"#,
        r#"{"type":"a","x":["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1","a--U"]}"#,
    ] {
        assert_eq!(stix(raw), ["a--U"], "{raw}");
    }
    let broken = stix(r#"{"type":"a","id":"a\u002--U","created_by_ref":"b--O"}"#);
    assert!(broken.iter().any(|id| id == "a--U") && !broken.iter().any(|id| id == "b--O"));
    assert_eq!(stix(r#"{"type":"a","_id":"a--1","created_by_ref":"b--2"}"#), ["a--1"]);
    for raw in ["", "7", "{}", r#"{"type":"a","name":"x"}"#, r#"{"id":null}"#] {
        assert!(stix(raw).iter().all(|id| id == "null"), "{raw}");
        assert!(eiq(raw).iter().all(|id| id == "null"), "{raw}");
    }
}

#[test]
fn an_entity_of_eclecticiq_is_what_both_of_its_ids_say_and_no_end_of_a_relation() {
    for raw in [
        r#"{"id":"O","data":{"id":"{https:\/\/x\/}a-U","x":01}}"#,
        r#"{"id":"O","data":{"id":"{https://x/}a\u002dU","title":undefined}}"#,
        r#"{"id":"O","data":{"id":["{https://x/}a-U"]}}"#,
        r#"{"id":"O","data":{id:"{https://x/}a-U"}}"#,
        r#"{"id":"O","data":{"_id":"{https://x/}a-U","x":01}}"#,
    ] {
        assert_eq!(eiq(raw), ["O", "U"], "{raw}");
    }
    for raw in [
        r#"{"data":{"id":"a-U","type":"relation","source":"b-O"}}"#,
        r#"{"data":{"id":"a-U","type":"relation","source":{"id":"b-O"},"target":null}}"#,
        r#"{"id":"U","type":"relation","data":{"source":{"id":"b-O"},"target":3}}"#,
    ] {
        assert_eq!(eiq(raw), ["U"], "{raw}");
    }
}

#[test]
fn a_version_is_read_where_there_is_no_other() {
    let time = |raw: &str, format| of(raw, format).1;
    let day = Timestamp::parse("2024-01-01T00:00:00Z").ok();
    let said = r#""modified":"2024-01-01T00:00:00Z""#;
    assert_eq!(time(&format!("{{{said},01}}"), Format::Stix21), day);
    assert_eq!(time(&format!("{{{said},\"x\":{{{said}}}}}"), Format::Stix21), day);
    assert_eq!(time(&format!("{{{said},\"x\":{{{said}}},01}}"), Format::Stix21), None);
    assert_eq!(time(&format!("{{{said},\"\\u006dodified\":1}}"), Format::Stix21), None);
    assert_eq!(time(&format!("{{{said}}}"), Format::EclecticIq), None);
    let said = r#"{"data":{"timestamp":"2024-01-01T00:00:00Z"}}"#;
    assert_eq!(time(said, Format::EclecticIq), day);
    assert_eq!(time("{}", Format::EclecticIq), None);
}

#[test]
fn pieces_say_what_the_whole_says() {
    let raw = format!(r#"{{"x":{{"id":"O\u002d"}},"type":"a","id":"a\u002d-{UUID}","b":01}}"#);
    let whole = lost(raw.as_bytes(), Format::Stix21);
    for size in 1..raw.len() {
        let mut scan = Scan::default();
        raw.as_bytes().chunks(size).for_each(|piece| scan.see(piece));
        assert_eq!(scan.finish().lost(Format::Stix21), whole, "{size}");
    }
}

/// A text as a text of JSON, so many times.
fn quoted(text: &str, times: usize) -> String {
    (0..times).fold(text.to_owned(), |text, _| serde_json::Value::from(text).to_string())
}

#[test]
fn what_an_element_holds_in_a_text_counts_as_if_it_stood_there() {
    let deep = format!(r#"{}{{"id":"a--U"}}{}"#, "[".repeat(70_000), "]".repeat(70_000));
    let long = format!(r#"{{"x":"{}","id":"a--U"}}"#, "x".repeat(10_000));
    for raw in [
        r#"{"type":"a","id":"a--U"}"#,
        "\n \u{feff} {\"type\":\"a\", \"\\u0069d\" : \"a\\u002d-U\"}",
        r#"["x", {"id":"a--U"}]"#,
        r#"{"type":"bundle","objects":[{"type":"a","id":"a--U"}]}"#,
        r#"{"id":"a--U","x":undefined"#,
        r#"{'id': 'a--U'}"#,
        &deep,
        &long,
    ] {
        for times in 1..4 {
            let raw = quoted(raw, times);
            let wrapped = [raw.clone(), format!("[{raw}]"), format!("[7, [{raw}, {raw}]]")];
            for raw in wrapped
                .iter()
                .chain([&raw[..raw.len() - 1].to_owned(), &raw.replace("\\\"", "\\u0022")])
            {
                assert_eq!(stix(raw), ["a--U"], "{raw}");
            }
        }
    }
    assert_eq!(stix(&quoted(r#"{"type":"a","id":"a--U","created_by_ref":"b--O"}"#, 1)), ["a--U"]);
    let held =
        |key: &str| format!("{{\"{key}\":{},\"id\":\"b--O\"}}", quoted(r#"{"id":"a--U"}"#, 2));
    assert_eq!(stix(&held("x")), ["b--O", "a--U"]);
    assert_eq!(eiq(&quoted(r#"{"id":"O","data":{"id":"{https://x/}a-U"}}"#, 2)), ["O", "U"]);
    assert_eq!(eiq(&format!(r#"{{"data":{}}}"#, quoted(r#"{"id":"a-U"}"#, 1))), ["U"]);
    let broken = quoted(r#"{"id":"O","data":{"_id":"{https://x/}a-U"}}"#, 1);
    assert_eq!(eiq(&broken), ["O", "U"]);
    for raw in [r#""[a--U:value = 'x']""#, r#"{"x":"{\"id\":\"a\"}"}"#] {
        assert!(stix(raw).iter().all(|id| !id.starts_with("a--")), "{raw}");
    }
}

#[test]
fn the_time_of_what_a_text_holds_is_known_where_there_is_no_other() {
    let time = |raw: &str| of(&quoted(raw, 1), Format::Stix21).1;
    let said = r#""modified":"2024-01-01T00:00:00Z""#;
    assert_eq!(
        time(&format!("{{\"id\":\"a--U\",{said}}}")),
        Timestamp::parse("2024-01-01T00:00:00Z").ok()
    );
    assert_eq!(time(&format!("{{\"id\":\"a--U\",{said},\"x\":{{{said}}}}}")), None);
    assert_eq!(time(&format!("{{{said}}}{{{said}}}")), None);
}

#[test]
fn texts_in_one_another_cost_no_more_than_their_bytes() {
    let deep = quoted(r#"{"id":"a--U"}"#, 16);
    assert!(deep.len() > 1 << 17);
    assert_eq!(stix(&deep), ["a--U"]);
    assert_eq!(stix(&format!("\"{}", "\\\"".repeat(1 << 20))), Vec::<String>::new());
}
