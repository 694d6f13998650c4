//! Attributes, as they are added, edited and deleted.

use super::*;

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
