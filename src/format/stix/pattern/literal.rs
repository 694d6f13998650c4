//! The constants of the grammar.

use std::borrow::Cow;

use super::{
    Expected, Literal,
    parser::{Parsed, Parser},
};
use crate::model::Timestamp;

impl<'a> Parser<'a> {
    /// A constant of any type, at the present place.
    pub(super) fn literal(&mut self) -> Parsed<Literal<'a>> {
        let rest = self.rest();
        if rest.starts_with('\'') {
            return Ok(Literal::Text(self.text(Expected::Constant)?));
        }
        if rest.starts_with("t'") {
            return Ok(Literal::Timestamp(self.timestamp()?));
        }
        if rest.starts_with("b'") {
            return Ok(Literal::Binary(self.encoded(is_base64, Expected::Base64)?));
        }
        if rest.starts_with("h'") {
            let is_pairs = |digits: &str| {
                digits.len().is_multiple_of(2)
                    && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
            };
            return Ok(Literal::Hex(self.encoded(is_pairs, Expected::HexPairs)?));
        }
        if self.eat_word("true") {
            return Ok(Literal::Boolean(true));
        }
        if self.eat_word("false") {
            return Ok(Literal::Boolean(false));
        }
        self.number().ok_or_else(|| self.wanted(Expected::Constant))
    }

    /// A string in quotes, its escapes resolved; `expected` is reported if there is no quote at all.
    pub(super) fn text(&mut self, expected: Expected) -> Parsed<Cow<'a, str>> {
        let Some(body) = self.rest().strip_prefix('\'') else {
            return Err(self.wanted(expected));
        };
        self.at += 1;
        let mut resolved = Cow::Borrowed("");
        let mut from = 0;
        loop {
            let Some(found) = body[from..].find(['\'', '\\']) else {
                self.at += body.len() - from;
                return Err(self.wanted(Expected::Quote));
            };
            let (plain, mark) = body[from..].split_at(found);
            self.at += found + 1;
            if mark.starts_with('\'') {
                if resolved.is_empty() {
                    return Ok(Cow::Borrowed(plain));
                }
                resolved.to_mut().push_str(plain);
                return Ok(resolved);
            }
            let escaped = match mark.as_bytes().get(1) {
                Some(b'\'') => '\'',
                Some(b'\\') => '\\',
                _ => return Err(self.wanted(Expected::Escape)),
            };
            self.at += 1;
            resolved.to_mut().push_str(plain);
            resolved.to_mut().push(escaped);
            from += found + 2;
        }
    }

    /// A timestamp constant: RFC 3339 in UTC with a capital T and Z, as the grammar wants it.
    pub(super) fn timestamp(&mut self) -> Parsed<&'a str> {
        self.skip();
        if !self.rest().starts_with("t'") {
            return Err(self.wanted(Expected::Timestamp));
        }
        self.encoded(is_timestamp, Expected::Timestamp)
    }

    /// What stands in quotes behind one letter, without escapes.
    fn encoded(&mut self, is_valid: fn(&str) -> bool, expected: Expected) -> Parsed<&'a str> {
        let start = self.wanted(expected);
        let body = &self.rest()[2..];
        match body.split_once('\'') {
            Some((content, _)) if is_valid(content) => {
                self.at += content.len() + 3;
                Ok(content)
            }
            _ => Err(start),
        }
    }

    /// The longest number at the present place, without its plus sign; nothing is read if there is
    /// none.
    pub(super) fn number(&mut self) -> Option<Literal<'a>> {
        let rest = self.rest();
        let digits = |from: usize| rest.bytes().skip(from).take_while(u8::is_ascii_digit).count();
        let sign = usize::from(rest.starts_with(['+', '-']));
        let whole = digits(sign);
        let point = sign + whole;
        let fraction = if rest[point..].starts_with('.') { digits(point + 1) } else { 0 };
        let end = match (whole, fraction) {
            (0, 0) => return None,
            // A whole number has no leading zero.
            (_, 0) if rest[sign..].starts_with('0') => sign + 1,
            (_, 0) => point,
            (_, fraction) => point + 1 + fraction,
        };
        self.at += end;
        let number = rest[..end].trim_start_matches('+');
        Some(if fraction == 0 { Literal::Integer(number) } else { Literal::Float(number) })
    }
}

fn is_base64(text: &str) -> bool {
    let body = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    text.len().is_multiple_of(4)
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

fn is_timestamp(text: &str) -> bool {
    let shape = b"0000-00-00T00:00:00";
    let (Some(head), Some(tail)) = (text.get(..shape.len()), text.get(shape.len()..)) else {
        return false;
    };
    let is_shaped = head
        .bytes()
        .zip(shape)
        .all(|(byte, &want)| if want == b'0' { byte.is_ascii_digit() } else { byte == want });
    let is_zulu = match tail.strip_suffix('Z') {
        Some("") => true,
        Some(fraction) => fraction.strip_prefix('.').is_some_and(|digits| {
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }),
        None => false,
    };
    // The fraction is left out: it cannot be wrong, and may be longer than a clock counts.
    is_shaped && is_zulu && Timestamp::parse(&format!("{head}Z")).is_ok()
}
