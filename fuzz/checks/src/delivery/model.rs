//! A MISP in as few lines as can be: events and rows, and for each call what it does to them. Written from
//! the recordings of MISP 2.5.1, and shares nothing with the sandbox.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use misp_trickle::{
    delivery::{
        AttributeAnswer, AttributeResult, Call, EventAnswer, Listed, RefusedWhy, Reply,
        TimedAttribute, Trouble,
    },
    misp::EventFields,
    model::{AttributeUuid, EventUuid, OrgUuid},
    plan::Row,
};

/// One attribute of an event.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) uuid: AttributeUuid,
    pub(super) kind: String,
    pub(super) value: String,
    pub(super) comment: String,
    /// Joined by commas.
    pub(super) tags: String,
    pub(super) deleted: bool,
    pub(super) timestamp: i64,
    /// It came by one of our calls.
    pub(super) ours: bool,
}

/// One event.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    id: u64,
    fields: EventFields,
    timestamp: i64,
    published: bool,
    pub(super) rows: Vec<Held>,
}

/// All that MISP holds.
pub(super) struct Model {
    pub(super) events: BTreeMap<EventUuid, Stored>,
    pub(super) now: i64,
    pub(super) blocklist: BTreeSet<EventUuid>,
    /// Values that validation refuses.
    pub(super) refused: BTreeSet<String>,
    /// A value that makes it answer 500.
    pub(super) poison: Option<String>,
}

pub(super) fn org() -> OrgUuid {
    OrgUuid::new(Uuid::from_u128(7))
}

impl Model {
    /// Carries a call out.
    pub(super) fn handle(&mut self, call: &Call) -> Reply {
        self.now += 1;
        match call {
            Call::AddEvent(new) => {
                if self.blocklist.contains(&new.uuid) {
                    return refuse(RefusedWhy::Blocklisted);
                }
                if self.events.contains_key(&new.uuid) {
                    return Reply::EventExists;
                }
                let stored = Stored {
                    id: 1 + self.events.len() as u64,
                    fields: new.fields.clone(),
                    timestamp: self.now,
                    published: false,
                    rows: Vec::new(),
                };
                self.events.insert(new.uuid, stored);
                self.quietly(new.uuid, &new.attributes)
            }
            Call::AppendQuietly { event, attributes } => self.quietly(*event, attributes),
            Call::AppendLoudly { event, attributes } => self.loudly(*event, attributes),
            Call::EditFields { event, edit, timestamp } => {
                let Some(stored) = self.events.get_mut(event) else {
                    return refuse(RefusedWhy::NoSuchEvent);
                };
                if *timestamp <= stored.timestamp {
                    return refuse(RefusedWhy::NotNewer);
                }
                stored.timestamp = *timestamp;
                stored.fields.info =
                    edit.info.clone().unwrap_or_else(|| stored.fields.info.clone());
                stored.fields.date =
                    edit.date.clone().unwrap_or_else(|| stored.fields.date.clone());
                stored.fields.analysis = edit.analysis.unwrap_or(stored.fields.analysis);
                self.event(*event)
            }
            Call::Rows { events, expected } => {
                let rows = self.rows(events);
                // An empty answer has the same tag whether the event is empty or not there.
                if rows == *expected { Reply::NotModified } else { Reply::Rows(rows) }
            }
            Call::ChangedRows { event, since } => {
                let rows = self.rows(&[*event]).into_iter().filter(|row| row.timestamp >= *since);
                Reply::RowsSince(rows.map(|row| (7, row)).collect())
            }
            Call::CountOf(event) => {
                let live = self.rows(&[*event]).into_iter().filter(|row| !row.deleted);
                Reply::Count(live.count() as u64)
            }
            Call::Listing(event) => {
                let stored = self.events.get(event);
                let rows = stored.iter().flat_map(|stored| &stored.rows);
                let listed = rows.map(|held| Listed {
                    row: row(held),
                    kind: held.kind.as_str().into(),
                    value: held.value.as_str().into(),
                    tags: held.tags.as_str().into(),
                });
                Reply::Listing(listed.collect())
            }
            Call::Metadata(event) => match self.event(*event) {
                Reply::Event(answer) => Reply::Metadata(Some(answer)),
                _ => Reply::Metadata(None),
            },
            Call::AttachTag { event, tag, .. } => {
                let now = self.now;
                self.touch(*event, |stored| {
                    stored.fields.tags.push(tag.clone());
                    (stored.published, stored.timestamp) = (false, now);
                })
            }
            Call::Publish(event) => self.touch(*event, |stored| stored.published = true),
            Call::Version => Reply::Version { version: "2.5.1".to_owned(), encodings: Vec::new() },
            other => panic!("a session asks no such thing: {other:?}"),
        }
    }

    fn touch(&mut self, event: EventUuid, change: impl FnOnce(&mut Stored)) -> Reply {
        match self.events.get_mut(&event) {
            Some(stored) => {
                change(stored);
                Reply::Done
            }
            None => refuse(RefusedWhy::NoSuchEvent),
        }
    }

    fn rows(&self, events: &[EventUuid]) -> Vec<Row> {
        let mut asked: Vec<&Stored> =
            events.iter().filter_map(|event| self.events.get(event)).collect();
        asked.sort_by_key(|stored| stored.id);
        asked.iter().flat_map(|stored| stored.rows.iter().map(row)).collect()
    }

    fn event(&self, event: EventUuid) -> Reply {
        let Some(stored) = self.events.get(&event) else { return refuse(RefusedWhy::NoSuchEvent) };
        Reply::Event(Box::new(EventAnswer {
            id: stored.id,
            uuid: event,
            info: stored.fields.info.clone(),
            date: stored.fields.date.clone(),
            analysis: stored.fields.analysis,
            timestamp: stored.timestamp,
            published: stored.published,
            publish_timestamp: None,
            orgc: Some(org()),
            attribute_count: None,
            tags: stored.fields.tags.clone(),
        }))
    }

    fn is_taken(&self, uuid: AttributeUuid) -> bool {
        self.events.values().any(|stored| stored.rows.iter().any(|held| held.uuid == uuid))
    }

    fn chokes(&self, attributes: &[TimedAttribute]) -> bool {
        let poison = self.poison.as_deref();
        attributes.iter().any(|each| Some(each.attribute.value.as_str()) == poison)
    }

    /// events/add and events/edit: an upsert that drops what it does not like and says nothing.
    fn quietly(&mut self, event: EventUuid, attributes: &[TimedAttribute]) -> Reply {
        if self.chokes(attributes) {
            return Reply::Trouble(Trouble::ServerError { why: "500".into() });
        }
        let now = self.now;
        for each in attributes {
            let refused = self.refused.contains(each.attribute.value.as_str());
            let taken = self.is_taken(each.attribute.uuid);
            let Some(stored) = self.events.get_mut(&event) else {
                return refuse(RefusedWhy::NoSuchEvent);
            };
            if let Some(held) = stored.rows.iter_mut().find(|it| it.uuid == each.attribute.uuid) {
                if each.timestamp > held.timestamp {
                    *held = held_of(each);
                }
                continue;
            }
            let double = stored.rows.iter().any(|held| !held.deleted && same(held, each));
            if !refused && !taken && !double {
                stored.rows.push(held_of(each));
            }
        }
        if let Some(stored) = self.events.get_mut(&event) {
            (stored.published, stored.timestamp) = (false, now);
        }
        self.event(event)
    }

    /// attributes/add: says of each what became of it, and never overwrites.
    fn loudly(&mut self, event: EventUuid, attributes: &[TimedAttribute]) -> Reply {
        if self.chokes(attributes) {
            return Reply::Trouble(Trouble::ServerError { why: "500".into() });
        }
        let mut answers = Vec::new();
        for each in attributes {
            let refused = self.refused.contains(each.attribute.value.as_str());
            let taken = self.is_taken(each.attribute.uuid);
            let now = self.now;
            let Some(stored) = self.events.get_mut(&event) else {
                return refuse(RefusedWhy::NoSuchEvent);
            };
            let similar = stored.rows.iter().any(|held| !held.deleted && same(held, each));
            let result = if taken {
                AttributeResult::UuidTaken
            } else if similar {
                AttributeResult::Similar
            } else if refused {
                AttributeResult::Refused("no".into())
            } else {
                stored.rows.push(held_of(each));
                (stored.published, stored.timestamp) = (false, now);
                let tags = each.attribute.tags.clone();
                AttributeResult::Saved { timestamp: each.timestamp, tags, number: None }
            };
            answers.push(AttributeAnswer { uuid: each.attribute.uuid, result });
        }
        Reply::Attributes(answers)
    }
}

fn same(held: &Held, sent: &TimedAttribute) -> bool {
    held.kind == sent.attribute.kind.name() && held.value == sent.attribute.value.as_str()
}

fn held_of(sent: &TimedAttribute) -> Held {
    Held {
        uuid: sent.attribute.uuid,
        kind: sent.attribute.kind.name().to_owned(),
        value: sent.attribute.value.as_str().to_owned(),
        comment: sent.attribute.comment.to_string(),
        tags: sent.attribute.tags.join(","),
        deleted: false,
        timestamp: sent.timestamp,
        ours: true,
    }
}

fn row(held: &Held) -> Row {
    Row { uuid: held.uuid, deleted: held.deleted, timestamp: held.timestamp }
}

fn refuse(why: RefusedWhy) -> Reply {
    Reply::Refused { why, words: "no".into() }
}
