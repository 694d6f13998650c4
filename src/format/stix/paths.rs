//! Which property of which object gives which kind of observable: for patterns and for objects alike.
//!
//! The kinds are EclecticIQ's, with a few more where STIX says more than EclecticIQ does.

use std::{
    borrow::Cow,
    net::{Ipv4Addr, Ipv6Addr},
};

/// A rule: the property at a path gives observables of a kind.
#[derive(Debug)]
pub(super) struct Rule {
    /// The type of the object.
    pub(super) object: &'static str,
    /// The path inside the object, list indices left out; `*` is any key of a dictionary.
    pub(super) path: &'static str,
    /// What its value is.
    pub(super) gives: Gives,
    /// Where the rule holds.
    pub(super) scope: Scope,
}

/// Where a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// In patterns and in objects.
    Everywhere,
    /// In patterns only: no object has the property, or has it for something else.
    Patterns,
    /// In objects only: too weak a sign to stand for a pattern.
    Objects,
}

/// What the value of a property is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    /// Always of this kind.
    Kind(&'static str),
    /// An IPv4 address or network, unless its form says otherwise.
    Ipv4,
    /// An IPv6 address or network, unless its form says otherwise.
    Ipv6,
    /// The far end of a connection: an address or a name.
    Destination,
    /// The near end of a connection: an address or a name.
    Source,
    /// A hash of a file; the key names the algorithm.
    FileHash,
    /// A hash of a certificate; the key names the algorithm.
    CertificateHash,
}

const fn rule(object: &'static str, path: &'static str, gives: Gives) -> Rule {
    Rule { object, path, gives, scope: Scope::Everywhere }
}

const fn of_object(object: &'static str, path: &'static str, kind: &'static str) -> Rule {
    Rule { object, path, gives: Gives::Kind(kind), scope: Scope::Objects }
}

/// All rules. At most one fits a path; the `value` of an object comes before its other properties.
pub(super) const RULES: [Rule; 29] = {
    use Gives::{CertificateHash, Destination, FileHash, Ipv4, Ipv6, Kind, Source};
    [
        rule("ipv4-addr", "value", Ipv4),
        rule("ipv6-addr", "value", Ipv6),
        rule("domain-name", "value", Kind("domain")),
        rule("domain-name", "resolves_to_refs.value", Destination),
        rule("url", "value", Kind("uri")),
        rule("email-addr", "value", Kind("email")),
        rule("email-message", "from_ref.value", Kind("email-src")),
        rule("email-message", "subject", Kind("email-subject")),
        rule("file", "hashes.*", FileHash),
        rule("file", "extensions.windows-pebinary-ext.imphash", Kind("hash-imphash")),
        rule("file", "name", Kind("file")),
        rule("file", "size", Kind("file-size")),
        rule("mutex", "name", Kind("mutex")),
        rule("windows-registry-key", "key", Kind("winregistry")),
        rule("network-traffic", "dst_ref.value", Destination),
        rule("network-traffic", "src_ref.value", Source),
        rule("network-traffic", "dst_port", Kind("port")),
        rule("network-traffic", "src_port", Kind("port")),
        rule(
            "network-traffic",
            "extensions.http-request-ext.request_header.User-Agent",
            Kind("user-agent"),
        ),
        rule("autonomous-system", "number", Kind("asn")),
        rule("mac-addr", "value", Kind("mac-48")),
        rule("x509-certificate", "hashes.*", CertificateHash),
        // The objects of mobile indicators (MVT, Amnesty International), in no specification.
        Rule { scope: Scope::Patterns, ..rule("app", "id", Kind("mobile-application-id")) },
        Rule { scope: Scope::Patterns, ..rule("app", "cert.*", CertificateHash) },
        of_object("email-addr", "display_name", "name"),
        of_object("software", "name", "product"),
        of_object("software", "vendor", "company"),
        of_object("user-account", "account_login", "handle"),
        of_object("user-account", "display_name", "name"),
    ]
};

/// What the property at a path of a pattern gives; `None` if no rule fits. The steps are the properties
/// of the path in order, without list indices.
pub(super) fn find<'p>(
    object: &str,
    steps: &(impl Iterator<Item = &'p str> + Clone),
) -> Option<Gives> {
    let fits = |rule: &&Rule| {
        rule.object == object
            && rule.scope != Scope::Objects
            && rule
                .path
                .split('.')
                .map(Some)
                .chain([None])
                .zip(steps.clone().map(Some).chain([None]))
                .all(|pair| match pair {
                    (Some("*"), Some(_)) | (None, None) => true,
                    (Some(wanted), Some(step)) => wanted.eq_ignore_ascii_case(step),
                    _ => false,
                })
    };
    RULES.iter().find(fits).map(|rule| rule.gives)
}

impl Gives {
    /// The kind of a value; `key` is the last step of its path. `None` for a hash that has no kind.
    pub(super) fn kind(self, key: &str, value: &str) -> Option<&'static str> {
        Some(match self {
            Self::Kind(kind) => kind,
            Self::Ipv4 => address(value).unwrap_or("ipv4"),
            Self::Ipv6 => address(value).unwrap_or("ipv6"),
            Self::Destination => endpoint(value),
            Self::Source => match endpoint(value) {
                "ipv4" | "ipv6" | "ipv4-cidr" | "ipv6-cidr" => "ip-src",
                other => other,
            },
            Self::FileHash => algorithm(key, &FILE_HASHES)?,
            Self::CertificateHash => algorithm(key, &CERTIFICATE_HASHES)?,
        })
    }
}

/// Kinds that are an indicator also as one part of an AND; any other is only a circumstance there.
pub(super) fn stands_alone(kind: &str) -> bool {
    kind.starts_with("hash-")
        || kind.starts_with("x509-fingerprint-")
        || matches!(
            kind,
            "ipv4"
                | "ipv6"
                | "ipv4-cidr"
                | "ipv6-cidr"
                | "ip-src"
                | "mac-48"
                | "domain"
                | "uri"
                | "email"
                | "email-src"
        )
}

/// Hash algorithms, folded as [`algorithm`] does, and their kinds.
const FILE_HASHES: [(&str, &str); 11] = [
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
];

const CERTIFICATE_HASHES: [(&str, &str); 3] = [
    ("md5", "x509-fingerprint-md5"),
    ("sha1", "x509-fingerprint-sha1"),
    ("sha256", "x509-fingerprint-sha256"),
];

/// Finds an algorithm in any spelling: `SHA-256`, `SHA256`, `sha_256`.
fn algorithm(key: &str, known: &[(&str, &'static str)]) -> Option<&'static str> {
    let folded = || key.bytes().filter(|byte| !matches!(byte, b'-' | b'_'));
    known
        .iter()
        .find(|(name, _)| folded().map(|byte| byte.to_ascii_lowercase()).eq(name.bytes()))
        .map(|(_, kind)| *kind)
}

/// The kind of an IP address or network.
fn address(value: &str) -> Option<&'static str> {
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
fn endpoint(value: &str) -> &'static str {
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

fn refanged(value: &str) -> Cow<'_, str> {
    if value.contains('[') { Cow::Owned(value.replace(['[', ']'], "")) } else { value.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(object: &str, steps: &[&str], value: &str) -> Option<&'static str> {
        find(object, &steps.iter().copied())?.kind(steps.last().copied().unwrap_or_default(), value)
    }

    #[test]
    fn hashes_are_known_in_every_spelling() {
        for key in ["SHA-256", "SHA256", "sha256", "sha_256", "Sha-256"] {
            assert_eq!(kind("file", &["hashes", key], "x"), Some("hash-sha256"), "{key}");
            let certificate = kind("x509-certificate", &["hashes", key], "x");
            assert_eq!(certificate, Some("x509-fingerprint-sha256"), "{key}");
        }
        for key in ["SHA3-256", "SHA-2", "", "MD", "MD55"] {
            assert_eq!(kind("file", &["hashes", key], "x"), None, "{key}");
        }
        assert_eq!(kind("x509-certificate", &["hashes", "SHA-512"], "x"), None);
    }

    #[test]
    fn the_form_of_an_address_decides_its_kind() {
        for (value, at_address, at_source) in [
            ("198.51.100.7", "ipv4", "ip-src"),
            ("198.51.100.0/24", "ipv4-cidr", "ip-src"),
            ("2001:db8::1", "ipv6", "ip-src"),
            ("2001:db8::/32", "ipv6-cidr", "ip-src"),
            ("198.51.100[.]7", "ipv4", "ip-src"),
            ("999.1.1.1", "ipv4", "ip-src"),
            ("example.com", "ipv4", "domain"),
            ("00:00:5e:00:53:01", "ipv4", "mac-48"),
        ] {
            assert_eq!(kind("ipv4-addr", &["value"], value), Some(at_address), "{value}");
            let source = kind("network-traffic", &["src_ref", "value"], value);
            assert_eq!(source, Some(at_source), "{value}");
        }
        assert_eq!(kind("ipv6-addr", &["value"], "2001:db8::g"), Some("ipv6"));
        let destination = kind("network-traffic", &["dst_ref", "value"], "2001:db8::7");
        assert_eq!(destination, Some("ipv6"));
    }

    #[test]
    fn a_path_fits_whole_or_not_at_all() {
        assert_eq!(kind("file", &["name", "x"], "a"), None);
        assert_eq!(kind("file", &["hashes"], "a"), None);
        assert_eq!(kind("process", &["name"], "a"), None);
        assert_eq!(kind("software", &["name"], "a"), None, "only of objects");
        assert_eq!(find("file", &std::iter::empty()), None);
        let header = ["extensions", "http-request-ext", "request_header", "user-agent"];
        assert_eq!(kind("network-traffic", &header, "curl"), Some("user-agent"));
    }

    #[test]
    fn no_two_rules_fit_one_path() {
        for (at, one) in RULES.iter().enumerate() {
            for other in &RULES[at + 1..] {
                assert!(
                    one.object != other.object || one.path != other.path,
                    "{}:{}",
                    one.object,
                    one.path
                );
            }
        }
    }
}
