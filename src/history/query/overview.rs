//! How things stand at a destination, and all that waits there for somebody's hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use crate::{
    history::{
        Clearance, Cleared, Ledger, LedgerError, Outcome, RunKind, RunRecord, cleared::NOT_SHOWN,
    },
    misp::{AttributeType, Value},
    model::{DestinationName, EventUuid},
    plan::{KnownAttribute, KnownEvent, Presence, Standing},
};

use super::{
    Phrase, Remedy, Status,
    status::{Exposure, status_of_each},
    why::remedy,
};

/// So many examples of one task are told.
const EXAMPLES_MAX: usize = 12;

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
    fn of(event: &KnownEvent, known: Option<&KnownAttribute>) -> Self {
        Self {
            event: event.head.uuid,
            misp_id: event.head.misp_id,
            title: event.head.fields.info.clone(),
            attribute: known.map(|it| (it.attribute.kind, it.attribute.value.clone())),
        }
    }
}

/// How things stand at a destination, told to somebody of this clearance. Reads every event of it, one at a time.
///
/// # Errors
/// If the ledger cannot be read.
pub fn overview(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    clearance: Clearance,
) -> Result<Overview, LedgerError> {
    let mut found = Finds { clearance, tasks: BTreeMap::new(), told: BTreeSet::new() };
    let mut reasons = BTreeMap::new();
    let status = status_of_each(ledger, destination, &mut |event| {
        found.event(event);
        let is_seen = clearance.sees_event(&event.head);
        for known in event.attributes.values() {
            if let Standing::Withheld(_) | Standing::Blocked(_) = known.standing {
                let Phrase { word, detail } = Phrase::from(&known.standing);
                let detail = match is_seen && clearance.sees_attribute(known) {
                    true => detail.unwrap_or_default(),
                    false => NOT_SHOWN.into(),
                };
                *reasons.entry((word, detail)).or_default() += 1;
            }
        }
    })?;
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
    let datasets = datasets(&seen, destination)?;
    Ok(Overview { status, reasons, tasks: found.tasks.into_values().collect(), datasets })
}

fn datasets(
    ledger: &dyn Ledger,
    destination: &DestinationName,
) -> Result<Vec<RunRecord>, LedgerError> {
    let mut newest = BTreeMap::new();
    for run in ledger.runs()? {
        let ended = matches!(run.outcome, Outcome::Done | Outcome::Partial);
        if run.destination == *destination && run.kind() == RunKind::Delivery && ended {
            newest.entry(run.feed.clone()).or_insert(run);
        }
    }
    Ok(newest.into_values().collect())
}

/// What was found on the way.
struct Finds {
    clearance: Clearance,
    tasks: BTreeMap<(TaskKind, Option<Box<str>>), Task>,
    /// Events whose exposures were told.
    told: BTreeSet<EventUuid>,
}

impl Finds {
    fn event(&mut self, event: &KnownEvent) {
        let is_seen = self.clearance.sees_event(&event.head);
        let example = |known| is_seen.then(|| Example::of(event, known));
        if let Presence::Blocked(why) = &event.head.presence {
            self.add(TaskKind::Blocked, why, Some(remedy::of_blocked(why)), example(None));
        }
        for (tag, why, _) in event.head.tags.refused() {
            let why = format!("{tag}: {why}");
            self.add(TaskKind::TagMissing, &why, Some(Remedy::TakeTags), example(None));
        }
        let is_there = event.head.presence == Presence::Present;
        if let Some(why) = event.head.publishing.unpublished().filter(|_| is_there) {
            let remedy = remedy::of_publishing(&event.head.publishing);
            self.add(TaskKind::Unpublished, &why, remedy, example(None));
        }
        for known in event.attributes.values() {
            let is_seen = is_seen && self.clearance.sees_attribute(known);
            let example = || is_seen.then(|| Example::of(event, Some(known)));
            if let Some(why) = &known.exposed {
                self.told.insert(event.head.uuid);
                self.add(TaskKind::Exposed, why, None, example());
            }
            match &known.standing {
                Standing::Rejected { words, version } => {
                    let why = format!("MISP {version}: {words}");
                    self.add(TaskKind::Rejected, &why, Some(Remedy::OtherValue), example());
                }
                Standing::Blocked(why) => {
                    self.add(TaskKind::Blocked, why, Some(remedy::of_blocked(why)), example());
                }
                Standing::Held => {
                    let why = &"only changed mapping rules call for it";
                    self.add(TaskKind::Held, why, Some(Remedy::AcceptMapping), example());
                }
                _ => {}
            }
        }
    }

    /// One more; without an example it is not seen, and neither is the reason, which may quote it, nor what would change it.
    fn add(
        &mut self,
        kind: TaskKind,
        why: &dyn Display,
        remedy: Option<Remedy>,
        example: Option<Example>,
    ) {
        let why = example.as_ref().map(|_| why.to_string().into_boxed_str());
        let remedy = remedy.filter(|_| example.is_some());
        let new = Task { kind, why: why.clone(), remedy, count: 0, examples: Vec::new() };
        let task = self.tasks.entry((kind, why)).or_insert(new);
        task.count += 1;
        if task.examples.len() < EXAMPLES_MAX {
            task.examples.extend(example);
        }
    }
}
