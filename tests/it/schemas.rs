//! Every answer that the program can give is given once, and is as its schema says: the harness compares each
//! answer with `docs/schemas`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fs, path::Path};

use misp_trickle_testing::{
    program::{DAY_2, Place, Sandbox},
    schema::check_line,
};
use serde_json::{Value, json};

/// The schemas of what a command answers, by the names of their files.
fn given(place: &Place, arguments: &[&str]) -> BTreeSet<String> {
    let seen = place.run(&[arguments, &["--json"]].concat());
    let name = |line: &str| {
        let answer: Value = serde_json::from_str(line).unwrap();
        answer["schema"].as_str().unwrap().split('/').nth(1).unwrap().to_owned()
    };
    let names: BTreeSet<String> = seen.data.lines().map(name).collect();
    assert!(!names.is_empty(), "{arguments:?} answers nothing: {}", seen.talk);
    names
}

#[test]
fn every_schema_has_an_answer_and_every_answer_a_schema() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    place.write("next.json", DAY_2);
    let mut names = BTreeSet::new();
    for arguments in [
        &["status"][..],
        &["--config", "other.toml", "init"],
        &["config"],
        &["completions", "bash"],
        &["man", "pages"],
        &["map", "day.json"],
        &["map", "--total", "day.json"],
        &["map", "--rules"],
        &["doctor"],
        &["plan"],
        &["sync"],
        &["plan", "--source", "next.json", "-o", "plan.json"],
        &["apply", "plan.json"],
        &["status"],
        &["log"],
        &["log", "--pulls"],
        &["show"],
        &["show", "--stat"],
        &["diff"],
        &["why", "203.0.113.41"],
        &["report", "-o", "history.html"],
        &["verify"],
        &["check"],
        &["export", "all.jsonl"],
        &["import", "all.jsonl", "--store", "elsewhere"],
        &["gc"],
        &["repair"],
        &["repair", "--resend"],
        &["repair", "--resend", "--yes"],
        &["repair", "--adopt"],
        &["pause"],
        &["resume"],
    ] {
        names.extend(given(&place, arguments));
    }
    let show = place.json(&["show", "1"]);
    let event = show["events"][0]["event"].as_str().unwrap();
    let why = place.json(&["why", event]);
    assert_eq!(why["destinations"][0]["answers"][0]["found"], "event");
    place.configure("[source]", "[feeds.other.source]");
    names.extend(given(&place, &["feed", "forget", "main"]));
    // They end when they are told to: `cli`, `daemon` and `web` have tests of their own for them.
    names.extend(["run", "sandbox", "platform", "alarm", "web", "events"].map(str::to_owned));
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas")).unwrap();
    let files: BTreeSet<String> = files
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, files);
}

#[test]
fn the_demonstration_gives_the_answers_of_its_verbs() {
    let place = Place::at("http://127.0.0.1:1", "key");
    let names = given(&place, &["demo"]);
    let shown = ["diff", "doctor", "log", "plan", "show", "sync", "why"];
    assert_eq!(names, shown.map(str::to_owned).into());
}

#[test]
#[should_panic(expected = "docs/schemas/gc.json says otherwise")]
fn a_field_that_no_schema_names_is_a_mistake() {
    let gc = json!({ "schema": "misp-trickle/gc/2", "store": "x", "objects_removed": 0, "bytes_before": 1,
        "bytes_after": 1, "compacted": false });
    check_line(&gc.to_string());
    let mut more = gc;
    more["colour"] = "red".into();
    check_line(&more.to_string());
}

#[test]
#[should_panic(expected = "docs/schemas/gc.json says otherwise")]
fn a_field_that_is_missing_is_a_mistake() {
    check_line("{\"schema\": \"misp-trickle/gc/2\", \"store\": \"x\"}");
}

#[test]
#[should_panic(expected = "an answer has the schema \"never\"")]
fn an_answer_without_a_schema_is_a_mistake() {
    check_line("{\"schema\": \"misp-trickle/never/2\"}");
}
