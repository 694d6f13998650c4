//! Runs, and what they changed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    cli::render::Detail,
    history::{
        RunRecord,
        query::{AttributeChange, Difference, EventChanges, PullsAlike, Shown, everything},
    },
    model::{DestinationName, EventUuid, RunNumber},
};

use super::state::{AttributeChangeView, ChangeView, named};

/// `log`: the runs, newest first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/log/2")]
pub struct LogAnswer<'a> {
    /// The runs.
    pub runs: Vec<RunView<'a>>,
}

impl<'a> LogAnswer<'a> {
    /// The answer.
    #[must_use]
    pub fn new(runs: &'a [RunRecord]) -> Self {
        Self { runs: runs.iter().map(RunView::from).collect() }
    }
}

/// A run, and what it would have taken otherwise.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunView<'a> {
    /// The run.
    #[serde(flatten)]
    pub run: &'a RunRecord,
    /// About how many bytes both ways it and its repeats would have taken, had each sent every event whole that is in MISP:
    /// 46 for an attribute, 1390 for an event, both as measured; none of a run that did not come to its end.
    pub bytes_of_everything: Option<u64>,
}

impl<'a> From<&'a RunRecord> for RunView<'a> {
    fn from(run: &'a RunRecord) -> Self {
        Self { run, bytes_of_everything: everything(run) }
    }
}

/// `log --pulls`: the pulls that runs rested on, newest first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/pulls/2")]
pub struct PullsAnswer<'a> {
    /// The pulls, those that went alike as one.
    pub pulls: &'a [PullsAlike],
}

/// `show`: a run and its changes by event.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/show/2")]
pub struct ShowAnswer<'a> {
    /// The run.
    pub run: RunView<'a>,
    /// The events that it changed, in the order of the run.
    pub events: Vec<EventChangesView<'a>>,
}

impl<'a> ShowAnswer<'a> {
    /// The answer.
    #[must_use]
    pub fn new(shown: &'a Shown, detail: Detail) -> Self {
        Self { run: (&shown.run).into(), events: changes(&shown.events, detail) }
    }
}

/// `diff`: the net changes of several runs by event.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/diff/2")]
pub struct DiffAnswer<'a> {
    /// Where the runs delivered.
    pub destination: &'a DestinationName,
    /// The state before is that after this run; 0 is the beginning.
    pub from_run: RunNumber,
    /// The state after is that after this run.
    pub to_run: RunNumber,
    /// How many runs lie between them.
    pub runs: u64,
    /// The events that changed.
    pub events: Vec<EventChangesView<'a>>,
}

impl<'a> DiffAnswer<'a> {
    /// The answer.
    #[must_use]
    pub fn new(difference: &'a Difference, detail: Detail) -> Self {
        Self {
            destination: &difference.destination,
            from_run: difference.from,
            to_run: difference.to,
            runs: difference.runs,
            events: changes(&difference.events, detail),
        }
    }
}

/// What changed of an event.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventChangesView<'a> {
    /// The event.
    pub event: EventUuid,
    /// Its title, where the store knows it.
    pub title: Option<&'a str>,
    /// What happened to the event itself.
    pub changes: Vec<ChangeView>,
    /// How many attributes changed, by what happened to them.
    pub counts: BTreeMap<String, u64>,
    /// What happened to each attribute; not there with `--stat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Vec<AttributeChangeView<'a>>>,
}

fn changes(events: &[EventChanges], detail: Detail) -> Vec<EventChangesView<'_>> {
    events.iter().map(|event| event_changes(event, detail)).collect()
}

fn event_changes(event: &EventChanges, detail: Detail) -> EventChangesView<'_> {
    let counts = event.counts().into_iter();
    EventChangesView {
        event: event.event,
        title: event.title.as_deref(),
        changes: event.own.iter().map(ChangeView::from).collect(),
        counts: counts.map(|(word, count)| (named(word), count)).collect(),
        attributes: (detail != Detail::Counts)
            .then(|| event.attributes.iter().map(attribute_change).collect()),
    }
}

fn attribute_change(it: &AttributeChange) -> AttributeChangeView<'_> {
    let content = it.content.as_ref().map(|(kind, value)| (*kind, value));
    AttributeChangeView::new(it.uuid, content, &it.kind, it.instead.as_ref())
}
