//! Text that is damaged in ways that producers damage it in: nothing is lost by it.

use super::*;
use crate::graph::Facts;

fn facts(text: impl AsRef<[u8]>) -> Facts {
    decode(text.as_ref(), &Symbol::new("f"), Format::Auto).unwrap()
}

fn incident(inside: &str) -> String {
    format!(
        r#"{{"type":"incident","id":"incident--1eb25301-52dc-4085-af2d-99410dd7edf8",{inside}}}"#
    )
}

fn bundle(object: &str) -> String {
    format!(r#"{{"type":"bundle","objects":[{object},{{"type":"x","id":"x--1"}}]}}"#)
}

#[test]
fn half_a_surrogate_pair_becomes_a_replacement_character_with_a_warning() {
    for (written, read, halves) in [
        (r"a \ud83d", "a \u{fffd}", 1),
        (r"\uDE00 a", "\u{fffd} a", 1),
        (r"\ud83d\ud83d\ude00", "\u{fffd}\u{1f600}", 1),
        (r"\ud83dx\ude00", "\u{fffd}x\u{fffd}", 2),
        (r"\\ud83d \\\ud83d", "\\ud83d \\\u{fffd}", 1),
        (r"\ud83d\n\u00e4", "\u{fffd}\nä", 1),
        (r"\ud83d\\ude00", "\u{fffd}\\ude00", 1),
        (r"\ud83d\u0041", "\u{fffd}A", 1),
        (r"\uD83D\uDE00 \\ud83d", "\u{1f600} \\ud83d", 0),
    ] {
        let found = facts(bundle(&incident(&format!(r#""name":"{written}""#))));
        assert_eq!((found.entities.len(), found.skipped), (2, 0), "{written}");
        assert_eq!(&*found.entities[0].title, read, "{written}");
        let issues: Vec<_> = found.issues.iter().map(ToString::to_string).collect();
        let expected = format!(
            "f#/objects/0: warning: half a surrogate pair stands in a text of it ({halves} in all); read as U+FFFD"
        );
        assert_eq!(issues, if halves > 0 { vec![expected] } else { vec![] }, "{written}");
    }
}

#[test]
fn behind_a_large_element_each_damaged_one_is_told_with_its_line() {
    let large = incident(&format!(r#""x":"{}""#, "x".repeat(1 << 20)));
    let damaged: String = (0..5_000).map(|number| format!(",\n{{\"type\":0{number}}}")).collect();
    let text = format!(
        "{{\"type\":\"bundle\",\"objects\":[{large}{damaged},\n{large}\n,{{\"type\":00}}]}}"
    );
    let found = facts(text);
    assert_eq!((found.entities.len(), found.skipped), (2, 5_001));
    for (at, line) in [(0, 2), (1, 3), (999, 1001)] {
        let told = found.issues[at].to_string();
        assert!(told.contains(&format!("(line {line}, column 10: ")), "{told}");
    }
}

#[test]
fn half_a_surrogate_pair_does_no_harm_wherever_it_stands() {
    for inside in [
        r#""\ud83d":1"#,
        r#""description":"\ud83d""#,
        r#""labels":["\ud83d"]"#,
        r#""external_references":[{"source_name":"\udc00","url":"https://a.example/\ud800"}]"#,
        r#""granular_markings":[{"lang":"\ud800"}]"#,
    ] {
        let found = facts(bundle(&incident(inside)));
        assert_eq!((found.entities.len(), found.skipped), (2, 0), "{inside}");
        assert_eq!(found.entities[0].tlp, None, "{inside}");
        let bare = facts(incident(inside));
        assert_eq!((bare.entities.len(), bare.skipped), (1, 0), "{inside}");
    }
    let outside =
        r#"{"\ud83d":"\ud83d","x":"\udc00","type":"bundle","objects":[{"type":"x","id":"x--1"}]}"#;
    assert_eq!(facts(outside).entities.len(), 1);
    // As bytes: what some writers of Java and Python make of it.
    let raw = bundle(&incident(r#""name":"a?""#)).into_bytes();
    let at = raw.iter().position(|byte| *byte == b'?').unwrap();
    let raw = [&raw[..at], b"\xed\xa0\xbd", &raw[at + 1..]].concat();
    let found = facts(raw);
    assert_eq!((&*found.entities[0].title, found.skipped), ("a\u{fffd}", 0));
}

#[test]
fn numbers_that_json_does_not_know_do_no_harm() {
    for word in ["NaN", "Infinity", "-Infinity"] {
        for inside in [
            format!(r#""x":{word}"#),
            format!(r#""x": {word} ,"y":[1,{word}],"z":{{"a":{word}}}"#),
            format!(r#""name":{word},"labels":{word},"created":{word},"revoked":{word}"#),
            format!(
                r#""external_references":{word},"granular_markings":[{{"x":{word},"lang":"en"}}]"#
            ),
            format!(r#""object_refs":[{word}],"extensions":{{"a":{word}}}"#),
        ] {
            for text in [bundle(&incident(&inside)), incident(&inside)] {
                let found = facts(&text);
                assert_eq!(found.skipped, 0, "{text}: {:?}", found.issues);
                let entity = &found.entities[0];
                assert_eq!(
                    (&*entity.title, entity.tlp, entity.removed),
                    ("", None, false),
                    "{text}"
                );
            }
        }
        let named = facts(bundle(&incident(&format!(r#""name":"{word}: \"{word}","x":{word}"#))));
        assert_eq!(&*named.entities[0].title, format!("{word}: \"{word}"));
        let outside = format!(
            r#"{{"x":{word},"type":"bundle","y":[{word}],"objects":[{{"type":"x","id":"x--1"}}]}}"#
        );
        assert_eq!(facts(outside).entities.len(), 1);
    }
    let text = bundle(&incident(r#""x":NaNo"#));
    assert_eq!(facts(text).skipped, 1, "not any word will do");
    // What else is wrong is told where it stands.
    let text = bundle(&incident("\n\"x\":NaN, \"y\":01"));
    let issue = facts(text).issues[0].to_string();
    assert!(issue.contains("(line 2, column 15: invalid number)"), "{issue}");
}
