//! What a verb finds when the owner of the store runs it for somebody else: the store as it is held, the turn at a
//! destination, and the files of whoever asked.

use std::{
    fmt,
    io::{self, Write},
    path::Path,
};

use crate::{
    agent::{LedgerHandle, Summary},
    cli::{CliError, Context, Report, live::Waiter},
    config::Config,
    model::{DestinationName, RouteName, Timestamp},
    store::Store,
};

use super::output::{Output, Rights};

/// The owner of a store, on behalf of somebody who asked.
pub(in crate::cli) trait Host: fmt::Debug + Send + Sync {
    /// The configuration in effect.
    fn config(&self) -> Config;

    /// The store as it is now, to be read.
    ///
    /// # Errors
    /// If it cannot be read.
    fn view(&self) -> Result<Store, CliError>;

    /// The store, to be written to beside others.
    fn ledger(&self) -> LedgerHandle<Store>;

    /// Waits for requests, until the owner ends.
    fn waiter(&self) -> Waiter;

    /// Waits until nothing is under way at a destination. `waits` is called if that takes long.
    ///
    /// # Errors
    /// If whoever asked went away, or the owner ends.
    fn turn(
        &self,
        destination: &DestinationName,
        waits: &mut dyn FnMut(),
    ) -> Result<Turn, CliError>;

    /// Hears of a run in such a turn, as of those that it began itself.
    fn ran(&self, route: RouteName, began: Timestamp, outcome: &Result<Summary, Report>);

    /// What is in the file that whoever asked named.
    fn input(&self) -> Option<&str>;

    /// Writes to the file that whoever asked named.
    fn output(&self) -> Box<dyn Write>;

    /// Whether whoever asked went away.
    fn is_gone(&self) -> bool;
}

/// A destination for oneself, until it is dropped. Without a host the store's lock is all that is needed.
#[must_use]
pub(in crate::cli) struct Turn {
    _held: Option<Box<dyn Send>>,
}

impl Turn {
    /// A turn that lasts as long as what is held.
    pub(in crate::cli) fn of(held: impl Send + 'static) -> Self {
        Self { _held: Some(Box::new(held)) }
    }
}

/// A file of whoever asked.
pub(in crate::cli) enum Target {
    /// Of this process.
    File(Output),
    /// Of one that asked the owner of the store.
    Elsewhere(Box<dyn Write>),
}

impl Target {
    /// Ends the file, which from now on is there.
    ///
    /// # Errors
    /// Those of the disk.
    pub(in crate::cli) fn end(self) -> io::Result<()> {
        match self {
            Self::File(output) => output.end(),
            Self::Elsewhere(mut file) => file.flush(),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(output) => output.write(bytes),
            Self::Elsewhere(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(output) => output.flush(),
            Self::Elsewhere(file) => file.flush(),
        }
    }
}

impl Context {
    /// Waits for the turn at a destination.
    ///
    /// # Errors
    /// If nobody waits any longer.
    pub(in crate::cli) fn turn(&mut self, destination: &DestinationName) -> Result<Turn, CliError> {
        let Some(host) = self.host.clone() else { return Ok(Turn { _held: None }) };
        host.turn(destination, &mut || {
            self.say(format_args!("waiting for what is under way at {destination}"));
        })
    }

    /// A file of whoever asked, to be written.
    ///
    /// # Errors
    /// Those of the disk.
    pub(in crate::cli) fn output(&self, path: &Path, rights: Rights) -> io::Result<Target> {
        match &self.host {
            Some(host) => Ok(Target::Elsewhere(host.output())),
            None => Output::begin(path, rights).map(Target::File),
        }
    }
}
