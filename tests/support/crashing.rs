//! A ledger that dies: after so many commits each further one fails, applied or not. It remembers what it
//! acknowledged, so that others can see whether it was kept.

use std::collections::{BTreeMap, BTreeSet};

use misp_trickle::{
    history::{Commit, EventUpdate, Ledger, LedgerError, MemoryLedger},
    misp::attribute_uuid,
    model::{AttributeUuid, DestinationName, EntityKey, EventUuid, RunNumber},
    plan::Standing,
};

use crate::{
    sabotage::{self, Sabotage},
    through::{Commits, Through},
};

/// When and how a ledger dies.
#[derive(Debug, Clone, Copy)]
pub struct Crash {
    /// Commits that still succeed.
    pub after: u64,
    /// Whether the failing commit is kept all the same: the process died before it was told.
    pub kept: bool,
}

/// What was acknowledged to be in MISP, over all runs of one agent.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    pub standing: BTreeSet<(EventUuid, AttributeUuid)>,
    /// What was claimed, and then said to be neither there nor declined by an analyst.
    pub withdrawn: BTreeSet<(EventUuid, AttributeUuid)>,
}

impl Claims {
    pub fn note(&mut self, update: &EventUpdate) {
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

pub type CrashingLedger<'a> = Through<'a, MemoryLedger, Crashing<'a>>;

pub struct Crashing<'a> {
    claims: &'a mut Claims,
    crash: Option<Crash>,
    dead: bool,
    sabotage: Option<Sabotage>,
    /// What is on the disk, where that is less than what was acknowledged.
    synced: Option<MemoryLedger>,
    commits: u64,
    /// Names that are not kept yet, where they are kept too late.
    names: BTreeMap<EntityKey, EntityKey>,
}

impl<'a> Through<'a, MemoryLedger, Crashing<'a>> {
    pub fn new(
        inner: &'a mut MemoryLedger,
        claims: &'a mut Claims,
        crash: Option<Crash>,
        sabotage: Option<Sabotage>,
    ) -> Self {
        let synced = (sabotage == Some(Sabotage::SkipSync)).then(|| inner.clone());
        let commits = Crashing {
            claims,
            crash,
            dead: false,
            sabotage,
            synced,
            commits: 0,
            names: BTreeMap::new(),
        };
        Self { inner, commits }
    }
}

impl Crashing<'_> {
    fn apply(
        &mut self,
        inner: &mut MemoryLedger,
        destination: &DestinationName,
        run: RunNumber,
        commit: Commit,
    ) -> Result<(), LedgerError> {
        commit.events.iter().for_each(|update| self.claims.note(update));
        inner.commit(destination, run, commit)?;
        self.commits += 1;
        if let Some(synced) = &mut self.synced
            && self.commits.is_multiple_of(SYNC_EVERY)
        {
            synced.clone_from(inner);
        }
        Ok(())
    }

    fn die(&mut self, inner: &mut MemoryLedger) {
        self.dead = true;
        if let Some(synced) = self.synced.take() {
            *inner = synced;
        }
    }
}

impl Commits<MemoryLedger> for Crashing<'_> {
    fn commit(
        &mut self,
        inner: &mut MemoryLedger,
        destination: &DestinationName,
        run: RunNumber,
        mut commit: Commit,
    ) -> Result<(), LedgerError> {
        assert!(!self.dead, "a dead ledger is written to");
        if self.sabotage == Some(Sabotage::ClaimBeforeProof) {
            sabotage::claim(&mut commit);
        }
        if self.sabotage == Some(Sabotage::WeakestHeadDecides) {
            sabotage::weaken(&mut commit);
        }
        if self.sabotage == Some(Sabotage::AliasAfterIntent) {
            self.names.append(&mut commit.aliases);
            if commit.run.as_ref().is_some_and(|run| run.ended.is_some()) {
                commit.aliases = std::mem::take(&mut self.names);
            }
        }
        match &mut self.crash {
            Some(crash) if crash.after == 0 => {
                if crash.kept {
                    self.apply(inner, destination, run, commit)?;
                }
                self.die(inner);
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
                self.apply(inner, destination, run, commit)
            }
        }
    }
}
