//! Points in time, UTC. Reading the clock is the shell's work; here a time is only a value.

use std::{borrow::Cow, fmt, time::Duration};

use super::as_text;

/// Most digits of a fraction of a second that are looked at.
const FRACTION_DIGITS_MAX: usize = 9;

/// Microseconds since 1970-01-01T00:00:00Z; MISP keeps no finer time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// A text that is not a point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an ISO 8601 date and time (hours go to 23, dates to 9999-12-30)")]
pub struct TimestampError {
    /// What was given.
    pub text: String,
}

impl Timestamp {
    /// The last second of the year 9999 but one day, so that every time zone can write it.
    pub const LAST: Self = Self::from_seconds(253_402_300_799 - 86_400);

    /// From seconds since 1970.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// From microseconds since 1970.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Whole seconds since 1970, rounded down: the unit of MISP's `timestamp` fields.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads ISO 8601: a date, or a date and time with or without an offset (none means UTC). Of the digits of a second the
    /// first nine count.
    ///
    /// # Errors
    /// If the text is anything else, or lies outside the years -9999 to 9999.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let text = text.trim();
        let short = with_short_fraction(text);
        let found = short
            .parse::<jiff::Timestamp>()
            .ok()
            .or_else(|| {
                let civil = short.parse::<jiff::civil::DateTime>().ok()?;
                civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
            })
            .map(|time| Self(time.as_microsecond()));
        found.ok_or_else(|| TimestampError { text: text.chars().take(64).collect() })
    }

    /// Reads what `Display` writes, times without a name in the calendar included.
    fn written(text: &str) -> Option<Self> {
        match text.strip_prefix('@').and_then(|rest| rest.strip_suffix("us")) {
            Some(micros) => micros.parse().ok().map(Self),
            None => Self::parse(text).ok(),
        }
    }

    /// The day in UTC as `YYYY-MM-DD`, the form of a MISP event's `date`.
    #[must_use]
    pub fn day(self) -> String {
        let mut text = self.to_string();
        text.truncate(text.find('T').unwrap_or(text.len()));
        text
    }

    /// This time and a span later, or the end of time.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// This time and a span before, or the beginning of time.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// What is left until a later time; nothing if that has come.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        let micros = later.0.saturating_sub(self.0);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// How long ago it was, which nobody knows of what lies in the future: the clock that it was noted by, or this one,
    /// is wrong. Within a few seconds it is now.
    #[must_use]
    pub fn age(self, now: Self) -> Option<Duration> {
        (self <= now.plus_seconds(5)).then(|| self.until(now))
    }

    /// This time moved by a number of seconds, negative for the past.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
}

/// The text without the digits of a second behind the ninth: they are cut, so that no time comes out later.
fn with_short_fraction(text: &str) -> Cow<'_, str> {
    let Some(point) = text.find(['.', ',']) else { return Cow::Borrowed(text) };
    let (whole, fraction) = (&text[..point], &text[point + 1..]);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    // An offset may have seconds too.
    let time = whole.split_once(['T', 't', ' ']).map_or("", |(_, time)| time);
    let is_time = time.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    if time.is_empty() || !is_time || digits <= FRACTION_DIGITS_MAX {
        return Cow::Borrowed(text);
    }
    let end = point + 1;
    Cow::Owned(format!("{}{}", &text[..end + FRACTION_DIGITS_MAX], &text[end + digits..]))
}

/// Full ISO 8601 in UTC with microseconds where there are any: the only form to send to MISP, whose own
/// reader takes `2024` for 20:24 today.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => time.fmt(f),
            Err(_) => write!(f, "@{}us", self.0),
        }
    }
}

as_text!(Timestamp, "time", Timestamp::written);

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn of_a_fraction_of_any_length_the_first_nine_digits_count(
            digits in "[0-9]{1,60}",
            offset in prop_oneof![Just(""), Just("Z"), Just("z"), Just("+02:00"), Just("-0530")],
            year in 1900..2100_i32,
            point in prop_oneof![Just('.'), Just(',')],
            odd in "[^0-9Zz+\\-\\[\\s\\p{Z}]",
        ) {
            let time = |fraction: &str| format!("{year}-01-01T23:59:59{point}{fraction}{offset}");
            let read = Timestamp::parse(&time(&digits));
            let first = &digits[..digits.len().min(FRACTION_DIGITS_MAX)];
            prop_assert_eq!(&read, &Timestamp::parse(&time(first)));
            // It is of this second, whatever the digits.
            let whole = Timestamp::parse(&format!("{year}-01-01T23:59:59{offset}")).unwrap();
            prop_assert!((0..=1_000_000).contains(&(read.unwrap().micros() - whole.micros())));
            for odd in [format!("{digits}{odd}"), format!("{digits}{odd}1")] {
                prop_assert!(Timestamp::parse(&time(&odd)).is_err(), "{}", odd);
            }
        }
    }

    #[test]
    fn reads_what_datasets_hold() {
        for (text, shown) in [
            ("2024-05-14T11:00:00.000000+00:00", "2024-05-14T11:00:00Z"),
            ("2024-05-14T13:00:00+02:00", "2024-05-14T11:00:00Z"),
            ("2024-05-14T11:00:00.123Z", "2024-05-14T11:00:00.123Z"),
            ("2024-01-01T00:00:00.1234567890Z", "2024-01-01T00:00:00.123456Z"),
            ("2024-12-31T23:59:59.99999999999999", "2024-12-31T23:59:59.999999Z"),
            ("2024-05-14T11:00:00", "2024-05-14T11:00:00Z"),
            ("2024-05-14", "2024-05-14T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for text in ["", "yesterday", "2024", "x", "2024-13-01", "2024-05-14T11:00:00.1234567890xZ"]
        {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_saturate() {
        let (begun, span) = (Timestamp::from_seconds(7), Duration::from_millis(1_500));
        assert_eq!(begun.after(span).micros(), 8_500_000);
        assert_eq!(begun.until(begun.after(span)), span);
        assert_eq!(begun.after(span).until(begun), Duration::ZERO);
        assert_eq!(begun.after(Duration::MAX), Timestamp::from_micros(i64::MAX));
    }

    #[test]
    fn days_and_seconds_round_down() {
        let time = Timestamp::from_micros(-1);
        assert_eq!(time.seconds(), -1);
        assert_eq!(time.day(), "1969-12-31");
    }
}
