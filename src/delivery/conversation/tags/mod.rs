//! Tags: what MISP's answers show of them, what is attached, and what a colour that MISP does not take means.

mod own;
mod shown;

use crate::{
    delivery::{Call, TagRow, cost, fact_of},
    model::{AttributeUuid, Tlp},
    plan::{
        ChangeKind, DestinationRecord, ExposedReason, KnownAttribute, Lacking, Presence,
        TAGS_KNOWN_MAX, TagFact, TagStanding, has_own_colour, is_covered, lacking, strictest_of,
        tag_key,
    },
};

use super::{Conversation, Making, Outbox, Phase, Request, Want, asking::needs_echo};

pub(super) use shown::Shown;

/// A colour that a conversation would find out about: whether MISP takes it from this key.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::delivery) struct ColourProof {
    /// The colour's tag, by [`tag_key`].
    pub(in crate::delivery) colour: Box<str>,
    /// By an attribute with a colour of its own that goes alone, and not by an event without attributes: so only
    /// where no event has that colour.
    by_attribute: bool,
    /// An earlier run tried, and did not get through.
    was_tried: bool,
    /// Bytes that finding out costs.
    extra: u64,
}

impl ColourProof {
    /// Of several that would find out about the same colour, the one with the least does.
    pub(in crate::delivery) const fn price(&self) -> (bool, bool, u64) {
        (self.by_attribute, self.was_tried, self.extra)
    }
}

impl Conversation {
    /// What this conversation would find out now: whether MISP takes a colour from this key. Others that need to
    /// know it wait meanwhile.
    pub(in crate::delivery) fn proof(&self, book: &DestinationRecord) -> Option<ColourProof> {
        if self.is_over() {
            return None;
        }
        let was_tried = !self.retry.tried.is_empty();
        if let Some(colour) = self.proves_by_event(book) {
            let (colour, by_attribute) = (tag_key(colour), false);
            let is_made = self.outbox.making == Making::Done;
            let extra = if is_made { 0 } else { self.price_of_standing_empty() };
            return Some(ColourProof { colour, by_attribute, was_tried, extra });
        }
        let goes = match self.event.head().presence {
            Presence::Absent => self.outbox.making.is_open(),
            Presence::Present => true,
            Presence::Declined | Presence::Blocked(_) => false,
        };
        let colour = tag_key(self.needs_echo_of(book).next().filter(|_| goes)?);
        Some(ColourProof { colour, by_attribute: true, was_tried, extra: 0 })
    }

    /// What it costs to make the event without its attributes first.
    fn price_of_standing_empty(&self) -> u64 {
        let texts = self.queued().map(|(_, attribute)| cost::text_of(attribute));
        let count = self.outbox.queue.len() as u64;
        cost::of_standing_empty(count, texts.sum(), self.text_of_tags())
    }

    /// Bytes of the tags that an answer about the event shows.
    pub(super) fn text_of_tags(&self) -> u64 {
        let head = self.event.head();
        let (tags, absent) = (&head.tags, head.presence == Presence::Absent);
        let shown = self.outbox.wanted_tags.iter().filter(|tag| absent || tags.carries(tag));
        shown.map(|tag| cost::of_tag(tag)).sum()
    }

    /// The colour of an event that is made here, as long as MISP never showed that this key can attach it: until
    /// then the event goes without attributes, and they follow once an answer shows the tag.
    pub(super) fn proves_by_event(&self, book: &DestinationRecord) -> Option<&str> {
        let colour = strictest_of(&self.outbox.wanted_tags).filter(|tag| !book.has_proven(tag))?;
        let Outbox { making, tags, .. } = &self.outbox;
        let proves = match self.event.head().presence {
            Presence::Absent => making.is_open(),
            Presence::Present => *making == Making::Done && tags.contains(colour),
            Presence::Declined | Presence::Blocked(_) => false,
        };
        proves.then_some(colour)
    }

    /// Whether any attribute of the queue may have a colour of its own that MISP never showed to be taken.
    pub(super) fn may_need_echo(&self, book: &DestinationRecord) -> bool {
        self.outbox.may_have_colour(|colour| !book.has_proven(colour))
    }

    /// The same of attributes with a colour of their own: one goes alone, and the rest once the echo shows the tag.
    fn needs_echo_of<'c>(&'c self, book: &'c DestinationRecord) -> impl Iterator<Item = &'c str> {
        let may_need = self.may_need_echo(book);
        let queued = self.queued().take(if may_need { usize::MAX } else { 0 });
        let attributes = queued.map(|(_, attribute)| attribute);
        let attributes = attributes.filter(|attribute| needs_echo(attribute, book));
        let colours = attributes.filter_map(|attribute| strictest_of(&attribute.tags));
        // What MISP is known not to take is kept back, and proves nothing.
        colours.filter(|colour| book.cannot_carry(colour).is_none()).map(|tag| &**tag)
    }

    /// Whether the colour of the event that is to be created turned out to be one that MISP does not take: then it
    /// is not created.
    pub(super) fn is_refused_a_colour(&self, book: &DestinationRecord) -> bool {
        let colour = strictest_of(&self.outbox.wanted_tags);
        colour.is_some_and(|tag| book.cannot_carry(tag).is_some())
    }

    /// Takes in the tags that MISP shows on the event: they, not what was asked for, are what it has.
    pub(super) fn see_tags(&mut self, shown: &[Box<str>], book: &DestinationRecord) {
        self.event.head_mut().tags.see(shown, &self.outbox.wanted_tags);
        self.recount_tags(book);
    }

    /// MISP made the event that was asked for, and shows its tags: its colours are proven. What was asked for and is
    /// not there was left out. Why, only a question would tell; a colour is worth an attempt to attach it.
    pub(super) fn learn_tags(&self, shown: &[Box<str>], book: &mut DestinationRecord) {
        for tag in &self.outbox.wanted_tags {
            let key = tag_key(tag);
            let is_colour = Tlp::of_tag(tag).is_some();
            let there = shown.iter().find(|name| tag_key(name) == key);
            match (there, book.tag(tag)) {
                (Some(_), _) if is_colour => {
                    book.proven_tags.insert(key);
                }
                (Some(name), Some(TagFact::LeftOut | TagFact::Missing)) => {
                    book.tags.insert(key, TagFact::Usable(name.clone()));
                }
                (None, None) if !is_colour && book.tags.len() < TAGS_KNOWN_MAX => {
                    book.tags.insert(key, TagFact::LeftOut);
                }
                _ => {}
            }
        }
    }

    /// Works out what is still to be attached, and what is known to be refused.
    fn recount_tags(&mut self, book: &DestinationRecord) {
        let Lacking { to_attach, refused } =
            lacking(&self.event.head().tags, &self.outbox.wanted_tags, book);
        self.outbox.tags = to_attach.into();
        for (tag, why) in refused {
            self.refuse_tag(&tag, why, book);
        }
        self.see_cover();
    }

    /// What is to be done about tags next, if anything.
    pub(super) fn ask_about_tags(&mut self, book: &DestinationRecord) -> Option<Want> {
        while self.misp.is_foreign && !self.outbox.tags.is_empty() {
            self.on_tag_refused("the event is another organisation's", &mut book.clone());
        }
        let unknown = self.outbox.tags.iter().filter(|tag| book.tag(tag).is_none());
        let unknown: Vec<Box<str>> = unknown.cloned().collect();
        // Which of several are there costs one question; of a single one the attempt tells as well.
        if unknown.len() > 1 && !book.may("perm_tag_editor") {
            return Some(self.ask(Request::Tags, Call::FindTags(unknown)));
        }
        // Before the attributes: a stricter TLP tag has to be there when they arrive.
        let tag = book.spelling(self.outbox.tags.front()?).into();
        Some(self.ask(Request::Tag, Call::AttachTag { event: self.uuid(), attribute: None, tag }))
    }

    /// MISP's list of the tags that were asked for.
    pub(super) fn on_tags(&mut self, listed: &[TagRow], book: &mut DestinationRecord) -> Phase {
        for tag in &self.outbox.tags {
            if book.tag(tag).is_none() {
                let fact = fact_of(tag, listed, book);
                book.tags.insert(tag_key(tag), fact);
            }
        }
        self.recount_tags(book);
        Phase::Open
    }

    pub(super) fn on_tagged(&mut self, book: &mut DestinationRecord) -> Phase {
        if let Some(tag) = self.outbox.tags.pop_front() {
            self.event.head_mut().tags.set(&tag, TagStanding::Shown);
            if Tlp::of_tag(&tag).is_some() {
                book.proven_tags.insert(tag_key(&tag));
                self.misp.recoloured = true;
            }
            self.event.change(None, ChangeKind::Tagged(tag));
        }
        self.moved_by_us();
        self.see_cover();
        Phase::Open
    }

    /// A tag that cannot be attached is tried again once the key's rights or MISP's tags are others.
    pub(super) fn on_tag_refused(&mut self, words: &str, book: &mut DestinationRecord) -> Phase {
        let Some(tag) = self.outbox.tags.pop_front() else { return Phase::Open };
        let fact = TagFact::of_refusal(words);
        let why = fact.as_ref().map_or_else(|| words.into(), |fact| fact.to_string().into());
        if let Some(fact) = fact {
            book.tags.insert(tag_key(&tag), fact);
        }
        self.event.note(&format!(": tag {tag:?} refused: {words}"));
        self.refuse_tag(&tag, why, book);
        self.see_cover();
        Phase::Open
    }

    fn refuse_tag(&mut self, tag: &str, why: Box<str>, book: &DestinationRecord) {
        let told = ChangeKind::TagRefused { tag: tag.into(), why: why.clone() };
        let standing = TagStanding::Refused { why, terms: book.tag_terms(tag) };
        if self.event.set_tag(tag, standing) {
            self.event.change(None, told);
        }
    }

    /// Without its colour nothing of the event goes out that has none of its own; what is out is exposed.
    pub(super) fn see_cover(&mut self) {
        let Outbox { tags, wanted_tags, .. } = &mut self.outbox;
        let to_attach = tags.make_contiguous();
        self.misp.covered = is_covered(&self.event.head().tags, wanted_tags, to_attach);
        if self.misp.covered {
            return;
        }
        let is_bare = |known: &KnownAttribute| !has_own_colour(&known.attribute);
        let event = &self.event;
        let out = event.attributes().iter().filter(|(key, known)| {
            let is_out = known.standing.is_in_misp() || event.unproven.contains(key);
            is_out && known.exposed.is_none() && is_bare(known)
        });
        let out: Vec<AttributeUuid> = out.map(|(key, _)| *key).collect();
        self.withhold(|event, key| event.attribute(key).is_some_and(is_bare));
        for key in out {
            self.event.expose(key, ExposedReason::EventLacksTag);
        }
    }
}
