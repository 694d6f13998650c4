//! A ledger that dies: after so many commits each further one fails, applied or not.

use std::collections::BTreeMap;

use misp_trickle::{
    history::{Change, Commit, Cursor, Ledger, LedgerError, MemoryLedger, RunRecord},
    model::{DestinationName, Digest, EntityKey, EventUuid, FeedName, RunNumber},
    plan::{DestinationRecord, EventHead, KnownEvent},
};

/// When and how a ledger dies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crash {
    /// Commits that still succeed.
    pub(crate) after: u64,
    /// Whether the failing commit is kept all the same: the process died before it was told.
    pub(crate) kept: bool,
}

pub(crate) struct CrashingLedger<'a> {
    pub(crate) inner: &'a mut MemoryLedger,
    pub(crate) crash: Option<Crash>,
    pub(crate) dead: bool,
}

impl Ledger for CrashingLedger<'_> {
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
        commit: Commit,
    ) -> Result<(), LedgerError> {
        assert!(!self.dead, "a dead ledger is written to");
        match &mut self.crash {
            Some(crash) if crash.after == 0 => {
                self.dead = true;
                if crash.kept {
                    self.inner.commit(destination, run, commit)?;
                }
                Err(LedgerError::Io {
                    path: "state".to_owned(),
                    doing: "written",
                    cause: "the power went".to_owned(),
                })
            }
            crash => {
                if let Some(crash) = crash {
                    crash.after -= 1;
                }
                self.inner.commit(destination, run, commit)
            }
        }
    }
}
