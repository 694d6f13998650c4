//! An engine in memory that fails when it is told to: for tests, and for simulations that crash at any
//! write.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    history::LedgerError,
    store::{
        engine::{Engine, Pair, Visitor, Writes},
        lifecycle::error::told_io,
    },
};

/// What outlives a process: clones share their content.
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>);

impl Disk {
    fn content(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys that are on it, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<Vec<u8>> {
        self.content().keys().cloned().collect()
    }

    /// Puts a value on it behind the engine's back, or takes one away: damage.
    pub fn spoil(&self, key: &[u8], value: Option<Vec<u8>>) {
        match value {
            Some(value) => self.content().insert(key.to_vec(), value),
            None => self.content().remove(key),
        };
    }

    /// The value under a key.
    #[must_use]
    pub fn value(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.content().get(key).cloned()
    }
}

/// How a commit fails. The caller is told the same either way, as after a real crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing of it reached the disk.
    NothingKept,
    /// All of it did, and only the acknowledgement was lost.
    AllKept,
    /// Nothing of it did: there was no room.
    DiskFull,
}

impl Fault {
    /// In the words of the operating system, as far as there is one.
    fn cause(self) -> String {
        match self {
            Self::NothingKept | Self::AllKept => "the engine was told to fail".to_owned(),
            Self::DiskFull => told_io(&io::ErrorKind::StorageFull.into()),
        }
    }
}

/// The engine: all commits that return are on the [`Disk`].
#[derive(Debug)]
pub struct MemoryEngine {
    disk: Disk,
    commits_left: Option<(u64, Fault)>,
}

impl MemoryEngine {
    /// An engine on what the disk holds.
    #[must_use]
    pub const fn on(disk: Disk) -> Self {
        Self { disk, commits_left: None }
    }

    /// It fails after so many more commits, and then always.
    #[must_use]
    pub const fn failing_after(mut self, commits: u64, fault: Fault) -> Self {
        self.commits_left = Some((commits, fault));
        self
    }
}

impl Engine for MemoryEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.disk.value(key))
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visitor<'_>) -> Result<(), LedgerError> {
        let found: Vec<_> = {
            let content = self.disk.content();
            let from = content.range(prefix.to_vec()..);
            let with = from.take_while(|(key, _)| key.starts_with(prefix));
            with.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        found.iter().try_for_each(|(key, value)| visit(key, value))
    }

    fn page(&self, prefix: &[u8], after: &[u8], max: usize) -> Result<Vec<Pair>, LedgerError> {
        let content = self.disk.content();
        let from = content.range(prefix.to_vec()..);
        let with = from.take_while(|(key, _)| key.starts_with(prefix));
        let after = with.filter(|(key, _)| key.as_slice() > after).take(max);
        Ok(after.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn last_key(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        let mut last = None;
        self.scan(prefix, &mut |key, _| {
            last = Some(key.to_vec());
            Ok(())
        })?;
        Ok(last)
    }

    fn commit(&mut self, writes: &Writes) -> Result<(), LedgerError> {
        let fault = match &mut self.commits_left {
            Some((0, fault)) => Some(*fault),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        if matches!(fault, None | Some(Fault::AllKept)) {
            for (key, value) in writes {
                self.disk.spoil(key, value.clone());
            }
        }
        match fault {
            Some(fault) => Err(LedgerError::Io {
                path: "memory".to_owned(),
                doing: "written",
                cause: fault.cause(),
            }),
            None => Ok(()),
        }
    }

    fn bytes_on_disk(&self) -> Result<u64, LedgerError> {
        let content = self.disk.content();
        Ok(content.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum())
    }
}
