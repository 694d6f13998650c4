//! Forms of values that rules ask for, and what rules do to values before MISP's own normalisation.

use std::{borrow::Cow, net::IpAddr};

use crate::{misp::with_dots, model::Words};

/// A form that a value may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An IPv4 or IPv6 literal, perhaps with one trailing dot, perhaps defanged.
    Ip,
    /// Begins with a scheme and `://`, also when defanged.
    Scheme,
    /// ASCII digits only.
    Digits,
    /// An IBAN whose check digits hold (ISO 13616).
    Iban,
    /// A Bitcoin address by its alphabet, prefix and length.
    Btc,
    /// A Monero address by its alphabet, prefix and length.
    Xmr,
    /// A STIX 2.1 pattern.
    StixPattern,
    /// A Sigma rule.
    Sigma,
}

/// What is done to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One trailing dot is cut: MISP refuses a host name with it.
    TrailingDot,
    /// `AS` or `AS-` in front is cut: MISP cuts the letters only.
    AsNumber,
    /// `CVE-` is added to a bare number: EclecticIQ leaves it out, MISP insists.
    Cve,
    /// `CWE-` is added where it is missing.
    Cwe,
}

/// What rules mean, by the number of their format; each knows what the one before does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    /// That of misp-trickle 0.1.0.
    First = 1,
    /// Addresses are known whose dots are in words, too.
    Second = 2,
}

impl Meaning {
    /// That of this program.
    pub(super) const NOW: Self = Self::Second;

    /// The number that a table has.
    pub(super) const fn format(self) -> u32 {
        self as u32
    }

    /// That of a table with this number, if this program knows it.
    pub(super) fn of_format(format: u32) -> Option<Self> {
        [Self::First, Self::Second].into_iter().find(|meaning| meaning.format() == format)
    }
}

impl Words for Form {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("ip", Self::Ip),
        ("scheme", Self::Scheme),
        ("digits", Self::Digits),
        ("iban", Self::Iban),
        ("btc", Self::Btc),
        ("xmr", Self::Xmr),
        ("stix-pattern", Self::StixPattern),
        ("sigma", Self::Sigma),
    ];
}

impl Form {
    pub(super) fn fits(self, value: &str, meaning: Meaning) -> bool {
        let value = value.trim();
        match self {
            Self::Ip => is_ip(value, meaning),
            Self::Scheme => has_scheme(value),
            Self::Digits => !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()),
            Self::Iban => is_iban(value),
            Self::Btc => is_btc(value),
            Self::Xmr => is_xmr(value),
            Self::StixPattern => value.starts_with('['),
            Self::Sigma => value.contains("detection:") && value.contains("logsource:"),
        }
    }
}

impl Words for Shape {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("trailing-dot", Self::TrailingDot),
        ("as-number", Self::AsNumber),
        ("cve", Self::Cve),
        ("cwe", Self::Cwe),
    ];
}

impl Shape {
    pub(super) fn apply(self, value: &str) -> Cow<'_, str> {
        let value = value.trim();
        match self {
            Self::TrailingDot => value.strip_suffix('.').unwrap_or(value).into(),
            Self::AsNumber => without_prefix(value, "AS")
                .map_or(value, |number| number.trim_start_matches(['-', ' ']))
                .into(),
            // Other families have names of their own, which later versions of MISP know.
            Self::Cve if value.starts_with(|char: char| char.is_ascii_alphabetic()) => value.into(),
            Self::Cve => with_prefix(value, "CVE"),
            Self::Cwe => with_prefix(value, "CWE"),
        }
    }
}

fn without_prefix<'v>(value: &'v str, prefix: &str) -> Option<&'v str> {
    let head = value.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &value[prefix.len()..])
}

fn with_prefix<'v>(value: &'v str, prefix: &str) -> Cow<'v, str> {
    match without_prefix(value, prefix) {
        Some(_) => value.into(),
        None => format!("{prefix}-{value}").into(),
    }
}

fn is_ip(value: &str, meaning: Meaning) -> bool {
    let value = value.strip_suffix('.').unwrap_or(value);
    let plain = match meaning {
        Meaning::First => value.replace("[.]", ".").into(),
        Meaning::Second => with_dots(value),
    };
    plain.parse::<IpAddr>().is_ok()
}

/// Letters, digits, `+`, `.`, `-`, then `://`; MISP undoes `[:]`, `h[tt]p` and `[hxxp://]` by itself.
fn has_scheme(value: &str) -> bool {
    let is_scheme = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
    };
    let value = value.strip_prefix('[').unwrap_or(value);
    let end = ["://", "[:]//", "[://]"].into_iter().filter_map(|mark| value.find(mark)).min();
    end.is_some_and(|end| {
        let scheme = &value[..end];
        is_scheme(scheme) || is_scheme(&scheme.replacen("[tt]", "tt", 1))
    })
}

fn is_iban(value: &str) -> bool {
    let text: Vec<u8> = value
        .bytes()
        .filter(|byte| !matches!(byte, b' ' | b'-'))
        .map(|byte| byte.to_ascii_uppercase())
        .collect();
    let well_formed = (15..=34).contains(&text.len())
        && text[..2].iter().all(u8::is_ascii_uppercase)
        && text[2..4].iter().all(u8::is_ascii_digit)
        && text.iter().all(u8::is_ascii_alphanumeric);
    let remainder = |sum: u32, &byte: &u8| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte - b'A') + 10) % 97,
    };
    well_formed && text[4..].iter().chain(&text[..4]).fold(0, remainder) == 1
}

fn is_base58(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() && !matches!(byte, b'0' | b'O' | b'I' | b'l'))
}

fn is_btc(value: &str) -> bool {
    let legacy = value.starts_with(['1', '3']) && (26..=35).contains(&value.len());
    let segwit = without_prefix(value, "bc1").is_some_and(|rest| {
        (11..=87).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    (legacy && is_base58(value)) || segwit
}

fn is_xmr(value: &str) -> bool {
    value.starts_with(['4', '8']) && matches!(value.len(), 95 | 106) && is_base58(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_know_their_values() {
        let xmr = format!("4{}", "A".repeat(94));
        for (form, yes, no) in [
            (Form::Ip, "2001:db8::1", "example.org"),
            (Form::Ip, "198.51[.]100.7.", "198.51.100"),
            (Form::Ip, "198[dot]51(dot)100[.]7", "198[dot]51[dot]example"),
            (Form::Scheme, "hxxps[:]//example[.]org/", "example.org:8080/http://x"),
            (Form::Scheme, "h[tt]p://example.org", "example.org/a"),
            (Form::Scheme, "[hxxp://]example.org", "://x"),
            (Form::Digits, " 0123 ", "1e5"),
            (Form::Iban, "DE89 3704 0044 0532 0130 00", "DE88370400440532013000"),
            (Form::Iban, "gb82west12345698765432", "GB82"),
            (Form::Btc, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN0"),
            (Form::Btc, "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "bc1"),
            (Form::Xmr, &xmr, "4AAA"),
            (Form::StixPattern, "[url:value = 'x']", "url"),
            (Form::Sigma, "logsource: a\ndetection: b", "detection: b"),
        ] {
            assert!(form.fits(yes, Meaning::NOW), "{form:?} {yes}");
            assert!(!form.fits(no, Meaning::NOW), "{form:?} {no}");
        }
        for (value, is_one) in [("198[dot]51(dot)100[.]7", false), ("198.51[.]100.7.", true)] {
            assert_eq!(Form::Ip.fits(value, Meaning::First), is_one, "{value}");
        }
    }

    #[test]
    fn shapes_change_what_misp_would_refuse() {
        for (shape, value, shaped) in [
            (Shape::TrailingDot, "example.org.", "example.org"),
            (Shape::TrailingDot, "example.org..", "example.org."),
            (Shape::AsNumber, "AS-6400", "6400"),
            (Shape::AsNumber, "as 64500", "64500"),
            (Shape::AsNumber, "64500", "64500"),
            (Shape::Cve, "2021-45105", "CVE-2021-45105"),
            (Shape::Cve, "cve-2021-45105", "cve-2021-45105"),
            (Shape::Cve, "GHSA-abcd-1234-wxyz", "GHSA-abcd-1234-wxyz"),
            (Shape::Cwe, "79", "CWE-79"),
            (Shape::Cwe, "ä", "CWE-ä"),
        ] {
            assert_eq!(shape.apply(value), shaped, "{shape:?} {value}");
        }
    }
}
