//! One incident at a time: skipped, carried out at once, or handed to the session.

use crate::{
    delivery::Wire,
    history::{Commit, EventUpdate, Ledger},
    misp::event_uuid,
    model::Timestamp,
    plan::{AttributeTally, FeedHead, KnownEvent, Presence, Refusal},
};

use super::{
    super::{
        AgentError, Ending,
        learn::learn,
        planner::{Call, Planned, Settled, settled},
        record::{self, add_attributes, add_mapping},
    },
    Mode, Run,
};

/// Attributes that are gathered before what needs no request is written to the ledger.
const QUIET_COMMIT_ATTRIBUTES: usize = 5_000;
/// A run that sends at least so many attributes asks MISP anew who it is, once a day.
const ASK_AGAIN_ATTRIBUTES: usize = 100;
const ASK_AGAIN_SECONDS: i64 = 24 * 3_600;

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    pub(super) async fn plan_incident(
        &mut self,
        incident: &crate::graph::Incident<'_>,
    ) -> Result<Option<Planned>, AgentError> {
        let uuid = event_uuid(incident.root);
        self.seen.insert(uuid);
        if self.mode == Mode::Adopt {
            return self.plan_to_look(incident).await;
        }
        let mut call = self.planner.incident(incident, self.ledger)?;
        if let Call::Plan(planned) = &call
            && planned.plan.needs_misp()
        {
            let learns = self.has_to_learn(planned.plan.send.len());
            if learns {
                self.learn().await?;
            }
            let drifted = self.verify_if_due(uuid).await?;
            if self.ending == Ending::AnotherMisp {
                return Ok(None);
            }
            if learns || drifted {
                call = self.planner.incident(incident, self.ledger)?;
            }
        }
        match call {
            Call::Nothing(settled) => {
                self.passed.insert(uuid);
                self.count_unchanged(&settled);
                Ok(None)
            }
            Call::Plan(planned) => self.sort_out(*planned),
        }
    }

    /// Plans to ask what MISP holds of an incident, as if nothing were known of it, and to send nothing.
    async fn plan_to_look(
        &mut self,
        incident: &crate::graph::Incident<'_>,
    ) -> Result<Option<Planned>, AgentError> {
        if !self.learned {
            self.learn().await?;
        }
        let uuid = event_uuid(incident.root);
        if let Some(known) = self.ledger.event(&self.job.destination, uuid)?
            && known.head.presence != Presence::Declined
        {
            self.commit_forgotten(known)?;
        }
        match self.planner.incident_anew(incident, self.ledger)? {
            Call::Nothing(settled) => {
                self.count_unchanged(&settled);
                Ok(None)
            }
            Call::Plan(mut planned) => {
                let plan = &mut planned.plan;
                plan.create = false;
                plan.send.clear();
                plan.event.head.unproven = plan.refusal.is_none();
                self.sort_out(*planned)
            }
        }
    }

    fn has_to_learn(&self, sends: usize) -> bool {
        let asked = self.planner.record.asked.map_or(0, Timestamp::seconds);
        let old = self.world.clock.now().seconds() - asked > ASK_AGAIN_SECONDS;
        !self.learned || (old && sends >= ASK_AGAIN_ATTRIBUTES)
    }

    async fn learn(&mut self) -> Result<(), AgentError> {
        let (clock, backoff) = (self.world.clock, self.job.backoff);
        let (destination, tally) = (&mut self.planner.record, &mut self.record.tally);
        learn(&*self.wire, destination, &self.job.settings.tags, clock, backoff, tally).await?;
        self.learned = true;
        if self.planner.record.may("perm_site_admin") {
            self.note("the key is a site administrator's: a key with the role Sync user or User is enough");
        }
        self.quiet.destination = Some(self.planner.record.clone());
        Ok(())
    }

    fn count_unchanged(&mut self, Settled { feed, refusal }: &Settled) {
        self.events_done += 1;
        self.count_refusal(refusal.as_ref());
        if refusal.is_none() {
            self.record.tally.events_unchanged += 1;
        }
        add_attributes(&mut self.record.tally.attributes, &record::as_unchanged(&feed.attributes));
        add_mapping(&mut self.record.dataset.mapping, &feed.mapping);
        self.all_settled &= feed.settled;
    }

    /// Passes a plan on that needs MISP; carries out at once what does not.
    pub(super) fn sort_out(&mut self, planned: Planned) -> Result<Option<Planned>, AgentError> {
        self.count_refusal(planned.plan.refusal.as_ref());
        if planned.plan.needs_misp() {
            return Ok(Some(planned));
        }
        let Planned { plan, mut feed } = planned;
        let gone = feed.gone;
        let changed = plan.changes_ledger();
        let tally = plan.tally;
        self.settle(&plan.event, &mut feed, &tally);
        let before = plan.event.head.feeds.get(&self.job.feed) == Some(&feed);
        if changed || !before {
            let attributes: Vec<_> =
                plan.touched.iter().map(|key| plan.event.attributes[key].clone()).collect();
            let mut head = plan.event.head;
            head.feeds.insert(self.job.feed.clone(), feed);
            self.quiet_attributes += attributes.len() + 1;
            self.quiet.events.push(EventUpdate { head, attributes });
            self.quiet.changes.extend(plan.changes);
            if self.quiet_attributes >= QUIET_COMMIT_ATTRIBUTES {
                self.commit(Commit::default())?;
            }
        }
        if plan.refusal.is_none() && !gone {
            self.record.tally.events_unchanged += 1;
        }
        Ok(None)
    }

    fn count_refusal(&mut self, refusal: Option<&Refusal>) {
        let tally = &mut self.record.tally;
        match refusal {
            Some(Refusal::Withheld(_)) => tally.events_withheld += 1,
            Some(Refusal::Blocked(_) | Refusal::Declined | Refusal::NotCreated) => {
                tally.events_blocked += 1;
            }
            None => {}
        }
    }

    /// Completes what the feed's head says of an event, and adds it to the totals.
    pub(super) fn settle(
        &mut self,
        event: &KnownEvent,
        feed: &mut FeedHead,
        tally: &AttributeTally,
    ) {
        debug_assert!(record::adds_up(tally), "{tally:?}");
        feed.attributes = *tally;
        feed.settled = settled(event, tally);
        self.all_settled &= feed.settled;
        self.events_done += 1;
        let totals = &mut self.record.tally;
        totals.events_held += u64::from(tally.held > 0);
        add_attributes(&mut totals.attributes, tally);
        if !feed.gone {
            add_mapping(&mut self.record.dataset.mapping, &feed.mapping);
        }
    }
}
