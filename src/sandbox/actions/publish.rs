//! events/publish, alert and unpublish.

use crate::sandbox::{
    Call,
    http::answer::{Answer, Halt, Outcome},
    output::json::Json,
    rows::{
        roles::Permission,
        row::EventRow,
        state::{State, is_uuid},
    },
    setup::Jobs,
};

/// So many seconds a background job waits for its turn.
const JOB_DELAY: i64 = 1;

/// Publishes an event that was stored with the flag set: now, whatever the background jobs do. A workflow that
/// stops it leaves the flag and takes the time.
pub(crate) fn publish_stored(state: &mut State, event: u32, now: i64) {
    state.event_mut(event).published = true;
    if !state.publish_blocked {
        state.event_mut(event).publish_timestamp = now;
    }
}

/// What an edit that sets the flag brings about beside the flag itself.
pub(crate) fn publish_edited(state: &mut State, event: u32, now: i64) {
    match state.setup.jobs {
        Jobs::Foreground => publish_stored(state, event, now),
        Jobs::Late => state.queue.push((event, now)),
        Jobs::Never => {}
    }
}

impl State {
    /// Lets the workers do what has waited long enough: the flag and its time. The event's own timestamp stays.
    pub(crate) fn work_off(&mut self, now: i64) {
        let due = |(_, since): &(u32, i64)| since.saturating_add(JOB_DELAY) <= now;
        let jobs: Vec<(u32, i64)> = self.queue.extract_if(.., |job| due(job)).collect();
        for (event, _) in jobs {
            if let Some(row) = self.events.get_mut(&event).filter(|_| !self.publish_blocked) {
                row.published = true;
                row.publish_timestamp = now;
            }
        }
    }
}

/// POST workflows/toggleModule/{trigger}/{on}/{is a trigger}: the sandbox has one workflow for each of the
/// triggers, which stops whatever comes.
pub(crate) fn toggle_workflow(state: &mut State, call: &Call<'_>) -> Outcome {
    let passed = &call.route.passed;
    let on = passed.get(1).is_some_and(|flag| !flag.is_empty() && flag != "0");
    match call.route.id() {
        Some("event-publish") => state.publish_blocked = on,
        Some("event-before-save") => state.save_blocked = on,
        _ => return Err(Halt::exception(404, "Invalid module.")),
    }
    let url = "/workflows/toggleModule".to_owned();
    let message = if on { "Enabled module" } else { "Disabled module" };
    Ok(Answer::saved(message, url, None, call.style))
}

/// POST or PUT events/publish/{id or uuid}: without mail to anybody.
pub(crate) fn publish_quietly(state: &mut State, call: &Call<'_>) -> Outcome {
    let event = publishable(state, call)?;
    if state.setup.jobs == Jobs::Foreground && (state.publish_blocked || state.save_blocked) {
        let errors = Json::map([("Module", Json::text("Module failure."))]);
        let (url, id) = (format!("/events/publish/{event}"), event.to_string());
        return Ok(Answer::refused("publish Event", url, errors, Some(&id), call.style));
    }
    let messages = ["Event published without alerts", "Job queued"];
    published(state, call, "publish", messages, event)
}

/// POST or PUT events/alert/{id or uuid}: with mail, which the sandbox does not send.
pub(crate) fn publish_with_alert(state: &mut State, call: &Call<'_>) -> Outcome {
    let event = publishable(state, call)?;
    published(state, call, "alert", ["Email sent to all participants.", "Job queued."], event)
}

/// The event that the path names, if the caller may publish it.
fn publishable(state: &State, call: &Call<'_>) -> Result<u32, Halt> {
    let event = state
        .event(call.route.id().unwrap_or_default())
        .ok_or_else(|| Halt::exception(404, "Invalid event."))?;
    let allowed = call.caller.may(Permission::SiteAdmin)
        || (call.caller.may(Permission::Publish) && event.orgc == call.caller.org());
    if !allowed {
        return Err(Halt::exception(405, "You do not have the permission to do that."));
    }
    Ok(event.id)
}

/// Publishes at once, or puts it off. A workflow that stops it is not told of.
fn published(
    state: &mut State,
    call: &Call<'_>,
    action: &str,
    [done, queued]: [&str; 2],
    event: u32,
) -> Outcome {
    let message = if state.setup.jobs == Jobs::Foreground { done } else { queued };
    answered(state, call, action, message, event, |state, now| match state.setup.jobs {
        Jobs::Foreground if state.publish_blocked || state.save_blocked => {}
        Jobs::Foreground => publish_stored(state, event, now),
        Jobs::Late => state.queue.push((event, now)),
        Jobs::Never => {}
    })
}

/// POST or PUT events/unpublish/{id or uuid}. Needs no right to publish within the own organisation.
pub(crate) fn unpublish(state: &mut State, call: &Call<'_>) -> Outcome {
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
