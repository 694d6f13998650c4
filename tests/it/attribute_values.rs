//! The value rules against what MISP 2.5.1 and 2.5.19 were seen to do, and what holds for every text.

use std::fmt::Write;

use misp_trickle::misp::{
    AttributeType, Stage, Value, Version, normalise, normalise_as, settle_as, stored_forms,
};
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
    let table: Table = serde_json::from_str(include_str!("../data/attribute-values.json"))
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

const LATER: Version = Version::new(2, 5, 19);

/// A case that 2.5.19 treats otherwise than 2.5.1.
#[derive(Deserialize)]
struct Differing {
    r#type: String,
    value: String,
    #[serde(rename = "accepted_2.5.19")]
    accepted: bool,
    #[serde(rename = "normalised_2.5.19")]
    normalised: Option<String>,
}

/// A case in which the interface shows another value than the rules give, in both versions.
#[derive(Deserialize)]
struct Shown {
    r#type: String,
    value: String,
    stored: String,
}

#[derive(Deserialize)]
struct DifferingTable {
    cases: Vec<Differing>,
    api_only: Vec<Shown>,
}

fn differing() -> DifferingTable {
    let table: DifferingTable =
        serde_json::from_str(include_str!("../data/attribute-values-2.5.19-differing.json"))
            .expect("the table of differing cases is valid");
    assert_eq!((table.cases.len(), table.api_only.len()), (11, 22));
    table
}

fn kind(name: &str) -> AttributeType {
    AttributeType::named(name).expect("a known type")
}

/// What a version makes of a value: the stored form, if it takes it.
fn outcome(version: Version, case_type: &str, raw: &str) -> Option<String> {
    normalise_as(version, kind(case_type), raw).ok().map(|value| value.as_str().to_owned())
}

#[test]
fn the_later_version_differs_in_the_recorded_cases_and_in_no_other() {
    let differing = differing().cases;
    for case in &differing {
        let expected = if case.accepted { case.normalised.clone() } else { None };
        assert_eq!(
            outcome(LATER, &case.r#type, &case.value),
            expected,
            "{} {:?}",
            case.r#type,
            case.value
        );
        let earlier = outcome(Version::BASE, &case.r#type, &case.value);
        assert_ne!(earlier, expected, "{} {:?}", case.r#type, case.value);
    }
    let mut differences = String::new();
    for case in cases() {
        let raw = case.value.expand();
        let known = differing.iter().any(|each| each.r#type == case.r#type && each.value == raw);
        if !known
            && outcome(LATER, &case.r#type, &raw) != outcome(Version::BASE, &case.r#type, &raw)
        {
            writeln!(differences, "{} {raw:.80?}", case.r#type).expect("a String takes everything");
        }
    }
    assert!(differences.is_empty(), "\n{differences}");
}

#[test]
fn further_cases_of_the_later_version_come_out_as_in_misp() {
    #[derive(Deserialize)]
    struct More {
        r#type: String,
        value: String,
        accepted: bool,
        stored: Option<String>,
        error: Option<serde_json::Value>,
    }
    #[derive(Deserialize)]
    struct Table {
        cases: Vec<More>,
    }
    let table: Table =
        serde_json::from_str(include_str!("../data/attribute-values-2.5.19-more.json"))
            .expect("the table of further cases is valid");
    assert_eq!(table.cases.len(), 84);
    for case in table.cases {
        let found = normalise_as(LATER, kind(&case.r#type), &case.value);
        let words = found.as_ref().err().map(|refusal| refusal.message.clone());
        let stored = found.ok().map(|value| value.as_str().to_owned());
        assert_eq!((stored.is_some(), &stored), (case.accepted, &case.stored), "{:?}", case.value);
        if let Some(error) = case.error {
            assert_eq!(words.as_deref(), error["value"][0].as_str(), "{:?}", case.value);
        }
    }
}

#[test]
fn what_another_version_or_the_import_filter_shows_is_known_as_ours() {
    let shown = |case_type: &str, value: &str| {
        let stored = normalise(kind(case_type), value).expect("a value that 2.5.1 takes");
        let forms = stored_forms(kind(case_type), &stored);
        forms.into_iter().map(std::borrow::Cow::into_owned).collect::<Vec<_>>()
    };
    for case in differing().api_only {
        assert!(shown(&case.r#type, &case.value).contains(&case.stored), "{:?}", case.value);
    }
    for (value, later) in
        [("::FFFF:1.2.3.4", "::ffff:1.2.3.4"), ("::0:1", "::1"), ("::1/128", "::1")]
    {
        assert!(shown("ip-dst", value).iter().any(|form| form == later), "{value}");
    }
    assert_eq!(shown("domain", "a.example"), ["a.example"]);
}

#[test]
fn what_is_sent_stays_the_same_where_both_versions_take_it() {
    let settled = |version, name: &str, raw: &str| {
        settle_as(version, kind(name), raw).ok().map(|value| value.as_str().to_owned())
    };
    let both = [Version::BASE, LATER];
    for version in both {
        assert_eq!(
            settled(version, "vulnerability", "Cve-2024-1234").as_deref(),
            Some("CVE-2024-1234")
        );
        assert_eq!(settled(version, "ip-dst", "::1/128").as_deref(), Some("::1/128"));
    }
    let ghsa = "GHSA-abcd-1234-wxyz";
    assert_eq!(
        both.map(|version| settled(version, "vulnerability", ghsa)),
        [None, Some(ghsa.into())]
    );
    let odd = "a{56.onion";
    assert_eq!(
        both.map(|version| settled(version, "onion-address", odd)),
        [Some(odd.into()), None]
    );
    assert_eq!(settled(Version::new(2, 5, 11), "vulnerability", ghsa), None);
    assert_eq!(settled(Version::new(2, 6, 0), "vulnerability", ghsa).as_deref(), Some(ghsa));
}

#[test]
fn a_line_feed_at_the_end_of_the_first_half_is_taken_and_kept() {
    let value = "a.example.org\n|198.51.100.7";
    assert_eq!(normalise(kind("domain|ip"), value), Ok(Value::stored(value)));
    assert!(normalise(kind("domain|ip"), "a.example.org\n\n|198.51.100.7").is_err());
    assert!(normalise(kind("domain|ip"), "a.example.org|198.51.100.7\n|").is_err());
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
