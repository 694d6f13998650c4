//! What one event adds to an overview, kept as long as nothing of the event changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use crate::{
    history::{Clearance, Ledger, LedgerError, cleared::NOT_SHOWN},
    model::{DestinationName, Digest, EventUuid},
    plan::{KnownEvent, Presence, Standing},
};

use super::{
    Phrase, Remedy,
    overview::{Example, Task, TaskKind},
    status::EventStatus,
    why::remedy,
};

/// So many examples of one task are told.
const EXAMPLES_MAX: usize = 12;
/// So many events of a destination are remembered; the others are read each time.
const EVENTS_MAX: usize = 10_000;

/// Attributes by the words for their standing and for its reason.
pub(super) type Reasons = BTreeMap<(&'static str, String), u64>;

/// What events added to overviews, so that only those are read again that changed.
#[derive(Debug, Default)]
pub struct Memory {
    clearance: Option<Clearance>,
    destinations: BTreeMap<DestinationName, BTreeMap<EventUuid, (Digest, Part)>>,
    /// How many events were read.
    reads: u64,
}

impl Memory {
    /// How many events were read so far.
    #[must_use]
    pub const fn reads(&self) -> u64 {
        self.reads
    }

    /// Every event of a destination passes by, sorted by UUID.
    pub(super) fn each(
        &mut self,
        ledger: &dyn Ledger,
        destination: &DestinationName,
        clearance: Clearance,
        take: &mut dyn FnMut(EventUuid, &Part),
    ) -> Result<(), LedgerError> {
        if self.clearance != Some(clearance) {
            self.destinations.clear();
            self.clearance = Some(clearance);
        }
        let mut before = self.destinations.remove(destination).unwrap_or_default();
        let mut now = BTreeMap::new();
        for (uuid, fingerprint) in ledger.fingerprints(destination)? {
            let part = match before.remove(&uuid) {
                Some((of, part)) if of == fingerprint => part,
                _ => {
                    self.reads += 1;
                    let Some(event) = ledger.event(destination, uuid)? else { continue };
                    Part::of(destination, &event, clearance)
                }
            };
            take(uuid, &part);
            if now.len() < EVENTS_MAX {
                now.insert(uuid, (fingerprint, part));
            }
        }
        self.destinations.insert(destination.clone(), now);
        Ok(())
    }
}

/// What one event adds.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) status: EventStatus,
    pub(super) reasons: Reasons,
    pub(super) finds: Finds,
}

impl Part {
    fn of(destination: &DestinationName, event: &KnownEvent, clearance: Clearance) -> Self {
        let mut finds = Finds { clearance, ..Finds::default() };
        finds.event(event);
        let mut reasons = Reasons::new();
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
        Self { status: EventStatus::of(destination, event), reasons, finds }
    }
}

/// What is to be done by hand.
#[derive(Debug, Default)]
pub(super) struct Finds {
    clearance: Clearance,
    pub(super) tasks: BTreeMap<(TaskKind, Option<Box<str>>), Task>,
    /// Events whose exposures were told.
    pub(super) told: BTreeSet<EventUuid>,
}

impl Finds {
    fn event(&mut self, event: &KnownEvent) {
        // What nobody wants any more is asked of nobody; what is exposed stands in MISP all the same.
        if !event.head.is_left() {
            self.head(event);
        }
        let is_seen = self.clearance.sees_event(&event.head);
        for known in event.attributes.values() {
            let is_seen = is_seen && self.clearance.sees_attribute(known);
            let example = || is_seen.then(|| Example::of(event, Some(known)));
            if let Some(why) = &known.exposed {
                self.told.insert(event.head.uuid);
                self.add(TaskKind::Exposed, why, None, example());
            }
            if !known.wanted.is_empty() {
                self.standing(&known.standing, example);
            }
        }
    }

    /// What is to be done about an event itself.
    fn head(&mut self, event: &KnownEvent) {
        let is_seen = self.clearance.sees_event(&event.head);
        let example = || is_seen.then(|| Example::of(event, None));
        if let Presence::Blocked(why) = &event.head.presence {
            self.add(TaskKind::Blocked, why, Some(remedy::of_blocked(why)), example());
        }
        for (tag, why, _) in event.head.tags.refused() {
            let why = format!("{tag}: {why}");
            self.add(TaskKind::TagMissing, &why, Some(Remedy::TakeTags), example());
        }
        let is_there = event.head.presence == Presence::Present;
        if let Some(why) = event.head.publishing.unpublished().filter(|_| is_there) {
            let remedy = remedy::of_publishing(&event.head.publishing);
            self.add(TaskKind::Unpublished, &why, remedy, example());
        }
    }

    /// What is to be done about an attribute that is not in MISP.
    fn standing(&mut self, standing: &Standing, example: impl FnOnce() -> Option<Example>) {
        match standing {
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

    /// One more; without an example it is not seen, and neither is the reason, which may quote it, nor what would change it.
    pub(super) fn add(
        &mut self,
        kind: TaskKind,
        why: &dyn Display,
        remedy: Option<Remedy>,
        example: Option<Example>,
    ) {
        let why = example.as_ref().map(|_| why.to_string().into_boxed_str());
        let remedy = remedy.filter(|_| example.is_some());
        self.add_all(&Task {
            kind,
            why,
            remedy,
            count: 1,
            examples: example.into_iter().collect(),
        });
    }

    /// What another found.
    pub(super) fn add_all(&mut self, more: &Task) {
        let new = || Task { count: 0, examples: Vec::new(), ..more.clone() };
        let task = self.tasks.entry((more.kind, more.why.clone())).or_insert_with(new);
        task.count += more.count;
        let room = EXAMPLES_MAX.saturating_sub(task.examples.len());
        task.examples.extend(more.examples.iter().take(room).cloned());
    }
}
