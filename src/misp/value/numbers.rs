//! Numbers, truth values and autonomous systems.

use super::text::{digits_up_to, is_digits, lower, only};

/// `true` and anything that PHP takes for true become `1`; `false`, `0` and nothing become `0`.
pub(super) fn boolean(text: &str) -> Option<String> {
    let lowered = lower(text);
    let truth = !matches!(lowered.as_deref().unwrap_or(text), "" | "0" | "false");
    Some(if truth { "1" } else { "0" }.to_owned())
}

/// Without a leading `AS`; `high.low` as one number.
pub(super) fn as_number(text: &str) -> Option<String> {
    let rest = match text.get(..2) {
        Some(start) if start.eq_ignore_ascii_case("AS") => &text[2..],
        _ => text,
    };
    match rest.split_once('.').and_then(|(high, low)| from_asdot(high, low)) {
        Some(number) => Some(number.to_string()),
        None => (rest.len() < text.len()).then(|| rest.to_owned()),
    }
}

/// `high` times 65,536 plus `low`; nothing where that leaves 64 bits, which is no AS number either way.
fn from_asdot(high: &str, low: &str) -> Option<i64> {
    let number = |digits: &str| is_digits(digits).then(|| digits.parse::<i64>().ok())?;
    number(high)?.checked_mul(65_536)?.checked_add(number(low)?)
}

/// A number of up to 32 bits, zero included.
pub(super) fn is_as_number(text: &str) -> bool {
    digits_up_to(text, u32::MAX.into()).is_some()
}

/// ASCII digits only.
pub(super) fn digits(text: &str) -> Option<String> {
    only(text, |char| char.is_ascii_digit())
}

/// A whole number of 64 bits as PHP's `FILTER_VALIDATE_INT` takes it, but not 0, which MISP takes for false: an
/// optional sign, and no zero in front. MISP 2.5.9 and later.
pub(super) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    is_digits(digits) && !digits.starts_with('0') && text.parse::<i64>().is_ok()
}
