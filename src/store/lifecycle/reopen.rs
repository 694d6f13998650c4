//! A store that is closed and opened again by the one who holds it, after a write failed; and whether it is still where
//! it was opened.

use crate::{
    history::LedgerError,
    store::{
        OpenError, Store,
        engine::{Engine, Pair, Visitor, Writes},
        lifecycle::folder::check_writable,
    },
};

impl Store {
    /// Whether a write failed: then nothing more is written until it was opened again.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Closes the store and opens it again, with all checks of opening; the lock stays held. Nobody may have a run under
    /// way: what it goes by may not be there any more. Who reads a view begins anew.
    ///
    /// # Errors
    /// As [`Store::open`]. If the error comes after the engine was closed, the store stays closed: every question is an
    /// error until a later call succeeds, as what stands in the way may pass.
    pub fn reopen(&mut self) -> Result<(), OpenError> {
        let shown = self.shown_path();
        self.check_place().map_err(|error| OpenError::of(&shown, error))?;
        let Some(path) = self.folder.clone() else {
            let cause = "it is in memory alone".to_owned();
            return Err(OpenError::Io { path: shown, doing: "opened", cause });
        };
        check_writable(&path)?;
        self.views.end();
        self.close("it is being opened again".to_owned());
        let opened = Self::open_locked(&path, &mut self.lock);
        let opened = opened.inspect_err(|error| self.close(error.to_string()))?;
        // A run that commits nothing has a number, too.
        let begun = self.begun;
        *self = opened;
        self.begun = begun;
        Ok(())
    }

    /// Closes the engine: nothing is read or written until it is opened again.
    fn close(&mut self, cause: String) {
        self.failed.get_or_insert_with(|| cause.clone());
        self.engine = Box::new(Closed { cause });
    }

    /// Whether the store is where it was opened.
    ///
    /// # Errors
    /// If its folder was moved or deleted, or another one has its place: what is written would be found by nobody.
    pub fn check_place(&self) -> Result<(), LedgerError> {
        let Some(lock) = &self.lock else { return Ok(()) };
        lock.place().check().map_err(|cause| LedgerError::Io {
            path: self.shown_path(),
            doing: "written",
            cause,
        })
    }
}

/// What has the place of an engine that was closed.
struct Closed {
    /// Why it is not open.
    cause: String,
}

impl Closed {
    fn refused<T>(&self) -> Result<T, LedgerError> {
        let cause = format!(
            "it was closed after a write failed, and is not open again: {}; the next run tries it anew",
            self.cause
        );
        Err(LedgerError::Io { path: "engine".to_owned(), doing: "read", cause })
    }
}

impl Engine for Closed {
    fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        self.refused()
    }

    fn scan(&self, _: &[u8], _: &mut Visitor<'_>) -> Result<(), LedgerError> {
        self.refused()
    }

    fn page(&self, _: &[u8], _: &[u8], _: usize) -> Result<Vec<Pair>, LedgerError> {
        self.refused()
    }

    fn last_key(&self, _: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        self.refused()
    }

    fn commit(&mut self, _: &Writes) -> Result<(), LedgerError> {
        self.refused()
    }

    fn bytes_on_disk(&self) -> Result<u64, LedgerError> {
        self.refused()
    }
}
