//! A MISP that takes everything, and holds what the ledger says of it.

use std::collections::BTreeMap;

use crate::{
    delivery::{
        AttributeAnswer, AttributeResult, Call, EventAnswer, Indexed, Listed, Reply, TagRow,
        Tagged, TimedAttribute, Trouble, cost, rows,
    },
    model::EventUuid,
    plan::{DestinationRecord, EventPlan, KnownEvent, Row, Standing},
};

/// Headers of an answer in JSON, as MISP 2.5 sends them.
pub(super) const HEADERS: u64 = 415;
/// Headers of an answer to a search.
const SEARCH_HEADERS: u64 = 650;
/// A 304.
const NOT_MODIFIED: u64 = 487;
/// What MISP says of an event, its title and tags aside.
const EVENT: u64 = 775;
/// What it says of a tag.
pub(super) const TAG: u64 = 420;
/// What a minimal list says of an event.
pub(super) const LISTED: u64 = 249;
/// A row with the number of its event.
const NUMBERED_ROW: u64 = 56;
/// A row of a list, its type, value and tags aside; with those of somebody else, which are not known.
const LISTED_ROW: u64 = 61;
const OTHERS_ROW: u64 = 100;

/// A MISP that takes everything.
pub(super) struct Willing<'a> {
    record: &'a DestinationRecord,
    now: i64,
    events: BTreeMap<EventUuid, EventAnswer>,
    /// What it held before.
    plans: BTreeMap<EventUuid, &'a EventPlan>,
    /// Rows of events that are looked at, by MISP's number of them.
    numbered: BTreeMap<u64, (EventUuid, Vec<Row>)>,
    /// Rows that were added since to events whose list is not foretold.
    added: BTreeMap<EventUuid, Vec<Row>>,
    last_id: u64,
}

impl<'a> Willing<'a> {
    pub(super) fn new(record: &'a DestinationRecord, now: i64) -> Self {
        Self {
            record,
            now,
            events: BTreeMap::new(),
            plans: BTreeMap::new(),
            numbered: BTreeMap::new(),
            added: BTreeMap::new(),
            last_id: 1 << 20,
        }
    }

    /// Events that are looked at before anything else.
    pub(super) fn knows_events(&mut self, events: Vec<KnownEvent>) {
        let numbered = events.into_iter().filter_map(|event| {
            Some((event.head.misp_id?, (event.head.uuid, rows::expected(&event))))
        });
        self.numbered.extend(numbered);
    }

    /// An event that it holds.
    pub(super) fn knows(&mut self, plan: &'a EventPlan) {
        let head = &plan.event.head;
        if head.seen.goes_by_time(self.record.reorders()) {
            self.added.insert(head.uuid, Vec::new());
        }
        self.plans.insert(head.uuid, plan);
        let Some(id) = head.misp_id else { return };
        let carried = head.tags.iter().filter(|tag| head.tags.carries(&tag.name));
        let answer = EventAnswer {
            id,
            uuid: head.uuid,
            info: head.fields.info.clone(),
            date: head.fields.date.clone(),
            analysis: head.fields.analysis,
            timestamp: head.timestamp.unwrap_or(self.now),
            published: head.published == Some(true),
            publish_timestamp: None,
            orgc: self.record.org,
            attribute_count: None,
            tags: carried.map(|tag| tag.name.clone()).collect(),
        };
        self.events.insert(head.uuid, answer);
    }

    pub(super) fn answer(&mut self, call: &Call) -> (Reply, u64) {
        match call {
            Call::AddEvent(new) => {
                self.last_id += 1;
                let wanted = new.fields.tags.iter().chain(&new.settings.tags);
                let tags = wanted.filter(|tag| self.record.can_carry(tag)).cloned().collect();
                let event = EventAnswer {
                    id: self.last_id,
                    uuid: new.uuid,
                    info: new.fields.info.clone(),
                    date: new.fields.date.clone(),
                    analysis: new.fields.analysis,
                    timestamp: self.now,
                    published: false,
                    publish_timestamp: None,
                    orgc: self.record.org,
                    attribute_count: None,
                    tags,
                };
                self.events.insert(new.uuid, event);
                self.event(new.uuid)
            }
            Call::AppendQuietly { event, attributes } => {
                self.add(*event, attributes);
                self.event(*event)
            }
            Call::EditFields { event, edit, timestamp } => {
                if let Some(known) = self.events.get_mut(event) {
                    known.info = edit.info.clone().unwrap_or_else(|| known.info.clone());
                    known.date = edit.date.clone().unwrap_or_else(|| known.date.clone());
                    known.analysis = edit.analysis.unwrap_or(known.analysis);
                    known.timestamp = *timestamp;
                }
                self.event(*event)
            }
            Call::AppendLoudly { event, attributes } => {
                self.add(*event, attributes);
                echo(attributes)
            }
            Call::Rows { .. } | Call::TaggedRows { .. } => (Reply::NotModified, NOT_MODIFIED),
            Call::Metadata(event) => {
                let known = self.events.get(event).cloned();
                let bytes = known.as_ref().map_or(0, weight);
                (Reply::Metadata(known.map(Box::new)), SEARCH_HEADERS + bytes)
            }
            Call::AttachTag { event, attribute, tag } => {
                let event = self.events.get_mut(event).filter(|_| attribute.is_none());
                if let Some(known) = event {
                    known.tags.push(tag.clone());
                }
                (Reply::Done, HEADERS + 322)
            }
            Call::Publish(event) => {
                if let Some(known) = self.events.get_mut(event) {
                    known.published = true;
                }
                (Reply::Done, HEADERS + 154)
            }
            Call::Listing(event) => self.list(*event),
            Call::ChangedRows { event, since } => {
                let rows = self.rows(*event).into_iter().filter(|row| row.timestamp >= *since);
                changed(rows.map(|row| (0, row)))
            }
            Call::CountOf(event) => {
                let live = self.rows(*event).iter().filter(|row| !row.deleted).count();
                counted(live)
            }
            Call::RowsSince { events, since, only_deleted } => {
                let rows = events.iter().flat_map(|id| self.of_number(*id).map(|row| (*id, row)));
                let is_asked_for =
                    |row: &Row| row.timestamp >= *since && (row.deleted || !only_deleted);
                changed(rows.filter(|(_, row)| is_asked_for(row)))
            }
            // Nobody took a tag away.
            Call::CountTagged { of, .. } => counted(match of {
                Tagged::Attributes(them) => them.len(),
                Tagged::Events(them) => them.len(),
            }),
            Call::CountLive(events) => {
                let rows = events.iter().flat_map(|id| self.of_number(*id));
                let live = rows.filter(|row| !row.deleted).count();
                counted(live)
            }
            Call::WhichEvents(events) => {
                let there = events.iter().map(|uuid| {
                    let published = self.events.get(uuid).is_some_and(|event| event.published);
                    Indexed { event: *uuid, published, orgc: self.record.org }
                });
                (Reply::WhichEvents(there.collect()), HEADERS + LISTED * events.len() as u64)
            }
            Call::FindTags(tags) => {
                let row = |tag: &str| TagRow {
                    id: 1,
                    name: tag.into(),
                    org: 0,
                    user: 0,
                    exportable: true,
                    local_only: false,
                };
                (
                    Reply::Tags(tags.iter().map(|tag| row(tag)).collect()),
                    HEADERS + TAG * tags.len() as u64,
                )
            }
            _ => {
                let why = "it is asked what a run that goes well does not ask".into();
                (Reply::Trouble(Trouble::NotMisp { why }), HEADERS)
            }
        }
    }

    fn add(&mut self, event: EventUuid, attributes: &[TimedAttribute]) {
        if let Some(added) = self.added.get_mut(&event) {
            added.extend(attributes.iter().map(|timed| Row {
                uuid: timed.attribute.uuid,
                deleted: false,
                timestamp: timed.timestamp,
            }));
        }
    }

    fn of_number(&self, id: u64) -> impl Iterator<Item = Row> + '_ {
        self.numbered.get(&id).into_iter().flat_map(|(_, rows)| rows.iter().copied())
    }

    fn rows(&self, event: EventUuid) -> Vec<Row> {
        let looked_at = || self.numbered.values().find(|(uuid, _)| *uuid == event);
        let before = match self.plans.get(&event) {
            Some(plan) => Some(rows::expected(&plan.event)),
            None => looked_at().map(|(_, rows)| rows.clone()),
        };
        let added = self.added.get(&event).into_iter().flatten();
        before.into_iter().flatten().chain(added.copied()).collect()
    }

    /// What it held before the run: a list is asked for before anything is sent.
    fn list(&self, event: EventUuid) -> (Reply, u64) {
        let mut bytes = SEARCH_HEADERS;
        let mut listed = BTreeMap::new();
        let Some(plan) = self.plans.get(&event) else { return (Reply::Listing(vec![]), bytes) };
        for (order, row) in &plan.event.head.foreign {
            bytes += OTHERS_ROW;
            let (kind, value, tags) = ("".into(), "".into(), "".into());
            listed.insert(*order, Listed { row: *row, kind, value, tags });
        }
        for known in plan.event.attributes.values() {
            let (Some(order), Some(timestamp)) = (known.order, known.timestamp) else { continue };
            let it = &known.attribute;
            let deleted = known.standing == Standing::Declined;
            let row = Row { uuid: it.uuid, deleted, timestamp };
            let (kind, value, tags) = (it.kind.name(), it.value.as_str(), it.tags.join(","));
            bytes += LISTED_ROW + (kind.len() + value.len() + tags.len()) as u64;
            let (kind, value, tags) = (kind.into(), value.into(), tags.into());
            listed.insert(order, Listed { row, kind, value, tags });
        }
        (Reply::Listing(listed.into_values().collect()), bytes)
    }

    fn event(&self, event: EventUuid) -> (Reply, u64) {
        match self.events.get(&event) {
            Some(known) => (Reply::Event(Box::new(known.clone())), HEADERS + weight(known)),
            None => (Reply::Metadata(None), HEADERS),
        }
    }
}

/// Rows that changed, each with MISP's number of its event.
fn changed(rows: impl Iterator<Item = (u64, Row)>) -> (Reply, u64) {
    let found: Vec<(u64, Row)> = rows.collect();
    let bytes = SEARCH_HEADERS + NUMBERED_ROW * found.len() as u64;
    (Reply::RowsSince(found), bytes)
}

fn counted(number: usize) -> (Reply, u64) {
    let bytes = SEARCH_HEADERS + number.to_string().len() as u64;
    (Reply::Count(number as u64), bytes)
}

fn weight(event: &EventAnswer) -> u64 {
    let tags: u64 = event.tags.iter().map(|tag| cost::of_tag(tag)).sum();
    EVENT + event.info.len() as u64 + tags
}

fn echo(attributes: &[TimedAttribute]) -> (Reply, u64) {
    let mut bytes = HEADERS;
    let answer = |timed: &TimedAttribute| {
        let it = &timed.attribute;
        let tags: u64 = it.tags.iter().map(|tag| cost::of_tag(tag)).sum();
        bytes += cost::ECHO + (it.value.as_str().len() + it.comment.len()) as u64 + tags;
        let result = AttributeResult::Saved {
            timestamp: timed.timestamp,
            tags: it.tags.clone(),
            number: None,
        };
        AttributeAnswer { uuid: it.uuid, result }
    };
    let answers = attributes.iter().map(answer).collect();
    (Reply::Attributes(answers), bytes)
}
