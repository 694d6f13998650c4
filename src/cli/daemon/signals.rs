//! What signals do to the daemon.

use std::{
    io,
    time::{Duration, Instant},
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::live::is_hang_up_ignored;

/// A second signal within this time counts as the first: service managers and terminals send some twice.
const SAME: Duration = Duration::from_secs(2);

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignalAction {
    /// End once what is under way is finished.
    End,
    /// End at once.
    EndNow,
    /// Read the configuration again.
    Reload,
}

/// The signals that the daemon hears.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// None where whoever started the program had it ignored, as `nohup` does: it stays so.
    hang_up: Option<Signal>,
    ending: Option<Instant>,
}

impl Signals {
    /// From now on they do not end the program. To be called on a runtime.
    pub(super) fn listen() -> io::Result<Self> {
        let hang_up = match is_hang_up_ignored() {
            true => None,
            false => Some(signal(SignalKind::hangup())?),
        };
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { terminate, interrupt, hang_up, ending: None })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> SignalAction {
        loop {
            let is_reload = tokio::select! {
                _ = self.terminate.recv() => false,
                _ = self.interrupt.recv() => false,
                () = hung_up(self.hang_up.as_mut()) => true,
            };
            match self.ending {
                _ if is_reload => return SignalAction::Reload,
                None => {
                    self.ending = Some(Instant::now());
                    return SignalAction::End;
                }
                Some(first) if first.elapsed() < SAME => {}
                Some(_) => return SignalAction::EndNow,
            }
        }
    }
}

async fn hung_up(hang_up: Option<&mut Signal>) {
    match hang_up {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
