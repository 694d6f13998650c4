//! PHP's `FILTER_VALIDATE_URL`, which decides about links, and the methods of HTTP.

use std::net::Ipv6Addr;

use super::text::every_byte;

/// Schemes that need no host. In this spelling only; for the others case does not matter.
const HOSTLESS: [&str; 3] = ["mailto", "news", "file"];
const HOST_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;
const PORT_BYTES_MAX: usize = 5;

/// Whether PHP takes the text for a URL: printable ASCII, a scheme, and a host unless the scheme needs none;
/// for http and https the host has to look like one.
pub(super) fn is_url(text: &str) -> bool {
    every_byte(text, |byte| byte.is_ascii_graphic())
        && parts(text).is_some_and(|url| url.is_valid())
}

/// What decides; path, query and fragment do not.
struct Url<'a> {
    scheme: &'a str,
    authority: Option<Authority<'a>>,
}

struct Authority<'a> {
    user: Option<&'a str>,
    password: Option<&'a str>,
    host: &'a str,
}

impl Url<'_> {
    fn is_valid(&self) -> bool {
        let Some(authority) = &self.authority else {
            return HOSTLESS.contains(&self.scheme);
        };
        let web = ["http", "https"].iter().any(|web| self.scheme.eq_ignore_ascii_case(web));
        if web && is_bracketed_ipv6(authority.host) {
            return true;
        }
        (!web || is_hostname(authority.host))
            && authority.user.is_none_or(is_userinfo)
            && authority.password.is_none_or(is_userinfo)
    }
}

/// As PHP's `parse_url`, for texts that have a scheme.
fn parts(text: &str) -> Option<Url<'_>> {
    let (scheme, rest) = text.split_once(':').filter(|(scheme, _)| !scheme.is_empty())?;
    if !scheme
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    {
        return None;
    }
    let hostless = Url { scheme, authority: None };
    let Some(hierarchy) = rest.strip_prefix("//") else {
        // `host:80` and `host:80/path` are a host and its port.
        let is_port = !rest.is_empty() && !rest.starts_with('/') && starts_like_port(rest);
        return (!is_port).then_some(hostless);
    };
    if scheme.eq_ignore_ascii_case("file") && hierarchy.starts_with('/') {
        return Some(hostless);
    }
    let end = hierarchy.find(['/', '?', '#']).unwrap_or(hierarchy.len());
    Some(Url { scheme, authority: Some(authority(&hierarchy[..end])?) })
}

fn starts_like_port(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits <= PORT_BYTES_MAX && matches!(text.as_bytes().get(digits), None | Some(b'/'))
}

/// `user:password@host:port`; nothing if the port is none, or no host is left.
fn authority(text: &str) -> Option<Authority<'_>> {
    let (userinfo, host) = match text.rsplit_once('@') {
        Some((userinfo, host)) => (Some(userinfo), host),
        None => (None, text),
    };
    let (user, password) = match userinfo.map(|text| text.split_once(':').ok_or(text)) {
        Some(Ok((user, password))) => (Some(user), Some(password)),
        Some(Err(user)) => (Some(user), None),
        None => (None, None),
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let host = match host.rsplit_once(':').filter(|_| !bracketed) {
        Some((host, port)) => {
            if !is_port(port) {
                return None;
            }
            host
        }
        None => host,
    };
    (!host.is_empty()).then_some(Authority { user, password, host })
}

/// Up to five characters that C's `strtol` reads as 0 to 65,535; what follows the digits does not matter.
fn is_port(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    if text.len() > PORT_BYTES_MAX {
        return false;
    }
    let (negative, digits) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let end = digits.bytes().take_while(u8::is_ascii_digit).count();
    match digits[..end].parse::<u32>() {
        Ok(0) => true,
        Ok(port) => !negative && port <= u16::MAX.into(),
        Err(_) => false,
    }
}

fn is_bracketed_ipv6(host: &str) -> bool {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inner.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

/// Labels of letters, digits and inner hyphens, up to 63 characters each and 253 together; one dot may follow.
fn is_hostname(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    // A hyphen right before a final dot passes, as PHP only looks at the end of the text.
    let last_may_be_hyphen = name.len() < host.len();
    let labels = name.split('.').count();
    name.len() <= HOST_BYTES_MAX
        && name.split('.').enumerate().all(|(at, label)| {
            let is_last = at + 1 == labels;
            let alphanumeric = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
            let bytes = label.as_bytes();
            label.len() <= LABEL_BYTES_MAX
                && bytes.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && alphanumeric(bytes.first())
                && (alphanumeric(bytes.last()) || (is_last && last_may_be_hyphen))
        })
}

fn is_userinfo(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = || match bytes.get(at + 1..at + 3) {
            Some([high, low]) => high.is_ascii_digit() && low.is_ascii_hexdigit(),
            _ => false,
        };
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:".contains(&byte) {
            at += 1;
        } else if byte == b'%' && escape() {
            at += 3;
        } else {
            return false;
        }
    }
    true
}

#[rustfmt::skip]
const HTTP_METHODS: [&str; 30] = [
    "OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT", "PROPFIND", "PROPPATCH",
    "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "VERSION-CONTROL", "REPORT", "CHECKOUT", "CHECKIN",
    "UNCHECKOUT", "MKWORKSPACE", "UPDATE", "LABEL", "MERGE", "BASELINE-CONTROL", "MKACTIVITY",
    "ORDERPATCH", "ACL", "PATCH", "SEARCH",
];

/// Whether the name of an HTTP or WebDAV method stands anywhere in it.
pub(super) fn has_http_method(text: &str) -> bool {
    HTTP_METHODS.iter().any(|method| text.contains(method))
}
