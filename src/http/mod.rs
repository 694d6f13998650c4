//! HTTP as a client: the settings of a connection, the client that is made of them, what goes wrong on the way, and
//! secrets. What is said over it belongs to those who speak.
//!
//! No redirect is followed and no cookie is kept, so that no secret goes anywhere but to the host of the settings.

mod answered;
mod cause;
mod client;
mod headers;
mod heard;
mod misread;
mod proxy;
mod rest;
mod secrets;
mod way;

use std::time::Duration;

use url::Url;

use crate::model::Secret;

pub(crate) use answered::answered;
pub use client::Patience;
pub(crate) use client::client;
pub use headers::ExtraHeader;
pub(crate) use headers::{map, secret_value};
pub(crate) use heard::{Client, Heard};
pub(crate) use misread::Misread;
pub(crate) use rest::{http_date, rest_seconds};
pub(crate) use secrets::Secrets;
pub(crate) use way::{Failure, PROXY_ASKS, Way, causes};

/// How a server is reached, with all that its settings name read.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its address; a path is kept as a prefix.
    pub url: Url,
    /// Headers that something before it wants.
    pub headers: Vec<ExtraHeader>,
    /// Whether its certificate is checked.
    pub verify_tls: bool,
    /// Further authorities, PEM.
    pub ca_bundle: Option<Vec<u8>>,
    /// Client certificate and key, PEM, one after the other.
    pub identity: Option<Secret>,
    /// The way there.
    pub proxy: Proxy,
    /// Longest wait for an answer.
    pub timeout: Duration,
}

impl Connection {
    /// What no answer may bring into a message, beside the secret that opens the server.
    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::new(headers::secrets(&self.headers))
    }
}

/// The way to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// As `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say.
    Environment,
    /// Straight, whatever the environment says: `none` in the configuration.
    Direct,
    /// By this proxy, but for what `NO_PROXY` names.
    Url(Url),
}

/// Why a server cannot even be spoken to.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {cause}")]
pub struct ConnectionError {
    what: &'static str,
    cause: String,
}

impl ConnectionError {
    /// A setting that cannot be used, and why; both fragments.
    pub(crate) const fn new(what: &'static str, cause: String) -> Self {
        Self { what, cause }
    }
}
