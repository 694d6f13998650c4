//! The ledger on disk: sled behind one file, records in bincode, every one checked when it is read.
//!
//! A store is a folder: `lock`, `holder` and `socket` (who has it open, and where that one answers), `acknowledged`
//! (the last commit), `engine` (sled's own files), and `mirror` (what feeds gave, no part of the ledger). `record::keys` lists the records.
//!
//! Invariants:
//! - A commit is one batch: the heads, objects, changes and records of a step, and the counters.
//! - An object's bytes say where it is used, so no two places share one: an object that a commit replaces
//!   is garbage, and is removed by the same batch. History needs none, for it records the changes.
//! - An object stands under the digest of its bytes; a record carries a digest over its key and body. What
//!   does not match is an error, never an answer.
//! - After a failed write nothing more is written until the store was opened again.
//! - A record of a later version is refused as newer, never taken for damage.

mod engine;
mod event;
mod export;
mod index;
mod ledger;
mod lifecycle;
mod mirrors;
#[doc(hidden)]
pub mod probe;
mod record;
mod upkeep;
mod view;

#[cfg(test)]
mod tests;

pub use engine::memory::{Disk, Fault, MemoryEngine};
pub use engine::{Engine, Pair, VALUE_BYTES_MAX, Visitor, Writes};
pub use export::{EXPORT_SCHEMA, ExportCounts, ExportError, ImportError, ImportReport};
pub use lifecycle::copy::remove_copies;
pub use lifecycle::error::{OpenError, is_out_of_files};
pub use lifecycle::folder::{PAUSED_FILE, SOCKET_NAME, replace_file};
pub use lifecycle::lock::{Owner, Socket};
pub use lifecycle::open::{OpenMode, Store, StoreId};
pub use lifecycle::warning::Warning;
pub use mirrors::MirrorFolder;
pub use record::keys::Kind;
pub use upkeep::check::{CheckReport, KindStats, Problem, Stats};
pub use upkeep::gc::GcReport;
pub use upkeep::repair::{RepairMode, RepairReport, Repaired};
pub use upkeep::salvage::EventLoss;
pub use view::Reach;
