//! The plan of one event, a plain value: `plan` shows it, `delivery` carries it out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{
    misp::{DesiredAttribute, EventFields},
    model::AttributeUuid,
};

use super::{AttributeTally, BlockedReason, Change, KnownEvent, WithheldReason};

/// What one run would do about one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPlan {
    /// The event as known, with all of the plan that needs no request already applied. Attributes to
    /// be sent stand in it as pending, with their timestamp.
    pub event: KnownEvent,
    /// Attributes of `event` that differ from the ledger.
    pub touched: BTreeSet<AttributeUuid>,
    /// The event has to be created.
    pub create: bool,
    /// Attributes to send, in the order in which they go.
    pub send: Vec<AttributeUuid>,
    /// Of those to send, the ones whose bytes were chosen before and are marked freer than the dataset
    /// marks them now, each as it is to be. They go like this once MISP is seen not to hold them.
    pub remarked: BTreeMap<AttributeUuid, DesiredAttribute>,
    /// The event's own fields to change, those that differ only.
    pub fields: Option<FieldEdit>,
    /// Tags to attach to the event.
    pub tags: Vec<Box<str>>,
    /// To be published now that the key may, or as an earlier run ended before it.
    pub publish: bool,
    /// It is published, as last seen, and the change leaves it unpublished: nobody but an analyst publishes.
    pub unpublishes: bool,
    /// Colours to attach to attributes that MISP holds without.
    pub colours: Vec<(AttributeUuid, Box<str>)>,
    /// All tags that the event is to have.
    pub wanted_tags: Vec<Box<str>>,
    /// The event stands in MISP under a colour as strict as it is to have, or will once `tags` are attached.
    pub covered: bool,
    /// What the history gains at once.
    pub changes: Vec<Change>,
    /// Attributes that this feed wants now: those that the tally counts.
    pub planned: BTreeSet<AttributeUuid>,
    /// Every desired attribute by its result; those to be sent count as pending.
    pub tally: AttributeTally,
    /// What this feed says of the event or an attribute is another than it was, so that what all feeds say together is,
    /// too: others that want it have to look at it again.
    pub stirs: bool,
    /// Why nothing of the event is sent, if so.
    pub refusal: Option<Refusal>,
    /// The event lacks the tag of its colour by choice, as do its attributes: they come with its next write, or once
    /// somebody accepts it.
    pub late_colour: bool,
}

/// Why nothing of an event is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Policy denies the incident.
    Withheld(WithheldReason),
    /// Somebody deleted the event, and MISP blocklisted it.
    Declined,
    /// It belongs to somebody else, may not be written, or is not to be made.
    Blocked(BlockedReason),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Withheld(why) => why.fmt(f),
            Self::Declined => f.write_str("an analyst deleted the event in MISP"),
            Self::Blocked(why) => why.fmt(f),
        }
    }
}

/// Event fields that differ from what MISP holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldEdit {
    /// The new title.
    pub info: Option<Box<str>>,
    /// The new day.
    pub date: Option<Box<str>>,
    /// The new analysis level.
    pub analysis: Option<u8>,
}

impl FieldEdit {
    /// What has to change to get from one to the other.
    #[must_use]
    pub fn between(from: &EventFields, to: &EventFields) -> Option<Self> {
        let edit = Self {
            info: (from.info != to.info).then(|| to.info.clone()),
            date: (from.date != to.date).then(|| to.date.clone()),
            analysis: (from.analysis != to.analysis).then_some(to.analysis),
        };
        (edit != Self::default()).then_some(edit)
    }

    /// The fields' names and new values, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let info = self.info.as_ref().map(|info| format!("info {info:?}"));
        let date = self.date.as_ref().map(|date| format!("date {date}"));
        let analysis = self.analysis.map(|analysis| format!("analysis {analysis}"));
        [info, date, analysis].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl EventPlan {
    /// Whether the plan needs MISP at all.
    #[must_use]
    pub fn needs_misp(&self) -> bool {
        self.refusal.is_none()
            && (self.create
                || !self.send.is_empty()
                || self.fields.is_some()
                || !self.tags.is_empty()
                || !self.colours.is_empty()
                || self.publish
                || self.event.head.unproven)
    }

    /// Whether anything is kept back, or stands in MISP without its marking, because MISP did not take its TLP
    /// tag.
    #[must_use]
    pub fn lacks_a_tag(&self) -> bool {
        let lacking = WithheldReason::MarkingCannotBeCarried;
        self.refusal == Some(Refusal::Withheld(lacking))
            || !self.covered
            || self.event.lacks_a_colour()
    }

    /// Whether the ledger has to be written even if no request is made.
    #[must_use]
    pub fn changes_ledger(&self) -> bool {
        !self.touched.is_empty() || !self.changes.is_empty()
    }
}
