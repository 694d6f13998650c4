//! The daemon's HTTP: on a Unix socket what its users ask, on a loopback port what Prometheus may know.

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::Path,
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
use tokio::net::{TcpListener, UnixListener};

use super::{Metrics, Sink, dispatcher::Snapshot};

/// After so long without a sign of life the dispatcher counts as stuck.
const STUCK: Duration = Duration::from_secs(120);
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

/// Serves the same and `POST /ask` until the future is dropped.
///
/// # Errors
/// If the listener breaks.
pub async fn serve_socket<A: Handler>(
    listener: UnixListener,
    path: &Path,
    face: Monitor,
    answers: Arc<A>,
) -> io::Result<()> {
    let owner = path.metadata()?.uid();
    let ask = post(ask::<A>).with_state((answers, owner));
    let router = faces(face).route("/ask", ask);
    axum::serve(listener, router.into_make_service_with_connect_info::<Peer>()).await
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
    State((answers, owner)): State<(Arc<A>, u32)>,
    Json(question): Json<A::Question>,
) -> Response {
    let caller = match peer {
        Some(uid) if uid == owner || uid == 0 => Caller::Owner,
        _ => Caller::Other,
    };
    let (sink, reply) = Sink::open();
    drop(tokio::task::spawn_blocking(move || answers.answer(question, caller, sink)));
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

/// Whether a `Host` header names this machine, with or without a port.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|it: std::net::IpAddr| it.is_loopback())
}
