//! Who waits for work that others do, and until when.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::runtime::Handle;

use super::{super::host::Host, CliError, GRACE};

/// How often somebody who waits looks whether to go on waiting.
const LOOK: Duration = Duration::from_millis(100);
/// How often is looked whether nobody waits any more.
const POLL: Duration = Duration::from_millis(5);

/// Waits for work on the threads of a [`Live`](super::Live), until somebody wants the program to stop.
#[derive(Clone)]
pub(in crate::cli) struct Waiter {
    threads: Handle,
    interrupt: Arc<AtomicBool>,
    door: Arc<Door>,
    /// On behalf of whom, where that is not the one who runs the program.
    host: Option<Arc<dyn Host>>,
}

/// Whether the threads are still there. Who waits on threads that ended would panic, as their clock ended too.
#[derive(Debug, Default)]
struct Door {
    is_closed: AtomicBool,
    inside: AtomicUsize,
}

/// One that waits.
struct Visit<'d>(&'d Door);

impl Door {
    /// Lets somebody wait, unless the threads are about to end.
    fn enter(&self) -> Option<Visit<'_>> {
        // The order matters: whoever closes the door looks afterwards who is inside.
        self.inside.fetch_add(1, Ordering::SeqCst);
        let visit = Visit(self);
        (!self.is_closed()).then_some(visit)
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Waiter {
    /// Waits on these threads, for the one who runs the program.
    pub(super) fn on(threads: Handle) -> Self {
        Self { threads, interrupt: Arc::default(), door: Arc::default(), host: None }
    }

    /// The same, on behalf of somebody else.
    pub(super) fn on_behalf_of(self, host: Arc<dyn Host>) -> Self {
        Self { host: Some(host), ..self }
    }

    /// The threads.
    pub(super) const fn threads(&self) -> &Handle {
        &self.threads
    }

    /// Waits for what is being done, and so much longer once somebody wants the program to stop. Dropping
    /// it then is safe: what was on its way is in the ledger.
    fn wait<T>(
        &self,
        work: impl Future<Output = T>,
        grace: Duration,
        ends: impl Fn() -> bool,
    ) -> Option<T> {
        let _visit = self.door.enter()?;
        let stopped = async {
            let mut end = None;
            while !self.door.is_closed() {
                let now = Instant::now();
                if ends() && *end.get_or_insert(now + grace) <= now {
                    break;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        self.threads.block_on(async {
            tokio::select! {
                biased;
                done = work => Some(done),
                () = stopped => None,
            }
        })
    }

    /// Waits for what may be dropped at any moment; `None` if somebody does not want to wait any longer.
    pub(in crate::cli) fn ask<T>(&self, question: impl Future<Output = T>) -> Option<T> {
        let is_gone = || self.host.as_ref().is_some_and(|host| host.is_gone());
        self.wait(question, Duration::ZERO, || self.interrupted() || is_gone())
    }

    /// Waits for a run, and a while longer once somebody wants it to stop.
    pub(in crate::cli) fn carry_out<T>(&self, run: impl Future<Output = T>) -> Result<T, CliError> {
        self.wait(run, GRACE, || self.interrupted()).ok_or(CliError::Interrupted)
    }

    /// Set once somebody wants the program to stop.
    pub(in crate::cli) fn flag(&self) -> &AtomicBool {
        &self.interrupt
    }

    /// The same, to be set by a thread.
    pub(super) fn shared_flag(&self) -> Arc<AtomicBool> {
        self.interrupt.clone()
    }

    /// Whether somebody wants the program to stop.
    pub(super) fn interrupted(&self) -> bool {
        self.flag().load(Ordering::Relaxed)
    }

    /// Asks all runs to stop.
    pub(in crate::cli) fn interrupt(&self) {
        self.interrupt.store(true, Ordering::Relaxed);
    }

    /// Lets nobody wait any more, and gives those who do at most so long to go.
    pub(super) fn close(&self, most: Duration) {
        self.door.is_closed.store(true, Ordering::SeqCst);
        let end = Instant::now() + most;
        while self.door.inside.load(Ordering::SeqCst) > 0 && Instant::now() < end {
            thread::sleep(POLL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future;

    use super::*;
    use crate::cli::live::Live;

    #[test]
    fn who_waits_when_the_threads_end_or_later_gets_nothing() {
        let live = Live::without_signals().unwrap();
        let waiter = live.waiter().clone();
        let waits = thread::spawn({
            let waiter = waiter.clone();
            move || waiter.carry_out(async { tokio::time::sleep(Duration::from_mins(1)).await })
        });
        thread::sleep(LOOK / 2);
        live.end(Duration::from_secs(10));
        let ended = waits.join().expect("it does not panic");
        assert!(matches!(ended, Err(CliError::Interrupted)), "{ended:?}");
        assert_eq!(waiter.ask(future::ready(1)), None);
    }

    #[test]
    fn who_is_asked_to_stop_has_a_while_for_a_run_and_none_for_a_question() {
        let live = Live::without_signals().unwrap();
        let waiter = live.waiter();
        waiter.interrupt();
        let short = || tokio::time::sleep(3 * LOOK);
        assert!(waiter.carry_out(async { short().await }).is_ok());
        assert!(waiter.ask(async { short().await }).is_none());
        assert_eq!(waiter.ask(future::ready(1)), Some(1));
    }
}
