//! How things stand at each destination.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{
    history::{
        Outcome, Pull, RunRecord,
        query::{Exposure, RefusedTag, Status, Unpublished},
    },
    misp::{AttributeType, Value},
    model::{AttributeUuid, DestinationName, EventUuid, FeedName, Timestamp},
};

use super::state::Because;

/// `status`: how things stand at each destination.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/status/2")]
pub struct StatusAnswer<'a> {
    /// The destinations that the store knows, or the one that was asked for.
    pub destinations: Vec<DestinationStatus<'a>>,
    /// Each feed at each destination: those of the configuration, then those that only the store knows.
    pub routes: &'a [RouteStatus],
    /// The feeds of these routes whose source is pulled.
    pub feeds: &'a [FeedStatus],
}

impl<'a> StatusAnswer<'a> {
    /// The answer.
    #[must_use]
    pub fn new(found: &'a [Status], routes: &'a [RouteStatus], feeds: &'a [FeedStatus]) -> Self {
        Self { destinations: found.iter().map(destination).collect(), routes, feeds }
    }
}

/// When the source of one feed was last pulled.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FeedStatus {
    /// The feed.
    pub feed: FeedName,
    /// The last pull of it that any run rested on.
    pub last_pull: Option<Pull>,
    /// How many seconds ago that began.
    pub pull_age_seconds: Option<u64>,
    /// When the last of them began that did not fail.
    pub last_good_pull: Option<Timestamp>,
    /// How many seconds ago that was.
    pub good_pull_age_seconds: Option<u64>,
}

/// When one feed was last delivered to one destination.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RouteStatus {
    /// The feed.
    pub feed: FeedName,
    /// The destination.
    pub destination: DestinationName,
    /// Whether the configuration has it.
    pub is_configured: bool,
    /// When a run of it last came to its end, with everything delivered or accounted for.
    pub last_success: Option<Timestamp>,
    /// How many seconds ago that was.
    pub age_seconds: Option<u64>,
    /// When its last attempt ended, or began where no end is recorded.
    pub last_attempt: Option<Timestamp>,
    /// How its last attempt ended.
    pub last_outcome: Option<Outcome>,
    /// How many attempts in a row failed.
    pub failures: u64,
    /// The destination's URL in the configuration, where it is a new one at which MISP was not asked yet.
    pub new_url: Option<String>,
    /// Why it does not run by itself, if it does not.
    pub held: Option<Held>,
    /// When it runs next by itself, or should have begun to; only while a daemon has the store.
    pub next_run: Option<Timestamp>,
    /// The last pull of the feed's source that a run here rested on, if the source is pulled.
    pub last_pull: Option<Pull>,
    /// How many seconds ago that began.
    pub pull_age_seconds: Option<u64>,
}

/// Why a route does not run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// Somebody paused it.
    Paused,
    /// It never ran, and somebody is to let it.
    FirstRun,
}

impl RouteStatus {
    /// Whether the last success of a configured route is longer ago, or there was none, or it lies in the future: then
    /// nobody knows.
    #[must_use]
    pub fn is_late(&self, max_age: Option<Duration>) -> bool {
        let Some(max_age) = max_age else { return false };
        self.is_configured && self.age_seconds.is_none_or(|age| age > max_age.as_secs())
    }
}

/// How things stand at one destination.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DestinationStatus<'a> {
    /// The destination.
    pub destination: &'a DestinationName,
    /// Its URL in the last run, once MISP was asked who it is.
    pub url: Option<&'a str>,
    /// MISP's version then.
    pub misp_version: Option<&'a str>,
    /// The newest run.
    pub last_run: Option<&'a RunRecord>,
    /// Events by presence.
    pub events: &'a BTreeMap<&'static str, u64>,
    /// Events with something pending, held or to be tried again.
    pub events_unsettled: u64,
    /// Events that MISP took the request to publish, and does not show as published yet.
    pub events_publishing: u64,
    /// Attributes by standing.
    pub attributes: &'a BTreeMap<&'static str, u64>,
    /// Attributes that left the dataset.
    pub retired: u64,
    /// Attributes whose place another value took.
    pub superseded: u64,
    /// Attributes of which the dataset says something else than MISP holds.
    pub drifted: u64,
    /// What must not be in MISP as it is.
    pub exposed: Vec<ExposureView<'a>>,
    /// Removals that wait for somebody's word.
    pub removals_wait: Vec<RemovalsView<'a>>,
    /// Tags that MISP did not take.
    pub refused_tags: Vec<RefusedTagView<'a>>,
    /// Why events stay unpublished.
    pub unpublished: Vec<UnpublishedView<'a>>,
}

/// Removals of one feed that wait for somebody's word.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RemovalsView<'a> {
    /// The feed.
    pub feed: &'a str,
    /// Why they wait, and what to do.
    pub why: &'a str,
}

/// Something that must not be in MISP as it is: an attribute, or a whole event.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExposureView<'a> {
    /// The event.
    pub event: EventUuid,
    /// Its title.
    pub title: &'a str,
    /// The attribute; none where it is the event.
    pub uuid: Option<AttributeUuid>,
    /// The attribute's type in MISP.
    #[serde(rename = "type")]
    pub kind: Option<AttributeType>,
    /// The attribute's value.
    pub value: Option<&'a Value>,
    /// Why.
    #[serde(flatten)]
    pub because: Because,
}

/// A tag that MISP did not take.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RefusedTagView<'a> {
    /// The tag.
    pub tag: &'a str,
    /// Why.
    pub detail: &'a str,
    /// How many events lack it.
    pub event_count: u64,
    /// One of them.
    pub first_event: EventUuid,
    /// Its title.
    pub first_title: &'a str,
}

/// Why events stay unpublished that are to be published.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnpublishedView<'a> {
    /// Why.
    pub detail: &'a str,
    /// How many events.
    pub event_count: u64,
    /// One of them.
    pub first_event: EventUuid,
    /// Its title.
    pub first_title: &'a str,
}

fn destination(status: &Status) -> DestinationStatus<'_> {
    let record = status.record.as_ref();
    DestinationStatus {
        destination: &status.destination,
        url: record.map(|record| &*record.url),
        misp_version: record.map(|record| &*record.version),
        last_run: status.last_run.as_ref(),
        events: &status.events,
        events_unsettled: status.unsettled,
        events_publishing: status.publishing,
        attributes: &status.attributes,
        retired: status.retired,
        superseded: status.superseded,
        drifted: status.drifted,
        exposed: status.exposed.iter().map(exposure).collect(),
        removals_wait: status
            .removals_wait
            .iter()
            .map(|(feed, why)| RemovalsView { feed: feed.as_str(), why })
            .collect(),
        refused_tags: status.refused_tags.iter().map(refused_tag).collect(),
        unpublished: status.unpublished.iter().map(unpublished).collect(),
    }
}

fn exposure(it: &Exposure) -> ExposureView<'_> {
    let content = it.attribute.as_ref().and_then(|(_, content)| content.as_ref());
    ExposureView {
        event: it.event,
        title: &it.title,
        uuid: it.attribute.as_ref().map(|(uuid, _)| *uuid),
        kind: content.map(|(kind, _)| *kind),
        value: content.map(|(_, value)| value),
        because: (&it.why).into(),
    }
}

fn refused_tag(it: &RefusedTag) -> RefusedTagView<'_> {
    RefusedTagView {
        tag: &it.tag,
        detail: &it.why,
        event_count: it.events,
        first_event: it.first.0,
        first_title: &it.first.1,
    }
}

fn unpublished(it: &Unpublished) -> UnpublishedView<'_> {
    UnpublishedView {
        detail: &it.why,
        event_count: it.events,
        first_event: it.first.0,
        first_title: &it.first.1,
    }
}
