//! What one run changed, and what several changed together.

use std::collections::BTreeMap;

use crate::{
    history::{Change, ChangeKind, RunRecord},
    misp::{AttributeType, Value},
    model::{AttributeUuid, DestinationName, EventUuid, RunNumber},
    plan::{EventHead, KnownAttribute, Topic},
};

use super::{Ledger, LedgerError, Phrase, QueryError, Selected};

/// So few runs are read one by one.
const FEW_RUNS: u64 = 100;

/// The changes of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventChanges {
    /// The event.
    pub event: EventUuid,
    /// Its title, where the ledger still knows it.
    pub title: Option<Box<str>>,
    /// What happened to the event itself.
    pub own: Vec<ChangeKind>,
    /// What happened to its attributes.
    pub attributes: Vec<AttributeChange>,
}

impl EventChanges {
    /// How many changes these are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.own.len() + self.attributes.len()
    }
}

/// One change of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeChange {
    /// The attribute.
    pub uuid: AttributeUuid,
    /// Its type and value, where the ledger still knows them.
    pub content: Option<(AttributeType, Value)>,
    /// What happened.
    pub kind: ChangeKind,
    /// The value that took its place, if that is what happened.
    pub instead: Option<Value>,
}

impl EventChanges {
    /// How many attributes each change happened to, by its word.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for change in &self.attributes {
            *counts.entry(Phrase::from(&change.kind).word).or_default() += 1;
        }
        counts
    }
}

/// One run and what it changed, by event in the order of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The run.
    pub run: RunRecord,
    /// Its changes.
    pub events: Vec<EventChanges>,
}

/// What a run changed.
///
/// # Errors
/// If the ledger cannot be read.
pub fn show(ledger: &dyn Ledger, run: RunRecord) -> Result<Shown, LedgerError> {
    let events = grouped(ledger.changes(run.number)?)
        .into_iter()
        .map(|(event, changes)| describe(ledger, &run.destination, event, changes))
        .collect::<Result<_, _>>()?;
    Ok(Shown { run, events })
}

/// Changes by event, in the order in which the events came.
pub(super) fn grouped(changes: Vec<Change>) -> Vec<(EventUuid, Vec<Change>)> {
    let mut events: Vec<(EventUuid, Vec<Change>)> = Vec::new();
    let mut place_of: BTreeMap<EventUuid, usize> = BTreeMap::new();
    for change in changes {
        let place = *place_of.entry(change.event).or_insert_with(|| {
            events.push((change.event, Vec::new()));
            events.len() - 1
        });
        events[place].1.push(change);
    }
    events
}

/// What the runs after one point of the history, up to another, changed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where the runs delivered.
    pub destination: DestinationName,
    /// The run before the first that counts; 0 for the beginning.
    pub from: RunNumber,
    /// The last run that counts.
    pub to: RunNumber,
    /// How many runs lie between, the last one included.
    pub runs: u64,
    /// The net changes, by event in the order of their UUIDs.
    pub events: Vec<EventChanges>,
}

/// The net changes of all runs to `to`'s destination, of whatever feed, that came after `from`, up to
/// and with `to`: what was retired and came back is no change, what was withheld and then sent was sent. The first
/// `lines` of them are told with titles and values.
///
/// # Errors
/// If the runs went to different destinations or stand the wrong way round, or the ledger cannot be
/// read.
pub fn diff(
    ledger: &dyn Ledger,
    from: &Selected,
    to: &RunRecord,
    lines: usize,
) -> Result<Difference, QueryError> {
    let from = match from {
        Selected::Beginning => RunNumber(0),
        Selected::Run(run) if run.destination != to.destination => {
            return Err(QueryError::Apart {
                from: run.number.0,
                from_name: run.destination.clone(),
                to: to.number.0,
                to_name: to.destination.clone(),
            });
        }
        Selected::Run(run) if run.number > to.number => {
            return Err(QueryError::Backwards { from: run.number.0, to: to.number.0 });
        }
        Selected::Run(run) => run.number,
    };
    let numbers = between(ledger, from, to)?;
    let mut net = Net::default();
    for number in &numbers {
        for change in ledger.changes(*number)? {
            net.add(change);
        }
    }
    let mut left = lines;
    let events = net.into_events().into_iter().map(|(event, changes)| {
        if left == 0 {
            return Ok(told(event, None, &BTreeMap::new(), changes));
        }
        left = left.saturating_sub(changes.len());
        describe(ledger, &to.destination, event, changes)
    });
    let events = events.collect::<Result<_, LedgerError>>()?;
    Ok(Difference {
        destination: to.destination.clone(),
        from,
        to: to.number,
        runs: numbers.len() as u64,
        events,
    })
}

/// The runs to a destination behind one, up to another, in order.
fn between(
    ledger: &dyn Ledger,
    from: RunNumber,
    to: &RunRecord,
) -> Result<Vec<RunNumber>, LedgerError> {
    let few = to.number.0.saturating_sub(from.0) <= FEW_RUNS;
    let mut runs = match few {
        true => (from.0 + 1..=to.number.0)
            .filter_map(|number| ledger.run(RunNumber(number)).transpose())
            .collect::<Result<Vec<_>, _>>()?,
        false => ledger.runs()?,
    };
    runs.retain(|run| run.destination == to.destination);
    let numbers = runs.iter().map(|run| run.number);
    let mut numbers: Vec<_> = numbers.filter(|it| from < *it && *it <= to.number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// What a change is about, by name where there are several such things.
type Aspect = (Topic, Option<Box<str>>);

/// Changes folded over several runs.
#[derive(Debug, Default)]
pub(super) struct Net(BTreeMap<(EventUuid, Option<AttributeUuid>), BTreeMap<Aspect, ChangeKind>>);

impl Net {
    pub(super) fn add(&mut self, change: Change) {
        let aspects = self.0.entry((change.event, change.attribute)).or_default();
        let (topic, name) = change.kind.topic();
        let aspect = (topic, name.map(Into::into));
        let undoes = matches!(
            (aspects.get(&aspect), &change.kind),
            (Some(ChangeKind::Retired | ChangeKind::Superseded(_)), ChangeKind::Returned)
                | (Some(ChangeKind::Returned), ChangeKind::Retired)
        );
        if undoes {
            aspects.remove(&aspect);
        } else {
            aspects.insert(aspect, change.kind);
        }
    }

    fn into_events(self) -> BTreeMap<EventUuid, Vec<Change>> {
        let mut events: BTreeMap<EventUuid, Vec<Change>> = BTreeMap::new();
        for ((event, attribute), aspects) in self.0 {
            for kind in aspects.into_values() {
                events.entry(event).or_default().push(Change { event, attribute, kind });
            }
        }
        events
    }
}

/// Adds title, types and values to the changes of one event.
pub(super) fn describe(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    event: EventUuid,
    changes: Vec<Change>,
) -> Result<EventChanges, LedgerError> {
    let (head, known) = if changes.iter().any(|change| change.attribute.is_some()) {
        match ledger.event(destination, event)? {
            Some(event) => (Some(event.head), event.attributes),
            None => (None, BTreeMap::new()),
        }
    } else {
        (ledger.head(destination, event)?, BTreeMap::new())
    };
    Ok(told(event, head, &known, changes))
}

fn told(
    event: EventUuid,
    head: Option<EventHead>,
    known: &BTreeMap<AttributeUuid, KnownAttribute>,
    changes: Vec<Change>,
) -> EventChanges {
    let value = |known: &KnownAttribute| known.attribute.value.clone();
    let mut described = EventChanges {
        event,
        title: head.map(|head| head.fields.info),
        own: Vec::new(),
        attributes: Vec::new(),
    };
    for Change { attribute, kind, .. } in changes {
        let Some(uuid) = attribute else {
            described.own.push(kind);
            continue;
        };
        let instead = match &kind {
            ChangeKind::Superseded(by) => known.get(by).map(value),
            _ => None,
        };
        let content = known.get(&uuid).map(|known| (known.attribute.kind, value(known)));
        described.attributes.push(AttributeChange { uuid, content, kind, instead });
    }
    described
}
