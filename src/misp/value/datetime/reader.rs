//! Reads the fields of a token again, once its format is known.

use super::{Time, words::MONTHS};

/// A token and the place in it.
pub(super) struct Reader<'a> {
    token: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(token: &'a [u8]) -> Self {
        Self { token, at: 0 }
    }

    /// The byte at the place, NUL behind the end.
    pub(super) fn peek(&self) -> u8 {
        self.token.get(self.at).copied().unwrap_or(0)
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        &self.token[self.at..]
    }

    /// Whether a `-` stands anywhere in the token.
    pub(super) fn is_negative(&self) -> bool {
        self.token.contains(&b'-')
    }

    fn skip_until(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.at < self.token.len() && !wanted(self.token[self.at]) {
            self.at += 1;
        }
    }

    fn take_while(&mut self, max: usize, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.iter().take(max).take_while(|&&byte| wanted(byte)).count();
        self.at += length;
        std::str::from_utf8(&rest[..length]).unwrap_or_default()
    }

    /// The next digits, up to so many, wherever they are.
    pub(super) fn digits(&mut self, max: usize) -> &'a str {
        self.skip_until(|byte| byte.is_ascii_digit());
        self.take_while(max, |byte| byte.is_ascii_digit())
    }

    /// The next number of up to so many digits.
    pub(super) fn number(&mut self, max: usize) -> Option<i64> {
        self.digits(max).parse().ok()
    }

    /// The next number with all its signs; each `-` turns it round.
    pub(super) fn signed(&mut self, max: usize) -> Option<i64> {
        let is_sign = |byte: u8| matches!(byte, b'+' | b'-');
        self.skip_until(|byte| byte.is_ascii_digit() || is_sign(byte));
        let signs = self.take_while(usize::MAX, |byte| !byte.is_ascii_digit());
        let number = self.number(max)?;
        let minuses = signs.bytes().filter(|&byte| byte == b'-').count();
        Some(if minuses % 2 == 0 { number } else { -number })
    }

    /// The next year; two digits mean 1970 to 2069, three are taken as they are.
    pub(super) fn year(&mut self) -> Option<i64> {
        let digits = self.digits(4);
        let year: i64 = digits.parse().ok()?;
        Some(match year {
            0..70 if digits.len() < 4 => year + 2_000,
            70..100 if digits.len() < 4 => year + 1_900,
            _ => year,
        })
    }

    /// The next month by name.
    pub(super) fn month(&mut self) -> Option<i64> {
        self.skip_until(|byte| byte.is_ascii_alphabetic());
        let name = self.take_while(usize::MAX, |byte| byte.is_ascii_alphabetic());
        MONTHS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, month)| month)
    }

    /// The letters at the place.
    pub(super) fn word(&mut self) -> &'a str {
        self.skip_until(|byte| byte.is_ascii_alphabetic());
        self.take_while(usize::MAX, |byte| byte.is_ascii_alphabetic())
    }

    /// Steps over the `st` or `th` of a day, which is no month.
    pub(super) fn skip_day_suffix(&mut self) {
        let rest = self.rest();
        if [b"st", b"nd", b"rd", b"th"].iter().any(|suffix| rest.starts_with(*suffix)) {
            self.at += 2;
        }
    }

    /// Hours, minutes, and seconds and their fraction where they are.
    pub(super) fn time(&mut self) -> Option<Time> {
        let mut time = Time { hour: self.number(2)?, minute: self.number(2)?, ..Time::default() };
        if matches!(self.peek(), b':' | b'.') {
            time.second = self.number(2)?;
            if self.peek() == b'.' {
                time.micros = self.micros();
            }
        }
        Some(time)
    }

    /// Microseconds of a fraction; finer digits are cut.
    pub(super) fn micros(&mut self) -> i64 {
        let digits = self.digits(usize::MAX);
        let cut = &digits[..digits.len().min(6)];
        let missing = u32::try_from(6 - cut.len()).unwrap_or(0);
        cut.parse::<i64>().unwrap_or(0) * 10_i64.pow(missing)
    }

    /// What `am` or `pm` add to an hour.
    pub(super) fn meridian(&mut self, hour: i64) -> i64 {
        self.skip_until(|byte| matches!(byte, b'a' | b'A' | b'p' | b'P'));
        match (self.peek().to_ascii_lowercase(), hour) {
            (b'a', 12) => -12,
            (b'p', 1..=11) => 12,
            _ => 0,
        }
    }
}
