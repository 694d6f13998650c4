//! Tests of the sandbox as a whole, without HTTP: what MISP 2.5.1 does beside the recorded scenarios.

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
fn attributes_of_objects_are_no_duplicates_of_plain_ones() {
    let mut talk = Talk::new();
    let event = json!({"uuid": uuid(1), "info": "x", "Object": [{"name": "file", "meta-category": "file",
        "uuid": uuid(2), "Attribute": [
            {"uuid": uuid(3), "type": "text", "value": "v", "object_relation": "state"},
            {"uuid": uuid(4), "type": "text", "value": "w"}]}]});
    let (status, answer) = talk.post("/events/add", &event);
    assert_eq!(status, 200);
    assert_eq!(answer["Event"]["attribute_count"], "1", "one lacks its relation");
    assert_eq!(answer["Event"]["Object"][0]["Attribute"][0]["uuid"], uuid(3));
    assert_eq!(talk.post(&format!("/attributes/add/{}", uuid(1)), &text(5, "v")).0, 200);
    assert_eq!(talk.csv(&uuid(1)).lines().next().unwrap()[1..37], uuid(5), "plain ones come first");
    let (status, answer) = talk.post(&format!("/attributes/add/{}", uuid(1)), &text(3, "z"));
    assert_eq!((status, &answer["errors"]["uuid"][0]), (403, &json!(NOT_UNIQUE)));
}

#[test]
fn refusals_with_characters_of_four_bytes_bring_attributes_add_down() {
    let mut talk = Talk::new();
    let event = talk.event(1, &json!([text(2, "a😀")]));
    let path = format!("/attributes/add/{event}");
    assert_eq!(talk.post(&path, &text(2, "a😀")).0, 500, "the repeat of a stored one");
    assert_eq!(talk.post(&path, &text(3, "a😁")).0, 500, "taken as a?");
    assert_eq!(talk.post(&path, &text(3, "a?")).0, 403);
    let items = json!([text(4, "first"), text(2, "b😀"), text(5, "third")]);
    let (status, _) =
        talk.post("/events/add", &json!({"uuid": uuid(9), "info": "x", "Attribute": items}));
    assert_eq!(status, 500);
    assert_eq!(
        talk.view(&uuid(9))["Attribute"].as_array().unwrap().len(),
        1,
        "part of the event stays"
    );
    let (status, answer) =
        talk.post(&format!("/events/edit/{event}"), &json!({"Attribute": [text(6, "a😀")]}));
    assert_eq!(
        (status, &answer["Event"]["attribute_count"]),
        (200, &json!("1")),
        "dropped silently"
    );
}

#[test]
fn tags_with_characters_of_four_bytes() {
    let mut talk = Talk::new();
    let tagged = |number| json!({"uuid": uuid(number), "type": "text", "value": "v", "Tag": [{"name": "😀"}]});
    let event = json!({"uuid": uuid(1), "info": "x", "Attribute": [tagged(2)]});
    assert_eq!(talk.call("tageditor", "POST", "/events/add", &event).0, 500);
    assert_eq!(talk.view(&uuid(1)), Value::Null, "nothing is stored");
    assert_eq!(talk.post("/events/add", &event).0, 200, "left out for others");
    let edit = json!({"Tag": [{"name": "😀"}], "Attribute": [text(3, "w")]});
    let path = format!("/events/edit/{}", uuid(1));
    assert_eq!(talk.call("tageditor", "POST", &path, &edit).0, 500);
    assert_eq!(talk.view(&uuid(1))["attribute_count"], "2", "with all attributes stored");
}

#[test]
fn a_new_uuid_twice_in_one_edit_is_a_crash_and_a_known_one_is_not() {
    let mut talk = Talk::new();
    let event = talk.event(1, &json!([text(2, "a")]));
    let path = format!("/events/edit/{event}");
    let (status, _) = talk.post(&path, &json!({"Attribute": [text(3, "b"), text(3, "c")]}));
    assert_eq!(status, 500);
    let view = talk.view(&event);
    assert_eq!(
        (&view["attribute_count"], &view["timestamp"]),
        (&json!("1"), &json!(NOW.to_string()))
    );
    let newer = |value: &str, later: i64| json!({"uuid": uuid(2), "value": value, "timestamp": 1_700_000_000 + later});
    assert_eq!(talk.post(&path, &json!({"Attribute": [newer("x", 1), newer("y", 2)]})).0, 200);
    assert_eq!(talk.view(&event)["Attribute"][0]["value"], "y", "the last one wins");
}

#[test]
fn undeleting_by_an_edit_leaves_the_count_one_too_low() {
    let mut talk = Talk::new();
    let event = talk.event(1, &json!([text(2, "a"), text(3, "b")]));
    assert_eq!(talk.post(&format!("/attributes/delete/{}", uuid(2)), &json!({})).0, 200);
    let undelete = json!({"Attribute": [{"uuid": uuid(2), "deleted": false}]});
    let (_, answer) = talk.post(&format!("/events/edit/{event}"), &undelete);
    assert_eq!(answer["Event"]["attribute_count"], "1");
    assert_eq!(answer["Event"]["Attribute"].as_array().unwrap().len(), 2);
    let delete = json!({"Attribute": [{"uuid": uuid(3), "deleted": true}]});
    let (_, answer) = talk.post(&format!("/events/edit/{event}"), &delete);
    assert_eq!(answer["Event"]["Attribute"].as_array().unwrap().len(), 1);
}

#[test]
fn soft_deleted_attributes_keep_their_uuid_but_not_their_value() {
    let mut talk = Talk::new();
    let event = talk.event(1, &json!([text(2, "a")]));
    talk.post(&format!("/attributes/delete/{}", uuid(2)), &json!({}));
    let path = format!("/attributes/add/{event}");
    assert_eq!(talk.post(&path, &text(2, "a")).1["errors"], json!({"uuid": [NOT_UNIQUE]}));
    assert_eq!(talk.post(&path, &text(3, "a")).0, 200);
    assert_eq!(talk.post(&path, &text(4, "A")).1["errors"], json!({"value": [SIMILAR]}));
    let reply = talk.send("user", "POST", "/attributes/restore/1", b"{}", &[]);
    assert_eq!(
        (reply.status, reply.header("Location")),
        (302, Some("http://misp.example/attributes/view/1"))
    );
    assert!(talk.misp.attributes(uuid(1).parse().unwrap())[0].deleted, "the value is taken now");
}

#[test]
fn events_add_compares_what_was_sent() {
    let mut talk = Talk::new();
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    let hash = |value: &str| json!({"type": "md5", "value": value});
    let explicit = json!({"type": "md5", "value": md5, "category": "Payload delivery"});
    let event = talk.event(1, &json!([hash(md5), hash(&md5.to_uppercase()), hash(md5), explicit]));
    assert_eq!(talk.view(&event)["attribute_count"], "3");
}

#[test]
fn odd_items_of_lists() {
    let mut talk = Talk::new();
    let event = talk.event(1, &json!([]));
    let path = format!("/attributes/add/{event}");
    assert_eq!(talk.post(&path, &json!([text(2, "a"), "text"])).0, 500);
    assert_eq!(talk.view(&event)["attribute_count"], "1", "what stood before is stored");
    assert_eq!(talk.view(&event)["timestamp"], "1700000000", "but the event does not know");
    let (status, answer) = talk.post(&path, &json!([text(3, "b"), null]));
    assert_eq!(
        (status, &answer["errors"]["attribute_1"]["type"][0]),
        (200, &json!("No type set."))
    );
    assert_eq!(talk.post(&path, &json!({"Attribute": "text"})).0, 500);
    for items in [json!(["x"]), json!(false), json!("")] {
        let edit = json!({"Attribute": items});
        assert_eq!(talk.post(&format!("/events/edit/{event}"), &edit).0, 500, "{edit}");
    }
    assert_eq!(talk.post(&path, &json!({"type": ["x"], "value": "y"})).0, 500);
    assert_eq!(talk.post(&path, &json!({"type": "filename|impfuzzy", "value": "a|3:x:y"})).0, 500);
    let (status, answer) =
        talk.post(&path, &json!([{"type": "text", "value": ["x"]}, {"type": "text"}]));
    assert_eq!(
        (status, &answer["errors"]["attribute_0"]["value"][0]),
        (403, &json!("Value is an array."))
    );
    assert_eq!(answer["errors"]["attribute_1"]["value"][0], "Value cannot be empty.");
}

#[test]
fn a_malformed_first_seen_beside_a_good_last_seen_is_a_crash() {
    let mut talk = Talk::new();
    let event = talk.event(1, &json!([]));
    let path = format!("/attributes/add/{event}");
    let seen = |first: &str, last: &str| json!({"type": "text", "value": "v", "first_seen": first, "last_seen": last});
    assert_eq!(talk.post(&path, &seen("foo bar", "2024-01-01")).0, 500);
    let (status, answer) = talk.post(&path, &seen("2024-01-01", "foo bar"));
    assert_eq!(
        (status, &answer["errors"]),
        (403, &json!({"last_seen": ["Invalid ISO 8601 format"]}))
    );
}

#[test]
fn an_upper_case_event_uuid_is_found_only_when_it_is_stored() {
    let mut talk = Talk::new();
    let lower = "aaaaaaaa-0000-4000-8000-000000000000";
    let event = |uuid: &str| json!({"uuid": uuid, "info": "x"});
    assert_eq!(talk.post("/events/add", &event(lower)).0, 200);
    assert_eq!(talk.post("/events/add", &event(lower)).0, 404);
    let (status, answer) = talk.post("/events/add", &event(&lower.to_uppercase()));
    assert_eq!((status, &answer["errors"]["Event"]), (403, &json!({"uuid": [NOT_UNIQUE]})));
    assert_eq!(
        talk.call("user", "GET", &format!("/events/view/{}", lower.to_uppercase()), &Value::Null).0,
        404
    );
}

#[test]
fn a_published_event_without_anything_is_refused() {
    let mut talk = Talk::new();
    let event = json!({"info": "x", "published": true});
    let (status, answer) = talk.call("publisher", "POST", "/events/add", &event);
    assert_eq!(status, 403);
    let message = "Received a published event that was empty. Event add process blocked.";
    assert_eq!(answer["errors"]["Event"], message);
}

#[test]
fn analysts_edit_attributes() {
    let mut talk = Talk::new();
    let event = talk.event(1, &json!([text(2, "a"), text(3, "b")]));
    let path = format!("/attributes/edit/{}", uuid(2));
    let (status, answer) = talk.post(&path, &json!({"value": "B"}));
    assert_eq!((status, &answer["errors"]), (403, &json!({"value": [SIMILAR]})));
    assert_eq!(answer["name"], "Could not edit Attribute");
    let (status, answer) = talk.post(&path, &json!({"to_ids": "false"}));
    assert_eq!((status, &answer["errors"]), (403, &json!({"to_ids": ["boolean"]})));
    let (status, answer) = talk.post(&path, &json!({"comment": "c", "timestamp": 1_700_000_000}));
    let message =
        "Attribute could not be saved: Attribute in the request not newer than the local copy.";
    assert_eq!((status, &answer["name"]), (405, &json!(message)));
    let (status, answer) = talk.call("user", "PUT", &path, &json!({"comment": "c"}));
    assert_eq!((status, &answer["Attribute"]["comment"]), (200, &json!("c")));
    assert_eq!(answer["Attribute"]["value1"], Value::Null, "no halves here");
    assert_eq!(talk.view(&event)["timestamp"], NOW.to_string());
    assert_eq!(talk.post(&format!("/attributes/edit/{}", uuid(9)), &json!({})).0, 404);
}

#[test]
fn tags_of_bodies_and_of_calls() {
    let mut talk = Talk::new();
    let event = json!({"uuid": uuid(1), "info": "x", "Tag": [{"name": "mine", "local": true}],
        "Attribute": [{"uuid": uuid(2), "type": "text", "value": "v", "Tag": [{"name": "mine"}]}]});
    let (_, answer) = talk.call("tageditor", "POST", "/events/add", &event);
    assert_eq!(answer["Event"]["Tag"][0]["local"], true);
    let (status, answer) =
        talk.post("/tags/attachTagToObject", &json!({"uuid": uuid(1), "tag": "other"}));
    let reason = "Failed to attach 1 tags. Reasons: \
                  {\"0\":\"Tag not found and insufficient privileges to create it.\"}";
    assert_eq!((status, &answer["errors"]), (403, &json!(reason)));
    let nowhere = json!({"uuid": uuid(9), "tag": "mine"});
    assert_eq!(talk.post("/tags/attachTagToObject", &nowhere).1["name"], "Invalid Target.");
    let (status, answer) = talk.post(&format!("/events/addTag/{}/mine", uuid(1)), &json!({}));
    assert_eq!((status, &answer["saved"]), (200, &json!(false)), "it is there already");
    let gone = json!({"uuid": uuid(2), "tag": "MINE"});
    assert_eq!(talk.post("/tags/removeTagFromObject", &gone).0, 200);
    assert_eq!(talk.view(&uuid(1))["Attribute"][0]["Tag"], Value::Null);
    assert_eq!(
        talk.post(&format!("/attributes/addTag/{}/1", uuid(2)), &json!({})).1["saved"],
        true
    );
    assert_eq!(talk.view(&uuid(1))["Attribute"][0]["Tag"][0]["name"], "mine");
    let edit = json!({"Tag": [{"name": "mine", "deleted": 1}]});
    assert_eq!(
        talk.post(&format!("/events/edit/{}", uuid(1)), &edit).1["Event"]["Tag"],
        Value::Null
    );
}

#[test]
fn questions_by_value_and_deletion() {
    let mut talk = Talk::new();
    let event = talk.event(1, &json!([text(2, "Müller"), text(3, "x")]));
    talk.post(&format!("/attributes/delete/{}", uuid(3)), &json!({}));
    let mut count = |filters: Value| {
        let mut question = json!({"returnFormat": "count", "eventid": event});
        question.as_object_mut().unwrap().extend(filters.as_object().unwrap().clone());
        talk.post("/attributes/restSearch", &question).1
    };
    assert_eq!(count(json!({"value": "muller"})), 1, "as the database collates");
    assert_eq!(count(json!({"value": "%ull%"})), 1);
    assert_eq!(count(json!({"value": ["y", "x"]})), 0);
    assert_eq!(count(json!({"value": ["y", "x"], "deleted": 1})), 1);
    assert_eq!(count(json!({"type": "!text"})), 0);
    assert_eq!(count(json!({"deleted": [0, 1]})), 2);
    assert_eq!(count(json!({"timestamp": NOW, "deleted": [0, 1]})), 1, "the deletion is a change");
    let empty = talk.event(4, &json!([]));
    let question = json!({"uuid": empty, "returnFormat": "json", "deleted": [0, 1]});
    let (_, answer) = talk.post("/events/restSearch", &question);
    assert_eq!(answer["response"], json!([]), "deleted asks for events that hold such attributes");
    let question = json!({"uuid": empty, "requested_attributes": "uuid", "returnFormat": "csv"});
    assert_eq!(talk.post("/events/restSearch", &question).0, 500);
    assert_eq!(talk.post("/events/restSearch", &json!({})).0, 400);
}

#[test]
fn csv_has_a_header_and_quotes_texts_only() {
    let mut talk = Talk::new();
    let port = json!({"type": "port", "value": "80", "comment": "a \"b\""});
    let event = talk.event(1, &json!([port]));
    let question = json!({"uuid": event, "returnFormat": "csv",
        "requested_attributes": ["type", "value", "comment", "to_ids", "first_seen", "timestamp"]});
    let reply =
        talk.send("user", "POST", "/events/restSearch", question.to_string().as_bytes(), &[]);
    let body = String::from_utf8(reply.body.clone()).unwrap();
    let wanted = format!(
        "type,value,comment,to_ids,first_seen,date\n\"port\",80,\"a \"\"b\"\"\",0,\"\",{NOW}\n\n"
    );
    assert_eq!(body, wanted);
    assert_eq!(reply.header("Content-Type"), Some("text/csv; charset=UTF-8"));
    assert_eq!(reply.headers.iter().filter(|(name, _)| name == "Set-Cookie").count(), 3);
}

#[test]
fn headers_of_searches_are_as_long_as_measured() {
    let mut talk = Talk::new();
    let event = talk.event(1, &json!([text(2, "a"), text(3, "b"), text(4, "c")]));
    let header_bytes = |reply: &Reply| {
        let lines = reply.headers.iter().map(|(name, value)| name.len() + value.len() + 4);
        lines.sum::<usize>() + "HTTP/1.1 200 OK\r\n".len() + 2
    };
    let question = json!({"uuid": event, "returnFormat": "csv", "headerless": 1,
        "requested_attributes": ["uuid"]});
    let reply =
        talk.send("user", "POST", "/events/restSearch", question.to_string().as_bytes(), &[]);
    assert_eq!((header_bytes(&reply), reply.body.len()), (711, 118));
    let question = json!({"minimal": 1, "eventid": event});
    let reply = talk.send("user", "POST", "/events/index", question.to_string().as_bytes(), &[]);
    assert_eq!(header_bytes(&reply), 441);
}

#[test]
fn bodies_that_are_not_json() {
    let mut talk = Talk::new();
    let add = |talk: &mut Talk, kind: &str| {
        let reply = talk.send(
            "user",
            "POST",
            "/events/add",
            b"{\"info\":\"x\"}",
            &[("Content-Type", kind)],
        );
        (reply.status, serde_json::from_slice::<Value>(&reply.body).unwrap())
    };
    assert_eq!(add(&mut talk, "text/plain").1["name"], "No valid event data received.");
    let (status, answer) = add(&mut talk, "application/x-www-form-urlencoded");
    assert_eq!((status, &answer["errors"]["Event"]["info"][0]), (403, &json!("valueNotEmpty")));
    assert_eq!(add(&mut talk, "application/json; charset=utf-8").0, 200);
    let reply = talk.send("user", "POST", "/events/add", b"{\"info\":\"\xff\"}", &[]);
    assert_eq!(reply.status, 405);
}

#[test]
fn crashes_close_the_connection() {
    let mut talk = Talk::new();
    let reply = talk.send("user", "POST", "/events/add", b"{\"info\":[\"x\"]}", &[]);
    assert_eq!((reply.status, reply.header("Connection")), (500, Some("close")));
}

#[test]
fn keys_are_also_read_from_the_other_header() {
    let mut talk = Talk::new();
    let key = talk.keys.get("user").unwrap().to_owned();
    let reply = talk.send(
        "nobody",
        "GET",
        "/servers/getVersion.json",
        b"",
        &[("X-MISP-AUTH", &key), ("Accept", "*/*")],
    );
    assert_eq!(reply.status, 200);
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

#[test]
fn other_organisations_see_what_is_shared_and_change_nothing() {
    let mut talk = Talk::new();
    let event = json!({"uuid": uuid(1), "info": "x", "distribution": 1, "Attribute": [
        {"uuid": uuid(2), "type": "text", "value": "own", "distribution": 0},
        {"uuid": uuid(3), "type": "text", "value": "shared"}]});
    assert_eq!(talk.call("admin", "POST", "/events/add", &event).0, 200);
    let view = talk.view(&uuid(1));
    assert_eq!(view["Attribute"].as_array().unwrap().len(), 1);
    assert_eq!(view["event_creator_email"], Value::Null);
    assert_eq!(
        talk.call("user", "GET", &format!("/attributes/view/{}", uuid(2)), &Value::Null).0,
        405
    );
    let (status, answer) =
        talk.call("publisher", "POST", &format!("/events/publish/{}", uuid(1)), &json!({}));
    assert_eq!(
        (status, &answer["name"]),
        (405, &json!("You do not have the permission to do that."))
    );
    let (status, answer) =
        talk.call("user", "POST", &format!("/events/unpublish/{}", uuid(1)), &json!({}));
    assert_eq!(
        (status, &answer["name"]),
        (403, &json!("You do not have the permission to do that."))
    );
    let tag = json!({"uuid": uuid(1), "tag": "t"});
    assert_eq!(talk.call("tageditor", "POST", "/tags/attachTagToObject", &tag).0, 403);
}

#[test]
fn what_the_sandbox_lacks_is_said_to_be_lacking() {
    let mut talk = Talk::new();
    assert_eq!(talk.call("user", "GET", "/objects/index", &Value::Null).0, 501);
    assert_eq!(talk.call("user", "GET", "/events/stix2", &Value::Null).0, 501);
    assert_eq!(talk.call("disabled", "GET", "/events/index", &Value::Null).0, 403);
}
