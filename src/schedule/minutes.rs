//! Sets of local minutes: what a time of the day and a cron expression have in common.

use jiff::civil::{Date, DateTime, Time};

/// After so many days every day of the calendar has been there: leap days are up to eight years apart, and their
/// weekdays repeat after forty.
const DAYS_MAX: u32 = 366 * 48;

/// A set of minutes of the calendar; bit n of a field stands for the number n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Minutes {
    pub(super) minutes: u64,
    pub(super) hours: u32,
    /// Days of the month, from 1.
    pub(super) days: u32,
    /// From 1.
    pub(super) months: u16,
    /// From Sunday, which is 0.
    pub(super) weekdays: u8,
    pub(super) days_fit: Days,
}

/// When a day is in a set, of which the day of the month and the day of the week say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Days {
    /// If it is in both.
    Both,
    /// If it is in one of the two.
    Either,
}

impl Minutes {
    /// Every minute there is.
    pub(super) const ALL: Self = Self {
        minutes: (1 << 60) - 1,
        hours: (1 << 24) - 1,
        days: u32::MAX - 1,
        months: (1 << 13) - 2,
        weekdays: (1 << 7) - 1,
        days_fit: Days::Both,
    };

    /// Whether it says nothing of the hour.
    pub(super) const fn has_every_hour(&self) -> bool {
        self.hours == Self::ALL.hours
    }

    /// The first minute of the set that does not lie before this one. `None` if there is none before the end of
    /// the calendar.
    pub(super) fn first_from(&self, from: DateTime) -> Option<DateTime> {
        let (mut date, mut earliest) = (from.date(), from.time());
        for _ in 0..DAYS_MAX {
            if self.has_day(date)
                && let Some(time) = self.time_from(earliest)
            {
                return Some(date.to_datetime(time));
            }
            (date, earliest) = (date.tomorrow().ok()?, Time::midnight());
        }
        None
    }

    fn has_day(&self, date: Date) -> bool {
        let has = |set: u32, number: i8| set >> number & 1 == 1;
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays.into(), date.weekday().to_sunday_zero_offset());
        let fits = match self.days_fit {
            Days::Both => day && weekday,
            Days::Either => day || weekday,
        };
        fits && has(self.months.into(), date.month())
    }

    fn time_from(&self, from: Time) -> Option<Time> {
        let later = |set: u64, least: i8| {
            let rest = set >> least << least;
            i8::try_from(rest.trailing_zeros()).ok().filter(|_| rest != 0)
        };
        let hour = later(self.hours.into(), from.hour())?;
        if hour > from.hour() {
            return Some(Time::constant(hour, later(self.minutes, 0)?, 0, 0));
        }
        match later(self.minutes, from.minute()) {
            Some(minute) => Some(Time::constant(hour, minute, 0, 0)),
            None => {
                let hour = later(self.hours.into(), hour + 1)?;
                Some(Time::constant(hour, later(self.minutes, 0)?, 0, 0))
            }
        }
    }
}
