//! What each call is for MISP: controller and action, the path below the base URL, and a few words about it.

use crate::delivery::{Call, Page, Tagged};

/// Controller and action, as MISP names them.
const fn action(call: &Call) -> &'static str {
    match call {
        Call::AddEvent(_) => "events/add",
        Call::AppendQuietly { .. } | Call::EditFields { .. } => "events/edit",
        Call::AppendLoudly { .. } => "attributes/add",
        Call::Rows { .. }
        | Call::TaggedRows { .. }
        | Call::CountTagged { of: Tagged::Events(_), .. }
        | Call::Probe
        | Call::Listing(_)
        | Call::Metadata(_) => "events/restSearch",
        Call::RowsSince { .. }
        | Call::ChangedRows { .. }
        | Call::CountOf(_)
        | Call::CountLive(_)
        | Call::CountTagged { of: Tagged::Attributes(_), .. }
        | Call::AnyRows(_)
        | Call::Page(_) => "attributes/restSearch",
        Call::AttachTag { .. } => "tags/attachTagToObject",
        Call::Publish(_) => "events/publish",
        Call::WhichEvents(_) => "events/index",
        Call::Version => "servers/getVersion",
        Call::Whoami => "users/view/me",
        Call::FindTags(_) => "tags/search",
        Call::KeysOf(_) => "auth_keys/index",
        Call::SharingGroups => "sharing_groups/index",
        Call::Plain(call) => action(call),
    }
}

/// The path below the base URL, beginning with a slash.
pub(super) fn path(call: &Call) -> String {
    let action = action(call);
    match call {
        Call::AddEvent(_) => format!("/{action}/metadata:1"),
        Call::AppendQuietly { event, .. } | Call::EditFields { event, .. } => {
            format!("/{action}/{event}/metadata:1")
        }
        Call::AppendLoudly { event, .. } | Call::Publish(event) => format!("/{action}/{event}"),
        Call::KeysOf(user) => format!("/{action}/{user}"),
        Call::Plain(call) => path(call),
        _ => format!("/{action}"),
    }
}

/// A few words about a call, for logs and errors.
pub(super) fn describe(call: &Call) -> String {
    let what = match call {
        Call::AddEvent(new) => format!("{} with {} attributes", new.uuid, new.attributes.len()),
        Call::AppendQuietly { event, attributes } | Call::AppendLoudly { event, attributes } => {
            format!("{event} with {} attributes", attributes.len())
        }
        Call::EditFields { event, .. } | Call::Publish(event) => event.to_string(),
        Call::Rows { events, .. } => format!("rows of {} events", events.len()),
        Call::TaggedRows { events, .. } => format!("rows and tags of {} events", events.len()),
        Call::RowsSince { events, since, .. } => {
            format!("rows of {} events since {since}", events.len())
        }
        Call::ChangedRows { event, since } => format!("rows of {event} since {since}"),
        Call::CountOf(event) => format!("count of {event}"),
        Call::CountLive(events) => format!("count of {} events", events.len()),
        Call::CountTagged { of: Tagged::Attributes(them), tag } => {
            format!("count of {} attributes with {tag:?}", them.len())
        }
        Call::CountTagged { of: Tagged::Events(them), tag } => {
            format!("count of {} events with {tag:?}", them.len())
        }
        Call::Listing(event) => format!("list of {event}"),
        Call::Metadata(event) => format!("metadata of {event}"),
        Call::AttachTag { event, attribute, tag } => {
            let of = attribute.map(|it| format!(" of attribute {it}")).unwrap_or_default();
            format!("{tag:?} to {event}{of}")
        }
        Call::WhichEvents(events) => format!("of {} events", events.len()),
        Call::Version | Call::Whoami | Call::SharingGroups => return action(call).to_owned(),
        Call::FindTags(names) => format!("{} names", names.len()),
        Call::KeysOf(user) => user.to_string(),
        Call::AnyRows(most) => format!("{most} rows"),
        Call::Probe => "rows of no event".to_owned(),
        Call::Page(Page { event, number, size, .. }) => {
            format!("page {number} of {event}, {size} a page")
        }
        Call::Plain(call) => return describe(call),
    };
    format!("{} {what}", action(call))
}
