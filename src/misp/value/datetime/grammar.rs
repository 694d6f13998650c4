//! The formats that PHP's date library knows, and what each of them says.
//!
//! Order counts: of two formats that match equally far, the first wins, so `2024` is 20:24.

use super::{
    Moment, Reader,
    actions::*,
    words::{MONTHS, UNITS, WEEKDAYS},
};

/// A piece of a format.
#[derive(Clone, Copy)]
enum Part {
    /// So many digits, from and to, and the number that they write, from and to.
    Number(usize, usize, u32, u32),
    /// One or more digits.
    Digits,
    /// One of these bytes.
    One(&'static [u8]),
    /// One of these bytes, or nothing.
    Maybe(&'static [u8]),
    /// Any number of these bytes.
    Many(&'static [u8]),
    /// One or more of these bytes.
    Some(&'static [u8]),
    /// A month by name.
    Month,
    /// A month by its three letters (or `sept`).
    ShortMonth,
    /// A weekday by name.
    Weekday,
    /// A word, whatever its case.
    Word(&'static str),
    /// A unit of time.
    Unit,
    /// `st`, `nd`, `rd`, `th`, or nothing.
    Suffix,
    /// `am`, `p.m.`, with the blank or end that has to follow.
    Meridian,
    /// An offset from Greenwich.
    Offset,
    /// An offset, or nothing.
    MaybeOffset,
    /// The name of a zone.
    ZoneName,
}
use Part::{
    Digits, Many, Maybe, MaybeOffset, Meridian, Month, Number, Offset, One, ShortMonth,
    Some as More, Suffix, Weekday, Word, ZoneName,
};

/// What a format says; nothing if that contradicts what was said before.
pub(super) type Action = fn(&mut Moment, &mut Reader<'_>) -> Option<()>;

const BLANK: &[u8] = b" \t";
const COLON: Part = One(b":.");
const HOUR: Part = Number(1, 2, 0, 24);
const HOUR2: Part = Number(2, 2, 0, 24);
const HOUR12: Part = Number(1, 2, 1, 12);
const MINUTE: Part = Number(1, 2, 0, 59);
const MINUTE2: Part = Number(2, 2, 0, 59);
const SECOND: Part = Number(1, 2, 0, 60);
const SECOND2: Part = Number(2, 2, 0, 60);
const MONTH: Part = Number(1, 2, 0, 12);
const MONTH2: Part = Number(2, 2, 0, 12);
const DAY: Part = Number(1, 2, 0, 31);
const DAY2: Part = Number(2, 2, 0, 31);
const YEAR: Part = Number(1, 4, 0, 9_999);
const YEAR2: Part = Number(2, 2, 0, 99);
const YEAR4: Part = Number(4, 4, 0, 9_999);
const DAY_OF_YEAR: Part = Number(3, 3, 1, 366);
const WEEK: Part = Number(2, 2, 1, 53);
const T: Part = Maybe(b"tT");
const BETWEEN: Part = Many(b" .\t-");
const AFTER_DAY: Part = More(b",.stndrh\t ");

#[rustfmt::skip]
static FORMATS: &[(&[Part], Action)] = &[
    (&[Word("now")], |_, _| Some(())),
    (&[Word("noon")], noon),
    (&[Word("midnight")], |moment, _| { moment.clear_time(); Some(()) }),
    (&[Word("today")], |moment, _| { moment.clear_time(); Some(()) }),
    (&[One(b"@"), Maybe(b"-"), Digits], epoch),
    (&[One(b"@"), Maybe(b"-"), Digits, One(b"."), Number(0, 6, 0, 999_999)], epoch),
    (&[HOUR12, Many(BLANK), Meridian], time12),
    (&[HOUR12, COLON, MINUTE2, Many(BLANK), Meridian], time12),
    (&[HOUR12, COLON, MINUTE, COLON, SECOND2, Many(BLANK), Meridian], time12),
    (&[HOUR12, One(b":"), MINUTE2, One(b":"), SECOND2, COLON, Digits, Meridian], mssql_time),
    (&[T, HOUR, COLON, MINUTE], time24),
    (&[T, HOUR, COLON, MINUTE, COLON, SECOND], time24),
    (&[T, HOUR, COLON, MINUTE, COLON, SECOND, One(b"."), Digits], time24),
    (&[T, HOUR2, MINUTE2], bare_time),
    (&[T, HOUR2, MINUTE2, SECOND2], bare_time_with_seconds),
    (&[MONTH, One(b"/"), DAY, Suffix], american),
    (&[MONTH, One(b"/"), DAY, Suffix, One(b"/"), YEAR], american),
    (&[Maybe(b"+-"), YEAR4, One(b"-"), MONTH2, One(b"-"), DAY2], signed_date),
    (&[YEAR4, One(b"/"), MONTH2, One(b"/"), DAY2, Maybe(b"/")], signed_date),
    (&[YEAR4, One(b"/"), MONTH, One(b"/"), DAY, Suffix], signed_date),
    (&[YEAR2, One(b"-"), MONTH2, One(b"-"), DAY2], date),
    (&[One(b"+-"), Number(5, 19, 0, u32::MAX), One(b"-"), MONTH2, One(b"-"), DAY2], signed_date),
    (&[YEAR4, One(b"-"), MONTH], year_and_month),
    (&[YEAR, One(b"-"), MONTH, One(b"-"), DAY, Suffix], date),
    (&[DAY, Suffix, Many(b" \t.-"), Month, Many(b" \t.-"), YEAR], day_name_year),
    (&[DAY, Suffix, One(b".\t-"), MONTH, One(b".-"), YEAR4], day_month_year),
    (&[DAY, Suffix, One(b".\t"), MONTH, One(b"."), YEAR2], day_month_year),
    (&[Month, BETWEEN, YEAR4], name_year),
    (&[YEAR4, BETWEEN, Month], year_name),
    (&[Month, BETWEEN, DAY, Suffix, AFTER_DAY, YEAR], name_day_year),
    (&[Month, BETWEEN, DAY, Suffix, AFTER_DAY], name_day_year),
    (&[Month, BETWEEN, DAY, Suffix, One(b"\0")], name_day_year),
    (&[DAY, Suffix, BETWEEN, Month], day_name),
    (&[YEAR4, MONTH2, DAY2], bare_date),
    (&[YEAR4, MONTH2, DAY2, One(b"T"), HOUR, One(b":"), MINUTE2, One(b":"), SECOND2], date_time),
    (&[YEAR4, MONTH2, DAY2, One(b"tT"), HOUR, MINUTE2, SECOND2], date_time),
    (&[YEAR4, One(b"-"), MONTH2, One(b"-"), DAY2, One(b"T"), HOUR2, One(b":"), MINUTE2, One(b":"),
        SECOND2, One(b"."), Digits, MaybeOffset], date_time),
    (&[YEAR4, One(b"-"), MONTH, One(b"-"), DAY, Suffix, One(b"T"), HOUR, One(b":"), MINUTE, One(b":"),
        SECOND], date_time),
    (&[YEAR4, One(b":"), MONTH2, One(b":"), DAY2, One(b" "), HOUR2, One(b":"), MINUTE2, One(b":"),
        SECOND2], date_time),
    (&[YEAR4, Maybe(b".-"), DAY_OF_YEAR], day_of_year),
    (&[YEAR4, Maybe(b"-"), One(b"W"), WEEK, Maybe(b"-"), Number(1, 1, 0, 7)], iso_week_day),
    (&[YEAR4, Maybe(b"-"), One(b"W"), WEEK], iso_week),
    (&[ShortMonth, One(b"-"), DAY2, One(b"-"), YEAR], name_day_year),
    (&[YEAR, One(b"-"), ShortMonth, One(b"-"), DAY2], year_name_day),
    (&[DAY, Suffix, One(b"/"), ShortMonth, One(b"/"), YEAR4, One(b":"), HOUR2, One(b":"), MINUTE2,
        One(b":"), SECOND2, More(BLANK), Offset], common_log),
    (&[YEAR4], |moment, reader| { moment.year = reader.number(4); Some(()) }),
    (&[Weekday], weekday),
    // Without a day or year only the clock could tell which date that is.
    (&[Month], |_, _| None),
    (&[Offset], zone),
    (&[ZoneName], zone),
    (&[Month, BETWEEN, DAY, Suffix, AFTER_DAY, HOUR12, COLON, MINUTE2, Many(BLANK), Meridian],
        name_day_time12),
    (&[Month, BETWEEN, DAY, Suffix, AFTER_DAY, HOUR12, COLON, MINUTE, COLON, SECOND2, Many(BLANK),
        Meridian], name_day_time12),
    (&[Month, BETWEEN, DAY, Suffix, AFTER_DAY, T, HOUR, COLON, MINUTE], name_day_time),
    (&[Month, BETWEEN, DAY, Suffix, AFTER_DAY, T, HOUR, COLON, MINUTE, COLON, SECOND], name_day_time),
    (&[Many(b"+-"), Many(BLANK), Digits, Many(BLANK), Part::Unit], relative),
];

/// The format that reaches farthest from the start of the text, with the length of what it matches.
pub(super) fn longest(text: &[u8]) -> Option<(usize, Action)> {
    let mut best: Option<(usize, Action)> = None;
    for &(parts, action) in FORMATS {
        if let Some(length) = reach(parts, text, 0)
            && best.is_none_or(|(most, _)| length > most)
        {
            best = Some((length, action));
        }
    }
    best
}

/// The farthest end of the parts, matched one after the other from a place on.
fn reach(parts: &[Part], text: &[u8], at: usize) -> Option<usize> {
    let Some((part, parts)) = parts.split_first() else {
        return Some(at);
    };
    let rest = &text[at..];
    let ends = |from: usize, to: usize| {
        (from..=to).filter_map(|length| reach(parts, text, at + length)).max()
    };
    let run = |set: &[u8]| rest.iter().take_while(|byte| set.contains(byte)).count();
    let digits = || rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let fixed = |length: usize| ends(length, length);
    match *part {
        Number(least, most, low, high) => (least..=most.min(digits()))
            .filter(|&length| most > 9 || (low..=high).contains(&number(&rest[..length])))
            .filter_map(|length| reach(parts, text, at + length))
            .max(),
        Digits => ends(1, digits()),
        One(set) => (run(set) > 0).then(|| fixed(1))?,
        Maybe(set) => ends(0, run(set).min(1)),
        Many(set) => ends(0, run(set)),
        More(set) => ends(1, run(set)),
        Suffix => {
            let suffixes: [&[u8]; 4] = [b"st", b"nd", b"rd", b"th"];
            let found = suffixes.iter().any(|suffix| rest.starts_with(suffix));
            fixed(0).max(found.then(|| fixed(2)).flatten())
        }
        Meridian => fixed(meridian_length(rest)?),
        Offset => fixed(offset_length(rest)?),
        MaybeOffset => fixed(offset_length(rest).unwrap_or(0)),
        ZoneName => fixed(zone_length(rest)?),
        Word(word) => starts_with(rest, word).then(|| fixed(word.len()))?,
        Month => names(&MONTHS[..24], rest, fixed).max(numerals(rest, fixed)),
        ShortMonth => names(&MONTHS[12..24], rest, fixed).max(names(&MONTHS[4..5], rest, fixed)),
        Weekday => names(&WEEKDAYS, rest, fixed),
        Part::Unit => names(&UNITS, rest, fixed),
    }
}

fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
}

fn starts_with(text: &[u8], word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

fn names<T>(
    known: &[(&str, T)],
    text: &[u8],
    reach: impl Fn(usize) -> Option<usize>,
) -> Option<usize> {
    known
        .iter()
        .filter(|(name, _)| starts_with(text, name))
        .filter_map(|(name, _)| reach(name.len()))
        .max()
}

/// Roman numerals count in capitals only.
fn numerals(text: &[u8], reach: impl Fn(usize) -> Option<usize>) -> Option<usize> {
    let known = MONTHS[24..].iter().filter(|(name, _)| text.starts_with(name.as_bytes()));
    known.filter_map(|(name, _)| reach(name.len())).max()
}

fn meridian_length(text: &[u8]) -> Option<usize> {
    let dot = |at: usize| usize::from(text.get(at) == Some(&b'.'));
    matches!(text.first()?, b'a' | b'A' | b'p' | b'P').then_some(())?;
    let letter = 1 + dot(1);
    matches!(text.get(letter)?, b'm' | b'M').then_some(())?;
    let end = letter + 1 + dot(letter + 1);
    matches!(text.get(end)?, 0 | b'\t' | b' ').then_some(end + 1)
}

/// `GMT`, a sign, hours, and minutes and seconds where they are.
fn offset_length(text: &[u8]) -> Option<usize> {
    const FORMS: [&[Part]; 3] = [
        &[One(b"+-"), HOUR, Maybe(b":"), Many(b"")],
        &[One(b"+-"), HOUR, Maybe(b":"), MINUTE],
        &[One(b"+-"), HOUR2, Maybe(b":"), MINUTE2, Maybe(b":"), SECOND2],
    ];
    let prefix = if starts_with(text, "GMT") { 3 } else { 0 };
    FORMS.iter().filter_map(|parts| reach(parts, text, prefix)).max()
}

/// Up to six letters, perhaps in brackets, or words with `/`, `_` or `-` between, such as `Europe/Brussels`.
fn zone_length(text: &[u8]) -> Option<usize> {
    let open = usize::from(text.first() == Some(&b'('));
    let letters =
        |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let short = letters(open).min(6);
    let close = usize::from(text.get(open + short) == Some(&b')'));
    let short = (short > 0).then_some(open + short + close);
    short.max(long_zone_length(text, letters))
}

fn long_zone_length(text: &[u8], letters: impl Fn(usize) -> usize) -> Option<usize> {
    let first = letters(0);
    let is_name = first > 1
        && text[0].is_ascii_uppercase()
        && text[1..first].iter().all(u8::is_ascii_lowercase);
    let mut end = first;
    while is_name && matches!(text.get(end), Some(b'/' | b'_' | b'-')) && letters(end + 1) > 0 {
        end += 1 + letters(end + 1);
    }
    (end > first).then_some(end)
}
