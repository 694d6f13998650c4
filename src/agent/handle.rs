//! One ledger for several runs at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    history::{
        Change, ChangePlace, Commit, Cursor, Found, Ledger, LedgerError, LossPlace, PlaceLosses,
        RunRecord,
    },
    model::{DestinationName, Digest, EntityKey, EventUuid, FeedName, RunNumber},
    plan::{DestinationRecord, EventHead, KnownEvent},
};

/// A ledger that several runs, and those who ask questions beside them, use at once. Each question and each commit
/// has the ledger for itself, and none of them holds it across another: a question that is made of many waits at
/// most for the longest single one of another.
#[derive(Debug)]
pub struct LedgerHandle<L>(Arc<Mutex<L>>);

impl<L> Clone for LedgerHandle<L> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<L> LedgerHandle<L> {
    /// Puts a ledger behind a handle.
    pub fn new(ledger: L) -> Self {
        Self(Arc::new(Mutex::new(ledger)))
    }

    /// The ledger for one step that is no question of [`Ledger`]. Everybody else waits until it is dropped.
    pub fn lock(&self) -> MutexGuard<'_, L> {
        // A step that panicked left the ledger as its last commit did: it is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: Ledger> Ledger for LedgerHandle<L> {
    fn destination(
        &self,
        name: &DestinationName,
    ) -> Result<Option<DestinationRecord>, LedgerError> {
        self.lock().destination(name)
    }

    fn head(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<EventHead>, LedgerError> {
        self.lock().head(destination, event)
    }

    fn heads(&self, destination: &DestinationName) -> Result<Vec<EventHead>, LedgerError> {
        self.lock().heads(destination)
    }

    fn event(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<KnownEvent>, LedgerError> {
        self.lock().event(destination, event)
    }

    fn fingerprints(
        &self,
        destination: &DestinationName,
    ) -> Result<Vec<(EventUuid, Digest)>, LedgerError> {
        self.lock().fingerprints(destination)
    }

    fn aliases(&self) -> Result<BTreeMap<EntityKey, EntityKey>, LedgerError> {
        self.lock().aliases()
    }

    fn rules(&self, fingerprint: &Digest) -> Result<Option<String>, LedgerError> {
        self.lock().rules(fingerprint)
    }

    fn cursor(
        &self,
        feed: &FeedName,
        destination: &DestinationName,
    ) -> Result<Option<Cursor>, LedgerError> {
        self.lock().cursor(feed, destination)
    }

    fn run(&self, number: RunNumber) -> Result<Option<RunRecord>, LedgerError> {
        self.lock().run(number)
    }

    fn runs(&self) -> Result<Vec<RunRecord>, LedgerError> {
        self.lock().runs()
    }

    fn last_run(&self) -> Result<RunNumber, LedgerError> {
        self.lock().last_run()
    }

    fn begin_run(&mut self) -> Result<RunNumber, LedgerError> {
        self.lock().begin_run()
    }

    fn changes(&self, run: RunNumber) -> Result<Vec<Change>, LedgerError> {
        self.lock().changes(run)
    }

    fn changes_behind(
        &self,
        run: RunNumber,
        place: Option<ChangePlace>,
        least: usize,
    ) -> Result<(Vec<Change>, Option<ChangePlace>), LedgerError> {
        self.lock().changes_behind(run, place, least)
    }

    fn losses(
        &self,
        destination: &DestinationName,
        place: &LossPlace,
    ) -> Result<PlaceLosses, LedgerError> {
        self.lock().losses(destination, place)
    }

    fn loss_places(
        &self,
        destination: &DestinationName,
        feed: u8,
    ) -> Result<Vec<LossPlace>, LedgerError> {
        self.lock().loss_places(destination, feed)
    }

    fn find(
        &self,
        destination: &DestinationName,
        terms: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        self.lock().find(destination, terms)
    }

    fn find_words(
        &self,
        destination: &DestinationName,
        words: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        self.lock().find_words(destination, words)
    }

    fn aliases_of(
        &self,
        entity: &EntityKey,
    ) -> Result<BTreeMap<EntityKey, EntityKey>, LedgerError> {
        self.lock().aliases_of(entity)
    }

    fn has_losses(&self, destination: &DestinationName, feed: u8) -> Result<bool, LedgerError> {
        self.lock().has_losses(destination, feed)
    }

    fn changes_of(
        &self,
        destination: &DestinationName,
        events: &BTreeSet<EventUuid>,
    ) -> Result<Vec<(RunNumber, Change)>, LedgerError> {
        self.lock().changes_of(destination, events)
    }

    fn destinations(&self) -> Result<Vec<DestinationName>, LedgerError> {
        self.lock().destinations()
    }

    fn commit(
        &mut self,
        destination: &DestinationName,
        run: RunNumber,
        commit: Commit,
    ) -> Result<(), LedgerError> {
        self.lock().commit(destination, run, commit)
    }
}
