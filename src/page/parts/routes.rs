//! What is asked first: whether each route does what it is for.

use std::time::Duration;

use maud::{Markup, html};

use crate::{
    history::Outcome,
    model::{Count, RouteName, Span, Timestamp},
};

use super::text::{Tone, ago, badge, since, time, visible};

/// A run that is due so long and did not begin is late.
const LATE_AFTER: Duration = Duration::from_secs(15 * 60);

/// A feed at a destination.
#[derive(Debug, Clone)]
pub struct Route {
    /// Which.
    pub name: RouteName,
    /// When a run of it last came to its end.
    pub last_success: Option<Timestamp>,
    /// When its last attempt ended, and how.
    pub last: Option<(Timestamp, Outcome)>,
    /// How many attempts in a row failed.
    pub failures: u64,
    /// When it runs next.
    pub next: Next,
}

/// When a route runs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// By itself.
    At(Timestamp),
    /// When somebody asks for it.
    OnRequest,
    /// Not before somebody lets it.
    Paused,
    /// It never ran, and waits for somebody's word.
    FirstRunWaits,
    /// Never: the configuration does not have it.
    NotConfigured,
}

impl Route {
    fn state(&self, now: Timestamp) -> (Tone, &'static str) {
        let is_late = matches!(self.next, Next::At(due) if due.until(now) > LATE_AFTER);
        match (self.last_success, self.next) {
            _ if self.failures > 0 => (Tone::Bad, "failed"),
            (_, Next::NotConfigured) => (Tone::Quiet, "gone"),
            (_, Next::Paused) => (Tone::Warning, "paused"),
            (_, Next::FirstRunWaits) => (Tone::Warning, "waits"),
            (_, Next::At(_)) if is_late => (Tone::Bad, "late"),
            (None, _) => (Tone::Warning, "no success yet"),
            (Some(_), _) => (Tone::Good, "in order"),
        }
    }
}

/// Each route: how it is, its last success, what comes next.
pub(in crate::page) fn routes(routes: &[Route], now: Timestamp) -> Markup {
    html! {
        section aria-labelledby="routes" {
            h2 #routes { "Routes" }
            @if routes.is_empty() { p.muted { "Nothing was sent anywhere yet." } }
            @else {
                table.stack {
                    thead { tr { th scope="col" { "Route" } th scope="col" { "State" } th scope="col" { "Last success" } th scope="col" { "Next" } } }
                    tbody { @for route in routes { (row(route, now)) } }
                }
            }
        }
    }
}

fn row(route: &Route, now: Timestamp) -> Markup {
    let (tone, word) = route.state(now);
    let RouteName { feed, destination } = &route.name;
    html! {
        tr {
            th scope="row" { (visible(feed.as_str())) " → " (visible(destination.as_str())) }
            td data-label="State" { (badge(tone, word)) (failures(route)) }
            td data-label="Last success" {
                @match route.last_success {
                    Some(at) => { strong { (since(at, now)) } br; span.muted { (time(at)) } }
                    None => { "never" }
                }
            }
            td data-label="Next" { (next(route, now)) }
        }
    }
}

fn failures(route: &Route) -> Markup {
    html! {
        @if route.failures > 0 {
            br;
            span.muted {
                @if route.failures == 1 { "the last attempt" } @else { (Count(route.failures).to_string()) " attempts in a row" }
            }
        }
    }
}

fn next(route: &Route, now: Timestamp) -> Markup {
    let RouteName { feed, destination } = &route.name;
    let resume = format!("misp-trickle resume --feed {feed} --destination {destination}");
    html! {
        @match route.next {
            Next::At(due) if due > now => { "in " (Span(now.until(due).as_secs()).to_string()) br; span.muted { (time(due)) } }
            Next::At(due) => { "due since " (ago(due, now)) }
            Next::OnRequest => { "when somebody runs it" }
            Next::Paused => { "paused; " code { (visible(&resume)) } }
            Next::FirstRunWaits => { "its first run waits; " code { (visible(&resume)) } }
            Next::NotConfigured => { "not in the configuration" }
        }
        @if let Some((at, outcome)) = route.last && !matches!(outcome, Outcome::Done | Outcome::Partial) {
            br;
            span.muted { "last attempt " (outcome.name()) ", " (ago(at, now)) }
        }
    }
}
