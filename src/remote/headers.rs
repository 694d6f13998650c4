//! The headers of every request: MISP's, with the key in one of the two that it reads, and those that something
//! before MISP wants.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::model::{Secret, Words};

use super::{Access, AccessError};

/// Begins with `MISP`, which makes MISP answer compact JSON: 18 bytes that save 200 to 400.
const USER_AGENT: &str = concat!("MISP-trickle/", env!("CARGO_PKG_VERSION"));
/// A shorter text may stand in any answer of MISP, and is not taken out of it.
const SECRET_BYTES_MIN: usize = 8;

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

/// A header that something before MISP wants.
#[derive(Debug, Clone)]
pub struct ExtraHeader {
    name: String,
    value: Secret,
    is_secret: bool,
}

impl ExtraHeader {
    /// One that everybody may know.
    #[must_use]
    pub fn plain(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: Secret::new(value.to_owned()), is_secret: false }
    }

    /// One that nobody may.
    #[must_use]
    pub fn secret(name: &str, value: Secret) -> Self {
        Self { name: name.to_owned(), value, is_secret: true }
    }
}

/// What no answer may bring into a message.
pub(super) fn secrets(access: &Access) -> Vec<Secret> {
    let extra = access.headers.iter().filter(|header| header.is_secret).map(|header| &header.value);
    let extra = extra.filter(|value| value.expose().len() >= SECRET_BYTES_MIN);
    std::iter::once(&access.key).chain(extra).cloned().collect()
}

/// The headers of every request.
pub(super) fn of(access: &Access) -> Result<HeaderMap, AccessError> {
    with_key_in(access, access.auth_header)
}

/// The same with the key in `X-MISP-AUTH`, where it is in `Authorization`.
pub(super) fn stand_in(access: &Access) -> Result<Option<HeaderMap>, AccessError> {
    match access.auth_header {
        AuthHeader::Authorization => with_key_in(access, AuthHeader::XMispAuth).map(Some),
        AuthHeader::XMispAuth => Ok(None),
    }
}

fn with_key_in(access: &Access, auth: AuthHeader) -> Result<HeaderMap, AccessError> {
    with_key(&access.key, auth, &access.headers)
}

/// The headers of every request, by their parts.
pub(super) fn with_key(
    key: &Secret,
    auth: AuthHeader,
    extra: &[ExtraHeader],
) -> Result<HeaderMap, AccessError> {
    let mut headers = HeaderMap::new();
    for header in extra {
        let wrong = || AccessError {
            what: "a header cannot be used",
            cause: format!("{} or its value holds characters that no header may have", header.name),
        };
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(header.value.expose()).map_err(|_| wrong())?;
        value.set_sensitive(header.is_secret);
        headers.insert(name, value);
    }
    let mut value = HeaderValue::from_str(key.expose()).map_err(|_| AccessError {
        what: "the API key cannot be used",
        cause: "it holds characters that no header may have".to_owned(),
    })?;
    value.set_sensitive(true);
    headers.insert(auth.name(), value);
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
        // A cache on the way would answer what MISP held once.
        headers.insert("cache-control", HeaderValue::from_static("no-cache"));
    }
}
