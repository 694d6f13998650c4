//! Dates: `first_seen` and `last_seen` of attributes, `date` of events.

use crate::{
    misp::{AttributeType, normalise},
    model::Timestamp,
};

/// The instant a text of `first_seen` or `last_seen` stands for, in microseconds. MISP reads whatever
/// PHP's `strtotime` reads; the rules of the attribute type `datetime`, which does the same, cover that.
pub(crate) fn instant(text: &str) -> Option<i64> {
    if let Ok(time) = Timestamp::parse(text) {
        return Some(time.micros());
    }
    let value = normalise(AttributeType::named("datetime")?, text).ok()?;
    Timestamp::parse(value.as_str()).ok().map(Timestamp::micros)
}

/// The form in which MISP shows an instant: UTC with microseconds.
pub(crate) fn shown(micros: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string()
}

/// Today in UTC.
pub(crate) fn today(now: i64) -> String {
    let time = jiff::Timestamp::from_second(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%d").to_string()
}

/// The date of an event as MISP stores it, if it takes the text: year, month and day with the same one
/// of `-`, `/`, `.` and a blank between them, from 1600 on; years may have two digits.
pub(crate) fn event_date(text: &str) -> Option<String> {
    let separator = text.chars().find(|c| !c.is_ascii_digit()).filter(|c| "- /.".contains(*c))?;
    let parts: Vec<&str> = text.split(separator).collect();
    let [year, month, day] = parts[..] else { return None };
    let short = |part: &str| (1..=2).contains(&part.len());
    let digits = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !digits || !short(month) || !short(day) {
        return None;
    }
    let number: i16 = year.parse().ok()?;
    let year = match (year.len(), number) {
        (4, 1600..) => number,
        (2, 70..) => 1900 + number,
        (2, _) => 2000 + number,
        _ => return None,
    };
    let date = jiff::civil::Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()?;
    Some(date.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_events() {
        let good =
            [("24-01-02", "2024-01-02"), ("2024-2-3", "2024-02-03"), ("2024/01/02", "2024-01-02")];
        for (text, stored) in good {
            assert_eq!(event_date(text).as_deref(), Some(stored));
        }
        assert_eq!(event_date("99.12.31").as_deref(), Some("1999-12-31"));
        for bad in [
            "1599-12-31",
            "10000-01-01",
            "2023-02-29",
            "20240102",
            "2024-01/02",
            "14.11.2023",
            "x",
            "-1-2",
            "",
        ] {
            assert_eq!(event_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn instants_are_shown_in_utc() {
        let shown_as = |text| instant(text).map(shown);
        assert_eq!(
            shown_as("2024-01-02T03:04:05.1-05:00").as_deref(),
            Some("2024-01-02T08:04:05.100000+00:00")
        );
        assert_eq!(shown_as("2024-01-02").as_deref(), Some("2024-01-02T00:00:00.000000+00:00"));
        assert_eq!(
            shown_as("1969-12-31T23:59:59Z").as_deref(),
            Some("1969-12-31T23:59:59.000000+00:00")
        );
    }
}
