//! A call as an HTTP request: method, path, body.

use serde_json::json;

use crate::{
    delivery::{Call, TimedAttribute, rows},
    format::misp_json::{self, AttributeBody},
};

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
    let bodies = |attributes: &'_ [TimedAttribute]| -> Vec<u8> {
        misp_json::attributes(&attribute_bodies(attributes, correlate))
    };
    match call {
        Call::AddEvent(new) => post(
            "/events/add/metadata:1".to_owned(),
            misp_json::new_event(
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
            misp_json::edit(None, None, None, None, attribute_bodies(attributes, correlate)),
        ),
        Call::AppendLoudly { event, attributes } => {
            post(format!("/attributes/add/{event}"), bodies(attributes))
        }
        Call::EditFields { event, edit, timestamp } => post(
            format!("/events/edit/{event}/metadata:1"),
            misp_json::edit(
                edit.info.as_deref(),
                edit.date.as_deref(),
                edit.analysis,
                Some(*timestamp),
                Vec::new(),
            ),
        ),
        Call::Rows { events, expected } => {
            let events: Vec<String> = events.iter().map(ToString::to_string).collect();
            let mut request = search(&json!(events), &["uuid", "deleted", "timestamp"]);
            request.if_none_match = Some(rows::etag(rows::csv(expected).as_bytes()));
            request
        }
        Call::RowsSince { events, since, only_deleted } => {
            debug_assert!(!events.is_empty(), "an empty list is no filter");
            post_json(
                "/attributes/restSearch",
                &json!({
                    "eventid": events,
                    "returnFormat": "csv",
                    "requested_attributes": ["uuid", "deleted", "timestamp", "event_id"],
                    "headerless": 1,
                    "deleted": if *only_deleted { json!("only") } else { json!([0, 1]) },
                    "timestamp": since,
                }),
            )
        }
        Call::CountLive(events) => {
            debug_assert!(!events.is_empty(), "an empty list is no filter");
            post_json(
                "/attributes/restSearch",
                &json!({"eventid": events, "returnFormat": "count"}),
            )
        }
        Call::Listing(event) => {
            let columns = ["uuid", "deleted", "timestamp", "type", "value"];
            let mut request = search(&json!(event.to_string()), &columns);
            // No body has this tag; MISP gives the right one with it.
            request.if_none_match = Some("\"0\"".to_owned());
            request
        }
        Call::Metadata(event) => post_json(
            "/events/restSearch",
            &json!({"uuid": event.to_string(), "returnFormat": "json", "metadata": true}),
        ),
        Call::AttachTag { event, tag } => {
            post_json("/tags/attachTagToObject", &json!({"uuid": event.to_string(), "tag": tag}))
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
        Call::ListTags(part) => get(&format!("/tags/index/searchall:{part}")),
        Call::KeysOf(user) => get(&format!("/auth_keys/index/{user}")),
        Call::SharingGroups => get("/sharing_groups/index"),
    }
}

fn attribute_bodies(attributes: &[TimedAttribute], correlate: bool) -> Vec<AttributeBody<'_>> {
    attributes
        .iter()
        .map(|timed| AttributeBody::new(&timed.attribute, timed.timestamp, correlate))
        .collect()
}

/// An empty list of UUIDs would be no filter at all and list everything: the caller always names some.
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
