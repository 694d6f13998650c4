//! Numbers as values. One that is whole is that number, however it is written (`443.0`, `4.43e2`); readers before the fourth
//! took it as it is written, or not at all.

use std::borrow::Cow;

use serde_json::Number;

use crate::model::Reader;

/// From about here on a whole number that was read as a double may be the one beside the one that was written.
const EXACT_END: f64 = 1e15;

/// Kinds of observables whose values are whole numbers, or digits that look like one; of a kind `misp-…` the type of MISP in
/// it. With a point the value would be another: `64500.1` is an AS number of 32 bits, and MISP cuts the point of a card number.
const WHOLE: [&str; 18] = [
    "AS",
    "aba-rtn",
    "asn",
    "bank-account",
    "bank-account-nr",
    "bin",
    "card",
    "cc-number",
    "counter",
    "file-size",
    "iban",
    "integer",
    "phone-number",
    "port",
    "prtn",
    "size-in-bytes",
    "telephone",
    "whois-registrant-phone",
];

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum Written {
    /// As a text, or as an integer.
    Plain,
    /// As a number that is whole, with a point or an exponent.
    Whole,
    /// As a number that is not, or too large a one.
    Broken,
}

impl Written {
    /// The first reader that takes such a value for one of this kind; `None` where nobody knows which is meant.
    pub(in crate::format) fn since(self, kind: &str) -> Option<Reader> {
        let is_whole = || WHOLE.contains(&kind.strip_prefix("misp-").unwrap_or(kind));
        match self {
            Self::Plain => Some(Reader::FIRST),
            Self::Whole => Some(Reader::FOURTH),
            Self::Broken => (!is_whole()).then_some(Reader::FIRST),
        }
    }
}

/// A number of JSON that is written with a point or an exponent, by its bits, so that two can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) struct Double(u64);

impl From<f64> for Double {
    fn from(number: f64) -> Self {
        Self(number.to_bits())
    }
}

impl Double {
    /// The text that it is as a value.
    pub(in crate::format) fn value(self) -> (String, Written) {
        let number = f64::from_bits(self.0);
        if number.fract() == 0.0 && number.abs() < EXACT_END {
            // Zero has no sign.
            return (format!("{:.0}", number + 0.0), Written::Whole);
        }
        let written = Number::from_f64(number).map_or_else(String::new, |it| it.to_string());
        (written, Written::Broken)
    }
}

/// The text that a number of JSON is as a value.
pub(in crate::format) fn of_json(number: &Number) -> (String, Written) {
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(double) => Double::from(double).value(),
        None => (number.to_string(), Written::Plain),
    }
}

/// The text that a number of a pattern is as a value: digits around a point, perhaps with a minus in front.
pub(in crate::format) fn of_pattern(number: &str) -> (Cow<'_, str>, Written) {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number),
    };
    match digits.split_once('.') {
        None => (number.into(), Written::Plain),
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => {
            match whole.trim_start_matches('0') {
                "" => ("0".into(), Written::Whole),
                whole => (format!("{sign}{whole}").into(), Written::Whole),
            }
        }
        Some(_) => (number.into(), Written::Broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for (number, text, written) in [
            ("443", "443", Written::Plain),
            ("18446744073709551615", "18446744073709551615", Written::Plain),
            ("443.0", "443", Written::Whole),
            ("6.45e4", "64500", Written::Whole),
            ("-0.0", "0", Written::Whole),
            ("-7.0e0", "-7", Written::Whole),
            ("999999999999999.0", "999999999999999", Written::Whole),
            ("1000000000000000.0", "1000000000000000.0", Written::Broken),
            ("64500.1", "64500.1", Written::Broken),
            ("1e20", "1e+20", Written::Broken),
        ] {
            let read = of_json(&serde_json::from_str(number).unwrap());
            assert_eq!(read, (text.to_owned(), written), "{number}");
        }
        for (number, text, written) in [
            ("443", "443", Written::Plain),
            ("443.000", "443", Written::Whole),
            ("0443.0", "443", Written::Whole),
            ("-.0", "0", Written::Whole),
            ("-5.0", "-5", Written::Whole),
            ("99999999999999999999.0", "99999999999999999999", Written::Whole),
            ("64500.10", "64500.10", Written::Broken),
        ] {
            assert_eq!(of_pattern(number), (text.into(), written), "{number}");
        }
    }

    #[test]
    fn a_number_that_is_not_whole_is_none_of_a_kind_that_is() {
        for (kind, since) in [
            ("asn", None),
            ("misp-AS", None),
            ("port", None),
            ("geo-lat", Some(Reader::FIRST)),
            ("misp-float", Some(Reader::FIRST)),
        ] {
            assert_eq!(Written::Broken.since(kind), since, "{kind}");
            assert_eq!(Written::Whole.since(kind), Some(Reader::FOURTH), "{kind}");
            assert_eq!(Written::Plain.since(kind), Some(Reader::FIRST), "{kind}");
        }
    }
}
