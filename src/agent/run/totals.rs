//! What a run counts and says: its record, its notes, how far it is.

use crate::{
    history::RunRecord,
    model::{limits::NOTES_KEPT_MAX, shortened},
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
            keep(&mut totals.record.notes, &mut totals.more_notes, note);
        }
        totals.record.notes.iter().for_each(|note| observer.note(note));
        totals
    }

    pub(super) fn note(&mut self, note: &str) {
        self.observer.note(note);
        keep(&mut self.record.notes, &mut self.more_notes, note);
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

/// Keeps a note within limits: whatever a source or MISP makes of them, the record can be written. The last one
/// counts those that are not there.
fn keep(notes: &mut Vec<String>, more: &mut usize, note: &str) {
    if notes.len() < NOTES_KEPT_MAX {
        notes.push(shortened(note).into_owned());
        return;
    }
    *more += 1;
    notes.truncate(NOTES_KEPT_MAX);
    notes.push(format!("{more} more notes are not kept"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_kept_within_limits_and_the_rest_is_counted() {
        let (mut notes, mut more) = (Vec::new(), 0);
        for _ in 0..NOTES_KEPT_MAX + 7 {
            keep(&mut notes, &mut more, &"x".repeat(1 << 16));
        }
        assert_eq!(notes.len(), NOTES_KEPT_MAX + 1);
        assert_eq!(notes.last().unwrap(), "7 more notes are not kept");
        assert!(notes.iter().map(String::len).sum::<usize>() < 4 << 20);
    }
}
