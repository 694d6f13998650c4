//! The way to the model and back, which loses, repeats, delays and reorders; and an analyst.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};
use uuid::Uuid;

use misp_trickle::{
    delivery::{AttributeResult, Call, Reply, TimedAttribute, Trouble},
    model::{AttributeUuid, EventUuid},
    plan::Row,
};

use super::{
    Named,
    driver::Server,
    model::{Held, Model},
};

/// A model behind a bad line.
pub(super) struct Faulty {
    pub(super) model: Model,
    /// Attributes that an analyst deleted.
    pub(super) removed: BTreeSet<AttributeUuid>,
    /// Those of them that an answer has shown as deleted, or left out.
    pub(super) told: BTreeSet<AttributeUuid>,
    removed_of: BTreeSet<Named>,
    removed_values: BTreeSet<(EventUuid, String)>,
    /// Attributes that an analyst made.
    made: u128,
    /// Comments that an analyst wrote.
    comments: BTreeMap<AttributeUuid, String>,
    /// What was sent of each attribute, the first time.
    sent: BTreeMap<Named, TimedAttribute>,
    /// Requests that are still on their way although nobody waits for them.
    late: Vec<Call>,
    calm: bool,
    /// Faults so far: a line that never works would keep everybody waiting for ever.
    faults: u32,
}

/// What can go wrong with one exchange.
#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    LostBefore,
    LostBeforeUnknown,
    LostAfter,
    Late,
    Twice,
    WrongKind,
    TooMany,
    ServerError,
    /// Something before it answers with a page of its own, perhaps after it did what it was asked for.
    NotMisp,
    Busy,
}

const FAULTS: [Fault; 18] = [
    Fault::None,
    Fault::None,
    Fault::None,
    Fault::None,
    Fault::None,
    Fault::None,
    Fault::None,
    Fault::LostBefore,
    Fault::LostBeforeUnknown,
    Fault::LostAfter,
    Fault::LostAfter,
    Fault::Late,
    Fault::Twice,
    Fault::WrongKind,
    Fault::TooMany,
    Fault::ServerError,
    Fault::NotMisp,
    Fault::Busy,
];

impl Faulty {
    pub(super) fn before(model: Model) -> Self {
        Self {
            model,
            removed: BTreeSet::new(),
            told: BTreeSet::new(),
            removed_of: BTreeSet::new(),
            removed_values: BTreeSet::new(),
            made: 0,
            comments: BTreeMap::new(),
            sent: BTreeMap::new(),
            late: Vec::new(),
            calm: false,
            faults: 0,
        }
    }

    /// From now on everything arrives, once and at once.
    pub(super) fn calm(&mut self) {
        for call in std::mem::take(&mut self.late) {
            self.model.handle(&call);
        }
        self.calm = true;
    }

    pub(super) const fn is_calm(&self) -> bool {
        self.calm
    }

    pub(super) fn was_removed(&self, event: EventUuid, value: &str) -> bool {
        self.removed_values.contains(&(event, value.to_owned()))
    }

    /// What no fault excuses: an analyst's word stands, and a value is there once by us.
    pub(super) fn untouched(&self) {
        for (event, stored) in &self.model.events {
            let mut values = BTreeSet::new();
            for held in stored.rows.iter().filter(|held| held.ours) {
                assert!(values.insert((&held.kind, &held.value)), "{held:?} twice in {event}");
                if let Some(comment) = self.comments.get(&held.uuid) {
                    assert_eq!(*comment, held.comment, "an analyst was overruled: {held:?}");
                }
            }
        }
    }

    /// No request holds the same thing twice, and what was sent before is sent again as it was.
    fn note(&mut self, call: &Call) {
        let (event, attributes) = match call {
            Call::AddEvent(new) => (new.uuid, &new.attributes),
            Call::AppendQuietly { event, attributes }
            | Call::AppendLoudly { event, attributes } => (*event, attributes),
            _ => return,
        };
        let uuids: BTreeSet<_> = attributes.iter().map(|each| each.attribute.uuid).collect();
        let values: BTreeSet<_> = attributes
            .iter()
            .map(|each| (each.attribute.kind.name(), each.attribute.value.as_str()))
            .collect();
        assert!(uuids.len() == attributes.len() && values.len() == attributes.len(), "{call:?}");
        assert!(!attributes.is_empty() || matches!(call, Call::AddEvent(_)), "an empty request");
        for each in attributes {
            let first =
                self.sent.entry((event, each.attribute.uuid)).or_insert_with(|| each.clone());
            assert_eq!(first, each, "a repeat carries the same bytes");
        }
    }

    fn forget_refused(&mut self, call: &Call, reply: &Reply) {
        if let (Call::AppendLoudly { event, .. }, Reply::Attributes(answers)) = (call, reply) {
            for answer in answers {
                if matches!(answer.result, AttributeResult::Refused(_) | AttributeResult::Similar) {
                    self.sent.remove(&(*event, answer.uuid));
                }
            }
        }
    }

    /// An answer about one event shows what is left of it.
    fn note_told(&mut self, call: &Call, reply: &Reply) {
        match (call, reply) {
            (Call::Listing(event), Reply::Listing(listed)) => {
                self.shown(*event, &live(listed.iter().map(|listed| &listed.row)));
            }
            (Call::Rows { events, .. }, Reply::Rows(rows)) if events.len() == 1 => {
                self.shown(events[0], &live(rows.iter()));
            }
            (Call::Rows { expected, .. }, Reply::NotModified) => {
                let live = live(expected.iter());
                self.told.retain(|uuid| !live.contains(uuid));
            }
            (_, Reply::Attributes(answers)) => {
                for answer in answers {
                    if matches!(answer.result, AttributeResult::Saved { .. }) {
                        self.told.remove(&answer.uuid);
                    }
                }
            }
            _ => {}
        }
    }

    fn shown(&mut self, event: EventUuid, live: &BTreeSet<AttributeUuid>) {
        let removed = self.removed_of.iter().filter(|(of, _)| *of == event).map(|(_, uuid)| *uuid);
        self.told.extend(removed);
        self.told.retain(|uuid| !live.contains(uuid));
    }

    /// Somebody works on the events, too.
    pub(super) fn analyst(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        if self.model.events.is_empty() || !input.ratio(1, 2)? {
            return Ok(());
        }
        let events: Vec<EventUuid> = self.model.events.keys().copied().collect();
        let event = *input.choose(&events)?;
        self.model.now += 1;
        let now = self.model.now;
        let stored = self.model.events.get_mut(&event).expect("chosen from what is there");
        if stored.rows.is_empty() || input.ratio(1, 4)? {
            // MISP has no UUID twice.
            self.made += 1;
            stored.rows.push(Held {
                uuid: AttributeUuid::new(Uuid::from_u128(self.made)),
                kind: "domain".to_owned(),
                value: super::value(input)?,
                comment: String::new(),
                tags: String::new(),
                deleted: false,
                timestamp: now,
                ours: false,
            });
            return Ok(());
        }
        let at = input.int_in_range(0..=stored.rows.len() - 1)?;
        match input.int_in_range(0..=2_u8)? {
            0 if !stored.rows[at].deleted => {
                let held = &mut stored.rows[at];
                (held.deleted, held.timestamp) = (true, now);
                self.removed.insert(held.uuid);
                self.removed_of.insert((event, held.uuid));
                self.removed_values.insert((event, held.value.clone()));
                self.comments.remove(&held.uuid);
            }
            1 => {
                let held = stored.rows.remove(at);
                self.removed.insert(held.uuid);
                self.removed_of.insert((event, held.uuid));
                self.removed_values.insert((event, held.value));
                self.comments.remove(&held.uuid);
            }
            _ => {
                let held = &mut stored.rows[at];
                held.comment = format!("analyst at {now}");
                held.timestamp = now;
                self.comments.insert(held.uuid, held.comment.clone());
            }
        }
        Ok(())
    }
}

fn live<'r>(rows: impl Iterator<Item = &'r Row>) -> BTreeSet<AttributeUuid> {
    rows.filter(|row| !row.deleted).map(|row| row.uuid).collect()
}

impl Server for Faulty {
    fn answer(&mut self, call: &Call, input: &mut Unstructured<'_>) -> Result<Reply> {
        self.note(call);
        if self.calm || self.faults > 40 {
            let reply = self.model.handle(call);
            self.forget_refused(call, &reply);
            return Ok(reply);
        }
        if input.ratio(1, 8)? {
            self.analyst(input)?;
        }
        if !self.late.is_empty() && input.ratio(1, 3)? {
            let late = self.late.remove(0);
            self.model.handle(&late);
        }
        let fault = *input.choose(&FAULTS)?;
        self.faults += u32::from(!matches!(fault, Fault::None));
        let unknown = || Trouble::Unknown { why: "lost".into(), retry_after: None };
        let reply = match fault {
            Fault::None => self.model.handle(call),
            Fault::LostBefore => {
                let retry_after = if input.ratio(1, 4)? { Some(30) } else { None };
                Reply::Trouble(Trouble::NoEffect { why: "refused".into(), retry_after })
            }
            Fault::LostBeforeUnknown => Reply::Trouble(unknown()),
            Fault::LostAfter => {
                self.model.handle(call);
                Reply::Trouble(unknown())
            }
            Fault::Late => {
                self.late.push(call.clone());
                Reply::Trouble(unknown())
            }
            Fault::Twice => {
                self.model.handle(call);
                self.model.handle(call)
            }
            Fault::WrongKind => {
                self.model.handle(call);
                Reply::Count(7)
            }
            Fault::TooMany => Reply::Trouble(Trouble::TooLarge { why: "413".into() }),
            Fault::ServerError => {
                if input.arbitrary()? {
                    self.model.handle(call);
                }
                Reply::Trouble(Trouble::ServerError { why: "500".into() })
            }
            Fault::NotMisp | Fault::Busy => {
                if input.arbitrary()? {
                    self.model.handle(call);
                }
                let why = "a page".into();
                Reply::Trouble(match fault {
                    Fault::Busy => Trouble::Busy { why, retry_after: None },
                    _ => Trouble::NotMisp { why },
                })
            }
        };
        self.forget_refused(call, &reply);
        self.note_told(call, &reply);
        Ok(reply)
    }
}
