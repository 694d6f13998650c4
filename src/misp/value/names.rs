//! Names of hosts.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::text::{every_byte, lower};

/// Lower case, no dots at the ends, and IDNA's ASCII form where the name is no valid one already.
pub(super) fn domain(text: &str) -> Option<String> {
    let lowered = lower(text);
    let name = lowered.as_deref().unwrap_or(text).trim_matches('.');
    let ascii = if is_domain(name) { None } else { to_ascii(name) };
    let new = ascii.as_deref().unwrap_or(name);
    (new != text).then(|| new.to_owned())
}

/// ICU's transitional UTS 46, as PHP's `idn_to_ascii` does by default.
fn to_ascii(name: &str) -> Option<String> {
    // ASCII comes out as it went in: it is lower case already, and a failure leaves it alone.
    if name.is_ascii() {
        return None;
    }
    let mut mapped = String::with_capacity(name.len());
    for char in name.chars() {
        match char {
            'ß' | 'ẞ' => mapped.push_str("ss"),
            'ς' => mapped.push('σ'),
            '\u{200C}' | '\u{200D}' => {}
            other => mapped.push(other),
        }
    }
    let ascii = Uts46::new()
        .to_ascii(
            mapped.as_bytes(),
            AsciiDenyList::EMPTY,
            Hyphens::Check,
            DnsLength::VerifyAllowRootDot,
        )
        .ok()?;
    Some(ascii.into_owned())
}

/// Letters, digits, dots, hyphens and underscores, then a dot and a last label of two or more letters,
/// digits or hyphens. Empty labels and over-long names pass, and so does one line feed at the end, which only
/// the first half of a composite value can have.
pub(super) fn is_domain(text: &str) -> bool {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.rsplit_once('.').is_some_and(|(front, last)| {
        !front.is_empty()
            && every_byte(front, |byte| label(byte) || matches!(byte, b'.' | b'_'))
            && last.len() >= 2
            && every_byte(last, label)
    })
}

/// Sixteen base32 characters and `.onion`.
///
/// The pattern of MISP 2.5.1 has a parenthesis in the wrong place. So addresses of version 3 are refused,
/// and one character followed by `{56` passes.
pub(super) fn is_onion(text: &str) -> bool {
    let base32 = |text: &str| text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    text.strip_suffix(".onion").is_some_and(|name| match name.strip_suffix("{56") {
        Some(one) => one.len() == 1 && base32(one),
        None => name.len() == 16 && base32(name),
    })
}

/// Sixteen or fifty-six base32 characters and `.onion`: MISP 2.5.2 and later.
pub(super) fn is_onion_of_any_version(text: &str) -> bool {
    let base32 = |text: &str| text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    text.strip_suffix(".onion").is_some_and(|name| matches!(name.len(), 16 | 56) && base32(name))
}
