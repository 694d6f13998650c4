//! What is said of a success that is none: each question, with bodies that hold nothing, half of something, or
//! something else.

use crate::model::EventUuid;

use super::*;

const UUID: EventUuid = EventUuid::new(uuid::Uuid::from_u128(1));

/// One of each question that has an answer of its own shape.
fn calls() -> [Call; 17] {
    [
        Call::Version,
        Call::Whoami,
        Call::Probe,
        Call::FindTags(vec!["tlp:red".into()]),
        Call::KeysOf(1),
        Call::SharingGroups,
        Call::AnyRows(1),
        Call::CountOf(UUID),
        Call::Listing(UUID),
        Call::Metadata(UUID),
        Call::ChangedRows { event: UUID, since: 1 },
        Call::TaggedRows { events: vec![UUID], expected: Vec::new() },
        Call::WhichEvents(vec![UUID]),
        Call::AppendQuietly { event: UUID, attributes: Vec::new() },
        Call::AppendLoudly { event: UUID, attributes: Vec::new() },
        Call::AttachTag { event: UUID, attribute: None, tag: "tlp:red".into() },
        Call::Publish(UUID),
    ]
}

fn said(call: &Call, status: u16, body: &str) -> Option<String> {
    let body = body.as_bytes().to_vec();
    match decode(call, &Answer { status, body, ..Answer::default() }) {
        Reply::Trouble(trouble) => Some(trouble.why().to_owned()),
        _ => None,
    }
}

/// Odd bodies of each kind.
const ODD: [&str; 22] = [
    "",
    " ",
    "\u{feff}",
    "null",
    "true",
    "17.5",
    "-1",
    "[]",
    "[[]]",
    "[null]",
    "{}",
    "\"text\"",
    "{\"Role\"",
    "{\"Event\": {\"id\": ",
    "[{\"Tag\": {\"id\": \"1\", ",
    "{\"Event\": {\"id\": {}}}",
    "{\"response\": {\"Event\": 1}}",
    "{\"Attribute\": 17, \"errors\": []}",
    "[{\"Tag\": {\"id\": \"x\", \"name\": 1}, \"AuthKey\": 1, \"uuid\": 1}]",
    "{\"version\": 1, \"Role\": [], \"Organisation\": 1, \"saved\": \"x\"}",
    "\"half a cell",
    "neither",
];

#[test]
fn no_name_of_a_type_and_no_words_of_a_decoder_get_into_a_message() {
    for call in calls() {
        for body in ODD {
            for status in [200, 400, 403, 404, 405, 429, 500, 503] {
                let Some(words) = said(&call, status, body) else { continue };
                for strange in [
                    "struct",
                    "enum",
                    "Answer",
                    "Listed",
                    "Wrapped",
                    "u64",
                    "i64",
                    "untagged",
                    "variant",
                    "EOF",
                    "expected value",
                    "invalid type",
                    "missing field",
                    "at line",
                    "Metadata {",
                ] {
                    assert!(!words.contains(strange), "{call:?} {status} {body:?}: {words}");
                }
            }
        }
    }
}

#[test]
fn an_answer_that_is_empty_cut_or_of_another_shape_is_told_so_with_what_to_do() {
    for call in calls() {
        for body in ["", "  ", "\u{feff}", "\u{feff}\n"] {
            let words = said(&call, 200, body).unwrap();
            assert!(words.contains("empty") || lists(&call), "{call:?} {body:?}: {words}");
        }
    }
    let asks_json = |call: &Call| {
        !lists(call)
            && !matches!(
                call,
                Call::Probe | Call::AnyRows(_) | Call::CountOf(_) | Call::ChangedRows { .. }
            )
    };
    for call in calls().iter().filter(|call| asks_json(call)) {
        for (body, expected, cure) in [
            ("", "the answer is empty", "; look into the logs"),
            ("\u{feff}{}", "a byte order mark", "; save that file without one"),
            ("{\"Role\": {\"perm_a", "ends in the middle", "; look into the logs"),
            ("[{\"Tag\": ", "ends in the middle", "; look into the logs"),
            ("neither", "answers with \"neither\"", "; "),
        ] {
            let words = said(call, 200, body).unwrap();
            assert!(words.contains(expected) && words.contains(cure), "{call:?} {body:?}: {words}");
        }
        if *call != Call::Version {
            let words = said(call, 200, "17").unwrap();
            assert!(words.contains("JSON of another shape, from line 1"), "{call:?}: {words}");
            assert!(words.contains("; check `url`"), "{call:?}: {words}");
        }
    }
}

#[test]
fn only_401_and_403_are_a_matter_of_the_key() {
    let body = |words: &str| {
        format!("{{\"name\": {words:?}, \"message\": {words:?}, \"url\": \"/users/view/me\"}}")
    };
    for call in [Call::Version, Call::Whoami] {
        for words in [
            "No.",
            "Authentication failed.",
            "You do not have permission to use this functionality.",
        ] {
            for status in [401, 403] {
                let body = body(words).into_bytes();
                let reply = decode(&call, &Answer { status, body, ..Answer::default() });
                assert!(
                    matches!(reply, Reply::Refused { .. }),
                    "{call:?} {status} {words}: {reply:?}"
                );
            }
            for status in [400, 402, 404, 405] {
                let why = said(&call, status, &body(words)).expect("no matter of the key");
                assert!(why.contains(words) && why.contains("; "), "{why}");
                assert!(!why.contains("refuses the key"), "{why}");
            }
        }
    }
}
