//! What the service manager is told, by the protocol of `sd_notify`. Without one nothing is said, and where it cannot
//! be told, the work goes on.

use sd_notify::NotifyState;

use super::{RouteView, Standing};

/// Everything that is needed was opened and proven.
pub fn ready() {
    say(&[NotifyState::Ready]);
}

/// It ends.
pub(super) fn stopping() {
    say(&[NotifyState::Stopping]);
}

/// A new configuration is read; [`ready`] follows, whether it is taken or not.
pub fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        say(&[NotifyState::Reloading, now]);
    }
}

/// It is alive, and this is what it does.
pub(super) fn alive(routes: &[RouteView]) {
    let count = |is: fn(&RouteView) -> bool| routes.iter().filter(|route| is(route)).count();
    let status = format!(
        "{} routes, {} running, {} failing, {} held",
        routes.len(),
        count(|route| route.standing != Standing::Resting),
        count(|route| route.failures > 0),
        count(|route| route.hold.is_some()),
    );
    say(&[NotifyState::Watchdog, NotifyState::Status(&status)]);
}

fn say(states: &[NotifyState<'_>]) {
    drop(sd_notify::notify(states));
}
