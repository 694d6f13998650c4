//! What MISP shows of the event itself: whether it is there, and whose it is. Its metadata say so; where they do not say
//! whose, MISP's index is asked, and where that does not either, nothing is written to the event.

mod backup;
mod dating;

pub(super) use dating::is_time;

use crate::{
    delivery::{EventAnswer, Indexed},
    model::{OrgUuid, Tlp},
    plan::{
        BlockedReason, ChangeKind, DestinationRecord, EventTags, FieldEdit, OnForeign, Presence,
        Standing, TagStanding, why_not_of,
    },
};

use super::{
    Conversation, Look, Making, Phase, Verdict, Why, fields::fields_of, knowledge::WasPublished,
};

impl Conversation {
    pub(super) fn on_metadata(
        &mut self,
        answer: Option<Box<EventAnswer>>,
        why: Why,
        book: &DestinationRecord,
    ) -> Phase {
        match answer {
            Some(answer) if self.lacks_an_owner(&answer) => Phase::Look(Look::Owner(answer, why)),
            answer => self.on_shown(answer.as_deref(), why, book),
        }
    }

    /// MISP's index says whose the event is, or it does not.
    pub(super) fn on_owner(
        &mut self,
        mut answer: Box<EventAnswer>,
        why: Why,
        found: &[Indexed],
        book: &DestinationRecord,
    ) -> Phase {
        self.misp.asked_owner = true;
        let listed = found.iter().find(|it| it.event == answer.uuid);
        answer.orgc = listed.and_then(|it| it.orgc);
        self.on_shown(Some(&answer), why, book)
    }

    /// What MISP shows of the event, and of whoever owns it; `None` if it shows none.
    fn on_shown(
        &mut self,
        answer: Option<&EventAnswer>,
        why: Why,
        book: &DestinationRecord,
    ) -> Phase {
        let Some(answer) = answer else { return self.on_absent(why) };
        if let Some(reason) = self.learn_owner(answer.orgc, book) {
            return self.block(&reason);
        }
        if matches!(self.misp.was_published, WasPublished::Believed(_)) {
            self.misp.was_published = WasPublished::Shown(answer.published);
        }
        if self.is_older(answer) {
            self.suspect_a_backup();
        }
        let went_back = self.event.head().seen.went_back;
        match went_back {
            true => self.put_off(answer, self.shows_older_fields(answer)),
            false => {
                self.take_metadata(answer);
                self.doubt_time(answer);
            }
        }
        let phase = match (&self.event.head().presence, why) {
            (Presence::Absent, _) => {
                let phase = self.found(answer, why);
                if !went_back {
                    self.leave_overruled_fields(answer);
                }
                phase
            }
            (_, Why::NotPermitted) => {
                let why = "MISP refuses to let this key write to the event".into();
                Phase::Over(Verdict::GaveUp(why))
            }
            (_, why) => {
                if !went_back {
                    self.leave_overruled_fields(answer);
                }
                if went_back || why == Why::ListsLess {
                    Phase::Look(Look::Listing)
                } else {
                    Phase::Open
                }
            }
        };
        if self.misp.is_foreign {
            self.outbox.edit = None;
            self.outbox.wanted_tags.retain(|tag| Tlp::of_tag(tag).is_some());
        }
        if self.event.head().presence == Presence::Present && !went_back {
            self.see_tags(&answer.tags, book);
        }
        phase
    }

    /// Whether MISP shows the event as older than what it proved to hold.
    fn is_older(&self, answer: &EventAnswer) -> bool {
        let shown = Some(answer.timestamp).filter(|shown| is_time(*shown));
        let known = self.event().time().filter(|known| self.can_be(*known));
        known.zip(shown).is_some_and(|(known, shown)| shown < known)
    }

    /// An event that we took for absent is there: made by a lost request of ours, or by another agent.
    fn found(&mut self, answer: &EventAnswer, why: Why) -> Phase {
        // Where nothing was to be created, it was found by looking for it.
        let is_ours = self.outbox.making.is_open() && why != Why::IsThere;
        self.outbox.making = if is_ours { Making::Done } else { Making::No };
        // What is of a backup nobody decided about. Nor is a tag decided about that an event of ours never had.
        let is_decided = !self.shows_older_fields(answer);
        let was_known = self.event.head().seen.fields_at.is_some();
        let head = self.event.head_mut();
        head.presence = Presence::Present;
        let drift = FieldEdit::between(&head.fields, &fields_of(answer)).filter(|_| is_decided);
        if is_ours {
            head.tags = EventTags::default();
        } else if !was_known {
            // Whoever made the event decided about its tags. But nothing goes out under a freer colour than the
            // incident's.
            for tag in self.outbox.wanted_tags.iter().filter(|tag| Tlp::of_tag(tag).is_none()) {
                if head.tags.standing(tag).is_none() {
                    head.tags.set(tag, TagStanding::Removed);
                }
            }
        }
        self.event.change(None, if is_ours { ChangeKind::Sent } else { ChangeKind::Adopted });
        if let Some(drift) = drift {
            let what = format!("MISP holds {}", drift.describe());
            self.event.change(None, ChangeKind::Drifted(what.into()));
        }
        Phase::Look(Look::Listing)
    }

    fn on_absent(&mut self, why: Why) -> Phase {
        match (&self.event.head().presence, why) {
            (Presence::Absent, Why::IsThere) => self.block(&BlockedReason::EventHidden),
            (Presence::Absent, _) => {
                self.remark();
                self.retime();
                Phase::Open
            }
            (Presence::Present, _) => Phase::Over(Verdict::Gone),
            (Presence::Declined | Presence::Blocked(_), _) => Phase::Open,
        }
    }

    fn block(&mut self, why: &BlockedReason) -> Phase {
        // What was delivered before under another key stays delivered, and may go on with that one.
        let was_there = self.event.head().presence == Presence::Present;
        if was_there {
            self.outbox.tags.clear();
        } else {
            self.shut(Presence::Blocked(why.clone()));
        }
        self.event.note(&format!(": {why}"));
        self.event.change(None, ChangeKind::Blocked(why.clone()));
        for key in std::mem::take(&mut self.outbox.queue) {
            self.event.set_standing(key, Standing::Blocked(why.clone()));
        }
        if was_there { Phase::Over(Verdict::Finished) } else { Phase::Open }
    }

    /// Whether it has to be known whose the event is, and neither the answer nor an earlier one says so. What we
    /// delivered to is ours, unless events of others are appended to as well.
    fn lacks_an_owner(&self, answer: &EventAnswer) -> bool {
        let head = self.event.head();
        let matters = match head.presence {
            Presence::Absent => true,
            _ => head.seen.orgc.is_none() && self.manners.settings.on_foreign == OnForeign::Append,
        };
        self.manners.org.is_some() && answer.orgc.is_none() && matters && !self.misp.asked_owner
    }

    /// Takes in whose the event is; gives the reason, if any, for which nothing is written to it.
    fn learn_owner(
        &mut self,
        owner: Option<OrgUuid>,
        book: &DestinationRecord,
    ) -> Option<BlockedReason> {
        let us = self.manners.org?;
        let Some(owner) = owner else {
            let is_new = self.event.head().presence == Presence::Absent;
            return is_new.then(|| BlockedReason::OwnerUnknown(book.version.as_str().into()));
        };
        self.event.head_mut().seen.orgc = Some(owner);
        self.misp.is_foreign = owner != us;
        why_not_of(owner, &self.manners.settings, book).filter(|_| self.misp.is_foreign)
    }
}
