//! One event, from its plan to what MISP proved.

mod asking;
mod begin;
mod fields;
mod intake;
mod order;
mod owner;
mod publishing;
mod reconcile;
mod setback;
mod shown;
mod suspect;
mod tags;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use crate::{
    misp::DesiredAttribute,
    model::{AttributeUuid, EventUuid, OrgUuid, RunNumber, Timestamp},
    plan::{
        AttributeTally, Change, ChangeKind, EventSettings, FieldEdit, KnownEvent, Presence,
        Publishing, Standing,
    },
};

use super::{AttributeResult, Backoff, Call, chunk::TooMuch};
use owner::Owner;
use suspect::Suspect;

/// What every conversation of a session has in common.
#[derive(Debug, Clone)]
pub struct Manners {
    /// How events are made.
    pub settings: EventSettings,
    /// The organisation of our key.
    pub org: Option<OrgUuid>,
    /// MISP's version, which a refusal is kept with.
    pub version: Box<str>,
    /// When to try again.
    pub backoff: Backoff,
    /// The run.
    pub run: RunNumber,
    /// MISP's clock at the beginning, in seconds since 1970.
    pub misp_now: i64,
}

/// How a conversation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is proven or accounted for.
    Finished,
    /// It was not its turn before the session stopped: it stands as it stood.
    NotBegun,
    /// Given up for this run; what is pending stays so.
    GaveUp(Box<str>),
    /// MISP does not know an event that we know as sent.
    Gone,
    /// The whole session has to stop: MISP refuses the key or its role, in its words.
    KeyRefused(Box<str>),
}

/// What a finished conversation leaves.
#[derive(Debug)]
pub struct Report {
    /// The event.
    pub event: KnownEvent,
    /// How it ended.
    pub verdict: Verdict,
    /// Every desired attribute by its result.
    pub tally: AttributeTally,
    /// The event was created by this conversation.
    pub created: bool,
    /// Something of the event was changed in MISP.
    pub wrote: bool,
    /// The event stands under a colour as strict as it is to have.
    pub covered: bool,
    /// It got that colour in this conversation: what was exposed for lack of it is not any more.
    pub recoloured: bool,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// What a conversation wants next.
#[derive(Debug)]
pub(super) enum Want {
    /// This call.
    Call(Call),
    /// To know whether MISP holds exactly the expected rows; may be asked for several events at once.
    Rows,
    /// Nothing before this time.
    Wait(Timestamp),
    /// Nothing more.
    End,
}

/// Something that has to be looked at before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Metadata,
    /// The metadata, and if there is any, the listing once more.
    Existence,
    /// Whether the rows are as they were before a request that may have had an effect.
    Rows,
    Listing,
}

/// How sure we are of what MISP holds right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// The ledger says so; an analyst may have been there since.
    Remembered,
    /// MISP proved it in this conversation.
    Proven,
}

/// What the answer under way is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Create,
    Quiet,
    Loud,
    Guard,
    Proof,
    /// The rows that changed, where a list cannot be foretold.
    Changes(Purpose),
    /// How many rows there are, for the same.
    Live(Purpose),
    Listing,
    Metadata,
    /// Whose the event is, where its metadata does not say so.
    Owner,
    Fields,
    Tag,
    /// The colour that an attribute was to bring with it.
    OwnColour,
    /// Which tags there are.
    Tags,
    Publish,
}

/// What an answer about rows is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Nothing came in between.
    Guard,
    /// What was sent is there.
    Proof,
}

impl Asked {
    const fn writes(self) -> bool {
        matches!(
            self,
            Self::Create
                | Self::Quiet
                | Self::Loud
                | Self::Fields
                | Self::Tag
                | Self::OwnColour
                | Self::Publish
        )
    }

    /// Whether it brings attributes.
    const fn delivers(self) -> bool {
        matches!(self, Self::Create | Self::Quiet | Self::Loud)
    }
}

/// The state of one conversation.
#[derive(Debug)]
pub(super) struct Conversation {
    event: KnownEvent,
    manners: Arc<Manners>,
    create: bool,
    /// The event is created without attributes: with a single one it was refused, or MISP may refuse the event.
    bare: bool,
    /// To be sent, in order.
    queue: VecDeque<AttributeUuid>,
    /// Of these, what goes with a stricter marking than before, once it is certain not to be there.
    remarked: BTreeMap<AttributeUuid, DesiredAttribute>,
    /// Sent in the request under way.
    flight: Vec<AttributeUuid>,
    /// Taken by MISP in a quiet call; not proven yet.
    unproven: Vec<AttributeUuid>,
    /// To be sent by attributes/add only, so that MISP says what is wrong.
    loud: BTreeSet<AttributeUuid>,
    /// Refused as taken or similar; a listing decides what they are.
    disputed: BTreeMap<AttributeUuid, AttributeResult>,
    edit: Option<FieldEdit>,
    /// MISP's timestamp of the event when its fields were compared for the edit.
    compared: Option<i64>,
    /// To be attached.
    tags: VecDeque<Box<str>>,
    /// Attributes that MISP shows without the colour that they were to bring with them.
    without_colour: VecDeque<(AttributeUuid, Box<str>)>,
    /// What was attached to attributes moved their timestamps, which only a list tells. Their rows count as unknown.
    moved: bool,
    /// Attributes whose own colour was attached in this conversation.
    recoloured_own: BTreeSet<AttributeUuid>,
    /// All that the event is to have.
    wanted_tags: Vec<Box<str>>,
    covered: bool,
    recoloured: bool,
    look: Option<Look>,
    /// Rows of other events will be asked for, too.
    in_company: bool,
    /// What the number of rows is to be asked for.
    counting: Option<Purpose>,
    /// What was appended did not come last.
    misplaced: bool,
    ground: Ground,
    asked: Asked,
    /// What is known of bodies that were refused.
    suspect: Suspect,
    /// What an earlier run tried and did not get through: it goes apart from the rest.
    tried: BTreeSet<AttributeUuid>,
    /// Why nothing more of it is tried in this run.
    surrender: Option<Box<str>>,
    /// Its last call came to nothing: others go first.
    stands_back: bool,
    /// MISP counts other attributes than it should hold: it dropped one, or somebody was there.
    miscounted: bool,
    foreign_event: bool,
    owner: Owner,
    exists: bool,
    /// Something was asked or sent.
    begun: bool,
    /// MISP showed the event itself in this conversation.
    seen: bool,
    checked_rights: bool,
    /// Whether it was published before anything was written, by an answer of this conversation.
    was_published: Option<bool>,
    /// The same by what was known before, or by a time in a later answer.
    was_shown: bool,
    /// Publishing is done with.
    published: bool,
    /// What was known of publishing before this conversation owed it.
    before_owed: Option<(Publishing, Option<bool>)>,
    created: bool,
    wrote: bool,
    /// A write came to nothing that may have changed the event all the same.
    touched: bool,
    /// Calls in a row without a usable answer.
    tries: u32,
    /// Writes in a row without a usable answer, whatever was read in between.
    setbacks: u32,
    not_before: Option<Timestamp>,
    verdict: Option<Verdict>,
    dirty: BTreeSet<AttributeUuid>,
    head_dirty: bool,
    changes: Vec<Change>,
    /// What the tally counts.
    planned: BTreeSet<AttributeUuid>,
    tally: AttributeTally,
    notes: Vec<String>,
}

impl Conversation {
    pub(super) fn uuid(&self) -> EventUuid {
        self.event.head.uuid
    }

    pub(super) fn event(&self) -> &KnownEvent {
        &self.event
    }

    /// Attributes in the request under way.
    pub(super) fn in_flight(&self) -> usize {
        self.flight.len()
    }

    /// Whether the request under way brings attributes, or the event itself.
    pub(super) fn sends_a_body(&self) -> bool {
        !self.flight.is_empty() || self.asked == Asked::Create
    }

    /// Whether it is about to make its event, and does so with attributes.
    pub(super) fn makes_the_event(&self) -> bool {
        self.create
            && !self.bare
            && self.look.is_none()
            && self.surrender.is_none()
            && self.event.head.presence == Presence::Absent
    }

    /// Whether the request under way makes the event.
    pub(super) fn is_making_the_event(&self) -> bool {
        self.asked == Asked::Create
    }

    /// MISP said whether it has the event.
    pub(super) const fn learn_whether_there(&mut self, there: bool) {
        if there {
            self.exists = true;
            self.look = Some(Look::Metadata);
        } else {
            self.bare = true;
        }
    }

    /// Most attributes that other events should send at once for now.
    pub(super) fn most_for_others(&self) -> Option<usize> {
        self.suspect.most_for_others()
    }

    /// A size that was found to be too much for the way there.
    pub(super) fn take_lesson(&mut self) -> Option<TooMuch> {
        if self.is_over() {
            self.suspect.end();
        }
        self.suspect.take_lesson()
    }

    /// Whether anything was asked or sent.
    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether its last call came to nothing.
    pub(super) const fn stands_back(&self) -> bool {
        self.stands_back
    }

    /// Whether its rows are asked for alone: in company they would be a burden.
    pub(super) const fn asks_alone(&self) -> bool {
        self.stands_back || self.miscounted
    }

    /// Whether nobody answered its last call.
    pub(super) const fn is_unanswered(&self) -> bool {
        self.tries > 0
    }

    /// Whether anything of it got through: `None` if it sent no body.
    pub(super) const fn got_through(&self) -> Option<bool> {
        match (self.suspect.took_something(), self.suspect.took_nothing() || self.tries > 0) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    /// Whether MISP took something that is not proven.
    pub(super) fn needs_proof(&self) -> bool {
        self.verdict.is_none() && !self.unproven.is_empty()
    }

    /// Whether its rows will be asked for: something is not proven, or will not be.
    pub(super) fn will_be_asked_about(&self) -> bool {
        let creates = self.create && self.event.head.presence == Presence::Absent;
        self.needs_proof() || (self.verdict.is_none() && creates && !self.queue.is_empty())
    }

    /// From now on an answer about rows is the proof of what was taken.
    pub(super) const fn ask_for_proof(&mut self) {
        self.asked = Asked::Proof;
    }

    /// Whether MISP lists rows of the event in an order that cannot be foretold.
    pub(super) const fn is_reordered(&self) -> bool {
        self.misplaced && self.event.head.seen.goes_by_time(false)
    }

    /// Whether there is nothing more to ask.
    pub(super) fn is_over(&self) -> bool {
        self.verdict.is_some()
    }

    /// The event takes nothing of ours, now or later: there is nothing left to prove about it, even if the
    /// run stops right here.
    fn shut(&mut self, presence: Presence) {
        self.event.head.presence = presence;
        self.event.head.unproven = false;
        self.head_dirty = true;
    }

    /// Puts the attributes of a request that came to nothing back to the front of the queue.
    fn unsend(&mut self) {
        for uuid in self.flight.drain(..).rev() {
            self.queue.push_front(uuid);
        }
    }

    fn change(&mut self, attribute: Option<AttributeUuid>, kind: ChangeKind) {
        let event = self.uuid();
        self.changes.push(Change { event, attribute, kind });
    }

    /// Moves an attribute to another standing, in the tally too if it was planned.
    fn stand(&mut self, key: AttributeUuid, standing: Standing) {
        let planned = self.planned.contains(&key);
        if planned {
            let before = self.bucket(key);
            *before = before.saturating_sub(1);
        }
        let known = self.event.attributes.get_mut(&key).expect("keys come from the event");
        known.standing = standing;
        known.since = self.manners.run;
        let kind = ChangeKind::of_standing(&known.standing);
        let ends = known.standing == Standing::Declined && known.exposed.take().is_some();
        self.dirty.insert(key);
        if planned {
            *self.bucket(key) += 1;
        }
        if let Some(kind) = kind {
            self.change(Some(key), kind);
        }
        if ends {
            self.tally.exposed = self.tally.exposed.saturating_sub(u64::from(planned));
            self.change(Some(key), ChangeKind::ExposureEnded("it was deleted in MISP".into()));
        }
    }

    /// The place in the tally where an attribute counts as it stands.
    fn bucket(&mut self, key: AttributeUuid) -> &mut u64 {
        let known = &self.event.attributes[&key];
        let new = known.since == self.manners.run;
        let tally = &mut self.tally;
        match known.standing {
            Standing::Pending => &mut tally.pending,
            Standing::Sent if new => &mut tally.sent,
            Standing::Adopted if new => &mut tally.adopted,
            Standing::Sent | Standing::Adopted => &mut tally.unchanged,
            Standing::Declined => &mut tally.declined,
            Standing::Rejected { .. } => &mut tally.rejected,
            Standing::Withheld(_) => &mut tally.withheld,
            Standing::Held => &mut tally.held,
            Standing::Blocked(_) => &mut tally.blocked,
        }
    }

    /// What the ledger has to learn, since the last time it was asked.
    pub(super) fn take_effects(
        &mut self,
    ) -> Option<(crate::plan::EventHead, Vec<AttributeUuid>, Vec<Change>)> {
        // Until then nothing is to be known of it: the plan is made anew in the next run.
        if !self.begun && self.verdict.is_none() {
            return None;
        }
        if !self.head_dirty && self.dirty.is_empty() && self.changes.is_empty() {
            return None;
        }
        self.head_dirty = false;
        let dirty = std::mem::take(&mut self.dirty).into_iter().collect();
        Some((self.event.head.clone(), dirty, std::mem::take(&mut self.changes)))
    }

    pub(super) fn into_report(self) -> Report {
        Report {
            verdict: self.verdict.unwrap_or_else(|| match self.begun {
                true => Verdict::GaveUp("the run was stopped".into()),
                false => Verdict::NotBegun,
            }),
            event: self.event,
            tally: self.tally,
            created: self.created,
            wrote: self.wrote,
            covered: self.covered,
            recoloured: self.recoloured,
            notes: self.notes,
        }
    }
}
