//! What becomes of a store that may be older than what was acknowledged: nothing in it is relied on before
//! MISP proved it.
//!
//! An event that the last, lost commits changed may hold more in MISP than its head says. Marked as unproven,
//! it is listed before the next write to it, as after any lost answer; what MISP has is adopted.
//!
//! Nor are its files relied on: behind damage in its log, sled takes commits that it does not find when it is opened
//! again. So all that it holds is carried over into fresh files before anything is written. The damaged ones are kept:
//! nothing else may hold the commits that sled does not find.

use std::path::Path;

use crate::{
    history::{Cursor, LedgerError},
    store::{
        OpenError, Store, Warning,
        engine::{Effort, sled::SledEngine},
        event::overlay::Overlay,
        lifecycle::{
            folder::ENGINE_FOLDER,
            swap::{self, Aside, Fresh},
        },
        record::{CursorV2, HeadV4, envelope::encode, keys::Kind},
    },
};

impl Store {
    /// The same store in fresh files, and the folder that keeps those which it had.
    ///
    /// # Errors
    /// If something in it cannot be read, or the operating system refuses.
    pub(crate) fn renewed(self, path: &Path) -> Result<(Self, String), OpenError> {
        let Self { engine, counters, mark, lock, mut warnings, .. } = self;
        let of = |error| OpenError::of(&path.display().to_string(), error);
        let filled = || -> Result<(), OpenError> {
            let mut fresh = Fresh::begin(path)?;
            let identity = fresh.copy_all(&*engine).map_err(of)?;
            fresh.finish(&identity, counters.sequence, counters.is_indexed())
        };
        filled().inspect_err(|_| drop(swap::discard(path)))?;
        drop(engine);
        let aside = swap::swap(path, Aside::Kept)?;
        let aside = aside.expect("an engine that was read had its place");
        warnings.retain(|warning| *warning != Warning::Suspect);
        warnings.push(Warning::Renewed { aside: aside.clone() });
        let folder = path.join(ENGINE_FOLDER);
        let engine = SledEngine::open(&folder, Effort::Usual, &mut |_| Ok(())).map_err(of)?;
        let store = Self::formatted(Box::new(engine), path)?;
        let mut store = store.expect("an engine that was finished holds a store");
        (store.mark, store.lock, store.warnings) = (mark, lock, warnings);
        Ok((store, aside))
    }

    /// Marks the head of every event that MISP should have, at all destinations, and takes the shortcut over
    /// unchanged sources away, in one commit; says how many heads it marked. With that the doubt ends, also where there
    /// was nothing to mark.
    pub(crate) fn settle_doubt(&mut self) -> Result<u64, LedgerError> {
        let mut overlay = self.read();
        let events = mark_heads(&mut overlay)?;
        unsettle_cursors(&mut overlay)?;
        let writes = overlay.into_writes();
        if !writes.is_empty() {
            self.write(writes)?;
        }
        let sequence = self.counters.sequence;
        if let Some(mark) = &mut self.mark {
            mark.set(sequence);
        }
        Ok(events)
    }
}

fn mark_heads(overlay: &mut Overlay<'_>) -> Result<u64, LedgerError> {
    let mut marked = Vec::new();
    overlay.engine().scan(Kind::Head.prefix(), &mut |key, value| {
        let body = overlay.body(key, value)?;
        let mut head = HeadV4::read(&body)?;
        if head.mark_unproven() {
            marked.push((key.to_vec(), encode(&head)?));
        }
        Ok(())
    })?;
    let events = marked.len() as u64;
    for (key, body) in marked {
        overlay.put_record(key, &body)?;
    }
    Ok(events)
}

fn unsettle_cursors(overlay: &mut Overlay<'_>) -> Result<(), LedgerError> {
    let mut changed = Vec::new();
    overlay.engine().scan(Kind::Cursor.prefix(), &mut |key, value| {
        let cursor = CursorV2::read(&overlay.body(key, value)?)?;
        if cursor.settled {
            let unsettled = Cursor { settled: false, ..cursor };
            changed.push((key.to_vec(), encode(&CursorV2::of(&unsettled))?));
        }
        Ok(())
    })?;
    for (key, body) in changed {
        overlay.put_record(key, &body)?;
    }
    Ok(())
}
