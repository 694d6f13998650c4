//! The signals that ask a program to stop, and what it does about them.

#[cfg(unix)]
use std::fs;
use std::{
    io, process,
    sync::{
        Arc, Once,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use tokio::runtime::Builder;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    cli::{CliError, Exit, Ui, screen::progress},
    store,
};

use super::{AT_LAST, runtime};

/// Whether somebody in this process acts on signals who ends it in order.
static IS_HEARD: AtomicBool = AtomicBool::new(false);
/// Whether Ctrl-C is for the pager.
static IS_PAGED: AtomicBool = AtomicBool::new(false);

/// The signals that ask a program to stop. Ctrl-C and a terminal that is closed ask, too, unless whoever started the
/// program had that ignored.
pub(in crate::cli) struct Signals {
    #[cfg(unix)]
    terminate: Heeded,
    #[cfg(unix)]
    interrupt: Heeded,
    #[cfg(unix)]
    hang_up: Heeded,
}

/// A signal that is heard, unless it was ignored when the program began: then it stays so. A shell has SIGINT ignored by
/// what runs in the background of a script, and `nohup` SIGHUP.
#[cfg(unix)]
pub(in crate::cli) struct Heeded(Option<Signal>);

#[cfg(unix)]
impl Heeded {
    /// From now on it does not end the program. To be called on a runtime. SIGTERM is heard always: who manages a service
    /// has no gentler word.
    pub(in crate::cli) fn begin(kind: SignalKind) -> io::Result<Self> {
        let stays_ignored = kind != SignalKind::terminate() && is_ignored(kind);
        Ok(Self((!stays_ignored).then(|| signal(kind)).transpose()?))
    }

    /// Waits for the next one.
    pub(in crate::cli) async fn recv(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}

impl Signals {
    /// From now on they do not end the program, but whoever called this does. To be called on a runtime.
    pub(in crate::cli) fn listen() -> io::Result<Self> {
        let signals = Self::begin()?;
        IS_HEARD.store(true, Ordering::Relaxed);
        Ok(signals)
    }

    /// Waits for the next one that is not for the pager.
    pub(in crate::cli) async fn next(&mut self) {
        loop {
            let is_ctrl_c = self.is_ctrl_c().await;
            if !is_ctrl_c || !IS_PAGED.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    #[cfg(unix)]
    fn begin() -> io::Result<Self> {
        Ok(Self {
            terminate: Heeded::begin(SignalKind::terminate())?,
            interrupt: Heeded::begin(SignalKind::interrupt())?,
            hang_up: Heeded::begin(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one, and says whether a terminal sends it for Ctrl-C.
    #[cfg(unix)]
    async fn is_ctrl_c(&mut self) -> bool {
        tokio::select! {
            () = self.terminate.recv() => false,
            () = self.interrupt.recv() => true,
            () = self.hang_up.recv() => false,
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    fn begin() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn is_ctrl_c(&mut self) -> bool {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        true
    }
}

/// Whether a signal was ignored when the program began, where the system tells.
#[cfg(unix)]
fn is_ignored(kind: SignalKind) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    is_in_mask(&status, kind.as_raw_value())
}

/// Whether a signal is ignored by what the system says of a process.
#[cfg(unix)]
fn is_in_mask(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The first bit is the first signal.
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// From now on Ctrl-C is for the pager.
pub(in crate::cli) fn paged() {
    IS_PAGED.store(true, Ordering::Relaxed);
}

/// From now on a signal that ends a verb which only reads ends it so that no copy of a store stays. Where the system
/// gives no thread for it, the next verb that reads removes what stays.
pub(in crate::cli) fn leave_no_copy(as_json: bool) {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let (listens, listening) = mpsc::channel();
        // Where there is no thread, its end of the channel is gone at once.
        drop(thread::Builder::new().spawn(move || end_by_signal(as_json, listens)));
        let _is_closed = listening.recv();
    });
}

/// Listens, says so by closing the channel, and ends the program unless somebody else does.
fn end_by_signal(as_json: bool, listens: mpsc::Sender<()>) -> io::Result<()> {
    let runtime = runtime(&mut Builder::new_current_thread())?;
    runtime.block_on(async {
        let mut signals = Signals::begin()?;
        drop(listens);
        loop {
            signals.next().await;
            if !IS_HEARD.load(Ordering::Relaxed) {
                end_interrupted(as_json);
            }
        }
    })
}

/// What signals do to a [`Live`](super::Live): the first one asks it to stop, a second ends the program at once.
pub(super) async fn listen(mut signals: Signals, interrupt: Arc<AtomicBool>, as_json: bool) {
    loop {
        signals.next().await;
        if interrupt.swap(true, Ordering::Relaxed) {
            store::remove_copies();
            process::exit(Exit::Interrupted.code().into());
        }
        drop(tokio::spawn(end_at_last(as_json)));
    }
}

/// Ends a program that is busy with something that nobody can stop half-way. That is safe at any moment: what
/// was on its way is in the ledger.
async fn end_at_last(as_json: bool) {
    tokio::time::sleep(AT_LAST).await;
    end_interrupted(as_json);
}

fn end_interrupted(as_json: bool) -> ! {
    progress::wipe();
    store::remove_copies();
    Ui::standard(true).report(&CliError::Interrupted.report(), as_json);
    process::exit(Exit::Interrupted.code().into());
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_ignored_where_its_bit_says_so() {
        let (hang_up, interrupt) = (SignalKind::hangup(), SignalKind::interrupt());
        for (mask, ignored) in [("3", [true, true]), ("1", [true, false]), ("1002", [false, true])]
        {
            let status = format!("Name:\tx\nSigIgn:\t{mask}\nSigCgt:\tffff\n");
            let seen = [hang_up, interrupt].map(|kind| is_in_mask(&status, kind.as_raw_value()));
            assert_eq!(seen, ignored, "{mask}");
        }
        assert!(!is_in_mask("", 1));
    }
}
