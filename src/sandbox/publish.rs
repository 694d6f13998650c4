//! events/publish, alert and unpublish.

use super::{
    Call,
    answer::{Answer, Halt, Outcome},
    roles::Permission,
    state::{EventRow, State, is_uuid},
};

/// Publishes an event: the flag and the time of it. The event's own timestamp stays.
pub(super) fn publish(state: &mut State, event: u32, now: i64) {
    let event = state.event_mut(event);
    event.published = true;
    event.publish_timestamp = now;
}

/// POST or PUT events/publish/{id or uuid}: without mail to anybody.
pub(super) fn publish_quietly(state: &mut State, call: &Call<'_>) -> Outcome {
    published(state, call, "publish", "Event published without alerts")
}

/// POST or PUT events/alert/{id or uuid}: with mail, which the sandbox does not send.
pub(super) fn publish_with_alert(state: &mut State, call: &Call<'_>) -> Outcome {
    published(state, call, "alert", "Email sent to all participants.")
}

fn published(state: &mut State, call: &Call<'_>, action: &str, message: &str) -> Outcome {
    let event = state
        .event(call.route.id().unwrap_or_default())
        .ok_or_else(|| Halt::exception(404, "Invalid event."))?;
    let allowed = call.caller.may(Permission::SiteAdmin)
        || (call.caller.may(Permission::Publish) && event.orgc == call.caller.org());
    if !allowed {
        return Err(Halt::exception(405, "You do not have the permission to do that."));
    }
    let event = event.id;
    answered(state, call, action, message, event, |state, now| publish(state, event, now))
}

/// POST or PUT events/unpublish/{id or uuid}. Needs no right to publish within the own organisation.
pub(super) fn unpublish(state: &mut State, call: &Call<'_>) -> Outcome {
    let id = call.route.id().unwrap_or_default();
    let numeric = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let event = state.event(id).filter(|_| numeric || is_uuid(id));
    let event: &EventRow = event.ok_or_else(|| Halt::exception(404, "Invalid Event."))?;
    if !state.may_modify(call.caller, event) {
        return Err(Halt::exception(403, "You do not have the permission to do that."));
    }
    let event = event.id;
    answered(state, call, "unpublish", "Event unpublished.", event, |state, _| {
        state.event_mut(event).published = false;
    })
}

fn answered(
    state: &mut State,
    call: &Call<'_>,
    action: &str,
    message: &str,
    event: u32,
    act: impl FnOnce(&mut State, i64),
) -> Outcome {
    if !matches!(call.method, "POST" | "PUT") {
        return Err(Halt::Crash);
    }
    act(state, call.now);
    let url = format!("/events/{action}/{event}");
    Ok(Answer::saved(message, url, Some(&event.to_string()), call.style))
}
