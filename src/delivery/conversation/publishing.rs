//! Publishing: whether an event is to be published when its turn comes, and what becomes of it.

use crate::{
    delivery::{Call, EventAnswer},
    plan::{ChangeKind, DestinationRecord, NO_RIGHT, Publish, Publishing},
};

use super::{
    Conversation, Impact, Look, Making, Phase, Request, Want, Why, knowledge::WasPublished,
};

/// Why an event is not published any more that nobody but an analyst publishes.
const UNPUBLISHED_BY_US: &str =
    "MISP unpublishes an event at any change, and `publish` is \"never\"";

impl Conversation {
    /// Notes, before a change is sent, that the event is to be published once it is done: MISP unpublishes at any change.
    pub(super) fn owe_publishing(&mut self) {
        let publishing = &self.event.head().publishing;
        let is_open = *publishing != Publishing::Settled;
        let is_meant = match self.manners.settings.publish {
            Publish::Never => false,
            // What is open from before is what was published then.
            Publish::Keep => is_open || self.misp.was_published == WasPublished::Shown(true),
            Publish::Always => true,
        };
        if is_meant && *publishing != Publishing::Owed {
            let head = self.event.head_mut();
            let publishing = std::mem::replace(&mut head.publishing, Publishing::Owed);
            self.outbox.before_owed = Some((publishing, head.published.take()));
        }
    }

    /// The last thing to do about an event: to have it published, if it is to be.
    pub(super) fn ask_to_publish(&mut self, book: &DestinationRecord) -> Option<Want> {
        if self.manners.settings.publish == Publish::Never {
            self.tell_of_unpublishing();
            return None;
        }
        if self.outbox.is_published {
            return None;
        }
        if self.event.head().publishing == Publishing::Owed
            && self.event.impact != Impact::Certain
            && let Some(want) = self.look_at_what_is_owed(book)
        {
            return Some(want);
        }
        if !self.is_to_be_published(book) {
            return None;
        }
        // What the role says beforehand need not be asked for. A role that is not known yet may have the right.
        if book.asked.is_some() && !book.may("perm_publish") {
            let change = ChangeKind::Unpublished(NO_RIGHT.into());
            self.stay_unpublished(Publishing::WaitsForRight, change);
            return None;
        }
        self.set_publishing(Publishing::Owed);
        Some(self.ask(Request::Publish, Call::Publish(self.uuid())))
    }

    /// Nothing that was answered changed the event: it may be as it was. A proxy that refuses a body may let MISP run
    /// without it, an answer that got lost says nothing, and an earlier run may have had it published before it died.
    fn look_at_what_is_owed(&mut self, book: &DestinationRecord) -> Option<Want> {
        if self.take_back_what_is_owed() {
            return None;
        }
        let from_earlier = self.outbox.before_owed.is_none();
        let is_unseen = matches!(self.misp.was_published, WasPublished::Believed(_));
        let published = self.event.head().published;
        if published.is_none() || (from_earlier && is_unseen) {
            return Some(self.look(Look::Metadata(Why::Unknown), book));
        }
        if published == Some(true) {
            self.set_publishing(Publishing::Settled);
            if from_earlier {
                self.event.change(None, ChangeKind::Published);
            }
        }
        None
    }

    /// Where nothing was changed after all, nothing is owed.
    pub(super) fn take_back_what_is_owed(&mut self) -> bool {
        if self.event.impact != Impact::None {
            return false;
        }
        let Some((publishing, published)) = self.outbox.before_owed.take() else { return false };
        let head = self.event.head_mut();
        head.published = head.published.or(published);
        head.publishing = publishing;
        true
    }

    fn is_to_be_published(&self, book: &DestinationRecord) -> bool {
        let head = self.event.head();
        match head.publishing {
            Publishing::Owed => true,
            Publishing::WaitsForRight => head.publishing.may_go_on(book),
            // Somebody wants it published by now.
            Publishing::Settled => {
                let always = self.manners.settings.publish == Publish::Always;
                always && head.published == Some(false)
            }
            // What was asked for in vain is asked for again with the next change, not in every run.
            Publishing::Asked | Publishing::Failed(_) => false,
        }
    }

    /// MISP took the request. Whether the event is published, MISP shows later: background workers do it.
    pub(super) fn on_publish_taken(&mut self) -> Phase {
        self.outbox.is_published = true;
        self.event.head_mut().publishing = Publishing::Asked;
        self.event.change(None, ChangeKind::Publishing);
        Phase::Open
    }

    /// MISP does not publish it.
    pub(super) fn on_publish_refused(&mut self, words: Box<str>) -> Phase {
        self.event.note(&format!(" stays unpublished: {words}"));
        let publishing = Publishing::Failed(words.clone());
        self.stay_unpublished(publishing, ChangeKind::PublishRefused(words));
        Phase::Open
    }

    fn stay_unpublished(&mut self, publishing: Publishing, change: ChangeKind) {
        self.outbox.is_published = true;
        self.set_publishing(publishing);
        self.event.change(None, change);
    }

    fn set_publishing(&mut self, publishing: Publishing) {
        if self.event.head().publishing != publishing {
            self.event.head_mut().publishing = publishing;
        }
    }

    /// An answer to a change shows when the event was published last: since our last change, somebody else did it.
    pub(super) fn see_publishing(&mut self, answer: &EventAnswer) {
        // The newest row is looked for only where there is something to compare with it.
        let Some(shown) = answer.publish_timestamp.filter(|at| self.can_be(*at)) else { return };
        let WasPublished::Believed(was_shown) = &mut self.misp.was_published else { return };
        if self.event.impact == Impact::Certain || self.outbox.making == Making::Done {
            return;
        }
        let newest = || {
            let rows = self.event.attributes().values().filter(|known| known.order.is_some());
            rows.filter_map(|known| known.timestamp).max()
        };
        let last_change = self.event.head().timestamp.or_else(newest).unwrap_or(i64::MAX);
        *was_shown |= shown >= last_change;
    }

    /// Says that our change left an event unpublished that somebody had published.
    fn tell_of_unpublishing(&mut self) {
        let (WasPublished::Believed(was) | WasPublished::Shown(was)) = self.misp.was_published;
        let is_ours = self.outbox.making == Making::Done;
        if self.event.impact != Impact::Certain || is_ours || self.outbox.is_published || !was {
            return;
        }
        self.outbox.is_published = true;
        let title = &self.event.head().fields.info;
        self.event.note(&format!(" {title:?} was published; {UNPUBLISHED_BY_US}"));
        self.event.change(None, ChangeKind::Unpublished(UNPUBLISHED_BY_US.into()));
    }
}
