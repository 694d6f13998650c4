//! How things stand.
//!
//! Titles, values and MISP's words were written by others: control characters in them are shown, never
//! sent to the terminal.

use std::fmt::Write;

use crate::{
    cli::render::json::{FeedStatus, Held, RouteStatus},
    history::query::Status,
};

use super::{
    Detail,
    marks::{Ago, At, bad, faint, head, odd, outcome, state},
    runs::pull,
    words::{Clean, Title, line, more, states},
};

/// How things stand, what needs a person first; `whole` shows what is left out here, and `resume` begins the command that lets
/// a route go on.
#[must_use]
pub fn status(
    found: &[Status],
    routes: &[RouteStatus],
    feeds: &[FeedStatus],
    (detail, whole): (Detail, &str),
    resume: &str,
) -> String {
    let mut out = String::new();
    for status in found {
        if !out.is_empty() {
            line!(out);
        }
        one_status(&mut out, status, detail, whole);
    }
    if !routes.is_empty() {
        line!(out);
        routes.iter().for_each(|route| one_route(&mut out, route, resume));
        feeds.iter().for_each(|feed| one_feed(&mut out, feed));
    }
    out
}

fn one_route(out: &mut String, route: &RouteStatus, resume: &str) {
    let success = match route.last_success {
        Some(at) if route.age_seconds.is_none() => format!(
            "last success {}, {}: how long ago is not known until the next",
            At(at),
            bad("in the future by this machine's clock")
        ),
        Some(at) => format!("last success {}, {}", At(at), Ago(at)),
        None => "no success yet".to_owned(),
    };
    let failures = match route.failures {
        0 => String::new(),
        1 => format!("; {}", bad("the last attempt failed")),
        many => format!("; {}", bad(format_args!("{many} attempts in a row failed"))),
    };
    let gone = if route.is_configured { "" } else { "; not in the configuration" };
    let (feed, destination) = (&route.feed, &route.destination);
    let held = match route.held {
        None => String::new(),
        Some(Held::Paused) => format!("; {}", odd("paused")),
        Some(Held::FirstRun) => format!(
            "; its first run waits; next: `{resume} --feed {feed} --destination {destination}`"
        ),
    };
    line!(out, "{feed} -> {destination}: {success}{failures}{gone}{held}");
    if let Some(url) = &route.new_url {
        let (word, url) = (odd("new url"), Clean(url));
        line!(
            out,
            "  ! {word}: {url} was not asked yet; the next run asks first whether it is the MISP that was sent to"
        );
    }
}

fn one_feed(out: &mut String, status: &FeedStatus) {
    let FeedStatus { feed, last_pull, last_good_pull, .. } = status;
    let Some(last) = last_pull else {
        line!(out, "{feed}: not pulled yet");
        return;
    };
    line!(out, "{feed}: last pull {}, {}: {}", At(last.begun), Ago(last.begun), pull(last));
    match *last_good_pull {
        Some(good) if good == last.begun => {}
        Some(good) => line!(out, "  last good pull {}, {}", At(good), Ago(good)),
        None => line!(out, "  no good pull yet"),
    }
    last.notes.iter().for_each(|note| line!(out, "    {}", Clean(note)));
}

fn one_status(out: &mut String, status: &Status, detail: Detail, whole: &str) {
    let record = status.record.as_ref();
    let url = record.map_or("never reached", |record| record.url.as_str());
    let version = record.filter(|record| !record.version.is_empty());
    let version = version.map(|it| format!(", MISP {}", it.version)).unwrap_or_default();
    line!(out, "{}", head(format_args!("destination {}", status.destination)));
    by_hand(out, status, detail, whole);
    line!(out, "MISP:       {}{}", Clean(url), Clean(&version));
    match &status.last_run {
        Some(run) => {
            let (number, id, last) = (run.number, faint(run.id.short()), run.last());
            let (outcome, at, ago) = (outcome(run.outcome), At(last), Ago(last));
            line!(out, "Last run:   {number} {id}, {at}, {ago}, {outcome}");
        }
        None => line!(out, "Last run:   none"),
    }
    let words = |map: &std::collections::BTreeMap<&'static str, u64>| {
        states(&map.iter().map(|(word, count)| (*word, *count)).collect::<Vec<_>>())
    };
    line!(out, "Events:     {}; {} unsettled", words(&status.events), status.unsettled);
    if status.publishing > 0 {
        line!(
            out,
            "Publishing: {} events; MISP took the request, and shows it later",
            status.publishing
        );
    }
    line!(out, "Attributes: {}", words(&status.attributes));
    let (retired, superseded) = (status.retired, status.superseded);
    line!(
        out,
        "Of these:   {retired} retired, {superseded} superseded; {}",
        state(
            if status.drifted > 0 { "drifted" } else { "" },
            format_args!("{} drifted", status.drifted)
        )
    );
}

/// What a person has to do, or should know.
fn by_hand(out: &mut String, status: &Status, detail: Detail, whole: &str) {
    let (exposed, hidden) = detail.cut(&status.exposed);
    for it in exposed {
        let content = it.attribute.as_ref().and_then(|(_, content)| content.as_ref());
        let what = content.map_or_else(
            || "the event".to_owned(),
            |(kind, value)| format!("{kind} {}", Clean(value.as_str())),
        );
        let title = Title(&it.title);
        let (word, event, why) = (bad("exposed"), faint(it.event), it.why.to_string());
        line!(out, "  ! {word}: {what}, in {event} {title}: {}", Clean(&why));
    }
    more(out, hidden, "exposed", whole);
    let (refused, hidden) = detail.cut(&status.refused_tags);
    for it in refused {
        let (event, title) = &it.first;
        let more =
            if it.events > 1 { format!(" and {} more", it.events - 1) } else { String::new() };
        let (tag, title, why) = (Clean(&it.tag), Title(title), Clean(&it.why));
        let (word, event) = (bad("tag refused"), faint(event));
        line!(out, "  ! {word}: {tag}, on {event} {title}{more}: {why}");
    }
    more(out, hidden, "refused", whole);
    let (unpublished, hidden) = detail.cut(&status.unpublished);
    for it in unpublished {
        let (event, title) = &it.first;
        let more =
            if it.events > 1 { format!(" and {} more", it.events - 1) } else { String::new() };
        let (word, event) = (odd("unpublished"), faint(event));
        line!(out, "  ! {word}: {event} {}{more}: {}", Title(title), Clean(&it.why));
    }
    more(out, hidden, "unpublished", whole);
    for (feed, why) in &status.removals_wait {
        let word = odd("removals wait");
        line!(out, "  ! {word}, feed {}: {}", Clean(feed.as_str()), Clean(why));
    }
}
