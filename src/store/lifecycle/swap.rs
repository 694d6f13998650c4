//! Another engine in the place of the store's own: made beside it, filled, and put there by two renames.
//!
//! | folder | what |
//! | --- | --- |
//! | `engine` | the store's own |
//! | `engine.new` | one that is being filled; worth nothing after a crash |
//! | `engine.next` | one that is whole; it takes the place of `engine` if that is gone |
//! | `engine.old` | one whose place was taken, to be removed |
//! | `engine.found` | a copy of one as it was found, with damage, or before a repair (`found`) |
//! | `engine.torn` | the same of one of which only the end of the log was torn |
//! | `found.left` | what the files were when an opening ended that copied them so (`found`) |
//! | `engine.damaged-1`, … | one that was damaged, as it was found, kept for people |
//!
//! At each moment `engine` or `engine.next` is whole. Only where `engine` is missing was a swap cut off.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    history::LedgerError,
    store::{
        OpenError,
        engine::{Effort, Engine, Writes, sled::SledEngine},
        event::overlay::Overlay,
        lifecycle::{folder::ENGINE_FOLDER, permissions},
        record::{
            CountersV3, FormatV1, IdentityV1,
            envelope::{Body, damaged, encode},
            keys::{self, Kind},
        },
    },
};

const NEW: &str = "engine.new";
const NEXT: &str = "engine.next";
const OLD: &str = "engine.old";
const DAMAGED: &str = "engine.damaged-";
/// A copy of the store's own, as it was found.
pub(super) const FOUND: &str = "engine.found";
/// The same where its log was torn at the end, as a killed process leaves it, and nothing else was seen.
pub(super) const TORN: &str = "engine.torn";
/// The digest of the store's own files as an opening left them that kept them as it found them, and came to no end: others
/// were put in their place.
pub(super) const LEFT: &str = "found.left";
/// A copy on which version 0.1.0 tried a repair, and that was cut off.
const TRIAL: &str = "trial";
/// Bytes that are gathered before they are written.
const BATCH_BYTES: usize = 4 << 20;

/// What becomes of the engine whose place is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aside {
    /// It is removed.
    Removed,
    /// It is kept under a name of its own: as it was found where it was copied before it was opened, else as it is.
    Kept,
}

/// Whether a name in a store's folder is one of these.
pub(crate) fn is_ours(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let is_one = [NEW, NEXT, OLD, TRIAL, TORN].iter().any(|ours| name == **ours);
    is_one || [FOUND, DAMAGED, LEFT].iter().any(|ours| name.starts_with(ours))
}

/// Whether a swap was cut off between its two renames.
pub(crate) fn is_waiting(path: &Path) -> bool {
    !path.join(ENGINE_FOLDER).exists() && path.join(NEXT).join("db").is_file()
}

/// The folder of the engine that is whole, to be read where nothing may be renamed.
pub(crate) fn whole_engine(path: &Path) -> PathBuf {
    path.join(if is_waiting(path) { NEXT } else { ENGINE_FOLDER })
}

/// Finishes a swap that was cut off. The caller holds the store's lock.
pub(crate) fn finish_swap(path: &Path) -> Result<(), OpenError> {
    if is_waiting(path) {
        rename(path, NEXT, ENGINE_FOLDER)?;
    }
    remove(path, OLD)
}

/// Puts the engine that waits in the place of the store's own, if there is one, which nobody may have open;
/// gives the name under which that is kept.
pub(crate) fn swap(path: &Path, aside: Aside) -> Result<Option<String>, OpenError> {
    if is_waiting(path) {
        return finish_swap(path).map(|()| None);
    }
    if aside == Aside::Kept && copied(path).is_none() {
        let name = vacant(path);
        rename(path, ENGINE_FOLDER, &name)?;
        finish_swap(path)?;
        return Ok(Some(name));
    }
    rename(path, ENGINE_FOLDER, OLD)?;
    finish_swap(path)?;
    // Last: a process that dies before finds that copy, and so makes no other of files that were changed since.
    if aside == Aside::Kept { keep_found(path).map(Some) } else { Ok(None) }
}

/// Gives the copy of what was found the name under which it is kept for people.
pub(super) fn keep_found(path: &Path) -> Result<String, OpenError> {
    let name = vacant(path);
    rename(path, copied(path).unwrap_or(FOUND), &name)?;
    forget_left(path)?;
    Ok(name)
}

/// How many were kept so, and not removed by anybody.
pub(super) fn count_kept(path: &Path) -> io::Result<usize> {
    let names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name()));
    let names = names.collect::<io::Result<Vec<_>>>()?;
    Ok(names.iter().filter(|name| name.to_string_lossy().starts_with(DAMAGED)).count())
}

/// No copy waits any more.
pub(super) fn forget_left(path: &Path) -> Result<(), OpenError> {
    let file = path.join(LEFT);
    permissions::remove_file(&file).map_err(|error| OpenError::io(&file, "removed", &error))
}

/// The name of the copy of what was found, if there is one.
pub(super) fn copied(path: &Path) -> Option<&'static str> {
    [FOUND, TORN].into_iter().find(|name| path.join(name).exists())
}

/// The first name for what is kept that nothing has.
fn vacant(path: &Path) -> String {
    (1..)
        .map(|number: u64| format!("{DAMAGED}{number}"))
        .find(|name| !path.join(name).exists())
        .expect("a folder holds fewer names than there are numbers")
}

/// Removes an engine that waits, and what a rebuild that was cut off left.
pub(crate) fn discard(path: &Path) -> Result<(), OpenError> {
    remove(path, NEXT)?;
    remove(path, NEW)
}

/// Bytes that the store's own engine takes on the disk, and those of the one that waits.
pub(crate) fn sizes(path: &Path) -> Result<(u64, u64), OpenError> {
    let size = |name: &str| {
        let folder = path.join(name);
        permissions::bytes_taken(&folder).map_err(|error| OpenError::io(&folder, "read", &error))
    };
    Ok((size(ENGINE_FOLDER)?, size(NEXT)?))
}

/// An engine that is being filled.
pub(crate) struct Fresh {
    store: PathBuf,
    engine: SledEngine,
    writes: Writes,
    bytes: usize,
}

impl Fresh {
    /// An empty engine beside the store's own.
    pub(crate) fn begin(store: &Path) -> Result<Self, OpenError> {
        discard(store)?;
        let folder = store.join(NEW);
        let opened = SledEngine::open(&folder, Effort::Usual, &mut |_| Ok(()));
        let engine = opened.map_err(|error| of(store, error))?;
        Ok(Self { store: store.to_owned(), engine, writes: Writes::new(), bytes: 0 })
    }

    /// The records as they are so far, to be added to.
    pub(crate) fn overlay(&self) -> Overlay<'_> {
        Overlay::over(&self.engine)
    }

    /// Takes what an overlay gathered.
    pub(crate) fn take(&mut self, writes: Writes) -> Result<(), LedgerError> {
        for (key, value) in writes {
            self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
            self.writes.insert(key, value);
        }
        if self.bytes >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    /// Takes one record or object as it is.
    fn copy(&mut self, key: &[u8], value: &[u8]) -> Result<(), LedgerError> {
        self.take(Writes::from([(key.to_vec(), Some(value.to_vec()))]))
    }

    /// Takes everything that another engine holds as it is, but for the store's records of itself; gives its identity.
    pub(crate) fn copy_all(&mut self, engine: &dyn Engine) -> Result<IdentityV1, LedgerError> {
        let mut identity = None;
        engine.scan(b"", &mut |key, value| match Kind::of(key) {
            Some(Kind::Meta) if key == keys::IDENTITY => {
                let body = self.overlay().body(key, value)?;
                identity = Some(body.decode::<IdentityV1>("the store's identity")?);
                Ok(())
            }
            Some(Kind::Meta) => Ok(()),
            _ => self.copy(key, value),
        })?;
        identity.ok_or_else(|| damaged("the store's identity is missing".to_owned()))
    }

    /// Takes a record.
    pub(crate) fn record(&mut self, key: Vec<u8>, body: &Body) -> Result<(), LedgerError> {
        let mut overlay = self.overlay();
        overlay.put_record(key, body)?;
        let writes = overlay.into_writes();
        self.take(writes)
    }

    /// Adds the store's records of itself and lets the engine wait for its place. `indexed`: whether the index is among
    /// what was taken.
    pub(crate) fn finish(
        mut self,
        identity: &IdentityV1,
        sequence: u64,
        indexed: bool,
    ) -> Result<(), OpenError> {
        let path = self.store.clone();
        self.seal(identity, sequence, indexed).map_err(|error| of(&path, error))?;
        drop(self.engine);
        let folder = path.join(NEW);
        permissions::tighten(&folder)
            .and_then(|_| permissions::sync_folder(&folder))
            .map_err(|error| OpenError::io(&folder, "synced", &error))?;
        rename(&path, NEW, NEXT)
    }

    fn seal(
        &mut self,
        identity: &IdentityV1,
        sequence: u64,
        indexed: bool,
    ) -> Result<(), LedgerError> {
        self.flush()?;
        let mut counters = CountersV3::after(sequence).with_index(indexed);
        self.engine.scan(b"", &mut |key, _| {
            let kind = Kind::of(key);
            counters.add(kind.ok_or_else(|| damaged("no record has such a key".to_owned()))?);
            Ok(())
        })?;
        self.record(keys::FORMAT.to_vec(), &encode(&FormatV1::CURRENT)?)?;
        self.record(keys::IDENTITY.to_vec(), &encode(identity)?)?;
        self.record(keys::COUNTERS.to_vec(), &encode(&counters)?)?;
        self.flush()
    }

    fn flush(&mut self) -> Result<(), LedgerError> {
        self.bytes = 0;
        let writes = std::mem::take(&mut self.writes);
        if writes.is_empty() { Ok(()) } else { self.engine.commit(&writes) }
    }
}

fn of(path: &Path, error: LedgerError) -> OpenError {
    OpenError::of(&path.display().to_string(), error)
}

fn rename(path: &Path, from: &str, to: &str) -> Result<(), OpenError> {
    let renamed = permissions::rename(path, from, to);
    renamed.map_err(|error| OpenError::io(&path.join(from), "renamed", &error))
}

fn remove(path: &Path, name: &str) -> Result<(), OpenError> {
    let folder = path.join(name);
    permissions::remove_folder(&folder).map_err(|error| OpenError::io(&folder, "removed", &error))
}
