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
    /// As [`Store::open`]. The store is closed then for good, and gives an error to every question.
    pub fn reopen(&mut self) -> Result<(), OpenError> {
        let shown = self.shown_path();
        self.check_place().map_err(|error| OpenError::of(&shown, error))?;
        let (Some(path), Some(lock)) = (self.folder.clone(), self.lock.take()) else {
            return Err(OpenError::of(&shown, is_closed()));
        };
        self.views.end();
        self.engine = Box::new(Closed);
        check_writable(&path)?;
        let opened = Self::open_locked(&path, lock)?;
        // A run that commits nothing has a number, too.
        let begun = self.begun;
        *self = opened;
        self.begun = begun;
        Ok(())
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
struct Closed;

fn is_closed() -> LedgerError {
    let cause = "it was closed, and could not be opened again; start the program again".to_owned();
    LedgerError::Io { path: "engine".to_owned(), doing: "opened", cause }
}

impl Engine for Closed {
    fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        Err(is_closed())
    }

    fn scan(&self, _: &[u8], _: &mut Visitor<'_>) -> Result<(), LedgerError> {
        Err(is_closed())
    }

    fn page(&self, _: &[u8], _: &[u8], _: usize) -> Result<Vec<Pair>, LedgerError> {
        Err(is_closed())
    }

    fn last_key(&self, _: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        Err(is_closed())
    }

    fn commit(&mut self, _: &Writes) -> Result<(), LedgerError> {
        Err(is_closed())
    }

    fn bytes_on_disk(&self) -> Result<u64, LedgerError> {
        Err(is_closed())
    }
}
