//! Why a value is in MISP, or is not: everything the ledger knows of it.

mod asked;
mod cause;
mod loss;
pub(super) mod remedy;
mod search;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    history::ChangeKind,
    misp::Value,
    model::{AttributeUuid, DestinationName, EntityKey, EventUuid, FeedName, RunNumber},
    plan::{BlockedReason, DestinationRecord, EventHead, KnownAttribute, KnownEvent},
};

use super::{Ledger, LedgerError, Phrase};
use asked::Asked;
use search::Search;

pub use cause::{Whose, Withheld};
pub use loss::LossAnswer;
pub use remedy::Remedy;

/// All that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// What was asked for.
    pub asked: String,
    /// Where was looked.
    pub destination: DestinationName,
    /// What was found, by event in the order of their UUIDs; behind it what did not reach MISP.
    pub answers: Vec<Answer>,
    /// How many more were found than are told.
    pub more: u64,
    /// Events that may have more of it and were not read, as that would take long or there is no room for more finds.
    pub unread: u64,
    /// Where nothing was found: feeds whose losses were counted and not kept, by a release that did not, or as they were
    /// lost.
    pub unkept: Vec<FeedName>,
    /// Where nothing was found: how many losses of a feed there are or were, at least, that are not kept one by one, for want of
    /// room. It may be one of them.
    pub more_lost: BTreeMap<FeedName, u64>,
}

impl Why {
    /// Whether nothing was found.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.answers.is_empty() && self.more == 0
    }
}

/// What may be there although nothing is known of it, in words.
pub const MAY_HIDE: &str = "what stood in an object that was skipped, an entity that gives no value, and losses that \
                            were only counted are not kept by name";

/// How it was looked for where nothing was found, in words.
const LOOKED_FOR: &str = "it was looked for as a whole, and in values and titles by words, whole or begun (6 letters of a \
                              value, 4 of a title); `why --scan` reads everything and finds any part";

/// The same of what is too short to be looked for as a part.
const LOOKED_FOR_SHORT: &str = "it was looked for as a whole, and as a word of titles; parts of values are looked for from 4 letters on";

/// How it was looked for where nothing was found, in words; nothing where everything was read for any part of it.
#[must_use]
pub fn looked_for(text: &str, depth: Depth) -> Option<&'static str> {
    match depth {
        _ if text.trim().chars().count() < asked::PART_CHARS_MIN => Some(LOOKED_FOR_SHORT),
        Depth::Letters => None,
        Depth::Whole | Depth::Words => Some(LOOKED_FOR),
    }
}

/// One find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An attribute.
    Attribute(Box<AttributeAnswer>),
    /// An event.
    Event(Box<EventAnswer>),
    /// What did not reach MISP.
    Loss(Box<LossAnswer>),
}

/// How it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FoundBy {
    /// The value is the one MISP stores, or becomes it.
    Value,
    /// The value stands like this in the dataset.
    #[serde(rename = "source value")]
    SourceValue,
    /// By UUID.
    Uuid,
    /// By the id of the incident, or of a version of it.
    Incident,
    /// By the id of the entity that it comes from.
    Entity,
    /// By MISP's number of it.
    #[serde(rename = "number in MISP")]
    MispId,
    /// By its address in MISP.
    #[serde(rename = "address in MISP")]
    Address,
    /// By words of its title.
    #[serde(rename = "words of the title")]
    Title,
    /// It is the beginning of the event's UUID.
    #[serde(rename = "uuid prefix")]
    UuidPrefix,
    /// It is a part of the value, whatever the case of its letters.
    #[serde(rename = "part of the value")]
    Part,
}

/// What is known of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeAnswer {
    /// How it was found.
    pub found_by: FoundBy,
    /// Its event.
    pub event: EventHead,
    /// The attribute: standing, since when, marking, sources.
    pub known: KnownAttribute,
    /// Feeds that want it now; none if it is retired or superseded.
    pub wanted_by: Vec<FeedName>,
    /// The attributes whose place it took.
    pub supersedes: Vec<(AttributeUuid, Value)>,
    /// The attribute that took its place.
    pub superseded_by: Option<(AttributeUuid, Option<Value>)>,
    /// Why policy keeps it back.
    pub withheld: Option<Withheld>,
    /// What would change how it stands.
    pub remedies: Vec<Remedy>,
    /// What happened to it, oldest first.
    pub history: Vec<(RunNumber, ChangeKind)>,
}

/// What is known of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventAnswer {
    /// How it was found.
    pub found_by: FoundBy,
    /// The event.
    pub event: EventHead,
    /// How many of its attributes stand how, by the word for it.
    pub standings: BTreeMap<&'static str, u64>,
    /// Why policy keeps all of it back.
    pub withheld: Option<Withheld>,
    /// Why it is not made, if that is no policy.
    pub blocked: Option<BlockedReason>,
    /// What would change how it stands.
    pub remedies: Vec<Remedy>,
    /// How many occurrences of its incident did not reach MISP, by reason, in the feed with most.
    pub lost: BTreeMap<Box<str>, u64>,
    /// What happened to the event itself, oldest first.
    pub history: Vec<(RunNumber, ChangeKind)>,
}

/// How far is looked for what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// For the whole of it alone.
    Whole,
    /// For words of values and titles too, by the index.
    Words,
    /// For any run of letters of values: everything is read.
    Letters,
}

/// Looks for a value, an entity's id, the UUID of an attribute or event, MISP's number or address of one, or words of a
/// title among all that was ever wanted at a destination, and all that did not reach it. Titles, and parts of values and
/// UUIDs, are looked for only where nothing matches as a whole. At most `limit` finds are told.
///
/// The ledger's index leads to what is looked for, and of that so much is read as answers soon; where it has none, or
/// any run of letters is looked for, every event is read, one at a time.
///
/// # Errors
/// If the ledger cannot be read.
pub fn why(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    text: &str,
    limit: usize,
    depth: Depth,
) -> Result<Why, LedgerError> {
    let record = ledger.destination(destination)?.unwrap_or_default();
    let asked = Asked::new(text, &ledger.aliases_of(&EntityKey::meant(text.trim()))?);
    let mut search = Search::new(ledger, destination, &record, asked, limit);
    search.go(depth)?;
    let (unread, (whole, part)) = (search.unread, search.finds);
    let Finds { mut answers, more, .. } = if whole.is_nothing() { part } else { whole };
    add_history(ledger, destination, &mut answers)?;
    let (unkept, more_lost) = match answers.is_empty() && more == 0 {
        true => (
            loss::unkept(ledger, destination, &record)?,
            loss::more_lost(ledger, destination, &record)?,
        ),
        false => (Vec::new(), BTreeMap::new()),
    };
    let (asked, destination) = (text.to_owned(), destination.clone());
    Ok(Why { asked, destination, answers, more, unread, unkept, more_lost })
}

impl FoundBy {
    const fn is_whole(self) -> bool {
        !matches!(self, Self::UuidPrefix | Self::Title | Self::Part)
    }
}

/// Answers that are told, and how many more there are.
#[derive(Debug)]
struct Finds {
    answers: Vec<Answer>,
    limit: usize,
    more: u64,
}

impl Finds {
    const fn new(limit: usize) -> Self {
        Self { answers: Vec::new(), limit, more: 0 }
    }

    const fn is_nothing(&self) -> bool {
        self.answers.is_empty() && self.more == 0
    }

    const fn has_room(&self) -> bool {
        self.answers.len() < self.limit
    }

    fn push(&mut self, answer: impl FnOnce() -> Answer) {
        if self.has_room() {
            self.answers.push(answer());
        } else {
            self.more += 1;
        }
    }
}

fn event_answer(found_by: FoundBy, event: &KnownEvent) -> EventAnswer {
    let mut standings = BTreeMap::new();
    for known in event.attributes.values() {
        *standings.entry(Phrase::from(&known.standing).word).or_default() += 1;
    }
    let (withheld, blocked) = cause::of_absent(event);
    let remedies = remedy::of_event(event, withheld.as_ref(), blocked.as_ref());
    EventAnswer {
        found_by,
        event: event.head.clone(),
        standings,
        withheld,
        blocked,
        remedies,
        lost: lost(event),
        history: Vec::new(),
    }
}

fn lost(event: &KnownEvent) -> BTreeMap<Box<str>, u64> {
    let here = event.head.feeds.values().filter(|feed| !feed.gone).map(|feed| &feed.mapping);
    let most = here.max_by_key(|mapping| mapping.lost_total());
    most.into_iter()
        .flat_map(|mapping| &mapping.lost)
        .filter(|(_, count)| **count > 0)
        .map(|(r, n)| (r.clone(), *n))
        .collect()
}

fn attribute_answer(
    found_by: FoundBy,
    event: &KnownEvent,
    known: &KnownAttribute,
    destination: &DestinationRecord,
) -> AttributeAnswer {
    let uuid = known.attribute.uuid;
    let value = |known: &KnownAttribute| known.attribute.value.clone();
    let wanted_by = destination.feed_bits().filter(|(_, bit)| known.wanted.has(*bit));
    let supersedes = event.attributes.values().filter(|it| it.superseded_by == Some(uuid));
    let withheld = Withheld::attribute(event, known);
    let remedies = remedy::of_attribute(&event.head, known, withheld.as_ref());
    AttributeAnswer {
        found_by,
        event: event.head.clone(),
        known: known.clone(),
        wanted_by: wanted_by.map(|(name, _)| name.clone()).collect(),
        supersedes: supersedes.map(|it| (it.attribute.uuid, value(it))).collect(),
        superseded_by: known.superseded_by.map(|by| (by, event.attributes.get(&by).map(value))),
        withheld,
        remedies,
        history: Vec::new(),
    }
}

type Subject = (EventUuid, Option<AttributeUuid>);

impl Answer {
    /// What the history may tell of; nothing of a loss, which stands with its runs.
    fn subject(&self) -> Option<Subject> {
        match self {
            Self::Attribute(it) => Some((it.event.uuid, Some(it.known.attribute.uuid))),
            Self::Event(it) => Some((it.event.uuid, None)),
            Self::Loss(_) => None,
        }
    }
}

fn add_history(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    answers: &mut [Answer],
) -> Result<(), LedgerError> {
    let subjects: BTreeSet<Subject> = answers.iter().filter_map(Answer::subject).collect();
    if subjects.is_empty() {
        return Ok(());
    }
    let mut histories: BTreeMap<Subject, Vec<(RunNumber, ChangeKind)>> = BTreeMap::new();
    let events = subjects.iter().map(|(event, _)| *event).collect();
    for (run, change) in ledger.changes_of(destination, &events)? {
        let subject = (change.event, change.attribute);
        if subjects.contains(&subject) {
            histories.entry(subject).or_default().push((run, change.kind));
        }
    }
    for answer in answers {
        let Some(subject) = answer.subject() else { continue };
        let history = histories.remove(&subject).unwrap_or_default();
        match answer {
            Answer::Attribute(it) => it.history = history,
            Answer::Event(it) => it.history = history,
            Answer::Loss(_) => {}
        }
    }
    Ok(())
}
