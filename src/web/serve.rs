//! The routes of the pages, and the loopback port.

use std::{io, sync::Arc, time::Instant};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tokio::{net::TcpListener, sync::Semaphore};
use url::form_urlencoded;

use super::{
    Address, Door, Form, Pages, Reply,
    guard::{Refusal, check_guest, check_method, check_site, cookie, seal},
};

/// Pages that are made at once; others wait.
const AT_ONCE: usize = 8;

/// What makes pages, and how many more it can make at once.
struct Desk<P> {
    pages: Arc<P>,
    places: Semaphore,
}

/// Serves the pages to whoever came in by a link, until the future is dropped.
///
/// # Errors
/// If the listener breaks.
pub async fn serve_port<P: Pages>(
    listener: TcpListener,
    pages: Arc<P>,
    door: Arc<Door>,
) -> io::Result<()> {
    let pages = routes(pages).layer(from_fn_with_state(door, let_in)).layer(from_fn(sealed));
    axum::serve(listener, pages).await
}

/// The pages, for whoever may reach them.
pub fn routes<P: Pages>(pages: Arc<P>) -> Router {
    let desk = Arc::new(Desk { pages, places: Semaphore::new(AT_ONCE) });
    Router::new().fallback(page::<P>).with_state(desk).layer(from_fn(sealed))
}

async fn page<P: Pages>(State(desk): State<Arc<Desk<P>>>, method: Method, uri: Uri) -> Response {
    if let Err(refusal) = check_method(&method) {
        return refused(refusal);
    }
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned();
    let address = Address { path: uri.path().to_owned(), query: query.collect() };
    let Ok(_place) = desk.places.acquire().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let pages = desk.pages.clone();
    let made = tokio::task::spawn_blocking(move || pages.page(&address)).await;
    made.map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), written)
}

fn written(reply: Reply) -> Response {
    let kind = match reply.form {
        Form::Html => "text/html; charset=utf-8",
        Form::Json => "application/json",
        Form::Css => "text/css; charset=utf-8",
    };
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Every answer says how it is to be treated, refusals included.
async fn sealed(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    seal(response.headers_mut());
    response
}

/// Lets in who may come in; a link is exchanged for a cookie.
async fn let_in(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let (headers, now) = (request.headers(), Instant::now());
    if let Err(refusal) = check_method(request.method()).and_then(|()| check_site(headers)) {
        return refused(refusal);
    }
    if let Some(token) = token(request.uri()) {
        // Who only looks whether a link leads somewhere does not use it up.
        let guest = (request.method() == Method::GET).then(|| door.enter(&token, now)).flatten();
        return match guest {
            Some(guest) => {
                let headers =
                    [(header::SET_COOKIE, cookie(&guest.0)), (header::LOCATION, "/".to_owned())];
                (StatusCode::SEE_OTHER, headers).into_response()
            }
            None => refused(Refusal::Link),
        };
    }
    match check_guest(headers, &door, now) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refused(refusal),
    }
}

/// The token of a link.
fn token(uri: &Uri) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.find(|(key, _)| key == "token").map(|(_, token)| token.into_owned())
}

fn refused(refusal: Refusal) -> Response {
    let mut response = refusal.told().into_response();
    if refusal == Refusal::Method {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}
