//! What a refusal, or no usable answer at all, means for the event it is about.

use std::collections::BTreeSet;

use crate::{
    delivery::{RefusedWhy, Trouble},
    model::{AttributeUuid, Timestamp},
    plan::{ChangeKind, DestinationRecord, Presence, Standing},
};

use super::{Body, Conversation, Look, Making, Phase, Request, Retry, Verdict, Why};

/// Most writes in a row that may come to nothing. From 1,000 attributes down to the one that is refused it
/// takes ten.
const SETBACKS_MAX: u32 = 24;
/// So often something may be busy with a body that is answered otherwise; after that the body is suspected.
const BUSY_MAX: u32 = 3;
/// So often an edit goes anew, by the time that MISP shows then: somebody may edit the event at the same moment.
const NOT_NEWER_MAX: u32 = 8;
/// Characters of a value that a message shows.
const SHOWN_MAX: usize = 80;

impl Conversation {
    pub(super) fn on_refused(
        &mut self,
        request: Request,
        why: RefusedWhy,
        words: Box<str>,
        book: &mut DestinationRecord,
    ) -> Phase {
        match (request, why) {
            (_, RefusedWhy::Key) => Phase::Over(Verdict::KeyRefused(words)),
            (Request::Create(body), RefusedWhy::Blocklisted) => self.on_blocklisted(body),
            // Not the tag is in the way: the event may be gone.
            (Request::Tag, RefusedWhy::NoSuchEvent) if !self.misp.seen => {
                Phase::Look(Look::Metadata(Why::Unknown))
            }
            (Request::Tag, _) => self.on_tag_refused(&words, book),
            // A limit of the server, or a MISP that does not take such questions: a list tells all the same.
            (Request::Changes(_) | Request::Look(Look::Count), _) => Phase::Look(Look::Listing),
            (Request::OwnColour, RefusedWhy::NoSuchEvent) => {
                self.outbox.without_colour.pop_front();
                self.misp.seen = false;
                Phase::Look(Look::Listing)
            }
            (Request::OwnColour, _) => self.on_own_colour_refused(&words, book),
            // Without the list each attempt tells.
            (Request::Tags, _) => self.on_tags(&[], book),
            (Request::Publish, _) => self.on_publish_refused(words),
            (Request::Fields, RefusedWhy::NotNewer) if self.retry.not_newer >= NOT_NEWER_MAX => {
                let why = format!("MISP refuses each edit of its fields: {words}");
                Phase::Over(Verdict::GaveUp(why.into()))
            }
            (Request::Fields, RefusedWhy::NotNewer) => {
                self.retry.not_newer += 1;
                self.event.head_mut().timestamp = None;
                Phase::Look(Look::Metadata(Why::Unknown))
            }
            (Request::Fields, RefusedWhy::Invalid) => {
                self.outbox.edit = None;
                self.event.note(&format!(": fields refused: {words}"));
                Phase::Open
            }
            (Request::Quiet(body), RefusedWhy::Invalid) => {
                self.outbox.loud.extend(&body);
                self.outbox.put_back(&body);
                Phase::Open
            }
            (
                request @ (Request::Quiet(_) | Request::Loud(_) | Request::Fields),
                RefusedWhy::NotPermitted | RefusedWhy::NoSuchEvent,
            ) => {
                self.unsend(&request);
                let is_denied = why == RefusedWhy::NotPermitted;
                let why = if is_denied { Why::NotPermitted } else { Why::Unknown };
                Phase::Look(Look::Metadata(why))
            }
            (request, _) => {
                self.unsend(&request);
                Phase::Over(Verdict::GaveUp(words))
            }
        }
    }

    fn unsend(&mut self, request: &Request) {
        if let Some(body) = request.body() {
            self.outbox.put_back(body);
        }
    }

    fn on_blocklisted(&mut self, body: Body) -> Phase {
        self.shut(Presence::Declined);
        self.event.change(None, ChangeKind::Declined);
        // What left the dataset before MISP was known to have lost it will never be there again, either.
        let waiting = self.event.attributes().iter();
        let waiting = waiting.filter(|(_, known)| known.standing == Standing::Pending);
        let mut keys: BTreeSet<_> = waiting.map(|(key, _)| *key).collect();
        keys.extend(body.into_iter().chain(std::mem::take(&mut self.outbox.queue)));
        for key in keys {
            self.event.set_standing(key, Standing::Declined);
        }
        Phase::Open
    }

    pub(super) fn on_trouble(
        &mut self,
        request: Request,
        trouble: &Trouble,
        now: Timestamp,
    ) -> Phase {
        self.retry.tries += 1;
        self.retry.stands_back = true;
        if request.writes() && !matches!(trouble, Trouble::NoEffect { .. }) {
            self.event.moved_perhaps();
        }
        // Where a smaller body may do, there is nothing to wait for.
        let may_shrink = matches!(trouble, Trouble::TooLarge { .. } | Trouble::NotMisp { .. });
        let waits = !may_shrink || request.body().is_none();
        let phase = match request {
            Request::Create(body) => self.after_body(body, true, trouble),
            Request::Quiet(body) | Request::Loud(body) => self.after_body(body, false, trouble),
            Request::Fields => {
                self.event.head_mut().timestamp = None;
                self.look_after(Look::Metadata(Why::Unknown))
            }
            Request::Look(look) => Phase::Look(look),
            Request::Tags
            | Request::Tag
            | Request::OwnColour
            | Request::Publish
            | Request::Rows(_)
            | Request::Changes(_)
            | Request::Listing => Phase::Open,
        };
        let backoff = self.manners.backoff;
        let Retry { tries, setbacks, .. } = self.retry;
        if tries > backoff.tries_max || setbacks > SETBACKS_MAX {
            return Phase::Over(Verdict::GaveUp(trouble.why().into()));
        }
        if waits {
            let salt = self.uuid().uuid().as_u64_pair().0;
            self.retry.not_before = Some(backoff.until(now, tries, salt, trouble.retry_after()));
        }
        phase
    }

    /// After a write whose effect is unknown, looks before anything is sent again.
    const fn look_after(&mut self, look: Look) -> Phase {
        self.misp.is_proven = false;
        Phase::Look(look)
    }

    /// A body came to nothing: it goes back, or what of it is not refused. Where it may have had an effect, MISP is
    /// looked at first.
    fn after_body(&mut self, body: Body, makes_event: bool, trouble: &Trouble) -> Phase {
        let phase = match trouble {
            Trouble::NoEffect { .. } => Phase::Open,
            Trouble::TooLarge { .. } => {
                self.retry.tries = 0;
                // The event may have been edited all the same, with an empty body.
                self.event.head_mut().timestamp = None;
                Phase::Open
            }
            _ if makes_event => self.look_after(Look::Metadata(Why::Unknown)),
            _ => self.look_after(Look::Rows),
        };
        let body = match trouble {
            Trouble::NoEffect { .. } => body,
            Trouble::Busy { .. } if self.retry.setbacks <= BUSY_MAX => body,
            _ => self.suspect_body(body, makes_event, trouble),
        };
        self.outbox.put_back(&body);
        phase
    }

    /// Something of a body may be refused: it is tried again, in pieces, or one attribute of it is put aside. Gives what
    /// is to be sent again.
    fn suspect_body(&mut self, body: Body, makes_event: bool, trouble: &Trouble) -> Body {
        let passes = !matches!(trouble, Trouble::TooLarge { .. } | Trouble::NotMisp { .. });
        let Retry { suspect, setbacks, surrender, .. } = &mut self.retry;
        match body.as_slice() {
            [_, _, ..] => {
                let by_size = !matches!(trouble, Trouble::NotMisp { .. });
                suspect.failed(&body, by_size);
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
            [_] if makes_event => self.outbox.making = Making::Bare,
            [key] => {
                self.put_aside(*key, trouble.why());
                return Body::new();
            }
        }
        body
    }

    /// One attribute alone that is not let through, or that MISP fails on: it is put aside for this run, the
    /// rest goes on. Neither is a refusal with a reason: the next run tries again.
    fn put_aside(&mut self, key: AttributeUuid, why: &str) {
        (self.retry.tries, self.retry.setbacks) = (0, 0);
        self.retry.suspect.found();
        self.note_refused_alone(key, why);
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
