//! Days and dates of the proleptic Gregorian calendar, for any month and day number.

/// Farthest year that is computed with; beyond it nothing is exact enough to matter.
const YEARS_MAX: i64 = 1 << 40;

/// Days from 1970-01-01 to a date. Months and days outside their range carry over, as in PHP: day 0 is the
/// last of the month before.
pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let months = month - 1;
    let year = (year + months.div_euclid(12)).clamp(-YEARS_MAX, YEARS_MAX);
    // Years are counted from March on, so that a leap day is the last of its year.
    let month = months.rem_euclid(12) + 1;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468 + day - 1
}

/// Year, month and day of the day so many days after 1970-01-01.
pub(super) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Days since Sunday.
pub(super) fn weekday(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}

/// Days from the first of January to a day of an ISO week; day 1 is Monday, day 0 the Sunday before.
pub(super) fn iso_week_offset(year: i64, week: i64, day: i64) -> i64 {
    let first = weekday(days_from_civil(year, 1, 1));
    let start = if first > 4 { 7 - first } else { -first };
    start + (week - 1) * 7 + day
}
