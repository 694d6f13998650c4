//! Very many incidents that leave a file, a folder or standard input at once: nothing of it is retired before somebody says so.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use misp_trickle_testing::{program, stix};
use program::{Place, Sandbox, Seen, seen_with};
use serde_json::Value;
use stix::{bundle, incidents};

const WAITS: &str = "removals wait: 18 of 40 incidents would be retired at once, and nothing is";

fn place(sandbox: &Sandbox) -> Place {
    let place = Place::new(&sandbox.url(), &sandbox.key("sync"), "verify_tls = true");
    place.configure("unmarked = \"deny\"", "unmarked = \"allow\"");
    fs::create_dir(place.path("days")).unwrap();
    place
}

fn status(place: &Place) -> Value {
    place.json(&["status"])["destinations"][0].take()
}

/// What a verb says of a dataset of these incidents, handed over in one of the ways.
fn of(place: &Place, way: &str, numbers: std::ops::Range<usize>, words: &[&str]) -> Seen {
    let halves = [numbers.start..numbers.end - 1, numbers.end - 1..numbers.end];
    let text = bundle(&incidents(numbers));
    let asked = |source| [words, &["--source", source]].concat();
    match way {
        "file" => {
            place.write("all.json", &text);
            place.run(&asked("all.json"))
        }
        "folder" => {
            for (name, half) in ["days/1.json", "days/2.json"].iter().zip(halves) {
                place.write(name, &bundle(&incidents(half)));
            }
            place.run(&asked("days"))
        }
        _ => seen_with(&mut place.command(&asked("-")), &text),
    }
}

#[test]
fn very_many_that_leave_a_dataset_at_once_wait() {
    for way in ["file", "folder", "standard input"] {
        let sandbox = Sandbox::start();
        let place = place(&sandbox);
        of(&place, way, 0..50, &["sync"]).code(0);
        of(&place, way, 10..50, &["sync"]).code(0).hides(&["removals wait"]);
        assert_eq!(status(&place)["retired"], 10, "ten may always leave a {way}");
        of(&place, way, 28..50, &["plan"]).code(0).says(&[WAITS]);
        for _ in 0..2 {
            of(&place, way, 28..50, &["sync"]).code(0).says(&[
                WAITS,
                "`sync --accept-removals`",
                "update_strategy = \"append\"",
            ]);
            let status = status(&place);
            assert_eq!(status["retired"], 10, "{way}");
            assert_eq!(status["removals_wait"].as_array().unwrap().len(), 1, "{way}");
            place.run(&["status"]).code(0).says(&["removals wait", "18 of 40"]);
        }
        of(&place, way, 28..50, &["plan", "--accept-removals"]).code(0).hides(&["removals wait"]);
        of(&place, way, 28..50, &["sync", "--accept-removals"]).code(0).hides(&["removals wait"]);
        let status = status(&place);
        assert_eq!(
            (&status["retired"], &status["removals_wait"]),
            (&28.into(), &Value::Array(vec![]))
        );
        assert_eq!(sandbox.attributes(), 50, "what is retired stays in MISP");
    }
}

#[test]
fn who_says_that_an_empty_dataset_is_meant_is_not_asked_again() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    of(&place, "file", 0..40, &["sync"]).code(0);
    place.write("empty.json", "{\"entities\": []}");
    place.run(&["sync", "--source", "empty.json"]).code(0).says(&["--allow-empty"]);
    assert_eq!(status(&place)["retired"], 0);
    place.run(&["sync", "--source", "empty.json", "--allow-empty"]).code(0);
    assert_eq!(status(&place)["retired"], 40);
}
