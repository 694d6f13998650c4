//! What the stand-in answers, request by request, as the public clients of a platform expect it.

mod api;
mod control;
mod feeds;
mod http;

use serde_json::{Value, json};

use super::*;

/// A platform, and a client whose clock goes on by a second with each request.
struct World {
    platform: Platform,
    now: Timestamp,
    token: Option<&'static str>,
}

const FEED: &str = "/private/outgoing-feed-download/12";
const INCIDENT: &str = "7c1e0000-0000-4000-8000-000000000001";
const INDICATOR: &str = "7c1e0000-0000-4000-8000-000000000002";
const RELATION: &str = "7c1e0000-0000-4000-8000-000000000003";
const ELSEWHERE: &str = "7c1e0000-0000-4000-8000-000000000009";

impl World {
    fn new(setup: Setup, elements: &[Value]) -> Self {
        let now = Timestamp::parse("2026-11-20T09:00:00Z").unwrap();
        let platform = Platform::new("https://ic.example", setup, dataset(elements), now);
        Self { platform, now, token: Some(TOKEN) }
    }

    fn replace() -> Self {
        Self::new(Setup::new(12, Strategy::Replace), &elements())
    }

    fn append() -> Self {
        Self::new(Setup::new(12, Strategy::Append), &elements())
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Reply {
        self.answer(method, path, body, Caller::Local).reply
    }

    fn answer(&mut self, method: &str, path: &str, body: &str, from: Caller) -> Answer {
        self.now = self.now.plus_seconds(1);
        let token = self.token.map(|token| ("authorization".to_owned(), format!("Bearer {token}")));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: token.into_iter().collect(),
            body: body.as_bytes().to_vec(),
        };
        self.platform.handle(&request, from, self.now)
    }

    fn get(&mut self, path: &str) -> Value {
        let reply = self.ask("GET", path, "");
        assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// The status of a refusal and its words.
    fn refused(&mut self, path: &str) -> (u16, String) {
        let reply = self.ask("GET", path, "");
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        assert_eq!(body["errors"][0]["status"], json!(reply.status), "{path}: {body}");
        (reply.status, body["errors"][0]["detail"].as_str().unwrap().to_owned())
    }

    fn put(&mut self, elements: &[Value]) {
        let reply = self.ask("PUT", "/dataset", &package(elements));
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    }

    fn command(&mut self, command: &Value) {
        let reply = self.ask("POST", "/control", &command.to_string());
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    }

    fn document(&mut self) -> Value {
        self.get("/api/v2/outgoing-feeds/12")["data"].clone()
    }

    /// Links to content blocks.
    fn links(&mut self, path: &str) -> Vec<String> {
        let list = self.get(path)["data"]["content_blocks"].clone();
        serde_json::from_value(list).unwrap()
    }

    /// Ids of what a content block holds.
    fn ids(&mut self, link: &str) -> Vec<String> {
        let entities = self.get(link)["entities"].clone();
        let entities = entities.as_array().unwrap().iter();
        entities.map(|entity| entity["id"].as_str().unwrap().to_owned()).collect()
    }
}

fn elements() -> Vec<Value> {
    vec![incident("Phishing"), indicator(&["a.example"]), relation(), placeholder()]
}

fn incident(title: &str) -> Value {
    json!({
        "id": INCIDENT,
        "data": {
            "id": format!("{{https://ic.example/}}incident-{INCIDENT}"),
            "type": "incident",
            "title": title,
            "timestamp": "2026-11-18T10:00:00.123456+00:00",
            "confidence": {"type": "confidence", "value": "Medium"},
        },
        "meta": {"tags": ["x"], "taxonomy": [4], "taxonomy_paths": [["Kill chain", "Delivery"]], "tlp_color": "GREEN"},
        "extracts": [],
        "sources": [{"name": "Testing Group", "source_id": "7c1e0000-0000-4000-8000-000000000384"}],
    })
}

fn indicator(domains: &[&str]) -> Value {
    let extracts = domains.iter().map(|domain| {
        json!({"kind": "domain", "value": domain, "meta": {"classification": "bad", "confidence": "low"}})
    });
    json!({
        "id": INDICATOR,
        "data": {"id": "indicator-2", "type": "indicator", "title": "Indicator"},
        "meta": {"tlp_color": null},
        "extracts": extracts.collect::<Vec<_>>(),
    })
}

fn relation() -> Value {
    json!({
        "id": RELATION,
        "data": {"type": "relation", "key": "indicators", "source": INCIDENT, "target": INDICATOR},
        "meta": {},
    })
}

/// An entity that is referred to and not in the dataset.
fn placeholder() -> Value {
    json!({
        "id": ELSEWHERE,
        "data": {"type": "threat-actor", "title": "Somebody"},
        "meta": {"is_unresolved_idref": true},
    })
}

fn package(elements: &[Value]) -> String {
    json!({"content-type": "urn:eclecticiq.com:json:2.0", "outgoing_feed_name": "x", "enrichments": [], "entities": elements})
        .to_string()
}

fn dataset(elements: &[Value]) -> Dataset {
    Dataset::read(package(elements).as_bytes()).unwrap()
}
