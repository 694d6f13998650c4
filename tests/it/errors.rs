//! Errors as JSON: one object at the end of the answer, and the same in words on standard error.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use misp_trickle_testing::program::{Place, Seen};
use serde_json::Value;

/// The error that ended a verb: the last line of its answer.
fn error(seen: &Seen) -> Value {
    let error: Value = serde_json::from_str(seen.data.lines().last().unwrap()).unwrap();
    assert_eq!(error["schema"], "misp-trickle/error/2");
    assert_eq!(error["exit_code"], seen.code);
    let words = |fault: &Value| {
        let text = |key: &str| fault[key].as_str().unwrap_or_default().to_owned();
        [text("where"), text("cause"), text("cure")]
    };
    for part in std::iter::once(&error).chain(error["also"].as_array().unwrap()).flat_map(words) {
        assert!(seen.talk.contains(&part), "{part:?} is not said to people:\n{}", seen.talk);
    }
    error
}

fn kind(place: &Place, code: i32, arguments: &[&str]) -> Value {
    let seen = place.run(&[arguments, &["--json"]].concat()).code(code);
    let plain = place.run(arguments).code(code);
    assert_eq!(plain.data, "", "without --json nothing of an error stands on standard output");
    let errors = |seen: &Seen| -> Vec<String> {
        let errors = seen.talk.lines().filter(|line| line.starts_with("error: "));
        errors.map(str::to_owned).collect()
    };
    assert_eq!(errors(&plain), errors(&seen));
    error(&seen)
}

#[test]
fn an_error_that_ends_a_verb_is_an_object_with_its_kind_place_cause_and_cure() {
    let place = Place::at("http://127.0.0.1:1", "key");
    let absent = kind(&place, 10, &["status"]);
    assert_eq!(absent["kind"], "no_store");
    assert!(absent["where"].as_str().unwrap().ends_with("state"), "{absent}");
    assert_eq!(absent["cause"], "there is no store");
    assert_eq!(absent["cure"], "`misp-trickle sync` makes one");
    assert_eq!(absent["also"], Value::Array(Vec::new()));

    let source = kind(&place, 1, &["sync", "--source", "none.json"]);
    assert_eq!(
        (&source["kind"], &source["where"]),
        (&"source_unreadable".into(), &"none.json".into())
    );
    place.write("cut.json", "{\"entities\": [\n  {\"id\": \"x\"}");
    let cut = kind(&place, 1, &["map", "cut.json"]);
    assert_eq!((&cut["kind"], &cut["where"]), (&"source_invalid".into(), &"cut.json:2:14".into()));
    assert!(cut["cure"].as_str().unwrap().contains("export or fetch it again"), "{cut}");
    assert_eq!(kind(&place, 1, &["init"])["kind"], "file_exists");
    assert_eq!(kind(&place, 1, &["apply", "day.json"])["kind"], "plan_invalid");
    let feed = kind(&place, 1, &["sync", "--feed", "other"]);
    assert_eq!(feed["kind"], "config_choice");
}

#[test]
fn each_fault_of_a_configuration_is_told() {
    let place = Place::at("http://127.0.0.1:1", "key");
    place.configure("verify_tls = true", "verify_tls = 1\ncolour = \"red\"");
    let invalid = kind(&place, 1, &["plan"]);
    assert_eq!(invalid["kind"], "config_invalid");
    let first = invalid["where"].as_str().unwrap();
    assert!(
        first.contains("misp-trickle.toml:") && first.ends_with("destinations.main.verify_tls"),
        "{first}"
    );
    let also = invalid["also"][0]["where"].as_str().unwrap();
    assert!(also.ends_with("destinations.main.colour"), "{also}");
    assert!(invalid["also"][1].is_null(), "{invalid}");
}

#[test]
fn wrong_arguments_are_an_object_where_json_is_among_them() {
    let place = Place::at("http://127.0.0.1:1", "key");
    for (arguments, cause) in [
        (&["sync", "--fed", "x"][..], "unexpected argument '--fed' found"),
        (&["sink"], "unrecognized subcommand 'sink'"),
        (&["map"], "the following required arguments were not provided: <FILE>"),
    ] {
        let seen = place.run(&[&["--json"], arguments].concat()).code(2);
        let wrong: Value = seen.json();
        assert_eq!((&wrong["kind"], &wrong["exit_code"]), (&"usage".into(), &2.into()));
        assert_eq!(wrong["cause"], cause);
        assert!(wrong["cure"].as_str().unwrap().contains("--help"), "{wrong}");
        assert!(seen.talk.contains("error: "), "{}", seen.talk);
    }
    assert_eq!(place.run(&["--json"]).code(2).json()["kind"], "usage");
    for verb in ["plan", "report"] {
        place.run(&[verb, "-o", "-"]).code(2).says(&["standard output cannot take it"]);
    }
    assert!(!place.path("-").exists());
    // What stands behind `--` is no argument of ours.
    assert_eq!(place.run(&["sync", "--fed", "--", "--json"]).code(2).data, "");
    place.run(&["--json", "--help"]).code(0).says(&["Usage: misp-trickle"]);
}

#[test]
fn no_error_holds_a_secret() {
    let place = Place::at("http://127.0.0.1:1", "kAbCdEfGhIjKlMnOpQrStUvWxYz0123456789abc");
    place.configure("http://127.0.0.1:1", "http://user:hunter2@127.0.0.1:1");
    let seen = place.run(&["sync", "--json"]).code(1).hides(&["hunter2", &place.key]);
    assert_eq!(error(&seen)["kind"], "config_invalid");
    place.configure("http://user:hunter2@127.0.0.1:1", "http://127.0.0.1:1");
    let seen = place.run(&["verify", "--json"]).hides(&[&place.key]);
    assert_eq!(error(&seen)["kind"], "no_store");
}
