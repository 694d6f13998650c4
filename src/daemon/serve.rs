//! The daemon's HTTP: on a Unix socket what its users ask, on a loopback port what Prometheus may know.

use std::{
    io,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Body,
    extract::{ConnectInfo, Request, State, connect_info::Connected},
    http::{StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::IncomingStream,
};
use serde::de::DeserializeOwned;
use tokio::{
    net::{TcpListener, UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::web::is_loopback;

use super::{Metrics, Sink, dispatcher::Snapshot};

/// After so long without a sign of life the dispatcher counts as stuck.
const STUCK: Duration = Duration::from_secs(120);
/// Answers that are made at once for the user of the daemon and root.
const ANSWERS_OF_OWNER: usize = 64;
/// The same for all others together: their questions keep nobody waiting but themselves.
const ANSWERS_OF_OTHERS: usize = 8;
/// What somebody hears for whom there is no place.
const BUSY: &str = "it answers as many questions as it can at once\n";
/// The media type of Prometheus's text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What answers questions; each answer is given on a thread that may wait.
pub trait Handler: Send + Sync + 'static {
    /// What a request asks for.
    type Question: DeserializeOwned + Send + 'static;

    /// Answers into a sink.
    fn answer(&self, question: Self::Question, caller: Caller, sink: Sink);
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The user who runs the daemon, or root: may have things done.
    Owner,
    /// Somebody else whom the socket lets in: may only ask.
    Other,
}

/// What both listeners show.
#[derive(Debug, Clone)]
pub struct Monitor {
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// How the routes stand.
    pub snapshot: Arc<RwLock<Snapshot>>,
}

/// Serves `/healthz`, `/readyz` and `/metrics` until the future is dropped. Only requests that name a loopback host
/// are answered, so that no page of a browser can ask.
///
/// # Errors
/// If the listener breaks.
pub async fn serve_metrics(listener: TcpListener, face: Monitor) -> io::Result<()> {
    let router = faces(face).layer(from_fn(only_loopback_hosts));
    axum::serve(listener, router).await
}

/// Serves the same, `POST /ask`, and pages beside until the future is dropped.
///
/// # Errors
/// If the listener breaks.
pub async fn serve_socket<A: Handler>(
    listener: UnixListener,
    face: Monitor,
    answers: Arc<A>,
    pages: Router,
) -> io::Result<()> {
    let desk = Arc::new(Desk { answers, owner: own_user()?, places: Places::default() });
    let ask = post(ask::<A>).with_state(desk);
    let router = faces(face).route("/ask", ask).merge(pages);
    axum::serve(listener, router.into_make_service_with_connect_info::<Peer>()).await
}

/// The user whose rights this process has, by the operating system: no file tells, as others may put one in its place.
/// To be called on a runtime.
///
/// # Errors
/// If the system does not tell.
pub fn own_user() -> io::Result<u32> {
    let (own, _other) = UnixStream::pair()?;
    Ok(own.peer_cred()?.uid())
}

/// What questions come to.
struct Desk<A> {
    answers: Arc<A>,
    /// The user who runs the daemon.
    owner: u32,
    places: Places,
}

/// How many more answers can be made at once.
struct Places {
    owner: Arc<Semaphore>,
    others: Arc<Semaphore>,
}

impl Default for Places {
    fn default() -> Self {
        let places = |number| Arc::new(Semaphore::new(number));
        Self { owner: places(ANSWERS_OF_OWNER), others: places(ANSWERS_OF_OTHERS) }
    }
}

impl Places {
    /// A place for one answer, until it is dropped; `None`: all are taken.
    fn take(&self, caller: Caller) -> Option<OwnedSemaphorePermit> {
        let places = match caller {
            Caller::Owner => &self.owner,
            Caller::Other => &self.others,
        };
        places.clone().try_acquire_owned().ok()
    }
}

/// Who is at the other end of a connection, by the operating system.
#[derive(Debug, Clone, Copy)]
struct Peer(Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| peer.uid()))
    }
}

async fn ask<A: Handler>(
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    State(desk): State<Arc<Desk<A>>>,
    Json(question): Json<A::Question>,
) -> Response {
    let caller = match peer {
        Some(uid) if uid == desk.owner || uid == 0 => Caller::Owner,
        _ => Caller::Other,
    };
    let Some(place) = desk.places.take(caller) else {
        return (StatusCode::SERVICE_UNAVAILABLE, BUSY).into_response();
    };
    let (sink, reply) = Sink::open();
    drop(tokio::task::spawn_blocking(move || {
        desk.answers.answer(question, caller, sink);
        drop(place);
    }));
    Response::new(Body::new(reply))
}

fn faces(face: Monitor) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(face)
}

async fn metrics(State(face): State<Monitor>) -> Response {
    ([(header::CONTENT_TYPE, METRICS_TYPE)], face.metrics.text()).into_response()
}

/// Whether the dispatcher goes round.
async fn healthz(State(face): State<Monitor>) -> (StatusCode, &'static str) {
    let at = face.snapshot.read().unwrap_or_else(PoisonError::into_inner).at;
    match at {
        Some(at) if at.elapsed() > STUCK => (StatusCode::SERVICE_UNAVAILABLE, "stuck\n"),
        _ => (StatusCode::OK, "ok\n"),
    }
}

/// Whether it began.
async fn readyz(State(face): State<Monitor>) -> (StatusCode, &'static str) {
    match face.snapshot.read().unwrap_or_else(PoisonError::into_inner).at {
        Some(_) => (StatusCode::OK, "ready\n"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
    }
}

/// Refuses what names another host than this machine.
async fn only_loopback_hosts(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(is_loopback) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "this port answers only to a loopback host\n").into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::fs::MetadataExt,
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Answers nobody before it may.
    struct Slow(AtomicBool);

    impl Handler for Slow {
        type Question = u8;

        fn answer(&self, _: u8, caller: Caller, _: Sink) {
            assert_eq!(caller, Caller::Owner);
            while !self.0.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// A question on its way, and the status of its answer.
    async fn asked(path: &std::path::Path) -> (UnixStream, String) {
        let mut stream = UnixStream::connect(path).await.unwrap();
        let head = "POST /ask HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        (stream, String::from_utf8_lossy(&status[9..]).into_owned())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_asks_more_than_can_be_answered_hears_so_and_is_answered_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.sock");
        let slow = Arc::new(Slow(AtomicBool::new(false)));
        let listener = UnixListener::bind(&path).unwrap();
        let (metrics, snapshot) = (Arc::new(Metrics::new([])), Arc::default());
        drop(tokio::spawn(serve_socket(
            listener,
            Monitor { metrics, snapshot },
            slow.clone(),
            Router::new(),
        )));
        let mut open = Vec::new();
        for _ in 0..ANSWERS_OF_OWNER {
            let (stream, status) = asked(&path).await;
            assert_eq!(status, "200");
            open.push(stream);
        }
        assert_eq!(asked(&path).await.1, "503");
        slow.0.store(true, Ordering::Relaxed);
        for stream in &mut open {
            let mut rest = [0; 4_096];
            let mut read = 0;
            while !rest[..read].ends_with(b"0\r\n\r\n") {
                read = stream.read(&mut rest).await.unwrap();
            }
        }
        assert_eq!(asked(&path).await.1, "200");
    }

    #[test]
    fn others_together_take_few_places_and_none_of_the_owner() {
        let places = Places::default();
        let taken: Vec<_> =
            (0..ANSWERS_OF_OTHERS).map(|_| places.take(Caller::Other).unwrap()).collect();
        assert!(places.take(Caller::Other).is_none());
        assert!(places.take(Caller::Owner).is_some());
        drop(taken);
        assert!(places.take(Caller::Other).is_some());
    }

    #[tokio::test]
    async fn the_own_user_is_told_by_the_system() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(own_user().unwrap(), file.path().metadata().unwrap().uid());
    }
}
