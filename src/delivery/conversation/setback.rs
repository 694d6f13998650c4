//! What a refusal, or no usable answer at all, means for the event it is about.

use std::collections::BTreeSet;

use crate::{
    delivery::{RefusedWhy, Trouble},
    model::{AttributeUuid, Timestamp},
    plan::{ChangeKind, DestinationRecord, Presence, Standing},
};

use super::{Asked, Conversation, Impact, Look, Making, Retry, Verdict, knowledge::Ground};

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
            (Asked::Tag, RefusedWhy::NoSuchEvent) if !self.misp.seen => {
                self.look = Some(Look::Metadata);
            }
            (Asked::Tag, _) => self.on_tag_refused(&words, book),
            // A limit of the server, or a MISP that does not take such questions: a list tells all the same.
            (Asked::Changes(_) | Asked::Live(_), _) => self.look = Some(Look::Listing),
            (Asked::OwnColour, RefusedWhy::NoSuchEvent) => {
                self.outbox.without_colour.pop_front();
                self.misp.seen = false;
                self.look = Some(Look::Listing);
            }
            (Asked::OwnColour, _) => self.on_own_colour_refused(&words, book),
            // Without the list each attempt tells.
            (Asked::Tags, _) => self.on_tags(&[], book),
            (Asked::Publish, _) => self.on_publish_refused(words),
            (Asked::Fields, RefusedWhy::NotNewer) => {
                self.event.head_mut().timestamp = None;
                self.look = Some(Look::Metadata);
            }
            (Asked::Fields, RefusedWhy::Invalid) => {
                self.outbox.edit = None;
                self.event.note(&format!(": fields refused: {words}"));
            }
            (Asked::Quiet, RefusedWhy::Invalid) => {
                self.outbox.loud.extend(self.flight.iter().copied());
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
        self.event.change(None, ChangeKind::Declined);
        self.unsend();
        // What left the dataset before MISP was known to have lost it will never be there again, either.
        let waiting = self.event.attributes().iter();
        let waiting = waiting.filter(|(_, known)| known.standing == Standing::Pending);
        let mut keys: BTreeSet<_> = waiting.map(|(key, _)| *key).collect();
        keys.extend(std::mem::take(&mut self.outbox.queue));
        for key in keys {
            self.event.set_standing(key, Standing::Declined);
        }
    }

    pub(super) fn on_trouble(&mut self, asked: Asked, trouble: &Trouble, now: Timestamp) {
        self.retry.tries += 1;
        self.retry.stands_back = true;
        if asked.writes() && !matches!(trouble, Trouble::NoEffect { .. }) {
            self.event.impact = self.event.impact.max(Impact::Perhaps);
            self.event.head_mut().published = None;
        }
        if asked.delivers() {
            self.suspect_body(asked, trouble);
        } else {
            self.look_after(asked);
        }
        self.unsend();
        let backoff = self.manners.backoff;
        if self.retry.is_exhausted(backoff) {
            self.verdict = Some(Verdict::GaveUp(trouble.why().into()));
            return;
        }
        // Where a smaller body may do, there is nothing to wait for.
        let pause = !matches!(trouble, Trouble::TooLarge { .. } | Trouble::NotMisp { .. });
        if pause || !asked.delivers() {
            let salt = self.uuid().uuid().as_u64_pair().0;
            self.retry.wait(now, backoff, salt, trouble.retry_after());
        }
    }

    /// A body came to nothing: it is tried again, in pieces, or one attribute of it is put aside.
    fn suspect_body(&mut self, asked: Asked, trouble: &Trouble) {
        let passes = match trouble {
            Trouble::NoEffect { .. } => return,
            Trouble::Busy { .. } if self.retry.setbacks <= BUSY_MAX => {
                return self.look_after(asked);
            }
            Trouble::TooLarge { .. } => {
                self.retry.tries = 0;
                // The event may have been edited all the same, with an empty body.
                self.event.head_mut().timestamp = None;
                false
            }
            Trouble::NotMisp { .. } => false,
            Trouble::Busy { .. } | Trouble::Unknown { .. } | Trouble::ServerError { .. } => true,
        };
        if !matches!(trouble, Trouble::TooLarge { .. }) {
            self.look_after(asked);
        }
        let Retry { suspect, setbacks, surrender, .. } = &mut self.retry;
        match self.flight.as_slice() {
            [_, _, ..] => {
                let by_size = !matches!(trouble, Trouble::NotMisp { .. });
                suspect.failed(&self.flight, by_size);
            }
            // The first body of an event may have none to begin with.
            [] if self.outbox.making != Making::Bare && (passes || *setbacks <= 1) => {}
            _ if passes && suspect.try_again() => {}
            [] => {
                suspect.found();
                let why = format!("it is refused even without attributes: {}", trouble.why());
                *surrender = Some(why.into());
            }
            // The event itself may be what is refused.
            [_] if asked == Asked::Create => self.outbox.making = Making::Bare,
            [_] => self.put_aside(trouble.why()),
        }
    }

    /// After a write whose effect is unknown, looks before anything is sent again.
    fn look_after(&mut self, asked: Asked) {
        match asked {
            Asked::Create => self.look = Some(Look::Metadata),
            Asked::Quiet | Asked::Loud => self.look = Some(Look::Rows),
            Asked::Fields => {
                self.event.head_mut().timestamp = None;
                self.look = Some(Look::Metadata);
            }
            Asked::Live(purpose) => {
                self.counting = Some(purpose);
                return;
            }
            _ => return,
        }
        self.misp.ground = Ground::Remembered;
    }

    /// One attribute alone that is not let through, or that MISP fails on: it is put aside for this run, the
    /// rest goes on. Neither is a refusal with a reason: the next run tries again.
    fn put_aside(&mut self, why: &str) {
        (self.retry.tries, self.retry.setbacks) = (0, 0);
        self.retry.suspect.found();
        for key in std::mem::take(&mut self.flight) {
            self.note_refused_alone(key, why);
        }
        if self.retry.suspect.refuses_all() && !self.outbox.queue.is_empty() {
            let why = format!("one value after the other is refused, the last one: {why}");
            self.retry.surrender = Some(why.into());
        }
    }

    /// Names a value with its event and where it comes from.
    fn note_refused_alone(&mut self, key: AttributeUuid, why: &str) {
        let Some(known) = self.event.attribute(key) else { return };
        let short = |text: &str| text.chars().take(SHOWN_MAX).collect::<String>();
        let (kind, value) = (known.attribute.kind, short(known.attribute.value.as_str()));
        let title = short(&self.event.head().fields.info);
        let from = known.sources.first().map(|source| format!(" of {}", source.entity));
        let from = from.unwrap_or_default();
        let what = format!(" {title:?}: {kind} {value:?}{from} is refused even alone: {why}");
        self.event.note(&what);
    }
}
