//! One incident at a time: skipped, carried out at once, or handed to the session.

use std::time::Duration;

use crate::{
    delivery::Wire,
    history::{Commit, EventUpdate, Ledger},
    model::{EventUuid, Timestamp},
    plan::{
        AttributeTally, BlockedReason, DestinationRecord, EventPlan, FeedHead, KnownEvent,
        OnForeign, Presence, Publish, Refusal,
    },
};

use super::{
    super::{
        AgentError, Ending,
        learn::{LearnError, WantedTags, greet, learn},
        lost,
        planner::{Call, Planned, Settled, settled},
        record,
    },
    Mode, Run,
};

/// Attributes that are gathered before what needs no request is written to the ledger.
const QUIET_COMMIT_ATTRIBUTES: usize = 5_000;
/// A run that sends at least so many attributes asks MISP anew who it is, once a day.
const ASK_AGAIN_ATTRIBUTES: usize = 100;
/// Examples in the warning that something is exposed.
const EXPOSED_EXAMPLES_MAX: usize = 3;
const ASK_AGAIN_SECONDS: i64 = 24 * 3_600;
/// Once a week a run that sends anything asks whether MISP takes by now what it refused of tags that nothing waits
/// for.
const ASK_ABOUT_TAGS_SECONDS: i64 = 7 * ASK_AGAIN_SECONDS;
/// So long what was heard of MISP's clock is relied on.
const HEARD_HOLDS: Duration = Duration::from_secs(3_600);

/// Whether what was heard of MISP's clock still holds.
pub(in super::super) fn is_heard(record: &DestinationRecord, now: Timestamp) -> bool {
    record.heard.is_some_and(|at| at <= now && now <= at.after(HEARD_HOLDS))
}

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    pub(super) async fn plan_incident(
        &mut self,
        incident: &crate::graph::Incident<'_>,
    ) -> Result<Option<Planned>, AgentError> {
        let uuid = self.planner.event_of(incident.root);
        self.seen.insert(uuid);
        if self.mode == Mode::Adopt {
            return self.plan_to_look(incident).await;
        }
        let mut call = self.planner.incident(incident, self.ledger)?;
        if let Call::Plan(planned) = &call
            && self.has_to_learn(&planned.plan)
        {
            self.learn().await?;
            if self.ending != Ending::Done {
                return Ok(None);
            }
            call = self.planner.incident(incident, self.ledger)?;
        }
        if let Call::Plan(planned) = &call
            && self.has_to_hear(&planned.plan)
        {
            self.hear().await?;
            if self.ending != Ending::Done {
                return Ok(None);
            }
            call = self.planner.incident(incident, self.ledger)?;
        }
        if let Call::Plan(planned) = &call
            && planned.plan.needs_misp()
        {
            let drifted = self.verify_if_due(uuid).await?;
            if self.ending != Ending::Done {
                return Ok(None);
            }
            if drifted {
                call = self.planner.incident(incident, self.ledger)?;
            }
        }
        match call {
            Call::Nothing(settled) => {
                self.passed.insert(uuid);
                self.count_unchanged(uuid, &settled);
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
            if self.ending != Ending::Done {
                return Ok(None);
            }
        }
        let uuid = self.planner.event_of(incident.root);
        if let Some(known) = self.ledger.event(&self.job.destination, uuid)?
            && known.head.presence != Presence::Declined
        {
            self.commit_forgotten(known)?;
        }
        match self.planner.incident_anew(incident, self.ledger)? {
            Call::Nothing(settled) => {
                self.count_unchanged(uuid, &settled);
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

    /// Whether MISP has to be asked who it is before a plan is carried out. What waits for a tag is a
    /// reason to ask, too: the tag may be there by now.
    fn has_to_learn(&self, plan: &EventPlan) -> bool {
        // Whose an event is may be right for another key, or other rights.
        let kept = is_kept_from(plan.refusal.as_ref());
        let waits_for_right = plan.event.head.publishing.waits_for_right(self.job.settings.publish);
        let unpublished = waits_for_right || self.would_stay_unpublished(plan);
        let waits = plan.lacks_a_tag() || unpublished || kept;
        let asked = self.planner.record.asked.map_or(0, Timestamp::seconds);
        let age = self.world.clock.now().seconds() - asked;
        // What seems to be of the future is of a clock that was set back, and of any age.
        let is_old = |holds: i64| !(0..=holds).contains(&age);
        let again = (is_old(ASK_AGAIN_SECONDS)
            && (waits || plan.send.len() >= ASK_AGAIN_ATTRIBUTES))
            || (is_old(ASK_ABOUT_TAGS_SECONDS) && self.planner.has_refused_tags());
        (waits || plan.needs_misp()) && (!self.learned || again)
    }

    /// Whether the event would not be published after this for lack of a right, which the key may have by now.
    fn would_stay_unpublished(&self, plan: &EventPlan) -> bool {
        let publishes = self.job.settings.publish != Publish::Never && plan.needs_misp();
        publishes && !self.planner.record.may("perm_publish")
    }

    /// Whether MISP's clock has to be asked for before a plan is carried out, as its attributes get their
    /// timestamps by it: what was heard of it an hour ago says nothing where a clock was set since.
    fn has_to_hear(&self, plan: &EventPlan) -> bool {
        let now = self.world.clock.now();
        plan.needs_misp() && !is_heard(&self.planner.record, now) && !self.heard
    }

    async fn hear(&mut self) -> Result<(), AgentError> {
        self.heard = true;
        let (clock, backoff) = (self.world.clock, self.job.backoff);
        let (destination, tally) = (&mut self.planner.record, &mut self.record.tally);
        let greeting = greet(&*self.wire, destination, clock, backoff, tally);
        match self.world.before_deadline(greeting).await {
            Some(greeted) => greeted?,
            None => self.ending = Ending::OutOfTime,
        }
        Ok(())
    }

    async fn learn(&mut self) -> Result<(), AgentError> {
        let (clock, backoff) = (self.world.clock, self.job.backoff);
        let before = (self.planner.record.url.clone(), self.planner.record.org);
        let version = self.planner.record.version.clone();
        let tags = self.planner.record.all_tag_terms();
        let (destination, tally) = (&mut self.planner.record, &mut self.record.tally);
        destination.url.clone_from(&self.job.url);
        let wanted = WantedTags { always: &self.job.settings.tags, of_events: &[] };
        let learning = learn(&*self.wire, destination, wanted, clock, backoff, tally);
        let Some(learned) = self.world.before_deadline(learning).await else {
            self.ending = Ending::OutOfTime;
            return Ok(());
        };
        learned?;
        let moved =
            before.0 != destination.url || (before.1.is_some() && before.1 != destination.org);
        if moved && self.is_stranger().await? {
            self.ending = Ending::AnotherMisp;
            return Ok(());
        }
        self.learned = true;
        self.relearned = true;
        // Events that were passed over before this may hold refusals of the version or the rights before.
        let record = &self.planner.record;
        let as_before = version == record.version && tags == record.all_tag_terms();
        self.all_settled &= version.is_empty() || as_before;
        if self.planner.record.may("perm_site_admin") {
            self.note("the key is a site administrator's: a key with the role Sync user or User is enough");
        }
        self.quiet.destination = Some(self.planner.record.clone());
        Ok(())
    }

    /// Whether the MISP behind a new address, or for a key of another organisation, is not the one that
    /// the ledger knows.
    async fn is_stranger(&mut self) -> Result<bool, AgentError> {
        let Some((call, reply)) = self.which_are_there().await? else { return Ok(false) };
        lost::is_stranger(&call, &reply).ok_or_else(|| {
            let why = "it does not say which of the events delivered before it holds".into();
            AgentError::Learn(LearnError::Unreachable { url: self.job.url.clone(), why })
        })
    }

    fn count_unchanged(&mut self, event: EventUuid, Settled { feed, refusal }: &Settled) {
        self.events_done += 1;
        self.count_refusal(event, refusal.as_ref());
        if refusal.is_none() {
            self.record.tally.events.unchanged += 1;
        }
        self.record.tally.attributes += record::as_unchanged(&feed.attributes);
        self.record.dataset.mapping += &feed.mapping;
        self.all_settled &= feed.settled;
    }

    /// Passes a plan on that needs MISP; carries out at once what does not.
    pub(super) fn sort_out(&mut self, planned: Planned) -> Result<Option<Planned>, AgentError> {
        self.count_refusal(planned.plan.event.head.uuid, planned.plan.refusal.as_ref());
        if planned.plan.needs_misp() {
            return Ok(Some(planned));
        }
        let Planned { plan, mut feed } = planned;
        let gone = feed.gone;
        let changed = plan.changes_ledger();
        let tally = plan.tally;
        let waits = plan.lacks_a_tag();
        self.lacking |= waits;
        self.settle(&plan.event, &mut feed, &tally);
        // An incident without attributes may wait for its tag, too.
        // It was delivered before, under another key: that is told while it is so.
        let kept = is_kept_from(plan.refusal.as_ref());
        self.refused |= kept && plan.event.head.presence == Presence::Present;
        feed.settled &= !waits;
        self.all_settled &= !waits;
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
            self.record.tally.events.unchanged += 1;
        }
        Ok(None)
    }

    fn count_refusal(&mut self, event: EventUuid, refusal: Option<&Refusal>) {
        let tally = &mut self.record.tally;
        match refusal {
            Some(Refusal::Withheld(_)) => tally.events.withheld += 1,
            Some(Refusal::Blocked(_) | Refusal::Declined) => tally.events.blocked += 1,
            None => {}
        }
        let unowned = matches!(refusal, Some(Refusal::Blocked(BlockedReason::OwnerUnknown(_))));
        self.unowned.extend(unowned.then_some(event));
        // It was to be appended to all the same.
        let append = self.job.settings.on_foreign == OnForeign::Append;
        let told = unowned || (append && is_kept_from(refusal));
        self.refused |= told;
        self.all_settled &= !told;
    }

    /// Keeps the first examples of what is exposed for the end of the run.
    fn note_exposed(&mut self, event: &KnownEvent, tally: &AttributeTally) {
        if tally.exposed == 0 {
            return;
        }
        let room = EXPOSED_EXAMPLES_MAX.saturating_sub(self.exposed.len());
        let exposed = event.attributes.values().filter(|known| known.exposed.is_some());
        self.exposed.extend(exposed.take(room).map(|known| {
            let (attribute, info) = (&known.attribute, &event.head.fields.info);
            let advice = known.exposed.as_ref().map(ToString::to_string).unwrap_or_default();
            let shorten = |text: &str| text.chars().take(80).collect::<String>();
            let (value, title) = (shorten(attribute.value.as_str()), shorten(info));
            format!("{} {value:?} in {title:?}: {advice}", attribute.kind)
        }));
    }

    /// Completes what the feed's head says of an event, and adds it to the totals.
    pub(super) fn settle(
        &mut self,
        event: &KnownEvent,
        feed: &mut FeedHead,
        tally: &AttributeTally,
    ) {
        debug_assert!(tally.adds_up(), "{tally:?}");
        feed.attributes = *tally;
        self.held_back += u64::from(self.planner.holds_back(feed, tally));
        // A run that only looked retired nothing: the next one plans anew.
        feed.settled =
            settled(event, tally) && self.mode == Mode::Deliver && !feed.reader.is_older();
        self.all_settled &= feed.settled;
        self.events_done += 1;
        self.note_exposed(event, tally);
        let totals = &mut self.record.tally;
        totals.events.held += u64::from(tally.held > 0);
        totals.attributes += *tally;
        if !feed.gone {
            self.record.dataset.mapping += &feed.mapping;
        }
    }
}

/// Whether nothing is written to an event for whose it is.
fn is_kept_from(refusal: Option<&Refusal>) -> bool {
    matches!(refusal, Some(Refusal::Blocked(why)) if why.is_ownership())
}
