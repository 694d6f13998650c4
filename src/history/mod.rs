//! Runs and changes, the ledger they are kept in, and the questions people ask of them.

mod clearance;
mod cleared;
mod ledger;
mod losses;
mod memory;
pub mod query;
mod record;
mod term;
mod words;

pub use clearance::Clearance;
pub use cleared::Cleared;
pub(crate) use ledger::read_changes_of;
pub use ledger::{ChangePlace, Commit, Cursor, Found, Ledger, LedgerError};
#[cfg(test)]
pub(crate) use losses::LOSSES_BYTES_MAX;
pub use losses::{KnownLoss, Loss, LossOf, LossPlace};
pub(crate) use losses::{LOSS_BUCKETS, LOSSES_OF_EVENT_MAX};
pub use memory::MemoryLedger;
pub use record::{
    DatasetTally, DestinationTally, FORGETS, Outcome, Pull, PullOutcome, REMOVALS_WAIT, Repeated,
    RunKind, RunRecord,
};

pub(crate) use term::Leads;
pub use term::Term;
pub use words::WordOf;
pub(crate) use words::{is_part, words, words_beside_a_net, words_of_value};

pub use crate::plan::{Change, ChangeKind, EventUpdate};
