//! Publishing: whether an event is to be published when its turn comes, and what becomes of it.

use crate::{
    delivery::{Call, EventAnswer},
    plan::{ChangeKind, DestinationRecord, NO_RIGHT, Publish, Publishing},
};

use super::{Asked, Conversation, Want};

/// Why an event is not published any more that nobody but an analyst publishes.
const UNPUBLISHED_BY_US: &str =
    "MISP unpublishes an event at any change, and `publish` is \"never\"";

impl Conversation {
    /// Notes, before a change is sent, that the event is to be published once it is done: MISP unpublishes at any change.
    pub(super) fn owe_publishing(&mut self) {
        let (head, before) = (&mut self.event.head, self.was_published);
        let open = head.publishing != Publishing::Settled;
        let is_meant = match self.manners.settings.publish {
            Publish::Never => false,
            // What is open from before is what was published then.
            Publish::Keep => open || before == Some(true),
            Publish::Always => true,
        };
        if is_meant && head.publishing != Publishing::Owed {
            let publishing = std::mem::replace(&mut head.publishing, Publishing::Owed);
            self.before_owed = Some((publishing, head.published.take()));
            self.head_dirty = true;
        }
    }

    /// The last thing to do about an event: to have it published, if it is to be.
    pub(super) fn ask_to_publish(&mut self, book: &DestinationRecord) -> Option<Want> {
        if self.manners.settings.publish == Publish::Never {
            self.tell_of_unpublishing();
            return None;
        }
        if self.published {
            return None;
        }
        if self.event.head.publishing == Publishing::Owed
            && !self.wrote
            && let Some(want) = self.look_at_what_is_owed()
        {
            return Some(want);
        }
        if !self.is_to_be_published(book) {
            return None;
        }
        // What the role says beforehand need not be asked for. A role that is not known yet may have the right.
        if book.asked.is_some() && !book.may("perm_publish") {
            self.published = true;
            self.stay_unpublished(
                Publishing::WaitsForRight,
                ChangeKind::Unpublished(NO_RIGHT.into()),
            );
            return None;
        }
        if self.event.head.publishing != Publishing::Owed {
            self.event.head.publishing = Publishing::Owed;
            self.head_dirty = true;
        }
        Some(self.ask(Asked::Publish, Call::Publish(self.uuid())))
    }

    /// Nothing that was answered changed the event: it may be as it was. A proxy that refuses a body may let MISP run
    /// without it, an answer that got lost says nothing, and an earlier run may have had it published before it died.
    fn look_at_what_is_owed(&mut self) -> Option<Want> {
        if self.take_back_what_is_owed() {
            return None;
        }
        let from_earlier = self.before_owed.is_none();
        let head = &mut self.event.head;
        if head.published.is_none() || (from_earlier && self.was_published.is_none()) {
            return Some(self.ask_for_metadata());
        }
        if head.published == Some(true) {
            head.publishing = Publishing::Settled;
            self.head_dirty = true;
            if from_earlier {
                self.change(None, ChangeKind::Published);
            }
        }
        None
    }

    /// Where nothing was changed after all, nothing is owed.
    pub(super) fn take_back_what_is_owed(&mut self) -> bool {
        if self.wrote || self.touched {
            return false;
        }
        let Some((publishing, published)) = self.before_owed.take() else { return false };
        let head = &mut self.event.head;
        head.published = head.published.or(published);
        head.publishing = publishing;
        self.head_dirty = true;
        true
    }

    fn is_to_be_published(&self, book: &DestinationRecord) -> bool {
        let head = &self.event.head;
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
    pub(super) fn on_publish_taken(&mut self) {
        self.published = true;
        self.event.head.publishing = Publishing::Asked;
        self.head_dirty = true;
        self.change(None, ChangeKind::Publishing);
    }

    /// MISP does not publish it.
    pub(super) fn on_publish_refused(&mut self, words: Box<str>) {
        self.published = true;
        self.notes.push(format!("event {} stays unpublished: {words}", self.uuid()));
        let publishing = Publishing::Failed(words.clone());
        self.stay_unpublished(publishing, ChangeKind::PublishRefused(words));
    }

    fn stay_unpublished(&mut self, publishing: Publishing, change: ChangeKind) {
        if self.event.head.publishing != publishing {
            self.event.head.publishing = publishing;
            self.head_dirty = true;
        }
        self.change(None, change);
    }

    /// An answer to a change shows when the event was published last: since our last change, somebody else did it.
    pub(super) fn see_publishing(&mut self, answer: &EventAnswer) {
        let rows = self.event.attributes.values().filter(|known| known.order.is_some());
        let newest = rows.filter_map(|known| known.timestamp).max();
        let last_change = self.event.head.timestamp.or(newest).unwrap_or(i64::MAX);
        let shown = answer.publish_timestamp.is_some_and(|at| at > 0 && at >= last_change);
        self.was_shown |= shown && !self.wrote && !self.created;
    }

    /// Says that our change left an event unpublished that somebody had published.
    fn tell_of_unpublishing(&mut self) {
        let was = self.was_published.unwrap_or(self.was_shown);
        if !self.wrote || self.created || self.published || !was {
            return;
        }
        self.published = true;
        let (event, title) = (self.uuid(), &self.event.head.fields.info);
        self.notes.push(format!("event {event} {title:?} was published; {UNPUBLISHED_BY_US}"));
        self.change(None, ChangeKind::Unpublished(UNPUBLISHED_BY_US.into()));
    }
}
