//! What the verbs that speak to MISP share: threads, signals, the connection, the store.

mod signals;
mod waiter;

use std::{io, path::Path, process, sync::atomic::AtomicBool, time::Duration};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::{
    agent::{Clock, SystemClock},
    config::{Destination, StorePrivacy, format_duration},
    history::Ledger,
    remote::Remote,
    store::{OpenError, OpenMode, Owner, Store, Warning},
};

use super::{CliError, Context, job, throttles::Throttles};

#[cfg(unix)]
pub(super) use signals::Heeded;
pub(super) use signals::{Signals, leave_no_copy, paged};
pub(super) use waiter::Waiter;

use signals::listen;

/// Requests are few and small beside the work of MISP.
const THREADS: usize = 2;
/// How long a run that was asked to stop may take: longer than its own waiter with requests under way, and
/// short enough for the program to be gone after five seconds.
pub(super) const GRACE: Duration = Duration::from_millis(4_500);
/// When the program ends whatever it is doing.
pub(super) const AT_LAST: Duration = Duration::from_millis(4_800);

/// How long those who wait on the threads may take to go.
pub(super) const LEAVING: Duration = Duration::from_millis(200);

/// Threads for requests, and an ear for signals.
pub(super) struct Live {
    /// `None` while it is dropped, and where the threads are those of a host.
    runtime: Option<Runtime>,
    waiter: Waiter,
}

impl Live {
    /// Starts the threads and listens for signals: the first one asks the run to stop, a second ends the
    /// program at once.
    pub(super) fn start(context: &Context) -> Result<Self, CliError> {
        if let Some(host) = &context.host {
            let waiter = host.waiter().on_behalf_of(host.clone());
            return Ok(Self { runtime: None, waiter });
        }
        let live = Self::without_signals()?;
        let (threads, flag) = (live.threads(), live.waiter.shared_flag());
        let signals = threads.block_on(async { Signals::listen() }).map_err(CliError::System)?;
        drop(threads.spawn(listen(signals, flag, context.global.json)));
        Ok(live)
    }

    /// Starts the threads; what signals do is the matter of somebody else.
    pub(super) fn without_signals() -> Result<Self, CliError> {
        let runtime = runtime(Builder::new_multi_thread().worker_threads(THREADS));
        let runtime = runtime.map_err(CliError::System)?;
        let waiter = Waiter::on(runtime.handle().clone());
        Ok(Self { runtime: Some(runtime), waiter })
    }

    /// The threads.
    pub(super) const fn threads(&self) -> &Handle {
        self.waiter.threads()
    }

    /// What may be shared with others who wait.
    pub(super) const fn waiter(&self) -> &Waiter {
        &self.waiter
    }

    /// Waits for a question to MISP; `None` if somebody does not want to wait any longer.
    pub(super) fn ask<T>(&self, question: impl Future<Output = T>) -> Option<T> {
        self.waiter.ask(question)
    }

    /// Waits for a run, and a while longer once somebody wants it to stop.
    pub(super) fn carry_out<T>(&self, run: impl Future<Output = T>) -> Result<T, CliError> {
        self.waiter.carry_out(run)
    }

    /// Set once somebody wants the program to stop.
    pub(super) fn flag(&self) -> &AtomicBool {
        self.waiter.flag()
    }

    /// Whether somebody wants the program to stop.
    pub(super) fn interrupted(&self) -> bool {
        self.waiter.interrupted()
    }

    /// Ends the threads, and waits at most so long for those who wait on them, and for what they do.
    pub(super) fn end(mut self, wait: Duration) {
        self.waiter.close(wait);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(wait);
        }
    }
}

/// Open files that a process needs for its threads, signals, connection and store. With fewer, tokio panics.
const FILES: usize = 24;

/// Builds a runtime.
///
/// # Errors
/// If the system allows this process fewer than [`FILES`] more open files, or no threads.
pub(super) fn runtime(builder: &mut Builder) -> io::Result<Runtime> {
    #[cfg(unix)]
    {
        let open = (0..FILES).map(|_| std::fs::File::open("/dev/null"));
        drop(open.collect::<io::Result<Vec<_>>>()?);
    }
    builder.enable_all().build()
}

/// Threads that still wait for a source that says nothing are not waited for.
impl Drop for Live {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            self.waiter.close(LEAVING);
            runtime.shutdown_background();
        }
    }
}

/// The connection to a destination; nothing is sent yet.
pub(super) fn connect(
    context: &mut Context,
    destination: &Destination,
    ledger: &dyn Ledger,
) -> Result<Remote, CliError> {
    let (remote, warnings) = connection(destination, ledger, &context.throttles)?;
    warnings.iter().for_each(|warning| context.warn(warning));
    Ok(remote)
}

/// The same, with what its user should know of the key.
pub(super) fn connection(
    destination: &Destination,
    ledger: &dyn Ledger,
    throttles: &Throttles,
) -> Result<(Remote, Vec<String>), CliError> {
    let known = ledger.destination(&destination.name)?;
    let access = job::access(destination, known.as_ref())?;
    let warnings = destination.key_warnings(&access.key);
    let remote = Remote::new(&access).map_err(|cause| CliError::Access {
        of: format!("destination {}", destination.name),
        cause,
    })?;
    Ok((remote.paced(throttles.pace(destination)), warnings))
}

impl Context {
    /// The store, to answer questions.
    ///
    /// # Errors
    /// If there is none, or it cannot be opened.
    pub(super) fn ledger(&mut self) -> Result<Store, CliError> {
        let path = self.store_path()?;
        self.store_to_read(&path)
    }

    /// The store, to write to; made where there is none.
    ///
    /// # Errors
    /// If it can neither be opened nor made.
    pub(super) fn store(&mut self, path: &Path) -> Result<Store, CliError> {
        match self.open(path, OpenMode::ReadWrite) {
            Err(CliError::Store(OpenError::NoStore { .. })) => {
                match Store::create(path, self.owner()) {
                    // Another process was faster; it is waited for as for every other.
                    Err(OpenError::Locked { .. } | OpenError::Exists { .. }) => {
                        self.open(path, OpenMode::ReadWrite)
                    }
                    made => {
                        let store = made?;
                        self.heed(&store)?;
                        self.say(format_args!("made a store at {}", path.display()));
                        Ok(store)
                    }
                }
            }
            opened => opened,
        }
    }

    /// The store, to write to; it has to be there.
    ///
    /// # Errors
    /// If there is none, or it cannot be opened.
    pub(super) fn store_that_is(&mut self, path: &Path) -> Result<Store, CliError> {
        self.open(path, OpenMode::ReadWrite)
    }

    /// The store, to answer questions; it has to be there.
    ///
    /// # Errors
    /// If there is none, or it cannot be opened.
    pub(super) fn store_to_read(&mut self, path: &Path) -> Result<Store, CliError> {
        match &self.host {
            Some(host) => host.view(),
            None => self.open(path, OpenMode::ReadOnly),
        }
    }

    /// The store, to answer questions, if there is one.
    ///
    /// # Errors
    /// If there is one that cannot be opened.
    pub(super) fn store_if_any(&mut self, path: &Path) -> Result<Option<Store>, CliError> {
        match self.store_to_read(path) {
            Err(CliError::Store(OpenError::NoStore { .. })) => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// The store as it is.
    ///
    /// # Errors
    /// If there is none, or it cannot be opened.
    pub(super) fn open(&mut self, path: &Path, mode: OpenMode) -> Result<Store, CliError> {
        if mode == OpenMode::ReadOnly {
            leave_no_copy(self.global.json);
        }
        let owner = self.owner();
        let store = match Store::open(path, mode, owner.clone(), Duration::ZERO) {
            Err(OpenError::Locked { holder, .. }) if !self.global.wait.is_zero() => {
                let most = format_duration(self.global.wait);
                self.say(format_args!("waiting at most {most} for the store, which {holder} has"));
                Store::open(path, mode, owner, self.global.wait)?
            }
            opened => opened?,
        };
        self.heed(&store)?;
        Ok(store)
    }

    /// Says what the user of a store should know of it.
    fn heed(&mut self, store: &Store) -> Result<(), CliError> {
        for warning in store.warnings() {
            match warning {
                Warning::NotPrivate { path } if self.store_private == StorePrivacy::Require => {
                    return Err(CliError::NotPrivate { path: path.clone() });
                }
                _ => self.warn(warning),
            }
        }
        Ok(())
    }

    /// What others are told who find the store locked.
    pub(super) fn owner(&self) -> Owner {
        Owner {
            pid: process::id(),
            host: host(),
            command: format!("misp-trickle {}", self.verb),
            now: SystemClock.now(),
        }
    }
}

/// Name of the machine, for people only.
fn host() -> String {
    let name = std::env::var("HOSTNAME")
        .or_else(|_| std::fs::read_to_string("/proc/sys/kernel/hostname"))
        .unwrap_or_default();
    if name.trim().is_empty() { "this machine".to_owned() } else { name.trim().to_owned() }
}
