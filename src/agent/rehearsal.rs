//! What a run would cost: the very conversations that a run would have, with a MISP that takes everything. Nothing
//! is sent, and nothing of it is kept.

use std::collections::{BTreeMap, VecDeque};

use crate::{
    delivery::{
        AttributeAnswer, AttributeResult, Call, Chunk, Estimate, EventAnswer, Indexed, Manners,
        Reply, Session, Step, TagRow, TimedAttribute, Token, Trouble, WHICH_EVENTS_MAX, cost,
    },
    model::{EventUuid, RunNumber, Timestamp},
    plan::{DestinationRecord, EventHead, EventPlan},
};

use super::{Job, planner::misp_now};

/// Headers of an answer in JSON, as MISP 2.5 sends them.
const HEADERS: u64 = 415;
/// Headers of an answer to a search.
const SEARCH_HEADERS: u64 = 650;
/// A 304.
const NOT_MODIFIED: u64 = 487;
/// What MISP says of an event, its title and tags aside.
const EVENT: u64 = 775;
/// The answers to what a run asks before its first request: version, who we are, a tag.
const VERSION: u64 = 700;
const WHOAMI: u64 = 2_700;
const TAG: u64 = 420;
/// What a minimal list says of an event.
const LISTED: u64 = 249;
/// No rows.
const PROBE: u64 = 760;
/// More steps than a conversation that goes well takes, for each event and each thousand attributes.
const STEPS_MAX: usize = 64;

/// A MISP that takes everything.
struct Willing<'a> {
    record: &'a DestinationRecord,
    now: i64,
    events: BTreeMap<EventUuid, EventAnswer>,
    last_id: u64,
}

/// What carrying out these plans costs if nothing goes wrong, events included that are `due` to be looked at.
/// `weigh` says what a request weighs.
pub(super) fn rehearse(
    job: &Job,
    record: &DestinationRecord,
    plans: &[EventPlan],
    due: Vec<EventUuid>,
    (run, now): (RunNumber, Timestamp),
    weigh: &dyn Fn(&Call) -> u64,
) -> Estimate {
    let manners = Manners {
        settings: job.settings.clone(),
        org: record.org,
        version: record.version.as_str().into(),
        backoff: job.backoff,
        run,
        misp_now: misp_now(record, now),
    };
    let learned = usize::try_from(record.chunk_max).ok().filter(|most| *most > 0);
    let chunk = Chunk::new(learned, job.chunk_max);
    let mut session = Session::new(manners, record.clone(), job.concurrency, chunk);
    let mut misp =
        Willing { record, now: misp_now(record, now), events: BTreeMap::new(), last_id: 1 << 20 };
    let mut waiting: VecDeque<&EventPlan> = plans.iter().filter(|plan| plan.needs_misp()).collect();
    let sends: usize = waiting.iter().map(|plan| plan.send.len()).sum();
    let steps = STEPS_MAX * (1 + waiting.len() + sends / 100);
    let (mut cost, mut now) = (Estimate::default(), now);
    let mut flights: VecDeque<(Token, Call)> = VecDeque::new();
    let (mut shown_honest, mut published) = (false, Vec::new());
    if !due.is_empty() {
        let call = Call::Rows { events: due, expected: Vec::new() };
        cost.add(1, weigh(&call), NOT_MODIFIED);
        cost.add(1, weigh(&Call::Probe), PROBE);
        shown_honest = true;
    }
    for _ in 0..steps {
        while session.has_room()
            && let Some(plan) = waiting.pop_front()
        {
            misp.knows(&plan.event.head);
            session.offer(plan.clone());
        }
        if waiting.is_empty() {
            session.no_more();
        }
        match session.next(now) {
            Step::Send(token, call) => {
                cost.add(1, weigh(&call), 0);
                flights.push_back((token, call));
                continue;
            }
            Step::Done => break,
            Step::Wait(until) if flights.is_empty() => now = now.max(until),
            Step::Wait(_) | Step::Idle => {}
        }
        // What it learned and what became of it is nobody's business.
        drop((session.take_effects(), session.take_reports()));
        if let Some((token, call)) = flights.pop_front() {
            let (reply, bytes) = misp.answer(&call);
            // The first 304 counts from a MISP that answered a tag that nothing has: where none did, it is asked.
            if matches!(call, Call::Rows { .. }) && !shown_honest {
                cost.add(1, weigh(&Call::Probe), PROBE);
                shown_honest = true;
            }
            shown_honest |= call.has_false_tag();
            if let Call::Publish(event) = call {
                published.push(event);
            }
            cost.add(0, 0, bytes);
            session.on_reply(token, reply, now);
        }
    }
    // Whether they are published by then is asked at the end.
    for events in published.chunks(WHICH_EVENTS_MAX) {
        let call = Call::WhichEvents(events.to_vec());
        cost.add(1, weigh(&call), HEADERS + LISTED * events.len() as u64);
    }
    cost
}

/// What a run asks before its first request.
pub(super) fn preface(
    tags: usize,
    learns: bool,
    hears: bool,
    weigh: &dyn Fn(&Call) -> u64,
) -> Estimate {
    let mut cost = Estimate::default();
    if learns || hears {
        cost.add(1, weigh(&Call::Version), VERSION);
    }
    if learns {
        cost.add(1, weigh(&Call::Whoami), WHOAMI);
        let names = (0..tags.max(1)).map(|_| "tlp:colour".into()).collect();
        cost.add(1, weigh(&Call::FindTags(names)), HEADERS + tags as u64 * TAG);
    }
    cost
}

impl Willing<'_> {
    /// An event that it holds.
    fn knows(&mut self, head: &EventHead) {
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

    fn answer(&mut self, call: &Call) -> (Reply, u64) {
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
            Call::AppendQuietly { event, .. } => self.event(*event),
            Call::EditFields { event, edit, timestamp } => {
                if let Some(known) = self.events.get_mut(event) {
                    known.info = edit.info.clone().unwrap_or_else(|| known.info.clone());
                    known.date = edit.date.clone().unwrap_or_else(|| known.date.clone());
                    known.analysis = edit.analysis.unwrap_or(known.analysis);
                    known.timestamp = *timestamp;
                }
                self.event(*event)
            }
            Call::AppendLoudly { attributes, .. } => echo(attributes),
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
            Call::Listing(_) => (Reply::Listing(Vec::new()), SEARCH_HEADERS),
            Call::CountLive(_) | Call::CountTagged { .. } => (Reply::Count(0), SEARCH_HEADERS),
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

    fn event(&self, event: EventUuid) -> (Reply, u64) {
        match self.events.get(&event) {
            Some(known) => (Reply::Event(Box::new(known.clone())), HEADERS + weight(known)),
            None => (Reply::Metadata(None), HEADERS),
        }
    }
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
        let result = AttributeResult::Saved { timestamp: timed.timestamp, tags: it.tags.clone() };
        AttributeAnswer { uuid: it.uuid, result }
    };
    let answers = attributes.iter().map(answer).collect();
    (Reply::Attributes(answers), bytes)
}
