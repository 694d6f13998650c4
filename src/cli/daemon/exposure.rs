//! How much is exposed now, for the metrics.

use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;

use crate::{
    agent::LedgerHandle, daemon::Metrics, history::query::ExposedCount, model::DestinationName,
    store::Store,
};

use super::Shared;

/// What was counted last, and where it is shown.
#[derive(Debug)]
pub(super) struct Exposure {
    metrics: Arc<Metrics>,
    known: Mutex<ExposedCount>,
}

impl Exposure {
    /// Nothing counted yet.
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, known: Mutex::default() }
    }

    /// Counts what changed at a destination.
    pub(super) fn look(&self, ledger: &LedgerHandle<Store>, destination: &DestinationName) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.at(ledger, destination) {
            Ok(count) => self.metrics.exposed(destination, count),
            Err(error) => warn!(%destination, "what is exposed cannot be counted: {error}"),
        }
    }
}

/// Counts at a destination once somebody is done there.
pub(super) struct Recount {
    pub(super) shared: Arc<Shared>,
    pub(super) destination: DestinationName,
}

impl Drop for Recount {
    fn drop(&mut self) {
        self.shared.exposure.look(&self.shared.ledger, &self.destination);
    }
}
