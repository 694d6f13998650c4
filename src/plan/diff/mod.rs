//! One event, desired against known: what to send, what to note, and why.

mod attributes;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    misp::{Dated, DesiredEvent, EventFields, UNDATED},
    model::{AttributeUuid, EventUuid, RunNumber, Timestamp, Tlp},
};

use super::{
    AttributeTally, BlockedReason, Change, ChangeKind, DestinationRecord, EventHead, EventPlan,
    EventSettings, EventTags, FieldEdit, KnownEvent, Lacking, Policy, Presence, Publish,
    Publishing, Refusal, Seen, TagStanding, WithheldReason, is_covered, lacking, retire::Retire,
    say::together, strictest_of, tags::tags_of,
};

/// Why something is exposed no longer that MISP holds as it did.
const ENDED_BY_TERMS: &str = "its marking, its tags and the policy agree again";

/// Everything beside the event that a plan depends on.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// What may be sent.
    pub policy: &'a Policy,
    /// How events are made.
    pub settings: &'a EventSettings,
    /// What is known of the destination.
    pub destination: &'a DestinationRecord,
    /// The feed's bit at the destination.
    pub feed: u8,
    /// Whether what left the dataset is retired.
    pub retire: Retire<'a>,
    /// MISP's clock now, in seconds since 1970: the `timestamp` of attributes planned for the first time.
    pub misp_now: i64,
    /// The run this plan is for.
    pub run: RunNumber,
    /// Whether the event was planned by this release before, or somebody accepted what only a newer one calls for.
    pub accepted: bool,
}

impl<'a> Terms<'a> {
    /// Those of the first run of the only feed of a destination.
    #[must_use]
    pub const fn of_first_run(
        policy: &'a Policy,
        settings: &'a EventSettings,
        destination: &'a DestinationRecord,
        now: Timestamp,
    ) -> Self {
        Self {
            policy,
            settings,
            destination,
            feed: 0,
            retire: Retire::Yes,
            misp_now: now.seconds(),
            run: RunNumber(1),
            accepted: true,
        }
    }
}

/// Whether MISP may be sent a timestamp: what its clock has not reached would hide an attribute from all who
/// ask for what is new, and its column holds no other numbers.
pub(crate) fn has_come(timestamp: i64, misp_now: i64) -> bool {
    (0..=misp_now).contains(&timestamp)
}

/// Compares what is desired with what is known.
///
/// `held` names the attributes that only changed mapping rules call for.
#[must_use]
pub fn diff(
    desired: &DesiredEvent,
    known: Option<KnownEvent>,
    held: &BTreeSet<AttributeUuid>,
    terms: &Terms<'_>,
) -> EventPlan {
    let mut event = known.unwrap_or_else(|| fresh(desired, terms));
    // A store of 0.1.0 knows the UUID alone; from now on the event belongs to that type.
    if event.head.root.is_bare() {
        event.head.root = desired.root.clone();
    }
    if event.head.is_released(terms.settings, terms.destination) {
        event.head.presence = Presence::Absent;
    }
    let said = desired;
    let together = together(said, &event, terms.feed, terms.destination);
    let desired = &*together;
    let fields = wanted_fields(desired, &event.head);
    let mut planner = Planner {
        fields,
        plan: EventPlan {
            event,
            touched: BTreeSet::new(),
            create: false,
            send: Vec::new(),
            remarked: BTreeMap::new(),
            fields: None,
            tags: Vec::new(),
            colours: Vec::new(),
            publish: false,
            unpublishes: false,
            wanted_tags: tags_of(desired, terms.settings),
            covered: true,
            changes: Vec::new(),
            planned: BTreeSet::new(),
            tally: AttributeTally::default(),
            stirs: false,
            refusal: None,
            late_colour: false,
        },
        terms,
        bare: false,
        attributes_lack: false,
    };
    planner.refuse(desired);
    planner.event_fields(desired);
    planner.attributes(desired, said, held);
    planner.put_off_late_colour();
    let plan = &mut planner.plan;
    let changes = !plan.send.is_empty() || plan.fields.is_some() || !plan.tags.is_empty();
    let published = plan.event.head.published == Some(true) && plan.refusal.is_none();
    plan.unpublishes = terms.settings.publish == Publish::Never && published && changes;
    planner.plan
}

/// Plans for an incident that left the dataset, or is not wanted any more: nothing is sent.
#[must_use]
pub fn diff_gone(known: KnownEvent, terms: &Terms<'_>) -> EventPlan {
    let desired = DesiredEvent {
        uuid: known.head.uuid,
        root: known.head.root.clone(),
        fields: known.head.fields.clone(),
        dated: Dated::Itself,
        marking: known.head.marking,
        create: false,
        attributes: Vec::new(),
    };
    let owner = known.head.owner;
    let mut plan = diff(&desired, Some(known), &BTreeSet::new(), terms);
    // Who does not want it takes nothing over.
    plan.event.head.owner = owner;
    plan.fields = None;
    plan.colours.clear();
    // What is still to be proven may have come to MISP without its colour: it gets it, or is called exposed.
    let unproven = plan.event.head.unproven;
    for tags in [&mut plan.tags, &mut plan.wanted_tags] {
        tags.retain(|tag| unproven && Tlp::of_tag(tag).is_some());
    }
    plan.publish &= plan.event.head.owes_publishing(terms.settings.publish);
    plan.unpublishes = false;
    plan.covered |= !unproven;
    plan.refusal = None;
    plan
}

fn fresh(desired: &DesiredEvent, terms: &Terms<'_>) -> KnownEvent {
    KnownEvent {
        head: EventHead {
            uuid: desired.uuid,
            root: desired.root.clone(),
            presence: Presence::Absent,
            misp_id: None,
            fields: desired.fields.clone(),
            tags: EventTags::default(),
            timestamp: None,
            published: None,
            publishing: Publishing::default(),
            seen: Seen::default(),
            unproven: false,
            foreign: Vec::new(),
            owner: terms.feed,
            marking: desired.marking,
            feeds: BTreeMap::new(),
        },
        attributes: BTreeMap::new(),
    }
}

/// The fields that are wanted. A day that stands in for a missing one is chosen once: the event would change with
/// every day otherwise. What 0.1.0 put in its place stays where MISP may have it.
fn wanted_fields(desired: &DesiredEvent, head: &EventHead) -> EventFields {
    let mut fields = desired.fields.clone();
    let may_be_there = head.presence != Presence::Absent || head.unproven;
    if desired.dated == Dated::StandIn && (may_be_there || &*head.fields.date != UNDATED) {
        fields.date.clone_from(&head.fields.date);
    }
    fields
}

struct Planner<'a> {
    plan: EventPlan,
    /// The event's own fields as they are to be.
    fields: EventFields,
    terms: &'a Terms<'a>,
    /// The event is in MISP without the colour that it is to have.
    bare: bool,
    /// An attribute is in MISP without the colour of its own that it is to have.
    attributes_lack: bool,
}

impl Planner<'_> {
    fn uuid(&self) -> EventUuid {
        self.plan.event.head.uuid
    }

    fn change(&mut self, attribute: Option<AttributeUuid>, kind: ChangeKind) {
        let event = self.uuid();
        self.plan.changes.push(Change { event, attribute, kind });
    }

    /// Finds the one reason, if any, for which nothing of the event may be sent.
    fn refuse(&mut self, desired: &DesiredEvent) {
        let colour = strictest_of(&self.plan.wanted_tags);
        let carried = colour.is_none_or(|tag| self.terms.destination.can_carry(tag));
        let denied = self.terms.policy.denies(desired.marking);
        let head = &self.plan.event.head;
        let foreign = head.why_foreign(self.terms.settings, self.terms.destination);
        self.plan.refusal = match &self.plan.event.head.presence {
            Presence::Declined => Some(Refusal::Declined),
            Presence::Blocked(why) => Some(Refusal::Blocked(why.clone())),
            _ if foreign.is_some() => foreign.map(Refusal::Blocked),
            _ if denied.is_some() => denied.map(Refusal::Withheld),
            Presence::Absent if !desired.create && !self.plan.event.head.unproven => {
                Some(Refusal::Blocked(BlockedReason::IncidentNotAccepted))
            }
            Presence::Absent if !carried => {
                Some(Refusal::Withheld(WithheldReason::MarkingCannotBeCarried))
            }
            _ => None,
        };
    }

    /// Whether the event was sent without tags of colours, by a release that left them out with
    /// `include_tags = "none"`: the marking is no news, and no such tag was ever called for.
    fn lacks_colours_by_choice(&self, desired: &DesiredEvent) -> bool {
        let head = &self.plan.event.head;
        let wanted = strictest_of(&self.plan.wanted_tags);
        !self.terms.accepted
            && head.presence == Presence::Present
            && head.marking == desired.marking
            && strictest_of(&head.fields.tags).is_none()
            && wanted.is_none_or(|tag| head.tags.standing(tag).is_none())
    }

    /// The tag of a colour that was left out by choice goes with the next write, and makes none by itself.
    fn put_off_late_colour(&mut self) {
        let plan = &mut self.plan;
        plan.late_colour &= self.attributes_lack || strictest_of(&plan.wanted_tags).is_some();
        if !plan.late_colour || !plan.send.is_empty() || plan.fields.is_some() {
            return;
        }
        plan.covered = true;
        plan.tags.retain(|tag| Tlp::of_tag(tag).is_none());
        plan.wanted_tags.retain(|tag| Tlp::of_tag(tag).is_none());
    }

    fn event_fields(&mut self, desired: &DesiredEvent) {
        let refused = self.plan.refusal.is_some();
        let head = &mut self.plan.event.head;
        match head.presence {
            Presence::Absent => {
                if !refused {
                    match head.seen.fields_at {
                        // MISP had it once: where it is there all the same, these are what it is compared with.
                        Some(_) => {
                            self.plan.fields = FieldEdit::between(&head.fields, &self.fields);
                        }
                        None => head.fields = self.fields.clone(),
                    }
                    head.fields.tags.clone_from(&self.plan.wanted_tags);
                    head.owner = self.terms.feed;
                    self.plan.create = true;
                }
                head.marking = desired.marking;
            }
            Presence::Present => {
                let edit = FieldEdit::between(&head.fields, &self.fields);
                if refused {
                    return;
                }
                if head.is_left_by_owner(self.terms.destination) {
                    head.owner = self.terms.feed;
                }
                let owned = head.owner == self.terms.feed;
                let (head, publish) = (&self.plan.event.head, self.terms.settings.publish);
                let may = head.publishing.may_go_on(self.terms.destination);
                self.plan.publish =
                    head.owes_publishing(publish) || (publish != Publish::Never && may);
                self.plan.late_colour = self.lacks_colours_by_choice(desired);
                self.tags();
                self.bare &= !self.plan.late_colour;
                match edit {
                    Some(edit) if owned => self.plan.fields = Some(edit),
                    Some(edit) => {
                        let what = format!("another feed owns the event: {}", edit.describe());
                        self.change(None, ChangeKind::Drifted(what.into()));
                    }
                    None => {}
                }
            }
            Presence::Declined | Presence::Blocked(_) => {}
        }
    }

    /// Finds the tags that the event lacks. What is known to be refused is written down without a request.
    fn tags(&mut self) {
        let (plan, destination) = (&mut self.plan, self.terms.destination);
        let tags = &plan.event.head.tags;
        let Lacking { to_attach, refused } = lacking(tags, &plan.wanted_tags, destination);
        plan.covered = is_covered(tags, &plan.wanted_tags, &to_attach);
        self.bare = !is_covered(tags, &plan.wanted_tags, &[]);
        plan.tags = to_attach;
        // What was left out by choice was not refused.
        let late = plan.late_colour;
        for (tag, why) in refused.into_iter().filter(|(tag, _)| !late || Tlp::of_tag(tag).is_none())
        {
            let told = ChangeKind::TagRefused { tag: tag.clone(), why: why.clone() };
            let terms = destination.tag_terms(&tag);
            self.plan.event.head.tags.set(&tag, TagStanding::Refused { why, terms });
            self.change(None, told);
        }
    }
}
