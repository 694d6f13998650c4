//! The history in one file.

use maud::{Markup, html};

use crate::{
    history::{
        Clearance,
        query::{Day, Overview},
    },
    model::{Digest, Timestamp},
};

pub use super::parts::runs::RunView;
use super::{
    frame::{alone, limit},
    parts::{
        routes::{Route, routes},
        runs::runs,
        standings::standings,
        tasks::tasks,
        text::time,
        traffic::traffic,
    },
};

/// All that a report shows.
#[derive(Debug)]
pub struct ReportView {
    /// The store's id.
    pub store: String,
    /// When it was asked.
    pub now: Timestamp,
    /// Up to which colour things are shown.
    pub clearance: Clearance,
    /// Each feed at each destination.
    pub routes: Vec<Route>,
    /// Each destination.
    pub overviews: Vec<Overview>,
    /// What travelled.
    pub days: Vec<Day>,
    /// The newest runs, newest first.
    pub runs: Vec<RunView>,
    /// How many runs there are.
    pub run_count: u64,
}

/// A report, and how it is proven.
#[derive(Debug)]
pub struct Report {
    /// The file.
    pub html: String,
    /// BLAKE3 of its line that begins with `<main`, the end of the line included.
    pub digest: Digest,
}

/// The history as one file that fetches nothing.
#[must_use]
pub fn report(view: &ReportView) -> Report {
    let main = html! {
        main #main {
            (routes(&view.routes, view.now))
            (tasks(&view.overviews, view.clearance))
            (traffic(&view.days, view.now))
            (standings(&view.overviews))
            (runs(&view.runs, view.run_count, view.now))
        }
    };
    // What could end a line is shown in all texts, so it is one line.
    let main = main.into_string();
    let digest = Digest::plain(format!("{main}\n").as_bytes());
    let html = alone("misp-trickle history", &header(view), &main, &footer(view, digest));
    Report { html, digest }
}

fn header(view: &ReportView) -> Markup {
    html! {
        h1 { "misp-trickle " span.muted { "history" } }
        p.muted {
            "As of " (time(view.now)) "."
            (limit(view.clearance))
        }
        nav aria-label="Sections" {
            ul {
                @for (id, name) in [("routes", "Routes"), ("tasks", "By hand"), ("traffic", "Traffic"), ("standings", "Values"), ("runs", "Runs")] {
                    li { a href={ "#" (id) } { (name) } }
                }
            }
        }
    }
}

fn footer(view: &ReportView, digest: Digest) -> Markup {
    html! {
        dl {
            dt { "Store" } dd { code { (view.store) } }
            dt { "Made" } dd { (time(view.now)) " by misp-trickle " (env!("CARGO_PKG_VERSION")) }
            dt { "BLAKE3" } dd {
                code { (digest) } br;
                span.muted { "of the content: " code { "sed -n '/^<main/p' FILE | b3sum" } }
            }
        }
        p.muted { "Indicators are written so that nobody reaches them by mistake; a click on one shows it as it is." }
    }
}
