//! What the store knows of a value, an attribute or an event.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    history::{
        ChangeKind, KnownLoss,
        query::{
            Answer, AttributeAnswer, EventAnswer, FoundBy, LossAnswer, Remedy, Whose, Why, Withheld,
        },
    },
    misp::{Attribute, Source, Value},
    model::{AttributeUuid, DestinationName, EntityKey, EventUuid, FeedName, Marking, RunNumber},
    plan::EventHead,
};

#[cfg(test)]
use super::names::NameOf;
use super::state::{Because, ChangeView, OtherValue, PresenceView, StandingView, name_of};
#[cfg(test)]
use crate::plan::Publishing;

/// `why`: what each destination's ledger knows of what was asked for.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/why/2")]
pub struct WhyAnswer<'a> {
    /// What was asked for.
    pub asked: &'a str,
    /// What is known of it, by destination.
    pub destinations: Vec<DestinationView<'a>>,
}

impl<'a> WhyAnswer<'a> {
    /// The answer.
    #[must_use]
    pub fn new(asked: &'a str, found: &'a [Why]) -> Self {
        let one = |why: &'a Why| DestinationView {
            destination: &why.destination,
            answers: why.answers.iter().map(AnswerView::from).collect(),
            more: why.more,
            unread: why.unread,
            unkept: &why.unkept,
            more_lost: &why.more_lost,
        };
        Self { asked, destinations: found.iter().map(one).collect() }
    }
}

/// What is known at one destination.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename = "WhyDestination")]
pub struct DestinationView<'a> {
    /// The destination.
    pub destination: &'a DestinationName,
    /// Attributes and events that were found, at most so many as `-n` says.
    pub answers: Vec<AnswerView<'a>>,
    /// How many more there are.
    pub more: u64,
    /// Events that may have more of it and were not read, as that would take long or there is no room for more finds; `--scan` reads them.
    pub unread: u64,
    /// Feeds whose losses were counted and not kept: a run that reads their sources keeps them.
    pub unkept: &'a [FeedName],
    /// Where nothing was found: how many losses of a feed there are or were, at least, that are only counted; it may be one of them.
    pub more_lost: &'a BTreeMap<FeedName, u64>,
}

/// One attribute or event.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum AnswerView<'a> {
    /// An attribute.
    Attribute(Box<AttributeView<'a>>),
    /// An event.
    Event(Box<EventView<'a>>),
    /// What did not reach MISP.
    Loss(Box<LossView<'a>>),
}

impl<'a> From<&'a Answer> for AnswerView<'a> {
    fn from(answer: &'a Answer) -> Self {
        match answer {
            Answer::Attribute(it) => Self::Attribute(Box::new(attribute(it))),
            Answer::Event(it) => Self::Event(Box::new(event(it))),
            Answer::Loss(it) => Self::Loss(Box::new(loss(it))),
        }
    }
}

/// What was found.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// An attribute.
    Attribute,
    /// An event.
    Event,
    /// What did not reach MISP.
    Loss,
}

/// What is known of an attribute.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename = "WhyAttribute")]
pub struct AttributeView<'a> {
    /// `attribute`.
    pub found: Found,
    /// By what it was found.
    pub found_by: FoundBy,
    /// The event that it is in.
    pub event: HeadView<'a>,
    /// The attribute as it was sent, or as it was last wanted.
    #[serde(flatten)]
    pub attribute: &'a Attribute,
    /// How it stands in MISP.
    #[serde(flatten)]
    pub standing: StandingView,
    /// The run in which that became so.
    pub since_run: RunNumber,
    /// Whether an analyst changed it in MISP.
    pub overruled: bool,
    /// Why it must not be in MISP as it is, if so.
    pub exposed: Option<Because>,
    /// Its marking when last planned.
    pub marking: Marking,
    /// The feeds that want it now.
    pub wanted_by: &'a [FeedName],
    /// Where in the dataset it comes from.
    pub sources: &'a [Source],
    /// The attributes whose place it took.
    pub supersedes: Vec<OtherValue<'a>>,
    /// The attribute that took its place.
    pub superseded_by: Option<OtherValue<'a>>,
    /// Why policy keeps it back, and whose marking that is.
    pub withheld: Option<WithheldView<'a>>,
    /// What happened to it, run by run.
    pub history: Vec<PastChange>,
    /// What would change how it stands.
    pub remedies: Vec<RemedyView>,
}

/// What is known of an event.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename = "WhyEvent")]
pub struct EventView<'a> {
    /// `event`.
    pub found: Found,
    /// By what it was found.
    pub found_by: FoundBy,
    /// The event.
    pub event: HeadView<'a>,
    /// How many attributes it has, by how they stand.
    pub attributes: &'a BTreeMap<&'static str, u64>,
    /// How many occurrences of its incident did not reach MISP, by reason.
    pub lost: &'a BTreeMap<Box<str>, u64>,
    /// Tags that MISP did not take.
    pub refused_tags: Vec<RefusedTagOfEvent<'a>>,
    /// Why policy keeps all of it back, and whose marking that is.
    pub withheld: Option<WithheldView<'a>>,
    /// Why it is not made, if that is no policy.
    pub blocked: Option<Because>,
    /// What happened to the event itself, run by run.
    pub history: Vec<PastChange>,
    /// What would change how it stands.
    pub remedies: Vec<RemedyView>,
}

/// What did not reach MISP.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename = "WhyLoss")]
pub struct LossView<'a> {
    /// `loss`.
    pub found: Found,
    /// By what it was found.
    pub found_by: FoundBy,
    /// The feed whose dataset has it, or had it.
    pub feed: &'a FeedName,
    /// The event that lacks it; none where no incident reaches the entity that holds it, or the event is not known yet.
    pub event: Option<HeadView<'a>>,
    /// The loss, and the runs in which it came and went.
    #[serde(flatten)]
    pub loss: &'a KnownLoss,
    /// How many more its event lost at least, in this feed, than are kept one by one.
    pub more_lost: u64,
    /// What would change it.
    pub remedies: Vec<RemedyView>,
}

/// Why policy keeps something back.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WithheldView<'a> {
    /// Why: of an attribute of a withheld event, why the event is.
    #[serde(flatten)]
    pub because: Because,
    /// What may be why instead, where the ledger leaves it open.
    pub or: Vec<Because>,
    /// The marking that policy denies.
    pub marking: Marking,
    /// The entities that are marked so.
    pub entities: &'a [EntityKey],
    /// Whether it may be, instead, what links them to the incident that is marked so.
    pub or_way: bool,
}

impl<'a> From<&'a Withheld> for WithheldView<'a> {
    fn from(it: &'a Withheld) -> Self {
        let mut why = it.why.iter().map(Because::from);
        Self {
            because: why.next().unwrap_or(Because { reason: None, detail: None }),
            or: why.collect(),
            marking: it.marking,
            entities: &it.entities,
            or_way: it.whose == Whose::EntityOrWay,
        }
    }
}

/// What would change how something stands.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename = "Remedy")]
pub struct RemedyView {
    /// By its name in the glossary.
    #[cfg_attr(test, schemars(with = "NameOf<Remedy>"))]
    pub remedy: String,
    /// The same in words.
    pub detail: String,
}

impl From<&Remedy> for RemedyView {
    fn from(remedy: &Remedy) -> Self {
        Self { remedy: name_of(remedy), detail: remedy.to_string() }
    }
}

/// A tag that MISP did not take.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RefusedTagOfEvent<'a> {
    /// The tag.
    pub tag: &'a str,
    /// Why.
    pub detail: &'a str,
}

/// An event without its attributes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename = "EventHead")]
pub struct HeadView<'a> {
    /// The event.
    pub uuid: EventUuid,
    /// MISP's number of it, once an answer gave it.
    pub misp_id: Option<u64>,
    /// Its title.
    pub title: &'a str,
    /// Its day, `YYYY-MM-DD`.
    pub date: &'a str,
    /// The incident that it comes from.
    pub incident: &'a EntityKey,
    /// Whether it is published, as last seen.
    pub published: Option<bool>,
    /// How far it got on the way to being published, by its name.
    #[cfg_attr(test, schemars(with = "NameOf<Publishing>"))]
    pub publishing: String,
    /// Why it stays unpublished, if it is to be published.
    pub unpublished: Option<&'a str>,
    /// The incident's marking when last planned.
    pub marking: Marking,
    /// Whether MISP has it.
    #[serde(flatten)]
    pub presence: PresenceView,
}

/// Something that happened in a run.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PastChange {
    /// The run.
    pub run: RunNumber,
    /// What happened.
    #[serde(flatten)]
    pub change: ChangeView,
}

fn attribute(it: &AttributeAnswer) -> AttributeView<'_> {
    let known = &it.known;
    let other = |uuid: AttributeUuid, value| OtherValue { uuid, value };
    let supersedes =
        it.supersedes.iter().map(|(uuid, value): &(_, Value)| other(*uuid, Some(value)));
    AttributeView {
        found: Found::Attribute,
        found_by: it.found_by,
        event: head(&it.event),
        attribute: &known.attribute,
        standing: (&known.standing).into(),
        since_run: known.since,
        overruled: known.overruled,
        exposed: known.exposed.as_ref().map(Because::from),
        marking: known.marking,
        wanted_by: &it.wanted_by,
        sources: &known.sources,
        supersedes: supersedes.collect(),
        superseded_by: it.superseded_by.as_ref().map(|(uuid, value)| other(*uuid, value.as_ref())),
        withheld: it.withheld.as_ref().map(WithheldView::from),
        history: history(&it.history),
        remedies: it.remedies.iter().map(RemedyView::from).collect(),
    }
}

fn event(it: &EventAnswer) -> EventView<'_> {
    let refused = it.event.tags.refused();
    EventView {
        found: Found::Event,
        found_by: it.found_by,
        event: head(&it.event),
        attributes: &it.standings,
        lost: &it.lost,
        refused_tags: refused.map(|(tag, detail, _)| RefusedTagOfEvent { tag, detail }).collect(),
        withheld: it.withheld.as_ref().map(WithheldView::from),
        blocked: it.blocked.as_ref().map(Because::from),
        history: history(&it.history),
        remedies: it.remedies.iter().map(RemedyView::from).collect(),
    }
}

fn loss(it: &LossAnswer) -> LossView<'_> {
    LossView {
        found: Found::Loss,
        found_by: it.found_by,
        feed: &it.feed,
        event: it.event.as_ref().map(head),
        loss: &it.known,
        more_lost: it.more_lost,
        remedies: it.remedies.iter().map(RemedyView::from).collect(),
    }
}

pub(super) fn head(head: &EventHead) -> HeadView<'_> {
    HeadView {
        uuid: head.uuid,
        misp_id: head.misp_id,
        title: &head.fields.info,
        date: &head.fields.date,
        incident: &head.root,
        published: head.published,
        publishing: name_of(&head.publishing),
        unpublished: head.publishing.unpublished(),
        marking: head.marking,
        presence: (&head.presence).into(),
    }
}

fn history(history: &[(RunNumber, ChangeKind)]) -> Vec<PastChange> {
    history.iter().map(|(run, kind)| PastChange { run: *run, change: kind.into() }).collect()
}
