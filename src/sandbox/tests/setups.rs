//! The other version, and the settings of a MISP that change its answers.

use super::*;
use crate::sandbox::{Jobs, Release, RowOrder, Setup};

const LATER: Setup = Setup {
    release: Release::V2_5_19,
    jobs: Jobs::Foreground,
    row_order: RowOrder::Insertion,
    search_limit: 0,
    memory_rows: None,
};

fn talk(setup: Setup) -> Talk {
    let mut talk = Talk::new();
    talk.misp.set_up(setup);
    talk
}

fn text(number: u32) -> Value {
    json!({"uuid": uuid(number), "type": "text", "value": number.to_string()})
}

#[test]
fn soft_deleted_ones_are_for_those_who_synchronise() {
    let mut talk = talk(LATER);
    let event = talk.event(1, &json!([text(2), text(3)]));
    talk.post(&format!("/attributes/delete/{}", uuid(2)), &json!({}));
    let mut count = |role: &str, deleted: Value| {
        let ask = json!({"eventid": event, "returnFormat": "count", "deleted": deleted});
        talk.call(role, "POST", "/attributes/restSearch", &ask).1
    };
    assert_eq!(["user", "sync"].map(|role| count(role, json!([0, 1]))), [json!(1), json!(2)]);
    assert_eq!(["user", "sync"].map(|role| count(role, json!(1))), [json!(0), json!(1)]);
    assert_eq!(["user", "sync"].map(|role| count(role, json!("only"))), [json!(1), json!(1)]);
}

#[test]
fn a_job_that_is_late_publishes_all_the_same() {
    let mut talk = talk(Setup { jobs: Jobs::Late, ..LATER });
    let event = talk.event(1, &json!([text(2)]));
    let path = format!("/events/publish/{event}");
    assert_eq!(talk.call("publisher", "POST", &path, &json!({})).1["name"], "Job queued");
    assert_eq!(talk.view(&event)["published"], false);
    talk.misp.state.work_off(NOW + 1);
    let view = talk.view(&event);
    let time = (NOW + 1).to_string();
    assert_eq!((&view["published"], &view["publish_timestamp"]), (&json!(true), &json!(time)));
    assert_eq!(view["timestamp"], "1700000000", "untouched");
}

#[test]
fn rows_by_distribution() {
    let mut talk = talk(Setup { row_order: RowOrder::Distribution, ..LATER });
    let mut narrow = text(3);
    narrow["distribution"] = json!(0);
    let event = talk.event(1, &json!([text(2), narrow, text(4)]));
    let listed = |talk: &mut Talk, what: &str, order: Value| {
        let ask = json!({"eventid": event, "returnFormat": "csv", "headerless": 1,
            "requested_attributes": ["value"], "order": order});
        let reply = talk.send("user", "POST", what, ask.to_string().as_bytes(), &[]);
        String::from_utf8(reply.body).unwrap().trim().replace('\n', " ")
    };
    for what in ["/events/restSearch", "/attributes/restSearch"] {
        assert_eq!(listed(&mut talk, what, Value::Null), "3 2 4", "{what}");
    }
    let order = json!("Attribute.id asc");
    assert_eq!(listed(&mut talk, "/attributes/restSearch", order.clone()), "2 3 4");
    assert_eq!(listed(&mut talk, "/events/restSearch", order), "3 2 4", "which it ignores");
}

#[test]
fn what_memory_is_not_enough_for_is_an_error_without_a_reason() {
    let mut talk = talk(Setup { memory_rows: Some(2), ..LATER });
    let event = talk.event(1, &json!([text(2), text(3), text(4)]));
    let path = format!("/events/view/{event}");
    assert_eq!(talk.call("user", "GET", &path, &Value::Null).0, 500);
    let ask = |limit: u32| json!({"eventid": event, "returnFormat": "csv", "limit": limit});
    let status = |talk: &mut Talk, what: &str, body: &Value| {
        talk.send("user", "POST", what, body.to_string().as_bytes(), &[]).status
    };
    assert_eq!(status(&mut talk, "/attributes/restSearch", &json!({"eventid": event})), 500);
    assert_eq!(status(&mut talk, "/attributes/restSearch", &ask(3)), 200, "a page");
    assert_eq!(status(&mut talk, "/events/restSearch", &json!({"eventid": event})), 200);
    let more = json!({"Event": {"Attribute": [text(5), text(6)]}});
    assert_eq!(status(&mut talk, &format!("/events/edit/{event}"), &more), 500, "but stored");
    assert_eq!(status(&mut talk, "/events/restSearch", &json!({"eventid": event})), 500);
    let path = format!("/events/edit/{event}/metadata:1");
    let (_, answer) = talk.call("user", "POST", &path, &json!({"Event": {}}));
    assert_eq!(answer["Event"]["attribute_count"], "5");
}

#[test]
fn a_workflow_that_stops_events_lets_attributes_pass() {
    let mut talk = talk(LATER);
    let event = talk.event(1, &json!([text(2)]));
    let path = "/workflows/toggleModule/event-before-save/1/1";
    assert_eq!(talk.call("user", "POST", path, &json!({})).0, 403);
    assert_eq!(talk.call("admin", "POST", path, &json!({})).0, 200);
    let (status, answer) = talk.post("/events/add", &json!({"uuid": uuid(9), "info": "x"}));
    assert_eq!((status, &answer["errors"]), (403, &json!({"Event": []})));
    assert_eq!(talk.post(&format!("/events/edit/{event}"), &json!({"info": "y"})).0, 403);
    assert_eq!(talk.post(&format!("/attributes/add/{event}"), &text(3)).0, 200);
}

#[test]
fn organisations_can_be_blocked() {
    let mut talk = Talk::new();
    let (_, me) = talk.call("user", "GET", "/users/view/me", &Value::Null);
    let body = json!({"uuids": [me["Organisation"]["uuid"]]});
    assert_eq!(talk.call("admin", "POST", "/orgBlocklists/add", &body).0, 200);
    let (status, answer) = talk.post("/events/add", &json!({"uuid": uuid(1), "info": "x"}));
    assert_eq!(
        (status, &answer["name"]),
        (403, &json!("Event blocked by organisation blocklist."))
    );
}
