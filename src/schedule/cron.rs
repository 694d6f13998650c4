//! Cron expressions of five fields: minute, hour, day of the month, month, day of the week.
//!
//! Each field is `*` or a list of numbers and ranges, both `*` and ranges with a step: `*/15`, `1-5`, `0,30`,
//! `8-18/2`. Months and days of the week have their English names of three letters, too; Sunday is 0 and 7. As in
//! cron, where neither the day of the month nor the day of the week begins with `*`, a day needs one of the two.

use std::fmt;

use super::minutes::{Days, Minutes};

/// Times of a cron expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: Minutes,
}

/// Why a text is no cron expression, as a lower-case fragment that says what it does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not five fields.
    #[error(
        "has {count} fields instead of five: minute, hour, day of the month, month, day of the week"
    )]
    Fields {
        /// How many there are.
        count: usize,
    },
    /// Something in a field that is neither a number in its range nor one of its names.
    #[error("has {text:?} in the field of the {field}, which takes {least} to {most}")]
    Number {
        /// What the field is for.
        field: &'static str,
        /// What stands there.
        text: String,
        /// The smallest number.
        least: u8,
        /// The largest number.
        most: u8,
    },
    /// A range that ends before it begins.
    #[error("has {text:?} in the field of the {field}, a range that ends before it begins")]
    Range {
        /// What the field is for.
        field: &'static str,
        /// What stands there.
        text: String,
    },
    /// A step that is no number from 1 up, or one behind a single number.
    #[error(
        "has {text:?} in the field of the {field}: a step is a number from 1 up, behind `*` or a range"
    )]
    Step {
        /// What the field is for.
        field: &'static str,
        /// What stands there.
        text: String,
    },
    /// A day such as 30 February.
    #[error("names a day that none of its months has")]
    NoDay,
}

/// What one of the five fields takes.
struct Field {
    name: &'static str,
    least: u8,
    most: u8,
    /// Of the numbers from `least` on.
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, words: &[] },
    Field { name: "hour", least: 0, most: 23, words: &[] },
    Field { name: "day of the month", least: 1, most: 31, words: &[] },
    Field {
        name: "month",
        least: 1,
        most: 12,
        words: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field {
        name: "day of the week",
        least: 0,
        most: 7,
        words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// Most days that a month ever has, from January on.
const LENGTHS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    /// If the text is none, or names no day.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let Ok([minute, hour, day, month, weekday]) = <[&str; 5]>::try_from(&*words) else {
            return Err(CronError::Fields { count: words.len() });
        };
        let sets = [minute, hour, day, month, weekday].into_iter().zip(&FIELDS);
        let sets: Vec<u64> = sets.map(|(text, field)| field.set(text)).collect::<Result<_, _>>()?;
        let is_open = |text: &str| text.starts_with('*');
        let narrow = |place: usize| u32::try_from(sets[place]).expect("a field has few numbers");
        let minutes = Minutes {
            minutes: sets[0],
            hours: narrow(1),
            days: narrow(2),
            months: u16::try_from(sets[3]).expect("a year has few months"),
            // Both 0 and 7 are Sunday.
            weekdays: u8::try_from((sets[4] | sets[4] >> 7) & 0x7f).expect("a week has few days"),
            days_fit: if is_open(day) || is_open(weekday) { Days::Both } else { Days::Either },
        };
        let has_day = |month: usize| {
            let days = (1_u64 << (LENGTHS[month - 1] + 1)) - 1;
            sets[3] >> month & 1 == 1 && sets[2] & days != 0
        };
        if minutes.days_fit == Days::Both && !(1..=12).any(has_day) {
            return Err(CronError::NoDay);
        }
        Ok(Self { text: words.join(" "), minutes })
    }

    pub(super) fn minutes(&self) -> &Minutes {
        &self.minutes
    }
}

/// The expression with one space between its fields.
impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Field {
    fn set(&self, text: &str) -> Result<u64, CronError> {
        text.split(',').try_fold(0, |set, part| Ok(set | self.part(part)?))
    }

    fn part(&self, text: &str) -> Result<u64, CronError> {
        let wrong_step = || CronError::Step { field: self.name, text: text.to_owned() };
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => {
                (range, Some(number(step).filter(|step| *step > 0).ok_or_else(wrong_step)?))
            }
            None => (text, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.most),
            Some((first, last)) => self.range(range, first, last)?,
            None if step.is_some() => return Err(wrong_step()),
            None => (self.number(range)?, self.number(range)?),
        };
        let numbers = (first..=last).step_by(step.unwrap_or(1).into());
        Ok(numbers.fold(0, |set, number| set | 1 << number))
    }

    fn range(&self, text: &str, first: &str, last: &str) -> Result<(u8, u8), CronError> {
        let (first, mut last) = (self.number(first)?, self.number(last)?);
        if self.most == 7 && last == 0 && first > 0 {
            last = 7;
        }
        if last < first {
            return Err(CronError::Range { field: self.name, text: text.to_owned() });
        }
        Ok((first, last))
    }

    fn number(&self, text: &str) -> Result<u8, CronError> {
        let named =
            self.words.iter().zip(self.least..).find(|(word, _)| word.eq_ignore_ascii_case(text));
        let found = named.map(|(_, number)| number).or_else(|| number(text));
        found.filter(|number| (self.least..=self.most).contains(number)).ok_or_else(|| {
            CronError::Number {
                field: self.name,
                text: text.to_owned(),
                least: self.least,
                most: self.most,
            }
        })
    }
}

/// Digits alone.
fn number(text: &str) -> Option<u8> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}
