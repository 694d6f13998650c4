//! The rest: one event for what no incident reaches.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use misp_trickle_testing::program;
use program::{Place, Sandbox, Seen};
use serde_json::{Value, json};

const UUID: &str = "9b3c7e5a-0d1f-4c2b-8a6e-5f4d3c2b1a09";
const GREEN: &str = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da";
const RED: &str = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";

fn uuid(number: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{number:02}")
}

/// An indicator of a domain with this number.
fn indicator(number: u8, marking: Option<&str>) -> Value {
    json!({
        "type": "indicator", "id": format!("indicator--{}", uuid(number)),
        "created": "2025-03-04T05:06:07Z", "modified": "2025-03-04T05:06:07Z",
        "pattern": format!("[domain-name:value = 'd{number}.example']"), "pattern_type": "stix",
        "object_marking_refs": marking.into_iter().collect::<Vec<_>>(),
    })
}

fn incident(number: u8) -> Value {
    json!({
        "type": "incident", "id": format!("incident--{}", uuid(number)), "name": "I",
        "created": "2025-03-04T05:06:07Z", "modified": "2025-03-04T05:06:07Z",
        "object_marking_refs": [GREEN],
    })
}

fn link(from: u8, to: &str) -> Value {
    json!({
        "type": "relationship", "id": format!("relationship--{}", uuid(from + 50)),
        "relationship_type": "related-to", "source_ref": format!("indicator--{}", uuid(from)),
        "target_ref": to,
    })
}

struct Scene {
    sandbox: Sandbox,
    place: Place,
}

impl Scene {
    fn new() -> Self {
        let sandbox = Sandbox::start();
        let place = Place::new(&sandbox.url(), &sandbox.key("sync"), "verify_tls = true");
        let rest = format!(
            "on_change = \"hold\"\nrest = true\nrest_uuid = \"{UUID}\"\nrest_title = \"Loose\"\nrest_tlp = \"green\""
        );
        place.configure("on_change = \"hold\"", &rest);
        Self { sandbox, place }
    }

    fn sync(&self, objects: &[Value]) -> Seen {
        self.write(&json!({"type": "bundle", "objects": objects}));
        self.place.run(&["sync", "--source", "feed.json"])
    }

    fn write(&self, dataset: &Value) {
        fs::write(self.place.path("feed.json"), dataset.to_string()).unwrap();
    }

    /// The values of an event in MISP, sorted.
    fn values(&self, event: &str) -> Vec<String> {
        let misp = self.sandbox.misp.lock().unwrap();
        let event = event.parse().unwrap();
        let mut values: Vec<String> =
            misp.attributes(event).iter().map(|it| it.value.clone()).collect();
        values.sort();
        values
    }

    fn retired(&self) -> u64 {
        let seen = self.place.run(&["status", "--json"]).code(0);
        let status: Value = serde_json::from_str(&seen.data).unwrap();
        status["destinations"][0]["retired"].as_u64().unwrap()
    }
}

#[test]
fn a_feed_of_loose_indicators_becomes_one_event() {
    let scene = Scene::new();
    scene.sync(&[indicator(1, Some(GREEN)), indicator(2, Some(RED)), indicator(3, None)]).code(0);
    assert_eq!(
        scene.values(UUID),
        ["d1.example"],
        "each has its own marking, whatever that of the event"
    );
    let misp = scene.sandbox.misp.lock().unwrap();
    let [event] = &misp.events()[..] else { panic!("one event") };
    assert_eq!(
        (event.uuid.to_string(), &*event.info, &*event.date),
        (UUID.to_owned(), "Loose", "2025-03-04")
    );
    assert_eq!(event.tags, ["tlp:green"]);
    drop(misp);
    let objects = [indicator(1, Some(GREEN)), indicator(4, Some(GREEN)), indicator(5, Some(GREEN))];
    scene.sync(&objects).code(0);
    assert_eq!(scene.values(UUID), ["d1.example", "d4.example", "d5.example"]);
    scene.sync(&objects[..2]).code(0);
    assert_eq!(
        (scene.values(UUID).len(), scene.retired()),
        (3, 1),
        "what left is retired, not deleted"
    );
    scene.sync(&[]).code(0).says(&["nothing is retired"]);
    assert_eq!(scene.retired(), 1);
}

#[test]
fn what_gets_an_incident_moves_there_and_is_retired_here() {
    let scene = Scene::new();
    let two = [indicator(1, Some(GREEN)), indicator(2, Some(GREEN))];
    scene.sync(&two).code(0);
    assert_eq!(scene.values(UUID), ["d1.example", "d2.example"]);
    let to = format!("incident--{}", uuid(9));
    let moved = [&two[..], &[incident(9), link(1, &to)]].concat();
    scene.sync(&moved).code(0);
    assert_eq!(scene.values(&uuid(9)), ["d1.example"]);
    assert_eq!((scene.values(UUID).len(), scene.retired()), (2, 1));
    // The incident leaves, and what was linked to it: it is elsewhere now, and does not come back here.
    let left = [&two[..], &[link(1, &to)]].concat();
    scene.sync(&left).code(0).says(&["stay out of the rest", "nothing is retired"]);
    assert_eq!(scene.retired(), 1);
}

#[test]
fn what_may_belong_to_an_incident_elsewhere_stays_out_and_is_told() {
    let scene = Scene::new();
    let to = format!("incident--{}", uuid(77));
    let objects = [indicator(1, Some(GREEN)), indicator(2, Some(GREEN)), link(1, &to)];
    scene.sync(&objects).code(0).says(&["1 entities with observables stay out of the rest"]);
    assert_eq!(scene.values(UUID), ["d2.example"]);
    let seen = scene.place.run(&["map", "feed.json"]).code(0);
    assert!(seen.data.contains("1 not linked"), "{}", seen.data);
}

#[test]
fn a_page_or_a_damaged_dataset_retires_nothing_of_the_rest() {
    let scene = Scene::new();
    scene.sync(&[indicator(1, Some(GREEN)), indicator(2, Some(GREEN))]).code(0);
    scene.write(&json!({"more": true, "objects": [indicator(1, Some(GREEN))]}));
    scene.place.run(&["sync", "--source", "feed.json"]).code(0).says(&["one page of several"]);
    assert_eq!(scene.retired(), 0);
    scene.sync(&[indicator(1, Some(GREEN)), json!(7)]).code(3);
    assert_eq!(scene.retired(), 0);
}
