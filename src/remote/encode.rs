//! A call as an HTTP request: method and body.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    delivery::{Call, Page, PageOf, Tagged, TimedAttribute, rows},
    model::EventUuid,
    remote::json::{self, AttributeBody},
};

use super::route::path;

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
    let if_none_match = match call {
        Call::Rows { expected, .. } => Some(rows::csv(expected)),
        Call::TaggedRows { expected, .. } => Some(rows::tagged_csv(expected)),
        Call::Page(Page { of: PageOf::Expected(rows), .. }) => Some(rows::csv(rows)),
        _ => None,
    }
    .map(|text| rows::etag(text.as_bytes()))
    .or_else(|| call.has_false_tag().then(|| FALSE_TAG.to_owned()));
    let (method, body) = match body(call, correlate) {
        Some(body) => (reqwest::Method::POST, body),
        None => (reqwest::Method::GET, Vec::new()),
    };
    Encoded { method, path: path(call), body, if_none_match }
}

/// The body of a `POST`; `None` for what is a `GET`.
fn body(call: &Call, correlate: bool) -> Option<Vec<u8>> {
    let body = match call {
        Call::AddEvent(new) => {
            return Some(json::new_event(
                new.uuid,
                &new.fields,
                (new.settings.distribution, new.settings.sharing_group_id),
                new.settings.threat_level_id,
                correlate,
                attribute_bodies(&new.attributes, correlate),
            ));
        }
        Call::AppendQuietly { attributes, .. } => {
            let bodies = attribute_bodies(attributes, correlate);
            return Some(json::edit(None, None, None, None, bodies));
        }
        Call::AppendLoudly { attributes, .. } => {
            let bodies: Vec<_> = attributes
                .iter()
                .map(|it| AttributeBody::for_add(&it.attribute, it.timestamp, correlate))
                .collect();
            return Some(json::attributes(&bodies));
        }
        Call::EditFields { edit, timestamp, .. } => {
            let (info, date) = (edit.info.as_deref(), edit.date.as_deref());
            let timestamp = Some(*timestamp);
            return Some(json::edit(info, date, edit.analysis, timestamp, Vec::new()));
        }
        Call::Plain(call) => return body(call, correlate),
        Call::Version | Call::Whoami | Call::KeysOf(_) | Call::SharingGroups => return None,
        Call::Rows { events, .. } => search(&uuids(events), &ROW),
        Call::TaggedRows { events, .. } => search(&uuids(events), &TAGGED_ROW),
        Call::Probe => {
            let nobodys = EventUuid::new(Uuid::new_v5(&Uuid::NAMESPACE_URL, b"nobody's"));
            search(&json!([nobodys.to_string()]), &ROW)
        }
        Call::Page(page) => page_body(page),
        Call::RowsSince { events, since, only_deleted } => {
            debug_assert!(!events.is_empty(), "an empty list is no filter");
            let deleted = if *only_deleted { json!("only") } else { json!([0, 1]) };
            changed(&json!(events), *since, &deleted)
        }
        Call::ChangedRows { event, since } => {
            changed(&json!(event.to_string()), *since, &json!([0, 1]))
        }
        Call::CountOf(event) => json!({"eventid": event.to_string(), "returnFormat": "count"}),
        Call::CountLive(events) => {
            debug_assert!(!events.is_empty(), "an empty list is no filter");
            json!({"eventid": events, "returnFormat": "count"})
        }
        Call::CountTagged { of: Tagged::Attributes(uuids), tag } => {
            debug_assert!(!uuids.is_empty(), "an empty list is no filter");
            let uuids: Vec<String> = uuids.iter().map(ToString::to_string).collect();
            json!({"uuid": uuids, "tags": [tag], "returnFormat": "count"})
        }
        Call::CountTagged { of: Tagged::Events(events), tag } => {
            debug_assert!(!events.is_empty(), "an empty list is no filter");
            json!({"eventid": events, "event_tags": [tag], "returnFormat": "count"})
        }
        Call::Listing(event) => search(&json!(event.to_string()), &VALUE),
        Call::Metadata(event) => {
            json!({"uuid": event.to_string(), "returnFormat": "json", "metadata": true})
        }
        Call::AttachTag { event, attribute, tag } => {
            let uuid = attribute.map_or_else(|| event.to_string(), |it| it.to_string());
            json!({"uuid": uuid, "tag": tag})
        }
        Call::Publish(_) => json!({}),
        Call::WhichEvents(events) => {
            debug_assert!(!events.is_empty(), "an empty list is no filter");
            let events: Vec<String> = events.iter().map(ToString::to_string).collect();
            json!({"minimal": 1, "eventid": events})
        }
        Call::FindTags(tags) => json!({"tag": tags}),
        Call::AnyRows(most) => json!({
            "returnFormat": "csv",
            "requested_attributes": ["uuid"],
            "headerless": 1,
            "limit": most,
        }),
    };
    Some(body.to_string().into_bytes())
}

fn attribute_bodies(attributes: &[TimedAttribute], correlate: bool) -> Vec<AttributeBody<'_>> {
    attributes
        .iter()
        .map(|timed| AttributeBody::new(&timed.attribute, timed.timestamp, correlate))
        .collect()
}

/// The rows of events that changed at or after a time.
fn changed(events: &Value, since: i64, deleted: &Value) -> Value {
    json!({
        "eventid": events,
        "returnFormat": "csv",
        "requested_attributes": ["uuid", "deleted", "timestamp", "event_id"],
        "headerless": 1,
        "deleted": deleted,
        "timestamp": since,
    })
}

/// An empty list of UUIDs would be no filter at all and list everything: the caller always names some.
fn uuids(events: &[EventUuid]) -> Value {
    json!(events.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn search(uuid: &Value, columns: &[&str]) -> Value {
    debug_assert!(
        uuid.as_array().is_none_or(|list| !list.is_empty()),
        "an empty list is no filter"
    );
    json!({
        "uuid": uuid,
        "returnFormat": "csv",
        "requested_attributes": columns,
        "headerless": 1,
        "deleted": [0, 1],
    })
}

/// Without an order MISP lists as its database pleases, and pages would overlap. What is soft-deleted is shown to
/// every key where nothing else is asked for, and to some where it is asked for beside the rest.
fn page_body(page: &Page) -> Value {
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
