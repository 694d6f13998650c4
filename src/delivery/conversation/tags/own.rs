//! Colours of single attributes: whether MISP shows them, what is attached, and what one that MISP does not take means.

use std::collections::BTreeMap;

use crate::{
    delivery::{Call, Listed, TaggedRow, rows},
    model::{AttributeUuid, Tlp},
    plan::{
        ChangeKind, DestinationRecord, ExposedReason, Row, TagFact, has_own_colour, strictest_of,
        tag_key,
    },
};

use super::{
    super::{Conversation, Look, Phase, Request, Want},
    Shown,
};

/// Why something is exposed no longer.
const ENDED_BY_TAG: &str = "MISP shows it with its tag now";

impl Conversation {
    /// Whether it can be foreseen which tags MISP shows on the attributes.
    pub(in crate::delivery) fn foresees_tags(&self, book: &DestinationRecord) -> bool {
        rows::foresees_tags(self.event(), book.reorders())
    }

    /// Whether something was taken with a colour of its own that no answer showed yet.
    pub(in crate::delivery) fn has_colours_to_prove(&self, book: &DestinationRecord) -> bool {
        let own = |key: &AttributeUuid| {
            self.event.attribute(*key).is_some_and(|known| has_own_colour(&known.attribute))
        };
        self.foresees_tags(book) && self.event.unproven.iter().any(own)
    }

    /// MISP's rows of this event with their tags, where they are not the expected ones.
    pub(in super::super) fn on_tagged_rows(
        &mut self,
        found: &[TaggedRow],
        book: &mut DestinationRecord,
    ) -> Phase {
        let rows: Vec<Row> = found.iter().map(|found| found.row).collect();
        let phase = self.on_rows_in_proof(&rows);
        let tags: BTreeMap<AttributeUuid, &str> =
            found.iter().map(|found| (found.row.uuid, &*found.tags)).collect();
        let there = self.event.attributes().iter().filter(|(_, known)| known.standing.is_in_misp());
        let there =
            there.filter_map(|(key, known)| Some((*key, *tags.get(&known.attribute.uuid)?)));
        for (key, shown) in there.collect::<Vec<_>>() {
            self.see_own_colour(key, Shown::Cell(shown), book);
        }
        phase
    }

    /// Whether rows, which show no tags, have something in them that has a colour of its own and was not known to be
    /// there.
    pub(in super::super) fn bring_colours(&self, rows: &[Row]) -> bool {
        let open = |key: AttributeUuid| {
            let known = self.event.attribute(key);
            known.is_some_and(|it| !it.standing.is_in_misp() && has_own_colour(&it.attribute))
        };
        rows.iter().any(|row| !row.deleted && open(row.uuid))
    }

    /// Looks with which tags a listing shows what has a colour of its own. What stands there under a UUID of others is
    /// theirs, and stays as it is; what got its colour in this conversation is not looked at again.
    pub(in super::super) fn see_own_colours(
        &mut self,
        listed: &[Listed],
        book: &mut DestinationRecord,
    ) {
        for each in listed {
            let key = each.row.uuid;
            let Some(known) = self.event.attribute(key) else { continue };
            let is_ours = known.attribute.uuid == key && known.standing.is_in_misp();
            if is_ours && !each.row.deleted && !self.misp.recoloured_own.contains(&key) {
                self.see_own_colour(key, Shown::Cell(&each.tags), book);
            }
        }
    }

    /// An attribute with a colour of its own, and the tags with which MISP showed it. A colour that is missing is
    /// attached once; until it is, the attribute is exposed if MISP certainly has it without.
    pub(in super::super) fn see_own_colour(
        &mut self,
        key: AttributeUuid,
        shown: Shown<'_>,
        book: &mut DestinationRecord,
    ) {
        let own = self.event.attribute(key).map_or(&[][..], |known| &known.attribute.tags);
        let Some(colour) = strictest_of(own).cloned() else { return };
        if shown.carries(&colour, own) {
            book.proven_tags.insert(tag_key(&colour));
            return;
        }
        // Should the run end here, the next one knows what MISP holds.
        let Some(known) = self.event.attribute_mut(key) else { return };
        known.attribute.tags.retain(|tag| Tlp::of_tag(tag).is_none());
        if known.exposed.is_none() && shown.lacks(&colour) {
            self.event.expose(key, ExposedReason::LacksTag(colour.clone()));
        }
        self.outbox.without_colour.push_back((key, colour));
    }

    /// The colours that attributes lack are attached, before anything else goes out with them; then a list tells which
    /// timestamps that gave them.
    pub(in super::super) fn ask_for_own_colours(
        &mut self,
        book: &DestinationRecord,
    ) -> Option<Want> {
        let event = self.uuid();
        let Some((key, colour)) = self.outbox.without_colour.front() else {
            return self.misp.moved.then(|| self.look(Look::Listing, book));
        };
        let attribute = self.event.attribute(*key).map(|known| known.attribute.uuid);
        let call = Call::AttachTag { event, attribute, tag: book.spelling(colour).into() };
        self.event.head_mut().unproven = true;
        Some(self.ask(Request::OwnColour, call))
    }

    /// It stands there with its colour now, under a timestamp that MISP did not tell.
    pub(in super::super) fn on_own_colour_attached(&mut self) -> Phase {
        let Some((key, colour)) = self.outbox.without_colour.pop_front() else {
            return Phase::Open;
        };
        if let Some(known) = self.event.attribute_mut(key) {
            known.order = None;
            if !known.attribute.tags.contains(&colour) {
                known.attribute.tags.push(colour.clone());
            }
        }
        self.event.change(Some(key), ChangeKind::Tagged(colour));
        self.event.end_exposure(key, ENDED_BY_TAG);
        self.misp.moved = true;
        self.misp.recoloured_own.insert(key);
        self.moved_by_us();
        Phase::Open
    }

    /// It does not take it: what stands there without is exposed, and what is still to go with it waits.
    pub(in super::super) fn on_own_colour_refused(
        &mut self,
        words: &str,
        book: &mut DestinationRecord,
    ) -> Phase {
        let Some((_, colour)) = self.outbox.without_colour.front().cloned() else {
            return Phase::Open;
        };
        let (bare, rest): (Vec<_>, Vec<_>) =
            self.outbox.without_colour.drain(..).partition(|(_, lacks)| *lacks == colour);
        self.outbox.without_colour = rest.into();
        let fact = TagFact::of_refusal(words).unwrap_or_else(|| TagFact::Refused(words.into()));
        let why: Box<str> = fact.to_string().into();
        self.event.note(&format!(": tag {colour}: {why}; {} without it", bare.len()));
        book.tags.insert(tag_key(&colour), fact);
        for (key, _) in bare {
            let told = ChangeKind::TagRefused { tag: colour.clone(), why: why.clone() };
            self.event.change(Some(key), told);
            if self.event.attribute(key).is_some_and(|known| known.exposed.is_none()) {
                self.event.expose(key, ExposedReason::LacksTag(colour.clone()));
            }
        }
        self.misp.covered = false;
        self.withhold_refused_colours(book);
        Phase::Open
    }

    /// Keeps back what has a colour of its own that turned out to be one that MISP does not take.
    pub(in super::super) fn withhold_refused_colours(&mut self, book: &DestinationRecord) {
        if !self.outbox.may_have_colour(|colour| book.cannot_carry(colour).is_some()) {
            return;
        }
        self.withhold(|event, key| {
            let known = event.attribute(key);
            let colour = known.and_then(|known| strictest_of(&known.attribute.tags));
            colour.is_some_and(|colour| book.cannot_carry(colour).is_some())
        });
    }
}
