//! What signals do to the daemon.

use std::{
    io,
    time::{Duration, Instant},
};

use tokio::signal::unix::SignalKind;

use crate::cli::live::Heeded;

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
    terminate: Heeded,
    interrupt: Heeded,
    hang_up: Heeded,
    ending: Option<Instant>,
}

impl Signals {
    /// From now on they do not end the program. To be called on a runtime.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: Heeded::begin(SignalKind::terminate())?,
            interrupt: Heeded::begin(SignalKind::interrupt())?,
            hang_up: Heeded::begin(SignalKind::hangup())?,
            ending: None,
        })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> SignalAction {
        loop {
            let is_reload = tokio::select! {
                () = self.terminate.recv() => false,
                () = self.interrupt.recv() => false,
                () = self.hang_up.recv() => true,
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
