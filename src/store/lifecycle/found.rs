//! The files of a damaged engine as they were found, for people.
//!
//! sled changes files that it opens, damaged ones too: it clears what stands behind damage, and goes on writing until it
//! is closed. So they are copied before it has them: at once where our own reading tells that they are damaged, or that
//! they may be (the log ends in what a killed process may have left), and before a repair. The copy waits under a name
//! of its own until the store goes on in fresh files. Where nothing turns out to be damaged it is removed again, and an
//! intact store is never copied.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use crate::{
    history::LedgerError,
    store::{
        OpenError,
        engine::sled::{Sign, at_rest},
        lifecycle::{
            error::told_io,
            folder::ENGINE_FOLDER,
            permissions,
            swap::{FOUND, keep_found},
        },
    },
};

/// What follows the name of a copy that is not written to its end.
const UNFINISHED: &str = ".new";
/// What helps where there is no room for it.
const NO_ROOM: &str = "the damaged files are copied as they were found before anything in them is changed: make room for \
     a copy in the store's folder, and run it again";

/// The copy of a store's files, if there is one.
#[derive(Debug)]
pub(crate) struct Found {
    store: PathBuf,
    copied: Copied,
}

/// By whom it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copied {
    No,
    /// By this opening of the store.
    Now,
    /// By one before, which did not come to its end.
    Before,
}

impl Found {
    /// What an opening before left, if it did not come to its end. The caller holds the store's lock.
    pub(crate) fn look(store: &Path) -> Result<Self, OpenError> {
        let (path, unfinished) = (store.join(FOUND), unfinished(store));
        permissions::remove_folder(&unfinished)
            .map_err(|error| OpenError::io(&unfinished, "removed", &error))?;
        let copied = if path.exists() { Copied::Before } else { Copied::No };
        Ok(Self { store: store.to_owned(), copied })
    }

    /// Copies the files, unless that was done: then they may have been changed since.
    pub(crate) fn keep(&mut self) -> Result<(), LedgerError> {
        self.copy().map_err(|error| self.failed(&error))
    }

    /// Copies the files if a sign tells to. What may be damaged goes on without a copy where there is no room for one.
    pub(crate) fn see(&mut self, sign: Sign) -> Result<(), LedgerError> {
        match self.copy() {
            Err(error) if sign == Sign::Torn && is_full(&error) => Ok(()),
            done => done.map_err(|error| self.failed(&error)),
        }
    }

    /// Whether an opening before this one took the files for damaged.
    pub(crate) fn is_of_before(&self) -> bool {
        self.copied == Copied::Before
    }

    /// Nothing is damaged: what was copied now is removed. What was copied before may be of files that somebody replaced
    /// since, and is kept.
    pub(crate) fn not_needed(&self) -> Result<(), OpenError> {
        match self.copied {
            Copied::No => Ok(()),
            Copied::Before => keep_found(&self.store).map(drop),
            Copied::Now => {
                let path = self.store.join(FOUND);
                permissions::remove_folder(&path)
                    .map_err(|error| OpenError::io(&path, "removed", &error))
            }
        }
    }

    fn copy(&mut self) -> io::Result<()> {
        if self.copied != Copied::No {
            return Ok(());
        }
        let engine = self.store.join(ENGINE_FOLDER);
        let unfinished = unfinished(&self.store);
        let _resting = at_rest(&engine)?;
        permissions::copy_folder(&engine, &unfinished)
            .and_then(|()| permissions::sync_all(&unfinished))
            .and_then(|()| permissions::rename(&self.store, &format!("{FOUND}{UNFINISHED}"), FOUND))
            .inspect_err(|_| drop(permissions::remove_folder(&unfinished)))?;
        self.copied = Copied::Now;
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> LedgerError {
        let path = self.store.join(FOUND).display().to_string();
        let cause = if is_full(error) { format!("{error}; {NO_ROOM}") } else { told_io(error) };
        LedgerError::Io { path, doing: "written", cause }
    }
}

fn unfinished(store: &Path) -> PathBuf {
    store.join(format!("{FOUND}{UNFINISHED}"))
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_with_what_helps() {
        let found = Found { store: PathBuf::from("state"), copied: Copied::No };
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            let error = OpenError::of("state", found.failed(&kind.into())).to_string();
            assert!(error.contains("state/engine.found") && error.contains("make room"), "{error}");
        }
        let error = found.failed(&ErrorKind::PermissionDenied.into()).to_string();
        assert!(!error.contains("make room"), "{error}");
    }
}
