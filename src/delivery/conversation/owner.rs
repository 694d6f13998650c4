//! Whose an event is. Its metadata says so; where they do not, MISP's index is asked, and where that does not
//! either, nothing is written to the event.

use crate::{
    delivery::{Call, EventAnswer, Indexed},
    model::OrgUuid,
    plan::{BlockedReason, DestinationRecord, OnForeign, Presence, why_not_of},
};

use super::{Asked, Conversation, Look, Want};

/// How far the question got whose the event is.
#[derive(Debug)]
pub(super) enum Owner {
    /// No answer left the owner out.
    Unasked,
    /// This one did.
    Wanted(Box<EventAnswer>),
    /// The index was asked, whatever it said.
    Asked,
}

impl Conversation {
    /// Asks for the metadata of the event, or for what they left out.
    pub(super) fn ask_for_metadata(&mut self) -> Want {
        let uuid = self.uuid();
        match self.owner {
            Owner::Wanted(_) => self.ask(Asked::Owner, Call::WhichEvents(vec![uuid])),
            Owner::Unasked | Owner::Asked => self.ask(Asked::Metadata, Call::Metadata(uuid)),
        }
    }

    pub(super) fn on_metadata(
        &mut self,
        answer: Option<Box<EventAnswer>>,
        book: &DestinationRecord,
    ) {
        match answer {
            Some(answer) if self.lacks_an_owner(&answer) => {
                self.owner = Owner::Wanted(answer);
                self.look = self.look.or(Some(Look::Metadata));
            }
            answer => self.on_looked(answer.as_deref(), book),
        }
    }

    /// MISP's index says whose the event is, or it does not.
    pub(super) fn on_owner(&mut self, found: &[Indexed], book: &DestinationRecord) {
        let Owner::Wanted(mut answer) = std::mem::replace(&mut self.owner, Owner::Asked) else {
            return;
        };
        let listed = found.iter().find(|it| it.event == answer.uuid);
        answer.orgc = listed.and_then(|it| it.orgc);
        self.on_looked(Some(&answer), book);
    }

    /// What was looked for is known.
    fn on_looked(&mut self, answer: Option<&EventAnswer>, book: &DestinationRecord) {
        let then_list = self.look == Some(Look::Existence);
        self.look = None;
        self.on_shown(answer, book);
        if then_list && answer.is_some() {
            self.look = Some(Look::Listing);
        }
    }

    /// Whether it has to be known whose the event is, and neither the answer nor an earlier one says so. What we
    /// delivered to is ours, unless events of others are appended to as well.
    fn lacks_an_owner(&self, answer: &EventAnswer) -> bool {
        let head = self.event.head();
        let matters = match head.presence {
            Presence::Absent => true,
            _ => head.seen.orgc.is_none() && self.manners.settings.on_foreign == OnForeign::Append,
        };
        let asked = matches!(self.owner, Owner::Asked);
        self.manners.org.is_some() && answer.orgc.is_none() && matters && !asked
    }

    /// Takes in whose the event is; gives the reason, if any, for which nothing is written to it.
    pub(super) fn learn_owner(
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
