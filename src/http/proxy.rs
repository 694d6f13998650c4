//! The proxy that the environment names. It is read here, once: a text that is no URL must not lead a secret straight
//! to the server, past the proxy that somebody meant.

use std::env;

use url::Url;

use super::ConnectionError;

/// What names a proxy for URLs of this scheme.
const fn names(scheme: &str) -> [&'static str; 4] {
    match scheme.as_bytes() {
        b"https" => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        _ => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
    }
}

/// The variable of the environment that names a proxy for URLs of this scheme.
pub(super) fn variable(scheme: &str) -> Option<&'static str> {
    // Behind a web server of its own, a header of a request sets HTTP_PROXY.
    if env::var_os("REQUEST_METHOD").is_some() {
        return None;
    }
    names(scheme).into_iter().find(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// The proxy of the environment for URLs of this scheme.
pub(super) fn of_environment(scheme: &str) -> Result<Option<Url>, ConnectionError> {
    let Some(name) = variable(scheme) else { return Ok(None) };
    let text = env::var(name).unwrap_or_default();
    // The text is not repeated: it may hold a password.
    let wrong = || ConnectionError {
        what: "the proxy of the environment cannot be used",
        cause: format!(
            "{name} is no URL of an HTTP proxy; set it to http://HOST:PORT, or unset it"
        ),
    };
    url(&text).map(Some).ok_or_else(wrong)
}

/// A proxy as it stands in a variable: a URL, or a host with its port.
fn url(text: &str) -> Option<Url> {
    let text = text.trim();
    let url = match text.contains("://") {
        true => Url::parse(text),
        false => Url::parse(&format!("http://{text}")),
    };
    let is_proxy = |url: &Url| {
        let bare =
            url.query().is_none() && url.fragment().is_none() && matches!(url.path(), "" | "/");
        bare && matches!(url.scheme(), "http" | "https") && url.host_str().is_some()
    };
    url.ok().filter(is_proxy)
}

/// Whether `NO_PROXY` names every host.
pub(super) fn straight_for_all() -> bool {
    let listed =
        |name| env::var(name).is_ok_and(|hosts| hosts.split(',').any(|it| it.trim() == "*"));
    listed("NO_PROXY") || listed("no_proxy")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_url_or_a_host_with_its_port() {
        for right in
            ["http://proxy:3128", "https://u:p@proxy", "proxy:3128", " 10.0.0.1:8080 ", "[::1]:3"]
        {
            assert!(url(right).is_some(), "{right}");
        }
        for wrong in [
            "",
            "socks5://proxy:1",
            "ftp://x",
            "://",
            "http://",
            "pro xy:1",
            "proxy:port",
            "http:///",
        ] {
            assert_eq!(url(wrong), None, "{wrong}");
        }
    }
}
