//! The store's keys and values in redb, to hold it against sled: no package has it.
//!
//! The package's own tests read this file too, so it names everything by the name of the package.

use std::{
    error::Error,
    fmt::Display,
    fs::{self, File},
    path::{Path, PathBuf},
};

use misp_trickle::{
    history::LedgerError,
    store::{Engine, Pair, Visitor, Writes},
};
use redb::{Builder, Database, ReadableDatabase, TableDefinition};

const PAIRS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("pairs");
/// As much as sled is given.
const CACHE_BYTES: usize = 64 << 20;

/// Gets a key and its value, and says whether it wants more.
type Walker<'a> = dyn FnMut(&[u8], &[u8]) -> Result<bool, LedgerError> + 'a;

/// All pairs are in one table of one file; each step is one durable transaction.
pub struct RedbEngine {
    database: Database,
    path: PathBuf,
}

impl RedbEngine {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// If it cannot be read or written, or is no file of redb.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let of = |error| told(path, "opened", &error);
        let open = || -> Result<Database, Box<dyn Error>> {
            let database = Builder::new().set_cache_size(CACHE_BYTES).create(path)?;
            let begin = database.begin_write()?;
            begin.open_table(PAIRS)?;
            begin.commit()?;
            // The name of a new file has to outlive the power too.
            File::open(path.parent().unwrap_or(path))?.sync_all()?;
            Ok(database)
        };
        Ok(Self { database: open().map_err(of)?, path: path.to_owned() })
    }

    /// Makes the file as small as it can be.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn compact(path: &Path) -> Result<(), LedgerError> {
        let mut engine = Self::open(path)?;
        let compacted = engine.database.compact();
        compacted.map(drop).map_err(|error| told(path, "compacted", &error))
    }

    /// Visits the pairs of a table that begin with the prefix and come at or after a key, until the visitor says so.
    fn walk(&self, prefix: &[u8], from: &[u8], visit: &mut Walker<'_>) -> Result<(), LedgerError> {
        let read = || -> Result<_, redb::Error> {
            Ok(self.database.begin_read()?.open_table(PAIRS)?.range(from..)?)
        };
        for pair in read().map_err(|error| self.read(&error))? {
            let (key, value) = pair.map_err(|error| self.read(&error.into()))?;
            if !key.value().starts_with(prefix) || !visit(key.value(), value.value())? {
                break;
            }
        }
        Ok(())
    }

    fn read(&self, error: &redb::Error) -> LedgerError {
        told(&self.path, "read", error)
    }
}

impl Engine for RedbEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        let get = || -> Result<_, redb::Error> {
            let value = self.database.begin_read()?.open_table(PAIRS)?.get(key)?;
            Ok(value.map(|value| value.value().to_vec()))
        };
        get().map_err(|error| self.read(&error))
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visitor<'_>) -> Result<(), LedgerError> {
        self.walk(prefix, prefix, &mut |key, value| visit(key, value).map(|()| true))
    }

    fn page(&self, prefix: &[u8], after: &[u8], max: usize) -> Result<Vec<Pair>, LedgerError> {
        let mut found = Vec::new();
        if max > 0 {
            self.walk(prefix, prefix.max(after), &mut |key, value| {
                if key > after {
                    found.push((key.to_vec(), value.to_vec()));
                }
                Ok(found.len() < max)
            })?;
        }
        Ok(found)
    }

    fn last_key(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        let last = || -> Result<_, redb::Error> {
            let table = self.database.begin_read()?.open_table(PAIRS)?;
            let mut before = match behind(prefix) {
                Some(behind) => table.range::<&[u8]>(..&*behind)?,
                None => table.range::<&[u8]>(..)?,
            };
            let key = before.next_back().transpose()?.map(|(key, _)| key.value().to_vec());
            Ok(key.filter(|key| key.starts_with(prefix)))
        };
        last().map_err(|error| self.read(&error))
    }

    fn commit(&mut self, writes: &Writes) -> Result<(), LedgerError> {
        let commit = || -> Result<(), redb::Error> {
            let step = self.database.begin_write()?;
            let mut table = step.open_table(PAIRS)?;
            for (key, value) in writes {
                match value {
                    Some(value) => drop(table.insert(&**key, &**value)?),
                    None => drop(table.remove(&**key)?),
                }
            }
            drop(table);
            Ok(step.commit()?)
        };
        commit().map_err(|error| told(&self.path, "written", &error))
    }

    fn bytes_on_disk(&self) -> Result<u64, LedgerError> {
        let file = fs::metadata(&self.path).map_err(|error| told(&self.path, "read", &error))?;
        Ok(file.len())
    }
}

/// The first key behind all that begin with the prefix.
fn behind(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut behind = prefix[..=last].to_vec();
    behind[last] += 1;
    Some(behind)
}

fn told(path: &Path, doing: &'static str, cause: &dyn Display) -> LedgerError {
    LedgerError::Io { path: path.display().to_string(), doing, cause: cause.to_string() }
}
