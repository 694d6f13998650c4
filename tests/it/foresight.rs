//! What `plan` says is what `sync` then does: the same events and numbers, and as many bytes, give or take a fifth.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use dataset::Dataset;
use misp_trickle_testing::{asking, dataset, program};
use program::{Place, Sandbox};
use serde_json::Value;

/// Of a hundred bytes so many more or less.
const PERCENT_OFF_MAX: u64 = 20;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// One dataset after the other: planned, sent, and compared.
struct Comparison {
    sandbox: Sandbox,
    place: Place,
    name: &'static str,
}

impl Comparison {
    fn new(name: &'static str, role: &str) -> Self {
        let sandbox = Sandbox::start();
        for path in ["/taxonomies/enable/1", "/taxonomies/addTag/1"] {
            asking::ask(&sandbox.misp, &sandbox.key("admin"), path);
        }
        let place = Place::new(&sandbox.url(), &sandbox.key(role), "verify_tls = true");
        Self { sandbox, place, name }
    }

    /// Whether the plan of a dataset tells what its run does; whether MISP was asked before.
    fn compare(&self, source: &Path, asked: bool) {
        fs::copy(source, self.place.path("day.json")).unwrap();
        if asked {
            self.place.run(&["doctor"]).code(0);
        }
        let planned = json(&self.place.run(&["plan", "--json"]).code(0).data);
        let planned = &planned["destinations"]["main"];
        let seen = self.place.run(&["-vv", "sync", "--json"]).code(0);
        let done = json(&seen.data);
        let done = &done["destinations"]["main"];
        let told = format!("{}: {planned}\n{done}\n{}", self.name, seen.talk);
        for what in ["created", "updated", "unchanged", "withheld", "held", "blocked"] {
            assert_eq!(planned["events"][what], done["events"][what], "{what} {told}");
        }
        let sent = &done["attributes"]["sent"];
        assert_eq!(Some(sends(planned)), sent.as_u64(), "{told}");
        for what in ["planned", "withheld", "held", "unchanged", "retired", "superseded"] {
            assert_eq!(planned["attributes"][what], done["attributes"][what], "{what} {told}");
        }
        let number = |of: &Value, what: &str| of[what].as_u64().unwrap();
        assert_eq!(planned["requests"], done["requests"], "{told}");
        for what in ["bytes_sent", "bytes_received"] {
            let (before, after) = (number(planned, what), number(done, what));
            let off = before.abs_diff(after) * 100;
            assert!(off <= PERCENT_OFF_MAX * after, "{what}: {before} and {after}; {told}");
        }
        let again = json(&self.place.run(&["plan", "--json"]).code(0).data);
        assert_eq!(again["destinations"]["main"]["requests"], 0, "{told}");
    }
}

/// Attributes that a plan sends.
fn sends(planned: &Value) -> u64 {
    let plans = planned["plans"].as_array().unwrap();
    plans.iter().map(|plan| plan["attributes"].as_array().unwrap().len() as u64).sum()
}

fn demo(day: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/cli/verbs/demo/{day}.json"))
}

#[test]
fn the_demonstration_and_its_second_day() {
    for (role, asked) in [("user", true), ("sync", true), ("sync", false)] {
        let comparison = Comparison::new(role, role);
        comparison.compare(&demo("day1"), asked);
        comparison.compare(&demo("day2"), false);
    }
}

#[test]
fn chains_of_versions_publishing_and_bodies_that_are_not_packed() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/eclecticiq");
    let comparison = Comparison::new("published", "publisher");
    comparison.place.configure("publish = \"never\"", "publish = \"always\"");
    comparison.place.configure("unmarked = \"deny\"", "unmarked = \"allow\"");
    comparison.place.configure("compression = \"auto\"", "compression = \"off\"");
    for day in ["chain-day1.json", "chain-day2-uuid.json"] {
        comparison.compare(&data.join(day), true);
    }
    comparison.compare(&demo("day1"), false);
    comparison.compare(&demo("day2"), false);
}

#[test]
fn what_is_looked_at_once_in_a_while_is_foreseen() {
    let comparison = Comparison::new("due", "sync");
    comparison.place.configure("verify_every = \"24h\"", "verify_every = \"1s\"");
    comparison.compare(&demo("day1"), true);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    comparison.compare(&demo("day2"), false);
}

#[test]
fn events_without_end_and_one_large_one() {
    let comparison = Comparison::new("many", "user");
    let mut set = Dataset::default();
    for number in 1..=70 {
        for value in 0..=number % 5 {
            set.incident(number).observe("domain", &format!("v{value}.of{number}.example"));
        }
    }
    comparison.compare(&set.write(), true);
    for number in (1..=70).step_by(3) {
        set.incident(number).observe("ipv4", &format!("192.0.2.{number}"));
    }
    comparison.compare(&set.write(), false);
    let comparison = Comparison::new("large", "publisher");
    let mut set = Dataset::default();
    let hash = |number: u32| blake3::hash(&number.to_le_bytes()).to_string();
    for number in 0..2_500 {
        set.incident(1).observe("hash-sha256", &hash(number));
    }
    comparison.compare(&set.write(), true);
    for number in 2_500..2_600 {
        set.incident(1).observe("hash-sha256", &hash(number));
    }
    comparison.compare(&set.write(), false);
    assert_eq!(comparison.sandbox.attributes(), 2_600);
}
