//! What went wrong on the way to MISP: whether the request can have had an effect, and words that say what to
//! do about it.

use std::{error::Error, time::Duration};

use crate::{
    delivery::Trouble,
    model::{Secret, limits::REPLY_BYTES_MAX},
};

use super::{Access, Proxy};

/// Longest wait for a connection.
pub(super) const CONNECT: Duration = Duration::from_secs(20);

/// What the words about a failed request depend on.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// Where the proxy stands in the configuration or the environment, if there is one.
    proxy: Option<String>,
    /// Whether we have a certificate to show.
    shows_certificate: bool,
    is_tls: bool,
    timeout: Duration,
}

impl Way {
    pub(super) fn new(access: &Access) -> Self {
        Self {
            proxy: match &access.proxy {
                Proxy::Direct => None,
                Proxy::Url(url) => Some(format!("`proxy` ({})", url.authority())),
                Proxy::Environment => variable(access.url.scheme()).map(|name| {
                    format!("{name} of the environment, unless NO_PROXY names the host")
                }),
            },
            shows_certificate: access.identity.is_some(),
            is_tls: access.url.scheme() == "https",
            timeout: access.timeout,
        }
    }

    /// A request without an answer.
    pub(super) fn not_answered(&self, error: &reqwest::Error) -> Trouble {
        let why = causes(error);
        if let Some(cure) = self.cure(&why) {
            return Trouble::NotMisp { why: format!("{why}; {cure}").into() };
        }
        if !error.is_connect() {
            return Trouble::Unknown { why: self.broken(error), retry_after: None };
        }
        let why = if error.is_timeout() {
            format!("no connection within {} s; {}", CONNECT.as_secs(), self.check())
        } else if why.contains("tunnel error: failed to create underlying connection") {
            format!("the proxy cannot be reached: {why}; {}", self.check())
        } else if why.contains("tunnel error") {
            format!("the proxy does not let us through: {why}; {}", self.check())
        } else {
            format!("no connection: {why}; {}", self.check())
        };
        Trouble::NoEffect { why: why.into(), retry_after: None }
    }

    /// An answer that did not come, or did not come whole.
    pub(super) fn broken(&self, error: &reqwest::Error) -> Box<str> {
        if error.is_timeout() {
            let seconds = self.timeout.as_secs();
            let cure = "if MISP is only slow, raise `timeout`";
            return format!("no whole answer within {seconds} s; {cure}").into();
        }
        let why =
            format!("the connection broke before the whole answer was there: {}", causes(error));
        // With TLS 1.3 a server refuses a certificate after the connection stands, and its reason may get lost.
        if self.is_tls && why.contains("operation was canceled") {
            let cure = match self.shows_certificate {
                true => "perhaps the server refuses our certificate; check `client_cert`",
                false => {
                    "perhaps the server asks for a certificate of ours; set `client_cert` and `client_key`"
                }
            };
            return format!("{why}; {cure}").into();
        }
        why.into()
    }

    fn check(&self) -> String {
        match &self.proxy {
            None => "check `url`, the network, and that MISP runs".to_owned(),
            Some(proxy) => format!("check `url`, the network, and the proxy of {proxy}"),
        }
    }

    /// What to do where repeating does not help.
    fn cure(&self, why: &str) -> Option<&'static str> {
        let has = |words: &str| why.contains(words);
        if has("proxy authorization required") {
            return Some(PROXY_ASKS);
        }
        if has("invalid peer certificate") {
            return Some(certificate_cure(why));
        }
        if has("ProtocolVersion") || has("peer is incompatible") {
            return Some("TLS 1.2 is the oldest that is spoken; update the server's TLS");
        }
        if has("InvalidContentType") {
            return Some("no TLS is spoken there; write http into `url`, or MISP's own port");
        }
        let refusals = [
            "AccessDenied",
            "BadCertificate",
            "CertificateExpired",
            "CertificateRequired",
            "CertificateRevoked",
            "CertificateUnknown",
            "HandshakeFailure",
            "UnknownCA",
            "UnsupportedCertificate",
        ];
        let refuses = |alert: &&&str| has(&format!("received fatal alert: {alert}"));
        refusals.iter().find(refuses).map(|_| match self.shows_certificate {
            true => {
                "the server refuses our certificate; check that `client_cert` is valid and of an authority \
                 that the server trusts"
            }
            false => "the server asks for a certificate of ours; set `client_cert` and `client_key`",
        })
    }
}

/// What a proxy that wants to know who we are needs.
pub(super) const PROXY_ASKS: &str = "the proxy asks for a user and password; remove `proxy` and set \
     HTTPS_PROXY or HTTP_PROXY to http://USER:PASSWORD@HOST:PORT in the environment of the service";

/// An answer that is too long to be one of MISP's.
pub(super) fn too_long() -> String {
    format!("the answer is longer than {} MiB, and was not read to its end", REPLY_BYTES_MAX >> 20)
}

fn certificate_cure(why: &str) -> &'static str {
    let has = |words: &str| why.contains(words);
    if has("UnknownIssuer") {
        "nobody whom this machine trusts signed the server's certificate; set `ca_bundle` to the certificate \
         of the authority that did"
    } else if has("CaUsedAsEndEntity") {
        "the server shows an authority's certificate as its own; give MISP one that is none (CA:FALSE)"
    } else if has("expired") {
        "have the server's certificate renewed; if it is valid, this machine's clock is wrong"
    } else if has("not valid yet") {
        "set this machine's clock, or wait until the server's certificate is valid"
    } else if has("not valid for name") || has("NotValidForName") {
        "write the name that stands in the server's certificate into `url`, or have it made anew with this one"
    } else {
        "have the server's certificate replaced; `ca_bundle` names authorities to trust"
    }
}

/// The variable of the environment that names a proxy for URLs of this scheme.
fn variable(scheme: &str) -> Option<&'static str> {
    let names = match scheme {
        "https" => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        _ => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
    };
    names.into_iter().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// What caused an error of the client, without its own words: they say that it is one, and the URL.
fn causes(error: &reqwest::Error) -> String {
    let text = error.source().map(chain).unwrap_or_default();
    if text.is_empty() { error.to_string() } else { text }
}

/// An error with all its causes, but for words that say only that it is one.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let words = error.to_string();
        if !words.starts_with("client error (") && !text.contains(&words) {
            let joint = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{joint}{words}");
        }
        next = error.source();
    }
    text
}

/// Takes the key out of what somebody answers who repeats it, so that no message can. `None` if it is not in it.
pub(super) fn without_key(answer: &[u8], key: &Secret) -> Option<Vec<u8>> {
    let (key, mut rest) = (key.expose().as_bytes(), answer);
    let finder = memchr::memmem::Finder::new(key);
    if key.is_empty() || finder.find(rest).is_none() {
        return None;
    }
    let mut clean = Vec::with_capacity(answer.len());
    while let Some(at) = finder.find(rest) {
        clean.extend_from_slice(&rest[..at]);
        clean.extend_from_slice(b"(the key)");
        rest = &rest[at + key.len()..];
    }
    clean.extend_from_slice(rest);
    Some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_repeats_the_key_is_cleaned() {
        let key = Secret::new("hunter2".to_owned());
        let clean = |text: &str| without_key(text.as_bytes(), &key);
        assert_eq!(clean("hunter2 and hunter2.").unwrap(), b"(the key) and (the key).");
        assert_eq!(clean("hunter"), None);
        assert_eq!(without_key(b"x", &Secret::new(String::new())), None);
    }
}
