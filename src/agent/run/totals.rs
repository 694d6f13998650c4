//! What a run counts and says: its record, its notes, how far it is.

use crate::{
    history::RunRecord,
    model::{keep_note, limits::NOTES_KEPT_MAX},
    plan::FeedHead,
};

use super::super::{Observer, Phase, Progress, record::as_unchanged};

/// A run's record as it grows, and somebody who watches.
pub(super) struct Totals<'a> {
    pub(super) record: RunRecord,
    observer: &'a dyn Observer,
    /// Notes that the record does not keep.
    more_notes: usize,
    pub(super) events_done: u64,
    /// Incidents of the dataset.
    pub(super) events: u64,
}

impl<'a> Totals<'a> {
    /// Those of a run that begins with these notes.
    pub(super) fn begin(
        record: RunRecord,
        observer: &'a dyn Observer,
        notes: &[String],
        events: u64,
    ) -> Self {
        let mut totals = Self { record, observer, more_notes: 0, events_done: 0, events };
        for note in notes {
            totals.keep(note);
        }
        totals.record.notes.iter().for_each(|note| observer.note(note));
        totals
    }

    pub(super) fn note(&mut self, note: &str) {
        self.observer.note(note);
        self.keep(note);
    }

    fn keep(&mut self, note: &str) {
        keep_note(&mut self.record.notes, &mut self.more_notes, note, NOTES_KEPT_MAX);
    }

    pub(super) fn tell_progress(&self, phase: Phase) {
        let tally = &self.record.tally;
        self.observer.progress(Progress {
            phase,
            events_done: self.events_done,
            events: self.events,
            attributes_sent: tally.attributes.sent,
            bytes: tally.bytes_sent + tally.bytes_received,
        });
    }

    /// One more event that stands as the feed's head says.
    pub(super) fn pass(&mut self, feed: &FeedHead) {
        self.events_done += 1;
        self.record.tally.attributes += as_unchanged(&feed.attributes);
        self.record.dataset.mapping += &feed.mapping;
    }

    /// An event that was passed as unchanged is not: it comes out of the sums.
    pub(super) fn take_back(&mut self, feed: &FeedHead) {
        self.events_done -= 1;
        self.record.tally.events.unchanged -= 1;
        self.record.tally.attributes -= as_unchanged(&feed.attributes);
        self.record.dataset.mapping -= &feed.mapping;
    }
}
