//! Where is looked, and how much is read for it.

use std::collections::BTreeSet;

use crate::{
    history::{Found, LossPlace},
    model::{DestinationName, EventUuid},
    plan::DestinationRecord,
};

use super::{
    Answer, Asked, Depth, Finds, FoundBy, Ledger, LedgerError, attribute_answer, event_answer,
};

/// So many attributes and losses are read for an answer, where the index leads to more, and the event that is begun.
pub(super) const READ_MAX: usize = 5_000;
/// What it takes to look at an event at all, as attributes.
const EVENT_TAKES: usize = 50;
/// What it takes to look at the title of one.
const HEAD_TAKES: usize = 5;

/// A question at a destination, and what was found.
pub(super) struct Search<'a> {
    pub(super) ledger: &'a dyn Ledger,
    pub(super) destination: &'a DestinationName,
    pub(super) record: &'a DestinationRecord,
    pub(super) asked: Asked,
    pub(super) depth: Depth,
    /// What matches as a whole, and what in part.
    pub(super) finds: (Finds, Finds),
    /// Attributes and losses that may still be read.
    left: usize,
    /// Events that were left out for that.
    pub(super) unread: u64,
}

impl<'a> Search<'a> {
    pub(super) const fn new(
        ledger: &'a dyn Ledger,
        destination: &'a DestinationName,
        record: &'a DestinationRecord,
        asked: Asked,
        limit: usize,
    ) -> Self {
        let finds = (Finds::new(limit), Finds::new(limit));
        let (depth, left, unread) = (Depth::Whole, READ_MAX, 0);
        Self { ledger, destination, record, asked, depth, finds, left, unread }
    }

    /// Looks where the index leads to, for what matches as a whole and then for parts; everywhere where there is none.
    pub(super) fn go(&mut self, depth: Depth) -> Result<(), LedgerError> {
        let found = match depth {
            Depth::Letters => None,
            Depth::Whole | Depth::Words => {
                self.ledger.find(self.destination, &self.asked.terms())?
            }
        };
        let Some(found) = found else { return self.everything() };
        self.whole(found)?;
        if depth == Depth::Whole || !self.finds.0.is_nothing() {
            return Ok(());
        }
        self.depth = Depth::Words;
        let beginning: Vec<u32> = self.asked.beginning_of_uuid().into_iter().collect();
        for words in [beginning, self.asked.words_of_title()] {
            for event in self.led_to(&words)?.events {
                self.head(event)?;
            }
        }
        let mut found = Found::default();
        for words in self.asked.words_of_value() {
            let more = self.led_to(&words)?;
            found.events.extend(more.events);
            found.losses.extend(more.losses);
        }
        for event in &found.events {
            self.attributes(*event)?;
        }
        self.losses(&found)
    }

    fn everything(&mut self) -> Result<(), LedgerError> {
        (self.depth, self.left) = (Depth::Letters, usize::MAX);
        for head in self.ledger.heads(self.destination)? {
            self.head(head.uuid)?;
            self.attributes(head.uuid)?;
        }
        self.all_losses()
    }

    fn whole(&mut self, mut found: Found) -> Result<(), LedgerError> {
        found.events.extend(self.asked.event());
        for event in &found.events {
            self.head(*event)?;
            self.attributes(*event)?;
        }
        self.losses(&found)
    }

    fn led_to(&self, words: &[u32]) -> Result<Found, LedgerError> {
        if words.is_empty() {
            return Ok(Found::default());
        }
        Ok(self.ledger.find_words(self.destination, words)?.unwrap_or_default())
    }

    fn losses(&mut self, found: &Found) -> Result<(), LedgerError> {
        self.losses_of_events(&found.events)?;
        found.losses.iter().try_for_each(|place| self.losses_of(place))
    }

    /// Whether what takes so much may still be read.
    pub(super) const fn may_read(&mut self, takes: usize) -> bool {
        let may = self.left > 0;
        self.left = self.left.saturating_sub(takes);
        may
    }

    /// An event by what names it. One that is found and takes too long to tell is counted.
    fn head(&mut self, event: EventUuid) -> Result<(), LedgerError> {
        let Some(head) = self.ledger.head(self.destination, event)? else { return Ok(()) };
        let Some(found_by) = self.asked.in_head(&head, &self.record.url) else { return Ok(()) };
        if !self.accepts(found_by) {
            return Ok(());
        }
        let is_told = self.finds_of(found_by).has_room() && self.may_read(HEAD_TAKES);
        let event = match is_told {
            true => self.ledger.event(self.destination, event)?,
            false => None,
        };
        let finds = self.finds_of(found_by);
        match event {
            Some(event) => {
                finds.push(|| Answer::Event(Box::new(event_answer(found_by, &event))));
                self.left = self.left.saturating_sub(event.attributes.len());
            }
            None => finds.more += 1,
        }
        Ok(())
    }

    fn attributes(&mut self, event: EventUuid) -> Result<(), LedgerError> {
        if self.is_full() || !self.may_read(EVENT_TAKES) {
            self.unread += 1;
            return Ok(());
        }
        let Some(event) = self.ledger.event(self.destination, event)? else { return Ok(()) };
        self.left = self.left.saturating_sub(event.attributes.len());
        let (record, depth) = (self.record, self.depth);
        for known in event.attributes.values() {
            let found = self.asked.in_attribute(&event.head, known, depth);
            let Some(found_by) = found.filter(|it| self.accepts(*it)) else { continue };
            self.finds_of(found_by).push(|| {
                Answer::Attribute(Box::new(attribute_answer(found_by, &event, known, record)))
            });
        }
        Ok(())
    }

    /// Whether what further events have would be told no more. Only who reads everything gets it counted.
    const fn is_full(&self) -> bool {
        match self.depth {
            Depth::Whole => !self.finds.0.has_room(),
            Depth::Words => !self.finds.1.has_room(),
            Depth::Letters => false,
        }
    }

    /// What is found in part counts once nothing is found as a whole.
    pub(super) fn accepts(&self, found_by: FoundBy) -> bool {
        found_by.is_whole() || self.depth != Depth::Whole
    }

    pub(super) const fn finds_of(&mut self, found_by: FoundBy) -> &mut Finds {
        if found_by.is_whole() { &mut self.finds.0 } else { &mut self.finds.1 }
    }
}

impl Search<'_> {
    /// Looks among the losses of some events, in all feeds.
    fn losses_of_events(&mut self, events: &BTreeSet<EventUuid>) -> Result<(), LedgerError> {
        for (_, feed) in self.record.feed_bits() {
            for event in events {
                self.losses_of(&LossPlace { feed, of: crate::history::LossOf::Event(*event) })?;
            }
        }
        Ok(())
    }

    /// Looks among all losses.
    fn all_losses(&mut self) -> Result<(), LedgerError> {
        for (_, feed) in self.record.feed_bits() {
            for place in self.ledger.loss_places(self.destination, feed)? {
                self.losses_of(&place)?;
            }
        }
        Ok(())
    }
}
