//! Hashes and fingerprints, alone or after a file name.

use super::{
    rule::Message,
    text::{self, is_digits, is_hex, is_lower_hex},
};

/// `blocksize:hash:hash`; both hashes may be empty.
pub(super) fn is_ssdeep(text: &str) -> bool {
    let hash = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
    };
    let mut parts = text.split(':');
    parts.next().is_some_and(is_digits)
        && parts.next().is_some_and(hash)
        && parts.next().is_some_and(hash)
        && parts.next().is_none()
}

/// `imports:hash:hash`, of which only the number and the two colons count.
pub(super) fn is_impfuzzy(text: &str) -> bool {
    let mut parts = text.split(':');
    parts.next().is_some_and(is_digits) && parts.count() == 2
}

/// At least 36 hexadecimal digits, after one optional `t`.
pub(super) fn is_tlsh(text: &str) -> bool {
    let digits = text.strip_prefix('t').unwrap_or(text);
    digits.len() > 35 && is_hex(digits)
}

/// 70 or 72 bytes, whichever.
pub(super) fn is_telfhash(text: &str) -> bool {
    matches!(text.len(), 70 | 72)
}

/// `SHA256:` and base64 of 32 bytes, or 32 hexadecimal digits, with or without `MD5:` and colons.
pub(super) fn is_ssh_fingerprint(text: &str) -> bool {
    if let Some(base64) = text.strip_prefix("SHA256:") {
        return is_base64_of_32_bytes(base64);
    }
    let digits = text.strip_prefix("MD5:").unwrap_or(text);
    let count = digits.bytes().filter(|&byte| byte != b':').count();
    count == 32 && digits.bytes().all(|byte| byte == b':' || byte.is_ascii_hexdigit())
}

/// As PHP's strict `base64_decode` sees it: blanks do not count, padding may be left out but not be wrong.
fn is_base64_of_32_bytes(text: &str) -> bool {
    /// Characters that 32 bytes take without padding.
    const CHARACTERS: usize = 43;
    let mut characters = 0;
    let mut padding = 0;
    for byte in text.bytes() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'=' => padding += 1,
            _ if padding > 0 => return false,
            b'+' | b'/' => characters += 1,
            _ if byte.is_ascii_alphanumeric() => characters += 1,
            _ => return false,
        }
    }
    characters == CHARACTERS && padding <= 1
}

/// File name and hash, split at the one `|` of a composite value.
fn filename_and_hash(text: &str) -> (&str, &str) {
    text.split_once('|').unwrap_or((text, ""))
}

/// A file name of one non-empty line, then exactly so many lower-case hexadecimal digits.
pub(super) fn is_filename_and_hex(text: &str, digits: usize) -> bool {
    let (filename, hash) = filename_and_hash(text);
    !filename.is_empty() && !filename.contains('\n') && hash.len() == digits && is_lower_hex(hash)
}

/// Two non-empty halves without a line feed.
pub(super) fn is_filename_and_line(text: &str) -> bool {
    let (filename, hash) = filename_and_hash(text);
    !filename.is_empty() && !hash.is_empty() && !text.contains('\n')
}

/// Lower case from the first `|` on; everything where there is none.
pub(super) fn lower_after_bar(text: &str) -> Option<String> {
    let bar = text.find('|').unwrap_or(0);
    let hash = text::lower(&text[bar..])?;
    Some(format!("{}{hash}", &text[..bar]))
}

/// Without colons, in lower case.
pub(super) fn plain_fingerprint(text: &str) -> Option<String> {
    if !text.contains(':') {
        return text::lower(text);
    }
    let mut plain = text.replace(':', "");
    plain.make_ascii_lowercase();
    Some(plain)
}

/// The digits of a SHA-1, the only one of the PE hashes that MISP knows.
pub(super) fn is_pehash(text: &str) -> bool {
    text.len() == 40 && is_hex(text)
}

/// File name and PE hash.
pub(super) fn is_filename_and_pehash(text: &str) -> bool {
    is_filename_and_hex(text, 40)
}

/// 40 or more hexadecimal digits in lower case.
pub(super) fn is_cdhash(text: &str) -> bool {
    text.len() >= 40 && is_lower_hex(text)
}

/// A file name of one line, possibly empty, and an ssdeep hash.
pub(super) fn check_filename_ssdeep(text: &str) -> Result<(), Message> {
    check_filename_and(text, is_ssdeep, "Invalid ssdeep hash (expected: blocksize:hash:hash).")
}

/// A file name of one line, possibly empty, and a TLSH hash.
pub(super) fn check_filename_tlsh(text: &str) -> Result<(), Message> {
    let message = "TLSH hash has an invalid length or format (expected: filename|at least 35 hexadecimal \
                   characters, optionally starting with t1 instead of hexadecimal characters). Please \
                   double check the value or select type \"other\".";
    check_filename_and(text, is_tlsh, message)
}

fn check_filename_and(
    text: &str,
    is_hash: fn(&str) -> bool,
    message: &'static str,
) -> Result<(), Message> {
    let (filename, hash) = filename_and_hash(text);
    if filename.contains('\n') {
        return Err("Filename must not contain new line character.".into());
    }
    if is_hash(hash) { Ok(()) } else { Err(message.into()) }
}
