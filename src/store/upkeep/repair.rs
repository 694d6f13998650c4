//! Repair: of a damaged store everything is kept that proves itself, and nothing is claimed beyond it.
//!
//! In this order, and no further than needed:
//! 1. What the engine only caches is removed: `snap.*`, then `conf`. If all else is whole, it is carried over into
//!    fresh files.
//! 2. If it opens, each record that proves itself is carried over into a fresh engine, with new counters. An
//!    event that lost attributes is marked as unproven: the next run lists it and adopts what MISP has.
//! 3. If it does not open, or nothing in it can be read, a new and empty store takes its place.
//!
//! Where records were lost or files were damaged, the damaged engine is kept beside the new one, as `engine.damaged-1` and so on.

use std::{path::Path, time::Duration};

use uuid::Uuid;

use crate::{
    history::LedgerError,
    store::{
        EventLoss, OpenError, Owner, Problem, Stats, Store, StoreId,
        engine::Effort,
        lifecycle::{
            acknowledged::Marked,
            copy::Copy,
            folder::{identity, is_store},
            found::Found,
            lock::Lock,
            opened::{Doubt, Opened, Said, open_engine},
            swap::{self, Aside, Fresh},
        },
        record::IdentityV1,
        upkeep::salvage::Salvage,
    },
};

/// Whether a repair changes the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairMode {
    /// It is tried on a copy, which is removed again.
    Trial,
    /// It is done.
    InPlace,
}

/// How a repair came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repaired {
    /// There was nothing to repair.
    Sound,
    /// Every record is whole, and the last commits may be missing.
    Older {
        /// Where the damaged engine is kept, in the store's folder, if any of its files was damaged.
        aside: Option<String>,
    },
    /// What proved itself was carried over.
    Salvaged {
        /// Where the damaged engine is kept, in the store's folder.
        aside: String,
    },
    /// Nothing could be read: there is a new and empty store.
    Replaced {
        /// Where the damaged engine is kept, in the store's folder.
        aside: String,
        /// Why nothing could be read.
        why: String,
    },
}

/// What a repair found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairReport {
    /// How it came out.
    pub repaired: Repaired,
    /// Records that were lost.
    pub lost: Vec<Problem>,
    /// Events of which part was lost.
    pub events: Vec<EventLoss>,
    /// Events that are proven with MISP before the next write to them, because the store may be older than it
    /// was.
    pub distrusted: u64,
    /// The store as it is afterwards.
    pub stats: Stats,
}

impl Store {
    /// Repairs the store in a folder, or tries it on a copy.
    ///
    /// # Errors
    /// If there is none, if another process has it, if a newer version wrote it, or if the operating system
    /// refuses.
    pub fn repair(
        path: &Path,
        owner: Owner,
        wait: Duration,
        mode: RepairMode,
    ) -> Result<RepairReport, OpenError> {
        if !is_store(path) {
            return Err(OpenError::NoStore { path: path.display().to_string() });
        }
        match mode {
            RepairMode::InPlace => {
                let _lock = Lock::take(path, owner, wait)?;
                repair_kept(path)
            }
            RepairMode::Trial => {
                let copy = {
                    let _lock = Lock::share(path, wait)?;
                    Copy::of(path)?
                };
                repair(copy.path(), None)
            }
        }
    }
}

/// Files are copied as they are found before anything opens them: not all damage shows before.
fn repair_kept(path: &Path) -> Result<RepairReport, OpenError> {
    swap::finish_swap(path)?;
    let mut found = Found::look(path)?;
    found.keep().map_err(|error| OpenError::of(&path.display().to_string(), error))?;
    let report = repair(path, Some(&mut found));
    match report.as_ref().map(|report| &report.repaired) {
        Ok(Repaired::Sound | Repaired::Older { aside: None }) | Err(OpenError::Newer { .. }) => {
            found.removed()?;
        }
        Ok(_) => {}
        Err(_) => found.leave(),
    }
    report
}

fn repair(path: &Path, mut found: Option<&mut Found>) -> Result<RepairReport, OpenError> {
    match whole(path, found.as_deref_mut()) {
        Ok(report) => return Ok(report),
        Err(OpenError::Damaged { .. }) => {}
        Err(other) => return Err(other),
    }
    match salvage(path, found) {
        Err(OpenError::Damaged { what, .. }) => replace(path, what),
        done => done,
    }
}

/// The report of a store with nothing wrong but its age; else it is damaged.
fn whole(path: &Path, found: Option<&mut Found>) -> Result<RepairReport, OpenError> {
    let shown = path.display().to_string();
    let of = |error| OpenError::of(&shown, error);
    let Opened { engine, mark, said } = open_engine(path, Effort::Utmost, found)?;
    let store = Store::formatted(Box::new(engine), path)?;
    let nothing = || of(LedgerError::Damaged { what: "the engine holds no store".to_owned() });
    let mut store = store.ok_or_else(nothing)?;
    let doubt = store.compare_mark(mark, said);
    let check = store.check().map_err(of)?;
    if let Some(problem) = check.problems.first() {
        return Err(OpenError::Damaged { path: shown, what: problem.to_string() });
    }
    let mut distrusted = 0;
    let mut aside = None;
    if doubt == Doubt::Damaged {
        let (renewed, kept) = store.renewed(path)?;
        (store, aside) = (renewed, Some(kept));
    }
    if doubt != Doubt::None {
        distrusted = store.settle_doubt().map_err(of)?;
    }
    Ok(RepairReport {
        repaired: match doubt {
            Doubt::None => Repaired::Sound,
            Doubt::Older | Doubt::Damaged => Repaired::Older { aside },
        },
        lost: Vec::new(),
        events: Vec::new(),
        distrusted,
        stats: store.stats().map_err(of)?,
    })
}

fn salvage(path: &Path, found: Option<&mut Found>) -> Result<RepairReport, OpenError> {
    let shown = path.display().to_string();
    let of = |error| OpenError::of(&shown, error);
    let opened = open_engine(path, Effort::Utmost, found)?;
    let Opened { engine, said: Said { marked, .. }, .. } = opened;
    // A store of a newer format is not damaged, whatever in it cannot be read.
    if let Err(newer @ LedgerError::Newer { .. }) = Store::formatted_engine(&engine) {
        return Err(of(newer));
    }
    let mut salvage = Salvage::read(&engine).map_err(of)?;
    let mut fresh = Fresh::begin(path)?;
    salvage.pour(&engine, &mut fresh).map_err(of)?;
    let known = salvage.identity();
    let is_known = known.is_some();
    let identity = known.map_or_else(|| new_identity(path), Ok)?;
    let (acknowledged, doubted) = match marked {
        Marked::Nothing => (0, false),
        Marked::Commit(number) => (number, false),
        Marked::Doubted(number) => (number, true),
    };
    let found = salvage.last_commit();
    if !is_known && found == 0 {
        let what = "no record in it can be read".to_owned();
        return Err(OpenError::Damaged { path: shown, what });
    }
    fresh.finish(&identity, found.max(acknowledged) + 1, false)?;
    drop(engine);
    let aside = swap::swap(path, Aside::Kept)?.unwrap_or_default();
    let (stats, distrusted) = reopen(path, doubted || acknowledged > found)?;
    Ok(RepairReport {
        repaired: Repaired::Salvaged { aside },
        lost: salvage.lost,
        events: salvage.events,
        distrusted,
        stats,
    })
}

/// Puts a new and empty store in the place of one that cannot be read.
fn replace(path: &Path, why: String) -> Result<RepairReport, OpenError> {
    let fresh = Fresh::begin(path)?;
    fresh.finish(&new_identity(path)?, 1, false)?;
    let aside = swap::swap(path, Aside::Kept)?.unwrap_or_default();
    let (stats, _) = reopen(path, false)?;
    Ok(RepairReport {
        repaired: Repaired::Replaced { aside, why },
        lost: Vec::new(),
        events: Vec::new(),
        distrusted: 0,
        stats,
    })
}

/// Opens what was made and reads all of it: a repair does not end with a damaged store.
fn reopen(path: &Path, doubted: bool) -> Result<(Stats, u64), OpenError> {
    let shown = path.display().to_string();
    let of = |error| OpenError::of(&shown, error);
    let Opened { engine, mut mark, .. } = open_engine(path, Effort::Usual, None)?;
    let store = Store::formatted(Box::new(engine), path)?;
    let mut store = store.ok_or_else(|| OpenError::NoStore { path: shown.clone() })?;
    mark.set(store.counters.sequence);
    store.mark = Some(mark);
    if let Some(problem) = store.check().map_err(of)?.problems.first() {
        return Err(OpenError::Damaged { path: shown, what: problem.to_string() });
    }
    let distrusted = if doubted { store.settle_doubt().map_err(of)? } else { 0 };
    Ok((store.stats().map_err(of)?, distrusted))
}

fn new_identity(path: &Path) -> Result<IdentityV1, OpenError> {
    identity(path, StoreId(Uuid::new_v4()))
}
