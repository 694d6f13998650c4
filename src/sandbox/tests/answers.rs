//! Searches, headers, and what is answered to requests that are none.

use super::*;

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
fn what_the_sandbox_lacks_is_said_to_be_lacking() {
    let mut talk = Talk::new();
    assert_eq!(talk.call("user", "GET", "/objects/index", &Value::Null).0, 501);
    assert_eq!(talk.call("user", "GET", "/events/stix2", &Value::Null).0, 501);
    assert_eq!(talk.call("disabled", "GET", "/events/index", &Value::Null).0, 403);
}
