//! The port to whatever keeps bytes by key, and those that stand behind it: sled on disk, and a map with faults.

pub(super) mod memory;
pub(super) mod segments;
pub(super) mod sled;
pub(super) mod tail;

use std::collections::BTreeMap;

use crate::history::LedgerError;

/// Longest value that may be given to an engine, in bytes.
pub const VALUE_BYTES_MAX: usize = 6 << 10;

/// One atomic step: keys in order, each with its new value, or `None` to remove it.
pub type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Gets a key and its value; an error ends the scan.
pub type Visitor<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), LedgerError> + 'a;

/// Bytes by key, in order, written in atomic and durable steps.
pub trait Engine: Send {
    /// The value under a key.
    ///
    /// # Errors
    /// If it cannot be read; so for every question below.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError>;

    /// Visits every key that begins with the prefix, in order.
    fn scan(&self, prefix: &[u8], visit: &mut Visitor<'_>) -> Result<(), LedgerError>;

    /// At most so many keys that begin with the prefix and come after one, in order, with their values; none only where
    /// there is none.
    fn page(&self, prefix: &[u8], after: &[u8], max: usize) -> Result<Vec<Pair>, LedgerError>;

    /// Visits every key that begins with the prefix from the last one backwards: where part of the files
    /// cannot be read, this finds what stands behind it. An engine that reads only forwards visits nothing then.
    ///
    /// # Errors
    /// At the first value that cannot be read; those before it were visited.
    fn scan_back(&self, prefix: &[u8], visit: &mut Visitor<'_>) -> Result<(), LedgerError> {
        let mut found = Vec::new();
        self.scan(prefix, &mut |key, value| {
            found.push((key.to_vec(), value.to_vec()));
            Ok(())
        })?;
        found.iter().rev().try_for_each(|(key, value)| visit(key, value))
    }

    /// The last key that begins with the prefix.
    fn last_key(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, LedgerError>;

    /// Writes one step. When it returns, all of it is on the disk.
    ///
    /// # Errors
    /// If that is not certain: all of it may be there, or nothing.
    fn commit(&mut self, writes: &Writes) -> Result<(), LedgerError>;

    /// Bytes that the engine's files take.
    fn bytes_on_disk(&self) -> Result<u64, LedgerError>;
}

/// How far an engine that does not open is helped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Its snapshot is dropped.
    Usual,
    /// Its settings too: they are always ours, and sled writes them anew.
    Utmost,
}
