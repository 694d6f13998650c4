//! How things stand at a destination now.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::{ChangeKind, RunRecord},
    misp::{AttributeType, Value},
    model::{AttributeUuid, DestinationName, EventUuid, FeedName},
    plan::{DestinationRecord, ExposedReason, KnownEvent, Presence, Publishing},
};

use super::{Ledger, LedgerError, Phrase, RunFilter};

/// How things stand at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The destination.
    pub destination: DestinationName,
    /// What is known of the MISP itself, once it was reached.
    pub record: Option<DestinationRecord>,
    /// Its newest run.
    pub last_run: Option<RunRecord>,
    /// Events by the word for their presence.
    pub events: BTreeMap<&'static str, u64>,
    /// Events of which something is pending, held or to be tried again.
    pub unsettled: u64,
    /// Attributes by the word for their standing, each once.
    pub attributes: BTreeMap<&'static str, u64>,
    /// Attributes in MISP that no feed wants any more; those superseded not counted.
    pub retired: u64,
    /// Attributes in MISP whose place another one took.
    pub superseded: u64,
    /// Attributes and events of which the dataset says something else than MISP, when last planned.
    pub drifted: u64,
    /// What is in MISP although policy would deny it now.
    pub exposed: Vec<Exposure>,
    /// Tags that MISP did not take.
    pub refused_tags: Vec<RefusedTag>,
    /// Removals that wait for somebody's word, for each feed whose newest run says so: why, and what to do.
    pub removals_wait: Vec<(FeedName, Box<str>)>,
    /// Events that MISP took the request to publish of, and does not show as published yet.
    pub publishing: u64,
    /// Events that are to be published and are not.
    pub unpublished: Vec<Unpublished>,
}

/// Events that are to be published and are not, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpublished {
    /// Why, a lower-case fragment.
    pub why: Box<str>,
    /// How many.
    pub events: u64,
    /// The first of them, and its title.
    pub first: (EventUuid, Box<str>),
}

/// A tag that MISP did not take, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedTag {
    /// The tag.
    pub tag: Box<str>,
    /// Why, a lower-case fragment.
    pub why: Box<str>,
    /// The events that lack it.
    pub events: u64,
    /// The first of them, and its title.
    pub first: (EventUuid, Box<str>),
}

/// Something in MISP that policy would deny now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// The event.
    pub event: EventUuid,
    /// Its title.
    pub title: Box<str>,
    /// The attribute, if it is not the event itself.
    pub attribute: Option<(AttributeUuid, Option<(AttributeType, Value)>)>,
    /// Why, with what to do by hand.
    pub why: ExposedReason,
}

/// How things stand at a destination. Reads every event of it, one at a time.
///
/// # Errors
/// If the ledger cannot be read.
pub fn status(ledger: &dyn Ledger, destination: &DestinationName) -> Result<Status, LedgerError> {
    let mut status = Status::begun(ledger, destination, &ledger.runs()?)?;
    let mut untold = BTreeSet::new();
    for head in ledger.heads(destination)? {
        let Some(event) = ledger.event(destination, head.uuid)? else { continue };
        let one = EventStatus::of(destination, &event);
        status.add(&one.status);
        untold.extend(one.is_untold.then_some(head.uuid));
    }
    status.exposed.extend(exposures(ledger, destination, &untold)?);
    Ok(status)
}

/// What one event adds.
#[derive(Debug)]
pub(super) struct EventStatus {
    pub(super) status: Status,
    /// It is exposed, and only the history tells how: an earlier release wrote it down there alone.
    pub(super) is_untold: bool,
}

impl EventStatus {
    pub(super) fn of(destination: &DestinationName, event: &KnownEvent) -> Self {
        let mut status = Status::of(destination);
        status.count(event);
        status.expose(event);
        status.publish(event);
        let is_exposed = event.head.feeds.values().any(|feed| feed.attributes.exposed > 0);
        Self { is_untold: is_exposed && status.exposed.is_empty(), status }
    }
}

impl Status {
    /// Before an event was counted.
    fn of(destination: &DestinationName) -> Self {
        Self {
            destination: destination.clone(),
            record: None,
            last_run: None,
            events: BTreeMap::new(),
            unsettled: 0,
            attributes: BTreeMap::new(),
            retired: 0,
            superseded: 0,
            drifted: 0,
            exposed: Vec::new(),
            refused_tags: Vec::new(),
            removals_wait: Vec::new(),
            publishing: 0,
            unpublished: Vec::new(),
        }
    }

    /// What is known without a look at events, by all runs, newest first.
    pub(super) fn begun(
        ledger: &dyn Ledger,
        destination: &DestinationName,
        runs: &[RunRecord],
    ) -> Result<Self, LedgerError> {
        let newest = |feed| {
            let filter = RunFilter { feed, destination: Some(destination.clone()) };
            runs.iter().find(|run| filter.takes(run))
        };
        let record = ledger.destination(destination)?;
        let feeds = record.iter().flat_map(DestinationRecord::named_feeds);
        let waits = feeds.filter_map(|feed| {
            let why = newest(Some(feed.clone()))?.removals_wait()?;
            Some((feed.clone(), why.into()))
        });
        let removals_wait = waits.collect();
        Ok(Self { last_run: newest(None).cloned(), removals_wait, record, ..Self::of(destination) })
    }

    /// What was counted of other events.
    pub(super) fn add(&mut self, more: &Self) {
        for (word, count) in &more.events {
            *self.events.entry(word).or_default() += count;
        }
        for (word, count) in &more.attributes {
            *self.attributes.entry(word).or_default() += count;
        }
        self.unsettled += more.unsettled;
        self.retired += more.retired;
        self.superseded += more.superseded;
        self.drifted += more.drifted;
        self.publishing += more.publishing;
        self.exposed.extend_from_slice(&more.exposed);
        for one in &more.refused_tags {
            let same = |it: &&mut RefusedTag| it.tag == one.tag && it.why == one.why;
            match self.refused_tags.iter_mut().find(same) {
                Some(known) => known.events += one.events,
                None => self.refused_tags.push(one.clone()),
            }
        }
        for one in &more.unpublished {
            match self.unpublished.iter_mut().find(|it| it.why == one.why) {
                Some(known) => known.events += one.events,
                None => self.unpublished.push(one.clone()),
            }
        }
    }

    fn expose(&mut self, event: &KnownEvent) {
        for (uuid, known) in &event.attributes {
            let Some(why) = &known.exposed else { continue };
            let attribute = &known.attribute;
            self.exposed.push(Exposure {
                event: event.head.uuid,
                title: event.head.fields.info.clone(),
                attribute: Some((*uuid, Some((attribute.kind, attribute.value.clone())))),
                why: why.clone(),
            });
        }
        for (tag, why, _) in event.head.tags.refused().filter(|_| !event.head.is_left()) {
            let first = (event.head.uuid, event.head.fields.info.clone());
            let (tag, why) = (tag.into(), why.into());
            self.refused_tags.push(RefusedTag { tag, why, events: 1, first });
        }
    }

    fn publish(&mut self, event: &KnownEvent) {
        let head = &event.head;
        if head.presence != Presence::Present {
            return;
        }
        self.publishing += u64::from(head.publishing == Publishing::Asked);
        let Some(why) = head.publishing.unpublished().filter(|_| !head.is_left()) else { return };
        let first = (head.uuid, head.fields.info.clone());
        self.unpublished.push(Unpublished { why: why.into(), events: 1, first });
    }

    fn count(&mut self, event: &KnownEvent) {
        *self.events.entry(Phrase::from(&event.head.presence).word).or_default() += 1;
        let feeds = event.head.feeds.values();
        self.unsettled += u64::from(feeds.clone().any(|feed| !feed.settled));
        self.drifted += feeds.map(|feed| feed.attributes.drifted).sum::<u64>();
        for known in event.attributes.values() {
            *self.attributes.entry(Phrase::from(&known.standing).word).or_default() += 1;
            if known.standing.is_in_misp() && known.superseded_by.is_some() {
                self.superseded += 1;
            } else if known.standing.is_in_misp() && known.wanted.is_empty() {
                self.retired += 1;
            }
        }
    }
}

/// The exposures that the history tells of these events: each was written down once.
pub(super) fn exposures(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    events: &BTreeSet<EventUuid>,
) -> Result<Vec<Exposure>, LedgerError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut told: BTreeMap<(EventUuid, Option<AttributeUuid>), ExposedReason> = BTreeMap::new();
    let runs = ledger.runs()?;
    for run in runs.iter().rev().filter(|run| run.destination == *destination) {
        for change in ledger.changes(run.number)? {
            let subject = (change.event, change.attribute);
            match change.kind {
                ChangeKind::Exposed(why) if events.contains(&change.event) => {
                    told.insert(subject, why);
                }
                ChangeKind::Declined | ChangeKind::ExposureEnded(_) => {
                    told.remove(&subject);
                }
                _ => {}
            }
        }
    }
    let mut exposures = Vec::new();
    for uuid in events {
        let Some(event) = ledger.event(destination, *uuid)? else { continue };
        let of_event = told.range((*uuid, None)..).take_while(|((event, _), _)| event == uuid);
        for ((_, attribute), why) in of_event {
            let content = |uuid: &AttributeUuid| {
                let known = &event.attributes.get(uuid)?.attribute;
                Some((known.kind, known.value.clone()))
            };
            exposures.push(Exposure {
                event: *uuid,
                title: event.head.fields.info.clone(),
                attribute: attribute.map(|uuid| (uuid, content(&uuid))),
                why: why.clone(),
            });
        }
    }
    Ok(exposures)
}
