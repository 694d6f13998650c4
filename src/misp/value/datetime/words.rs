//! The words of dates.

/// Names of months, then their abbreviations, then the Roman numerals that count as such in capitals.
#[rustfmt::skip]
pub(super) const MONTHS: [(&str, i64); 36] = [
    ("january", 1), ("february", 2), ("march", 3), ("april", 4), ("may", 5), ("june", 6), ("july", 7),
    ("august", 8), ("september", 9), ("october", 10), ("november", 11), ("december", 12),
    ("jan", 1), ("feb", 2), ("mar", 3), ("apr", 4), ("jun", 6), ("jul", 7), ("aug", 8), ("sept", 9),
    ("sep", 9), ("oct", 10), ("nov", 11), ("dec", 12),
    ("I", 1), ("II", 2), ("III", 3), ("IV", 4), ("V", 5), ("VI", 6), ("VII", 7), ("VIII", 8), ("IX", 9),
    ("X", 10), ("XI", 11), ("XII", 12),
];
/// Days since Sunday.
#[rustfmt::skip]
pub(super) const WEEKDAYS: [(&str, i64); 14] = [
    ("sunday", 0), ("monday", 1), ("tuesday", 2), ("wednesday", 3), ("thursday", 4), ("friday", 5),
    ("saturday", 6), ("sun", 0), ("mon", 1), ("tue", 2), ("wed", 3), ("thu", 4), ("fri", 5), ("sat", 6),
];
/// Units of time.
#[rustfmt::skip]
pub(super) const UNITS: [(&str, Unit); 18] = [
    ("sec", Unit::Seconds(1)), ("secs", Unit::Seconds(1)), ("second", Unit::Seconds(1)),
    ("seconds", Unit::Seconds(1)), ("min", Unit::Seconds(60)), ("mins", Unit::Seconds(60)),
    ("minute", Unit::Seconds(60)), ("minutes", Unit::Seconds(60)), ("hour", Unit::Seconds(3_600)),
    ("hours", Unit::Seconds(3_600)), ("day", Unit::Days(1)), ("days", Unit::Days(1)),
    ("week", Unit::Days(7)), ("weeks", Unit::Days(7)), ("month", Unit::Months(1)),
    ("months", Unit::Months(1)), ("year", Unit::Months(12)), ("years", Unit::Months(12)),
];

/// A unit of time, as a multiple of what is counted.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Seconds(i64),
    Days(i64),
    Months(i64),
}
