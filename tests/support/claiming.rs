//! A ledger that may write down as sent what is only about to be sent.

use misp_trickle::{
    history::{Commit, Ledger, LedgerError},
    model::{DestinationName, RunNumber},
};

use crate::{sabotage, through::Commits};

/// Whether it does.
pub struct Claiming(pub bool);

impl<L: Ledger> Commits<L> for Claiming {
    fn commit(
        &mut self,
        inner: &mut L,
        destination: &DestinationName,
        run: RunNumber,
        mut commit: Commit,
    ) -> Result<(), LedgerError> {
        if self.0 {
            sabotage::claim(&mut commit);
        }
        inner.commit(destination, run, commit)
    }
}
