//! Tags of others, tags in two spellings, and what lists and filters make of them.

use super::*;

/// A tag of the site administrator with these fields; its number.
fn tag(talk: &mut Talk, fields: &Value) -> String {
    let (status, answer) = talk.call("admin", "POST", "/tags/add", fields);
    assert_eq!(status, 200, "{answer}");
    answer["Tag"]["id"].as_str().unwrap().to_owned()
}

fn names(tags: &Value) -> Vec<&str> {
    let tags = tags.as_array().map(Vec::as_slice).unwrap_or_default();
    tags.iter().filter_map(|tag| tag["name"].as_str()).collect()
}

#[test]
fn of_two_spellings_the_oldest_counts_whoever_owns_it() {
    let mut talk = Talk::new();
    let owned = tag(&mut talk, &json!({"name": "TLP:Green", "org_id": 1}));
    tag(&mut talk, &json!({"name": "tlp:green"}));
    let event = |number| json!({"uuid": uuid(number), "info": "x", "Tag": [{"name": "tlp:green"}]});
    assert_eq!(talk.post("/events/add", &event(1)).1["Event"]["Tag"], Value::Null, "dropped");
    let (_, answer) = talk.call("admin", "POST", "/events/add", &event(2));
    assert_eq!(names(&answer["Event"]["Tag"]), ["TLP:Green"]);
    let attach = json!({"uuid": uuid(1), "tag": "tlp:green"});
    assert_eq!(talk.post("/tags/attachTagToObject", &attach).0, 200, "this one minds case");
    assert_eq!(names(&talk.view(&uuid(1))["Tag"]), ["tlp:green"]);
    assert_eq!(talk.call("admin", "POST", &format!("/tags/delete/{owned}"), &json!({})).0, 200);
    assert_eq!(names(&talk.post("/events/add", &event(3)).1["Event"]["Tag"]), ["tlp:green"]);
}

#[test]
fn wildcards_attach_another_tag_than_the_one_named() {
    let mut talk = Talk::new();
    talk.event(1, &json!([]));
    tag(&mut talk, &json!({"name": "abc"}));
    let attach = |name: &str| json!({"uuid": uuid(1), "tag": name});
    assert_eq!(talk.post("/tags/attachTagToObject", &attach("a_d")).0, 403);
    let (status, answer) = talk.post("/tags/attachTagToObject", &attach("a_c"));
    assert_eq!(status, 200);
    assert!(answer["name"].as_str().unwrap().starts_with("Global tag abc("), "{answer}");
    let found =
        |talk: &mut Talk, body: Value| talk.post("/tags/search", &body).1.as_array().unwrap().len();
    assert_eq!(found(&mut talk, json!(["A%"])), 1);
    assert_eq!(found(&mut talk, json!({"tag": "abc"})), 1);
    assert_eq!(found(&mut talk, json!({"tag": ["ab", "x"]})), 0);
}

#[test]
fn tags_can_be_changed_and_counted() {
    let mut talk = Talk::new();
    let id = tag(&mut talk, &json!({"name": "mine", "numerical_value": 3}));
    tag(&mut talk, &json!({"name": "other"}));
    let tags = json!([{"name": "mine"}]);
    talk.event(1, &json!([{"uuid": uuid(2), "type": "text", "value": "v", "Tag": tags}]));
    let (_, answer) = talk.post("/tags/index", &json!({"searchall": "INE"}));
    assert_eq!(names(&answer["Tag"]), ["mine"]);
    assert_eq!(
        (&answer["Tag"][0]["count"], &answer["Tag"][0]["attribute_count"]),
        (&json!(0), &json!(1))
    );
    let path = format!("/tags/edit/{id}");
    assert_eq!(talk.call("tageditor", "POST", &path, &json!({"name": "x"})).0, 403);
    assert_eq!(talk.call("admin", "POST", &path, &json!({"name": "other"})).0, 405);
    let (status, answer) = talk.call("admin", "POST", &path, &json!({"exportable": 0}));
    assert_eq!((status, &answer["Tag"]["numerical_value"]), (200, &json!("3")), "kept");
    assert_eq!(talk.view(&uuid(1))["Attribute"][0]["Tag"], Value::Null);
    let ask = json!({"eventid": uuid(1), "includeAllTags": 1});
    let (_, answer) = talk.post("/attributes/restSearch", &ask);
    assert_eq!(names(&answer["response"]["Attribute"][0]["Tag"]), ["mine"]);
    assert_eq!(talk.call("admin", "POST", &format!("/tags/delete/{id}"), &json!({})).0, 200);
    let (_, answer) = talk.post("/attributes/restSearch", &ask);
    assert_eq!(answer["response"]["Attribute"][0]["Tag"], Value::Null);
    assert_eq!(talk.call("user", "GET", &format!("/tags/view/{id}"), &Value::Null).0, 404);
}
