//! Which property of which object gives which kind of observable: the table that patterns and objects
//! share.
//!
//! The kinds are EclecticIQ's, with more where STIX says more than EclecticIQ does. What a table of the
//! specification lacks here is no value, or has no type in MISP: in an object it is counted as a loss,
//! and a pattern that tests nothing else stays whole.

use super::paths::{
    Gives::{self, CertificateHash, Destination, FileHash, Header, Ipv4, Ipv6, Kind, Source},
    Scope,
};
use crate::model::Reader;

/// A rule: the property at a path gives observables of a kind.
#[derive(Debug, Clone, Copy)]
pub(in crate::format::stix) struct Rule {
    /// The path inside the object, list indices left out; `*` is any key of a dictionary.
    pub(in crate::format::stix) path: &'static str,
    /// What its value is.
    pub(in crate::format::stix) gives: Gives,
    /// Where the rule holds.
    pub(in crate::format::stix) scope: Scope,
    /// The first reader that has it.
    pub(in crate::format::stix) since: Reader,
}

const fn rule(path: &'static str, gives: Gives) -> Rule {
    Rule { path, gives, scope: Scope::Everywhere, since: Reader::FIRST }
}

const fn kind(path: &'static str, kind: &'static str) -> Rule {
    rule(path, Kind(kind))
}

/// Of objects only: too weak a sign to stand for a pattern, or without a type in MISP.
const fn seen(path: &'static str, kind: &'static str) -> Rule {
    Rule { path, gives: Kind(kind), scope: Scope::Objects, since: Reader::FIRST }
}

/// Of patterns only: no object has the property, or has it for something else.
const fn tested(path: &'static str, gives: Gives) -> Rule {
    Rule { path, gives, scope: Scope::Patterns, since: Reader::FIRST }
}

/// Unknown to the first reader.
const fn new(rule: Rule) -> Rule {
    Rule { since: Reader::SECOND, ..rule }
}

/// The rules of each type of object. Of several that fit a path the first holds; the `value` of an object
/// comes before its other properties.
pub(in crate::format::stix) const OBJECTS: &[(&str, &[Rule])] = &[
    (
        "artifact",
        &[
            new(rule("hashes.*", FileHash)),
            new(kind("url", "uri")),
            new(seen("mime_type", "mime-type")),
            new(seen("x_opencti_additional_names", "file")),
        ],
    ),
    ("autonomous-system", &[kind("number", "asn")]),
    ("directory", &[]),
    ("domain-name", &[kind("value", "domain"), rule("resolves_to_refs.value", Destination)]),
    ("email-addr", &[kind("value", "email"), seen("display_name", "name")]),
    ("email-message", EMAIL_MESSAGE),
    ("file", FILE),
    ("ipv4-addr", &[rule("value", Ipv4)]),
    ("ipv6-addr", &[rule("value", Ipv6)]),
    ("mac-addr", &[kind("value", "mac-48")]),
    ("mutex", &[kind("name", "mutex")]),
    ("network-traffic", NETWORK_TRAFFIC),
    ("process", PROCESS),
    ("software", &[seen("name", "product"), seen("vendor", "company"), new(seen("cpe", "cpe"))]),
    ("url", &[kind("value", "uri")]),
    ("user-account", &[seen("account_login", "handle"), seen("display_name", "name")]),
    ("windows-registry-key", &[kind("key", "winregistry")]),
    (
        "x509-certificate",
        &[
            rule("hashes.*", CertificateHash),
            new(seen("serial_number", "certificate-serial-number")),
        ],
    ),
    // The custom observables of OpenCTI; with the prefix `x-opencti-`, too.
    (
        "bank-account",
        &[
            new(kind("value", "bank-account")),
            new(kind("iban", "bank-account")),
            new(kind("account_number", "bank-account")),
            new(kind("bic", "bic")),
        ],
    ),
    ("ai-prompt", &[]),
    ("credential", &[]),
    ("cryptographic-key", &[]),
    ("cryptocurrency-wallet", &[new(kind("value", "crypto-address"))]),
    ("email-mime-part-type", &[new(seen("body", "email-body"))]),
    ("hostname", &[new(kind("value", "host"))]),
    ("iccid", &[]),
    ("imei", &[]),
    ("imsi", &[]),
    ("media-content", &[new(kind("url", "uri"))]),
    (
        "payment-card",
        &[
            new(kind("value", "card")),
            new(kind("card_number", "card")),
            new(seen("holder_name", "card-owner")),
        ],
    ),
    ("persona", &[new(seen("persona_name", "handle"))]),
    ("phone-number", &[new(kind("value", "telephone"))]),
    (
        "ssh-key",
        &[
            new(kind("fingerprint_sha256", "ssh-fingerprint")),
            new(kind("fingerprint_md5", "ssh-fingerprint")),
        ],
    ),
    ("text", &[new(seen("value", "text"))]),
    ("tracking-number", &[]),
    ("user-agent", &[new(kind("value", "user-agent"))]),
    ("windows-registry-value-type", &[]),
    // The objects of mobile indicators (MVT, Amnesty International), in no specification.
    ("app", &[tested("id", Kind("mobile-application-id")), tested("cert.*", CertificateHash)]),
];

const EMAIL_MESSAGE: &[Rule] = &[
    kind("from_ref.value", "email-src"),
    new(kind("sender_ref.value", "email-src")),
    new(kind("to_refs.value", "email-dst")),
    new(kind("cc_refs.value", "email-dst")),
    new(kind("bcc_refs.value", "email-dst")),
    kind("subject", "email-subject"),
    new(kind("message_id", "email-message-id")),
    new(kind("received_lines", "email-header")),
    new(kind("additional_header_fields.X-Mailer", "email-x-mailer")),
    new(kind("additional_header_fields.User-Agent", "email-x-mailer")),
    new(kind("additional_header_fields.Reply-To", "email-reply-to")),
    new(kind("additional_header_fields.Message-ID", "email-message-id")),
    new(kind("additional_header_fields.Thread-Index", "email-thread-index")),
    new(kind("additional_header_fields.DKIM-Signature", "dkim-signature")),
    new(rule("additional_header_fields.*", Header)),
    new(seen("body", "email-body")),
    new(seen("body_multipart.body", "email-body")),
    new(kind("body_multipart.body_raw_ref.name", "email-attachment")),
    new(rule("body_multipart.body_raw_ref.hashes.*", FileHash)),
];

const FILE: &[Rule] = &[
    rule("hashes.*", FileHash),
    kind("extensions.windows-pebinary-ext.imphash", "hash-imphash"),
    kind("name", "file"),
    kind("size", "file-size"),
    new(seen("x_opencti_additional_names", "file")),
    new(seen(
        "extensions.extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82.additional_names",
        "file",
    )),
    new(seen("mime_type", "mime-type")),
    new(rule("content_ref.hashes.*", FileHash)),
    new(rule("extensions.ntfs-ext.alternate_data_streams.hashes.*", FileHash)),
    new(rule("extensions.archive-ext.contains_refs.hashes.*", FileHash)),
];

const NETWORK_TRAFFIC: &[Rule] = &[
    rule("dst_ref.value", Destination),
    rule("src_ref.value", Source),
    kind("dst_port", "port"),
    kind("src_port", "port"),
    kind("extensions.http-request-ext.request_header.User-Agent", "user-agent"),
    new(kind("extensions.http-request-ext.request_header.Host", "host")),
    new(kind("extensions.http-request-ext.request_header.Cookie", "cookie")),
    new(kind("extensions.http-request-ext.request_value", "http-request")),
    new(seen("extensions.http-request-ext.request_method", "http-method")),
    new(rule("src_payload_ref.hashes.*", FileHash)),
    new(rule("dst_payload_ref.hashes.*", FileHash)),
    new(rule("extensions.http-request-ext.message_body_data_ref.hashes.*", FileHash)),
];

const PROCESS: &[Rule] = &[
    new(rule("image_ref.hashes.*", FileHash)),
    new(kind("image_ref.name", "file")),
    // STIX 2.0.
    new(rule("binary_ref.hashes.*", FileHash)),
    new(kind("binary_ref.name", "file")),
    new(kind("extensions.windows-service-ext.service_name", "windows-service-name")),
    new(kind("extensions.windows-service-ext.display_name", "windows-service-displayname")),
    new(rule("extensions.windows-service-ext.service_dll_refs.hashes.*", FileHash)),
];

/// Names of properties that say how another one is written: no values, wherever they stand.
const STRUCTURAL: [&str; 4] = ["extension_type", "name_enc", "path_enc", "data_type"];

/// Properties that all objects share: nothing of them, or in them, is a value of the object.
const COMMON: [&str; 14] = [
    "type",
    "id",
    "spec_version",
    "defanged",
    "created",
    "modified",
    "created_by_ref",
    "revoked",
    "confidence",
    "lang",
    "labels",
    "object_marking_refs",
    "granular_markings",
    "external_references",
];

/// The extensions in which OpenCTI keeps its own records of an object.
const RECORDS: [&str; 2] = [
    "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba",
    "extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82",
];

/// Whether the property that these steps lead to says nothing about what was observed.
pub(in crate::format::stix) fn is_structural(steps: &[&str]) -> bool {
    let Some(name) = steps.last() else { return false };
    let is_record = name.starts_with("x_opencti_") && *name != "x_opencti_additional_names";
    let in_records = steps.len() == 3 && RECORDS.contains(&steps[1]) && *name != "additional_names";
    is_record
        || in_records
        || STRUCTURAL.contains(name)
        || (steps.len() == 1 && COMMON.contains(name))
}

/// Objects that are no cyber-observable objects although some bundles give them no times: those of the
/// specification and of its extensions, and OpenCTI's.
const DOMAIN_OBJECTS: [&str; 40] = [
    "activity",
    "attack-pattern",
    "bundle",
    "campaign",
    "case-incident",
    "case-rfi",
    "case-rft",
    "channel",
    "course-of-action",
    "data-component",
    "data-source",
    "event",
    "feedback",
    "grouping",
    "identity",
    "impact",
    "incident",
    "indicator",
    "infrastructure",
    "intrusion-set",
    "language",
    "location",
    "malware",
    "malware-analysis",
    "narrative",
    "note",
    "observed-data",
    "opinion",
    "playbook",
    "report",
    "security-coverage",
    "sequence",
    "sighting",
    "task",
    "threat-actor",
    "tool",
    "vulnerability",
    "kill-chain-phase",
    "label",
    "vocabulary",
];

/// Whether objects of this type are domain objects.
pub(in crate::format::stix) fn is_domain_object(object: &str) -> bool {
    object.starts_with("x-mitre-") || DOMAIN_OBJECTS.contains(&without_prefix(object))
}

/// OpenCTI wrote its own types with a prefix, and does without it now.
pub(in crate::format::stix) fn without_prefix(object: &str) -> &str {
    object.strip_prefix("x-opencti-").unwrap_or(object)
}

/// The rules of a type of object; none if it is no cyber-observable object that is known.
pub(in crate::format::stix) fn rules(object: &str) -> Option<&'static [Rule]> {
    let object = without_prefix(object);
    OBJECTS.iter().find(|(known, _)| *known == object).map(|(_, rules)| *rules)
}
