//! The HTTP client of one server: whom it trusts, what it shows, which way it goes.

use std::time::Duration;

use super::{
    Client, Connection, ConnectionError, Proxy,
    cause::words,
    proxy::{self, straight_for_all},
};

/// Longest wait for a connection.
pub(super) const CONNECT: Duration = Duration::from_secs(20);
/// Apache closes idle connections after 5 seconds by default; a shorter life avoids the race.
const IDLE: Duration = Duration::from_secs(4);
const CA_BUNDLE: &str = "ca_bundle cannot be used";

/// What a time-out is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// The whole answer, from the request on. Who asks keeps the time: what it takes its time for itself does not count.
    Whole,
    /// Each wait for the next part of it: for answers that may take any time as long as they come.
    Part,
}

/// Whom a client trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// The authorities of this machine, and those of `ca_bundle`.
    All,
    /// Those of this machine alone.
    Machine,
    /// Those of `ca_bundle` alone.
    Bundle,
}

/// The client of one server, which hides the secrets of its headers. Where none can be made, the setting is named without which one can.
pub(crate) fn client(
    connection: &Connection,
    patience: Patience,
) -> Result<Client, ConnectionError> {
    let hiding = |client| Client::new(client, connection.secrets());
    let cause = match builder(connection, patience, Trust::All)?.build() {
        Ok(client) => return Ok(hiding(client)),
        Err(cause) => words(&cause),
    };
    let works =
        |trust| builder(connection, patience, trust).ok().and_then(|builder| builder.build().ok());
    // Where no TLS is spoken, a machine without a single authority will do.
    if connection.url.scheme() == "http"
        && let Some(client) = works(Trust::Bundle)
    {
        return Ok(hiding(client));
    }
    Err(if connection.ca_bundle.is_some() && works(Trust::Machine).is_some() {
        ConnectionError { what: CA_BUNDLE, cause }
    } else if works(Trust::Bundle).is_some() {
        let cause = "this machine trusts no authority at all; install its CA certificates, or set `ca_bundle`";
        ConnectionError { what: "TLS cannot be used", cause: cause.to_owned() }
    } else {
        ConnectionError { what: "the HTTP client cannot be made", cause }
    })
}

fn builder(
    connection: &Connection,
    patience: Patience,
    trust: Trust,
) -> Result<reqwest::ClientBuilder, ConnectionError> {
    let error = |what| move |cause: reqwest::Error| ConnectionError { what, cause: words(&cause) };
    let mut builder = reqwest::Client::builder()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .pool_idle_timeout(IDLE)
        .connect_timeout(CONNECT)
        .no_proxy()
        .tls_danger_accept_invalid_certs(!connection.verify_tls);
    builder = match patience {
        Patience::Whole => builder,
        Patience::Part => builder.read_timeout(connection.timeout),
    };
    let bundle = match &connection.ca_bundle {
        Some(bundle) => reqwest::Certificate::from_pem_bundle(bundle).map_err(error(CA_BUNDLE))?,
        None => Vec::new(),
    };
    if connection.ca_bundle.is_some() && bundle.is_empty() {
        let cause = "the file holds no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned();
        return Err(ConnectionError { what: CA_BUNDLE, cause });
    }
    builder = match trust {
        Trust::All if bundle.is_empty() => builder,
        Trust::All => builder.tls_certs_merge(bundle),
        Trust::Machine => builder,
        Trust::Bundle => builder.tls_certs_only(bundle),
    };
    if let Some(identity) = &connection.identity {
        let identity = reqwest::Identity::from_pem(identity.expose().as_bytes())
            .map_err(error("client_cert and client_key cannot be used"))?;
        builder = builder.identity(identity);
    }
    let proxy = match &connection.proxy {
        Proxy::Direct => None,
        // The client's own reading of `*` leaves out hosts that are named by their address.
        _ if straight_for_all() => None,
        Proxy::Environment => proxy::of_environment(connection.url.scheme())?,
        Proxy::Url(proxy) => Some(proxy.clone()),
    };
    if let Some(proxy) = proxy {
        let proxy = reqwest::Proxy::all(proxy.as_str()).map_err(error("proxy cannot be used"))?;
        builder = builder.proxy(proxy.no_proxy(reqwest::NoProxy::from_env()));
    }
    Ok(builder)
}
