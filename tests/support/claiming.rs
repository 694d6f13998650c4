//! A ledger that may write down as sent what is only about to be sent.

use std::collections::BTreeMap;

use misp_trickle::{
    history::{Change, Commit, Cursor, Ledger, LedgerError, RunRecord},
    model::{DestinationName, Digest, EntityKey, EventUuid, FeedName, RunNumber},
    plan::{DestinationRecord, EventHead, KnownEvent},
};

use crate::sabotage;

pub(crate) struct Claiming<L> {
    pub(crate) inner: L,
    pub(crate) claims: bool,
}

impl<L: Ledger> Ledger for Claiming<L> {
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

    fn changes(&self, run: RunNumber) -> Result<Vec<Change>, LedgerError> {
        self.inner.changes(run)
    }

    fn destinations(&self) -> Result<Vec<DestinationName>, LedgerError> {
        self.inner.destinations()
    }

    fn commit(
        &mut self,
        destination: &DestinationName,
        run: RunNumber,
        mut commit: Commit,
    ) -> Result<(), LedgerError> {
        if self.claims {
            sabotage::claim(&mut commit);
        }
        self.inner.commit(destination, run, commit)
    }
}
