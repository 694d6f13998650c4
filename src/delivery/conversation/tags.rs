//! Tags: what MISP's answers show of them, what is attached, and what a colour that MISP does not take means.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    delivery::{Call, Listed, TagRow, TaggedRow, cost, fact_of, rows},
    model::{AttributeUuid, Tlp},
    plan::{
        ChangeKind, DestinationRecord, ExposedReason, Lacking, Presence, Row, Standing,
        TAGS_KNOWN_MAX, TagFact, TagStanding, WithheldReason, has_own_colour, is_covered, lacking,
        strictest_of, tag_key,
    },
};

use super::{
    Asked, Conversation, Want,
    asking::{needs_echo, text_of},
    shown::Shown,
};

/// Why something is exposed no longer.
const ENDED_BY_TAG: &str = "MISP shows it with its tag now";

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
        if self.verdict.is_some() {
            return None;
        }
        let was_tried = !self.tried.is_empty();
        if let Some(colour) = self.proves_by_event(book) {
            let (colour, by_attribute) = (tag_key(colour), false);
            let extra = if self.created { 0 } else { self.price_of_standing_empty() };
            return Some(ColourProof { colour, by_attribute, was_tried, extra });
        }
        let goes = match self.event.head.presence {
            Presence::Absent => self.create,
            Presence::Present => true,
            Presence::Declined | Presence::Blocked(_) => false,
        };
        let colour = tag_key(self.needs_echo_of(book).next().filter(|_| goes)?);
        Some(ColourProof { colour, by_attribute: true, was_tried, extra: 0 })
    }

    /// What it costs to make the event without its attributes first.
    fn price_of_standing_empty(&self) -> u64 {
        let texts = self.queue.iter().map(|key| text_of(&self.event.attributes[key].attribute));
        cost::of_standing_empty(self.queue.len() as u64, texts.sum(), self.text_of_tags())
    }

    /// Bytes of the tags that an answer about the event shows.
    pub(super) fn text_of_tags(&self) -> u64 {
        let (tags, absent) = (&self.event.head.tags, self.event.head.presence == Presence::Absent);
        let shown = self.wanted_tags.iter().filter(|tag| absent || tags.carries(tag));
        shown.map(|tag| cost::of_tag(tag)).sum()
    }

    /// The colour of an event that is made here, as long as MISP never showed that this key can attach it: until
    /// then the event goes without attributes, and they follow once an answer shows the tag.
    pub(super) fn proves_by_event(&self, book: &DestinationRecord) -> Option<&str> {
        let colour = strictest_of(&self.wanted_tags).filter(|tag| !book.has_proven(tag))?;
        let proves = match self.event.head.presence {
            Presence::Absent => self.create,
            Presence::Present => self.created && self.tags.contains(colour),
            Presence::Declined | Presence::Blocked(_) => false,
        };
        proves.then_some(colour)
    }

    /// The same of attributes with a colour of their own: one goes alone, and the rest once the echo shows the tag.
    fn needs_echo_of<'c>(&'c self, book: &'c DestinationRecord) -> impl Iterator<Item = &'c str> {
        let attributes = self.queue.iter().map(|key| &self.event.attributes[key].attribute);
        let attributes = attributes.filter(|attribute| needs_echo(attribute, book));
        let colours = attributes.filter_map(|attribute| strictest_of(&attribute.tags));
        // What MISP is known not to take is kept back, and proves nothing.
        colours.filter(|colour| book.cannot_carry(colour).is_none()).map(|tag| &**tag)
    }

    /// Whether the colour of the event that is to be created turned out to be one that MISP does not take: then it
    /// is not created.
    pub(super) fn is_refused_a_colour(&self, book: &DestinationRecord) -> bool {
        let colour = strictest_of(&self.wanted_tags);
        colour.is_some_and(|tag| book.cannot_carry(tag).is_some())
    }

    /// Keeps everything back that waits for the event.
    pub(super) fn withhold_all(&mut self) {
        self.covered = false;
        for key in std::mem::take(&mut self.queue) {
            self.stand(key, Standing::Withheld(WithheldReason::MarkingCannotBeCarried));
        }
    }

    /// Takes in the tags that MISP shows on the event: they, not what was asked for, are what it has.
    pub(super) fn see_tags(&mut self, shown: &[Box<str>], book: &DestinationRecord) {
        self.event.head.tags.see(shown, &self.wanted_tags);
        self.head_dirty = true;
        self.recount_tags(book);
    }

    /// MISP made the event that was asked for, and shows its tags: its colours are proven. What was asked for and is
    /// not there was left out. Why, only a question would tell; a colour is worth an attempt to attach it.
    pub(super) fn learn_tags(&self, shown: &[Box<str>], book: &mut DestinationRecord) {
        for tag in &self.wanted_tags {
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
            lacking(&self.event.head.tags, &self.wanted_tags, book);
        self.tags = to_attach.into();
        for (tag, why) in refused {
            self.refuse_tag(&tag, why, book);
        }
        self.see_cover();
    }

    /// What is to be done about tags next, if anything.
    pub(super) fn ask_about_tags(&mut self, book: &DestinationRecord) -> Option<Want> {
        while self.foreign_event && !self.tags.is_empty() {
            self.on_tag_refused("the event is another organisation's", &mut book.clone());
        }
        let unknown = self.tags.iter().filter(|tag| book.tag(tag).is_none());
        let unknown: Vec<Box<str>> = unknown.cloned().collect();
        // Which of several are there costs one question; of a single one the attempt tells as well.
        if unknown.len() > 1 && !book.may("perm_tag_editor") {
            return Some(self.ask(Asked::Tags, Call::FindTags(unknown)));
        }
        // Before the attributes: a stricter TLP tag has to be there when they arrive.
        let tag = book.spelling(self.tags.front()?).into();
        Some(self.ask(Asked::Tag, Call::AttachTag { event: self.uuid(), attribute: None, tag }))
    }

    /// MISP's list of the tags that were asked for.
    pub(super) fn on_tags(&mut self, listed: &[TagRow], book: &mut DestinationRecord) {
        for tag in &self.tags {
            if book.tag(tag).is_none() {
                let fact = fact_of(tag, listed, book);
                book.tags.insert(tag_key(tag), fact);
            }
        }
        self.recount_tags(book);
    }

    pub(super) fn on_tagged(&mut self, book: &mut DestinationRecord) {
        self.wrote = true;
        if let Some(tag) = self.tags.pop_front() {
            self.event.head.tags.set(&tag, TagStanding::Shown);
            if Tlp::of_tag(&tag).is_some() {
                book.proven_tags.insert(tag_key(&tag));
                self.recoloured = true;
            }
            self.change(None, ChangeKind::Tagged(tag));
        }
        self.event.head.timestamp = None;
        self.event.head.published = Some(false);
        self.head_dirty = true;
        self.see_cover();
    }

    /// A tag that cannot be attached is tried again once the key's rights or MISP's tags are others.
    pub(super) fn on_tag_refused(&mut self, words: &str, book: &mut DestinationRecord) {
        let Some(tag) = self.tags.pop_front() else { return };
        let fact = TagFact::of_refusal(words);
        let why = fact.as_ref().map_or_else(|| words.into(), |fact| fact.to_string().into());
        if let Some(fact) = fact {
            book.tags.insert(tag_key(&tag), fact);
        }
        self.notes.push(format!("event {}: tag {tag:?} refused: {words}", self.uuid()));
        self.refuse_tag(&tag, why, book);
        self.see_cover();
    }

    fn refuse_tag(&mut self, tag: &str, why: Box<str>, book: &DestinationRecord) {
        let told = ChangeKind::TagRefused { tag: tag.into(), why: why.clone() };
        let standing = TagStanding::Refused { why, terms: book.tag_terms(tag) };
        if self.event.head.tags.set(tag, standing) {
            self.head_dirty = true;
            self.change(None, told);
        }
    }

    /// Without its colour nothing of the event goes out that has none of its own; what is out is exposed.
    pub(super) fn see_cover(&mut self) {
        let to_attach = self.tags.make_contiguous();
        self.covered = is_covered(&self.event.head.tags, &self.wanted_tags, to_attach);
        if self.covered {
            return;
        }
        let attributes = &self.event.attributes;
        let bare = |key: &AttributeUuid| !has_own_colour(&attributes[key].attribute);
        let (waiting, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.queue).into_iter().partition(bare);
        self.queue = rest.into();
        let out = attributes.iter().filter(|(key, known)| {
            let is_out = known.standing.is_in_misp() || self.unproven.contains(key);
            is_out && known.exposed.is_none() && bare(key)
        });
        let out: Vec<AttributeUuid> = out.map(|(key, _)| *key).collect();
        for key in waiting {
            self.stand(key, Standing::Withheld(WithheldReason::MarkingCannotBeCarried));
        }
        for key in out {
            self.expose(key, ExposedReason::EventLacksTag);
        }
    }

    /// Whether it can be foreseen which tags MISP shows on the attributes.
    pub(in crate::delivery) fn foresees_tags(&self, book: &DestinationRecord) -> bool {
        rows::foresees_tags(&self.event, book.reorders())
    }

    /// Whether something was taken with a colour of its own that no answer showed yet.
    pub(in crate::delivery) fn has_colours_to_prove(&self, book: &DestinationRecord) -> bool {
        let own = |key: &AttributeUuid| has_own_colour(&self.event.attributes[key].attribute);
        self.foresees_tags(book) && self.unproven.iter().any(own)
    }

    /// MISP's rows of this event with their tags, where they are not the expected ones.
    pub(super) fn on_tagged_rows(&mut self, found: &[TaggedRow], book: &mut DestinationRecord) {
        let rows: Vec<Row> = found.iter().map(|found| found.row).collect();
        self.on_rows_in_proof(&rows);
        let tags: BTreeMap<AttributeUuid, &str> =
            found.iter().map(|found| (found.row.uuid, &*found.tags)).collect();
        let there = self.event.attributes.iter().filter(|(_, known)| known.standing.is_in_misp());
        let there =
            there.filter_map(|(key, known)| Some((*key, *tags.get(&known.attribute.uuid)?)));
        for (key, shown) in there.collect::<Vec<_>>() {
            self.see_own_colour(key, Shown::Cell(shown), book);
        }
    }

    /// Whether rows, which show no tags, have something in them that has a colour of its own and was not known to be
    /// there.
    pub(super) fn bring_colours(&self, rows: &[Row]) -> bool {
        let open: BTreeSet<AttributeUuid> = self.not_there().into_iter().collect();
        rows.iter().any(|row| !row.deleted && open.contains(&row.uuid))
    }

    /// What is not known to be in MISP, and has a colour of its own.
    fn not_there(&self) -> Vec<AttributeUuid> {
        let attributes = self.event.attributes.iter();
        let open = attributes
            .filter(|(_, known)| !known.standing.is_in_misp() && has_own_colour(&known.attribute));
        open.map(|(key, _)| *key).collect()
    }

    /// Looks with which tags a listing shows what has a colour of its own. What stands there under a UUID of others is
    /// theirs, and stays as it is; what got its colour in this conversation is not looked at again.
    pub(super) fn see_own_colours(&mut self, listed: &[Listed], book: &mut DestinationRecord) {
        for each in listed {
            let key = each.row.uuid;
            let Some(known) = self.event.attributes.get(&key) else { continue };
            let is_ours = known.attribute.uuid == key && known.standing.is_in_misp();
            if is_ours && !each.row.deleted && !self.recoloured_own.contains(&key) {
                self.see_own_colour(key, Shown::Cell(&each.tags), book);
            }
        }
    }

    /// An attribute with a colour of its own, and the tags with which MISP showed it. A colour that is missing is
    /// attached once; until it is, the attribute is exposed if MISP certainly has it without.
    pub(super) fn see_own_colour(
        &mut self,
        key: AttributeUuid,
        shown: Shown<'_>,
        book: &mut DestinationRecord,
    ) {
        let own = &self.event.attributes[&key].attribute.tags;
        let Some(colour) = strictest_of(own).cloned() else { return };
        if shown.carries(&colour, own) {
            book.proven_tags.insert(tag_key(&colour));
            return;
        }
        // Should the run end here, the next one knows what MISP holds.
        let known = self.event.attributes.get_mut(&key).expect("keys come from the event");
        known.attribute.tags.retain(|tag| Tlp::of_tag(tag).is_none());
        self.dirty.insert(key);
        if known.exposed.is_none() && shown.lacks(&colour) {
            self.expose(key, ExposedReason::LacksTag(colour.clone()));
        }
        self.without_colour.push_back((key, colour));
    }

    /// The colours that attributes lack are attached, before anything else goes out with them; then a list tells which
    /// timestamps that gave them.
    pub(super) fn ask_for_own_colours(&mut self, book: &DestinationRecord) -> Option<Want> {
        let event = self.uuid();
        let Some((key, colour)) = self.without_colour.front() else {
            return self.moved.then(|| self.ask(Asked::Listing, Call::Listing(event)));
        };
        let uuid = self.event.attributes[key].attribute.uuid;
        let call =
            Call::AttachTag { event, attribute: Some(uuid), tag: book.spelling(colour).into() };
        self.event.head.unproven = true;
        self.head_dirty = true;
        Some(self.ask(Asked::OwnColour, call))
    }

    /// It stands there with its colour now, under a timestamp that MISP did not tell.
    pub(super) fn on_own_colour_attached(&mut self) {
        let Some((key, colour)) = self.without_colour.pop_front() else { return };
        let known = self.event.attributes.get_mut(&key).expect("keys come from the event");
        known.order = None;
        if !known.attribute.tags.contains(&colour) {
            known.attribute.tags.push(colour.clone());
        }
        let ends = known.exposed.take().is_some();
        self.dirty.insert(key);
        self.change(Some(key), ChangeKind::Tagged(colour));
        if ends {
            let planned = self.planned.contains(&key);
            self.tally.exposed = self.tally.exposed.saturating_sub(u64::from(planned));
            self.change(Some(key), ChangeKind::ExposureEnded(ENDED_BY_TAG.into()));
        }
        self.moved = true;
        self.recoloured_own.insert(key);
        self.wrote = true;
        let head = &mut self.event.head;
        (head.timestamp, head.published) = (None, Some(false));
        self.head_dirty = true;
    }

    /// It does not take it: what stands there without is exposed, and what is still to go with it waits.
    pub(super) fn on_own_colour_refused(&mut self, words: &str, book: &mut DestinationRecord) {
        let Some((_, colour)) = self.without_colour.front().cloned() else { return };
        let (bare, rest): (Vec<_>, Vec<_>) =
            self.without_colour.drain(..).partition(|(_, lacks)| *lacks == colour);
        self.without_colour = rest.into();
        let fact = TagFact::of_refusal(words).unwrap_or_else(|| TagFact::Refused(words.into()));
        let why: Box<str> = fact.to_string().into();
        let (event, count) = (self.uuid(), bare.len());
        self.notes.push(format!("event {event}: tag {colour}: {why}; {count} without it"));
        book.tags.insert(tag_key(&colour), fact);
        for (key, _) in bare {
            let told = ChangeKind::TagRefused { tag: colour.clone(), why: why.clone() };
            self.change(Some(key), told);
            if self.event.attributes[&key].exposed.is_none() {
                self.expose(key, ExposedReason::LacksTag(colour.clone()));
            }
        }
        self.covered = false;
        self.withhold_refused_colours(book);
    }

    /// Keeps back what has a colour of its own that turned out to be one that MISP does not take.
    pub(super) fn withhold_refused_colours(&mut self, book: &DestinationRecord) {
        let attributes = &self.event.attributes;
        let refused = |key: &AttributeUuid| {
            let colour = strictest_of(&attributes[key].attribute.tags);
            colour.is_some_and(|colour| book.cannot_carry(colour).is_some())
        };
        let (waiting, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.queue).into_iter().partition(refused);
        self.queue = rest.into();
        for key in waiting {
            self.stand(key, Standing::Withheld(WithheldReason::MarkingCannotBeCarried));
        }
    }

    /// Something stands in MISP that must not be there as it is.
    fn expose(&mut self, key: AttributeUuid, why: ExposedReason) {
        let known = self.event.attributes.get_mut(&key).expect("keys come from the event");
        known.exposed = Some(why.clone());
        self.dirty.insert(key);
        self.tally.exposed += u64::from(self.planned.contains(&key));
        self.change(Some(key), ChangeKind::Exposed(why));
    }
}
