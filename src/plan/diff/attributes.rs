//! What becomes of each attribute of an event.

use std::collections::BTreeSet;

use crate::{
    misp::{DesiredAttribute, DesiredEvent},
    model::{AttributeUuid, Marking, RunNumber},
    plan::{
        AttributeTally, ChangeKind, FeedSet, KnownAttribute, Said, Standing, TagFact, retire,
        tags::{is_freer, lacks_a_colour},
        verdict::{Situation, Verdict},
    },
};

use super::{ENDED_BY_TERMS, Planner, has_come};

impl Planner<'_> {
    /// Finds what becomes of each attribute; `said` is the event as this feed alone has it.
    pub(super) fn attributes(
        &mut self,
        desired: &DesiredEvent,
        said: &DesiredEvent,
        held: &BTreeSet<AttributeUuid>,
    ) {
        let mut wanted = BTreeSet::new();
        let mut fresh = Vec::new();
        for (each, said) in desired.attributes.iter().zip(&said.attributes) {
            let uuid = each.attribute.uuid;
            if !wanted.insert(uuid) {
                continue;
            }
            let known = self.plan.event.attributes.get(&uuid);
            if known.is_none_or(|known| known.wanted.is_empty() || known.is_untried()) {
                fresh.push((uuid, each));
            }
            let situation = Situation {
                known,
                desired: each,
                held: held.contains(&uuid),
                refusal: self.plan.refusal.as_ref(),
                covered: self.plan.covered,
                bare: self.bare,
                late: self.plan.late_colour,
                colour: self.plan.event.head.tags.colour(),
                terms: self.terms,
            };
            let verdict = situation.verdict();
            let goes = verdict == Verdict::Send;
            let lost: Option<Box<str>> = situation.lost_colour().map(Into::into);
            self.carry_out(uuid, each, said.marking, verdict);
            if goes {
                self.remark(uuid, each, desired);
            }
            if let Some(colour) = lost {
                self.bring_back(uuid, colour);
            }
        }
        self.plan.tally.planned = wanted.len() as u64;
        retire::apply(&mut self.plan, self.terms.retire, self.terms.feed, &wanted, &fresh);
        self.plan.planned = wanted;
    }

    /// A colour that MISP left out of an attribute is attached, if it is to be, and MISP takes it.
    fn bring_back(&mut self, uuid: AttributeUuid, colour: Box<str>) {
        self.attributes_lack = true;
        if !self.plan.late_colour && self.may_attach(&colour) {
            self.plan.colours.push((uuid, colour));
        }
    }

    /// Whether MISP is known to take a colour: one that it refused is tried again once its list says otherwise.
    fn may_attach(&self, colour: &str) -> bool {
        let usable = matches!(self.terms.destination.tag(colour), Some(TagFact::Usable(_)));
        usable && self.plan.refusal.is_none()
    }

    /// What was marked stricter since its bytes were chosen must not go out as it was, and what was to go under a
    /// colour that MISP does not take cannot; but it may be there already. So MISP is looked at first.
    fn remark(&mut self, uuid: AttributeUuid, desired: &DesiredAttribute, event: &DesiredEvent) {
        let chosen = &self.plan.event.attributes[&uuid].attribute;
        let lacks = lacks_a_colour(chosen, self.plan.covered, self.terms.destination);
        if lacks || is_freer(chosen, &desired.attribute, event) {
            self.plan.remarked.insert(uuid, desired.clone());
            self.plan.event.head.unproven = true;
        }
    }

    /// Writes one verdict into the plan, and what this feed says of the attribute's marking.
    fn carry_out(
        &mut self,
        uuid: AttributeUuid,
        desired: &DesiredAttribute,
        says: Marking,
        verdict: Verdict,
    ) {
        let tally = &mut self.plan.tally;
        let known = self.plan.event.attributes.get(&uuid);
        let before = known.cloned();
        let mut now = before.clone().unwrap_or_else(|| unknown(desired, self.terms.run));
        now.say(self.terms.feed, says);
        // Of several feeds one tells where it comes from and how it differs: in turns they would never end.
        let tells = now.wanted.iter().next() == Some(self.terms.feed);
        let mut changes = Vec::new();
        match verdict {
            Verdict::Unchanged(mut notice) => {
                notice.drift = notice.drift.filter(|_| tells);
                tally.unchanged += 1;
                tally.drifted += u64::from(notice.drift.is_some());
                tally.exposed += u64::from(notice.exposed.is_some());
                if before.as_ref().is_some_and(|before| before.wanted.is_empty()) {
                    now.superseded_by = None;
                    changes.push(ChangeKind::Returned);
                }
                now.sources.clone_from(&desired.sources);
                let is_news = tells || notice.exposed != now.exposed;
                let noted = if is_news { notice.digest() } else { now.noted };
                if noted.is_some() && noted != now.noted {
                    changes.extend(notice.exposed.clone().map(ChangeKind::Exposed));
                    changes.extend(notice.drift.map(ChangeKind::Drifted));
                }
                if now.exposed.is_some() && notice.exposed.is_none() {
                    changes.push(ChangeKind::ExposureEnded(ENDED_BY_TERMS.into()));
                }
                now.noted = noted;
                now.exposed = notice.exposed;
            }
            Verdict::Keep => count_kept(tally, &now.standing),
            Verdict::Send => {
                tally.pending += 1;
                refresh(&mut now, desired, self.terms.run, Standing::Pending);
                let timestamp = *now.timestamp.get_or_insert(self.terms.misp_now);
                // It was chosen by a clock that stood wrong: MISP is looked at, and another one chosen.
                self.plan.event.head.unproven |= !has_come(timestamp, self.terms.misp_now);
                self.plan.send.push(uuid);
            }
            Verdict::Stand(standing) => {
                count_kept(tally, &standing);
                if now.standing != standing || before.is_none() {
                    changes.extend(ChangeKind::of_standing(&standing));
                    refresh(&mut now, desired, self.terms.run, standing);
                }
            }
        }
        for kind in changes {
            self.change(Some(uuid), kind);
        }
        if let Some(before) = before.as_ref().filter(|_| !tells) {
            now.sources.clone_from(&before.sources);
        }
        now.forget_said();
        self.plan.stirs |= before.as_ref().is_some_and(|before| now.stirs(before, self.terms.feed));
        if before.as_ref() != Some(&now) {
            self.plan.touched.insert(uuid);
            self.plan.event.attributes.insert(uuid, now);
        }
    }
}

fn unknown(desired: &DesiredAttribute, run: RunNumber) -> KnownAttribute {
    KnownAttribute {
        attribute: desired.attribute.clone(),
        marking: desired.marking,
        said: Said::default(),
        sources: desired.sources.clone(),
        standing: Standing::Pending,
        wanted: FeedSet::default(),
        superseded_by: None,
        overruled: false,
        noted: None,
        exposed: None,
        timestamp: None,
        order: None,
        since: run,
    }
}

/// Brings what is not in MISP up to what the dataset says now; its UUID stays.
fn refresh(now: &mut KnownAttribute, desired: &DesiredAttribute, run: RunNumber, to: Standing) {
    let uuid = now.attribute.uuid;
    // Once it may have been sent, every repeat sends the same bytes, also where policy kept it back in
    // between. Of what MISP refused nothing is there.
    let refused = matches!(now.standing, Standing::Rejected { .. });
    if now.timestamp.is_none() || refused {
        now.attribute = desired.attribute.clone();
        now.attribute.uuid = uuid;
        now.marking = desired.marking;
    }
    now.sources.clone_from(&desired.sources);
    if now.standing != to {
        now.standing = to;
        now.since = run;
    }
}

fn count_kept(tally: &mut AttributeTally, standing: &Standing) {
    match standing {
        Standing::Pending => tally.pending += 1,
        Standing::Sent | Standing::Adopted => tally.unchanged += 1,
        Standing::Declined => tally.declined += 1,
        Standing::Rejected { .. } => tally.rejected += 1,
        Standing::Withheld(_) => tally.withheld += 1,
        Standing::Held => tally.held += 1,
        Standing::Blocked(_) => tally.blocked += 1,
    }
}
