//! How things stand at a destination, and all that waits there for somebody's hand.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::{Clearance, Cleared, Ledger, LedgerError, Outcome, RunKind, RunRecord},
    misp::{AttributeType, Value},
    model::{DestinationName, EventUuid},
    plan::{KnownAttribute, KnownEvent},
};

use super::{
    Remedy, Status,
    part::{Finds, Memory, Reasons},
    status::{Exposure, exposures},
};

/// How things stand at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The counts, of everything, whoever may see it. What it names is for those who may see everything.
    pub status: Status,
    /// Attributes that are not in MISP, by the words for their standing and for its reason.
    pub reasons: BTreeMap<(&'static str, String), u64>,
    /// What is to be done by hand, the most urgent first.
    pub tasks: Vec<Task>,
    /// Of each feed the newest run that came to its end: it says what the dataset held.
    pub datasets: Vec<RunRecord>,
}

/// Something that is to be done by hand, of which there may be much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// What it is.
    pub kind: TaskKind,
    /// Why, a fragment; `None` where what it is about is not seen.
    pub why: Option<Box<str>>,
    /// What would change it; `None` where the reason says that, or is not seen.
    pub remedy: Option<Remedy>,
    /// How many attributes it is about, and events themselves.
    pub count: u64,
    /// Some of them.
    pub examples: Vec<Example>,
}

/// What waits for somebody, from the most urgent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskKind {
    /// It is in MISP and must not be there as it is.
    Exposed,
    /// MISP refused it.
    Rejected,
    /// It cannot be written.
    Blocked,
    /// MISP did not take a tag of the event.
    TagMissing,
    /// It is to be published and is not.
    Unpublished,
    /// Removals wait for a word.
    RemovalsWait,
    /// Only changed mapping rules call for it.
    Held,
}

impl TaskKind {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exposed => "exposed",
            Self::Rejected => "rejected",
            Self::Blocked => "blocked",
            Self::TagMissing => "tag missing",
            Self::Unpublished => "unpublished",
            Self::RemovalsWait => "removals wait",
            Self::Held => "held",
        }
    }
}

/// An event, or an attribute of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The event.
    pub event: EventUuid,
    /// MISP's number of it.
    pub misp_id: Option<u64>,
    /// Its title.
    pub title: Box<str>,
    /// The attribute, if it is not the event itself.
    pub attribute: Option<(AttributeType, Value)>,
}

impl Example {
    pub(super) fn of(event: &KnownEvent, known: Option<&KnownAttribute>) -> Self {
        Self {
            event: event.head.uuid,
            misp_id: event.head.misp_id,
            title: event.head.fields.info.clone(),
            attribute: known.map(|it| (it.attribute.kind, it.attribute.value.clone())),
        }
    }
}

/// How things stand at a destination, told to somebody of this clearance. Reads every event of it, one at a time, that is
/// not remembered as it is.
///
/// # Errors
/// If the ledger cannot be read.
pub fn overview(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    clearance: Clearance,
    memory: &mut Memory,
) -> Result<Overview, LedgerError> {
    let runs = ledger.runs()?;
    let mut status = Status::begun(ledger, destination, &runs)?;
    let (mut found, mut reasons, mut untold) = (Finds::default(), Reasons::new(), BTreeSet::new());
    memory.each(ledger, destination, clearance, &mut |uuid, part| {
        status.add(&part.status.status);
        untold.extend(part.status.is_untold.then_some(uuid));
        found.told.extend(&part.finds.told);
        part.finds.tasks.values().for_each(|task| found.add_all(task));
        for (reason, count) in &part.reasons {
            *reasons.entry(reason.clone()).or_default() += count;
        }
    })?;
    status.exposed.extend(exposures(ledger, destination, &untold)?);
    let seen = Cleared::new(ledger, clearance);
    for exposure in &status.exposed {
        let Exposure { event, attribute, .. } = exposure;
        let uuid = attribute.as_ref().map(|(uuid, _)| *uuid);
        if found.told.contains(event) {
            continue;
        }
        let is_seen = seen.sees(destination, *event, uuid)?;
        let content = attribute.as_ref().and_then(|(_, content)| content.clone());
        let example = Example {
            event: *event,
            misp_id: ledger.head(destination, *event)?.and_then(|head| head.misp_id),
            title: exposure.title.clone(),
            attribute: content,
        };
        found.add(TaskKind::Exposed, &exposure.why, None, is_seen.then_some(example));
    }
    for (feed, why) in &status.removals_wait {
        let why = format!("feed {feed}: {why}");
        let task = Task {
            kind: TaskKind::RemovalsWait,
            why: Some(why.into()),
            remedy: None,
            count: 1,
            examples: vec![],
        };
        found.tasks.insert((task.kind, task.why.clone()), task);
    }
    let datasets = datasets(&seen, destination, &runs)?;
    Ok(Overview { status, reasons, tasks: found.tasks.into_values().collect(), datasets })
}

fn datasets(
    seen: &dyn Ledger,
    destination: &DestinationName,
    runs: &[RunRecord],
) -> Result<Vec<RunRecord>, LedgerError> {
    let mut newest = BTreeMap::new();
    for run in runs {
        let ended = matches!(run.outcome, Outcome::Done | Outcome::Partial);
        if run.destination == *destination && run.kind() == RunKind::Delivery && ended {
            newest.entry(&run.feed).or_insert(run.number);
        }
    }
    let newest = newest.into_values().map(|number| seen.run(number));
    newest.filter_map(Result::transpose).collect()
}
