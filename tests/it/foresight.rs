//! What `plan` says is what `sync` then does: the same events and numbers, and as many bytes, give or take a fifth.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dataset::Dataset;
use front::{Act, Front, answer};
use misp_trickle::sandbox::{Release, RowOrder, Setup};
use misp_trickle_testing::{asking, dataset, front, program};
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
        let planned = &planned["destinations"][0];
        let seen = self.place.run(&["-vv", "sync", "--json"]).code(0);
        let done = json(&seen.data);
        let done = &done["destinations"][0];
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
        assert_eq!(again["destinations"][0]["requests"], 0, "{told}");
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

/// So many domains and as many addresses, which a MISP that lists by type has apart.
fn add(set: &mut Dataset, incident: u16, name: u8, count: u8) {
    for number in 0..count {
        set.incident(incident).observe("domain", &format!("d{number}.{name}.of{incident}.example"));
        set.incident(incident).observe("ipv4", &format!("10.{incident}.{name}.{number}"));
    }
}

#[test]
fn events_whose_rows_misp_gives_in_another_order() {
    let comparison = Comparison::new("reordered", "sync");
    let setup = Setup { release: Release::V2_5_19, row_order: RowOrder::Type, ..Setup::default() };
    comparison.sandbox.misp.lock().unwrap().set_up(setup);
    let mut set = Dataset::default();
    // What is learned by surprise is not foreseen: two lists in the first event, one in the next.
    for day in 0..4 {
        add(&mut set, 1, day, 60);
        add(&mut set, 2, day, 5);
        fs::copy(set.write(), comparison.place.path("day.json")).unwrap();
        comparison.place.run(&["sync"]).code(0);
    }
    for (day, count) in [(10, 60), (11, 2), (12, 100)] {
        // Rows of the second in which a plan is made count as new for the plan, and not for a run of the next second.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        add(&mut set, 1, day, count);
        add(&mut set, 2, day, 3);
        comparison.compare(&set.write(), false);
    }
}

/// A place whose writes to events that are there come to nothing, as long as that is so.
fn obstructed(name: &'static str) -> (Comparison, Arc<AtomicBool>) {
    let mut comparison = Comparison::new(name, "sync");
    let closed = Arc::new(AtomicBool::new(false));
    let shuts = closed.clone();
    let front = Front::before(comparison.sandbox.address, move |request, _| {
        let appends = ["/events/edit/", "/attributes/add/"];
        let appends = appends.iter().any(|path| request.target().starts_with(*path));
        match appends && shuts.load(Ordering::SeqCst) {
            true => Act::Say(answer("503 Service Unavailable", "", b"")),
            false => Act::Pass,
        }
    });
    let key = comparison.sandbox.key("sync");
    comparison.place = Place::new(&front.url(), &key, "verify_tls = true");
    (comparison, closed)
}

#[test]
fn events_that_an_earlier_run_could_not_prove() {
    let (comparison, closed) = obstructed("unproven");
    let mut set = Dataset::default();
    add(&mut set, 1, 1, 200);
    add(&mut set, 2, 1, 20);
    comparison.compare(&set.write(), true);
    for day in 2..4 {
        closed.store(true, Ordering::SeqCst);
        add(&mut set, 1, day, 40);
        fs::copy(set.write(), comparison.place.path("day.json")).unwrap();
        comparison.place.run(&["sync"]).code(3);
        closed.store(false, Ordering::SeqCst);
        add(&mut set, 1, 10 + day, 3);
        add(&mut set, 2, 10 + day, 3);
        comparison.compare(&set.write(), false);
    }
}

#[test]
fn what_was_taken_over_or_forgotten() {
    let comparison = Comparison::new("adopted", "sync");
    let empty = comparison.sandbox.misp.lock().unwrap().clone();
    let mut set = Dataset::default();
    for incident in 1..5 {
        add(&mut set, incident, 1, 40);
    }
    comparison.compare(&set.write(), true);
    // The store is lost, and learns from MISP what it has.
    fs::remove_dir_all(comparison.place.path("state")).unwrap();
    comparison.place.run(&["repair", "--adopt"]).code(0);
    comparison.compare(&set.write(), false);
    add(&mut set, 2, 2, 40);
    comparison.compare(&set.write(), false);
    // MISP lost all of it, and somebody decided that it goes again.
    comparison.sandbox.misp.lock().unwrap().restore(empty);
    comparison.place.run(&["repair", "--resend", "--yes"]).code(0);
    add(&mut set, 3, 3, 40);
    comparison.compare(&set.write(), true);
}
