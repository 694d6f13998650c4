//! The words that datasets are made of, and documents made of them.

use arbitrary::{Result, Unstructured};

use super::json::{
    Usual::{Flag, Object, Objects, TextList, Texts, Value},
    Vocabulary, list, quote,
};

const IDS: &[&str] = &[
    "{https://x.example}incident-00000000-0000-4000-8000-000000000001",
    "00000000-0000-4000-8000-000000000001",
    "indicator--00000000-0000-4000-8000-000000000002",
    "ipv4-addr--00000000-0000-4000-8000-000000000003",
    "domain-name--00000000-0000-4000-8000-000000000004",
    "marking-definition--00000000-0000-4000-8000-000000000005",
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
    "observed-data--00000000-0000-4000-8000-000000000006",
    "https://x.example/api/v2/entities/00000000-0000-4000-8000-000000000001/?x=1",
    "{{https://x.example/}}Incident-00000000-0000-4000-8000-000000000001",
    "no uuid",
    "None",
    "7",
    "",
];
const TIMES: &[&str] = &[
    "2024-05-14T11:00:00Z",
    "2024-05-14T11:00:00.123456+02:00",
    "2024-05-14",
    "yesterday",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
];
const COLOURS: &[&str] =
    &["RED", "amber", "TLP:GREEN", "clear", "amber+strict", "NONE", "null", "PINK"];
const URLS: &[&str] = &["https://a.example/x", "http://b.example", "ftp://c.example", "no url"];

const EIQ: Vocabulary = Vocabulary {
    members: &[
        ("id", Texts(IDS)),
        ("id", Texts(IDS)),
        (
            "type",
            Texts(&["incident", "indicator", "ttp", "threat-actor", "relation", "incident_ref"]),
        ),
        ("data", Object),
        ("data", Object),
        ("meta", Object),
        ("meta", Object),
        ("extracts", Objects),
        ("extracts", Objects),
        ("bundled_extracts", Objects),
        ("manual_extracts", Objects),
        ("sources", Objects),
        ("kind", Texts(&["ipv4", "domain", "uri", "hash-md5", "IPV4", "x"])),
        ("value", Value),
        ("value", Value),
        ("title", Texts(&["a title", " ", "ä", "\u{1f600}"])),
        ("description", Texts(&["x"])),
        ("timestamp", Texts(TIMES)),
        ("estimated_threat_start_time", Texts(TIMES)),
        ("estimated_threat_end_time", Texts(TIMES)),
        ("status", Texts(&["New", "Closed", "Rejected"])),
        ("diff", Texts(&["add", "del"])),
        ("is_ref", Flag),
        ("is_unresolved_idref", Flag),
        ("is_unresolved_idref", Texts(&["true", "None"])),
        ("observables", Objects),
        ("observable", Object),
        ("enrichment_extracts", Objects),
        ("test_mechanisms", Objects),
        ("generic_test_mechanism_type", Texts(&["Sigma", "STIX", "PCRE", "snort"])),
        ("specification", Value),
        ("rules", TextList(&["alert x", "None"])),
        ("identity", Object),
        ("behavior", Object),
        ("malware", Objects),
        ("names", TextList(&["a", "null"])),
        ("producer", Object),
        ("created_at", Texts(TIMES)),
        ("taxonomy", TextList(&["21", "x"])),
        ("custom_attributes", Object),
        ("idref", Texts(IDS)),
        ("tlp_color", Texts(COLOURS)),
        ("tlp_color_override", Texts(COLOURS)),
        ("handling", Objects),
        ("marking_structures", Objects),
        ("color", Texts(COLOURS)),
        ("source_reliability", Texts(&["A", "f", "?"])),
        ("key", Texts(&["related_incidents", "stix_update_of"])),
        ("subtype", Texts(&["stix_update_of"])),
        ("relationship", Texts(&["uses"])),
        ("source", Texts(IDS)),
        ("target", Texts(IDS)),
        ("tags", TextList(&["a", "b", ""])),
        ("taxonomy_paths", Objects),
        ("attacks", TextList(&["T1059.001 x", "TA0001"])),
        ("references", TextList(URLS)),
        ("information_source", Object),
        ("external_references", Objects),
        ("url", Texts(URLS)),
        ("external_id", Texts(&["CVE-2021-44228", "T1059"])),
        ("vulnerabilities", Objects),
        ("vulnerability", Object),
        ("cve_id", Texts(&["CVE-2021-44228", "2021-44228"])),
        ("weaknesses", Objects),
        ("weakness", Object),
        ("cwe_id", Texts(&["CWE-79", "79"])),
        ("cves", TextList(&["CVE-2021-44228", "2021-44228"])),
        ("instance_meta", Object),
        ("link_types", TextList(&["observed", "sighted", "x"])),
        ("classification", Texts(&["bad", "good", "unknown", "safe", "low"])),
        ("confidence", Texts(&["low", "medium", "high"])),
        ("maliciousness", Texts(&["safe", "high"])),
    ],
};

const STIX: Vocabulary = Vocabulary {
    members: &[
        ("type", Texts(STIX_TYPES)),
        ("type", Texts(STIX_TYPES)),
        ("type", Texts(STIX_TYPES)),
        ("id", Texts(IDS)),
        ("id", Texts(IDS)),
        ("id", Texts(IDS)),
        ("created", Texts(TIMES)),
        ("modified", Texts(TIMES)),
        ("revoked", Flag),
        ("name", Texts(&["x", "CVE-2021-44228", ""])),
        ("labels", TextList(&["a", "b"])),
        ("object_marking_refs", TextList(IDS)),
        ("granular_markings", Objects),
        ("marking_ref", Texts(IDS)),
        ("external_references", Objects),
        ("url", Texts(URLS)),
        ("external_id", Texts(&["CVE-2021-44228"])),
        ("valid_from", Texts(TIMES)),
        ("valid_until", Texts(TIMES)),
        ("first_observed", Texts(TIMES)),
        ("last_seen", Texts(TIMES)),
        ("pattern", Texts(PATTERNS)),
        ("pattern", Texts(PATTERNS)),
        ("pattern_type", Texts(&["stix", "yara", "sigma", "snort", "x"])),
        ("indicator_types", TextList(&["benign", "malicious-activity"])),
        ("relationship_type", Texts(&["indicates", "related-to"])),
        ("source_ref", Texts(IDS)),
        ("target_ref", Texts(IDS)),
        ("sighting_of_ref", Texts(IDS)),
        ("object_refs", TextList(IDS)),
        ("observed_data_refs", TextList(IDS)),
        ("objects", Object),
        ("definition", Object),
        ("definition_type", Texts(&["tlp", "statement"])),
        ("tlp", Texts(COLOURS)),
        ("extensions", Object),
        ("value", Value),
        ("value", Value),
        ("hashes", Object),
        ("MD5", Texts(&["d41d8cd98f00b204e9800998ecf8427e"])),
        ("SHA-256", Value),
        ("size", Texts(&["12"])),
        ("dst_ref", Texts(IDS)),
        ("src_ref", Texts(IDS)),
        ("resolves_to_refs", TextList(IDS)),
        ("from_ref", Texts(IDS)),
        ("key", Texts(&[r"HKLM\Software\Run"])),
        ("to_refs", TextList(IDS)),
        ("image_ref", Texts(IDS)),
        ("sample_refs", TextList(IDS)),
        ("event_ref", Texts(IDS)),
        ("body", Value),
        ("command_line", Value),
        ("received_lines", TextList(&["from a.example", "from b.example", " "])),
        ("additional_header_fields", Object),
        ("X-Mailer", Value),
        ("values", Objects),
        ("data", Value),
        ("iban", Value),
        ("is_hidden", Flag),
        ("x_opencti_score", Texts(&["50"])),
        ("encryption_algorithm", Texts(&["mime-type-indicated"])),
        ("country", Texts(&["DE"])),
    ],
};

const STIX_TYPES: &[&str] = &[
    "incident",
    "indicator",
    "indicator",
    "observed-data",
    "relationship",
    "ipv4-addr",
    "domain-name",
    "file",
    "email-message",
    "network-traffic",
    "process",
    "artifact",
    "directory",
    "hostname",
    "bank-account",
    "windows-registry-key",
    "malware",
    "event",
    "marking-definition",
    "report",
    "vulnerability",
    "location",
    "sighting",
];

const PATTERNS: &[&str] = &[
    "[ipv4-addr:value = '198.51.100.7']",
    "[file:hashes.'SHA-256' = 'x' AND file:name LIKE 'a%'] FOLLOWEDBY [url:value IN ('a', 'b')]",
    "[domain-name:value = 'x'",
    "[x:y[*].z MATCHES 'q']",
];

/// An EclecticIQ document, or several.
pub(super) fn eclecticiq(input: &mut Unstructured<'_>) -> Result<String> {
    documents(input, &EIQ, |out| quote("urn:eclecticiq.com:json:1.0", out), "content-type")
}

/// A STIX bundle, or several.
pub(super) fn stix(input: &mut Unstructured<'_>) -> Result<String> {
    documents(input, &STIX, |out| quote("bundle", out), "type")
}

fn documents(
    input: &mut Unstructured<'_>,
    words: &Vocabulary,
    sign: fn(&mut String),
    name: &str,
) -> Result<String> {
    let mut out = String::new();
    // The first byte is what says that this is a recipe.
    input.arbitrary::<u8>()?;
    if input.ratio(1, 16)? {
        out.push('\u{feff}');
    }
    for _ in 0..*input.choose(&[1_u8, 1, 1, 2, 3])? {
        if input.ratio(1, 5)? {
            list(input, &mut out, |input, out| package(input, words, sign, name, out))?;
        } else {
            package(input, words, sign, name, &mut out)?;
        }
        out.push_str(input.choose(&["", "\n", " "])?);
    }
    if input.ratio(1, 16)? {
        out.pop();
    }
    Ok(out)
}

fn package(
    input: &mut Unstructured<'_>,
    words: &Vocabulary,
    sign: fn(&mut String),
    name: &str,
    out: &mut String,
) -> Result<()> {
    out.push('{');
    if !input.ratio(1, 8)? {
        quote(name, out);
        out.push(':');
        sign(out);
        out.push(',');
    }
    for place in 0..input.int_in_range(1..=3_u8)? {
        if place > 0 {
            out.push(',');
        }
        let list_name = match name {
            "type" => *input.choose(&["objects", "objects", "objects", "spec_version"])?,
            _ => *input.choose(&["entities", "entities", "entities_v2", "objects"])?,
        };
        quote(list_name, out);
        out.push(':');
        if input.ratio(1, 10)? {
            out.push_str(input.choose(&["{}", "\"x\"", "1", "null", "[1,\"x\",[]]"])?);
        } else {
            list(input, out, |input, out| words.object(input, 0, out))?;
        }
    }
    out.push('}');
    Ok(())
}
