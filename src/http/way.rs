//! What went wrong on the way to a server: whether the request can have had an effect, and words that say what to
//! do about it.

use std::{error::Error, time::Duration};

use super::{
    Connection, Patience, Proxy, Secrets,
    cause::{self, Cause, Distrust, words},
    client::CONNECT,
    proxy,
};

/// Why there is no whole answer to a request, in words that end with what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Repeating does not help: a setting, the proxy or a certificate is wrong.
    Lasting(String),
    /// There was no connection, and so no effect.
    NotSent(String),
    /// It did not come, or did not come whole.
    Broken(String),
}

/// What the words about a failed request depend on.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// Who is spoken to, as people say it.
    peer: &'static str,
    /// Where the proxy stands in the configuration or the environment, if there is one.
    proxy: Option<String>,
    /// Whether we have a certificate to show.
    shows_certificate: bool,
    is_tls: bool,
    timeout: Duration,
    patience: Patience,
    /// What the words may not hold: some errors quote what came.
    secrets: Secrets,
}

impl Way {
    /// The way to a peer, which is how people call the server.
    pub(crate) fn new(
        connection: &Connection,
        patience: Patience,
        peer: &'static str,
        secrets: Secrets,
    ) -> Self {
        Self {
            secrets,
            peer,
            proxy: match &connection.proxy {
                Proxy::Direct => None,
                Proxy::Url(url) => Some(format!("`proxy` ({})", url.authority())),
                Proxy::Environment => proxy::variable(connection.url.scheme()).map(|name| {
                    format!("{name} of the environment, unless NO_PROXY names the host")
                }),
            },
            shows_certificate: connection.identity.is_some(),
            is_tls: connection.url.scheme() == "https",
            timeout: connection.timeout,
            patience,
        }
    }

    /// How people call the server.
    pub(crate) const fn peer(&self) -> &'static str {
        self.peer
    }

    /// A request without an answer.
    pub(crate) fn not_answered(&self, error: &reqwest::Error) -> Failure {
        let (why, cause) = (self.causes(error), cause::cause(error));
        if let Some(cure) = cause.and_then(|cause| self.cure(cause)) {
            return Failure::Lasting(format!("{why}; {cure}"));
        }
        if !error.is_connect() {
            return Failure::Broken(self.broken(error));
        }
        let why = match cause {
            _ if error.is_timeout() => format!("no connection within {} s", CONNECT.as_secs()),
            Some(Cause::ProxyAway) => format!("the proxy cannot be reached: {why}"),
            Some(Cause::ProxyRefuses) => format!("the proxy does not let us through: {why}"),
            _ => format!("no connection: {why}"),
        };
        Failure::NotSent(format!("{why}; {}", self.check()))
    }

    /// An answer that did not come, or did not come whole.
    pub(crate) fn broken(&self, error: &reqwest::Error) -> String {
        if error.is_timeout() {
            return self.late();
        }
        let causes = self.causes(error);
        let why = format!("the connection broke before the whole answer was there: {causes}");
        // With TLS 1.3 a server refuses a certificate after the connection stands, and its reason may get lost.
        if self.is_tls && cause::was_cancelled(error) {
            let cure = match self.shows_certificate {
                true => "perhaps the server refuses our certificate; check `client_cert`",
                false => {
                    "perhaps the server asks for a certificate of ours; set `client_cert` and `client_key`"
                }
            };
            return format!("{why}; {cure}");
        }
        why
    }

    fn causes(&self, error: &reqwest::Error) -> String {
        self.secrets.hidden_in(&causes(error))
    }

    /// An answer that did not come in time.
    pub(crate) fn late(&self) -> String {
        let (seconds, peer) = (self.timeout.as_secs(), self.peer);
        let what = match self.patience {
            Patience::Whole => "no whole answer within",
            Patience::Part => "no answer, or none any more, within",
        };
        format!("{what} {seconds} s; if {peer} is only slow, raise `timeout`")
    }

    fn check(&self) -> String {
        match &self.proxy {
            None => format!("check `url`, the network, and that {} runs", self.peer),
            Some(proxy) => format!("check `url`, the network, and the proxy of {proxy}"),
        }
    }

    /// What to do where repeating does not help.
    fn cure(&self, cause: Cause) -> Option<String> {
        let cure = match cause {
            Cause::ProxyAway | Cause::ProxyRefuses => return None,
            Cause::ProxyAsks => PROXY_ASKS,
            Cause::Certificate(Distrust::Authority) => {
                return Some(format!(
                    "the server shows an authority's certificate as its own; give {} one that is none (CA:FALSE)",
                    self.peer
                ));
            }
            Cause::Certificate(why) => certificate_cure(why),
            Cause::OldTls => "TLS 1.2 is the oldest that is spoken; update the server's TLS",
            Cause::NoTls => {
                return Some(format!(
                    "no TLS is spoken there; write http into `url`, or {}'s own port",
                    self.peer
                ));
            }
            Cause::OurCertificate if self.shows_certificate => {
                "the server refuses our certificate; check that `client_cert` is valid and of an authority \
                 that the server trusts"
            }
            Cause::OurCertificate => {
                "the server asks for a certificate of ours; set `client_cert` and `client_key`"
            }
        };
        Some(cure.to_owned())
    }
}

/// What a proxy that wants to know who we are needs.
pub(crate) const PROXY_ASKS: &str = "the proxy asks for a user and password; remove `proxy` and set \
     HTTPS_PROXY or HTTP_PROXY to http://USER:PASSWORD@HOST:PORT in the environment of the service";

const fn certificate_cure(why: Distrust) -> &'static str {
    match why {
        Distrust::Issuer => {
            "nobody whom this machine trusts signed the server's certificate; set `ca_bundle` to the certificate \
             of the authority that did"
        }
        Distrust::Expired => {
            "have the server's certificate renewed; if it is valid, this machine's clock is wrong"
        }
        Distrust::Early => {
            "set this machine's clock, or wait until the server's certificate is valid"
        }
        Distrust::Name => {
            "write the name that stands in the server's certificate into `url`, or have it made anew with this one"
        }
        Distrust::Authority | Distrust::Other => {
            "have the server's certificate replaced; `ca_bundle` names authorities to trust"
        }
    }
}

/// What caused an error of the client, without its own words: they say that it is one, and the URL.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let text = error.source().map(words).unwrap_or_default();
    // The words of the error itself hold the URL, which may be a secret.
    if text.is_empty() { "the HTTP client says no more".to_owned() } else { text }
}
