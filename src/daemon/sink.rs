//! An answer that is sent while it is made.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body, Bytes, Frame};
use tokio::{runtime::Handle, sync::mpsc};

/// Parts that are on their way at once.
const PARTS: usize = 8;
/// After so long without taking anything, whoever asked counts as gone.
const STALLED: Duration = Duration::from_secs(60);

/// Where an answer goes. It ends with the last of the sinks.
#[derive(Debug, Clone)]
pub struct Sink {
    parts: mpsc::Sender<Bytes>,
    threads: Handle,
}

impl Sink {
    /// Both ends. To be called on a runtime.
    pub(super) fn open() -> (Self, Reply) {
        let (parts, sent) = mpsc::channel(PARTS);
        (Self { parts, threads: Handle::current() }, Reply(sent))
    }

    /// Sends a part; waits while whoever asked does not keep up.
    ///
    /// # Errors
    /// If nobody takes it.
    pub fn send(&self, part: Vec<u8>) -> io::Result<()> {
        let sent = self.threads.block_on(self.parts.send_timeout(part.into(), STALLED));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Whether whoever asked went away.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.parts.is_closed()
    }
}

/// The body of an answer that is still being made.
pub(super) struct Reply(mpsc::Receiver<Bytes>);

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|part| part.map(|part| Ok(Frame::data(part))))
    }
}
