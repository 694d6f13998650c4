//! What a conversation asks next, and what goes into a request.

use std::collections::{BTreeSet, VecDeque};

use crate::{
    delivery::{
        Call, NewEvent, TimedAttribute,
        cost::{self, Circumstances, Way},
        rows,
    },
    misp::Attribute,
    model::{AttributeUuid, Timestamp},
    plan::{DestinationRecord, Presence, Publish, has_own_colour, strictest_of},
};

use super::{Asked, Conversation, Ground, Look, Purpose, Verdict, Want};

impl Conversation {
    /// Decides what to do next. `chunk_max` is the most attributes that any request may hold now; in company, others
    /// will be asked about as well.
    pub(in crate::delivery) fn next(
        &mut self,
        now: Timestamp,
        chunk_max: usize,
        in_company: bool,
        book: &DestinationRecord,
    ) -> Want {
        self.in_company = in_company;
        if self.verdict.is_some() {
            return Want::End;
        }
        if let Some(until) = self.not_before.filter(|until| now < *until) {
            return Want::Wait(until);
        }
        self.not_before = None;
        if self.look.is_none()
            && let Some(want) = self.ask_for_count()
        {
            return want;
        }
        match self.look {
            Some(Look::Metadata | Look::Existence) => return self.ask_for_metadata(),
            // A list of nothing costs no more than a question about it.
            Some(Look::Rows) if rows::next_order(&self.event) > 0 && !self.goes_by_time(book) => {
                self.begun = true;
                self.asked = Asked::Guard;
                return Want::Rows;
            }
            Some(Look::Rows | Look::Listing) => {
                return self.ask(Asked::Listing, Call::Listing(self.uuid()));
            }
            None => {}
        }
        match self.event.head.presence {
            Presence::Absent if self.surrender.is_some() => self.give_up(),
            Presence::Absent if self.create && self.is_refused_a_colour(book) => {
                self.withhold_all();
                self.end(Verdict::Finished)
            }
            Presence::Absent if self.create => self.add_event(chunk_max, book),
            Presence::Present => self.go_on(chunk_max, book),
            Presence::Absent | Presence::Declined | Presence::Blocked(_) => {
                self.end(Verdict::Finished)
            }
        }
    }

    /// What remains to be done for an event that is there: fields, appends, proof, tags, publishing.
    fn go_on(&mut self, chunk_max: usize, book: &DestinationRecord) -> Want {
        let keep = self.manners.settings.publish == Publish::Keep;
        let will_attach = !self.tags.is_empty() || !self.without_colour.is_empty();
        let will_write = !self.queue.is_empty() || self.edit.is_some() || will_attach;
        if keep && will_write && self.was_published.is_none() && !self.created {
            return self.ask_for_metadata();
        }
        if will_write {
            self.owe_publishing();
        }
        if let Some(edit) = self.edit.clone() {
            let Some(timestamp) = self.compared.take().or(self.event.head.timestamp) else {
                return self.ask_for_metadata();
            };
            let event = self.uuid();
            let call = Call::EditFields { event, edit, timestamp: timestamp.saturating_add(1) };
            return self.ask(Asked::Fields, call);
        }
        if let Some(want) = self.ask_about_tags(book) {
            return want;
        }
        if let Some(want) = self.ask_for_own_colours(book) {
            return want;
        }
        self.withhold_refused_colours(book);
        if !self.queue.is_empty() && self.surrender.is_none() {
            return self.append(chunk_max, book);
        }
        if !self.unproven.is_empty() && self.goes_by_time(book) {
            return self.ask_by_time(Purpose::Proof);
        }
        if !self.unproven.is_empty() {
            self.asked = Asked::Proof;
            return Want::Rows;
        }
        if let Some(want) = self.ask_to_publish(book) {
            return want;
        }
        self.give_up()
    }

    /// Ends; not well, if it surrendered.
    fn give_up(&mut self) -> Want {
        let surrender = self.surrender.take();
        self.end(surrender.map_or(Verdict::Finished, Verdict::GaveUp))
    }

    fn add_event(&mut self, chunk_max: usize, book: &DestinationRecord) -> Want {
        let none = self.bare || self.proves_by_event(book).is_some();
        let most = if none { 0 } else { chunk_max.min(self.suspect.most()) };
        let attributes = self.take_chunk(most, |_, attribute| !needs_echo(attribute, book));
        self.owe_publishing();
        let head = &mut self.event.head;
        head.unproven = true;
        self.head_dirty = true;
        let new = NewEvent {
            uuid: head.uuid,
            fields: head.fields.clone(),
            settings: self.manners.settings.clone(),
            attributes,
        };
        self.ask(Asked::Create, Call::AddEvent(Box::new(new)))
    }

    fn append(&mut self, chunk_max: usize, book: &DestinationRecord) -> Want {
        if self.stands_there_already() {
            return self.ask(Asked::Listing, Call::Listing(self.uuid()));
        }
        let most = chunk_max.min(self.suspect.most());
        let way = self.way(book);
        if way == Way::Quiet && self.ground == Ground::Remembered {
            if rows::next_order(&self.event) == 0 {
                return self.ask(Asked::Listing, Call::Listing(self.uuid()));
            }
            if self.goes_by_time(book) {
                return self.ask_by_time(Purpose::Guard);
            }
            self.begun = true;
            self.asked = Asked::Guard;
            return Want::Rows;
        }
        let event = self.uuid();
        self.event.head.unproven = true;
        self.head_dirty = true;
        match way {
            Way::Quiet => {
                let (loud, foreseen) = (self.loud.clone(), self.foresees_tags(book));
                let attributes =
                    self.take_chunk(most, |uuid, it| !goes_loudly(&loud, foreseen, uuid, it));
                self.ask(Asked::Quiet, Call::AppendQuietly { event, attributes })
            }
            Way::Loud => {
                // Of a colour that this key never showed to be taken one goes alone, and the rest once the echo
                // shows the tag.
                let mut attributes = self.take_chunk(1, |_, attribute| needs_echo(attribute, book));
                if attributes.is_empty() {
                    attributes = self.take_chunk(most, |_, _| true);
                }
                self.ask(Asked::Loud, Call::AppendLoudly { event, attributes })
            }
        }
    }

    /// Whether somebody else, another agent, sent before what is to be sent now. The rows would be as expected,
    /// and a quiet request would overwrite what an analyst made of it.
    fn stands_there_already(&self) -> bool {
        // What was never in MISP stands under its own UUID.
        let foreign = self.event.head.foreign.iter().map(|(_, row)| row.uuid);
        let mut known = foreign.filter(|uuid| self.event.attributes.contains_key(uuid));
        known.any(|uuid| self.queue.contains(&uuid))
    }

    /// One that needs its echo goes first and alone; with what it shows, the rest may go together.
    fn way(&self, book: &DestinationRecord) -> Way {
        if self.queue.iter().any(|key| needs_echo(&self.event.attributes[key].attribute, book)) {
            return Way::Loud;
        }
        let attributes =
            self.queue.iter().map(|uuid| (uuid, &self.event.attributes[uuid].attribute));
        let foreseen = self.foresees_tags(book);
        let quiet = attributes.filter(|(uuid, it)| !goes_loudly(&self.loud, foreseen, uuid, it));
        let texts = quiet.map(|(_, it)| text_of(it));
        let texts: Vec<u64> = texts.collect();
        if self.foreign_event || texts.is_empty() {
            return Way::Loud;
        }
        let (count, text) = (texts.len() as u64, texts.iter().sum());
        let (guarded, in_company) = (self.ground == Ground::Proven, self.in_company);
        cost::cheaper(count, text, self.text_of_tags(), Circumstances { guarded, in_company })
    }

    /// Moves the next attributes from the queue into the request.
    fn take_chunk(
        &mut self,
        most: usize,
        fits: impl Fn(&AttributeUuid, &Attribute) -> bool,
    ) -> Vec<TimedAttribute> {
        debug_assert!(self.flight.is_empty(), "one request at a time");
        debug_assert!(self.remarked.is_empty(), "MISP is looked at before anything goes");
        let mut rest = VecDeque::new();
        let attributes = &self.event.attributes;
        let new_first = self
            .queue
            .iter()
            .any(|uuid| fits(uuid, &attributes[uuid].attribute) && !self.tried.contains(uuid));
        while let Some(uuid) = self.queue.pop_front() {
            let attribute = &self.event.attributes[&uuid].attribute;
            let its_turn = fits(&uuid, attribute) && !(new_first && self.tried.contains(&uuid));
            if self.flight.len() < most && its_turn {
                self.flight.push(uuid);
            } else {
                rest.push_back(uuid);
            }
        }
        self.queue = rest;
        for uuid in &self.flight {
            // It was adopted once, and is not there any more: now it goes under a UUID of ours.
            let known = self.event.attributes.get_mut(uuid).expect("keys come from the event");
            if known.attribute.uuid != *uuid {
                known.attribute.uuid = *uuid;
                self.dirty.insert(*uuid);
            }
        }
        let timed = |uuid: &AttributeUuid| {
            let known = &self.event.attributes[uuid];
            let timestamp =
                known.timestamp.expect("a plan gives every attribute it sends a timestamp");
            TimedAttribute { attribute: known.attribute.clone(), timestamp }
        };
        self.flight.iter().map(timed).collect()
    }

    pub(super) fn ask(&mut self, asked: Asked, call: Call) -> Want {
        self.begun = true;
        self.asked = asked;
        Want::Call(call)
    }

    /// Ends with nothing left that MISP may have taken unnoticed.
    fn end(&mut self, verdict: Verdict) -> Want {
        self.take_back_what_is_owed();
        if self.unproven.is_empty() && self.event.head.unproven {
            self.event.head.unproven = false;
            self.head_dirty = true;
        }
        self.verdict = Some(verdict);
        Want::End
    }
}

/// Whether an attribute has a colour of its own that MISP never showed to be taken from this key: such a one goes by
/// attributes/add, whose echo shows its tags.
pub(super) fn needs_echo(attribute: &Attribute, book: &DestinationRecord) -> bool {
    strictest_of(&attribute.tags).is_some_and(|colour| !book.has_proven(colour))
}

/// Whether an attribute goes by attributes/add: MISP is to say what is wrong with it; or it has a colour of its own,
/// in an event that others were at, so that the tags cannot be foreseen that would prove it.
fn goes_loudly(
    loud: &BTreeSet<AttributeUuid>,
    foreseen: bool,
    uuid: &AttributeUuid,
    attribute: &Attribute,
) -> bool {
    loud.contains(uuid) || (!foreseen && has_own_colour(attribute))
}

/// Bytes of what a request says of an attribute, its fields aside.
pub(super) fn text_of(attribute: &Attribute) -> u64 {
    (attribute.value.as_str().len() + attribute.comment.len()) as u64
}
