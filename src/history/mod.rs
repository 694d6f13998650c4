//! Runs and changes, the ledger they are kept in, and the questions people ask of them.

mod clearance;
mod cleared;
mod ledger;
mod losses;
mod memory;
pub mod query;
mod record;
mod settle;
mod term;
mod words;

pub use clearance::Clearance;
pub use cleared::Cleared;
pub(crate) use ledger::read_changes_of;
pub use ledger::{ChangePlace, Commit, Cursor, Found, Ledger, LedgerError};
pub(crate) use losses::LOSS_BUCKETS;
pub use losses::{Ended, KnownLoss, Loss, LossOf, LossPlace, MoreLosses, PlaceLosses};
pub use memory::MemoryLedger;
pub use record::{
    DatasetTally, DestinationTally, FORGETS, Outcome, Pull, PullOutcome, REMOVALS_WAIT, Repeated,
    RunKind, RunRecord,
};

pub use settle::Fate;
#[cfg(test)]
pub(crate) use settle::LOSSES_BYTES_MAX;
pub(crate) use settle::LOSSES_OF_EVENT_MAX;
pub(crate) use term::Leads;
pub use term::Term;
pub use words::WordOf;
pub(crate) use words::{is_part, words, words_beside_a_net, words_of_value};

pub use crate::plan::{Change, ChangeKind, EventUpdate};
