//! Sizes as people write them to rsync, curl and wget: `500`, `64k`, `1.5m`, `2g`.

use std::num::NonZeroU64;

/// Letters, and how many bytes each means.
const UNITS: [(char, u64); 3] = [('g', 1 << 30), ('m', 1 << 20), ('k', 1 << 10)];
/// Digits behind the point that are read.
const DECIMALS_MAX: usize = 3;

/// Reads a number of bytes, perhaps with `k`, `m` or `g` for 1024, 1024² and 1024³ of them.
///
/// # Errors
/// What is wrong with the text, a lower-case fragment.
pub fn parse_size(text: &str) -> Result<NonZeroU64, String> {
    let wrong = || format!("{text:?} is not a size such as \"64k\", \"1.5m\" or \"2g\"");
    let text = text.trim();
    let unit = |letter: char| UNITS.iter().find(|(unit, _)| letter.eq_ignore_ascii_case(unit));
    let (number, each) = match text.chars().last().and_then(unit) {
        Some((_, each)) => (&text[..text.len() - 1], *each),
        None => (text, 1),
    };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > DECIMALS_MAX {
        return Err(wrong());
    }
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let part: u64 = decimals.parse().map_err(|_| wrong())?;
    let digits = u32::try_from(decimals.len()).expect("there are few");
    let bytes =
        whole.checked_mul(each).and_then(|it| it.checked_add(part * each / 10_u64.pow(digits)));
    NonZeroU64::new(bytes.ok_or_else(wrong)?).ok_or_else(|| format!("{text:?} is no byte at all"))
}

/// Writes a size in the largest unit that leaves a whole number, so that [`parse_size`] reads the same one again.
#[must_use]
pub fn format_size(bytes: NonZeroU64) -> String {
    let bytes = bytes.get();
    match UNITS.iter().find(|(_, each)| bytes.is_multiple_of(*each)) {
        Some((unit, each)) => format!("{}{unit}", bytes / each),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_what_people_write() {
        for (text, bytes) in
            [("500", 500), ("64k", 65_536), ("64K", 65_536), ("1.5m", 1_572_864), ("2g", 1 << 31)]
        {
            assert_eq!(parse_size(text).map(NonZeroU64::get), Ok(bytes), "{text}");
        }
        for bytes in [1, 1_023, 1_024, 1_025, 1_572_864, 1 << 20, 1 << 40, u64::MAX] {
            let size = NonZeroU64::new(bytes).unwrap();
            assert_eq!(parse_size(&format_size(size)), Ok(size), "{bytes}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            " ",
            "k",
            "0",
            "0k",
            "-1k",
            "64kb",
            "64 k",
            "1,5m",
            ".5m",
            "5.m",
            "1.2345m",
            "ten",
            "99999999999999999999",
            "99999999999999g",
            "64µ",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
