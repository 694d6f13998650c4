//! Which rule each of MISP's attribute types follows. Source: the behaviour of MISP 2.5.1, type by type, and
//! what was measured of 2.5.19.

use std::sync::LazyLock;

use super::{
    checks::*,
    datetime, hashes, names, network, numbers, people,
    refang::Refang,
    rule::{
        Change,
        Check::{self, Answer, Anything, FilenameHex, Hex, Unimplemented},
        Rule,
    },
    text::{lower, unchanged, upper},
    vulnerability,
};
use crate::misp::{AttributeType, Version};

/// Types that share a rule.
struct Row {
    refang: Refang,
    change: Change,
    check: Check,
    types: &'static [&'static str],
}

const fn row(refang: Refang, change: Change, check: Check, types: &'static [&'static str]) -> Row {
    Row { refang, change, check, types }
}

#[rustfmt::skip]
static ROWS: &[Row] = &[
    row(Refang::Nothing, lower, Hex(32), &[
        "md5", "imphash", "ja3-fingerprint-md5", "hassh-md5", "hasshserver-md5", "dom-hash",
    ]),
    row(Refang::Nothing, lower, Hex(40), &["sha1"]),
    row(Refang::Nothing, lower, Hex(56), &["sha224", "sha512/224", "sha3-224"]),
    row(Refang::Nothing, lower, Hex(62), &["jarm-fingerprint"]),
    row(Refang::Nothing, lower, Hex(64), &[
        "sha256", "sha512/256", "sha3-256", "authentihash",
    ]),
    row(Refang::Nothing, lower, Hex(96), &["sha384", "sha3-384"]),
    row(Refang::Nothing, lower, Hex(128), &["sha512", "sha3-512"]),
    row(Refang::Nothing, unchanged, Hex(40), &["git-commit-id"]),
    row(Refang::Nothing, hashes::plain_fingerprint, Hex(32), &["x509-fingerprint-md5"]),
    row(Refang::Nothing, hashes::plain_fingerprint, Hex(40), &["x509-fingerprint-sha1"]),
    row(Refang::Nothing, hashes::plain_fingerprint, Hex(64), &["x509-fingerprint-sha256"]),
    row(Refang::Nothing, lower, PE_HASH, &["pehash"]),
    row(Refang::Nothing, lower, CD_HASH, &["cdhash"]),
    row(Refang::Nothing, lower, TLSH, &["tlsh"]),
    row(Refang::Nothing, lower, TELFHASH, &["telfhash"]),
    row(Refang::Nothing, unchanged, SSDEEP, &["ssdeep"]),
    row(Refang::Nothing, unchanged, IMPFUZZY, &["impfuzzy"]),
    row(Refang::Nothing, lower, LINE, &["vhash"]),
    row(Refang::Nothing, lower, Anything, &["anonymised"]),
    row(Refang::Nothing, unchanged, SSH_FINGERPRINT, &["ssh-fingerprint"]),
    row(Refang::Nothing, hashes::lower_after_bar, FilenameHex(32), &[
        "filename|md5", "filename|imphash",
    ]),
    row(Refang::Nothing, hashes::lower_after_bar, FilenameHex(40), &["filename|sha1"]),
    row(Refang::Nothing, hashes::lower_after_bar, FilenameHex(56), &[
        "filename|sha224", "filename|sha512/224", "filename|sha3-224",
    ]),
    row(Refang::Nothing, hashes::lower_after_bar, FilenameHex(64), &[
        "filename|sha256", "filename|sha512/256", "filename|sha3-256", "filename|authentihash",
    ]),
    row(Refang::Nothing, hashes::lower_after_bar, FilenameHex(96), &[
        "filename|sha384", "filename|sha3-384",
    ]),
    row(Refang::Nothing, hashes::lower_after_bar, FilenameHex(128), &[
        "filename|sha512", "filename|sha3-512",
    ]),
    row(Refang::Nothing, hashes::lower_after_bar, FILENAME_PE_HASH, &["filename|pehash"]),
    row(Refang::Nothing, unchanged, Answer(hashes::check_filename_ssdeep), &["filename|ssdeep"]),
    row(Refang::Nothing, hashes::lower_after_bar, Answer(hashes::check_filename_tlsh), &["filename|tlsh"]),
    row(Refang::Nothing, hashes::lower_after_bar, FILENAME_LINE, &["filename|vhash"]),
    row(Refang::Nothing, unchanged, Unimplemented, &["filename|impfuzzy"]),
    row(Refang::Dots, network::address, Answer(network::check_address), &["ip-src", "ip-dst"]),
    row(Refang::Nothing, network::address_port, Answer(network::check_address_port), &["ip-src|port", "ip-dst|port"]),
    row(Refang::Nothing, unchanged, Answer(network::check_port), &["port"]),
    row(Refang::Dots, names::domain, DOMAIN, &["domain"]),
    row(Refang::Dots, lower, HOSTNAME, &["hostname"]),
    row(Refang::Nothing, network::host_port, Answer(network::check_host_port), &["hostname|port"]),
    row(Refang::Dots, network::domain_address, Answer(network::check_domain_address), &["domain|ip"]),
    row(Refang::Nothing, lower, ONION, &["onion-address"]),
    row(Refang::Nothing, network::mac, MAC, &["mac-address"]),
    row(Refang::Nothing, network::mac, EUI_64, &["mac-eui-64"]),
    row(Refang::Mail, lower, EMAIL, &["email", "email-src", "email-dst"]),
    row(Refang::Nothing, lower, EMAIL, &["target-email", "whois-registrant-email"]),
    row(Refang::Nothing, unchanged, EMAIL, &["eppn", "dns-soa-email", "jabber-id"]),
    row(Refang::Nothing, people::upper_hyphens, CVE, &["vulnerability"]),
    row(Refang::Nothing, people::upper_hyphens, CWE, &["weakness"]),
    row(Refang::Nothing, unchanged, SERVICE_NAME, &[
        "windows-service-name", "windows-service-displayname",
    ]),
    row(Refang::Link, unchanged, URL, &["link"]),
    row(Refang::Link, unchanged, ONE_LINE, &["url"]),
    row(Refang::Nothing, upper, HEX_DIGITS, &["hex"]),
    row(Refang::Nothing, upper, HTTP_METHOD, &["http-method"]),
    row(Refang::Nothing, datetime::canonical, DATETIME, &["datetime"]),
    row(Refang::Nothing, unchanged, WHOLE_NUMBER, &["size-in-bytes", "counter"]),
    row(Refang::Nothing, unchanged, INTEGER, &["integer"]),
    row(Refang::Nothing, unchanged, NUMERIC, &[
        "float", "bank-account-nr", "aba-rtn",
    ]),
    row(Refang::Nothing, numbers::boolean, Anything, &["boolean"]),
    row(Refang::Nothing, numbers::as_number, AS_NUMBER, &["AS"]),
    row(Refang::Nothing, unchanged, ALPHANUMERIC, &["btc", "dash", "xmr"]),
    row(Refang::Nothing, people::upper_alphanumeric, ALPHANUMERIC, &["iban", "bic"]),
    row(Refang::Nothing, numbers::digits, NUMERIC, &["cc-number", "bin"]),
    row(Refang::Nothing, people::phone, NUMERIC, &[
        "phone-number", "prtn", "whois-registrant-phone",
    ]),
    row(Refang::Nothing, unchanged, JSON, &["cortex"]),
    row(Refang::Nothing, unchanged, ONE_LINE, &[
        "target-user", "campaign-name", "campaign-id", "threat-actor", "target-machine",
        "target-org", "target-location", "target-external", "email-subject", "malware-type",
        "uri", "user-agent", "regkey", "regkey|value", "filename", "pdb",
        "windows-scheduled-task", "whois-registrant-name", "whois-registrant-org",
        "whois-registrar", "whois-creation-date", "date-of-birth", "place-of-birth", "gender",
        "passport-number", "passport-country", "passport-expiration", "redress-number",
        "nationality", "visa-number", "issue-date-of-the-visa", "primary-residence",
        "country-of-residence", "special-service-request", "frequent-flyer-number",
        "travel-details", "payment-details", "place-port-of-original-embarkation",
        "place-port-of-clearance", "place-port-of-onward-foreign-destination",
        "passenger-name-record-locator-number", "email-dst-display-name",
        "email-src-display-name", "email-reply-to", "email-x-mailer", "email-mime-boundary",
        "email-thread-index", "email-message-id", "github-username", "github-repository",
        "github-organisation", "twitter-id", "dkim", "dkim-signature", "favicon-mmh3",
        "chrome-extension-id", "mobile-application-id", "azure-application-id", "named pipe",
    ]),
    row(Refang::Nothing, unchanged, Anything, &[
        "mutex", "process-state", "snort", "bro", "zeek", "community-id", "pattern-in-file",
        "pattern-in-traffic", "pattern-in-memory", "filename-pattern", "pgp-public-key",
        "pgp-private-key", "yara", "stix2-pattern", "sigma", "gene", "kusto-query", "mime-type",
        "identity-card-number", "cookie", "attachment", "malware-sample", "comment", "text",
        "other", "cpe", "email-attachment", "email-body", "email-header", "first-name",
        "middle-name", "last-name", "full-name",
    ]),
];

/// Rules that hold from a later version on in place of those above.
#[rustfmt::skip]
static NEWER: &[(Version, Row)] = &[
    (Version::new(2, 5, 2), row(Refang::Nothing, lower, ONION_OF_ANY_VERSION, &["onion-address"])),
    (Version::new(2, 5, 3), row(Refang::Dots, network::any_address, Answer(network::check_address), &["ip-src", "ip-dst"])),
    (Version::new(2, 5, 3), row(Refang::Nothing, network::any_address_port, Answer(network::check_address_port), &["ip-src|port", "ip-dst|port"])),
    (Version::new(2, 5, 3), row(Refang::Dots, network::domain_any_address, Answer(network::check_domain_address), &["domain|ip"])),
    (Version::new(2, 5, 3), row(Refang::Nothing, people::phone_with_zeros, NUMERIC, &[
        "phone-number", "prtn", "whois-registrant-phone",
    ])),
    (Version::new(2, 5, 9), row(Refang::Nothing, unchanged, SMALL_INTEGER, &["integer"])),
    (Version::new(2, 5, 12), row(Refang::Nothing, vulnerability::canonical, VULNERABILITY, &["vulnerability"])),
];

/// The rules of a type: that of 2.5.1, and the one that took its place.
struct Rules {
    first: Rule,
    newer: Option<(Version, Rule)>,
}

/// The rules in the order of [`AttributeType::all`].
static RULES: LazyLock<Box<[Rules]>> = LazyLock::new(|| {
    let found = |kind: AttributeType| {
        let rule = |row: &Row| {
            let Row { refang, change, check, .. } = *row;
            Rule { refang, change, check, composite: kind.is_composite() }
        };
        let first = ROWS.iter().find(|row| row.types.contains(&kind.name()));
        let newer = NEWER.iter().find(|(_, row)| row.types.contains(&kind.name()));
        Rules {
            first: rule(first.expect("the table has every type; a test says so")),
            newer: newer.map(|(since, row)| (*since, rule(row))),
        }
    };
    AttributeType::all().map(found).collect()
});

/// The rule of a type in a version of MISP.
pub(super) fn rule(kind: AttributeType, version: Version) -> &'static Rule {
    let rules = &RULES[kind.index()];
    match &rules.newer {
        Some((since, rule)) if *since <= version => rule,
        _ => &rules.first,
    }
}

/// The version in which a type got another rule than that of 2.5.1.
pub(super) fn changed_in(kind: AttributeType) -> Option<Version> {
    RULES[kind.index()].newer.as_ref().map(|(since, _)| *since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_in_the_table_exactly_once() {
        for kind in AttributeType::all() {
            let rows = ROWS.iter().flat_map(|row| row.types).filter(|name| **name == kind.name());
            assert_eq!(rows.count(), 1, "{kind}");
        }
        let listed: usize = ROWS.iter().map(|row| row.types.len()).sum();
        assert_eq!(listed, AttributeType::all().count());
    }

    #[test]
    fn a_type_changes_once_at_most_and_after_2_5_1() {
        let types: Vec<&str> = NEWER.iter().flat_map(|(_, row)| row.types).copied().collect();
        for (place, name) in types.iter().enumerate() {
            assert!(AttributeType::named(name).is_some(), "{name}");
            assert!(!types[..place].contains(name), "{name}");
        }
        assert!(NEWER.iter().all(|(since, _)| *since > Version::BASE));
    }
}
