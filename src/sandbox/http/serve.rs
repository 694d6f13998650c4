//! The sandbox behind HTTP/1.1. Nothing is decided here: requests go to [`Misp::handle`] with the time
//! of the clock, one after the other.

use std::{
    convert::Infallible,
    future::Future,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::{self, Body},
    extract::{Request as HttpRequest, State},
    http::{Response, StatusCode},
};
use tokio::net::TcpListener;

use super::slow::{Slowness, Work};
use crate::sandbox::{Misp, Request};

/// The longest body that is read, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Serves the sandbox on a listener until the future is dropped. Connections run side by side; the
/// state is changed by one request at a time.
pub fn serve(
    listener: TcpListener,
    misp: Arc<Mutex<Misp>>,
) -> impl Future<Output = io::Result<()>> {
    served(listener, misp, None)
}

/// The same with answers that take their time.
pub fn serve_slowly(
    listener: TcpListener,
    misp: Arc<Mutex<Misp>>,
    slowness: Slowness,
) -> impl Future<Output = io::Result<()>> {
    served(listener, misp, Some(slowness))
}

fn served(
    listener: TcpListener,
    misp: Arc<Mutex<Misp>>,
    slowness: Option<Slowness>,
) -> impl Future<Output = io::Result<()>> {
    let router = Router::new().fallback(answer).with_state((misp, slowness));
    axum::serve(listener, router).into_future()
}

async fn answer(
    State((misp, slowness)): State<(Arc<Mutex<Misp>>, Option<Slowness>)>,
    request: HttpRequest,
) -> Result<Response<Body>, Infallible> {
    let request = match received(request, BODY_BYTES_MAX).await {
        Ok(request) => request,
        Err(refusal) => return Ok(refusal),
    };
    let now = jiff::Timestamp::now().as_second();
    // A panic leaves the state as whole as MISP's after a crash; the next request may go on with it.
    let (reply, attributes) = {
        let mut misp = misp.lock().unwrap_or_else(PoisonError::into_inner);
        let before = misp.rows();
        let reply = misp.handle(&request, now);
        (reply, misp.rows().saturating_sub(before))
    };
    if let Some(slowness) = slowness {
        let is_search = request.path.contains("restSearch");
        let bytes = u32::try_from(reply.body.len()).unwrap_or(u32::MAX);
        slowness.wait(Work { attributes, is_search, bytes, ..Work::default() }).await;
    }
    Ok(response(reply.status, reply.headers, Body::from(reply.body)))
}

/// A request as a stand-in takes it; one whose body is longer is refused.
pub(in crate::sandbox) async fn received(
    request: HttpRequest,
    body_bytes_max: usize,
) -> Result<Request, Response<Body>> {
    let (parts, body) = request.into_parts();
    let body = body::to_bytes(body, body_bytes_max).await;
    let body = body.map_err(|_| plain(StatusCode::PAYLOAD_TOO_LARGE))?;
    let headers = parts.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let path = parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    Ok(Request {
        method: parts.method.as_str().to_owned(),
        path,
        headers: headers.collect(),
        body: body.into(),
    })
}

/// An answer whose body comes as it will.
pub(in crate::sandbox) fn response(
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
) -> Response<Body> {
    let builder =
        headers.into_iter().fold(Response::builder().status(status), |builder, (name, value)| {
            builder.header(name, value)
        });
    // Only a header with a line end in it can fail, such as a Location made of a strange path.
    builder.body(body).unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR))
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
