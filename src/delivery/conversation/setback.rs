//! What a refusal, or no usable answer at all, means for the event it is about.

use std::collections::BTreeSet;

use crate::{
    delivery::{RefusedWhy, Trouble},
    model::{AttributeUuid, Timestamp},
    plan::{ChangeKind, DestinationRecord, Presence, Standing},
};

use super::{Asked, Conversation, Ground, Look, Verdict};

/// Most writes in a row that may come to nothing. From 1,000 attributes down to the one that is refused it
/// takes ten.
const SETBACKS_MAX: u32 = 24;
/// So often something may be busy with a body that is answered otherwise; after that the body is suspected.
const BUSY_MAX: u32 = 3;
/// Characters of a value that a message shows.
const SHOWN_MAX: usize = 80;

impl Conversation {
    pub(super) fn on_refused(
        &mut self,
        asked: Asked,
        why: RefusedWhy,
        words: Box<str>,
        book: &mut DestinationRecord,
    ) {
        match (asked, why) {
            (_, RefusedWhy::Key) => self.verdict = Some(Verdict::KeyRefused(words)),
            (Asked::Create, RefusedWhy::Blocklisted) => self.on_blocklisted(),
            // Not the tag is in the way: the event may be gone.
            (Asked::Tag, RefusedWhy::NoSuchEvent) if !self.seen => {
                self.look = Some(Look::Metadata);
            }
            (Asked::Tag, _) => self.on_tag_refused(&words, book),
            // A limit of the server, or a MISP that does not take such questions: a list tells all the same.
            (Asked::Changes(_) | Asked::Live(_), _) => self.look = Some(Look::Listing),
            (Asked::OwnColour, RefusedWhy::NoSuchEvent) => {
                self.without_colour.pop_front();
                self.seen = false;
                self.look = Some(Look::Listing);
            }
            (Asked::OwnColour, _) => self.on_own_colour_refused(&words, book),
            // Without the list each attempt tells.
            (Asked::Tags, _) => self.on_tags(&[], book),
            (Asked::Publish, _) => self.on_publish_refused(words),
            (Asked::Fields, RefusedWhy::NotNewer) => {
                self.event.head.timestamp = None;
                self.head_dirty = true;
                self.look = Some(Look::Metadata);
            }
            (Asked::Fields, RefusedWhy::Invalid) => {
                self.edit = None;
                self.notes.push(format!("event {}: fields refused: {words}", self.uuid()));
            }
            (Asked::Quiet, RefusedWhy::Invalid) => {
                self.loud.extend(self.flight.iter().copied());
                self.unsend();
            }
            (
                Asked::Quiet | Asked::Loud | Asked::Fields,
                RefusedWhy::NotPermitted | RefusedWhy::NoSuchEvent,
            ) => {
                self.unsend();
                self.checked_rights = why == RefusedWhy::NotPermitted;
                self.look = Some(Look::Metadata);
            }
            _ => {
                self.unsend();
                self.verdict = Some(Verdict::GaveUp(words));
            }
        }
    }

    fn on_blocklisted(&mut self) {
        self.shut(Presence::Declined);
        self.change(None, ChangeKind::Declined);
        self.unsend();
        // What left the dataset before MISP was known to have lost it will never be there again, either.
        let waiting = self.event.attributes.iter();
        let waiting = waiting.filter(|(_, known)| known.standing == Standing::Pending);
        let mut keys: BTreeSet<_> = waiting.map(|(key, _)| *key).collect();
        keys.extend(std::mem::take(&mut self.queue));
        for key in keys {
            self.stand(key, Standing::Declined);
        }
    }

    pub(super) fn on_trouble(&mut self, asked: Asked, trouble: &Trouble, now: Timestamp) {
        self.tries += 1;
        self.stands_back = true;
        if asked.writes() && !matches!(trouble, Trouble::NoEffect { .. }) {
            self.touched = true;
            self.event.head.published = None;
            self.head_dirty = true;
        }
        if asked.delivers() {
            self.suspect_body(asked, trouble);
        } else {
            self.look_after(asked);
        }
        self.unsend();
        if self.verdict.is_some() {
            return;
        }
        let backoff = self.manners.backoff;
        if self.tries > backoff.tries_max || self.setbacks > SETBACKS_MAX {
            self.verdict = Some(Verdict::GaveUp(trouble.why().into()));
            return;
        }
        // Where a smaller body may do, there is nothing to wait for.
        let pause = !matches!(trouble, Trouble::TooLarge { .. } | Trouble::NotMisp { .. });
        if pause || !asked.delivers() {
            let salt = self.uuid().uuid().as_u64_pair().0;
            self.not_before = Some(backoff.until(now, self.tries, salt, trouble.retry_after()));
        }
    }

    /// A body came to nothing: it is tried again, in pieces, or one attribute of it is put aside.
    fn suspect_body(&mut self, asked: Asked, trouble: &Trouble) {
        let passes = match trouble {
            Trouble::NoEffect { .. } => return,
            Trouble::Busy { .. } if self.setbacks <= BUSY_MAX => return self.look_after(asked),
            Trouble::TooLarge { .. } => {
                self.tries = 0;
                // The event may have been edited all the same, with an empty body.
                self.event.head.timestamp = None;
                self.head_dirty = true;
                false
            }
            Trouble::NotMisp { .. } => false,
            Trouble::Busy { .. } | Trouble::Unknown { .. } | Trouble::ServerError { .. } => true,
        };
        if !matches!(trouble, Trouble::TooLarge { .. }) {
            self.look_after(asked);
        }
        match self.flight.as_slice() {
            [_, _, ..] => {
                let by_size = !matches!(trouble, Trouble::NotMisp { .. });
                self.suspect.failed(&self.flight, by_size);
            }
            // The first body of an event may have none to begin with.
            [] if !self.bare && (passes || self.setbacks <= 1) => {}
            _ if passes && self.suspect.try_again() => {}
            [] => {
                self.suspect.found();
                let why = format!("it is refused even without attributes: {}", trouble.why());
                self.surrender = Some(why.into());
            }
            // The event itself may be what is refused.
            [_] if asked == Asked::Create => self.bare = true,
            [_] => self.put_aside(trouble.why()),
        }
    }

    /// After a write whose effect is unknown, looks before anything is sent again.
    fn look_after(&mut self, asked: Asked) {
        match asked {
            Asked::Create => self.look = Some(Look::Metadata),
            Asked::Quiet | Asked::Loud => self.look = Some(Look::Rows),
            Asked::Fields => {
                self.event.head.timestamp = None;
                self.head_dirty = true;
                self.look = Some(Look::Metadata);
            }
            Asked::Live(purpose) => {
                self.counting = Some(purpose);
                return;
            }
            _ => return,
        }
        self.ground = Ground::Remembered;
    }

    /// One attribute alone that is not let through, or that MISP fails on: it is put aside for this run, the
    /// rest goes on. Neither is a refusal with a reason: the next run tries again.
    fn put_aside(&mut self, why: &str) {
        (self.tries, self.setbacks) = (0, 0);
        self.suspect.found();
        for key in std::mem::take(&mut self.flight) {
            let note = self.refused_alone(key, why);
            self.notes.push(note);
        }
        if self.suspect.refuses_all() && !self.queue.is_empty() {
            let why = format!("one value after the other is refused, the last one: {why}");
            self.surrender = Some(why.into());
        }
    }

    /// Names a value with its event and where it comes from.
    fn refused_alone(&self, key: AttributeUuid, why: &str) -> String {
        let short = |text: &str| text.chars().take(SHOWN_MAX).collect::<String>();
        let known = &self.event.attributes[&key];
        let (kind, value) = (known.attribute.kind, short(known.attribute.value.as_str()));
        let (event, title) = (self.uuid(), short(&self.event.head.fields.info));
        let from = known.sources.first().map(|source| format!(" of {}", source.entity));
        let from = from.unwrap_or_default();
        format!("event {event} {title:?}: {kind} {value:?}{from} is refused even alone: {why}")
    }
}
