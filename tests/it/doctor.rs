//! `doctor` proves before the first run what a run will need, and what it learned is remembered.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use front::{Act, Front, answer};
use misp_trickle_testing::{asking, front, program};
use program::{Place, Sandbox};
use serde_json::Value;

const PLAIN: &str = "verify_tls = true";
const UNMARKED: &str = "write `unmarked = \"allow\"` under [destinations.main.policy]";

fn place(sandbox: &Sandbox, role: &str) -> Place {
    Place::new(&sandbox.url(), &sandbox.key(role), PLAIN)
}

fn asked(sandbox: &Sandbox, role: &str, path: &str, body: &str) -> Value {
    let answer = asking::ask_for(&sandbox.misp, &sandbox.key(role), path, body);
    serde_json::from_slice(&answer).unwrap()
}

/// A request of the administrator.
fn admin(sandbox: &Sandbox, path: &str, body: &str) -> Value {
    asked(sandbox, "admin", path, body)
}

fn make_tags(sandbox: &Sandbox) {
    admin(sandbox, "/taxonomies/enable/1", "{}");
    admin(sandbox, "/taxonomies/addTag/1", "{}");
}

/// A new key of the user with the role *User*.
fn new_key(sandbox: &Sandbox, fields: &str) -> String {
    let made = asked(sandbox, "user", "/auth_keys/add", fields);
    made["AuthKey"]["authkey_raw"].as_str().unwrap().to_owned()
}

#[test]
fn a_taxonomy_that_is_enabled_alone_is_a_fault() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox, "user");
    admin(&sandbox, "/taxonomies/enable/1", "{}");
    let words =
        ["fault    tags", "tlp:green", "create its tags", "fault    outlook", "would be withheld"];
    place.run(&["doctor"]).code(6).says(&words);
    admin(&sandbox, "/taxonomies/addTag/1", "{}");
    place
        .run(&["doctor"])
        .code(0)
        .hides(&["fault", "warning"])
        .says(&["41 attributes of 3 events"]);
}

#[test]
fn a_dataset_that_is_withheld_whole_is_a_fault_with_the_line_to_write() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox, "sync");
    let colourless =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/eclecticiq/null-as-text.json");
    fs::copy(colourless, place.path("day.json")).unwrap();
    let seen = place.run(&["doctor"]).code(6);
    seen.says(&["fault    outlook", "it has no TLP marking", &format!("-> {UNMARKED}")]);
    place.configure("unmarked = \"deny\"", "unmarked = \"allow\"");
    place.run(&["doctor"]).code(0);
    place.run(&["sync"]).code(0);
}

#[test]
fn a_source_that_cannot_be_read_is_a_fault_and_one_that_can_is_named() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox, "sync");
    place.run(&["doctor"]).code(0).says(&["day.json is EclecticIQ JSON: 4 incidents"]);
    fs::write(place.path("day.json"), "<html><body>login</body></html>").unwrap();
    place.run(&["doctor"]).code(1).says(&["fault    source", "web page"]);
    fs::write(
        place.path("day.json"),
        "{\"type\": \"bundle\", \"objects\": [
        {\"type\": \"report\", \"id\": \"report--4d2e1f0a-1b2c-4d3e-8f4a-5b6c7d8e9f0a\"}]}",
    )
    .unwrap();
    place.run(&["doctor"]).code(0).says(&["is STIX 2: 0 incidents", "containers = [\"report\"]"]);
    fs::remove_file(place.path("day.json")).unwrap();
    place.run(&["doctor"]).code(1).says(&["fault    source", "check the path"]);
}

#[test]
fn what_a_key_may_whatever_its_role_says_is_told() {
    let sandbox = Sandbox::start();
    make_tags(&sandbox);
    let place = place(&sandbox, "user");
    let with = |fields: &str, code: i32| {
        let key = new_key(&sandbox, fields);
        let seen = place.run_in(&[("MISP_API_KEY", &key)], &["doctor"]).code(code);
        seen.hides(&[&key])
    };
    with("{\"read_only\": 1}", 4)
        .says(&["the key may only read", "without the mark \"read only\""]);
    with("{\"allowed_ips\": [\"127.0.0.0/8\"]}", 0).says(&["from 127.0.0.0/8 only"]);
    let soon = jiff::Timestamp::now().as_second() + 3 * 86_400 + 3_600;
    with(&format!("{{\"expiration\": \"{soon}\"}}"), 0)
        .says(&["warning  key", "expires in 3 days"]);
    with("{\"expiration\": \"0\"}", 0).hides(&["warning"]).says(&["it does not expire"]);
    let elsewhere = with("{\"allowed_ips\": [\"192.0.2.1\"]}", 4);
    elsewhere.says(&["from your IP address", "allowed"]);
}

#[test]
fn a_misp_that_shows_no_keys_is_told_and_writing_can_be_tried() {
    let sandbox = Sandbox::start();
    make_tags(&sandbox);
    let front = Front::before(sandbox.address, |request, _| match request.target() {
        target if target.contains("/auth_keys/") => {
            let body = b"{\"name\":\"Not Found\",\"message\":\"Not Found\",\"url\":\"/\"}";
            Act::Say(answer("404 Not Found", "", body))
        }
        _ => Act::Pass,
    });
    let place = Place::new(&front.url(), &sandbox.key("user"), PLAIN);
    place.run(&["doctor"]).code(0).says(&["warning  key", "--push-test-event"]);
    let pushed = place.run(&["doctor", "--push-test-event"]).code(0);
    pushed.says(&["ok       writing"]);
    let rokey = sandbox.key("rokey");
    let seen = place.run_in(&[("MISP_API_KEY", &rokey)], &["doctor", "--push-test-event"]).code(4);
    seen.says(&["fault    writing"]);
}

#[test]
fn a_sharing_group_that_the_key_may_not_use_is_a_fault() {
    let sandbox = Sandbox::start();
    make_tags(&sandbox);
    let body = "{\"name\": \"Friends\", \"releasability\": \"x\", \"description\": \"y\", \"active\": true}";
    let made = admin(&sandbox, "/sharing_groups/add", body);
    let group = made["SharingGroup"]["id"].as_str().unwrap().to_owned();
    let place = place(&sandbox, "user");
    place.configure("distribution = 0 ", "distribution = 4 ");
    place.configure("# sharing_group_id = 1 ", &format!("sharing_group_id = {group} "));
    let seen = place.run(&["doctor"]).code(4);
    seen.says(&[
        "fault    group",
        &format!("may not use the sharing group {group}"),
        "it may use none",
    ]);
    admin(&sandbox, &format!("/sharing_groups/addOrg/{group}/2"), "{}");
    place.run(&["doctor"]).code(0).says(&["ok       group"]);
    place.run(&["sync"]).code(0);
}

#[test]
fn what_it_learned_is_remembered_before_the_first_run() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox, "user");
    place.run(&["plan", "--stat"]).code(0).says(&["MISP was never asked", "3 to create"]);
    place.run(&["doctor"]).code(6).says(&["made a store at"]);
    let planned = place.run(&["plan", "--stat"]).code(0);
    planned.says(&["4 withheld"]).hides(&["MISP was never asked"]);
    place.run(&["sync"]).code(6).says(&["4 withheld"]);
}

#[test]
fn to_append_to_others_needs_a_site_administrators_key() {
    let sandbox = Sandbox::start();
    make_tags(&sandbox);
    for (role, code) in [("sync", 4), ("admin", 0)] {
        let place = place(&sandbox, role);
        place.configure("on_foreign = \"block\"", "on_foreign = \"append\"");
        let seen = place.run(&["doctor"]).code(code);
        match code {
            0 => seen.hides(&["site administrator"]),
            _ => seen.says(&["perm_site_admin", "`on_foreign` is \"append\""]),
        };
    }
}

#[test]
fn a_limit_on_searches_is_found() {
    use misp_trickle::sandbox::{Release, Setup};
    let sandbox = Sandbox::start();
    make_tags(&sandbox);
    let place = place(&sandbox, "user");
    place.run(&["sync"]).code(0);
    place.run(&["doctor"]).code(0).says(&["limit", "none that"]).hides(&["warning"]);
    let setup = Setup { release: Release::V2_5_19, search_limit: 10, ..Setup::default() };
    sandbox.misp.lock().unwrap().set_up(setup);
    let words = ["warning  limit", "MISP.default_restsearch_limit"];
    place.run(&["doctor"]).code(0).says(&words).says(&["2.5.19, which was measured"]);
}

#[test]
fn a_source_is_read_once() {
    let sandbox = Sandbox::start();
    make_tags(&sandbox);
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("day.json");
    let there = gone.clone();
    // Whoever reads it behind the first question does not find it.
    let front = Front::before(sandbox.address, move |_, _| {
        drop(fs::remove_file(&there));
        Act::Pass
    });
    let place = Place::new(&front.url(), &sandbox.key("user"), PLAIN);
    fs::rename(place.path("day.json"), &gone).unwrap();
    place.configure("path = \"day.json\"", &format!("path = {:?}", gone.to_str().unwrap()));
    let seen = place.run(&["doctor"]).code(0).hides(&["fault"]);
    seen.says(&["is EclecticIQ JSON: 4 incidents", "41 attributes of 3 events to send"]);
    assert!(!gone.exists());
}

#[test]
fn what_can_be_read_once_only_is_left_to_the_run() {
    let sandbox = Sandbox::start();
    make_tags(&sandbox);
    let place = place(&sandbox, "user");
    let words = ["gone for the run", "not looked at", "misp-trickle map"];
    fs::remove_file(place.path("day.json")).unwrap();
    let pipe = place.path("day.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    place.run(&["doctor"]).code(0).says(&words).says(&["is a pipe"]);
    place.configure("path = \"day.json\"", "");
    place.configure("kind = \"file\"", "kind = \"stdin\"");
    place.run(&["doctor"]).code(0).says(&words).says(&["is read from standard input"]);
}

#[test]
fn what_doctor_learns_of_another_key_keeps_no_run_from_looking_for_what_was_hidden() {
    let sandbox = Sandbox::start();
    make_tags(&sandbox);
    place(&sandbox, "admin").run(&["sync"]).code(0);
    let place = place(&sandbox, "sync");
    place.run(&["sync"]).says(&["this key cannot see it"]);
    let owners = sandbox.key("admin");
    let theirs = [("MISP_API_KEY", &*owners)];
    place.run_in(&theirs, &["doctor"]).code(0);
    let seen = place.run_in(&theirs, &["sync"]).code(0).hides(&["this key cannot see it"]);
    // What both sent in one second has one timestamp, and counts as sent: nobody can tell who did.
    assert!(
        ["41 adopted", "41 sent"].iter().any(|there| seen.all().contains(there)),
        "{}",
        seen.all()
    );
    assert_eq!(sandbox.attributes(), 41);
}
