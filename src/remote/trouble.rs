//! What went wrong on the way to MISP: whether the request can have had an effect, and words that say what to
//! do about it.

use std::{error::Error, time::Duration};

use crate::{
    delivery::Trouble,
    model::{Secret, limits::REPLY_BYTES_MAX},
};

use super::{
    Access, Proxy,
    cause::{self, Cause, Distrust, words},
    proxy,
};

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
                Proxy::Environment => proxy::variable(access.url.scheme()).map(|name| {
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
        let (why, cause) = (causes(error), cause::cause(error));
        if let Some(cure) = cause.and_then(|cause| self.cure(cause)) {
            return Trouble::NotMisp { why: format!("{why}; {cure}").into() };
        }
        if !error.is_connect() {
            return Trouble::Unknown { why: self.broken(error), retry_after: None };
        }
        let why = match cause {
            _ if error.is_timeout() => format!("no connection within {} s", CONNECT.as_secs()),
            Some(Cause::ProxyAway) => format!("the proxy cannot be reached: {why}"),
            Some(Cause::ProxyRefuses) => format!("the proxy does not let us through: {why}"),
            _ => format!("no connection: {why}"),
        };
        Trouble::NoEffect { why: format!("{why}; {}", self.check()).into(), retry_after: None }
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
        if self.is_tls && cause::was_cancelled(error) {
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
    const fn cure(&self, cause: Cause) -> Option<&'static str> {
        Some(match cause {
            Cause::ProxyAway | Cause::ProxyRefuses => return None,
            Cause::ProxyAsks => PROXY_ASKS,
            Cause::Certificate(why) => certificate_cure(why),
            Cause::OldTls => "TLS 1.2 is the oldest that is spoken; update the server's TLS",
            Cause::NoTls => "no TLS is spoken there; write http into `url`, or MISP's own port",
            Cause::OurCertificate if self.shows_certificate => {
                "the server refuses our certificate; check that `client_cert` is valid and of an authority \
                 that the server trusts"
            }
            Cause::OurCertificate => {
                "the server asks for a certificate of ours; set `client_cert` and `client_key`"
            }
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

const fn certificate_cure(why: Distrust) -> &'static str {
    match why {
        Distrust::Issuer => {
            "nobody whom this machine trusts signed the server's certificate; set `ca_bundle` to the certificate \
             of the authority that did"
        }
        Distrust::Authority => {
            "the server shows an authority's certificate as its own; give MISP one that is none (CA:FALSE)"
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
        Distrust::Other => {
            "have the server's certificate replaced; `ca_bundle` names authorities to trust"
        }
    }
}

/// What caused an error of the client, without its own words: they say that it is one, and the URL.
fn causes(error: &reqwest::Error) -> String {
    let text = error.source().map(words).unwrap_or_default();
    if text.is_empty() { error.to_string() } else { text }
}

/// Takes a secret out of what somebody answers who repeats it, so that no message can. `None` if it is not in it.
fn without(answer: &[u8], secret: &Secret) -> Option<Vec<u8>> {
    let clean = without_text(answer, secret.expose());
    // A quote or a backslash in it is never as it is in JSON.
    let written = serde_json::Value::from(secret.expose()).to_string();
    let written = &written[1..written.len() - 1];
    if written == secret.expose() {
        return clean;
    }
    without_text(clean.as_deref().unwrap_or(answer), written).or(clean)
}

fn without_text(answer: &[u8], text: &str) -> Option<Vec<u8>> {
    let key = text.as_bytes();
    if key.is_empty() {
        return None;
    }
    let plain = without_needless_escapes(answer);
    let mut rest = plain.as_deref().unwrap_or(answer);
    let finder = memchr::memmem::Finder::new(key);
    finder.find(rest)?;
    let mut clean = Vec::with_capacity(answer.len());
    while let Some(at) = finder.find(rest) {
        clean.extend_from_slice(&rest[..at]);
        clean.extend_from_slice(b"(the key)");
        rest = &rest[at + key.len()..];
    }
    clean.extend_from_slice(rest);
    Some(clean)
}

/// The same for several.
pub(super) fn without_secrets(answer: &[u8], secrets: &[Secret]) -> Option<Vec<u8>> {
    secrets.iter().fold(None, |clean: Option<Vec<u8>>, secret| {
        let cleaner = without(clean.as_deref().unwrap_or(answer), secret);
        cleaner.or(clean)
    })
}

/// JSON with every character of ASCII as itself that may stand there so: `\u0041` and `\/` are other forms of `A` and
/// `/`, in which the key would not be found. `None` for what has no such escape, or is no JSON.
fn without_needless_escapes(answer: &[u8]) -> Option<Vec<u8>> {
    let is_json = answer.trim_ascii_start().first().is_some_and(|byte| b"{[".contains(byte));
    let mut next = memchr::memchr(b'\\', answer).filter(|_| is_json)?;
    let (mut plain, mut kept) = (Vec::new(), 0);
    loop {
        let (letter, length) = match answer[next..] {
            [_, b'/', ..] => (Some(b'/'), 2),
            [_, b'u', b'0', b'0', high, low, ..] => (printable(high, low), 6),
            // Also a backslash that is escaped itself.
            _ => (None, 2),
        };
        if let Some(letter) = letter {
            plain.extend_from_slice(&answer[kept..next]);
            plain.push(letter);
            kept = next + length;
        }
        let from = answer.len().min(next + length);
        let Some(at) = memchr::memchr(b'\\', &answer[from..]) else { break };
        next = from + at;
    }
    if kept == 0 {
        return None;
    }
    plain.extend_from_slice(&answer[kept..]);
    Some(plain)
}

/// The character of two hexadecimal digits, if JSON takes it without an escape.
fn printable(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let letter = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    ((b' '..=b'~').contains(&letter) && !b"\"\\".contains(&letter)).then_some(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_found_in_other_forms_of_json() {
        let key = Secret::new("hunter2/A".to_owned());
        let clean = |text: &str| without(text.as_bytes(), &key);
        for form in [
            r"hunter2\/A",
            r"\u0068unter2/A",
            r"hunt\u0065r\u0032\/\u0041",
            r"\u0068unter2\u002f\u0041",
        ] {
            let text = format!("{{\"message\":\"\\\\ {form}\\n\"}}");
            let expected = "{\"message\":\"\\\\ (the key)\\n\"}";
            assert_eq!(clean(&text).as_deref(), Some(expected.as_bytes()), "{text}");
            // A list of values has no escapes.
            assert_eq!(clean(&format!("uuid,value\n{form}")), None, "{form}");
        }
        for other in
            [r#"["hunter2\\/A"]"#, r#"["hunter2\\u002fA"]"#, r#"["\u00"#, r#"["\"#, r#"["\u00zz"]"#]
        {
            assert_eq!(clean(other), None, "{other}");
        }
        let quoted = Secret::new(r#"a"b\c"#.to_owned());
        let told = without(br#"["\u0061\"b\\c"]"#, &quoted);
        assert_eq!(told.as_deref(), Some(&br#"["(the key)"]"#[..]));
        let quote = r#"["\u0022\u005c \u0068unter2/A"]"#;
        assert_eq!(clean(quote).unwrap(), br#"["\u0022\u005c (the key)"]"#);
    }

    #[test]
    fn an_answer_that_repeats_the_key_is_cleaned() {
        let key = Secret::new("hunter2".to_owned());
        let clean = |text: &str| without(text.as_bytes(), &key);
        assert_eq!(clean("hunter2 and hunter2.").unwrap(), b"(the key) and (the key).");
        assert_eq!(clean("hunter"), None);
        assert_eq!(without(b"x", &Secret::new(String::new())), None);
    }
}
