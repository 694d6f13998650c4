//! What a run works through, in order, and what it looked at already.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    graph::Incident,
    model::{EntityKey, EventUuid},
    plan::KnownEvent,
};

use super::{
    super::{Input, planner::Planner},
    Mode,
};

/// One thing to look at.
pub(super) enum Work<'a> {
    /// An incident of the dataset.
    Incident(Incident<'a>),
    /// An event of ours that MISP does not know any more, as it was known.
    Lost(Box<KnownEvent>),
    /// An event that was passed as unchanged, until it was found to have drifted.
    Doubted(EventUuid),
    /// An event that the dataset does not call for, and of which something is open.
    Leftover(EventUuid),
}

/// What a run works through.
pub(super) struct Backlog<'a> {
    input: &'a Input,
    incidents: Box<dyn Iterator<Item = Incident<'a>> + 'a>,
    /// Events that MISP does not know any more.
    pub(super) lost: Vec<KnownEvent>,
    doubted: Vec<EventUuid>,
    /// Once all incidents were looked at.
    leftovers: Option<Vec<EventUuid>>,
    /// Events of the incidents that were looked at.
    pub(super) seen: BTreeSet<EventUuid>,
    /// Those of them that nothing has to be done about.
    pub(super) passed: BTreeSet<EventUuid>,
    /// Events that are sent again in full.
    pub(super) revived: BTreeSet<EventUuid>,
    /// The incident of each event, once an event is planned anew.
    roots: BTreeMap<EventUuid, &'a EntityKey>,
}

impl<'a> Backlog<'a> {
    /// All of a dataset. A run that only looks has no leftovers.
    pub(super) fn of(input: &'a Input, planner: &Planner<'_>, mode: Mode) -> Self {
        let order = input.graph.order_by(|root| planner.turn(planner.event_of(root)));
        Self {
            input,
            incidents: Box::new(input.graph.incidents_in(order)),
            lost: Vec::new(),
            doubted: Vec::new(),
            leftovers: (mode == Mode::Adopt).then(Vec::new),
            seen: BTreeSet::new(),
            passed: BTreeSet::new(),
            revived: BTreeSet::new(),
            roots: BTreeMap::new(),
        }
    }

    /// The next thing to look at.
    pub(super) fn next(&mut self, planner: &Planner<'_>) -> Option<Work<'a>> {
        if let Some(incident) = self.incidents.next() {
            self.seen.insert(planner.event_of(incident.root));
            return Some(Work::Incident(incident));
        }
        if let Some(event) = self.lost.pop() {
            return Some(Work::Lost(Box::new(event)));
        }
        if let Some(event) = self.doubted.pop() {
            return Some(Work::Doubted(event));
        }
        let left = self.leftovers.get_or_insert_with(|| planner.leftovers(&self.seen));
        left.pop().map(Work::Leftover)
    }

    /// Puts an event behind the others that was passed already; whether it was.
    pub(super) fn doubt(&mut self, event: EventUuid) -> bool {
        let was_passed = self.passed.remove(&event);
        self.doubted.extend(was_passed.then_some(event));
        was_passed
    }

    /// Whether nothing was done about an event yet.
    pub(super) fn is_untouched(&self, event: EventUuid) -> bool {
        !self.seen.contains(&event) || self.passed.contains(&event)
    }

    /// The incident of an event, if the dataset has it.
    pub(super) fn incident_of(
        &mut self,
        event: EventUuid,
        planner: &Planner<'_>,
    ) -> Option<Incident<'a>> {
        let graph = &self.input.graph;
        if self.roots.is_empty() {
            let roots = graph.roots().map(|(root, _)| (planner.event_of(root), root));
            self.roots = roots.collect();
        }
        graph.incident_of(self.roots.get(&event)?)
    }
}
