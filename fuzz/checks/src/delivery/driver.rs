//! Drives a session as the agent does: updates to the ledger before a call leaves, answers in any order, a
//! clock that jumps to where the session waits.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};

use misp_trickle::{
    delivery::{
        Backoff, Call, Chunk, Concurrency, Manners, Reply, Report, Session, Step, Stop, Token,
        Window,
    },
    misp::attribute_uuid,
    model::{EventUuid, RunNumber, Timestamp},
    plan::{DestinationRecord, EventPlan, EventSettings, EventUpdate, KnownEvent, Standing},
};

use super::super::{fixtures::VERSION, plan::adds_up};

/// More steps than any conversation of a few attributes may take.
const STEPS_MAX: u32 = 4_000;

/// Who answers.
pub(crate) trait Server {
    fn answer(&mut self, call: &Call, input: &mut Unstructured<'_>) -> Result<Reply>;
}

/// What is known, as a ledger on disk would have it.
#[derive(Default)]
pub(crate) struct Known(pub(crate) BTreeMap<EventUuid, KnownEvent>);

impl Known {
    fn learn(&mut self, updates: impl IntoIterator<Item = EventUpdate>) {
        for EventUpdate { head, attributes, .. } in updates {
            let event = head.uuid;
            let known = self
                .0
                .entry(event)
                .or_insert_with(|| KnownEvent { head: head.clone(), attributes: BTreeMap::new() });
            known.head = head;
            for each in attributes {
                let of = &each.attribute;
                known.attributes.insert(attribute_uuid(event, of.kind, &of.value), each);
            }
        }
    }

    /// Before a call that writes leaves, all that it carries is written down as on its way.
    fn knows_of(&self, call: &Call) {
        let (event, attributes) = match call {
            Call::AddEvent(new) => (new.uuid, &new.attributes),
            Call::AppendQuietly { event, attributes }
            | Call::AppendLoudly { event, attributes } => (*event, attributes),
            _ => return,
        };
        let known = self.0.get(&event).expect("an intent is written before its request");
        assert!(known.head.unproven, "a request whose answer may be lost is marked");
        for sent in attributes {
            let of = &sent.attribute;
            let intent = known.attributes.get(&attribute_uuid(event, of.kind, &of.value));
            let intent = intent.expect("an intent is written before its request");
            assert_eq!(intent.standing, Standing::Pending, "{intent:?}");
            assert_eq!(intent.timestamp, Some(sent.timestamp), "{intent:?}");
            assert_eq!(intent.attribute, sent.attribute);
        }
    }
}

/// How a session is driven.
pub(crate) struct Drive {
    pub(crate) settings: EventSettings,
    pub(crate) concurrency: usize,
    pub(crate) chunk_max: usize,
    pub(crate) run: u64,
    /// MISP's time, as its answers told it before the run.
    pub(crate) misp_now: i64,
    /// The process dies at this step.
    pub(crate) dies_at: Option<u32>,
    /// Somebody asks it to stop at this step.
    pub(crate) stops_at: Option<u32>,
}

impl Drive {
    /// Carries plans out to their end; gives the reports, or nothing where it died.
    pub(crate) fn run(
        &self,
        plans: Vec<EventPlan>,
        known: &mut Known,
        server: &mut dyn Server,
        input: &mut Unstructured<'_>,
    ) -> Result<Option<Vec<Report>>> {
        let manners = Manners {
            settings: self.settings.clone(),
            org: Some(super::model::org()),
            version: VERSION.into(),
            backoff: Backoff { base_ms: 1, max_ms: 5, tries_max: 3, seed: 1 },
            run: RunNumber(self.run),
            misp_now: self.misp_now,
            only_looks: false,
        };
        let chunk = Chunk::new(None, self.chunk_max);
        let window = Window::new(Concurrency::Fixed(self.concurrency), None);
        let mut session = Session::new(manners, DestinationRecord::default(), window, chunk);
        let mut offered: Vec<EventUuid> = Vec::new();
        for plan in plans {
            offered.push(plan.event.head.uuid);
            session.offer(plan);
        }
        session.no_more();
        let mut flights: Vec<(Token, Call)> = Vec::new();
        let mut now = Timestamp::from_seconds(0);
        let mut reports = Vec::new();
        for step in 0.. {
            assert!(step < STEPS_MAX, "the conversation does not end");
            if self.stops_at == Some(step) {
                session.stop(Stop::Interrupted);
            }
            let mut calls = Vec::new();
            let pause = loop {
                match session.next(now) {
                    Step::Send(token, call) => calls.push((token, call)),
                    pause => break pause,
                }
            };
            assert!(calls.is_empty() || self.stops_at.is_none_or(|stop| step < stop));
            if self.dies_at == Some(step) && input.arbitrary()? {
                return Ok(None);
            }
            for mut report in session.take_reports() {
                known.learn(report.update.take());
                reports.push(report);
            }
            known.learn(session.take_updates());
            calls.iter().for_each(|(_, call)| known.knows_of(call));
            flights.extend(calls);
            one_writer(&flights);
            if self.dies_at == Some(step) {
                for (_, call) in &flights {
                    if input.arbitrary()? {
                        server.answer(call, input)?;
                    }
                }
                return Ok(None);
            }
            match pause {
                Step::Done => break,
                Step::Wait(until) if flights.is_empty() => now = now.max(until),
                Step::Idle if flights.is_empty() => panic!("it waits for an answer to nothing"),
                _ => {
                    let at = input.int_in_range(0..=flights.len() - 1)?;
                    let (token, call) = flights.swap_remove(at);
                    session.on_reply(token, server.answer(&call, input)?, now);
                }
            }
        }
        assert!(flights.is_empty(), "it ends with requests under way");
        let mut told: Vec<EventUuid> =
            reports.iter().map(|report| report.event.head.uuid).collect();
        told.sort();
        offered.sort();
        assert_eq!(told, offered, "every event is reported once");
        reports.iter().for_each(|report| adds_up(&report.tally));
        Ok(Some(reports))
    }
}

/// Never two requests for one event, where one of them writes.
fn one_writer(flights: &[(Token, Call)]) {
    let mut busy = std::collections::BTreeSet::new();
    for (_, call) in flights {
        let events = match call {
            Call::AddEvent(new) => vec![new.uuid],
            Call::AppendQuietly { event, .. }
            | Call::AppendLoudly { event, .. }
            | Call::EditFields { event, .. }
            | Call::AttachTag { event, .. } => vec![*event],
            Call::ChangedRows { event, .. } => vec![*event],
            Call::Publish(event)
            | Call::Listing(event)
            | Call::Metadata(event)
            | Call::CountOf(event) => vec![*event],
            Call::Rows { events, .. } | Call::WhichEvents(events) => events.clone(),
            Call::Version => Vec::new(),
            other => panic!("a session asks no such thing: {other:?}"),
        };
        assert!(events.into_iter().all(|event| busy.insert(event)), "two requests for one event");
    }
}
