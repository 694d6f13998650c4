//! Text as PHP sees it: bytes, ASCII case, and its own ideas of blank and numeric.

use std::borrow::Cow;

/// What PHP's `trim` cuts off both ends.
const BLANKS: [char; 6] = [' ', '\t', '\n', '\r', '\0', '\x0B'];

/// Cuts what PHP's `trim` cuts: blanks, tabs, line ends and NUL, but neither form feeds nor Unicode spaces.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(BLANKS)
}

/// Whether all bytes pass. It never leaves early, which lets the compiler test many at once.
pub(super) fn every_byte(text: &str, passes: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(true, |all, byte| all & passes(byte))
}

/// Replaces every character above U+FFFF by `?`, as MISP's three-byte columns do (values, comments,
/// info and tag names alike).
#[must_use]
pub fn fold_bmp(text: &str) -> Cow<'_, str> {
    const FOUR_BYTE_LEAD: u8 = 0xF0;
    if every_byte(text, |byte| byte < FOUR_BYTE_LEAD) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|char| if char > '\u{FFFF}' { '?' } else { char }).collect::<String>().into()
}

/// ASCII lower case, if that changes anything.
pub(super) fn lower(text: &str) -> Option<String> {
    (!every_byte(text, |byte| !byte.is_ascii_uppercase())).then(|| text.to_ascii_lowercase())
}

/// ASCII upper case, if that changes anything.
pub(super) fn upper(text: &str) -> Option<String> {
    (!every_byte(text, |byte| !byte.is_ascii_lowercase())).then(|| text.to_ascii_uppercase())
}

/// Keeps only the characters of a kind, if that drops any.
pub(super) fn only(text: &str, keep: impl Fn(char) -> bool) -> Option<String> {
    let drops = text.chars().any(|char| !keep(char));
    drops.then(|| text.chars().filter(|&char| keep(char)).collect())
}

/// Not empty, and nothing but ASCII digits (PHP's `ctype_digit`).
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && every_byte(text, |byte| byte.is_ascii_digit())
}

/// Not empty, and nothing but hexadecimal digits of either case (PHP's `ctype_xdigit`).
pub(super) fn is_hex(text: &str) -> bool {
    !text.is_empty() && every_byte(text, |byte| byte.is_ascii_hexdigit())
}

/// Not empty, and nothing but hexadecimal digits in lower case.
pub(super) fn is_lower_hex(text: &str) -> bool {
    !text.is_empty() && every_byte(text, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Not empty, and nothing but ASCII letters and digits.
pub(super) fn is_alphanumeric(text: &str) -> bool {
    !text.is_empty() && every_byte(text, |byte| byte.is_ascii_alphanumeric())
}

/// Not empty, and nothing but ASCII control characters (PHP's `ctype_cntrl`).
pub(super) fn is_control(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_control())
}

/// The number that a run of digits of any length writes, if it is at most `max`.
pub(super) fn digits_up_to(text: &str, max: u64) -> Option<u64> {
    if !is_digits(text) {
        return None;
    }
    let significant = text.trim_start_matches('0');
    let number = if significant.is_empty() { 0 } else { significant.parse().ok()? };
    (number <= max).then_some(number)
}

/// PHP's `is_numeric`: a decimal number with an optional sign, fraction and exponent, and blanks around.
pub(super) fn is_numeric(text: &str) -> bool {
    const SPACES: [char; 6] = [' ', '\t', '\n', '\r', '\x0B', '\x0C'];
    let text = text.trim_matches(SPACES);
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits_or_nothing = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    digits_or_nothing(whole)
        && digits_or_nothing(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|text| is_digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

/// The change that changes nothing.
pub(super) fn unchanged(_text: &str) -> Option<String> {
    None
}

/// No line feed in it; other line ends do not count.
pub(super) fn is_one_line(text: &str) -> bool {
    !text.contains('\n')
}

/// Whether it is JSON.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Up to 256 bytes without a slash of either kind, as Windows services are called.
pub(super) fn is_service_name(text: &str) -> bool {
    text.len() <= 256 && !text.contains(['/', '\\'])
}
