//! Events in a list.

use serde::Serialize;

use crate::{
    history::query::EventsPage,
    model::{DestinationName, EventUuid},
};

use super::why::{HeadView, head};

/// `/events.json`: some events of a destination.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/events/1")]
pub struct EventsAnswer<'a> {
    /// The destination.
    pub destination: &'a DestinationName,
    /// The events, by UUID.
    pub events: Vec<HeadView<'a>>,
    /// How many of all are not shown, as they are marked stricter.
    pub not_shown: u64,
    /// The next part has those behind this one (`after`); none if there is none behind.
    pub next: Option<EventUuid>,
}

impl<'a> EventsAnswer<'a> {
    /// The answer.
    #[must_use]
    pub fn new(destination: &'a DestinationName, page: &'a EventsPage) -> Self {
        let events = page.events.iter().map(head).collect();
        Self { destination, events, not_shown: page.hidden, next: page.next }
    }
}
