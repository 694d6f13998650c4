//! By which readers a feed's dataset was read before.

use std::collections::BTreeSet;

use crate::{agent::Job, history::Cursor, model::Reader, plan::EventHead};

/// By which readers a feed's dataset was read before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::agent) struct Readers {
    /// That of the last run that went through all of it: what it did not find is new with a newer one. Ours, where no
    /// run was before.
    pub(in crate::agent) last: Reader,
    /// The older ones, whose datasets have to be made again to know what they found.
    pub(in crate::agent) older: BTreeSet<Reader>,
}

impl Readers {
    /// By what the ledger says of the feed. Of what left the dataset only until a run went through all of it with this
    /// program's reader.
    pub(in crate::agent) fn of(job: &Job, heads: &[EventHead], cursor: Option<&Cursor>) -> Self {
        let feeds = || heads.iter().filter_map(|head| head.feeds.get(&job.feed));
        // A release that did not write it down left it with the events. Where it left none, any reader may have been it.
        let newest = feeds().map(|feed| feed.reader).max();
        let last = match cursor {
            Some(cursor) => cursor.reader.or(newest).unwrap_or(Reader::FIRST),
            None => newest.unwrap_or(Reader::NOW),
        };
        let of_events = feeds().filter(|feed| last.is_older() || !feed.gone);
        let readers = of_events.map(|feed| feed.reader).chain([last]);
        Self { last, older: readers.filter(|reader| reader.is_older()).collect() }
    }
}
