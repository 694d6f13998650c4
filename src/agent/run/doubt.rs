//! Once in a while, in a run that sends anyway: is what was sent before still there?

use std::collections::BTreeSet;

use crate::{
    delivery::{
        Wire,
        verify::{Finding, There},
    },
    history::{Commit, EventUpdate, Ledger},
    model::EventUuid,
    plan::{KnownEvent, Presence, tag_key},
};

use super::{
    super::{
        AgentError, Ending, Input, lost,
        planner::{Call, Planned},
        record,
        verify::{Asking, batch},
    },
    Run,
};

/// Most rows that are asked about in a run that came for something else.
pub(in crate::agent) const ROWS_MAX: usize = 10_000;

/// Events in the order in which it is their turn: those behind the ones of last time come first.
pub(in crate::agent) fn in_turn(
    known: BTreeSet<EventUuid>,
    last: Option<EventUuid>,
) -> impl Iterator<Item = EventUuid> {
    let (before, behind): (Vec<_>, Vec<_>) =
        known.into_iter().partition(|event| last.is_some_and(|last| *event <= last));
    behind.into_iter().chain(before)
}

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    /// Looks at some events, if it was not done for long: those behind the ones of last time. What drifted is
    /// listed and reconciled in this run, what was lost is sent again. Says whether anything was found.
    pub(super) async fn verify_if_due(&mut self, current: EventUuid) -> Result<bool, AgentError> {
        let Some(every) = self.job.verify_every else { return Ok(false) };
        let now = self.world.clock.now();
        let every = i64::try_from(every.as_micros()).unwrap_or(i64::MAX);
        let last = self.planner.record.verified;
        if last.is_some_and(|last| now.micros().saturating_sub(last.micros()) < every) {
            return Ok(false);
        }
        let events = self.next_to_verify(current)?;
        let last = events.last().map(|event| event.head.uuid);
        let asking =
            Asking { wire: &*self.wire, clock: self.world.clock, backoff: self.job.backoff };
        let (record, tally) = (&mut self.planner.record, &mut self.record.tally);
        let findings = match self.world.before_deadline(asking.look(events, record, tally)).await {
            Some(Ok(findings)) => findings,
            None => {
                self.ending = Ending::OutOfTime;
                return Ok(false);
            }
            Some(Err(why)) => {
                self.note(&format!("what was sent before could not be verified: {why}"));
                return Ok(false);
            }
        };
        self.verified = true;
        self.planner.record.verified = Some(now);
        self.planner.record.verified_up_to = last.or(self.planner.record.verified_up_to);
        let (unknown, known): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| finding.there == There::Unknown);
        for Finding { event, why, .. } in unknown {
            let why = why.unwrap_or_default();
            self.note(&format!("event {event}: what was sent before could not be verified: {why}"));
        }
        let drifted: Vec<_> = known.into_iter().filter(|finding| !finding.is_proven()).collect();
        let is_gone = |there: There| there == There::No;
        let gone = if drifted.iter().any(|finding| is_gone(finding.there)) {
            self.what_gone_means().await?
        } else {
            None
        };
        if gone == Some(lost::Finding::AnotherMisp) {
            self.ending = Ending::AnotherMisp;
            return Ok(true);
        }
        for finding in &drifted {
            match (is_gone(finding.there), gone) {
                (true, Some(_)) => self.forget(finding.event)?,
                (true, None) => {}
                (false, _) => self.doubt(finding)?,
            }
        }
        Ok(!drifted.is_empty())
    }

    /// The events behind the ones of last time that this run did nothing about yet.
    fn next_to_verify(&self, current: EventUuid) -> Result<Vec<KnownEvent>, AgentError> {
        let untouched = |event: &EventUuid| {
            *event == current || !self.seen.contains(event) || self.passed.contains(event)
        };
        let heads = self.planner.heads();
        let known: BTreeSet<EventUuid> = heads
            .filter(|head| head.presence == Presence::Present && !head.unproven)
            .map(|head| head.uuid)
            .filter(untouched)
            .collect();
        let mut turn = in_turn(known, self.planner.record.verified_up_to).peekable();
        batch(self.ledger, &self.job.destination, &mut turn, ROWS_MAX)
    }

    /// Has an event listed before anything else is done about it.
    fn doubt(&mut self, finding: &Finding) -> Result<(), AgentError> {
        let event = finding.event;
        self.note(&format!("event {event} is not as it was left; it is listed and reconciled"));
        let Some(mut head) = self.ledger.head(&self.job.destination, event)? else {
            return Ok(());
        };
        head.unproven = true;
        // A colour that is not known to be there is attached with what is planned; of an incident that left it stays
        // known, so that it is told again.
        if let Some(lost) = finding.lost.as_ref().filter(|_| head.feeds.values().any(|it| !it.gone))
        {
            head.tags.retain(|tag| tag_key(&tag.name) != tag_key(&lost.tag));
        }
        let update = EventUpdate { head: head.clone(), attributes: Vec::new() };
        self.commit(Commit { events: vec![update], ..Commit::default() })?;
        self.planner.learn_head(head);
        self.look_again(event);
        Ok(())
    }

    /// Takes an event for one that MISP never had: it is sent again in full.
    fn forget(&mut self, event: EventUuid) -> Result<(), AgentError> {
        let Some(known) = self.ledger.event(&self.job.destination, event)? else { return Ok(()) };
        self.commit_forgotten(known)?;
        self.revived.insert(event);
        self.look_again(event);
        Ok(())
    }

    /// Writes a forgotten event to the ledger. The other feeds have to look at it again, too.
    pub(super) fn commit_forgotten(&mut self, event: KnownEvent) -> Result<(), AgentError> {
        let event = lost::forget(event);
        let head = event.head.clone();
        let update =
            EventUpdate { head: event.head, attributes: event.attributes.into_values().collect() };
        self.commit(Commit { events: vec![update], ..Commit::default() })?;
        for feed in head.feeds.keys().filter(|feed| **feed != self.job.feed) {
            let Some(cursor) = self.ledger.cursor(feed, &self.job.destination)? else { continue };
            let cursor = Some((feed.clone(), cursor.unsettled()));
            self.commit(Commit { cursor, ..Commit::default() })?;
        }
        self.planner.learn_head(head);
        Ok(())
    }

    /// Puts an event that this run passed by already behind the others, and takes it out of the sums.
    fn look_again(&mut self, event: EventUuid) {
        if !self.passed.remove(&event) {
            return;
        }
        if let Some(feed) = self.planner.feed_of(event) {
            self.events_done -= 1;
            self.record.tally.events.unchanged -= 1;
            let unchanged = record::as_unchanged(&feed.attributes);
            self.record.tally.attributes -= unchanged;
            self.record.dataset.mapping -= &feed.mapping;
        }
        self.doubted.push(event);
    }

    /// Plans an event anew that this run passed by.
    pub(super) fn plan_again(
        &mut self,
        event: EventUuid,
        input: &Input,
    ) -> Result<Option<Planned>, AgentError> {
        if self.roots.is_empty() {
            let roots = input.graph.roots().map(|(root, _)| (self.planner.event_of(root), root));
            self.roots = roots.map(|(event, root)| (event, root.clone())).collect();
        }
        let root = self.roots.get(&event);
        let Some(incident) = root.and_then(|root| input.graph.incident_of(root)) else {
            return Ok(None);
        };
        match self.planner.incident_anew(&incident, self.ledger)? {
            Call::Plan(planned) => self.sort_out(*planned),
            Call::Nothing(_) => Ok(None),
        }
    }
}
