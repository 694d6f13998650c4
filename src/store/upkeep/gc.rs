//! Collecting garbage: objects that nothing refers to, and room that the engine's files take without need.
//!
//! sled gives room back only where a whole segment of its file is free. What it cannot give back is won by
//! copying every record into a fresh engine, which takes the old one's place if it is clearly smaller.

use crate::{
    history::LedgerError,
    store::{
        OpenError, Store, StoreId,
        engine::Writes,
        lifecycle::swap::{self, Aside, Fresh},
    },
};

/// A copy takes the old engine's place if it takes at most so many hundredths of its room: an engine that is
/// in use is never as small as a fresh one.
const WORTH_PERCENT: u64 = 90;

/// What a collection did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GcReport {
    /// The store.
    pub store: StoreId,
    /// Objects that nothing referred to.
    pub objects_removed: u64,
    /// Bytes that the engine's files took before.
    pub bytes_before: u64,
    /// Bytes that they take now.
    pub bytes_after: u64,
    /// Whether the engine was copied into a smaller one.
    pub compacted: bool,
}

impl Store {
    /// Removes what nothing refers to and makes the engine's files smaller where that is worth it. Heads,
    /// attributes and history stay as they are; a second collection finds nothing. Closes the store.
    ///
    /// # Errors
    /// If the store is damaged, for then what is needed is not known; if it was not opened to be written to;
    /// or if the operating system refuses.
    pub fn gc(mut self) -> Result<GcReport, OpenError> {
        let shown = self.shown_path();
        let objects_removed =
            self.remove_garbage().map_err(|error| OpenError::of(&shown, error))?;
        let store = self.id();
        let (bytes_before, bytes_after, compacted) = self.compact()?;
        Ok(GcReport { store, objects_removed, bytes_before, bytes_after, compacted })
    }

    /// Removes objects that nothing refers to, and says how many.
    pub(crate) fn remove_garbage(&mut self) -> Result<u64, LedgerError> {
        let walk = self.walk()?;
        if let Some(problem) = walk.problems.first() {
            return Err(LedgerError::Damaged { what: problem.to_string() });
        }
        let garbage = walk.unneeded();
        let writes: Writes = garbage.into_iter().map(|(_, key)| (key, None)).collect();
        let removed = writes.len() as u64;
        drop(walk);
        if removed > 0 {
            self.write(writes)?;
        }
        Ok(removed)
    }

    fn compact(self) -> Result<(u64, u64, bool), OpenError> {
        let Self { engine, counters, folder, lock, .. } = self;
        let shown = folder.as_deref().map(|path| path.display().to_string());
        let of = |error| OpenError::of(shown.as_deref().unwrap_or("memory"), error);
        let Some(path) = folder else {
            let bytes = engine.bytes_on_disk().map_err(of)?;
            return Ok((bytes, bytes, false));
        };
        let mut fresh = Fresh::begin(&path)?;
        let identity = fresh.copy_all(&*engine).map_err(of)?;
        fresh.finish(&identity, counters.sequence, counters.is_indexed())?;
        drop(engine);
        let (before, after) = swap::sizes(&path)?;
        let compacted = after.saturating_mul(100) <= before.saturating_mul(WORTH_PERCENT);
        if compacted {
            swap::swap(&path, Aside::Removed)?;
        } else {
            swap::discard(&path)?;
        }
        drop(lock);
        Ok((before, if compacted { after } else { before }, compacted))
    }
}
