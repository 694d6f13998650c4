//! Which MISP a destination is: a new address, one that is another destination's, another name, the same one twice.

#![allow(clippy::unwrap_used)]

use std::fs;

use misp_trickle::{
    agent::{Clock, SystemClock},
    sandbox::Request,
};
use misp_trickle_testing::program::{ATTRIBUTES, DAY_2, Place, Sandbox};

/// A place whose only destination is `a`.
fn at(sandbox: &Sandbox) -> Place {
    let place = sandbox.place();
    place.configure("[destinations.main", "[destinations.a");
    place
}

/// Two MISPs behind `a`, which gets everything, and `b`, which gets what is green at most, each with a key of its own;
/// the first day is there.
fn two() -> (Sandbox, Sandbox, Place) {
    let (one, two) = (Sandbox::start(), Sandbox::start());
    let place = at(&one);
    let allowed =
        "[destinations.a.policy]\nallow_tlp = [\"clear\", \"green\", \"amber\", \"amber+strict\"]";
    fs::write(place.path("a.key"), one.key("sync")).unwrap();
    fs::write(place.path("b.key"), two.key("admin")).unwrap();
    let text = format!(
        "version = 1\n[source]\npath = \"day.json\"\n[destinations.a]\nurl = \"{}\"\napi_key_file = \"a.key\"\n{allowed}\n\
         [destinations.b]\nurl = \"{}\"\napi_key_file = \"b.key\"\n[destinations.b.policy]\nallow_tlp = [\"green\"]\n",
        one.url(),
        two.url()
    );
    place.write("misp-trickle.toml", &text);
    place.run(&["sync"]).code(0);
    assert!(one.attributes() > two.attributes(), "{} {}", one.attributes(), two.attributes());
    (one, two, place)
}

fn exchange(place: &Place, one: &str, other: &str) {
    place.configure(one, "\u{1}");
    place.configure(other, one);
    place.configure("\u{1}", other);
}

#[test]
fn a_new_url_is_asked_before_anything_counts_as_done_although_nothing_is_to_be_sent() {
    let (one, empty) = (Sandbox::start(), Sandbox::start());
    let place = at(&one);
    place.run(&["sync"]).code(0);
    let success = place.json(&["status"])["routes"][0]["last_success"].clone();
    for (url, code) in [(empty.url(), 8), ("http://127.0.0.1:1".to_owned(), 5)] {
        place.configure(&one.url(), &url);
        let told = ["was not asked yet", &*one.url(), &url];
        place.run(&["plan"]).code(0).says(&told).hides(&["not one request"]);
        place.run(&["status", "--max-age", "1h"]).code(0).says(&told);
        let status = place.json(&["status"]);
        assert_eq!(status["routes"][0]["new_url"], format!("{url}/"), "{status}");
        for _ in 0..2 {
            place.run(&["sync"]).code(code);
        }
        let status = place.json(&["status"]);
        assert_eq!(status["routes"][0]["last_success"], success, "{status}");
        assert_eq!(status["routes"][0]["failures"], 2 + if code == 5 { 2 } else { 0 }, "{status}");
        place.configure(&url, &one.url());
    }
    assert_eq!(empty.attributes(), 0);
    place.run(&["sync"]).code(0);
}

#[test]
fn the_same_misp_at_a_new_url_is_asked_once_and_then_costs_nothing() {
    let one = Sandbox::start();
    let place = at(&one);
    place.run(&["sync"]).code(0);
    let before = one.attributes();
    place.configure("127.0.0.1", "localhost");
    let plan = place.json(&["plan"]);
    let requests = plan["destinations"][0]["requests"].as_u64().unwrap();
    assert!(requests > 0, "{plan}");
    let asked = place.json(&["sync"])["destinations"][0]["requests"].as_u64().unwrap();
    assert_eq!(asked, requests);
    assert_eq!(place.json(&["sync"])["destinations"][0]["requests"], 0);
    let status = place.json(&["status"]);
    assert!(status["routes"][0]["new_url"].is_null(), "{status}");
    assert_eq!(one.attributes(), before);
}

#[test]
fn doctor_does_not_take_a_stranger_for_the_misp_that_was_sent_to() {
    let (one, empty) = (Sandbox::start(), Sandbox::start());
    let place = at(&one);
    place.run(&["sync"]).code(0);
    place.configure(&one.url(), &empty.url());
    place.run(&["doctor"]).code(8).says(&["looks like another or a restored MISP"]);
    place.run(&["sync"]).code(8);
    place.write("day.json", DAY_2);
    place.run(&["doctor"]).code(8);
    place.run(&["sync"]).code(8);
    assert_eq!(empty.attributes(), 0);
}

#[test]
fn exchanged_urls_and_keys_are_refused_whatever_is_new() {
    for day_2 in [false, true] {
        let (one, two, place) = two();
        let before = (one.attributes(), two.attributes());
        exchange(&place, &one.url(), &two.url());
        exchange(&place, "\"a.key\"", "\"b.key\"");
        if day_2 {
            place.write("day.json", DAY_2);
        }
        for _ in 0..2 {
            let told = [
                "the MISP of destination a",
                "the MISP of destination b",
                "put `url` and key back",
            ];
            place.run(&["sync"]).code(8).says(&told);
        }
        assert_eq!((one.attributes(), two.attributes()), before);
        exchange(&place, &one.url(), &two.url());
        exchange(&place, "\"a.key\"", "\"b.key\"");
        place.run(&["sync"]).code(0);
    }
}

/// Under another address a MISP is known by the key that it takes.
#[test]
fn an_exchanged_misp_is_known_at_another_address_too() {
    let (one, two, place) = two();
    exchange(&place, &one.url(), &two.url());
    exchange(&place, "\"a.key\"", "\"b.key\"");
    place.configure("127.0.0.1", "localhost");
    place.write("day.json", DAY_2);
    let before = (one.attributes(), two.attributes());
    place.run(&["sync"]).code(8).says(&["the MISP of destination a", "the MISP of destination b"]);
    assert_eq!((one.attributes(), two.attributes()), before);
    place.run(&["repair", "--adopt", "--destination", "b"]).code(0);
    place.run(&["sync", "--destination", "b"]).code(0);
    assert!(ATTRIBUTES <= one.attributes());
}

/// What an analyst deletes for good, after it was sent.
fn deleted(one: &Sandbox) -> String {
    let mut misp = one.misp.lock().unwrap();
    let event = misp.events()[0].uuid;
    let uuid = misp.attributes(event)[0].uuid.to_string();
    let headers = [
        ("Authorization", one.key("orgadmin")),
        ("Accept", "application/json".to_owned()),
        ("Content-Type", "application/json".to_owned()),
    ];
    let request = Request {
        method: "POST".to_owned(),
        path: format!("/attributes/delete/{uuid}/1"),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        body: b"{}".to_vec(),
    };
    // In the second of the last delivery, an edit would be answered as by a MISP that was restored.
    let later = SystemClock.now().seconds() + 1;
    assert_eq!(misp.handle(&request, later).status, 200);
    uuid
}

fn holds(one: &Sandbox, uuid: &str) -> bool {
    let misp = one.misp.lock().unwrap();
    misp.events()
        .iter()
        .any(|event| misp.attributes(event.uuid).iter().any(|it| it.uuid.to_string() == uuid))
}

#[test]
fn a_destination_with_another_name_is_no_new_one() {
    let one = Sandbox::start();
    let place = at(&one);
    place.run(&["sync"]).code(0);
    let uuid = deleted(&one);
    place.configure("[destinations.a", "[destinations.renamed");
    let told = ["as destination a", "was = \"a\"", "repair --adopt --destination renamed"];
    for verb in [&["sync"][..], &["plan"], &["run"], &["verify"], &["doctor"]] {
        place.run(verb).code(1).says(&told);
    }
    assert!(!holds(&one, &uuid));

    place.configure("[destinations.renamed]", "[destinations.renamed]\nwas = \"a\"");
    for verb in [&["plan"][..], &["verify"]] {
        place.run(verb).code(1).says(&["destination renamed is still a in the store"]);
    }
    place.run(&["doctor"]).code(0).says(&["nothing to send"]);
    let sync = place.json(&["sync"]);
    assert_eq!(sync["destinations"][0]["requests"], 0, "{sync}");
    place.run(&["verify"]).code(8);
    place.run(&["check"]).code(0);
    let status = place.json(&["status"]);
    assert_eq!(status["destinations"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!(status["routes"][0]["destination"], "renamed", "{status}");
    assert!(!status["routes"][0]["last_success"].is_null(), "{status}");
    let now = place.json(&["log"]).to_string();
    assert!(!now.contains("\"a\"") && now.contains("\"renamed\""), "{now}");

    place.write("day.json", DAY_2);
    place.run(&["sync"]).code(0);
    assert!(!holds(&one, &uuid), "what an analyst deleted came back");
    assert!(one.attributes() > ATTRIBUTES);
}

#[test]
fn two_destinations_of_one_name_are_an_error_with_a_cure() {
    let one = Sandbox::start();
    let place = at(&one);
    place.run(&["sync"]).code(0);
    let text = fs::read_to_string(place.path("misp-trickle.toml")).unwrap();
    let more =
        format!("\n[destinations.b]\nurl = {:?}\napi_key_env = \"MISP_API_KEY\"\n", one.url());
    place.write("misp-trickle.toml", &(text + &more));
    let told = ["destinations.b.url", "destination a as well"];
    place.run(&["sync"]).code(0).says(&told);
    place.run(&["doctor"]).code(0).says(&told);
    place.configure("[destinations.a", "[destinations.c");
    place.configure("[destinations.b]\n", "[destinations.b]\nwas = \"a\"\n");
    let told = ["both destination a and destination b", "take `was` out of [destinations.b]"];
    for verb in [&["sync"][..], &["plan"], &["run"]] {
        place.run(verb).code(1).says(&told);
    }
    place.configure("[destinations.c", "[destinations.a");
    let told = ["destinations.b.was", "was a, and so is or was another destination"];
    place.run(&["plan"]).code(1).says(&told);
}

/// To begin anew is meant where somebody has the store learn what MISP holds.
#[test]
fn what_misp_holds_may_be_learned_under_a_new_name() {
    let one = Sandbox::start();
    let place = at(&one);
    place.run(&["sync"]).code(0);
    place.configure("[destinations.a", "[destinations.renamed");
    place.run(&["sync"]).code(1);
    place.run(&["repair", "--adopt", "--destination", "renamed"]).code(0);
    let sync = place.json(&["sync"]);
    assert_eq!(sync["destinations"][0]["attributes"]["sent"], 0, "{sync}");
    assert_eq!(one.attributes(), ATTRIBUTES);
}

#[test]
fn what_was_said_of_a_route_stays_with_its_destination() {
    let one = Sandbox::start();
    let place = at(&one);
    place.run(&["sync"]).code(0);
    place.run(&["pause", "--destination", "a"]).code(0);
    place.configure("[destinations.a]", "[destinations.renamed]\nwas = \"a\"");
    place.configure("[destinations.a.", "[destinations.renamed.");
    place.run(&["doctor"]).code(0);
    let status = place.json(&["status"]);
    assert_eq!(status["routes"][0]["held"], "paused", "{status}");
    assert!(!fs::read_to_string(place.path("state/paused.json")).unwrap().contains("\"a\""));
}
