//! The headers of every request: MISP's, with the key in one of the two that it reads, and those that something
//! before MISP wants.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    http::{self, ConnectionError, ExtraHeader},
    model::{Secret, Words},
};

use super::Access;

/// Begins with `MISP`, which makes MISP answer compact JSON: 18 bytes that save 200 to 400.
const USER_AGENT: &str = concat!("MISP-trickle/", env!("CARGO_PKG_VERSION"));

/// The header that the API key is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthHeader {
    /// `Authorization`, as usual.
    #[default]
    Authorization,
    /// `X-MISP-AUTH`, which MISP reads first, whatever `Authorization` holds.
    XMispAuth,
}

impl Words for AuthHeader {
    const WORDS: &'static [(&'static str, Self)] =
        &[("Authorization", Self::Authorization), ("X-MISP-AUTH", Self::XMispAuth)];
}

impl AuthHeader {
    const fn name(self) -> HeaderName {
        match self {
            Self::Authorization => reqwest::header::AUTHORIZATION,
            Self::XMispAuth => HeaderName::from_static("x-misp-auth"),
        }
    }
}

/// The headers of every request.
pub(super) fn of(access: &Access) -> Result<HeaderMap, ConnectionError> {
    with_key_in(access, access.auth_header)
}

/// The same with the key in `X-MISP-AUTH`, where it is in `Authorization`.
pub(super) fn stand_in(access: &Access) -> Result<Option<HeaderMap>, ConnectionError> {
    match access.auth_header {
        AuthHeader::Authorization => with_key_in(access, AuthHeader::XMispAuth).map(Some),
        AuthHeader::XMispAuth => Ok(None),
    }
}

fn with_key_in(access: &Access, auth: AuthHeader) -> Result<HeaderMap, ConnectionError> {
    with_key(&access.key, auth, &access.connection.headers)
}

/// The headers of every request, by their parts.
pub(super) fn with_key(
    key: &Secret,
    auth: AuthHeader,
    extra: &[ExtraHeader],
) -> Result<HeaderMap, ConnectionError> {
    let mut headers = http::map(extra)?;
    headers.insert(auth.name(), http::secret_value("", key, "the API key cannot be used")?);
    headers.insert("accept", HeaderValue::from_static("application/json"));
    headers.insert("user-agent", HeaderValue::from_static(USER_AGENT));
    headers.insert("accept-encoding", HeaderValue::from_static("br, gzip"));
    Ok(headers)
}

/// Adds what depends on the request: what its body is, and the entity tag that it asks with.
pub(super) fn of_request(
    headers: &mut HeaderMap,
    has_body: bool,
    packed: Option<&'static str>,
    etag: Option<&str>,
) {
    if has_body {
        headers.insert("content-type", HeaderValue::from_static("application/json"));
    }
    if let Some(name) = packed {
        headers.insert("content-encoding", HeaderValue::from_static(name));
    }
    if let Some(etag) = etag.map(HeaderValue::from_str) {
        headers.insert("if-none-match", etag.expect("an ETag is hexadecimal digits in quotes"));
        // A cache on the way would answer what MISP held once; a `POST` none may answer (RFC 9111, 4).
        if !has_body {
            headers.insert("cache-control", HeaderValue::from_static("no-cache"));
        }
    }
}
