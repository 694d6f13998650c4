//! What the history keeps of attempts that changed nothing, and several destinations served from one reading of
//! the source.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    time::{Duration, Instant},
};

use misp_trickle_testing::{front, program};

use front::{Act, Front};
use program::{ATTRIBUTES, DAY_1, Place, Sandbox, seen_with};
use serde_json::Value;

/// A further destination in the configuration of a place.
fn add(place: &Place, name: &str, url: &str) {
    let text = fs::read_to_string(place.path("misp-trickle.toml")).unwrap();
    let more = format!("\n[destinations.{name}]\nurl = {url:?}\napi_key_env = \"MISP_API_KEY\"\n");
    place.write("misp-trickle.toml", &(text + &more));
}

/// The runs of the history, the newest first: number, outcome, and how often each was repeated.
fn history(place: &Place) -> Vec<(u64, String, u64)> {
    let log = place.json(&["log"]);
    let of = |run: &Value| {
        let times = run["repeated"]["times"].as_u64().unwrap_or(0);
        (run["run"].as_u64().unwrap(), run["outcome"].as_str().unwrap().to_owned(), times)
    };
    log["runs"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn attempts_alike_that_change_nothing_are_one_record() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    for _ in 0..4 {
        place.run(&["sync"]).code(0);
    }
    let done = || "done".to_owned();
    assert_eq!(history(&place), [(2, done(), 2), (1, done(), 0)]);
    let asked = sandbox.requests();
    for _ in 0..3 {
        place.run(&["sync", "--source", "gone.json"]).code(1);
    }
    let failed = || "failed".to_owned();
    assert_eq!(history(&place), [(3, failed(), 2), (2, done(), 2), (1, done(), 0)]);
    place.run(&["log", "-n", "1"]).code(0).says(&["gone.json", "2 times more in the same way"]);
    // Another reason is another attempt, and what went well before is told again.
    place.write("bad.json", "{\"entities\": [{\"id\": 1,,}]}");
    place.run(&["sync", "--source", "bad.json"]).code(3);
    place.run(&["sync"]).code(0);
    let numbers: Vec<u64> = history(&place).iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, [5, 4, 3, 2, 1]);
    assert_eq!(sandbox.requests(), asked, "none of it asked MISP");
    place.run(&["check"]).code(0);
    // The whole history survives a way out and in.
    let before = place.json(&["log"]);
    place.run(&["export", "all.jsonl"]).code(0);
    place.run(&["import", "all.jsonl", "--store", "other"]).code(0);
    assert_eq!(before, place.json(&["log", "--store", "other"]));
}

#[test]
fn a_misp_that_does_not_answer_is_in_the_history() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    place.configure(&sandbox.url(), "http://127.0.0.1:1");
    for _ in 0..2 {
        place.run(&["sync"]).code(5);
    }
    assert_eq!(history(&place), [(1, "failed".to_owned(), 1)]);
    let log = place.json(&["log"]);
    assert!(log["runs"][0]["notes"].to_string().contains("127.0.0.1:1"), "{log}");
    // All of it goes once MISP is there.
    place.configure("http://127.0.0.1:1", &sandbox.url());
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn an_attempt_to_learn_what_misp_holds_is_in_the_history_too() {
    let sandbox = Sandbox::start();
    let place = sandbox.place();
    for _ in 0..2 {
        place.run(&["repair", "--adopt", "--source", "gone.json"]).code(1);
    }
    assert_eq!(history(&place), [(1, "failed".to_owned(), 1)]);
}

#[test]
fn what_can_be_read_only_once_goes_to_all_destinations() {
    let (one, two) = (Sandbox::start(), Sandbox::start());
    let place = one.place();
    add(&place, "two", &two.url());
    let seen = seen_with(&mut place.command(&["sync", "--source", "-", "--json"]), DAY_1);
    let answer = seen.code(0).json();
    assert_eq!(answer["destinations"].as_array().unwrap().len(), 2);
    assert_eq!((one.attributes(), two.attributes()), (ATTRIBUTES, ATTRIBUTES));
    place.run(&["check"]).code(0);
    place.run(&["verify"]).code(0);
}

#[test]
fn a_slow_destination_holds_no_other_back() {
    let (slow, fast) = (Sandbox::start(), Sandbox::start());
    let late = Duration::from_secs(3);
    let front = Front::before(slow.address, move |_, _| Act::PassLate(late));
    let place = fast.place();
    add(&place, "a", &front.url());
    let begun = Instant::now();
    let mut child = place.command(&["sync"]).spawn().unwrap();
    while fast.attributes() < ATTRIBUTES {
        assert!(child.try_wait().unwrap().is_none(), "it ended first");
        std::thread::sleep(Duration::from_millis(20));
    }
    // The slow one has at least three requests to answer, and comes first by its name.
    assert!(slow.attributes() < ATTRIBUTES, "after {:?}", begun.elapsed());
    assert!(child.wait().unwrap().success());
    assert_eq!(slow.attributes(), ATTRIBUTES);
    assert_eq!(history(&place).len(), 2);
}

#[test]
fn a_saved_plan_goes_stale_by_what_concerns_it_alone() {
    let (one, two) = (Sandbox::start(), Sandbox::start());
    let place = one.place();
    add(&place, "two", &two.url());
    let to_main = ["plan", "--destination", "main", "-o", "plan.json"];
    place.run(&to_main).code(0);
    // A run elsewhere, and one that fails.
    place.run(&["sync", "--destination", "two"]).code(0);
    place.run(&["sync", "--destination", "main", "--source", "gone.json"]).code(1);
    place.run(&["apply", "plan.json"]).code(0);
    assert_eq!((one.attributes(), two.attributes()), (ATTRIBUTES, ATTRIBUTES));
    place.run(&["apply", "plan.json"]).code(7).says(&["what is known of MISP"]);
}
