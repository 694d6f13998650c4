//! Tests of the sandbox as a whole, without HTTP: what MISP 2.5.1 does beside the recorded scenarios.

mod answers;
mod attributes;
mod events;
mod setups;
mod tags;

use serde_json::{Value, json};

use super::{Keys, Misp, Reply, Request};

const NOW: i64 = 1_800_000_000;

const SIMILAR: &str = "A similar attribute already exists for this event.";

const NOT_UNIQUE: &str = "The UUID provided is not unique";

/// A sandbox with somebody to talk to it.
struct Talk {
    misp: Misp,
    keys: Keys,
}

impl Talk {
    fn new() -> Self {
        let keys = Keys::demo("tests");
        Self { misp: Misp::new("http://misp.example", keys.clone()), keys }
    }

    fn send(
        &mut self,
        role: &str,
        method: &str,
        path: &str,
        body: &[u8],
        extra: &[(&str, &str)],
    ) -> Reply {
        let mut headers = vec![
            ("Accept".to_owned(), "application/json".to_owned()),
            ("Authorization".to_owned(), self.keys.get(role).unwrap_or_default().to_owned()),
            ("Content-Type".to_owned(), "application/json".to_owned()),
        ];
        for (name, value) in extra {
            headers.retain(|(known, _)| known != name);
            headers.push(((*name).to_owned(), (*value).to_owned()));
        }
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body: body.to_vec(),
        };
        self.misp.handle(&request, NOW)
    }

    fn call(&mut self, role: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let reply = self.send(role, method, path, body.to_string().as_bytes(), &[]);
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
    }

    fn post(&mut self, path: &str, body: &Value) -> (u16, Value) {
        self.call("user", "POST", path, body)
    }

    /// Adds an event of the user with these attributes.
    fn event(&mut self, number: u32, attributes: &Value) -> String {
        let uuid = uuid(number);
        let event = json!({"uuid": uuid, "info": "x", "distribution": 0, "timestamp": 1_700_000_000,
            "Attribute": attributes});
        assert_eq!(self.post("/events/add", &event).0, 200);
        uuid
    }

    fn view(&mut self, uuid: &str) -> Value {
        self.call("user", "GET", &format!("/events/view/{uuid}/deleted:1"), &Value::Null).1["Event"]
            .take()
    }

    fn csv(&mut self, uuid: &str) -> String {
        let question = json!({"uuid": uuid, "returnFormat": "csv", "headerless": 1,
            "requested_attributes": ["uuid", "deleted", "timestamp"], "deleted": [0, 1]});
        let reply =
            self.send("user", "POST", "/events/restSearch", question.to_string().as_bytes(), &[]);
        String::from_utf8(reply.body).unwrap()
    }
}

fn uuid(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

fn text(number: u32, value: &str) -> Value {
    json!({"uuid": uuid(number), "type": "text", "value": value, "timestamp": 1_700_000_000})
}

#[test]
fn the_knobs() {
    let mut talk = Talk::new();
    talk.misp.set_version("2.4.198");
    talk.misp.set_request_encodings(&["gzip"]);
    talk.misp.set_blocklist([uuid(7).parse().unwrap()]);
    let (_, answer) = talk.call("user", "GET", "/servers/getVersion", &Value::Null);
    assert_eq!(
        (&answer["version"], &answer["request_encoding"]),
        (&json!("2.4.198"), &json!(["gzip"]))
    );
    let reply = talk.send("user", "POST", "/events/add", b"x", &[("Content-Encoding", "br")]);
    assert_eq!(reply.status, 400);
    let (status, answer) = talk.post("/events/add", &json!({"uuid": uuid(7), "info": "x"}));
    assert_eq!((status, &answer["name"]), (403, &json!("Event blocked by event blocklist.")));
    assert_eq!(talk.misp.counters().by_action["POST events/add"], 2);
    assert_eq!(talk.misp.counters().by_status[&200], 1);
    assert_eq!(talk.misp.counters().total(), 3);
}

#[test]
fn a_copy_is_a_backup() {
    let mut talk = Talk::new();
    let event = talk.event(1, &json!([text(2, "a")]));
    let backup = talk.misp.clone();
    let path = format!("/attributes/add/{event}");
    let first = talk.post(&path, &text(3, "b"));
    assert_eq!(first.0, 200);
    talk.misp = backup;
    assert_eq!(talk.misp.attributes(uuid(1).parse().unwrap()).len(), 1);
    assert_eq!(talk.post(&path, &text(3, "b")), first, "the same again, to the letter");
    let view = &talk.misp.attributes(uuid(1).parse().unwrap())[1];
    assert_eq!((view.value.as_str(), view.kind.name(), view.deleted), ("b", "text", false));
    let event = talk.misp.event(uuid(1).parse().unwrap()).unwrap();
    assert_eq!((event.timestamp, event.published, event.attribute_count), (NOW, false, 2));
    assert_eq!(talk.misp.events().len(), 1);
}
