//! Which property of which object gives which kind of observable: for patterns and for objects alike.
//!
//! The kinds are EclecticIQ's, with a few more where STIX says more than EclecticIQ does.

use std::borrow::Cow;

use super::{
    forms::{CERTIFICATE_HASHES, FILE_HASHES, address, algorithm, endpoint, has_dots_in_words},
    table::{self, Rule},
};
use crate::model::Reader;

/// Where a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format::stix) enum Scope {
    /// In patterns and in objects.
    Everywhere,
    /// In patterns only: no object has the property, or has it for something else.
    Patterns,
    /// In objects only: too weak a sign to stand for a pattern.
    Objects,
}

/// What the value of a property is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::format::stix) enum Gives {
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
    /// A header field of an e-mail; the key names it.
    Header,
}

/// Longest name of a header field of an e-mail.
const HEADER_NAME_BYTES_MAX: usize = 100;

/// All kinds that a rule may give.
pub(in crate::format::stix) fn kinds() -> impl Iterator<Item = &'static str> {
    let rules = table::OBJECTS.iter().flat_map(|(_, rules)| rules.iter());
    rules.flat_map(|rule| rule.gives.kinds())
}

/// The rule for the property at a path of an object, and its place among those of the object; `None` if
/// none fits. The steps are the properties of the path in order, without list indices; rules of
/// the scope `not` are passed over.
pub(in crate::format::stix) fn find<'p>(
    object: &str,
    steps: &(impl Iterator<Item = &'p str> + Clone),
    not: Scope,
) -> Option<(usize, &'static Rule)> {
    let fits = |rule: &&Rule| {
        rule.scope != not
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
    let rules = table::rules(object)?;
    let place = rules.iter().position(|rule| fits(&rule))?;
    Some((place, &rules[place]))
}

impl Gives {
    /// The kind of a value, and the first reader that has it, where the rule is of this one.
    pub(in crate::format::stix) fn read(
        self,
        key: &str,
        value: &str,
        since: Reader,
    ) -> Option<(&'static str, Reader)> {
        let is_new = matches!(self, Self::Destination | Self::Source) && has_dots_in_words(value);
        let since = if is_new { since.max(Reader::THIRD) } else { since };
        Some((self.kind(key, value)?, since))
    }

    /// The kind of a value; `key` is the last step of its path. `None` for a hash that has no kind.
    fn kind(self, key: &str, value: &str) -> Option<&'static str> {
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
            // It is written out with every value.
            Self::Header if key.len() > HEADER_NAME_BYTES_MAX => return None,
            Self::Header => "email-header",
        })
    }

    /// The value as an observable has it.
    pub(in crate::format::stix) fn shown<'v>(self, key: &str, value: &'v str) -> Cow<'v, str> {
        match self {
            Self::Header => format!("{key}: {value}").into(),
            _ => value.into(),
        }
    }

    /// All kinds that this may give.
    pub(in crate::format::stix) fn kinds(self) -> Vec<&'static str> {
        let addresses = ["ipv4", "ipv6", "ipv4-cidr", "ipv6-cidr"];
        match self {
            Self::Kind(kind) => vec![kind],
            Self::Ipv4 | Self::Ipv6 => addresses.to_vec(),
            Self::Destination => [&addresses[..], &["mac-48", "domain"]].concat(),
            Self::Source => vec!["ip-src", "mac-48", "domain"],
            Self::FileHash => FILE_HASHES.iter().map(|(_, kind)| *kind).collect(),
            Self::CertificateHash => CERTIFICATE_HASHES.iter().map(|(_, kind)| *kind).collect(),
            Self::Header => vec!["email-header"],
        }
    }
}

/// Kinds that are an indicator also as one part of an AND; any other is only a circumstance there.
pub(in crate::format::stix) fn stands_alone(kind: &str) -> bool {
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
                | "host"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(object: &str, steps: &[&str], value: &str) -> Option<&'static str> {
        let gives = find(object, &steps.iter().copied(), Scope::Objects)?.1.gives;
        gives.kind(steps.last().copied().unwrap_or_default(), value)
    }

    #[test]
    fn hashes_are_known_in_every_spelling() {
        for key in ["SHA-256", "SHA256", "sha256", "sha_256", "Sha-256"] {
            assert_eq!(kind("file", &["hashes", key], "x"), Some("hash-sha256"), "{key}");
            let certificate = kind("x509-certificate", &["hashes", key], "x");
            assert_eq!(certificate, Some("x509-fingerprint-sha256"), "{key}");
        }
        for key in ["SHA4-256", "SHA-2", "", "MD", "MD55"] {
            assert_eq!(kind("file", &["hashes", key], "x"), None, "{key}");
        }
        for (key, expected) in [
            ("SHA3-256", "hash-sha3-256"),
            ("sha3_512", "hash-sha3-512"),
            ("SHA-512/256", "hash-sha512-256"),
            ("Impfuzzy", "hash-impfuzzy"),
        ] {
            assert_eq!(kind("file", &["hashes", key], "x"), Some(expected), "{key}");
        }
        assert_eq!(kind("x509-certificate", &["hashes", "SHA-512"], "x"), None);
        for (length, expected) in [(100, Some("email-header")), (101, None)] {
            let name = "X".repeat(length);
            let header = ["additional_header_fields", name.as_str()];
            assert_eq!(kind("email-message", &header, "x"), expected, "{length}");
        }
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
        assert!(find("file", &std::iter::empty(), Scope::Objects).is_none());
        let header = ["extensions", "http-request-ext", "request_header", "user-agent"];
        assert_eq!(kind("network-traffic", &header, "curl"), Some("user-agent"));
    }

    #[test]
    fn no_rule_stands_twice_and_the_value_comes_first() {
        for (at, (object, rules)) in table::OBJECTS.iter().enumerate() {
            assert!(table::OBJECTS[at + 1..].iter().all(|(other, _)| other != object), "{object}");
            for (place, rule) in rules.iter().enumerate() {
                let twice = rules[place + 1..].iter().any(|other| other.path == rule.path);
                assert!(!twice, "{object}:{}", rule.path);
                assert!(rule.path != "value" || place == 0, "{object}");
            }
        }
    }
}
