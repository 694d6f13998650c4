//! What belongs to people and their money: e-mail addresses, phone numbers, bank accounts.

use super::text::{is_digits, is_numeric, only, upper};

/// MISP's very loose idea of an e-mail address: one character, no blank before an `@`, then a dot
/// somewhere on the same line.
pub(super) fn is_email(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.first().is_none_or(|&byte| byte == b'\n') {
        return false;
    }
    // Of all `@` the first leaves the most for the dot, so no other one needs a try.
    let Some(at) = bytes.iter().skip(1).position(|&byte| byte == b'@').map(|at| at + 1) else {
        return false;
    };
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let (user, host) = (&bytes[1..at], &bytes[at + 1..]);
    !user.iter().copied().any(is_blank) && !host.contains(&b'\n') && host.contains(&b'.')
}

/// Digits and `+` only, with `00` in front written as `+` and `(0)` left out: MISP before 2.5.3.
pub(super) fn phone(text: &str) -> Option<String> {
    phone_by(text.get(..text.len().min(2)).is_some_and(is_like_zero), text)
}

/// The same in MISP 2.5.3 and later, where only `00` itself becomes `+`.
pub(super) fn phone_with_zeros(text: &str) -> Option<String> {
    phone_by(text.starts_with("00"), text)
}

fn phone_by(international: bool, text: &str) -> Option<String> {
    let rest = if international { &text[text.len().min(2)..] } else { text };
    let keep = |char: char| char == '+' || char.is_ascii_digit();
    if !international && text.chars().all(keep) {
        return None;
    }
    let mut number = String::with_capacity(text.len());
    number.extend(international.then_some('+'));
    for part in rest.split("(0)") {
        number.extend(part.chars().filter(|&char| keep(char)));
    }
    Some(number)
}

/// PHP compares the first two characters with `00` as numbers: `0`, `-0`, `0.` and `0 ` are equal to it, too.
fn is_like_zero(text: &str) -> bool {
    is_numeric(text) && text.bytes().all(|byte| !matches!(byte, b'1'..=b'9'))
}

/// Upper-case letters and digits only.
pub(super) fn upper_alphanumeric(text: &str) -> Option<String> {
    let keep = |char: char| char.is_ascii_alphanumeric();
    match only(text, keep) {
        Some(mut kept) => {
            kept.make_ascii_uppercase();
            Some(kept)
        }
        None => upper(text),
    }
}

/// Upper case, with en dashes written as hyphens: `cve–2024–1234` becomes `CVE-2024-1234`.
pub(super) fn upper_hyphens(text: &str) -> Option<String> {
    if !text.contains('–') {
        return upper(text);
    }
    let mut id = text.replace('–', "-");
    id.make_ascii_uppercase();
    Some(id)
}

/// `CVE-`, four digits, `-`, four or more digits.
pub(super) fn is_cve(text: &str) -> bool {
    let id = text.strip_prefix("CVE-").and_then(|id| id.split_once('-'));
    id.is_some_and(|(year, number)| {
        year.len() == 4 && is_digits(year) && number.len() >= 4 && is_digits(number)
    })
}

/// `CWE-` and digits.
pub(super) fn is_cwe(text: &str) -> bool {
    text.strip_prefix("CWE-").is_some_and(is_digits)
}
