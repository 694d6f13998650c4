//! Which feed has which place at a destination whose record was lost, as its events tell it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::FeedName,
    plan::{FeedSet, KnownEvent, NOBODY},
};

/// What the events of one destination tell.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The feeds that say that they have a place.
    known: BTreeMap<u8, BTreeSet<FeedName>>,
    /// Places of somebody who wants something.
    used: FeedSet,
}

impl Places {
    pub(super) fn see(&mut self, event: &KnownEvent) {
        let feeds = event.head.feeds.iter();
        for (place, feed) in feeds.filter_map(|(feed, it)| Some((it.place?, feed))) {
            self.known.entry(place).or_default().insert(feed.clone());
        }
        let wanted = event.attributes.values().map(|known| known.wanted);
        self.used = wanted.fold(self.used, |all, wanted| FeedSet(all.0 | wanted.0));
        if event.head.owner != NOBODY {
            self.used = self.used.with(event.head.owner);
        }
    }

    /// The feeds by their places. Where it is not known whose a place is, nobody gets it: who did would take back with its own
    /// words what another said of a marking. It goes by a name that no configuration has, until somebody has it forgotten.
    pub(super) fn feeds(&self) -> Vec<FeedName> {
        let last = self.used.iter().last().max(self.known.keys().next_back().copied());
        let places = last.map_or(0, |last| last + 1);
        (0..places).map(|place| self.feed_at(place)).collect()
    }

    fn feed_at(&self, place: u8) -> FeedName {
        let names = self.known.get(&place);
        let is_once =
            |name: &&FeedName| self.known.values().filter(|it| it.contains(*name)).count() == 1;
        match names.filter(|names| names.len() == 1).and_then(BTreeSet::first).filter(is_once) {
            Some(name) => name.clone(),
            None if names.is_some() || self.used.has(place) => {
                FeedName::new(&format!("(place {place})"))
            }
            None => FeedName::new(""),
        }
    }
}
