//! A ledger that dies: after so many commits each further one fails, applied or not. It remembers what it
//! acknowledged, so that others can see whether it was kept.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::collections::{BTreeMap, BTreeSet};

use misp_trickle::{
    history::{Change, Commit, Cursor, EventUpdate, Ledger, LedgerError, MemoryLedger, RunRecord},
    misp::attribute_uuid,
    model::{AttributeUuid, DestinationName, Digest, EntityKey, EventUuid, FeedName, RunNumber},
    plan::{DestinationRecord, EventHead, KnownEvent, Standing},
};

use crate::sabotage::{self, Sabotage};

/// When and how a ledger dies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crash {
    /// Commits that still succeed.
    pub(crate) after: u64,
    /// Whether the failing commit is kept all the same: the process died before it was told.
    pub(crate) kept: bool,
}

/// What was acknowledged to be in MISP, over all runs of one agent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims {
    pub(crate) standing: BTreeSet<(EventUuid, AttributeUuid)>,
    /// What was claimed, and then said to be neither there nor declined by an analyst.
    pub(crate) withdrawn: BTreeSet<(EventUuid, AttributeUuid)>,
}

impl Claims {
    pub(crate) fn note(&mut self, update: &EventUpdate) {
        let event = update.head.uuid;
        for known in &update.attributes {
            let key = attribute_uuid(event, known.attribute.kind, &known.attribute.value);
            if known.standing.is_in_misp() {
                self.standing.insert((event, key));
            } else if self.standing.remove(&(event, key)) && known.standing != Standing::Declined {
                self.withdrawn.insert((event, key));
            }
        }
    }
}

/// Commits between two real syncs of a ledger that skips them.
const SYNC_EVERY: u64 = 4;

pub(crate) struct CrashingLedger<'a> {
    inner: &'a mut MemoryLedger,
    claims: &'a mut Claims,
    crash: Option<Crash>,
    dead: bool,
    sabotage: Option<Sabotage>,
    /// What is on the disk, where that is less than what was acknowledged.
    synced: Option<MemoryLedger>,
    commits: u64,
}

impl<'a> CrashingLedger<'a> {
    pub(crate) fn new(
        inner: &'a mut MemoryLedger,
        claims: &'a mut Claims,
        crash: Option<Crash>,
        sabotage: Option<Sabotage>,
    ) -> Self {
        let synced = (sabotage == Some(Sabotage::SkipSync)).then(|| inner.clone());
        Self { inner, claims, crash, dead: false, sabotage, synced, commits: 0 }
    }

    fn apply(
        &mut self,
        destination: &DestinationName,
        run: RunNumber,
        commit: Commit,
    ) -> Result<(), LedgerError> {
        commit.events.iter().for_each(|update| self.claims.note(update));
        self.inner.commit(destination, run, commit)?;
        self.commits += 1;
        if let Some(synced) = &mut self.synced
            && self.commits.is_multiple_of(SYNC_EVERY)
        {
            synced.clone_from(self.inner);
        }
        Ok(())
    }

    fn die(&mut self) {
        self.dead = true;
        if let Some(synced) = self.synced.take() {
            *self.inner = synced;
        }
    }
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
        mut commit: Commit,
    ) -> Result<(), LedgerError> {
        assert!(!self.dead, "a dead ledger is written to");
        if self.sabotage == Some(Sabotage::ClaimBeforeProof) {
            sabotage::claim(&mut commit);
        }
        match &mut self.crash {
            Some(crash) if crash.after == 0 => {
                if crash.kept {
                    self.apply(destination, run, commit)?;
                }
                self.die();
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
                self.apply(destination, run, commit)
            }
        }
    }
}
