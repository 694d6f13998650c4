//! Opening and creating a store.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

use uuid::Uuid;

use crate::{
    history::LedgerError,
    model::RunNumber,
    store::{
        OpenError, Owner, Warning,
        engine::{Effort, Engine, Writes},
        event::overlay::Overlay,
        lifecycle::{
            acknowledged::{Mark, Marked},
            copy::Copy,
            folder::{
                ENGINE_FOLDER, check_vacant, check_writable, identity, is_store, make_private,
            },
            found::Found,
            lock::{Lock, Socket},
            opened::{Doubt, Opened, Said, empty, open_engine},
            permissions,
            swap::{copied, forget_left},
        },
        record::{
            CountersV3, FormatV1, IdentityV1,
            envelope::{damaged, encode},
            keys,
        },
        view::Views,
    },
};

/// A ledger in a folder, open in this process alone.
///
/// Fields are dropped in order: the engine is closed before the lock is given back.
pub struct Store {
    pub(crate) engine: Box<dyn Engine>,
    pub(in crate::store) counters: CountersV3,
    pub(crate) mode: OpenMode,
    /// Why nothing more may be written.
    pub(crate) failed: Option<String>,
    pub(crate) mark: Option<Mark>,
    id: StoreId,
    pub(crate) folder: Option<PathBuf>,
    pub(in crate::store) warnings: Vec<Warning>,
    announced: Option<RunNumber>,
    /// The newest number that a run has.
    pub(in crate::store) begun: RunNumber,
    pub(crate) lock: Option<Lock>,
    /// What is read, where that is not the store itself.
    copy: Option<Copy>,
    /// Those who read it as it was.
    pub(in crate::store) views: Views,
}

/// What a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// To read and to commit.
    ReadWrite,
    /// To read, from a copy. No copy is whole while somebody writes, so this waits for writers.
    ReadOnly,
}

/// The random name of a store, given at its creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoreId(pub(crate) Uuid);

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_simple().fmt(f)
    }
}

impl Store {
    /// Opens the store in a folder. If what it holds may be older than what was acknowledged, and it is opened to be
    /// written to, every event that MISP should have is marked to be proven first; if part of its files is damaged, it is
    /// carried over into fresh ones before.
    ///
    /// # Errors
    /// If there is none, if another process has it open for longer than `wait`, if it is of a newer
    /// format or damaged, or if the operating system refuses.
    pub fn open(
        path: &Path,
        mode: OpenMode,
        owner: Owner,
        wait: Duration,
    ) -> Result<Self, OpenError> {
        match mode {
            OpenMode::ReadWrite => Self::open_to_write(path, owner, wait),
            OpenMode::ReadOnly => Self::open_to_read(path, wait),
        }
    }

    fn open_to_write(path: &Path, owner: Owner, wait: Duration) -> Result<Self, OpenError> {
        if !is_store(path) {
            // It may be being made just now.
            drop(Lock::share(path, wait)?);
            if !is_store(path) {
                return Err(OpenError::NoStore { path: path.display().to_string() });
            }
        }
        check_writable(path)?;
        Self::open_locked(path, &mut Some(Lock::take(path, owner, wait)?))
    }

    /// Opens what the lock is held of, and takes it; where it cannot be opened, the lock is left.
    pub(super) fn open_locked(path: &Path, lock: &mut Option<Lock>) -> Result<Self, OpenError> {
        let readable = make_private(path)?;
        let mut found = Found::look(path)?;
        let mut store = match Self::open_found(path, &mut found) {
            Ok(store) => store,
            Err(error) => {
                found.leave();
                return Err(error);
            }
        };
        if copied(path).is_none() {
            forget_left(path)?;
        }
        store.lock = lock.take();
        store.warnings.splice(0..0, readable);
        match store.complete(path) {
            Ok(()) => Ok(store),
            Err(error) => {
                *lock = store.lock.take();
                Err(error)
            }
        }
    }

    /// What is written when the rest is open.
    fn complete(&mut self, path: &Path) -> Result<(), OpenError> {
        self.compare_place(path)?;
        self.describe("");
        self.make_index().map_err(|error| OpenError::of(&self.shown_path(), error))
    }

    /// Opens what is there. Where that comes to its end, nothing of what was found waits any more.
    fn open_found(path: &Path, found: &mut Found) -> Result<Self, OpenError> {
        let opened = open_engine(path, Effort::Usual, Some(&mut *found));
        let Opened { engine, mark, said } = opened?;
        let mut store = match Self::formatted(Box::new(engine), path)? {
            Some(store) => store,
            None => return Err(empty(path, said.marked)),
        };
        store.warnings.extend_from_slice(found.warnings());
        let doubt = store.compare_mark(mark, said);
        match doubt {
            Doubt::None => {
                let kept = found.not_needed()?;
                store.warnings.extend(kept.map(|aside| Warning::Kept { aside }));
            }
            Doubt::Older => {}
            Doubt::Damaged => store = store.renewed(path)?.0,
        }
        if doubt != Doubt::None {
            store.distrust()?;
        }
        Ok(store)
    }

    /// What is read is a copy, so that whoever may read the files may ask: nothing in the folder changes, and
    /// writers wait no longer than the copying takes.
    fn open_to_read(path: &Path, wait: Duration) -> Result<Self, OpenError> {
        let copy = {
            let _lock = Lock::share(path, wait)?;
            if !is_store(path) {
                return Err(OpenError::NoStore { path: path.display().to_string() });
            }
            Copy::of(path)?
        };
        let Opened { engine, mark, said } = open_engine(copy.path(), Effort::Usual, None)?;
        let mut store = match Self::formatted(Box::new(engine), path)? {
            Some(store) => store,
            None => return Err(empty(path, said.marked)),
        };
        store.mode = OpenMode::ReadOnly;
        store.copy = Some(copy);
        store.compare_mark(mark, said);
        store.compare_place(path)?;
        Ok(store)
    }

    /// Makes a store in a folder, which is made too unless it is there and empty, and opens it.
    ///
    /// # Errors
    /// If there is a store already or anything else in the folder, if another process has it, or if the
    /// operating system refuses.
    pub fn create(path: &Path, owner: Owner) -> Result<Self, OpenError> {
        permissions::create_folder(path).map_err(|error| OpenError::io(path, "created", &error))?;
        check_vacant(path)?;
        let lock = Lock::take(path, owner, Duration::ZERO)?;
        let readable = make_private(path)?;
        let Opened { engine, mut mark, .. } = open_engine(path, Effort::Usual, None)?;
        let shown = path.display().to_string();
        if Self::formatted_engine(&engine).map_err(|error| OpenError::of(&shown, error))? {
            return Err(OpenError::Exists { path: shown });
        }
        let identity = identity(path, StoreId(Uuid::new_v4()))?;
        let mut store = Self::begin(Box::new(engine), &identity)
            .map_err(|error| OpenError::of(&shown, error))?;
        store.folder = Some(path.to_owned());
        store.lock = Some(lock);
        store.warnings.extend(readable);
        // A new store starts its mark anew, whatever an earlier one left in the folder.
        mark.set(store.counters.sequence);
        store.mark = Some(mark);
        permissions::sync_folder(&path.join(ENGINE_FOLDER))
            .and_then(|()| permissions::sync_folder(path))
            .map_err(|error| OpenError::io(path, "synced", &error))?;
        store.describe("");
        Ok(store)
    }

    /// A store on an engine of the caller's, begun if the engine is empty: for tests and simulations.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn over(engine: Box<dyn Engine>) -> Result<Self, OpenError> {
        let nowhere = Path::new("memory");
        let of = |error| OpenError::of("memory", error);
        if Self::formatted_engine(&*engine).map_err(of)? {
            let store = Self::formatted(engine, nowhere)?;
            let missing = || OpenError::NoStore { path: "memory".to_owned() };
            let mut store = store.ok_or_else(missing)?;
            store.make_index().map_err(of)?;
            return Ok(store);
        }
        let id = *Uuid::new_v4().as_bytes();
        Self::begin(engine, &IdentityV1 { id, path: String::new(), inode: 0 }).map_err(of)
    }

    /// The store's random name.
    #[must_use]
    pub const fn id(&self) -> StoreId {
        self.id
    }

    /// What its user should know of the store's condition.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    pub(crate) fn shown_path(&self) -> String {
        self.folder.as_deref().unwrap_or(Path::new("memory")).display().to_string()
    }

    /// Tells others where questions are answered while this store is open.
    ///
    /// # Errors
    /// If the file that says so cannot be written.
    pub fn advertise(&self, path: &Path, protocol: u32) -> io::Result<()> {
        let socket = Socket { path: path.to_owned(), protocol, store: self.id.to_string() };
        self.lock.as_ref().map_or(Ok(()), |lock| lock.advertise(&socket))
    }

    /// Where the process that has the store of a folder open answers questions, if one has it and does.
    #[must_use]
    pub fn advertised(folder: &Path) -> Option<Socket> {
        Lock::advertised(folder)
    }

    /// Tells those who wait which run it is.
    pub(crate) fn announce(&mut self, run: RunNumber) {
        // Runs that go side by side take turns in committing: the newest stands for them.
        if self.announced < Some(run) {
            self.announced = Some(run);
            self.describe(&format!(", run {run}"));
        }
    }

    fn describe(&self, more: &str) {
        if let Some(lock) = &self.lock {
            lock.describe(&format!(", store {}{more}", self.id));
        }
    }

    /// Whether the engine holds a store; if not, it is empty.
    pub(crate) fn formatted_engine(engine: &dyn Engine) -> Result<bool, LedgerError> {
        let overlay = Overlay::over(engine);
        let Some(body) = overlay.record(keys::FORMAT)? else {
            return match engine.last_key(b"")? {
                None => Ok(false),
                Some(_) => Err(damaged("there are records but no format number".to_owned())),
            };
        };
        let FormatV1(format) = body.decode("the store")?;
        match format {
            1 => Ok(true),
            0 => Err(damaged("the format number is 0".to_owned())),
            _ => Err(LedgerError::Newer { what: format!("format {format} of the store") }),
        }
    }

    pub(crate) fn formatted(
        engine: Box<dyn Engine>,
        path: &Path,
    ) -> Result<Option<Self>, OpenError> {
        let shown = path.display().to_string();
        let read = || -> Result<_, LedgerError> {
            if !Self::formatted_engine(&*engine)? {
                return Ok(None);
            }
            let overlay = Overlay::over(&*engine);
            let missing = |what: &str| damaged(format!("{what} is missing"));
            let counters = overlay.record(keys::COUNTERS)?;
            let counters = counters.ok_or_else(|| missing("the commit counter"))?;
            let identity = overlay.record(keys::IDENTITY)?;
            let identity = identity.ok_or_else(|| missing("the store's identity"))?;
            let identity: IdentityV1 = identity.decode("the store's identity")?;
            Ok(Some((CountersV3::read(&counters)?, identity)))
        };
        let found = read().map_err(|error| OpenError::of(&shown, error))?;
        Ok(found.map(|(counters, identity)| {
            let mut store = Self::bare(engine, counters, &identity);
            store.folder = Some(path.to_owned());
            store
        }))
    }

    /// Writes the first records into an empty engine.
    fn begin(engine: Box<dyn Engine>, identity: &IdentityV1) -> Result<Self, LedgerError> {
        let counters = CountersV3::after(0).with_index(true);
        let mut store = Self::bare(engine, counters, identity);
        let mut overlay = store.read();
        overlay.put_record(keys::FORMAT.to_vec(), &encode(&FormatV1::CURRENT)?)?;
        overlay.put_record(keys::IDENTITY.to_vec(), &encode(identity)?)?;
        let writes: Writes = overlay.into_writes();
        store.write(writes)?;
        Ok(store)
    }

    pub(in crate::store) fn bare(
        engine: Box<dyn Engine>,
        counters: CountersV3,
        identity: &IdentityV1,
    ) -> Self {
        Self {
            engine,
            counters,
            mode: OpenMode::ReadWrite,
            failed: None,
            mark: None,
            id: StoreId(Uuid::from_bytes(identity.id)),
            folder: None,
            warnings: Vec::new(),
            announced: None,
            begun: RunNumber::default(),
            lock: None,
            copy: None,
            views: Views::default(),
        }
    }

    /// Whether the engine may hold less than was acknowledged; if so, a warning says it.
    pub(crate) fn compare_mark(&mut self, mut mark: Mark, said: Said) -> Doubt {
        let found = self.counters.sequence;
        let (acknowledged, doubted) = match said.marked {
            Marked::Nothing => (0, false),
            Marked::Commit(number) => (number, false),
            Marked::Doubted(number) => (number, true),
        };
        let older = acknowledged > found;
        let suspect = doubted || (older && said.is_torn);
        self.warnings.extend(suspect.then_some(Warning::Suspect));
        self.warnings.extend(older.then_some(Warning::Older { acknowledged, found }));
        let doubt = match (suspect, older) {
            (true, _) => Doubt::Damaged,
            (false, true) => Doubt::Older,
            (false, false) => Doubt::None,
        };
        if doubt == Doubt::None {
            mark.set(found);
        }
        self.mark = Some(mark);
        doubt
    }

    /// Marks every event that MISP should have as one to be proven, and says how many there are: with that the doubt
    /// is settled.
    fn distrust(&mut self) -> Result<(), OpenError> {
        let marked = self.settle_doubt();
        let events = marked.map_err(|error| OpenError::of(&self.shown_path(), error))?;
        if events > 0 {
            self.warnings.push(Warning::Distrusted { events });
        }
        Ok(())
    }

    /// Warns if the folder is another one than before, and remembers the new one. A folder that was only
    /// renamed, or is seen under another path from a container, keeps its inode and is no copy.
    fn compare_place(&mut self, path: &Path) -> Result<(), OpenError> {
        let shown = path.display().to_string();
        let of = |error| OpenError::of(&shown, error);
        let body = self.read().record(keys::IDENTITY).map_err(of)?;
        let body = body.expect("the identity was read when the store was opened");
        let before: IdentityV1 = body.decode("the store's identity").map_err(of)?;
        let now = identity(path, self.id)?;
        if before == now {
            return Ok(());
        }
        if before.inode != now.inode {
            self.warnings.push(Warning::Copied { from: before.path });
        }
        if self.mode == OpenMode::ReadWrite {
            let mut overlay = self.read();
            let body = encode(&now).map_err(of)?;
            overlay.put_record(keys::IDENTITY.to_vec(), &body).map_err(of)?;
            let writes = overlay.into_writes();
            self.write(writes).map_err(of)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("id", &self.id)
            .field("folder", &self.folder)
            .field("mode", &self.mode)
            .field("commits", &self.counters.sequence)
            .finish_non_exhaustive()
    }
}
