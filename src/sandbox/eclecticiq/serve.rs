//! The stand-in behind HTTP/1.1. Nothing is decided here: requests go to [`Platform::handle`] with the time of the
//! clock, one after the other, and answers are brought at their pace.

use std::{
    convert::Infallible,
    future::{self, Future},
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{self, Body, Bytes},
    extract::{ConnectInfo, Request as HttpRequest, State},
    http::Response,
};
use hyper::body::Frame;
use tokio::{
    net::TcpListener,
    time::{Sleep, sleep},
};

use crate::{
    model::Timestamp,
    sandbox::http::serve::{received, response},
};

use super::{Answer, Caller, Pace, Platform};

/// The longest body that is read, in bytes.
const BODY_BYTES_MAX: usize = 1 << 30;
/// A slow body comes in so many parts a second.
const PARTS: usize = 10;
/// From one part to the next.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves a platform on a listener until the future is dropped.
pub fn serve(
    listener: TcpListener,
    platform: Arc<Mutex<Platform>>,
) -> impl Future<Output = io::Result<()>> {
    let router = Router::new().fallback(answer).with_state(platform);
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).into_future()
}

async fn answer(
    State(platform): State<Arc<Mutex<Platform>>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: HttpRequest,
) -> Result<Response<Body>, Infallible> {
    let request = match received(request, BODY_BYTES_MAX).await {
        Ok(request) => request,
        Err(refusal) => return Ok(refusal),
    };
    let from =
        if peer.ip().to_canonical().is_loopback() { Caller::Local } else { Caller::Elsewhere };
    let now = Timestamp::from_micros(jiff::Timestamp::now().as_microsecond());
    let answer =
        platform.lock().unwrap_or_else(PoisonError::into_inner).handle(&request, from, now);
    Ok(at_its_pace(answer).await)
}

async fn at_its_pace(Answer { mut reply, pace }: Answer) -> Response<Body> {
    let body = match pace {
        Pace::Whole => Body::from(reply.body),
        Pace::Silent => return future::pending().await,
        Pace::Cut(_) | Pace::Slow(_) => {
            let length = reply.body.len().to_string();
            reply.headers.push(("Content-Length".to_owned(), length));
            Body::new(Paced::new(reply.body.into(), pace))
        }
    };
    response(reply.status, reply.headers, body)
}

/// A body that comes slowly, or not to its end.
struct Paced {
    rest: Bytes,
    /// So many bytes before the connection ends.
    until_cut: Option<usize>,
    /// So many bytes at once.
    part: usize,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    fn new(body: Bytes, pace: Pace) -> Self {
        let (until_cut, part) = match pace {
            Pace::Cut(bytes) if bytes < body.len() => (Some(bytes), usize::MAX),
            Pace::Slow(bytes) => (None, bytes.div_ceil(PARTS).max(1)),
            Pace::Cut(_) | Pace::Whole | Pace::Silent => (None, usize::MAX),
        };
        Self { rest: body, until_cut, part, wait: None }
    }
}

impl body::HttpBody for Paced {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(wait) = &mut self.wait {
            match wait.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => self.wait = None,
            }
        }
        if self.until_cut == Some(0) {
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())));
        }
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(self.part).min(self.until_cut.unwrap_or(usize::MAX));
        let part = self.rest.split_to(length);
        self.until_cut = self.until_cut.map(|left| left - length);
        // What comes before a cut is on its way before the connection ends.
        if self.part != usize::MAX || self.until_cut.is_some() {
            self.wait = Some(Box::pin(sleep(PAUSE)));
        }
        Poll::Ready(Some(Ok(Frame::data(part))))
    }
}
