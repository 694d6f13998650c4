//! What is refused, and what every answer says beside its content.

use std::{net::IpAddr, time::Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::Door;

/// Of every answer.
const HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

/// The name of the cookie.
const COOKIE: &str = "misp-trickle";

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Another method than `GET` and `HEAD`.
    Method,
    /// The name of another host: a page of a browser may have had it resolved to this one.
    Host,
    /// Another page sent the browser.
    OtherSite,
    /// No cookie of somebody who came in.
    Stranger,
    /// A link that was used, or is too old.
    Link,
}

impl Refusal {
    /// HTTP's word for it, and what to do.
    pub(super) const fn told(self) -> (StatusCode, &'static str) {
        match self {
            Self::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, "these pages are only read: GET and HEAD\n")
            }
            Self::Host => (StatusCode::FORBIDDEN, "this port answers only to a loopback host\n"),
            Self::OtherSite => (
                StatusCode::FORBIDDEN,
                "another page asked for this; write the address into the browser yourself\n",
            ),
            Self::Stranger => {
                (StatusCode::UNAUTHORIZED, "sign in by the link that `misp-trickle web` prints\n")
            }
            Self::Link => (
                StatusCode::FORBIDDEN,
                "this link was used, or is older than a minute; `misp-trickle web` prints another\n",
            ),
        }
    }
}

/// Writes what every answer says into its headers.
pub(super) fn seal(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Whether a method changes nothing.
pub(super) fn check_method(method: &Method) -> Result<(), Refusal> {
    if matches!(*method, Method::GET | Method::HEAD) { Ok(()) } else { Err(Refusal::Method) }
}

/// Whether a browser asks for itself, of this host.
pub(super) fn check_site(headers: &HeaderMap) -> Result<(), Refusal> {
    let host =
        text(headers, &header::HOST).filter(|host| is_loopback(host)).ok_or(Refusal::Host)?;
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let origin = headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    let is_own = matches!(site, None | Some(b"same-origin" | b"none"));
    let from_here = origin.is_none_or(|origin| origin == format!("http://{host}").as_bytes());
    if is_own && from_here { Ok(()) } else { Err(Refusal::OtherSite) }
}

/// Whether somebody brings a cookie for which a link was exchanged.
pub(super) fn check_guest(headers: &HeaderMap, door: &Door, now: Instant) -> Result<(), Refusal> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|it| it.trim().split_once('='));
    if pairs.any(|(name, token)| name == COOKIE && door.knows(token, now)) {
        Ok(())
    } else {
        Err(Refusal::Stranger)
    }
}

/// The cookie of somebody who came in.
pub(super) fn cookie(token: &str) -> String {
    format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/")
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a `Host` header names this machine, with or without a port.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|it: IpAddr| it.is_loopback())
}
