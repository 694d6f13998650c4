//! What runs changed, in the manner of git's `show` and `diff`.
//!
//! Titles, values and MISP's words were written by others: control characters in them are shown, never
//! sent to the terminal.

use std::fmt::Write;

use crate::history::query::{AttributeChange, Difference, EventChanges, Phrase, Shown};

use super::{
    Detail,
    marks::{faint, head, state},
    runs::block,
    words::{Clean, Title, line, more, sign, states},
};

/// A run and what it changed; `whole` shows what is left out here.
#[must_use]
pub fn show(shown: &Shown, detail: Detail, whole: &str) -> String {
    let mut out = String::new();
    block(&mut out, &shown.run, detail);
    events(&mut out, &shown.events, detail, whole);
    out
}

/// The net changes of several runs; `whole` shows what is left out here.
#[must_use]
pub fn diff(difference: &Difference, detail: Detail, whole: &str) -> String {
    let mut out = String::new();
    let Difference { destination, from, to, runs, .. } = difference;
    let plural = if *runs == 1 { "" } else { "s" };
    let begin = if from.0 == 0 { "the beginning".to_owned() } else { format!("run {from}") };
    line!(out, "{destination}: from {begin} to run {to}, {runs} run{plural}");
    if difference.events.is_empty() {
        line!(out, "nothing changed");
    }
    events(&mut out, &difference.events, detail, whole);
    out
}

/// What changed, event by event; `whole` shows what is left out here.
fn events(out: &mut String, events: &[EventChanges], detail: Detail, whole: &str) {
    let (shown, hidden) = detail.cut(events);
    for event in shown {
        line!(out);
        let title = Title(event.title.as_deref().unwrap_or(""));
        line!(out, "event {} {}", faint(event.event), head(title));
        for kind in &event.own {
            let phrase = Phrase::from(kind);
            let (sign, said) = (sign(kind.effect()), phrase.to_string());
            line!(out, "  {sign} {}", state(phrase.word, Clean(&said)));
        }
        if detail == Detail::Counts {
            let all: Vec<_> = event.counts().into_iter().collect();
            line!(out, "    {}", states(&all));
            continue;
        }
        let (attributes, hidden) = detail.cut(&event.attributes);
        let kinds = attributes.iter().filter_map(|it| Some(it.content.as_ref()?.0.name().len()));
        let kinds = kinds.max().unwrap_or(0);
        attributes.iter().for_each(|it| attribute_line(out, it, kinds));
        more(out, hidden, "changes", whole);
    }
    if hidden > 0 {
        line!(out);
        more(out, hidden, "events", whole);
    }
}

/// One change; types of attributes take so many columns.
fn attribute_line(out: &mut String, it: &AttributeChange, kinds: usize) {
    let phrase = Phrase::from(&it.kind);
    let what = match &it.content {
        Some((kind, value)) => format!("{:<kinds$}  {}", kind.name(), Clean(value.as_str())),
        None => faint(it.uuid).to_string(),
    };
    let detail = match (&it.instead, &phrase.detail) {
        (Some(value), _) => format!("  by {}", Clean(value.as_str())),
        (None, Some(detail)) => format!("  ({})", Clean(detail)),
        (None, None) => String::new(),
    };
    let word = state(phrase.word, format!("{:<10}", phrase.word));
    line!(out, "  {} {word}  {what}{detail}", sign(it.kind.effect()));
}
