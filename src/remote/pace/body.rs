//! The body of a request that goes in pieces, each when it may.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::Sleep;

use super::Pause;

/// A body that waits for its turn before each piece.
pub(super) struct PacedBody {
    rest: Bytes,
    pause: Pause,
    waits: Option<Pin<Box<Sleep>>>,
}

impl PacedBody {
    pub(super) fn new(body: Vec<u8>, pause: Pause) -> Self {
        Self { rest: body.into(), pause, waits: None }
    }

    /// How many bytes go next.
    fn piece(&self) -> usize {
        self.rest.len().min(self.pause.pace.piece)
    }
}

impl fmt::Debug for PacedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacedBody").field("rest", &self.rest.len()).finish_non_exhaustive()
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.piece();
        if piece == 0 {
            return Poll::Ready(None);
        }
        if self.waits.is_none() {
            let wait = self.pause.take(piece as u64);
            self.waits = Some(Box::pin(tokio::time::sleep(wait)));
        }
        if let Some(waits) = &mut self.waits
            && waits.as_mut().poll(context).is_pending()
        {
            return Poll::Pending;
        }
        self.waits = None;
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
