//! Reads how a server is reached: the keys that destinations and sources over HTTP have in common.

use std::{path::PathBuf, time::Duration};

use url::{Host, Url};

use crate::http::Proxy;

use super::{
    ConnectionSettings, KeySource,
    headers::read_headers,
    reader::{At, Reader, Section, article, is_variable_name},
    shown::{is_plainly_path, looks_like_secret},
};

/// Longest wait for an answer: a slow MISP takes minutes for a large event, and a platform for a large content block.
const TIMEOUT: Duration = Duration::from_mins(5);
const PEM_CURE: &str =
    "remove it, make a new one if others could read this file, and write the path of the PEM file";

/// How people call a server and the secret that opens it.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    /// The server, such as `MISP`.
    pub(super) name: &'static str,
    /// Its secret, such as `API key`.
    pub(super) secret: &'static str,
    /// The same in a word.
    pub(super) short: &'static str,
    /// What happens to the data on the way, a participle.
    pub(super) direction: &'static str,
    /// What to do about a secret in the text.
    pub(super) secret_cure: &'static str,
    /// What to do where something before the server wants `Authorization`, if anything can be done.
    pub(super) elsewhere: Option<&'static str>,
    /// A variable that could hold the secret.
    pub(super) example: &'static str,
}

/// What was found of something that may be left out.
pub(super) enum Found<T> {
    There(T),
    Absent,
    /// A fault was reported.
    Faulty,
}

/// The keys of a connection but for its address. `takes_authorization`: the secret is in the header of that name.
pub(super) fn read_connection(
    section: &mut Section<'_, '_>,
    peer: &Peer,
    takes_authorization: bool,
) -> ConnectionSettings {
    let proxy = read_proxy(section);
    let headers = read_headers(section, peer, takes_authorization);
    let verify_tls = section.item("verify_tls");
    let checks = section.flag("verify_tls", true);
    if let (Some(at), false) = (verify_tls, checks) {
        let Peer { short, direction, .. } = peer;
        let what = format!(
            "is off: anyone on the way can read the {short} and change what is {direction}"
        );
        section.reader().warn(&at, what, "trust your own authority with ca_bundle = \"PATH\"");
    }
    let pem = Peer { secret: "private key", secret_cure: PEM_CURE, ..*peer };
    let mut pem = |key| {
        let at = section.text(key)?;
        let path = secret_file(section.reader(), &at, &pem);
        Some((at, path))
    };
    let (client_cert, client_key) = (pem("client_cert"), pem("client_key"));
    if let (Some((at, _)), None) = (&client_key, &client_cert) {
        let what = "is the key of a certificate that is not named".to_owned();
        section.reader().wrong(at, what, "add client_cert = \"PATH\"");
    }
    ConnectionSettings {
        headers,
        verify_tls: checks,
        ca_bundle: section.path("ca_bundle"),
        client_cert: client_cert.and_then(|(_, path)| path),
        client_key: client_key.and_then(|(_, path)| path),
        proxy,
        timeout: section.duration("timeout", TIMEOUT),
    }
}

/// The base URL, whose path ends with `/`. `None` only where a fault was reported.
pub(super) fn read_url(section: &mut Section<'_, '_>, peer: &Peer) -> Option<Url> {
    let reader = section.reader();
    let Some(at) = section.text("url") else {
        let what = "is missing".to_owned();
        reader.fault(&section.key("url"), &section.span, what, "write url = \"https://HOST\"");
        return None;
    };
    let mut url = http_url(reader, &at, peer.secret_cure)?;
    if url.query().is_some() || url.fragment().is_some() {
        let what = format!("has a query or a fragment, and {}'s address has none", peer.name);
        reader.wrong(&at, what, "cut it at the `?` or `#`");
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        let Peer { short, direction, .. } = peer;
        let what =
            format!("is http: the {short} and all that is {direction} can be read on the way");
        reader.warn(&at, what, "write https");
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}

/// An http or https URL without user and password. The text is never repeated in the fault: it may hold
/// the password.
pub(super) fn http_url(reader: &Reader<'_>, at: &At<&str>, secret_cure: &str) -> Option<Url> {
    let url = match Url::parse(at.value) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        Ok(_) => {
            let what = "is a URL of another scheme than http and https".to_owned();
            reader.wrong(at, what, "write https://HOST or http://HOST");
            return None;
        }
        Err(error) => {
            reader.wrong(at, format!("is not a URL: {error}"), "write https://HOST");
            return None;
        }
    };
    if url.username().is_empty() && url.password().is_none() {
        return Some(url);
    }
    let what = "holds a user or password, which has no place in a configuration".to_owned();
    reader.wrong(at, what, secret_cure);
    None
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Where a secret comes from, by the keys for a variable and for a file.
pub(super) fn read_secret(
    section: &mut Section<'_, '_>,
    [env_key, file_key]: [&'static str; 2],
    peer: &Peer,
) -> Found<KeySource> {
    let reader = section.reader();
    let found = match (section.text(env_key), section.text(file_key)) {
        (Some(env), None) => secret_variable(reader, &env, peer).map(KeySource::Env),
        (None, Some(file)) => secret_file(reader, &file, peer).map(KeySource::File),
        (Some(_), Some(file)) => {
            reader.wrong(&file, format!("stands beside {env_key}"), "keep one of the two");
            None
        }
        (None, None) => return Found::Absent,
    };
    found.map_or(Found::Faulty, Found::There)
}

/// The name of a variable that holds a secret. The text is never repeated in a fault: it may be the secret itself.
pub(super) fn secret_variable(reader: &Reader<'_>, at: &At<&str>, peer: &Peer) -> Option<String> {
    if looks_like_secret(at.value) {
        reader.wrong(at, itself(peer, "the name of a variable"), peer.secret_cure);
        return None;
    }
    if !is_variable_name(at.value) {
        let what = "is not the name of an environment variable".to_owned();
        reader.wrong(at, what, &format!("write the name only, such as {:?}", peer.example));
        return None;
    }
    Some(at.value.to_owned())
}

/// The path of a file that holds a secret. What looks like one is a path where it says so itself.
pub(super) fn secret_file(reader: &Reader<'_>, at: &At<&str>, peer: &Peer) -> Option<PathBuf> {
    if !is_plainly_path(at.value) && looks_like_secret(at.value) {
        let cure = format!("{}; a file of such a name is written \"./NAME\"", peer.secret_cure);
        reader.wrong(at, itself(peer, "the path of a file"), &cure);
        return None;
    }
    Some(reader.path(at))
}

fn itself(peer: &Peer, wanted: &str) -> String {
    format!("looks like {} {} itself, not like {wanted}", article(peer.secret), peer.secret)
}

fn read_proxy(section: &mut Section<'_, '_>) -> Proxy {
    let Some(at) = section.text("proxy") else { return Proxy::Environment };
    if at.value == "none" {
        return Proxy::Direct;
    }
    let cure = "remove `proxy` and set HTTPS_PROXY in the environment of the service";
    http_url(section.reader(), &at, cure).map_or(Proxy::Environment, Proxy::Url)
}
