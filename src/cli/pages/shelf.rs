//! A store that nobody else has, opened for a while: opening it takes a copy.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    cli::{CliError, Context, Kind},
    store::Store,
};

/// After so long it is opened anew.
const FRESH: Duration = Duration::from_secs(10);

/// What was opened, and when. While a run has the store, what was opened before it is shown.
#[derive(Default)]
pub(super) struct Shelf(Mutex<Option<(Instant, Arc<Mutex<Store>>)>>);

impl Shelf {
    /// The store as it was a moment ago.
    pub(super) fn take(&self, context: &mut Context) -> Result<Arc<Mutex<Store>>, CliError> {
        let mut opened = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, store)) = &*opened {
            if at.elapsed() < FRESH {
                return Ok(store.clone());
            }
            context.global.wait = Duration::ZERO;
        }
        match (context.ledger(), &*opened) {
            (Ok(store), _) => {
                let store = Arc::new(Mutex::new(store));
                *opened = Some((Instant::now(), store.clone()));
                Ok(store)
            }
            (Err(error), Some((_, store))) if error.report().kind == Kind::StoreLocked => {
                Ok(store.clone())
            }
            (Err(error), _) => Err(error),
        }
    }
}
