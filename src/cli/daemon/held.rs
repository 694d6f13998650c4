//! The store while the daemon holds it: proven to be at its place before anything uses it, and opened again after a write
//! failed.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc::Sender};

use tracing::{error, info, warn};

use crate::{
    cli::{CliError, Report},
    config::StorePrivacy,
    daemon::Message,
    store::{OpenError, Store, Warning},
};

use super::Shared;

/// Who uses the store, and what ends the daemon where it cannot be opened again.
#[derive(Default)]
pub(super) struct Held {
    /// One clone for each run that is under way.
    under_way: Mutex<Arc<()>>,
    /// To the dispatcher.
    dispatcher: OnceLock<Sender<Message<Shared>>>,
    lost: OnceLock<Report>,
}

/// The store is not opened again until this is dropped.
#[must_use]
pub(super) struct InUse {
    _run: Arc<()>,
}

impl Held {
    /// Who is told when the daemon cannot go on.
    pub(super) fn tell(&self, dispatcher: Sender<Message<Shared>>) {
        drop(self.dispatcher.set(dispatcher));
    }

    /// Why the daemon could not go on, if it could not.
    pub(super) fn lost(&self) -> Option<&Report> {
        self.lost.get()
    }
}

impl Shared {
    /// The store for a run. Where a write failed it is opened again first, once no run is under way any more: what such
    /// a one goes by may be gone.
    ///
    /// # Errors
    /// If the store is not where it was opened, or cannot be written. Where it cannot be opened again the daemon ends, unless
    /// the operating system refuses it: that may pass, as a full disk does, and the next run tries again.
    pub(super) fn use_store(&self) -> Result<InUse, CliError> {
        let under_way = self.held.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let mut store = self.ledger.lock();
        store.check_place()?;
        if store.has_failed() {
            if Arc::strong_count(&under_way) > 1 {
                store.check_writable()?;
            }
            self.reopen(&mut store).map_err(|error| match error {
                CliError::Store(OpenError::Io { .. }) => error,
                _ => self.give_up(&error),
            })?;
        }
        Ok(InUse { _run: under_way.clone() })
    }

    fn reopen(&self, store: &mut Store) -> Result<(), CliError> {
        store.reopen()?;
        info!("a write to the store had failed: it was opened again");
        for warning in store.warnings() {
            match warning {
                Warning::NotPrivate { path }
                    if self.config().store_private == StorePrivacy::Require =>
                {
                    return Err(CliError::NotPrivate { path: path.clone() });
                }
                _ => warn!("{warning}"),
            }
        }
        Ok(())
    }

    /// Ends the daemon, so that whoever watches over it starts it again.
    fn give_up(&self, error: &CliError) -> CliError {
        let report = error.report();
        error!("it ends, as the store cannot be opened again after a write failed");
        drop(self.held.lost.set(report.clone()));
        self.waiter.interrupt();
        // Before the dispatcher runs there is nobody who could ask for the store.
        drop(self.held.dispatcher.get().map(|sender| sender.send(Message::Stop)));
        CliError::Told(Box::new(report))
    }
}
