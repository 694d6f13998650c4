//! One thing at a time: passed, carried out at once, or handed to the session.

use crate::{
    delivery::Wire,
    graph::Incident,
    history::{Commit, EventUpdate, Ledger},
    model::EventUuid,
    plan::{EventHead, KnownEvent, Presence, Refusal},
};

use super::{
    super::{
        AgentError,
        planner::{Call, Losses, Planned, Settled},
    },
    Halt, Mode, Run,
    backlog::Work,
    contact::Before,
    remains::Shortfall,
};

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    /// The next plan that needs MISP. What needs no request is carried out on the way there.
    pub(super) async fn next_plan(&mut self) -> Result<Option<Planned>, Halt> {
        while let Some(work) = self.backlog.next(&self.planner) {
            let planned = match work {
                Work::Incident(incident) if self.mode == Mode::Adopt => {
                    Some(self.plan_to_look(&incident).await?)
                }
                Work::Incident(incident) => self.plan_incident(&incident).await?,
                Work::Lost(event) => self.plan_lost(*event)?,
                Work::Doubted(event) => self.plan_anew(event)?,
                Work::Leftover(event) => self.planner.leftover(event, self.journal.ledger)?,
            };
            let Some(mut planned) = planned else { continue };
            self.keep_losses(std::mem::take(&mut planned.losses))?;
            if planned.plan.stirs {
                self.stir(&mut planned.plan.event.head)?;
            }
            self.count_refusal(&planned.plan.event.head, planned.plan.refusal.as_ref());
            if planned.plan.needs_misp() {
                return Ok(Some(planned));
            }
            self.carry_out_here(planned)?;
        }
        Ok(None)
    }

    /// Has the other feeds look at an event again. Their cursors are told before the event says so: a run
    /// that dies in between has them look in vain.
    pub(super) fn stir(&mut self, head: &mut EventHead) -> Result<(), AgentError> {
        self.journal.unsettle_others(&self.totals.record, head)?;
        let others = head.feeds.iter_mut().filter(|(feed, _)| **feed != self.job.feed);
        others.for_each(|(_, other)| other.settled = false);
        Ok(())
    }

    async fn plan_incident(&mut self, incident: &Incident<'_>) -> Result<Option<Planned>, Halt> {
        let mut call = self.planner.incident(incident, self.journal.ledger)?;
        for what in [Before::Identity, Before::Clock, Before::Holdings] {
            let Call::Plan(planned) = &call else { break };
            if self.ask_before(what, &planned.plan).await? {
                call = self.planner.incident(incident, self.journal.ledger)?;
            }
        }
        match call {
            Call::Plan(planned) => Ok(Some(*planned)),
            Call::Nothing(mut settled) => {
                self.keep_losses(std::mem::take(&mut settled.losses))?;
                self.pass(self.planner.event_of(incident.root), &settled);
                Ok(None)
            }
        }
    }

    /// Plans to ask what MISP holds of an incident, as if nothing were known of it, and to send nothing.
    async fn plan_to_look(&mut self, incident: &Incident<'_>) -> Result<Planned, Halt> {
        if self.contact.is_unknown() {
            self.learn().await?;
        }
        if let Some(known) = self.journal.event(self.planner.event_of(incident.root))?
            && known.head.presence != Presence::Declined
        {
            self.forget(known)?;
        }
        let mut planned = self.planner.incident_anew(incident, self.journal.ledger)?;
        let plan = &mut planned.plan;
        plan.create = false;
        plan.send.clear();
        plan.event.head.unproven = plan.refusal.is_none();
        Ok(planned)
    }

    /// Plans a lost event anew, as if MISP had never had it.
    fn plan_lost(&mut self, event: KnownEvent) -> Result<Option<Planned>, AgentError> {
        let uuid = event.head.uuid;
        self.backlog.revived.insert(uuid);
        self.forget(event)?;
        self.plan_anew(uuid)
    }

    /// Plans an event anew that was planned or passed in this run.
    fn plan_anew(&mut self, event: EventUuid) -> Result<Option<Planned>, AgentError> {
        let incident = self.backlog.incident_of(event, &self.planner);
        let ledger = &*self.journal.ledger;
        let planned = incident.map(|incident| self.planner.incident_anew(&incident, ledger));
        Ok(planned.transpose()?)
    }

    /// What of losses is another now goes with the next step: before, or with, the head that says that an event is
    /// settled.
    pub(super) fn keep_losses(&mut self, losses: Losses) -> Result<(), AgentError> {
        self.journal.gather_losses(losses);
        if self.journal.is_full() { self.commit(Commit::default()) } else { Ok(()) }
    }

    fn pass(&mut self, event: EventUuid, Settled { feed, refusal, .. }: &Settled) {
        self.backlog.passed.insert(event);
        if refusal.is_some()
            && let Some(head) = self.planner.head(event).cloned()
        {
            self.count_refusal(&head, refusal.as_ref());
        }
        self.totals.pass(feed);
        self.totals.record.tally.events.unchanged += u64::from(refusal.is_none());
        self.remains.settle(feed.settled);
    }

    fn count_refusal(&mut self, head: &EventHead, refusal: Option<&Refusal>) {
        let events = &mut self.totals.record.tally.events;
        match refusal {
            Some(Refusal::Withheld(_)) => events.withheld += 1,
            Some(Refusal::Blocked(_) | Refusal::Declined) => events.blocked += 1,
            None => {}
        }
        self.remains.refuse(head, refusal, self.job.settings.on_foreign);
    }

    /// Carries a plan out that needs no request.
    fn carry_out_here(
        &mut self,
        Planned { plan, mut feed, .. }: Planned,
    ) -> Result<(), AgentError> {
        let changed = plan.changes_ledger();
        let waits = plan.lacks_a_tag();
        self.settle(&plan.event, &mut feed, &plan.tally);
        // An incident without attributes may wait for its tag, too.
        feed.settled &= !waits;
        self.remains.settle(!waits);
        if waits {
            self.remains.fall_short(Shortfall::LacksTag);
        }
        let is_unchanged = plan.refusal.is_none() && !feed.gone;
        self.totals.record.tally.events.unchanged += u64::from(is_unchanged);
        if !changed && plan.event.head.feeds.get(&self.job.feed) == Some(&feed) {
            return Ok(());
        }
        let touched = plan.touched.iter().map(|key| plan.event.attributes[key].clone());
        let attributes = touched.collect();
        let mut head = plan.event.head;
        head.feeds.insert(self.job.feed.clone(), feed);
        self.journal.gather(EventUpdate { head, attributes, changes: plan.changes });
        if self.journal.is_full() { self.commit(Commit::default()) } else { Ok(()) }
    }
}
