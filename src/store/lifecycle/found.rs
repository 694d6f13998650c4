//! The files of a damaged engine as they were found, for people.
//!
//! sled changes files that it opens, damaged ones too: it clears what stands behind damage, and goes on writing until it
//! is closed. So they are copied before it has them: at once where our own reading tells that they are damaged, or that
//! they may be (the log ends in what a killed process may have left), and before a repair. The copy waits under a name
//! of its own, which says by which sign it was made, until the store goes on in fresh files. Where nothing turns out to
//! be damaged it is removed again, by a later opening too if it was made for a torn end, and an intact store is never
//! copied.
//!
//! Where an opening comes to no end, its user may put other files in the place of the damaged ones, as of a backup. That
//! shows by what the files were when that opening ended ([`LEFT`]): where they are neither that nor the copy, and
//! damaged too, the copy gets the name under which it is kept, and they are copied as well. So each state that was found
//! damaged is kept once, up to [`KEPT_MAX`] of them.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use crate::{
    history::LedgerError,
    store::{
        OpenError, Warning,
        engine::sled::{Sign, at_rest},
        lifecycle::{
            error::told_io,
            folder::{ENGINE_FOLDER, replace_file},
            permissions,
            swap::{FOUND, LEFT, TORN, copied, count_kept, forget_left, keep_found},
        },
    },
};

/// What follows the name of a copy that is not written to its end.
const UNFINISHED: &str = ".new";
/// While so many are kept, files that were put in the place of damaged ones are not copied as well.
const KEPT_MAX: usize = 8;
/// What helps where there is no room for it.
const NO_ROOM: &str = "the damaged files are copied as they were found before anything in them is changed: make room for \
     a copy in the store's folder, and run it again";

/// The copy of a store's files, if there is one.
#[derive(Debug)]
pub(crate) struct Found {
    store: PathBuf,
    copied: Option<Copied>,
    /// What a person should know.
    warnings: Vec<Warning>,
}

/// By whom it was made, and under which name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Copied {
    name: &'static str,
    /// By an opening before this one, which did not come to its end.
    is_of_before: bool,
}

impl Found {
    /// What an opening before left, if it did not come to its end. The caller holds the store's lock.
    pub(crate) fn look(store: &Path) -> Result<Self, OpenError> {
        let unfinished = unfinished(store);
        permissions::remove_folder(&unfinished)
            .map_err(|error| OpenError::io(&unfinished, "removed", &error))?;
        let copied = copied(store).map(|name| Copied { name, is_of_before: true });
        Ok(Self { store: store.to_owned(), copied, warnings: Vec::new() })
    }

    /// Copies the files, unless that was done: then they may have been changed since.
    pub(crate) fn keep(&mut self) -> Result<(), LedgerError> {
        self.copy(FOUND).map_err(|error| self.failed(&error))
    }

    /// Copies the files if a sign tells to. What may be damaged goes on without a copy where there is no room for one.
    pub(crate) fn see(&mut self, sign: Sign) -> Result<(), LedgerError> {
        let done = match sign {
            Sign::Torn => match self.copy(TORN) {
                Err(error) if is_full(&error) => Ok(()),
                done => done,
            },
            Sign::Damaged => self.copy(FOUND).and_then(|()| self.is_damaged()),
        };
        done.map_err(|error| self.failed(&error))
    }

    /// Whether an opening before this one took the files for damaged.
    pub(crate) fn is_of_before(&self) -> bool {
        self.copied.is_some_and(|copied| copied.is_of_before)
    }

    /// Nothing is damaged: what was copied is removed. But what was copied before of damaged files is of files that
    /// somebody replaced since, and is kept: under the name that is given.
    pub(crate) fn not_needed(&self) -> Result<Option<String>, OpenError> {
        match self.copied {
            Some(Copied { name: FOUND, is_of_before: true }) => keep_found(&self.store).map(Some),
            _ => self.removed().map(|()| None),
        }
    }

    /// The same, where nobody can be told: what is to be kept stays for the next opening.
    pub(crate) fn removed(&self) -> Result<(), OpenError> {
        match self.copied {
            None | Some(Copied { name: FOUND, is_of_before: true }) => Ok(()),
            Some(Copied { name, .. }) => {
                let path = self.store.join(name);
                permissions::remove_folder(&path)
                    .map_err(|error| OpenError::io(&path, "removed", &error))?;
                forget_left(&self.store)
            }
        }
    }

    /// What became known.
    pub(crate) fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The opening came to no end: writes down what it left, so that other files are told from those. Where that cannot
    /// be done, the next opening takes whatever it finds for what this one left. The caller holds the store's lock.
    pub(crate) fn leave(&self) {
        let left = || -> io::Result<()> {
            let engine = self.store.join(ENGINE_FOLDER);
            let _resting = at_rest(&engine)?;
            let digest = permissions::digest(&engine)?;
            replace_file(&self.store, LEFT, digest.to_string().as_bytes())
        };
        let waits = copied(&self.store).is_some() || !self.warnings.is_empty();
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
        if waits && let Err(error) = left() {
            tracing::debug!("what an opening left is not written down: {error}");
        }
    }

    /// Whether the files were put there since the copy was made.
    fn is_replaced(&self, engine: &Path, name: &str) -> io::Result<bool> {
        let Ok(left) = fs::read_to_string(self.store.join(LEFT)) else { return Ok(false) };
        let now = permissions::digest(engine)?;
        let is_replaced =
            now.to_string() != left && now != permissions::digest(&self.store.join(name))?;
        // From here on the files change, and an opening that is killed cannot write down how it left them.
        forget_left(&self.store).map_err(io::Error::other)?;
        Ok(is_replaced)
    }

    /// Gives the copy of files that were replaced its name. Whether there is room for another.
    fn set_aside(&mut self) -> io::Result<bool> {
        let aside = keep_found(&self.store).map_err(io::Error::other)?;
        self.copied = None;
        self.warnings.push(Warning::Kept { aside });
        self.has_room()
    }

    fn has_room(&mut self) -> io::Result<bool> {
        let kept = count_kept(&self.store)?;
        if kept < KEPT_MAX {
            return Ok(true);
        }
        let unkept = Warning::Unkept { kept };
        if !self.warnings.contains(&unkept) {
            self.warnings.push(unkept);
        }
        Ok(false)
    }

    fn copy(&mut self, name: &'static str) -> io::Result<()> {
        let engine = self.store.join(ENGINE_FOLDER);
        let _resting = at_rest(&engine)?;
        let may_copy = match self.copied {
            Some(Copied { name: before, is_of_before: true })
                if name == FOUND && self.is_replaced(&engine, before)? =>
            {
                self.set_aside()?
            }
            Some(_) => false,
            // Where something was left without a copy, there was no room for one.
            None => !self.store.join(LEFT).exists() || self.has_room()?,
        };
        if !may_copy {
            return Ok(());
        }
        let unfinished = unfinished(&self.store);
        permissions::copy_folder(&engine, &unfinished)
            .and_then(|()| permissions::sync_all(&unfinished))
            .and_then(|()| permissions::rename(&self.store, &format!("{FOUND}{UNFINISHED}"), name))
            .inspect_err(|_| drop(permissions::remove_folder(&unfinished)))?;
        self.copied = Some(Copied { name, is_of_before: false });
        Ok(())
    }

    /// What was copied as torn is damaged.
    fn is_damaged(&mut self) -> io::Result<()> {
        if let Some(copied) = self.copied.as_mut().filter(|copied| copied.name == TORN) {
            permissions::rename(&self.store, TORN, FOUND)?;
            copied.name = FOUND;
        }
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
        let store = PathBuf::from("state");
        let found = Found { store, copied: None, warnings: Vec::new() };
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            let error = OpenError::of("state", found.failed(&kind.into())).to_string();
            assert!(error.contains("state/engine.found") && error.contains("make room"), "{error}");
        }
        let error = found.failed(&ErrorKind::PermissionDenied.into()).to_string();
        assert!(!error.contains("make room"), "{error}");
    }
}
