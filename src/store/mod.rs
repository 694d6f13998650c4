//! The ledger on disk: sled behind one file, records in bincode, every one checked when it is read.
//!
//! A store is a folder: `lock` and `holder` (who has it open), `acknowledged` (the last commit), and
//! `engine` (sled's own files). `keys.rs` lists the records.
//!
//! Invariants:
//! - A commit is one batch: the heads, objects, changes and records of a step, and the counters.
//! - An object's bytes say where it is used, so no two places share one: an object that a commit replaces
//!   is garbage, and is removed by the same batch. History needs none, for it records the changes.
//! - An object stands under the digest of its bytes; a record carries a digest over its key and body. What
//!   does not match is an error, never an answer.
//! - After a failed write nothing more is written until the store was opened again.
//! - A record of a later version is refused as newer, never taken for damage.

mod check;
mod copy;
mod doubt;
mod engine;
mod envelope;
mod error;
mod events;
mod export;
mod gc;
mod keys;
mod ledger;
mod lock;
mod mark;
mod memory;
mod open;
mod overlay;
mod private;
pub(crate) mod probe;
mod rebuild;
mod record;
mod repair;
mod salvage;
mod segments;
mod tree;

#[cfg(test)]
mod tests;

pub use check::{CheckReport, KindStats, Problem, Stats};
pub use engine::{Engine, VALUE_BYTES_MAX, Visitor, Writes};
pub use error::OpenError;
pub use export::{EXPORT_SCHEMA, ExportCounts, ExportError, ImportError, ImportReport};
pub use gc::GcReport;
pub use keys::Kind;
pub use lock::Owner;
pub use memory::{Disk, Fault, MemoryEngine};
pub use open::{OpenMode, Store, StoreId, Warning};
pub use repair::{RepairMode, RepairReport, Repaired};
pub use salvage::EventLoss;
