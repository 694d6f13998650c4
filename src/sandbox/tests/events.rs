//! Events and their tags.

use super::*;

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
fn events_add_compares_what_was_sent() {
    let mut talk = Talk::new();
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    let hash = |value: &str| json!({"type": "md5", "value": value});
    let explicit = json!({"type": "md5", "value": md5, "category": "Payload delivery"});
    let event = talk.event(1, &json!([hash(md5), hash(&md5.to_uppercase()), hash(md5), explicit]));
    assert_eq!(talk.view(&event)["attribute_count"], "3");
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
