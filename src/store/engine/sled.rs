//! sled as the engine of a store on disk. The only file that names sled, so that another can take its place.
//!
//! sled 0.34.7 needs precautions, all of which are here:
//! - its `flush` leaves the bytes with the operating system, so each commit ends with `sync_data` on its
//!   file `db`; in simulated power cuts only that kept every acknowledged batch;
//! - two batches are not atomic together: a commit is one batch in one tree;
//! - a kill while it writes `snap.*.generating` leaves a store it will not open: those are removed first;
//! - `snap.*` is only a cache of the log: where opening fails, it is tried once more without it, after the headers
//!   were made such that the log can be followed from its beginning (`segments`);
//! - `conf` only repeats settings that we never change: a repair tries without it too;
//! - its own lock can outlast its handle for a moment: it is waited for;
//! - where the system gives it no thread it panics or waits for ever: whether there are enough is tried first;
//! - damage can make it panic: each call is guarded, and a panic is reported as damage;
//! - a leaf holds up to 17 values, and one that outgrows 128 KiB goes to a file that is never
//!   synced: hence [`VALUE_BYTES_MAX`](super::VALUE_BYTES_MAX).

use std::{
    fs::{self, File, TryLockError},
    io,
    ops::{Bound, Deref},
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::{
    history::LedgerError,
    store::{
        engine::{
            Effort, Engine, Pair, Visitor, Writes,
            segments::{self, Condition},
        },
        lifecycle::{error::told_io, permissions},
    },
};

/// sled's file with its settings, which are the same in every store.
const CONF: &str = "conf";
/// How the names of its snapshots begin, and how that of one ends which it did not write to its end.
const SNAPSHOT: &str = "snap.";
const UNFINISHED: &str = ".generating";
/// In sled's words, when somebody else has its file.
const LOCKED: &str = "acquire lock";
/// More than the engine, the runtime and the reading of a source ever had at once.
const THREADS: usize = 16;
/// How long that is waited for.
const LOCK_LINGERS: Duration = Duration::from_secs(10);
/// How often it is tried meanwhile.
const LOCK_TRIED: Duration = Duration::from_millis(20);
/// Bytes of its file that sled keeps in memory; what they take there is a multiple.
const CACHE_BYTES: u64 = 64 << 20;

/// What is seen of files before anything in them is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// The log ends in what a killed process may have left, or damage: sled will overwrite it.
    Torn,
    /// Part of them is damaged, or has to be dropped for sled to open them: what it finds is to be doubted.
    Damaged,
}

/// Takes signs in; nobody writes to the files until it returns. Where it fails, nothing is changed.
pub(crate) type Signs<'d> = dyn FnMut(Sign) -> Result<(), LedgerError> + 'd;

/// sled in a folder of its own.
pub(crate) struct SledEngine {
    folder: PathBuf,
    /// `None` only while it is dropped.
    db: Option<sled::Db>,
    /// A second handle on sled's file, for `sync_data`.
    file: File,
    syncs: u64,
}

impl SledEngine {
    /// Opens or creates the engine's files. The caller holds the store's lock. `signs` is called before anything is
    /// changed: where our own reading tells, before sled has them.
    pub(crate) fn open(
        folder: &Path,
        effort: Effort,
        signs: &mut Signs<'_>,
    ) -> Result<Self, LedgerError> {
        try_threads().map_err(|error| LedgerError::Io {
            path: folder.display().to_string(),
            doing: "opened",
            cause: format!(
                "the system gives this user no {THREADS} threads ({error}); raise its limit"
            ),
        })?;
        let without: [fn(&str) -> bool; 2] =
            [|name| name.starts_with(SNAPSHOT), |name| name == CONF];
        let steps = if effort == Effort::Utmost { without.len() } else { 1 };
        prepare(folder, signs)?;
        let mut tried = open_guarded(folder);
        for drop_these in without.into_iter().take(steps) {
            if !matches!(tried, Err(LedgerError::Damaged { .. })) {
                break;
            }
            {
                let _resting = rest(folder)?;
                signs(Sign::Damaged)?;
                remove(folder, drop_these)?;
            }
            prepare(folder, signs)?;
            tried = open_guarded(folder);
        }
        let db = tried?;
        let path = folder.join("db");
        let file = File::options()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|error| io_error(&path, "opened", &error))?;
        let engine = Self { folder: folder.to_owned(), db: Some(db), file, syncs: 0 };
        permissions::tighten(folder).map_err(|error| io_error(folder, "made private", &error))?;
        Ok(engine)
    }

    /// How many commits were synced to the disk.
    #[cfg(test)]
    pub(crate) const fn syncs(&self) -> u64 {
        self.syncs
    }

    fn db(&self) -> &sled::Db {
        self.db.as_ref().expect("the handle is taken only when the engine is dropped")
    }

    fn call<T>(
        &self,
        doing: &'static str,
        call: impl FnOnce() -> sled::Result<T>,
    ) -> Result<T, LedgerError> {
        guard(&self.folder, doing, call)
    }
}

impl Engine for SledEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        let found = self.call("read", || self.db().get(key))?;
        Ok(found.map(|value| value.deref().to_vec()))
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visitor<'_>) -> Result<(), LedgerError> {
        let mut records = self.call("read", || Ok(self.db().scan_prefix(prefix)))?;
        while let Some((key, value)) = self.call("read", || records.next().transpose())? {
            visit(&key, &value)?;
        }
        Ok(())
    }

    fn page(&self, prefix: &[u8], after: &[u8], max: usize) -> Result<Vec<Pair>, LedgerError> {
        let from = if after < prefix { Bound::Included(prefix) } else { Bound::Excluded(after) };
        let range = (from, Bound::Unbounded);
        let mut records = self.call("read", || Ok(self.db().range::<&[u8], _>(range)))?;
        let mut page = Vec::new();
        while page.len() < max
            && let Some((key, value)) = self.call("read", || records.next().transpose())?
            && key.starts_with(prefix)
        {
            page.push((key.to_vec(), value.to_vec()));
        }
        Ok(page)
    }

    fn scan_back(&self, prefix: &[u8], visit: &mut Visitor<'_>) -> Result<(), LedgerError> {
        let mut records = self.call("read", || Ok(self.db().scan_prefix(prefix)))?;
        while let Some((key, value)) = self.call("read", || records.next_back().transpose())? {
            visit(&key, &value)?;
        }
        Ok(())
    }

    fn last_key(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        let last = self.call("read", || self.db().scan_prefix(prefix).next_back().transpose())?;
        Ok(last.map(|(key, _)| key.to_vec()))
    }

    fn commit(&mut self, writes: &Writes) -> Result<(), LedgerError> {
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        self.call("written", || {
            self.db().apply_batch(batch)?;
            self.db().flush()?;
            self.file.sync_data()?;
            Ok(())
        })?;
        self.syncs += 1;
        Ok(())
    }

    fn bytes_on_disk(&self) -> Result<u64, LedgerError> {
        self.call("read", || self.db().size_on_disk())
    }
}

/// Closing writes what is left and joins sled's threads; on a damaged file that can panic too.
impl Drop for SledEngine {
    fn drop(&mut self) {
        let db = self.db.take();
        drop(panic::catch_unwind(AssertUnwindSafe(|| drop(db))));
    }
}

/// Waits until nobody writes the engine's files any more, and lets nobody open them until what it gives is
/// dropped. sled's threads of a moment ago may still write although their handle is gone.
pub(crate) fn at_rest(folder: &Path) -> io::Result<Option<File>> {
    let file = match File::open(folder.join("db")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let begun = Instant::now();
    while let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
        if begun.elapsed() > LOCK_LINGERS {
            return Err(io::Error::other("another program has it open"));
        }
        thread::sleep(LOCK_TRIED);
    }
    Ok(Some(file))
}

/// Begins as many threads as the engine and the requests of a run may need together, and ends them.
fn try_threads() -> io::Result<()> {
    let begin = || thread::Builder::new().spawn(thread::park);
    let mut begun = Vec::new();
    let tried = (0..THREADS).try_for_each(|_| begin().map(|thread| begun.push(thread)));
    for waiting in begun {
        waiting.thread().unpark();
        drop(waiting.join());
    }
    tried
}

/// Opens sled. The store's own lock is held, so what holds sled's is about to let go of it: its threads of a
/// moment ago, or a process that was begun meanwhile and has not come to its own program yet.
fn open_guarded(folder: &Path) -> Result<sled::Db, LedgerError> {
    let config = sled::Config::new().path(folder).cache_capacity(CACHE_BYTES);
    let begun = Instant::now();
    loop {
        match guard(folder, "opened", || config.open()) {
            Err(LedgerError::Io { cause, .. })
                if cause.contains(LOCKED) && begun.elapsed() < LOCK_LINGERS =>
            {
                thread::sleep(LOCK_TRIED);
            }
            opened => return opened,
        }
    }
}

fn guard<T>(
    folder: &Path,
    doing: &'static str,
    call: impl FnOnce() -> sled::Result<T>,
) -> Result<T, LedgerError> {
    match panic::catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(told(folder, doing, &error)),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(damaged(folder, words.unwrap_or("the engine gave no reason")))
        }
    }
}

/// An error with a number of the operating system is its refusal, as is a lock that another program
/// holds on sled's own file; all others come from what the file holds.
fn told(folder: &Path, doing: &'static str, error: &sled::Error) -> LedgerError {
    let sled::Error::Io(cause) = error else { return damaged(folder, &error.to_string()) };
    if let Some(number) = cause.raw_os_error().or_else(|| repeated(cause)) {
        io_error(folder, doing, &io::Error::from_raw_os_error(number))
    } else if cause.to_string().contains(LOCKED) {
        io_error(folder, doing, cause)
    } else {
        damaged(folder, &error.to_string())
    }
}

/// The operating system's number in an error that sled gives a second time: it repeats only the text of
/// the first, `Os { code: 28, … }`.
fn repeated(cause: &io::Error) -> Option<i32> {
    let text = cause.to_string();
    let number = text.strip_prefix("Os { code: ")?.split(',').next()?;
    number.parse().ok()
}

fn damaged(folder: &Path, words: &str) -> LedgerError {
    let words = words.lines().next().unwrap_or_default();
    LedgerError::Damaged { what: format!("the engine's files in {}: {words}", folder.display()) }
}

fn io_error(path: &Path, doing: &'static str, error: &io::Error) -> LedgerError {
    LedgerError::Io { path: path.display().to_string(), doing, cause: told_io(error) }
}

/// Looks at the files before sled does, and sees to it that it opens them: what it did not write to its end is removed,
/// and the log alone is enough where there is no snapshot.
fn prepare(folder: &Path, signs: &mut Signs<'_>) -> Result<(), LedgerError> {
    let _resting = rest(folder)?;
    let db = folder.join("db");
    let wrong = |error: io::Error| io_error(&db, "opened", &error);
    let log = segments::Log::open(&db).map_err(wrong)?;
    let snapshot = snapshot(folder)?;
    let mut followed = None;
    if let Some(mut log) = log {
        let place = snapshot.as_ref().map(|(place, _)| *place);
        match log.condition(place).map_err(wrong)? {
            Condition::Sound => {}
            Condition::Torn => signs(Sign::Torn)?,
            Condition::Damaged => signs(Sign::Damaged)?,
        }
        followed = (snapshot.is_none() && !log.is_followable()).then_some(log);
    }
    let is_broken = |path: &Path| is_sound(path).map(|sound| !sound);
    let broken =
        snapshot.map(|(_, path)| is_broken(&path).map_err(|error| io_error(&path, "read", &error)));
    if followed.is_some() || broken.transpose()?.unwrap_or_default() {
        signs(Sign::Damaged)?;
    }
    remove(folder, |name| name.starts_with(SNAPSHOT) && name.ends_with(UNFINISHED))?;
    followed.map_or(Ok(()), segments::Log::make_followable).map_err(wrong)
}

/// The newest snapshot, if there is one, and up to which place in the log it goes: its name says it.
pub(super) fn snapshot(folder: &Path) -> Result<Option<(i64, PathBuf)>, LedgerError> {
    let is_whole = |name: &str| name.starts_with(SNAPSHOT) && !name.ends_with(UNFINISHED);
    let place = |path: PathBuf| {
        let digits = path.extension().and_then(|it| i64::from_str_radix(it.to_str()?, 16).ok());
        (digits.unwrap_or_default(), path)
    };
    Ok(files(folder, is_whole)?.into_iter().map(place).max())
}

/// Whether a snapshot is as it was written: its last bytes are a checksum of those before its length.
fn is_sound(snapshot: &Path) -> io::Result<bool> {
    let bytes = fs::read(snapshot)?;
    let Some((rest, check)) = bytes.split_last_chunk() else { return Ok(false) };
    let Some((content, _length)) = rest.split_last_chunk::<8>() else { return Ok(false) };
    let mut crc = flate2::Crc::new();
    crc.update(content);
    Ok(!content.is_empty() && u32::from_le_bytes(*check) == crc.sum())
}

fn rest(folder: &Path) -> Result<Option<File>, LedgerError> {
    at_rest(folder).map_err(|error| io_error(folder, "opened", &error))
}

/// The files of a folder that have a name of some kind; none where there is no folder.
fn files(folder: &Path, which: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, LedgerError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| io_error(folder, "read", &error))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| io_error(folder, "read", &error))?;
        if which(&entry.file_name().to_string_lossy()) {
            files.push(entry.path());
        }
    }
    Ok(files)
}

fn remove(folder: &Path, which: impl Fn(&str) -> bool) -> Result<(), LedgerError> {
    for path in files(folder, which)? {
        fs::remove_file(&path).map_err(|error| io_error(&path, "removed", &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_engine_is_damage() {
        let error = guard::<()>(Path::new("x"), "read", || panic!("page table: {}", 7));
        let error = error.unwrap_err();
        assert!(matches!(&error, LedgerError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("page table: 7"), "{error}");
    }

    #[test]
    fn a_lock_that_lingers_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        drop(SledEngine::open(folder.path(), Effort::Usual, &mut |_| Ok(())).unwrap());
        let file = File::open(folder.path().join("db")).unwrap();
        file.lock().unwrap();
        let holder = thread::spawn(move || {
            thread::sleep(LOCK_TRIED * 10);
            drop(file);
        });
        drop(SledEngine::open(folder.path(), Effort::Usual, &mut |_| Ok(())).unwrap());
        holder.join().unwrap();
    }

    #[test]
    fn a_refusal_of_the_operating_system_is_no_damage() {
        let full = || Err(sled::Error::Io(io::Error::from_raw_os_error(28)));
        let error = guard::<()>(Path::new("x"), "written", full).unwrap_err();
        assert!(matches!(&error, LedgerError::Io { doing: "written", .. }), "{error}");
        let again = || Err(sled::Error::Io(io::Error::from_raw_os_error(28)).clone());
        let error = guard::<()>(Path::new("x"), "written", again).unwrap_err();
        assert!(matches!(&error, LedgerError::Io { .. }), "{error}");
        assert!(error.to_string().contains("make room"), "{error}");
        let short = || Err(sled::Error::Io(io::ErrorKind::UnexpectedEof.into()));
        let error = guard::<()>(Path::new("x"), "read", short).unwrap_err();
        assert!(matches!(&error, LedgerError::Damaged { .. }), "{error}");
    }
}
