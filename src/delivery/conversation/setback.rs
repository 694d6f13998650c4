//! What a refusal, or no usable answer at all, means for the event it is about.

use std::collections::BTreeSet;

use crate::{
    delivery::{RefusedWhy, Trouble},
    model::{Timestamp, Tlp},
    plan::{ChangeKind, Presence, Standing, WithheldReason},
};

use super::{Asked, Conversation, Fatality, Ground, Look, Verdict};

/// Most writes in a row that may come to nothing. Halving a chunk of 1,000 down to the one attribute that
/// MISP cannot digest takes eleven.
const SETBACKS_MAX: u32 = 24;
/// So few attributes are not what makes MISP slow.
const SLOW_CHUNK: usize = 50;

impl Conversation {
    pub(super) fn on_refused(&mut self, asked: Asked, why: RefusedWhy, words: Box<str>) {
        match (asked, why) {
            (_, RefusedWhy::Key) => self.verdict = Some(Verdict::Fatal(words, Fatality::Key)),
            (Asked::Create, RefusedWhy::Blocklisted) => self.on_blocklisted(),
            // Not the tag is in the way: the event may be gone.
            (Asked::Tag, RefusedWhy::NoSuchEvent) if !self.seen => {
                self.look = Some(Look::Metadata);
            }
            (Asked::Tag, _) => self.on_tag_refused(&words),
            (Asked::Publish, _) => {
                self.published = true;
                self.notes.push(format!("event {} stays unpublished: {words}", self.uuid()));
                self.change(None, ChangeKind::PublishRefused(words));
            }
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

    /// A tag that cannot be attached is not tried again. Without its TLP tag nothing more is sent.
    pub(super) fn on_tag_refused(&mut self, words: &str) {
        let Some(tag) = self.tags.pop_front() else { return };
        self.notes.push(format!("event {}: tag {tag:?} refused: {words}", self.uuid()));
        if Tlp::of_tag(&tag).is_some() {
            for key in std::mem::take(&mut self.queue) {
                let reason = WithheldReason::MarkingCannotBeCarried;
                self.stand(key, Standing::Withheld(reason));
            }
        } else {
            self.event.head.tags_sent.insert(tag);
            self.head_dirty = true;
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
        let few = self.flight.len() <= 1;
        let alone = self.flight.len() == 1 && self.setbacks <= SETBACKS_MAX;
        let mut retry_after = None;
        match trouble {
            Trouble::NotMisp { why } => {
                self.unsend();
                self.verdict = Some(Verdict::Fatal(why.clone(), Fatality::Network));
                return;
            }
            Trouble::NoEffect { retry_after: after, .. } => retry_after = *after,
            // As long as there is something to halve it is no failure, only the search for what fits.
            Trouble::TooLarge { .. } if !few => {
                self.unsend();
                self.tries = 0;
                return;
            }
            Trouble::TooLarge { why } => {
                if alone {
                    self.put_aside(asked, why);
                    return;
                }
            }
            Trouble::ServerError { why } => {
                let names_it = matches!(asked, Asked::Create | Asked::Loud);
                if alone && names_it && self.setbacks > 1 {
                    self.put_aside(asked, why);
                    return;
                }
                if !few {
                    self.chunk_max = (self.flight.len() / 2).max(1);
                }
                self.look_after(asked);
            }
            Trouble::Unknown { retry_after: after, .. } => {
                retry_after = *after;
                // What is too slow for the way there gets smaller, too.
                if self.flight.len() > SLOW_CHUNK {
                    self.chunk_max = (self.flight.len() / 2).max(SLOW_CHUNK);
                }
                self.look_after(asked);
            }
        }
        self.unsend();
        let backoff = self.manners.backoff;
        if self.tries > backoff.tries_max || self.setbacks > SETBACKS_MAX {
            let unreachable = matches!(trouble, Trouble::NoEffect { .. });
            let why: Box<str> = trouble.why().into();
            self.verdict = Some(if unreachable {
                Verdict::Fatal(why, Fatality::Network)
            } else {
                Verdict::GaveUp(why)
            });
            return;
        }
        let salt = self.uuid().uuid().as_u64_pair().0;
        self.not_before = Some(backoff.until(now, self.tries, salt, retry_after));
    }

    /// After a write whose effect is unknown, looks before anything is sent again.
    fn look_after(&mut self, asked: Asked) {
        self.ground = Ground::Remembered;
        match asked {
            Asked::Create => self.look = Some(Look::Metadata),
            Asked::Quiet | Asked::Loud => {
                self.look = Some(Look::Listing);
                // MISP may answer 500 for one attribute of many: the way that names it is the slow one.
                self.loud.extend(self.flight.iter().copied());
            }
            Asked::Fields => {
                self.event.head.timestamp = None;
                self.head_dirty = true;
                self.look = Some(Look::Metadata);
            }
            _ => {}
        }
    }

    /// One attribute alone that MISP cannot digest, or that is too large for the way there: it is put aside
    /// for this run, the rest goes on. Neither is a refusal with a reason: the next run tries again.
    fn put_aside(&mut self, asked: Asked, why: &str) {
        self.tries = 0;
        for key in std::mem::take(&mut self.flight) {
            let attribute = &self.event.attributes[&key].attribute;
            let (kind, value) = (attribute.kind, attribute.value.as_str());
            let value: String = value.chars().take(80).collect();
            let event = self.uuid();
            self.notes.push(format!("event {event}: MISP chokes on {kind} {value:?} alone: {why}"));
        }
        self.look = Some(if asked == Asked::Create { Look::Metadata } else { Look::Listing });
    }
}
