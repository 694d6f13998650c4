//! What the pages show, put together of what the verbs know.

mod asked;
mod shelf;
mod site;
mod wrong;

pub(super) use site::Site;

use crate::{
    cli::render::json::{Held, RouteStatus},
    model::RouteName,
    page::{Next, Route},
};

impl From<RouteStatus> for Route {
    fn from(status: RouteStatus) -> Self {
        let next = match (status.held, status.next_run) {
            _ if !status.is_configured => Next::NotConfigured,
            (Some(Held::Paused), _) => Next::Paused,
            (Some(Held::FirstRun), _) => Next::FirstRunWaits,
            (None, Some(at)) => Next::At(at),
            (None, None) => Next::OnRequest,
        };
        Self {
            name: RouteName { feed: status.feed, destination: status.destination },
            last_success: status.last_success,
            last: status.last_attempt.zip(status.last_outcome),
            failures: status.failures,
            next,
        }
    }
}
