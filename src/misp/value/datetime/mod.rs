//! Dates and times as PHP's `DateTime` reads them, and the one form in which MISP stores them.
//!
//! Reading follows the grammar of timelib, PHP's date library: at each place the longest of many formats
//! wins ([`grammar`]), and what it says is put together here. Whatever would need the clock (`yesterday`,
//! `10:00`, a day without a year) is not read, nor are phrases such as `next month`.

mod actions;
mod calendar;
mod grammar;
mod reader;
mod words;
mod zone;

use calendar::{days_from_civil, iso_week_offset, weekday};
use reader::Reader;
use zone::Zone;

/// No date is longer; what PHP does with thousands of bytes of blanks between two words does not matter.
const DATE_BYTES_MAX: usize = 256;
const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// `YYYY-MM-DDThh:mm:ss.uuuuuu+zzzz` in the offset that the text names, if it is readable.
pub(super) fn canonical(text: &str) -> Option<String> {
    let new = read(text)?.resolve()?.to_string();
    (new != text).then_some(new)
}

/// Whether MISP takes the rewritten text: it has to be readable again, which years beyond 9999 are not.
pub(super) fn is_canonical(text: &str) -> bool {
    has_canonical_shape(text) || read(text).and_then(Moment::resolve).is_some()
}

/// What [`canonical`] writes for the years 0 to 9999, all of which PHP reads.
fn has_canonical_shape(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00.000000+0000";
    /// Where a two-digit field begins, and the most it may be.
    const FIELDS: [(usize, &str); 7] =
        [(5, "12"), (8, "31"), (11, "24"), (14, "59"), (17, "60"), (27, "24"), (29, "59")];
    text.len() == SHAPE.len()
        && text.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            b'+' => matches!(byte, b'+' | b'-'),
            _ => byte == *shape,
        })
        && FIELDS.iter().all(|&(at, most)| &text[at..at + 2] <= most)
}

fn read(text: &str) -> Option<Moment> {
    if text.len() > DATE_BYTES_MAX {
        return None;
    }
    let mut bytes = text.as_bytes().to_vec();
    // The grammar takes the end for a NUL byte.
    bytes.push(0);
    let mut moment = Moment::default();
    let mut at = 0;
    while at < text.len() {
        match grammar::longest(&bytes[at..]) {
            Some((length, action)) => {
                let token = &bytes[at..at + length];
                action(&mut moment, &mut Reader::new(token))?;
                at += length;
            }
            None if matches!(bytes[at], b' ' | b'.' | b',' | b'\t' | b'\n' | 0) => at += 1,
            None => return None,
        }
    }
    Some(moment)
}

/// What a text has said so far.
#[derive(Default)]
struct Moment {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    time: Option<Time>,
    /// Times seen; a second one of four bare digits is a year.
    times: u8,
    has_date: bool,
    zone: Option<Zone>,
    zones: u8,
    shift: Shift,
    /// Days since Sunday of the weekday to move on to.
    weekday: Option<i64>,
}

#[derive(Default, Clone, Copy)]
struct Time {
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
}

/// What is added in the end, field by field.
#[derive(Default)]
struct Shift {
    months: i64,
    days: i64,
    seconds: i64,
    micros: i64,
}

impl Moment {
    /// Takes a date; a second one is an error.
    fn set_date(&mut self, year: Option<i64>, month: i64, day: i64) -> Option<()> {
        if self.has_date {
            return None;
        }
        self.has_date = true;
        self.year = year.or(self.year);
        self.month = Some(month);
        self.day = Some(day);
        Some(())
    }

    /// Takes a time; a second one is an error.
    fn set_time(&mut self, time: Time) -> Option<()> {
        if self.times > 0 {
            return None;
        }
        self.times = 1;
        self.time = Some(time);
        Some(())
    }

    /// Forgets the time, as weekdays and words such as `noon` make PHP do.
    fn clear_time(&mut self) {
        self.times = 0;
        self.time = None;
    }

    /// Takes a zone; a second one is ignored, a third an error.
    fn set_zone(&mut self, zone: Zone) -> Option<()> {
        self.zones += 1;
        if self.zone.is_none() {
            self.zone = Some(zone);
        }
        (self.zones < 3).then_some(())
    }

    /// Takes the zone of a format that holds one; it does not count as a zone of its own.
    fn set_zone_silently(&mut self, token: &[u8]) -> Option<()> {
        self.zone = Some(Zone::read(token)?);
        Some(())
    }

    /// Takes an ISO week: a date, and a shift from the first of January.
    fn set_week(&mut self, year: i64, week: i64, day: i64) -> Option<()> {
        self.set_date(Some(year), 1, 1)?;
        self.shift.days = iso_week_offset(year, week, day);
        Some(())
    }

    /// The moment that was meant, if the text names a day.
    fn resolve(self) -> Option<Resolved> {
        let (year, month, day) = (self.year?, self.month?, self.day?);
        let time = self.time.unwrap_or_default();
        let mut days = days_from_civil(year, month, day);
        if let Some(wanted) = self.weekday {
            days += (wanted - weekday(days)).rem_euclid(7);
        }
        if self.shift.months != 0 {
            let (year, month, day) = calendar::civil_from_days(days);
            days = days_from_civil(year, month.checked_add(self.shift.months)?, day);
        }
        let seconds = days
            .checked_add(self.shift.days)?
            .checked_mul(SECONDS_PER_DAY)?
            .checked_add(time.hour * 3_600 + time.minute * 60 + time.second)?
            .checked_add(self.shift.seconds)?;
        let micros = time.micros + self.shift.micros;
        let seconds = seconds.checked_add(micros.div_euclid(MICROS_PER_SECOND))?;
        let (seconds, offset) = self.zone.unwrap_or(Zone::Fixed(0)).place(seconds)?;
        Some(Resolved { seconds, micros: micros.rem_euclid(MICROS_PER_SECOND), offset })
    }
}

/// A local time, in seconds since 1970 on the local clock, and that clock's offset.
struct Resolved {
    seconds: i64,
    micros: i64,
    offset: i64,
}

impl std::fmt::Display for Resolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (days, second) =
            (self.seconds.div_euclid(SECONDS_PER_DAY), self.seconds.rem_euclid(SECONDS_PER_DAY));
        let (year, month, day) = calendar::civil_from_days(days);
        let sign = if year < 0 { "-" } else { "" };
        write!(f, "{sign}{:04}-{month:02}-{day:02}T", year.unsigned_abs())?;
        write!(f, "{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)?;
        let sign = if self.offset < 0 { '-' } else { '+' };
        let offset = self.offset.unsigned_abs() / 60;
        write!(f, ".{:06}{sign}{:02}{:02}", self.micros, offset / 60, offset % 60)
    }
}

#[cfg(test)]
mod tests;
