//! What every page has around it.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{history::Clearance, model::Timestamp};

use super::parts::text::{prose, time};

/// The style sheet of all pages.
pub const STYLE: &str = include_str!("style.css");
/// What a file may do that somebody opens: nothing but show itself.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A page that stands by itself, in one file. `main` is one line of it.
pub(super) fn alone(title: &str, header: &Markup, main: &str, footer: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="referrer" content="no-referrer";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "To the content" }
                header { (header) }
                "\n" (PreEscaped(main)) "\n"
                footer { (footer) }
            }
        }
    };
    page.into_string()
}

/// A page of a site: what all of them have, around what it is.
pub(super) fn within(site: &Site, title: &str, here: Place, main: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="referrer" content="no-referrer";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · misp-trickle" }
                link rel="stylesheet" href="/style.css";
            }
            body {
                a.skip href="#main" { "To the content" }
                header { (masthead(here)) }
                main #main { h1 { (title) } (main) }
                footer { (foot(site)) }
            }
        }
    };
    page.into_string()
}

/// The pages that are always one click away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The overview.
    Overview,
    /// Runs.
    Runs,
    /// Events.
    Events,
    /// What went wrong.
    Faults,
    /// None of them.
    Elsewhere,
}

const PLACES: [(Place, &str, &str); 4] = [
    (Place::Overview, "/", "Overview"),
    (Place::Runs, "/runs", "Runs"),
    (Place::Events, "/events", "Events"),
    (Place::Faults, "/faults", "Faults"),
];

fn masthead(here: Place) -> Markup {
    html! {
        p.brand { "misp-trickle" }
        nav aria-label="Pages" {
            ul {
                @for (place, path, name) in PLACES {
                    li { a href=(path) aria-current=[(place == here).then_some("page")] { (name) } }
                }
            }
        }
        form.search role="search" action="/value" method="get" {
            label for="q" { "Why" }
            input #q type="search" name="q" placeholder="value, UUID, title" autocomplete="off" spellcheck="false";
            button type="submit" { "Look up" }
        }
    }
}

/// What the foot of every page tells: of which store, when, up to which colour.
#[derive(Debug, Clone)]
pub struct Site {
    /// The store's id.
    pub store: String,
    /// When it was asked.
    pub now: Timestamp,
    /// Up to which colour things are shown.
    pub clearance: Clearance,
    /// The address of the same page as JSON; none where there is none.
    pub twin: Option<String>,
}

fn foot(site: &Site) -> Markup {
    html! {
        p.muted {
            "As of " (time(site.now)) @if !site.store.is_empty() { ", store " code { (site.store) } } ", misp-trickle " (env!("CARGO_PKG_VERSION")) "."
            (limit(site.clearance))
            @if let Some(twin) = &site.twin { " " a href=(twin) { "This page as JSON" } "." }
        }
    }
}

/// Up to which colour things are shown.
pub(super) fn limit(clearance: Clearance) -> Markup {
    html! {
        @if let Some(limit) = clearance.limit() {
            " Shown up to TLP " strong { (limit.name()) } "; what is stricter is counted and not named, and what has no colour counts as red."
        }
    }
}

/// A page that says that something is not as it should be.
#[must_use]
pub fn trouble(site: &Site, title: &str, words: &str) -> String {
    within(
        site,
        title,
        Place::Elsewhere,
        &html! { div { (prose(words)) } p { a href="/" { "To the overview" } } },
    )
}
