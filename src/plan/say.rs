//! What several feeds say of the marking of one event and its attributes, and what it comes to: the strictest of all
//! that want it decides.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    misp::DesiredEvent,
    model::{FeedName, Marking, Tlp},
};

use super::{
    Change, ChangeKind, DestinationRecord, EventHead, EventPlan, EventUpdate, FeedHead,
    KnownAttribute, KnownEvent, NOBODY, Standing,
    tags::{is_freer_than, strictest_tlp},
};

/// What the feeds that want an attribute last said of its marking, each by its place. Nobody is named where all of
/// them say how it is marked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Said(pub Vec<(u8, Marking)>);

impl Said {
    /// Whether all feeds say how it is marked.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl KnownAttribute {
    /// What a feed that wants it last said of its marking.
    #[must_use]
    pub fn said_by(&self, feed: u8) -> Marking {
        let said = self.said.0.iter().find(|(by, _)| *by == feed);
        said.map_or(self.marking, |(_, marking)| *marking)
    }

    /// The same, unless the feed does not want it.
    fn word_of(&self, feed: u8) -> Option<Marking> {
        self.wanted.has(feed).then(|| self.said_by(feed))
    }

    /// The same attribute, of which a feed says this.
    fn saying(&self, feed: u8, marking: Marking) -> Self {
        let mut now = self.clone();
        now.say(feed, marking);
        now.forget_said();
        now
    }

    /// As it was planned, and as if nobody had begun to send it.
    fn untried(&self) -> Self {
        Self { standing: Standing::Pending, timestamp: None, ..self.clone() }
    }

    /// Whether the ledger has it for what was said of its marking alone.
    pub(super) fn is_untried(&self) -> bool {
        self.standing == Standing::Pending && self.timestamp.is_none()
    }

    /// What all feeds that want it say together, one of them aside.
    pub(super) fn said_without(&self, feed: u8) -> Marking {
        let others = self.wanted.without(feed).iter();
        others.fold(Marking::default(), |all, other| all.and(self.said_by(other)))
    }

    /// What all feeds that want it say together.
    fn said_together(&self) -> Marking {
        self.wanted.iter().fold(Marking::default(), |all, feed| all.and(self.said_by(feed)))
    }

    /// A feed wants it, and says this of its marking. [`Self::forget_said`] follows.
    pub(super) fn say(&mut self, feed: u8, marking: Marking) {
        self.write_said_out();
        self.wanted = self.wanted.with(feed);
        self.said.0.retain(|(by, _)| *by != feed);
        self.said.0.push((feed, marking));
        self.said.0.sort_unstable_by_key(|(by, _)| *by);
    }

    /// A feed does not want it any more. [`Self::forget_said`] follows.
    pub(super) fn unsay(&mut self, feed: u8) {
        self.write_said_out();
        self.wanted = self.wanted.without(feed);
        self.said.0.retain(|(by, _)| *by != feed);
    }

    fn write_said_out(&mut self) {
        self.said = Said(self.wanted.iter().map(|feed| (feed, self.said_by(feed))).collect());
    }

    /// Names nobody where all say how it is marked.
    pub(super) fn forget_said(&mut self) {
        if self.said.0.iter().all(|(_, marking)| *marking == self.marking) {
            self.said = Said::default();
        }
    }

    /// Whether feeds that want it, one of them aside, have to look at it again: what all say together was another.
    pub(super) fn stirs(&self, before: &Self, feed: u8) -> bool {
        !self.wanted.without(feed).is_empty() && before.said_together() != self.said_together()
    }
}

impl EventHead {
    /// What the feeds that want the event say together of its marking, one of them aside.
    fn said_without(&self, feed: Option<&FeedName>) -> Marking {
        let others = self.feeds.iter().filter(|(name, it)| Some(*name) != feed && !it.gone);
        others.fold(Marking::default(), |all, (_, it)| all.and(self.said_by(it)))
    }

    /// Releases that knew of one feed wrote down the event's marking alone.
    fn said_by(&self, feed: &FeedHead) -> Marking {
        feed.marking.unwrap_or(self.marking)
    }

    /// How a feed that wants the event marks its incident.
    pub(crate) fn word_of(&self, feed: &FeedName) -> Option<Marking> {
        let says = self.feeds.get(feed).filter(|it| !it.gone)?;
        Some(self.said_by(says))
    }

    /// Whether the feeds that want the event, this one aside, have to look at it again once it says so of it: what all say
    /// together is another then, or the owner of its fields goes.
    pub(crate) fn stirs(
        &self,
        feed: &FeedName,
        says: &FeedHead,
        destination: &DestinationRecord,
    ) -> bool {
        let before = self.feeds.get(feed).filter(|it| !it.gone);
        if !self.feeds.iter().any(|(name, it)| name != feed && !it.gone) {
            return false;
        }
        let others = self.said_without(Some(feed));
        let with = |it: Option<&FeedHead>| it.map_or(others, |it| others.and(self.said_by(it)));
        let goes = before.is_some() && says.gone;
        let owns = destination.feeds.get(usize::from(self.owner)) == Some(feed);
        with(before) != with(Some(says).filter(|it| !it.gone)) || (goes && owns)
    }

    /// Whether the feed that owned the fields does not want the event any more, or never did.
    pub(super) fn is_left_by_owner(&self, destination: &DestinationRecord) -> bool {
        let owner = destination.feeds.get(usize::from(self.owner));
        owner.and_then(|owner| self.feeds.get(owner)).is_none_or(|owner| owner.gone)
    }
}

/// Takes a feed off an event and its attributes, as if it had never wanted them; what nobody wants any more is retired.
/// `None`: it never wanted any of it.
#[must_use]
pub fn without_feed(
    event: KnownEvent,
    feed: &FeedName,
    destination: &DestinationRecord,
) -> Option<EventUpdate> {
    let place = destination.feeds.iter().position(|it| it == feed)?;
    let place = u8::try_from(place).ok()?;
    let KnownEvent { mut head, attributes } = event;
    let of_it = head.feeds.get(feed).cloned();
    let mut stirs = of_it
        .as_ref()
        .is_some_and(|it| head.stirs(feed, &FeedHead { gone: true, ..it.clone() }, destination));
    let (mut touched, mut changes) = (Vec::new(), Vec::new());
    for (uuid, mut known) in attributes {
        if !known.wanted.has(place) {
            continue;
        }
        let before = known.clone();
        known.unsay(place);
        known.forget_said();
        stirs |= known.stirs(&before, place);
        if known.wanted.is_empty() && known.standing.is_in_misp() {
            let kind = ChangeKind::Retired;
            changes.push(Change { event: head.uuid, attribute: Some(uuid), kind });
        }
        touched.push(known);
    }
    let owned = head.owner == place;
    if of_it.is_none() && touched.is_empty() && !owned {
        return None;
    }
    head.feeds.remove(feed);
    if owned {
        head.owner = NOBODY;
    }
    head.feeds.values_mut().for_each(|other| other.settled &= !(stirs || owned));
    Some(EventUpdate { head, attributes: touched, changes })
}

/// What a feed says of an event, before anything is done about it.
#[derive(Debug)]
pub(crate) struct Stricter {
    pub(crate) update: EventUpdate,
    /// The others that want it have to look at it again.
    pub(crate) stirs: bool,
}

/// What a plan marks stricter than the feed marked it so far: its words alone, for others to go by until it is carried out.
/// What is marked freer waits for that. `None`: nothing.
pub(crate) fn stricter_words(
    known: KnownEvent,
    plan: &EventPlan,
    feed: &FeedName,
    says: &FeedHead,
    destination: &DestinationRecord,
) -> Option<Stricter> {
    let KnownEvent { mut head, attributes } = known;
    let place = says.place?;
    let before = head.word_of(feed);
    let word = before.unwrap_or_default().and(says.marking?);
    let mark = FeedHead { marking: Some(word), settled: false, gone: false, ..says.clone() };
    let is_new = before != Some(word);
    let mut stirs = is_new && head.stirs(feed, &mark, destination);
    let mut updates = Vec::new();
    // What is not touched is marked as it was.
    for uuid in plan.touched.intersection(&plan.planned) {
        let (planned, known) = (&plan.event.attributes[uuid], attributes.get(uuid));
        let (says, had) = (planned.said_by(place), known.and_then(|it| it.word_of(place)));
        let all = had.unwrap_or_default().and(says);
        let is_retired = known.is_some_and(|it| it.wanted.is_empty() && it.standing.is_in_misp());
        // The word of the event holds for its attributes. What MISP has goes no more.
        if word.and(says) == word || had == Some(all) || is_retired {
            continue;
        }
        let now = known.map_or_else(|| planned.untried(), |known| known.saying(place, all));
        stirs |= known.is_some_and(|known| now.stirs(known, place));
        updates.push(now);
    }
    if !is_new && updates.is_empty() {
        return None;
    }
    if is_new {
        let it = head.feeds.entry(feed.clone()).or_insert(mark);
        (it.marking, it.settled, it.gone, it.place) = (Some(word), false, false, Some(place));
    }
    let update = EventUpdate { head, attributes: updates, changes: Vec::new() };
    Some(Stricter { update, stirs })
}

/// What a feed desires, marked as strictly as all feeds say together.
pub(super) fn together<'d>(
    desired: &'d DesiredEvent,
    known: &KnownEvent,
    feed: u8,
    destination: &DestinationRecord,
) -> Cow<'d, DesiredEvent> {
    let others = known.head.said_without(destination.feeds.get(usize::from(feed)));
    let shared = |known: &KnownAttribute| !known.wanted.without(feed).is_empty();
    if others == Marking::default() && !known.attributes.values().any(shared) {
        return Cow::Borrowed(desired);
    }
    let mut event = desired.clone();
    event.marking = event.marking.and(others);
    raise(&mut event.fields.tags, event.marking.tlp.filter(|tlp| Some(*tlp) > desired.marking.tlp));
    for each in &mut event.attributes {
        let known = known.attributes.get(&each.attribute.uuid);
        let said = known.map_or_else(Marking::default, |known| known.said_without(feed));
        each.marking = each.marking.and(others).and(said);
        if is_freer_than(&each.attribute, each.marking.tlp, &event.fields) {
            raise(&mut each.attribute.tags, each.marking.tlp);
        }
    }
    Cow::Owned(event)
}

/// Puts a colour in the place of freer ones.
fn raise(tags: &mut Vec<Box<str>>, tlp: Option<Tlp>) {
    if let Some(tlp) = tlp.filter(|tlp| Some(*tlp) > strictest_tlp(&*tags)) {
        tags.retain(|tag| Tlp::of_tag(tag).is_none());
        tags.push(tlp.tag().into());
        tags.sort_unstable();
    }
}
