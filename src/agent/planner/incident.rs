//! What one incident calls for: nothing, where neither it nor the terms changed, else a plan.

use std::collections::btree_map::Entry;

use crate::{
    graph::Incident,
    history::{Ledger, LedgerError},
    mapper::{self, Rules},
    model::{Digest, EventUuid, Reader},
    plan::{self, BlockedReason, EventHead, FeedHead, MappingChange, Presence, Refusal, Terms},
};

use super::{
    super::{Job, mapping_tally},
    Call, Losses, Planned, Planner, Settled,
    holding::{Before, Holding},
    policy_of,
};

impl Planner<'_> {
    /// Decides what an incident calls for.
    pub(in crate::agent) fn incident(
        &mut self,
        incident: &Incident<'_>,
        ledger: &impl Ledger,
    ) -> Result<Call, LedgerError> {
        let Some(mut settled) = self.nothing_to_do(incident) else {
            return Ok(Call::Plan(Box::new(self.plan(incident, ledger)?)));
        };
        let event = self.event_of(incident.root);
        if settled.feed.mapping.lost_total() > 0 && self.lacks_losses(event, ledger)? {
            let rules = &self.job.rules;
            let mut mapped = mapper::map_as(self.version(), incident, event, rules, self.now);
            settled.losses = self.losses_of(event, incident, &mut mapped, ledger)?;
        }
        Ok(Call::Nothing(Box::new(settled)))
    }

    /// Plans an incident of whose event the ledger knows something new.
    pub(in crate::agent) fn incident_anew(
        &mut self,
        incident: &Incident<'_>,
        ledger: &impl Ledger,
    ) -> Result<Planned, LedgerError> {
        let uuid = self.event_of(incident.root);
        if let Some(head) = ledger.head(&self.job.destination, uuid)? {
            self.heads.insert(uuid, head);
        }
        self.plan(incident, ledger)
    }

    /// What is known of an incident's event, if nothing has to be done about it.
    fn nothing_to_do(&self, incident: &Incident<'_>) -> Option<Settled> {
        let head = self.heads.get(&self.event_of(incident.root))?;
        let feed = self.feed_head(head)?;
        let settings = &self.job.settings;
        let is_to_be_planned = head.unproven
            || self.may_try_tags(head)
            || head.publishing.waits_for_right(settings.publish)
            || head.owes_publishing(settings.publish)
            || head.is_released(settings, &self.record)
            || !self.is_settled(feed, &incident.digest);
        let refusal = || standing_refusal(self.job, head);
        (!is_to_be_planned).then(|| Settled {
            feed: feed.clone(),
            refusal: refusal(),
            losses: Losses::new(),
        })
    }

    fn plan(
        &mut self,
        incident: &Incident<'_>,
        ledger: &impl Ledger,
    ) -> Result<Planned, LedgerError> {
        let uuid = self.event_of(incident.root);
        let head = self.heads.get(&uuid);
        let last = head.and_then(|head| self.feed_head(head)).map(|it| (it.rules, it.reader));
        let mut mapped = mapper::map_as(self.version(), incident, uuid, &self.job.rules, self.now);
        let losses = self.losses_of(uuid, incident, &mut mapped, ledger)?;
        let known = match head {
            Some(_) => ledger.event(&self.job.destination, uuid)?,
            None => None,
        };
        let before = self.before(incident, uuid, last, ledger)?;
        let by_now = last.is_some_and(|(_, reader)| !reader.is_older());
        let accepted = by_now || self.job.mapping_change == MappingChange::Apply;
        let terms = Terms { accepted, ..self.terms() };
        let holding = match (&before, &known) {
            (Some(before), Some(known)) => {
                Holding::back(&mut mapped.event, known, before, &self.job.policy)
            }
            (Some(before), None) => Holding::of_new(&mapped.event, before),
            (None, _) => Holding::default(),
        };
        // An incident that only a newer reader finds does not become an event before somebody wants it to.
        let is_there = known
            .as_ref()
            .is_some_and(|known| known.head.presence != Presence::Absent || known.head.unproven);
        let unknown_before = !is_there && matches!(before, Some(Before::OtherReader(None)));
        let mut plan = plan::diff(&mapped.event, known, &holding.attributes, &terms);
        plan.create &= !unknown_before;
        let waits = plan.tally.held > 0 || holding.others || plan.late_colour || unknown_before;
        let (rules, reader) = match (waits, last) {
            (true, Some(last)) => last,
            (true, None) => {
                let reader = self.last_reader().map_or(Reader::NOW, |older| older.reader);
                (self.job.rules.fingerprint(), reader)
            }
            (false, _) => (self.job.rules.fingerprint(), Reader::NOW),
        };
        let (graph, policy, attributes) = (incident.digest, self.policy(), plan.tally);
        let mapping = mapping_tally(&mapped.tally);
        let feed = FeedHead {
            graph,
            rules,
            reader,
            policy,
            settled: false,
            gone: false,
            place: Some(self.feed),
            marking: Some(mapped.event.marking),
            attributes,
            mapping,
        };
        plan.stirs |= self.stirs(uuid, &feed);
        Ok(Planned { plan, feed, losses })
    }

    /// Whether a tag that MISP refused may be taken by now.
    fn may_try_tags(&self, head: &EventHead) -> bool {
        head.tags.refused().any(|(tag, _, terms)| terms != self.record.tag_terms(tag))
    }

    fn is_settled(&self, feed: &FeedHead, graph: &Digest) -> bool {
        feed.settled
            && !feed.gone
            && !feed.reader.is_older()
            && feed.graph == *graph
            && feed.rules == self.job.rules.fingerprint()
            && (feed.policy == policy_of(self.job, &self.record) || feed.policy == self.policy())
    }

    /// The event as the rules and the reader of last time would have it, where one of them is another now.
    fn before(
        &mut self,
        incident: &Incident<'_>,
        uuid: EventUuid,
        last: Option<(Digest, Reader)>,
        ledger: &impl Ledger,
    ) -> Result<Option<Before>, LedgerError> {
        if self.job.mapping_change == MappingChange::Apply {
            return Ok(None);
        }
        let Some((rules, reader)) = last else {
            // Of what an older reader finds too, nothing is new but the incident.
            let older = self.last_reader();
            let finds = older.is_none_or(|it| it.incident_of(incident.root).is_some());
            return Ok((!finds).then_some(Before::OtherReader(None)));
        };
        let older = self.older.iter().find(|older| reader <= older.reader).cloned();
        let (now, job, version) = (self.now, self.job, self.version());
        let old_rules = match rules == job.rules.fingerprint() {
            true => None,
            false => self.rules_of(rules, ledger)?,
        };
        if old_rules.is_none() && older.is_none() {
            return Ok(None);
        }
        let map = |incident: &Incident<'_>| {
            mapper::map_as(version, incident, uuid, old_rules.unwrap_or(&job.rules), now).event
        };
        Ok(Some(match older {
            None => Before::OtherRules(map(incident)),
            Some(older) => Before::OtherReader(older.incident_of(incident.root).as_ref().map(map)),
        }))
    }

    fn rules_of(
        &mut self,
        fingerprint: Digest,
        ledger: &impl Ledger,
    ) -> Result<Option<&Rules>, LedgerError> {
        let rules = match self.old_rules.entry(fingerprint) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let text = ledger.rules(&fingerprint)?;
                entry.insert(text.and_then(|text| Rules::from_toml(&text).ok()))
            }
        };
        Ok(rules.as_ref())
    }
}

/// Why nothing of a settled event was ever sent, if so.
pub(super) fn standing_refusal(job: &Job, head: &EventHead) -> Option<Refusal> {
    match &head.presence {
        Presence::Present => None,
        Presence::Declined => Some(Refusal::Declined),
        Presence::Blocked(why) => Some(Refusal::Blocked(why.clone())),
        Presence::Absent => match job.policy.denies(head.marking) {
            Some(reason) => Some(Refusal::Withheld(reason)),
            None => Some(Refusal::Blocked(BlockedReason::IncidentNotAccepted)),
        },
    }
}
