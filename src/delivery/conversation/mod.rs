//! One event, from its plan to what MISP proved.

mod asking;
mod book;
mod fields;
mod intake;
mod knowledge;
mod metadata;
mod order;
mod outbox;
mod phase;
mod publishing;
mod reconcile;
mod retry;
mod setback;
mod suspect;
mod tags;

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    model::{AttributeUuid, EventUuid, OrgUuid, RunNumber, Timestamp, Tlp},
    plan::{
        AttributeTally, EventPlan, EventSettings, EventUpdate, KnownEvent, OnForeign, Presence,
        Publishing, Standing, WithheldReason,
    },
};

use super::{Backoff, Call, chunk::TooMuch};
use book::{EventBook, Impact, News};
use knowledge::Knowledge;
use outbox::{Edit, Making, Outbox, Turn, take_from};
use phase::{Body, Look, Phase, Purpose, Request, Why};
use retry::Retry;

pub(super) use asking::{Around, Room};

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
    /// Nothing is written to events that are there.
    pub only_looks: bool,
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
    /// The event is there as it was once: MISP was restored from a backup that does not have all that it proved.
    WentBack {
        /// Attributes that it proved, and does not list any more.
        lacking: u64,
        /// Attributes that it proved.
        of: u64,
    },
    /// The whole session has to stop: MISP refuses the key or its role, in its words.
    KeyRefused(Box<str>),
}

/// What a finished conversation leaves.
#[derive(Debug)]
pub struct Report {
    /// The event.
    pub event: KnownEvent,
    /// What of it the ledger has to learn still.
    pub update: Option<EventUpdate>,
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
    /// Nothing before the answer under way.
    Answer,
    /// Nothing more.
    End,
}

/// One event, from its plan to what MISP proved.
#[derive(Debug)]
pub(super) struct Conversation {
    manners: Arc<Manners>,
    event: EventBook,
    outbox: Outbox,
    misp: Knowledge,
    retry: Retry,
    phase: Phase,
    /// Something was asked or sent.
    begun: bool,
}

impl Conversation {
    pub(super) fn new(plan: EventPlan, manners: Arc<Manners>, is_bare: bool) -> Self {
        let head = &plan.event.head;
        let look = match (head.unproven, &head.presence) {
            (true, Presence::Absent) => Some(Look::Metadata(Why::Unknown)),
            (true, _) => Some(Look::Listing),
            // Whose it is decides what may be done to it.
            (false, Presence::Present)
                if manners.settings.on_foreign == OnForeign::Append && head.seen.orgc.is_none() =>
            {
                Some(Look::Metadata(Why::Unknown))
            }
            (false, _) => None,
        };
        let owner = head.seen.orgc;
        let is_foreign = manners.org.is_some() && owner.is_some() && owner != manners.org;
        // What is owed from before is left alone where nothing may be written to the event.
        let is_owed = head.publishing == Publishing::Owed && head.presence == Presence::Present;
        let was_tried = |key: &AttributeUuid| {
            plan.event.attributes.get(key).is_some_and(|known| known.since < manners.run)
        };
        let tried = plan.send.iter().copied().filter(was_tried).collect();
        let misp = Knowledge::new(is_foreign, plan.covered, head.published == Some(true));
        let colours = own_colours(&plan);
        let outbox = Outbox {
            making: match plan.create && plan.refusal.is_none() {
                false => Making::No,
                true if is_bare => Making::Bare,
                true => Making::Wanted,
            },
            queue: plan.send.into(),
            remarked: plan.remarked,
            colours,
            loud: BTreeSet::new(),
            edit: plan.fields.filter(|_| !is_foreign).map(|fields| Edit { fields, compared: None }),
            tags: plan.tags.into(),
            wanted_tags: plan.wanted_tags,
            without_colour: plan.colours.into(),
            is_published: is_owed && !plan.publish,
            before_owed: None,
        };
        let news = News { head: true, attributes: plan.touched, changes: plan.changes };
        let event = EventBook::new(plan.event, manners.run, (plan.planned, plan.tally), news);
        Self {
            event,
            outbox,
            misp,
            retry: Retry::new(tried),
            manners,
            phase: look.map_or(Phase::Open, Phase::Look),
            begun: false,
        }
    }

    pub(super) const fn uuid(&self) -> EventUuid {
        self.event.uuid()
    }

    pub(super) const fn event(&self) -> &KnownEvent {
        self.event.known()
    }

    /// The request under way.
    const fn request(&self) -> Option<&Request> {
        match &self.phase {
            Phase::Asked(request) => Some(request),
            Phase::Open | Phase::Look(_) | Phase::Over(_) => None,
        }
    }

    /// Attributes in the request under way, if it brings any, or the event itself.
    pub(super) fn in_flight(&self) -> Option<usize> {
        Some(self.request()?.body()?.len())
    }

    /// Whether the event is still to be made.
    fn is_to_be_made(&self) -> bool {
        self.outbox.making.is_open() && self.event.head().presence == Presence::Absent
    }

    /// Whether it is about to make its event, and does so with attributes.
    pub(super) fn makes_the_event(&self) -> bool {
        self.outbox.making == Making::Wanted
            && matches!(self.phase, Phase::Open)
            && self.retry.surrender.is_none()
            && self.event.head().presence == Presence::Absent
    }

    /// Whether the request under way makes the event.
    pub(super) fn is_making_the_event(&self) -> bool {
        matches!(self.request(), Some(Request::Create(_)))
    }

    /// MISP said whether it has the event.
    pub(super) fn learn_whether_there(&mut self, there: bool) {
        match there {
            true => self.phase = Phase::Look(Look::Metadata(Why::IsThere)),
            false => self.outbox.making = Making::Bare,
        }
    }

    /// Most attributes that other events should send at once for now.
    pub(super) fn most_for_others(&self) -> Option<usize> {
        self.retry.suspect.most_for_others()
    }

    /// A size that was found to be too much for the way there.
    pub(super) fn take_lesson(&mut self) -> Option<TooMuch> {
        if self.is_over() {
            self.retry.suspect.end();
        }
        self.retry.suspect.take_lesson()
    }

    /// Whether anything was asked or sent.
    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether its last call came to nothing.
    pub(super) const fn stands_back(&self) -> bool {
        self.retry.stands_back
    }

    /// Whether its rows are asked for alone: in company they would be a burden.
    pub(super) const fn asks_alone(&self) -> bool {
        self.retry.stands_back || self.misp.miscounted
    }

    /// Whether nobody answered its last call.
    pub(super) const fn is_unanswered(&self) -> bool {
        self.retry.tries > 0
    }

    /// Whether anything of it got through: `None` if it sent no body.
    pub(super) const fn got_through(&self) -> Option<bool> {
        let suspect = &self.retry.suspect;
        match (suspect.took_something(), suspect.took_nothing() || self.is_unanswered()) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    /// Whether MISP took something that is not proven.
    pub(super) const fn needs_proof(&self) -> bool {
        !self.is_over() && !self.event.unproven.is_empty()
    }

    /// Whether its rows will be asked for: something is not proven, or will not be.
    pub(super) fn will_be_asked_about(&self) -> bool {
        let creates = !self.is_over() && self.is_to_be_made();
        self.needs_proof() || (creates && !self.outbox.queue.is_empty())
    }

    /// From now on an answer about rows is the proof of what was taken.
    pub(super) fn ask_for_proof(&mut self) {
        self.phase = Phase::Asked(Request::Rows(Purpose::Proof));
    }

    /// Whether MISP lists rows of the event in an order that cannot be foretold.
    pub(super) const fn is_reordered(&self) -> bool {
        self.misp.misplaced && self.event.head().seen.goes_by_time(false)
    }

    /// Whether there is nothing more to ask.
    pub(super) const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }

    /// The event takes nothing of ours, now or later: there is nothing left to prove about it, even if the
    /// run stops right here.
    fn shut(&mut self, presence: Presence) {
        let head = self.event.head_mut();
        (head.presence, head.unproven) = (presence, false);
    }

    /// Keeps back what would stand in MISP without its colour.
    fn withhold(&mut self, is_it: impl Fn(&EventBook, AttributeUuid) -> bool) {
        let event = &self.event;
        let turn = |key| if is_it(event, key) { Turn::Now } else { Turn::Later };
        for key in take_from(&mut self.outbox.queue, usize::MAX, turn) {
            let why = WithheldReason::MarkingCannotBeCarried;
            self.event.set_standing(key, Standing::Withheld(why));
        }
    }

    /// What the ledger has to learn, since the last time it was asked.
    pub(super) fn take_update(&mut self) -> Option<EventUpdate> {
        // Until then nothing is to be known of it: the plan is made anew in the next run.
        if !self.begun && !self.is_over() {
            return None;
        }
        self.event.take_update()
    }

    /// Where the session stops between two requests, and all that went is proven and stands under its colour, nothing
    /// is left to look for.
    fn settle_if_proven(&mut self) {
        let is_open = matches!(self.phase, Phase::Open) && self.retry.surrender.is_none();
        let is_proven = self.event.unproven.is_empty() && self.event.disputed.is_empty();
        let Outbox { tags, without_colour, .. } = &self.outbox;
        let is_marked = self.misp.covered && tags.is_empty() && without_colour.is_empty();
        if self.begun && is_open && is_proven && is_marked && self.event.head().unproven {
            self.event.head_mut().unproven = false;
        }
    }

    pub(super) fn into_report(mut self) -> Report {
        self.settle_if_proven();
        Report {
            update: self.take_update(),
            verdict: match self.phase {
                Phase::Over(verdict) => verdict,
                _ if self.begun => Verdict::GaveUp("the run was stopped".into()),
                _ => Verdict::NotBegun,
            },
            tally: self.event.tally,
            created: self.outbox.making == Making::Done,
            wrote: self.event.impact == Impact::Certain,
            covered: self.misp.covered,
            recoloured: self.misp.recoloured,
            notes: std::mem::take(&mut self.event.notes),
            event: self.event.into_known(),
        }
    }
}

/// The colours that the attributes to be sent have of their own, or get in the conversation.
fn own_colours(plan: &EventPlan) -> BTreeSet<Box<str>> {
    let known = plan.send.iter().filter_map(|key| plan.event.attributes.get(key));
    let known = known.flat_map(|known| &known.attribute.tags);
    let remarked = plan.remarked.values().flat_map(|desired| &desired.attribute.tags);
    let attached = plan.colours.iter().map(|(_, colour)| colour);
    let tags: BTreeSet<&Box<str>> = known.chain(remarked).chain(attached).collect();
    tags.into_iter().filter(|tag| Tlp::of_tag(tag).is_some()).cloned().collect()
}
