//! A time of the day, on all days or some of the week.

use std::{collections::BTreeSet, fmt};

use crate::model::Words;

use super::minutes::{Days, Minutes};

/// A time of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    hour: u8,
    minute: u8,
    on: BTreeSet<Weekday>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weekday {
    /// The first day of ISO 8601.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The last day of ISO 8601, and the first of cron.
    Sunday,
}

impl Words for Weekday {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("mon", Self::Monday),
        ("tue", Self::Tuesday),
        ("wed", Self::Wednesday),
        ("thu", Self::Thursday),
        ("fri", Self::Friday),
        ("sat", Self::Saturday),
        ("sun", Self::Sunday),
    ];
}

impl Weekday {
    /// The number that cron has for it: days from Sunday.
    pub(super) const fn cron_number(self) -> u8 {
        (self as u8 + 1) % 7
    }
}

impl At {
    /// A time of the day as `HH:MM` in 24 hours, on the days of a set, or on all if it has none. `None` if the
    /// text is no such time.
    #[must_use]
    pub fn new(time: &str, on: BTreeSet<Weekday>) -> Option<Self> {
        let (hour, minute) = time.split_once(':')?;
        let number = |text: &str, digits: &[usize], end: u8| {
            let is_plain = digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|number: &u8| is_plain && *number < end)
        };
        Some(Self { hour: number(hour, &[1, 2], 24)?, minute: number(minute, &[2], 60)?, on })
    }

    /// The days of the week; none means all.
    #[must_use]
    pub fn on(&self) -> &BTreeSet<Weekday> {
        &self.on
    }

    pub(super) fn minutes(&self) -> Minutes {
        let weekdays = self.on.iter().fold(0, |set, day| set | 1 << day.cron_number());
        Minutes {
            minutes: 1 << self.minute,
            hours: 1 << self.hour,
            weekdays: if self.on.is_empty() { Minutes::ALL.weekdays } else { weekdays },
            days_fit: Days::Both,
            ..Minutes::ALL
        }
    }
}

/// The time as [`At::new`] reads it, without the days.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_hours_and_minutes() {
        for (text, shown) in
            [("02:30", "02:30"), ("2:30", "02:30"), ("00:00", "00:00"), ("23:59", "23:59")]
        {
            assert_eq!(At::new(text, BTreeSet::new()).unwrap().to_string(), shown);
        }
        for text in [
            "", ":", "2", "24:00", "12:60", "002:30", "2:3", "-1:00", "+1:00", "02:30:00",
            "2:30 pm", "٢:٣٠",
        ] {
            assert_eq!(At::new(text, BTreeSet::new()), None, "{text}");
        }
    }

    #[test]
    fn days_have_the_numbers_of_cron() {
        let numbers = Weekday::WORDS.iter().map(|(_, day)| day.cron_number());
        assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 0]);
    }
}
