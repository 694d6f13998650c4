//! The daemon as a verb finds it that it runs for somebody else.

use std::{
    fmt,
    io::Write,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    time::Duration,
};

use crate::{
    agent::{LedgerHandle, Summary},
    cli::{
        CliError, Report,
        host::{Host, Turn},
        live::Waiter,
    },
    config::Config,
    daemon::{Message, Sink},
    model::{DestinationName, RouteName, Timestamp},
    store::Store,
};

use super::{Shared, ask::Channel, exposure::Recount, handler::Part, worker::delivered};

/// How often somebody who waits for his turn looks whether to go on waiting.
pub(super) const LOOK: Duration = Duration::from_millis(200);

/// The daemon on behalf of one request.
pub(super) struct RequestHost {
    pub(super) shared: Arc<Shared>,
    /// To the dispatcher.
    pub(super) sender: Sender<Message<Shared>>,
    /// To whoever asked; none where a page is asked for.
    pub(super) sink: Option<Sink>,
    /// What is in the file that whoever asked named.
    pub(super) input: Option<String>,
}

impl fmt::Debug for RequestHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestHost")
    }
}

impl Host for RequestHost {
    fn config(&self) -> Config {
        (*self.shared.config()).clone()
    }

    fn view(&self) -> Result<Store, CliError> {
        let ledger = self.shared.ledger.clone();
        self.shared.ledger.lock().check_place()?;
        let reach = move |work: &mut dyn FnMut(&Store)| work(&ledger.lock());
        Ok(self.shared.ledger.lock().view(Box::new(reach))?)
    }

    fn ledger(&self) -> LedgerHandle<Store> {
        self.shared.ledger.clone()
    }

    fn waiter(&self) -> Waiter {
        self.shared.waiter.clone()
    }

    fn turn(
        &self,
        destination: &DestinationName,
        waits: &mut dyn FnMut(),
    ) -> Result<Turn, CliError> {
        let (tells, told) = channel();
        drop(self.sender.send(Message::Claim(destination.clone(), tells)));
        let mut waits = Some(waits);
        loop {
            match told.recv_timeout(LOOK) {
                Ok(turn) => {
                    let in_use = self.shared.use_store()?;
                    let (shared, destination) = (self.shared.clone(), destination.clone());
                    return Ok(Turn::of((in_use, turn, Recount { shared, destination })));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(CliError::Interrupted),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let ends = self.shared.waiter.flag().load(Ordering::Relaxed);
            if ends || self.is_gone() {
                return Err(CliError::Interrupted);
            }
            if let Some(waits) = waits.take() {
                waits();
            }
        }
    }

    fn ran(&self, route: RouteName, began: Timestamp, outcome: &Result<Summary, Report>) {
        let delivered = Box::new(delivered(outcome.clone()));
        drop(self.sender.send(Message::Ran(route, began, delivered)));
    }

    fn input(&self) -> Option<&str> {
        self.input.as_deref()
    }

    fn output(&self) -> Box<dyn Write> {
        match &self.sink {
            Some(sink) => Box::new(Part { channel: Channel::File, sink: sink.clone() }),
            None => Box::new(std::io::sink()),
        }
    }

    fn is_gone(&self) -> bool {
        self.sink.as_ref().is_some_and(Sink::is_closed)
    }
}
