//! The value rules against what MISP 2.5.1 was seen to do, and what holds for every text.

use std::fmt::Write;

use misp_trickle::misp::{AttributeType, Stage, normalise};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Table {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    r#type: String,
    value: Text,
    accepted: bool,
    /// Absent where MISP threw.
    normalised: Option<Text>,
    stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Long { repeat: (String, usize) },
}

impl Text {
    fn expand(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Long { repeat: (unit, times) } => unit.repeat(*times),
        }
    }
}

fn cases() -> Vec<Case> {
    let table: Table = serde_json::from_str(include_str!("data/attribute-values.json"))
        .expect("the table of recorded cases is valid");
    assert_eq!(table.cases.len(), 3_269);
    table.cases
}

#[test]
fn every_recorded_case_comes_out_as_in_misp() {
    let mut differences = String::new();
    for case in cases() {
        let kind = AttributeType::named(&case.r#type).expect("a known type");
        let raw = case.value.expand();
        let (accepted, normalised, stage) = match normalise(kind, &raw) {
            Ok(value) => (true, value.as_str().to_owned(), None),
            Err(refusal) => (false, refusal.normalised, Some(refusal.stage.name())),
        };
        let expected = case.normalised.map(|text| text.expand());
        let same = accepted == case.accepted
            && expected.as_ref().is_none_or(|expected| *expected == normalised)
            && stage == case.stage.as_deref();
        if !same {
            let kind = case.r#type;
            writeln!(
                differences,
                "{kind} {raw:.80?}: {normalised:.80?} {stage:?}, in MISP {expected:.80?} {:?}",
                case.stage
            )
            .expect("a String takes everything");
        }
    }
    assert!(differences.is_empty(), "\n{differences}");
}

/// Types for which a stored value, sent again, may come out differently in MISP: `[[.]]` is refanged to `[.]`
/// and then to `.`; a phone number may get its `00` in front only after `(0)` was cut out.
const NOT_IDEMPOTENT: [&str; 8] = [
    "email",
    "email-src",
    "email-dst",
    "link",
    "url",
    "phone-number",
    "prtn",
    "whois-registrant-phone",
];

fn assert_idempotent(kind: AttributeType, raw: &str) -> Result<(), TestCaseError> {
    if NOT_IDEMPOTENT.contains(&kind.name()) {
        return Ok(());
    }
    let Ok(once) = normalise(kind, raw) else { return Ok(()) };
    if kind.name() == "datetime" && !once.as_str().starts_with('-') && once.as_str().len() > 31 {
        // A year beyond 9999 is read as something else the next time.
        return Ok(());
    }
    let twice = normalise(kind, once.as_str());
    prop_assert_eq!(Ok(once), twice, "{} {:?}", kind, raw);
    Ok(())
}

#[test]
fn what_misp_stored_is_stored_again_unchanged() {
    for case in cases() {
        let kind = AttributeType::named(&case.r#type).expect("a known type");
        assert_idempotent(kind, &case.value.expand()).expect("idempotent");
    }
}

fn any_kind() -> impl Strategy<Value = AttributeType> {
    let kinds: Vec<_> = AttributeType::all().collect();
    prop::sample::select(kinds)
}

/// Texts of the pieces that the rules look for.
fn likely_text() -> impl Strategy<Value = String> {
    let pieces = [
        "1.2.3.4",
        "2001:db8::1",
        "::ffff:1.2.3.4",
        "example.com",
        "bücher",
        "/32",
        "/128",
        "|",
        ":",
        "80",
        "[.]",
        "[dot]",
        "[",
        "]",
        "hxxp",
        "://",
        "@",
        "d41d8cd98f00b204e9800998ecf8427e",
        "AS",
        "CVE-",
        "2024-01-02",
        "T03:04:05",
        "Z",
        "+01:00",
        " ",
        "\n",
        "\0",
        ".",
        "-",
        "–",
        "😀",
        "(0)",
        "00",
        "true",
        "%",
        "A",
        "é",
        "port",
        "p",
        "#",
        "SHA256:",
        "Jan",
        "Mon",
        "pm",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..8)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(kind in any_kind(), raw in any::<String>()) {
        if let Err(refusal) = normalise(kind, &raw) {
            prop_assert!(!refusal.message.is_empty());
        }
    }

    #[test]
    fn likely_texts_are_stable(kind in any_kind(), raw in likely_text()) {
        assert_idempotent(kind, &raw)?;
    }

    #[test]
    fn a_stored_value_has_no_four_byte_characters(
        kind in any_kind(), raw in any::<String>(),
    ) {
        if let Ok(value) = normalise(kind, &raw) {
            let fits = value.as_str().chars().all(|char| u16::try_from(u32::from(char)).is_ok());
            prop_assert!(fits);
        }
    }
}

#[track_caller]
fn refused(kind: &str, raw: &str, stage: Stage, message: &str) {
    let kind = AttributeType::named(kind).expect("a known type");
    let refusal = normalise(kind, raw).expect_err("a refusal");
    assert_eq!((refusal.stage, refusal.message.as_str()), (stage, message), "{raw:?}");
}

#[test]
fn refusals_are_in_the_words_of_misp() {
    refused("text", " ", Stage::Empty, "Value cannot be empty.");
    refused("ip-dst", "1.2.3.009", Stage::Format, "IP address has an invalid format.");
    refused(
        "ip-dst",
        "1.2.3.4/33",
        Stage::Format,
        "Invalid CIDR notation value found, for IPv4 must be lower or equal 32.",
    );
    refused(
        "md5",
        "12",
        Stage::Format,
        "Checksum has an invalid length or format (expected: 32 hexadecimal characters). Please double check \
         the value or select type \"other\".",
    );
    refused(
        "domain",
        "*.example.com",
        Stage::Format,
        "Domain has an invalid format. Please double check the value or select type \"other\".",
    );
    refused(
        "hostname",
        "host.example.com.",
        Stage::Format,
        "Hostname has an invalid format. Please double check the value or select type \"other\".",
    );
    refused(
        "port",
        "70000",
        Stage::Format,
        "Port numbers have to be integers between 1 and 65535.",
    );
    refused(
        "filename|md5",
        "a.exe",
        Stage::Composite,
        "Composite type found but the value not in the composite (value1|value2) format.",
    );
    refused(
        "hex",
        "xyz",
        Stage::Format,
        "Value not in the right type/format. Please double check the value or select type \"other\".",
    );
    refused(
        "vulnerability",
        "cve2021",
        Stage::Format,
        "Invalid format. Expected: CVE-xxxx-xxxx...",
    );
    refused(
        "datetime",
        "yesterdayish",
        Stage::Format,
        "Datetime has to be in the ISO 8601 format.",
    );
    refused("filename|impfuzzy", "a|1:a:b", Stage::ServerError, "An Internal Error Has Occurred.");
    let long = format!("{}ä", "z".repeat(65_534));
    refused(
        "text",
        &long,
        Stage::Length,
        "The entered string is too long and would get truncated. Please consider adding the data as an \
         attachment instead",
    );
}
