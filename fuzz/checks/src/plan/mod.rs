//! Plans: what is desired against what is known, each attribute by a reckoning of its own. What a plan
//! sends is what MISP lacks and may have, carried out it leaves nothing to do, and no standing is claimed
//! that was not earned.

mod case;
mod expect;
mod together;

use std::collections::BTreeSet;

use arbitrary::Unstructured;

use misp_trickle::{
    misp::Dated,
    model::AttributeUuid,
    plan::{
        AttributeTally, ChangeKind, EventPlan, FieldEdit, KnownEvent, Presence, Retire, Standing,
        TagStanding, diff, digest_of_plans,
    },
};

use case::Case;
pub(super) use case::attribute;
use expect::{Outcome, Refused};

/// Plans an event made of the bytes, carries the plan out, and plans again.
///
/// # Panics
/// If the plan is not what the table of changes calls for, or the second plan has anything to do.
pub fn plan(data: &[u8]) {
    if let Ok(case) = Case::read(&mut Unstructured::new(data)) {
        case.check();
    }
}

impl Case {
    fn plan(&self, known: Option<KnownEvent>) -> EventPlan {
        let plan = diff(&self.said, known, &self.held, &self.terms());
        adds_up(&plan.tally);
        plan
    }

    fn check(&self) {
        let plan = self.plan(self.known.clone());
        let again = self.plan(self.known.clone());
        assert_eq!(plan, again);
        assert_eq!(digest_of_plans([&plan].into_iter()), digest_of_plans([&again].into_iter()));
        self.follows_the_table(&plan);
        self.refusal_stops_all(&plan);
        self.earned(&plan);
        self.says(&plan);
        self.nothing_freer(&plan);
        self.wanting(&plan);
        let known = carried_out(plan.clone());
        self.arrived(&plan, &known);
        self.nothing_left(&plan, known);
    }

    /// Every desired attribute has the result that it should have.
    fn follows_the_table(&self, plan: &EventPlan) {
        let expected = self.expected();
        let count =
            |outcome: Outcome| expected.values().filter(|found| **found == outcome).count() as u64;
        let to_send: BTreeSet<AttributeUuid> = expected
            .iter()
            .filter(|(_, outcome)| **outcome == Outcome::Send)
            .map(|(uuid, _)| *uuid)
            .collect();
        let sent: BTreeSet<AttributeUuid> = plan.send.iter().copied().collect();
        assert_eq!(sent.len(), plan.send.len(), "an attribute is sent once");
        assert_eq!(sent, to_send);
        let tally = &plan.tally;
        assert_eq!(tally.planned, expected.len() as u64);
        for (name, found, outcome) in [
            ("pending", tally.pending, Outcome::Send),
            ("unchanged", tally.unchanged, Outcome::Unchanged),
            ("declined", tally.declined, Outcome::Declined),
            ("rejected", tally.rejected, Outcome::Rejected),
            ("withheld", tally.withheld, Outcome::Withheld),
            ("held", tally.held, Outcome::Held),
            ("blocked", tally.blocked, Outcome::Blocked),
        ] {
            assert_eq!(found, count(outcome), "{name}: {tally:?} of {expected:?}");
        }
        assert_eq!((tally.sent, tally.adopted), (0, 0), "nothing is sent before it is sent");
        for (uuid, outcome) in &expected {
            let standing = &plan.event.attributes[uuid].standing;
            assert_eq!(Outcome::of(standing), *outcome, "{uuid} stands as {standing:?}");
        }
    }

    /// Of an event that is refused nothing goes anywhere.
    fn refusal_stops_all(&self, plan: &EventPlan) {
        assert_eq!(plan.refusal.is_some(), self.refused() != Refused::No, "{:?}", plan.refusal);
        if plan.refusal.is_some() {
            assert!(!plan.create && plan.send.is_empty() && !plan.needs_misp());
            assert!(plan.fields.is_none() && plan.tags.is_empty());
        }
        let presence = self.known.as_ref().map_or(&Presence::Absent, |known| &known.head.presence);
        let absent = *presence == Presence::Absent;
        assert_eq!(plan.create, absent && plan.refusal.is_none());
        assert_eq!(plan.event.head.presence, *presence, "only MISP says that it has an event");
        let has = |tag: &str| self.known.iter().any(|known| known.head.tags.carries(tag));
        assert!(plan.tags.iter().all(|tag| !has(tag)), "a tag goes once");
    }

    /// A plan is no answer of MISP: what it holds, and what may be on its way, stays as it was.
    fn earned(&self, plan: &EventPlan) {
        let known = self.known.iter().flat_map(|known| &known.attributes);
        for (uuid, before) in known {
            let after = &plan.event.attributes[uuid];
            let there = before.standing.is_in_misp() || before.standing == Standing::Declined;
            assert!(!there || before.standing == after.standing, "{before:?} became {after:?}");
            assert_eq!((before.order, before.overruled), (after.order, after.overruled));
            if before.timestamp.is_some() {
                assert_eq!(before.timestamp, after.timestamp, "a timestamp is chosen once");
                let refused = matches!(before.standing, Standing::Rejected { .. });
                assert!(
                    refused || before.attribute == after.attribute,
                    "a repeat carries the same bytes: {before:?} became {after:?}"
                );
            }
            let differs = before != after;
            assert!(!differs || plan.touched.contains(uuid), "{uuid} would not be stored");
        }
        for (uuid, after) in &plan.event.attributes {
            let before = self.known.as_ref().and_then(|known| known.attributes.get(uuid));
            let claims = after.standing.is_in_misp();
            assert!(!claims || before.is_some_and(|before| before.standing == after.standing));
            assert!(before.is_some() || plan.touched.contains(uuid), "{uuid} would not be stored");
        }
        for uuid in &plan.send {
            assert!(plan.event.attributes[uuid].timestamp.is_some(), "{uuid} has no timestamp");
        }
    }

    /// Nothing goes below a freer colour than the dataset gives it now, whatever it was to be sent as before; and
    /// other bytes than before only after MISP was looked at.
    fn nothing_freer(&self, plan: &EventPlan) {
        let colours = ["tlp:green", "tlp:amber", "tlp:red"];
        let rank =
            |tags: &[Box<str>]| colours.iter().rposition(|it| tags.iter().any(|tag| **tag == **it));
        let below = |tags: &[Box<str>]| rank(tags).or_else(|| rank(&self.desired.fields.tags));
        for uuid in &plan.send {
            let known = &plan.event.attributes[uuid].attribute;
            let goes = plan.remarked.get(uuid).map_or(known, |desired| &desired.attribute);
            let wanted = &self.desired_of(*uuid).attribute;
            assert!(below(&goes.tags) >= below(&wanted.tags), "{goes:?} is to be {wanted:?}");
        }
        for (uuid, desired) in &plan.remarked {
            assert!(plan.send.contains(uuid) && plan.event.head.unproven, "{uuid} goes unseen");
            assert_eq!(desired, self.desired_of(*uuid));
        }
    }

    /// What this feed says of a marking is kept, and what others say stays theirs.
    fn says(&self, plan: &EventPlan) {
        for (uuid, after) in &plan.event.attributes {
            let said = self.said.attributes.iter().find(|each| each.attribute.uuid == *uuid);
            if let Some(said) = said {
                assert_eq!(after.said_by(self.feed), said.marking, "{uuid}");
            }
            let before = self.known.as_ref().and_then(|known| known.attributes.get(uuid));
            for other in after.wanted.without(self.feed).iter() {
                let before = before.expect("another feed wanted it before");
                assert_eq!(after.said_by(other), before.said_by(other), "{uuid} by {other}");
            }
        }
    }

    /// The feed wants what it desires, and nothing that it does not; other feeds are left alone.
    fn wanting(&self, plan: &EventPlan) {
        let desired = self.desired_uuids();
        let mut left = 0;
        for (uuid, after) in &plan.event.attributes {
            let before = self.known.as_ref().and_then(|known| known.attributes.get(uuid));
            let wanted = before.map_or(0, |before| before.wanted.0);
            let bit = 1 << self.feed;
            let expected = match (desired.contains(uuid), self.retire) {
                (true, _) => wanted | bit,
                (false, Retire::Yes) => wanted & !bit,
                (false, Retire::No | Retire::Gone(_)) => wanted,
            };
            assert_eq!(after.wanted.0, expected, "{uuid}");
            let in_misp = before.is_some_and(|before| before.standing.is_in_misp());
            left += u64::from(in_misp && wanted != 0 && expected == 0);
        }
        assert_eq!(plan.tally.superseded + plan.tally.retired, left);
        let mut successors = BTreeSet::new();
        for change in &plan.changes {
            if let ChangeKind::Superseded(by) = &change.kind {
                assert!(desired.contains(by), "{by} took a place and is not desired");
                assert!(successors.insert(*by), "{by} took two places");
            }
        }
        assert_eq!(successors.len() as u64, plan.tally.superseded);
    }

    /// Carried out, MISP has all that the dataset calls for and policy allows.
    fn arrived(&self, plan: &EventPlan, known: &KnownEvent) {
        for (uuid, outcome) in self.expected() {
            let there = known.attributes[&uuid].standing.is_in_misp();
            let should = matches!(outcome, Outcome::Send | Outcome::Unchanged);
            assert_eq!(there, should, "{uuid}: {outcome:?}");
            let before = self.known.as_ref().and_then(|known| known.attributes.get(&uuid));
            if outcome == Outcome::Send && before.is_none() {
                let desired = self.desired_of(uuid);
                assert_eq!(known.attributes[&uuid].attribute, desired.attribute);
                assert_eq!(known.attributes[&uuid].marking, desired.marking);
            }
        }
        if plan.refusal.is_none() && (plan.create || known.head.owner == self.feed) {
            let (has, wants) = (&known.head.fields, &self.desired.fields);
            assert_eq!(has.info, wants.info);
            // A day that stands in for a missing one is chosen once.
            let chosen = self.known.as_ref().map(|known| &known.head.fields.date);
            let stands_in = self.desired.dated == Dated::StandIn;
            let date = chosen.filter(|_| stands_in).unwrap_or(&wants.date);
            assert_eq!((&has.date, has.analysis), (date, wants.analysis));
        }
    }

    /// The second plan finds everything done, but for telling how what went out again as it was first sent
    /// differs from what is desired by now. The third finds nothing at all.
    fn nothing_left(&self, first: &EventPlan, known: KnownEvent) {
        let second = self.plan(Some(known));
        self.sends_nothing(&second);
        for uuid in &second.touched {
            let (has, wants) = (&second.event.attributes[uuid], self.desired_of(*uuid));
            let differs = has.attribute != wants.attribute || has.marking != wants.marking;
            let ended = second.changes.iter().any(|change| {
                change.attribute == Some(*uuid)
                    && matches!(change.kind, ChangeKind::ExposureEnded(_))
            });
            assert!(ended || first.send.contains(uuid) && differs, "{has:?} is touched again");
        }
        let third = self.plan(Some(second.event.clone()));
        self.sends_nothing(&third);
        assert!(third.touched.is_empty(), "{:?}", third.touched);
        assert_eq!(third.event, second.event);
        // A field that another feed owns is told of as often as it is looked at.
        assert!(third.changes.iter().all(|change| change.attribute.is_none()), "{third:?}");
    }

    fn sends_nothing(&self, plan: &EventPlan) {
        assert!(plan.send.is_empty() && !plan.create, "{:?}", plan.send);
        assert!(plan.fields.is_none() && plan.tags.is_empty(), "{plan:?}");
        let tally = &plan.tally;
        assert_eq!((tally.pending, tally.superseded, tally.retired), (0, 0, 0));
        let told = |kind: &ChangeKind| {
            use ChangeKind::{Drifted, Exposed, ExposureEnded};
            matches!(kind, Drifted(_) | Exposed(_) | ExposureEnded(_))
        };
        assert!(plan.changes.iter().all(|change| told(&change.kind)), "{:?}", plan.changes);
    }
}

/// Every planned attribute counts once.
pub(super) fn adds_up(tally: &AttributeTally) {
    let AttributeTally { planned, sent, adopted, declined, rejected, withheld, .. } = *tally;
    let AttributeTally { held, blocked, pending, unchanged, .. } = *tally;
    let in_misp = sent + adopted + unchanged;
    let outside = declined + rejected + withheld + held + blocked + pending;
    assert_eq!(planned, in_misp + outside, "{tally:?}");
}

/// What is known after a MISP without faults got all of a plan.
pub(super) fn carried_out(plan: EventPlan) -> KnownEvent {
    let mut event = plan.event;
    let head = &mut event.head;
    if plan.create {
        head.presence = Presence::Present;
        head.tags.see(&head.fields.tags, &head.fields.tags);
    }
    if let Some(FieldEdit { info, date, analysis }) = plan.fields {
        head.fields.info = info.unwrap_or_else(|| head.fields.info.clone());
        head.fields.date = date.unwrap_or_else(|| head.fields.date.clone());
        head.fields.analysis = analysis.unwrap_or(head.fields.analysis);
    }
    for tag in &plan.tags {
        head.tags.set(tag, TagStanding::Shown);
    }
    for uuid in plan.send {
        let known = event.attributes.get_mut(&uuid).expect("what is sent is in the event");
        assert_eq!(known.standing, Standing::Pending);
        known.standing = Standing::Sent;
    }
    event
}
