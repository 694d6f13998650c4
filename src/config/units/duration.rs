//! Spans of time as people write them: `90s`, `15m`, `1h30m`, `7d`.

use std::time::Duration;

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads one or more whole numbers, each with its unit: `d`, `h`, `m` or `s`, each at most once and the
/// larger before the smaller.
///
/// # Errors
/// What is wrong with the text, a lower-case fragment.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a span of time such as \"15m\", \"24h\" or \"1h30m\"");
    let mut seconds: u64 = 0;
    let mut units = UNITS.iter();
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = rest[digits..].chars().next().ok_or_else(wrong)?;
        let (_, each) = units.find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        seconds =
            number.checked_mul(*each).and_then(|s| seconds.checked_add(s)).ok_or_else(wrong)?;
        rest = &rest[digits + unit.len_utf8()..];
    }
    Ok(Duration::from_secs(seconds))
}

/// Writes a span in the largest units, so that [`parse_duration`] reads the same one again. Parts of a
/// second are cut off.
#[must_use]
pub fn format_duration(span: Duration) -> String {
    let mut rest = span.as_secs();
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, each) in UNITS {
        if rest >= each {
            text.push_str(&format!("{}{unit}", rest / each));
            rest %= each;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_what_people_write() {
        for (text, seconds) in [
            ("90s", 90),
            ("15m", 900),
            ("24h", 86_400),
            ("1h30m", 5_400),
            ("7d", 604_800),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for seconds in [0, 1, 59, 60, 61, 3_599, 3_600, 86_399, 86_400, 90_061, u64::MAX] {
            let span = Duration::from_secs(seconds);
            assert_eq!(parse_duration(&format_duration(span)), Ok(span), "{seconds}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            " ",
            "15",
            "m",
            "15 m",
            "1.5h",
            "-1m",
            "30m1h",
            "1h1h",
            "15µ",
            "15w",
            "99999999999999999999s",
            "300000000000000000d",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
