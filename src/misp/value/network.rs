//! Addresses and ports, alone and with names of hosts.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::{
    names::{domain, is_domain},
    rule::Message,
    text::{digits_up_to, is_digits, lower},
};

const ADDRESS: &str = "IP address has an invalid format.";
const PORT: &str = "Port numbers have to be integers between 1 and 65535.";

/// Which texts are taken for IPv6 addresses that may be written shorter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Colon {
    /// Those with a colon anywhere but in front: MISP before 2.5.3, which leaves `::1/128` as it is.
    AfterStart,
    /// Those with a colon.
    Anywhere,
}

impl Colon {
    fn is_in(self, text: &str) -> bool {
        match self {
            Self::AfterStart => contains_after_start(text, ':'),
            Self::Anywhere => text.contains(':'),
        }
    }
}

/// [`address_by`] of MISP before 2.5.3.
pub(super) fn address(text: &str) -> Option<String> {
    address_by(Colon::AfterStart, text)
}

/// [`address_by`] of MISP 2.5.3 and later.
pub(super) fn any_address(text: &str) -> Option<String> {
    address_by(Colon::Anywhere, text)
}

/// An IPv6 address as `inet_ntop` writes it, and no prefix length that covers one address only.
fn address_by(colon: Colon, text: &str) -> Option<String> {
    let Some((host, prefix)) = text.split_once('/').filter(|(host, _)| !host.is_empty()) else {
        return compressed(colon, text);
    };
    let compressed = compressed(colon, host);
    let one_address = (prefix == "32" && contains_after_start(text, '.'))
        || (prefix == "128" && colon.is_in(text));
    if one_address {
        return Some(compressed.unwrap_or_else(|| host.to_owned()));
    }
    compressed.map(|host| format!("{host}/{prefix}"))
}

/// Whether the character stands anywhere but in front: the tests of MISP that take position 0 for absent.
fn contains_after_start(text: &str, char: char) -> bool {
    text.find(char).is_some_and(|at| at > 0)
}

fn compressed(colon: Colon, text: &str) -> Option<String> {
    if !colon.is_in(text) {
        return None;
    }
    let new = ipv6_text(text.parse().ok()?);
    (new != text).then_some(new)
}

/// As the C library's `inet_ntop`: RFC 5952, but `::` and a dotted quad where only the last 32 bits are set.
fn ipv6_text(address: Ipv6Addr) -> String {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            format!("::{}", Ipv4Addr::new(a, b, c, d))
        }
        _ => address.to_string(),
    }
}

/// PHP's `FILTER_VALIDATE_IP`: no leading zeros, no brackets, no zone.
pub(super) fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// An address, or one with a prefix length; host bits may be set.
pub(super) fn check_address(text: &str) -> Result<(), Message> {
    let Some((host, prefix)) = text.split_once('/') else {
        return if is_address(text) { Ok(()) } else { Err(ADDRESS.into()) };
    };
    if !is_digits(prefix) {
        return Err("Invalid CIDR notation value found.".into());
    }
    let (family, longest) = match host.parse() {
        Ok(IpAddr::V4(_)) => ("IPv4", 32),
        Ok(IpAddr::V6(_)) => ("IPv6", 128),
        Err(_) => return Err(ADDRESS.into()),
    };
    match digits_up_to(prefix, longest) {
        Some(_) => Ok(()),
        None => Err(format!(
            "Invalid CIDR notation value found, for {family} must be lower or equal {longest}."
        )
        .into()),
    }
}

/// A number from 1 to 65,535, leading zeros allowed.
pub(super) fn check_port(text: &str) -> Result<(), Message> {
    match digits_up_to(text, u16::MAX.into()) {
        Some(1..) => Ok(()),
        _ => Err(PORT.into()),
    }
}

/// [`address_port_by`] of MISP before 2.5.3.
pub(super) fn address_port(text: &str) -> Option<String> {
    address_port_by(Colon::AfterStart, text)
}

/// [`address_port_by`] of MISP 2.5.3 and later.
pub(super) fn any_address_port(text: &str) -> Option<String> {
    address_port_by(Colon::Anywhere, text)
}

/// Address and port, split as MISP splits them, joined by `|`; what stands behind a second separator is lost.
fn address_port_by(colon: Colon, text: &str) -> Option<String> {
    let (host, port) = split_address_port(text)?;
    let host = changed_or(host, |host| address_by(colon, host));
    let new = format!("{host}|{port}");
    (new != text).then_some(new)
}

fn split_address_port(text: &str) -> Option<(&str, &str)> {
    let several_colons = text.bytes().filter(|&byte| byte == b':').count() > 1;
    if !several_colons {
        return split_at_first_of(text, &[":", "|"]);
    }
    if contains_after_start(text, '|') {
        return split_at_first_of(text, &["|"]);
    }
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return Some((host, rest.split(':').nth(1).unwrap_or("")));
    }
    // With colons and nothing else, the last one is taken for the port's.
    split_at_first_of(text, &[".", " port ", "p", "#"]).or_else(|| text.rsplit_once(':'))
}

/// The first two parts around the first of these separators that stands anywhere but in front.
fn split_at_first_of<'a>(text: &'a str, separators: &[&str]) -> Option<(&'a str, &'a str)> {
    let found = separators.iter().find(|separator| text.find(**separator).is_some_and(|at| at > 0));
    let mut parts = text.split(*found?);
    Some((parts.next()?, parts.next()?))
}

fn changed_or(text: &str, change: impl FnOnce(&str) -> Option<String>) -> Cow<'_, str> {
    change(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// An address, without a prefix length, and a port.
pub(super) fn check_address_port(text: &str) -> Result<(), Message> {
    let (host, port) = text.split_once('|').unwrap_or((text, ""));
    if !is_address(host) {
        return Err(ADDRESS.into());
    }
    check_port(port)
}

/// [`domain_address_by`] of MISP before 2.5.3.
pub(super) fn domain_address(text: &str) -> Option<String> {
    domain_address_by(Colon::AfterStart, text)
}

/// [`domain_address_by`] of MISP 2.5.3 and later.
pub(super) fn domain_any_address(text: &str) -> Option<String> {
    domain_address_by(Colon::Anywhere, text)
}

/// Domain and address, each normalised; what stands behind a second `|` is lost.
fn domain_address_by(colon: Colon, text: &str) -> Option<String> {
    let lowered = changed_or(text, lower);
    let mut parts = lowered.split('|');
    let new = match (parts.next(), parts.next()) {
        (Some(name), Some(host)) => {
            let host = changed_or(host, |host| address_by(colon, host));
            format!("{}|{host}", changed_or(name, domain))
        }
        _ => lowered.into_owned(),
    };
    (new != text).then_some(new)
}

/// A domain and an address without a prefix length.
pub(super) fn check_domain_address(text: &str) -> Result<(), Message> {
    let (name, host) = text.split_once('|').unwrap_or((text, ""));
    if !is_domain(name) {
        return Err("Domain has an invalid format.".into());
    }
    if is_address(host) { Ok(()) } else { Err(ADDRESS.into()) }
}

/// Lower case, with `|` for every colon.
pub(super) fn host_port(text: &str) -> Option<String> {
    if !text.contains(':') {
        return lower(text);
    }
    let mut new = text.replace(':', "|");
    new.make_ascii_lowercase();
    Some(new)
}

/// A host name and a port.
pub(super) fn check_host_port(text: &str) -> Result<(), Message> {
    let (name, port) = text.split_once('|').unwrap_or((text, ""));
    if !is_domain(name) {
        return Err("Hostname has an invalid format.".into());
    }
    check_port(port)
}

/// Lower case in groups of two bytes with colons between, whatever separated them before.
pub(super) fn mac(text: &str) -> Option<String> {
    let bytes = text.bytes().filter(|byte| !matches!(byte, b'.' | b':' | b'-' | b' '));
    let mut grouped = Vec::with_capacity(text.len() + text.len() / 2);
    for (at, byte) in bytes.enumerate() {
        if at > 0 && at % 2 == 0 {
            grouped.push(b':');
        }
        grouped.push(byte.to_ascii_lowercase());
    }
    // A character of several bytes may be torn apart; the value is refused then.
    let new = String::from_utf8_lossy(&grouped);
    (new != text).then(|| new.into_owned())
}

/// Six groups of two hexadecimal digits.
pub(super) fn is_mac(text: &str) -> bool {
    is_hex_groups(text, 6)
}

/// Eight groups of two hexadecimal digits.
pub(super) fn is_eui_64(text: &str) -> bool {
    is_hex_groups(text, 8)
}

fn is_hex_groups(text: &str, groups: usize) -> bool {
    let group = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split(':').count() == groups && text.split(':').all(group)
}
