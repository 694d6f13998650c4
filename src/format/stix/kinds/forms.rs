//! Forms of values and names that decide the kind of an observable: hash algorithms and addresses.

use std::{
    borrow::Cow,
    net::{Ipv4Addr, Ipv6Addr},
};

use crate::misp::with_dots;

/// Hash algorithms, folded as [`algorithm`] does, and their kinds.
pub(super) const FILE_HASHES: [(&str, &str); 21] = [
    ("md5", "hash-md5"),
    ("sha1", "hash-sha1"),
    ("sha224", "hash-sha224"),
    ("sha256", "hash-sha256"),
    ("sha384", "hash-sha384"),
    ("sha512", "hash-sha512"),
    ("ssdeep", "hash-ssdeep"),
    ("tlsh", "hash-tlsh"),
    ("imphash", "hash-imphash"),
    ("authentihash", "hash-authentihash"),
    ("vhash", "hash-vhash"),
    ("sha512/224", "hash-sha512-224"),
    ("sha512/256", "hash-sha512-256"),
    ("sha3224", "hash-sha3-224"),
    ("sha3256", "hash-sha3-256"),
    ("sha3384", "hash-sha3-384"),
    ("sha3512", "hash-sha3-512"),
    ("cdhash", "hash-cdhash"),
    ("impfuzzy", "hash-impfuzzy"),
    ("pehash", "hash-pehash"),
    ("telfhash", "hash-telfhash"),
];

pub(super) const CERTIFICATE_HASHES: [(&str, &str); 3] = [
    ("md5", "x509-fingerprint-md5"),
    ("sha1", "x509-fingerprint-sha1"),
    ("sha256", "x509-fingerprint-sha256"),
];

/// Finds an algorithm in any spelling: `SHA-256`, `SHA256`, `sha_256`.
pub(super) fn algorithm(key: &str, known: &[(&str, &'static str)]) -> Option<&'static str> {
    let folded = || key.bytes().filter(|byte| !matches!(byte, b'-' | b'_'));
    known
        .iter()
        .find(|(name, _)| folded().map(|byte| byte.to_ascii_lowercase()).eq(name.bytes()))
        .map(|(_, kind)| *kind)
}

/// The kind of an IP address or network.
pub(super) fn address(value: &str) -> Option<&'static str> {
    let value = value.trim();
    let (host, prefix) = match value.split_once('/') {
        Some((host, prefix)) => (host, Some(prefix.parse::<u8>().ok()?)),
        None => (value, None),
    };
    let is_v4 = if host.parse::<Ipv4Addr>().is_ok() {
        true
    } else if host.parse::<Ipv6Addr>().is_ok() {
        false
    } else {
        return None;
    };
    match (is_v4, prefix) {
        (true, None) => Some("ipv4"),
        (true, Some(..=32)) => Some("ipv4-cidr"),
        (false, None) => Some("ipv6"),
        (false, Some(..=128)) => Some("ipv6-cidr"),
        _ => None,
    }
}

/// The kind of what stands at the end of a connection: an address, also a defanged one, or a name.
pub(super) fn endpoint(value: &str) -> &'static str {
    let value = value.trim();
    let is_mac = || {
        value.len() == 17
            && value.bytes().enumerate().all(|(at, byte)| match at % 3 {
                2 => matches!(byte, b':' | b'-'),
                _ => byte.is_ascii_hexdigit(),
            })
    };
    address(&refanged(value)).unwrap_or_else(|| {
        if is_mac() {
            "mac-48"
        } else if value.contains("::") {
            "ipv6"
        } else if value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            "ipv4"
        } else {
            "domain"
        }
    })
}

/// Whether what stands at the end of a connection is an address to the third reader only, as the dots are in words.
pub(super) fn has_dots_in_words(value: &str) -> bool {
    let without_brackets = value.replace(['[', ']'], "");
    address(&without_brackets).is_none() && address(&refanged(value.trim())).is_some()
}

/// Without what MISP undoes, and without the brackets of an address of version 6.
fn refanged(value: &str) -> Cow<'_, str> {
    match with_dots(value) {
        dotted if dotted.contains('[') => Cow::Owned(dotted.replace(['[', ']'], "")),
        dotted => dotted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_in_every_spelling_that_misp_undoes() {
        for (value, kind) in [
            ("198[dot]51[dot]100[dot]41", "ipv4"),
            ("198(dot)51.100[.]41/24", "ipv4-cidr"),
            ("[2001:db8::1]", "ipv6"),
            ("c2[dot]example", "domain"),
        ] {
            assert_eq!(endpoint(value), kind, "{value}");
            let is_new = value.contains("(dot)") || value.contains("100[dot]");
            assert_eq!(has_dots_in_words(value), is_new, "{value}");
        }
    }
}
