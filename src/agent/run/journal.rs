//! The ledger as one run reads and writes it: what needs no request is gathered and goes with the next step.

use crate::{
    history::{Commit, Cursor, EventUpdate, Ledger, LedgerError, RunRecord},
    model::{EventUuid, FeedName},
    plan::{DestinationRecord, EventHead, KnownEvent},
};

use super::super::{Input, Job, planner::Losses};

/// Attributes that are gathered before what needs no request is written to the ledger.
const GATHERED_MAX: usize = 5_000;

/// The ledger, and what goes to it with the next step.
pub(super) struct Journal<'a, L> {
    pub(super) ledger: &'a mut L,
    job: &'a Job,
    next: Commit,
    /// Events and attributes that were gathered.
    gathered: usize,
}

impl<'a, L: Ledger> Journal<'a, L> {
    /// The first step writes the unsettled cursor: until the run ends, no shortcut leads over its source. And it keeps
    /// the names that were learned from the dataset, before anything goes by a plan that rests on them.
    pub(super) fn begin(
        job: &'a Job,
        ledger: &'a mut L,
        input: &Input,
        unsettled: Option<Cursor>,
    ) -> Self {
        let cursor = unsettled.map(|cursor| (job.feed.clone(), cursor));
        let aliases = input.graph.learned_aliases().clone();
        let next = Commit { cursor, aliases, ..Commit::default() };
        Self { ledger, job, next, gathered: 0 }
    }

    pub(super) fn head(&self, event: EventUuid) -> Result<Option<EventHead>, LedgerError> {
        self.ledger.head(&self.job.destination, event)
    }

    pub(super) fn event(&self, event: EventUuid) -> Result<Option<KnownEvent>, LedgerError> {
        self.ledger.event(&self.job.destination, event)
    }

    /// Keeps for the next step what needs no request.
    pub(super) fn gather(&mut self, update: EventUpdate) {
        self.gathered += update.attributes.len() + 1;
        self.next.events.push(update);
    }

    /// The same of what did not reach MISP.
    pub(super) fn gather_losses(&mut self, mut losses: Losses) {
        self.gathered += losses.values().map(|it| it.known.len()).sum::<usize>();
        self.next.losses.append(&mut losses);
    }

    /// What was learned of the destination goes with the next step.
    pub(super) fn gather_destination(&mut self, record: DestinationRecord) {
        self.next.destination = Some(record);
    }

    /// Whether enough was gathered for a step of its own.
    pub(super) const fn is_full(&self) -> bool {
        self.gathered >= GATHERED_MAX
    }

    /// Whether no event waits for the next step.
    pub(super) const fn is_empty(&self) -> bool {
        self.next.events.is_empty()
    }

    /// One durable step: what was gathered, what is given, and the run's record as it is.
    pub(super) fn commit(
        &mut self,
        run: &RunRecord,
        mut commit: Commit,
    ) -> Result<(), LedgerError> {
        let mut step = std::mem::take(&mut self.next);
        self.gathered = 0;
        step.events.append(&mut commit.events);
        step.losses.append(&mut commit.losses);
        step.cursor = commit.cursor.or(step.cursor);
        step.rules = commit.rules;
        step.destination = commit.destination.or(step.destination);
        step.run = Some(run.clone());
        self.ledger.commit(&self.job.destination, run.number, step)
    }

    /// Has the other feeds look at their sources again. What goes with the next step stays there, the feed's own cursor
    /// with it: a step has room for one.
    pub(super) fn unsettle_others(
        &mut self,
        run: &RunRecord,
        head: &EventHead,
    ) -> Result<(), LedgerError> {
        let others: Vec<&FeedName> = head.feeds.keys().filter(|it| **it != self.job.feed).collect();
        for feed in others {
            let cursor = self.ledger.cursor(feed, &self.job.destination)?;
            let Some(cursor) = cursor.filter(|it| it.settled || it.source.is_some()) else {
                continue;
            };
            let cursor = Some((feed.clone(), cursor.unsettled()));
            let step = Commit { cursor, run: Some(run.clone()), ..Commit::default() };
            self.ledger.commit(&self.job.destination, run.number, step)?;
        }
        Ok(())
    }
}
