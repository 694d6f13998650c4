//! A call as an HTTP request: method, path, body.

use serde_json::json;
use uuid::Uuid;

use crate::{
    delivery::{Call, Page, PageOf, Tagged, TimedAttribute, rows},
    model::EventUuid,
    remote::json::{self, AttributeBody},
};

/// A tag that no body has.
const FALSE_TAG: &str = "\"0\"";
const ROW: [&str; 3] = ["uuid", "deleted", "timestamp"];
const TAGGED_ROW: [&str; 4] = ["uuid", "deleted", "timestamp", "attribute_tag"];
const VALUE: [&str; 6] = ["uuid", "deleted", "timestamp", "type", "value", "attribute_tag"];

/// A request without its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// `GET` or `POST`.
    pub method: reqwest::Method,
    /// Path below the base URL, beginning with a slash.
    pub path: String,
    /// The body; empty for `GET`.
    pub body: Vec<u8>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
}

/// Writes a call as a request. The same call always gives the same bytes.
///
/// Events are named by UUID, never by MISP's shorter numeric id: in a restored MISP that id may be
/// another event's.
#[must_use]
pub fn encode(call: &Call, correlate: bool) -> Encoded {
    let mut request = request(call, correlate);
    request.if_none_match = match call {
        Call::Rows { expected, .. } => Some(rows::csv(expected)),
        Call::TaggedRows { expected, .. } => Some(rows::tagged_csv(expected)),
        Call::Page(Page { of: PageOf::Expected(rows), .. }) => Some(rows::csv(rows)),
        _ => None,
    }
    .map(|text| rows::etag(text.as_bytes()))
    .or_else(|| call.has_false_tag().then(|| FALSE_TAG.to_owned()));
    request
}

fn request(call: &Call, correlate: bool) -> Encoded {
    let bodies = |attributes: &'_ [TimedAttribute]| -> Vec<u8> {
        json::attributes(&attribute_bodies(attributes, correlate))
    };
    match call {
        Call::AddEvent(new) => post(
            "/events/add/metadata:1".to_owned(),
            json::new_event(
                new.uuid,
                &new.fields,
                (new.settings.distribution, new.settings.sharing_group_id),
                new.settings.threat_level_id,
                correlate,
                attribute_bodies(&new.attributes, correlate),
            ),
        ),
        Call::AppendQuietly { event, attributes } => post(
            format!("/events/edit/{event}/metadata:1"),
            json::edit(None, None, None, None, attribute_bodies(attributes, correlate)),
        ),
        Call::AppendLoudly { event, attributes } => {
            post(format!("/attributes/add/{event}"), bodies(attributes))
        }
        Call::EditFields { event, edit, timestamp } => post(
            format!("/events/edit/{event}/metadata:1"),
            json::edit(
                edit.info.as_deref(),
                edit.date.as_deref(),
                edit.analysis,
                Some(*timestamp),
                Vec::new(),
            ),
        ),
        Call::Rows { events, .. } => search(&uuids(events), &ROW),
        Call::TaggedRows { events, .. } => search(&uuids(events), &TAGGED_ROW),
        Call::Probe => {
            let nobodys = EventUuid::new(Uuid::new_v5(&Uuid::NAMESPACE_URL, b"nobody's"));
            search(&json!([nobodys.to_string()]), &ROW)
        }
        Call::Page(page) => post_json("/attributes/restSearch", &page_body(page)),
        Call::Plain(call) => request(call, correlate),
        Call::RowsSince { events, since, only_deleted } => {
            debug_assert!(!events.is_empty(), "an empty list is no filter");
            let deleted = if *only_deleted { json!("only") } else { json!([0, 1]) };
            changed(&json!(events), *since, &deleted)
        }
        Call::ChangedRows { event, since } => {
            changed(&json!(event.to_string()), *since, &json!([0, 1]))
        }
        Call::CountOf(event) => post_json(
            "/attributes/restSearch",
            &json!({"eventid": event.to_string(), "returnFormat": "count"}),
        ),
        Call::CountLive(events) => {
            debug_assert!(!events.is_empty(), "an empty list is no filter");
            post_json(
                "/attributes/restSearch",
                &json!({"eventid": events, "returnFormat": "count"}),
            )
        }
        Call::CountTagged { of: Tagged::Attributes(uuids), tag } => {
            debug_assert!(!uuids.is_empty(), "an empty list is no filter");
            let uuids: Vec<String> = uuids.iter().map(ToString::to_string).collect();
            post_json(
                "/attributes/restSearch",
                &json!({"uuid": uuids, "tags": [tag], "returnFormat": "count"}),
            )
        }
        Call::CountTagged { of: Tagged::Events(events), tag } => {
            debug_assert!(!events.is_empty(), "an empty list is no filter");
            post_json(
                "/events/restSearch",
                &json!({"eventid": events, "event_tags": [tag], "returnFormat": "count"}),
            )
        }
        Call::Listing(event) => search(&json!(event.to_string()), &VALUE),
        Call::Metadata(event) => post_json(
            "/events/restSearch",
            &json!({"uuid": event.to_string(), "returnFormat": "json", "metadata": true}),
        ),
        Call::AttachTag { event, attribute, tag } => {
            let uuid = attribute.map_or_else(|| event.to_string(), |it| it.to_string());
            post_json("/tags/attachTagToObject", &json!({"uuid": uuid, "tag": tag}))
        }
        Call::Publish(event) => post(format!("/events/publish/{event}"), b"{}".to_vec()),
        Call::WhichEvents(events) => {
            debug_assert!(!events.is_empty(), "an empty list is no filter");
            let events: Vec<String> = events.iter().map(ToString::to_string).collect();
            post_json("/events/index", &json!({"minimal": 1, "eventid": events}))
        }
        Call::Version => get("/servers/getVersion"),
        Call::Whoami => get("/users/view/me"),
        Call::FindTags(tags) => post_json("/tags/search", &json!({"tag": tags})),
        Call::KeysOf(user) => get(&format!("/auth_keys/index/{user}")),
        Call::AnyRows(most) => post_json(
            "/attributes/restSearch",
            &json!({
                "returnFormat": "csv",
                "requested_attributes": ["uuid"],
                "headerless": 1,
                "limit": most,
            }),
        ),
        Call::SharingGroups => get("/sharing_groups/index"),
    }
}

fn attribute_bodies(attributes: &[TimedAttribute], correlate: bool) -> Vec<AttributeBody<'_>> {
    attributes
        .iter()
        .map(|timed| AttributeBody::new(&timed.attribute, timed.timestamp, correlate))
        .collect()
}

/// The rows of events that changed at or after a time.
fn changed(events: &serde_json::Value, since: i64, deleted: &serde_json::Value) -> Encoded {
    post_json(
        "/attributes/restSearch",
        &json!({
            "eventid": events,
            "returnFormat": "csv",
            "requested_attributes": ["uuid", "deleted", "timestamp", "event_id"],
            "headerless": 1,
            "deleted": deleted,
            "timestamp": since,
        }),
    )
}

/// An empty list of UUIDs would be no filter at all and list everything: the caller always names some.
fn uuids(events: &[EventUuid]) -> serde_json::Value {
    json!(events.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn search(uuid: &serde_json::Value, columns: &[&str]) -> Encoded {
    debug_assert!(
        uuid.as_array().is_none_or(|list| !list.is_empty()),
        "an empty list is no filter"
    );
    post_json(
        "/events/restSearch",
        &json!({
            "uuid": uuid,
            "returnFormat": "csv",
            "requested_attributes": columns,
            "headerless": 1,
            "deleted": [0, 1],
        }),
    )
}

/// Without an order MISP lists as its database pleases, and pages would overlap. What is soft-deleted is shown to
/// every key where nothing else is asked for, and to some where it is asked for beside the rest.
fn page_body(page: &Page) -> serde_json::Value {
    let columns = match page.of {
        PageOf::Values => &VALUE[..],
        PageOf::Expected(_) | PageOf::Rows => &ROW,
    };
    let mut body = json!({
        "eventid": page.event.to_string(),
        "returnFormat": "csv",
        "requested_attributes": columns,
        "headerless": 1,
        "order": "Attribute.id asc",
        "limit": page.size,
        "page": page.number,
    });
    if page.only_deleted {
        body["deleted"] = json!("only");
    }
    body
}

fn get(path: &str) -> Encoded {
    let method = reqwest::Method::GET;
    Encoded { method, path: path.to_owned(), body: Vec::new(), if_none_match: None }
}

fn post(path: String, body: Vec<u8>) -> Encoded {
    Encoded { method: reqwest::Method::POST, path, body, if_none_match: None }
}

fn post_json(path: &str, body: &serde_json::Value) -> Encoded {
    post(path.to_owned(), body.to_string().into_bytes())
}
