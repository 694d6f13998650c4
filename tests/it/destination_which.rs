//! Which MISP a destination is: a new address, one that is another destination's, another name, the same one twice.

use std::fs;

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
    place.run(&["doctor"]).code(0).says(&["was not asked yet", &one.url()]);
    place.run(&["sync"]).code(8);
    place.write("day.json", DAY_2);
    place.run(&["doctor"]).code(0);
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
