//! A ledger before another: everything that is asked goes through, what is written is somebody's to change.

use std::collections::{BTreeMap, BTreeSet};

use misp_trickle::{
    history::{
        Change, ChangePlace, Commit, Cursor, Found, Ledger, LedgerError, LossPlace, PlaceLosses,
        RunRecord,
    },
    model::{DestinationName, Digest, EntityKey, EventUuid, FeedName, RunNumber},
    plan::{DestinationRecord, EventHead, KnownEvent},
};

/// What becomes of a commit.
pub trait Commits<L> {
    fn commit(
        &mut self,
        inner: &mut L,
        destination: &DestinationName,
        run: RunNumber,
        commit: Commit,
    ) -> Result<(), LedgerError>;
}

pub struct Through<'a, L, C> {
    pub inner: &'a mut L,
    pub commits: C,
}

impl<L: Ledger, C: Commits<L>> Ledger for Through<'_, L, C> {
    fn destination(
        &self,
        name: &DestinationName,
    ) -> Result<Option<DestinationRecord>, LedgerError> {
        self.inner.destination(name)
    }

    fn head(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<EventHead>, LedgerError> {
        self.inner.head(destination, event)
    }

    fn heads(&self, destination: &DestinationName) -> Result<Vec<EventHead>, LedgerError> {
        self.inner.heads(destination)
    }

    fn event(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<KnownEvent>, LedgerError> {
        self.inner.event(destination, event)
    }

    fn fingerprints(
        &self,
        destination: &DestinationName,
    ) -> Result<Vec<(EventUuid, Digest)>, LedgerError> {
        self.inner.fingerprints(destination)
    }

    fn aliases(&self) -> Result<BTreeMap<EntityKey, EntityKey>, LedgerError> {
        self.inner.aliases()
    }

    fn rules(&self, fingerprint: &Digest) -> Result<Option<String>, LedgerError> {
        self.inner.rules(fingerprint)
    }

    fn cursor(
        &self,
        feed: &FeedName,
        destination: &DestinationName,
    ) -> Result<Option<Cursor>, LedgerError> {
        self.inner.cursor(feed, destination)
    }

    fn run(&self, number: RunNumber) -> Result<Option<RunRecord>, LedgerError> {
        self.inner.run(number)
    }

    fn runs(&self) -> Result<Vec<RunRecord>, LedgerError> {
        self.inner.runs()
    }

    fn last_run(&self) -> Result<RunNumber, LedgerError> {
        self.inner.last_run()
    }

    fn begin_run(&mut self) -> Result<RunNumber, LedgerError> {
        self.inner.begin_run()
    }

    fn changes(&self, run: RunNumber) -> Result<Vec<Change>, LedgerError> {
        self.inner.changes(run)
    }

    fn changes_behind(
        &self,
        run: RunNumber,
        place: Option<ChangePlace>,
        least: usize,
    ) -> Result<(Vec<Change>, Option<ChangePlace>), LedgerError> {
        self.inner.changes_behind(run, place, least)
    }

    fn losses(
        &self,
        destination: &DestinationName,
        place: &LossPlace,
    ) -> Result<PlaceLosses, LedgerError> {
        self.inner.losses(destination, place)
    }

    fn loss_places(
        &self,
        destination: &DestinationName,
        feed: u8,
    ) -> Result<Vec<LossPlace>, LedgerError> {
        self.inner.loss_places(destination, feed)
    }

    fn find(
        &self,
        destination: &DestinationName,
        terms: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        self.inner.find(destination, terms)
    }

    fn find_words(
        &self,
        destination: &DestinationName,
        words: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        self.inner.find_words(destination, words)
    }

    fn aliases_of(
        &self,
        entity: &EntityKey,
    ) -> Result<BTreeMap<EntityKey, EntityKey>, LedgerError> {
        self.inner.aliases_of(entity)
    }

    fn has_losses(&self, destination: &DestinationName, feed: u8) -> Result<bool, LedgerError> {
        self.inner.has_losses(destination, feed)
    }

    fn changes_of(
        &self,
        destination: &DestinationName,
        events: &BTreeSet<EventUuid>,
    ) -> Result<Vec<(RunNumber, Change)>, LedgerError> {
        self.inner.changes_of(destination, events)
    }

    fn destinations(&self) -> Result<Vec<DestinationName>, LedgerError> {
        self.inner.destinations()
    }

    fn commit(
        &mut self,
        destination: &DestinationName,
        run: RunNumber,
        commit: Commit,
    ) -> Result<(), LedgerError> {
        self.commits.commit(self.inner, destination, run, commit)
    }
}
