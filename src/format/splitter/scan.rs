//! Finds where a JSON value ends without understanding it: strings, escapes, brackets.
//!
//! The scan stops at the end of any piece of the input and goes on with the next, so no byte is looked
//! at twice however the reads fall. What it accepts is balanced, not necessarily valid.

/// How far a scan got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The value goes on after the piece.
    More,
    /// The value ends before this offset into the piece.
    End(usize),
    /// The bracket at this offset closes one of the other kind.
    Mismatch(usize),
}

/// What the byte that comes next belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first byte of the value.
    Start,
    /// A number or a word.
    Scalar,
    /// Inside a list or an object, outside a string.
    Between,
    /// Inside a string.
    Text,
    /// After a backslash.
    Escape,
}

/// A scan over one value.
#[derive(Debug)]
pub(crate) struct Scanner {
    state: State,
    depth: usize,
    depth_max: usize,
    /// One bit for each open bracket, the innermost lowest: set for `[`.
    lists: u128,
    too_deep: bool,
}

impl Scanner {
    /// A scan that stands before the first byte of a value.
    pub(crate) fn new(depth_max: usize) -> Self {
        assert!(depth_max <= 128, "the open brackets are kept in 128 bits");
        Self { state: State::Start, depth: 0, depth_max, lists: 0, too_deep: false }
    }

    /// A scan that stands behind the bracket that opens a list.
    pub(crate) fn in_list(depth_max: usize) -> Self {
        let mut scanner = Self::new(depth_max);
        scanner.state = State::Between;
        scanner.open(1);
        scanner
    }

    /// Whether the value was nested deeper than it may be; its brackets are no longer matched then.
    pub(crate) const fn too_deep(&self) -> bool {
        self.too_deep
    }

    /// Goes through the next piece of the input.
    pub(crate) fn advance(&mut self, piece: &[u8]) -> Progress {
        let mut at = 0;
        if self.state == State::Start {
            match piece.first() {
                None => return Progress::More,
                Some(b'{' | b'[') => self.state = State::Between,
                Some(b'"') => (self.state, at) = (State::Text, 1),
                Some(_) => self.state = State::Scalar,
            }
        }
        if self.state == State::Scalar {
            return match piece.iter().position(|byte| ends_scalar(*byte)) {
                Some(end) => Progress::End(end),
                None => Progress::More,
            };
        }
        loop {
            if self.state != State::Between {
                match self.text(piece, at) {
                    None => return Progress::More,
                    Some(end) => (self.state, at) = (State::Between, end),
                }
                if self.depth == 0 {
                    return Progress::End(at);
                }
            }
            match self.between(piece, at) {
                Ok(after_quote) => (self.state, at) = (State::Text, after_quote),
                Err(progress) => return progress,
            }
        }
    }

    /// Goes on outside strings up to behind the quote that starts one.
    fn between(&mut self, piece: &[u8], start: usize) -> Result<usize, Progress> {
        let rest = piece.get(start..).unwrap_or_default();
        for (offset, byte) in rest.iter().enumerate() {
            match byte {
                b'"' => return Ok(start + offset + 1),
                b'{' => self.open(0),
                b'[' => self.open(1),
                b'}' | b']' => {
                    if !self.too_deep && self.lists & 1 != u128::from(*byte == b']') {
                        return Err(Progress::Mismatch(start + offset));
                    }
                    self.lists >>= 1;
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Err(Progress::End(start + offset + 1));
                    }
                }
                _ => {}
            }
        }
        Err(Progress::More)
    }

    fn open(&mut self, list: u128) {
        self.depth += 1;
        self.too_deep |= self.depth > self.depth_max;
        self.lists = self.lists << 1 | list;
    }

    /// Goes on inside a string; the offset behind its closing quote, if that is in the piece.
    fn text(&mut self, piece: &[u8], mut at: usize) -> Option<usize> {
        if self.state == State::Escape && at < piece.len() {
            (self.state, at) = (State::Text, at + 1);
        }
        loop {
            let rest = piece.get(at..)?;
            at += quote_or_backslash(rest)?;
            if piece[at] == b'"' {
                return Some(at + 1);
            }
            if at + 1 == piece.len() {
                self.state = State::Escape;
                return None;
            }
            at += 2;
        }
    }
}

/// Whether a byte cannot be part of a number or word.
const fn ends_scalar(byte: u8) -> bool {
    matches!(byte, b',' | b']' | b'}' | b':' | b'"' | b'{' | b'[' | b' ' | b'\t' | b'\r' | b'\n')
}

/// Offset of the first `"` or `\`. The strings of a dataset are short: eight bytes at a time beat a
/// call into `memchr` for each.
fn quote_or_backslash(bytes: &[u8]) -> Option<usize> {
    let mut words = bytes.chunks_exact(8);
    let mut at = 0;
    for word in &mut words {
        let word = u64::from_le_bytes(word.try_into().expect("a chunk of 8 has 8 bytes"));
        let found = zero_bytes(word ^ repeat(b'"')) | zero_bytes(word ^ repeat(b'\\'));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let last = words.remainder().iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    Some(at + last)
}

const fn repeat(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The highest bit of each byte that is zero; exact up to the first such byte, which is all that is used.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(repeat(1)) & !word & repeat(0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str, depth_max: usize) -> (Progress, bool) {
        let mut scanner = Scanner::new(depth_max);
        let progress = scanner.advance(text.as_bytes());
        (progress, scanner.too_deep())
    }

    #[test]
    fn values_end_where_they_should() {
        for (value, rest) in [
            ("{}", ","),
            (r#"{"a":"}"}"#, "}"),
            (r#"{"a":"\"}","b":[{"c":"\\"}]}"#, " ,"),
            (r#""a string, of some length""#, ":"),
            (r#""\\\"""#, "]"),
            ("-12.5e3", ","),
            ("null", "\n]"),
            ("[[],[{}]]", "]"),
        ] {
            let end = Progress::End(value.len());
            assert_eq!(scan(&format!("{value}{rest}"), 8), (end, false), "{value}");
        }
    }

    #[test]
    fn unfinished_values_ask_for_more() {
        for text in ["", "{", r#"{"a"#, r#"{"a\"#, "12", "[1,", r#""abc"#] {
            assert_eq!(scan(text, 8), (Progress::More, false), "{text}");
        }
    }

    #[test]
    fn brackets_of_the_wrong_kind_are_found() {
        assert_eq!(scan(r#"{"a":[}]"#, 8).0, Progress::Mismatch(6));
        assert_eq!(scan("[{]", 8).0, Progress::Mismatch(2));
    }

    #[test]
    fn depth_is_told_and_counted_on() {
        assert_eq!(scan("[[]],", 2), (Progress::End(4), false));
        assert_eq!(scan("[[[]]],", 2), (Progress::End(6), true));
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        assert_eq!(scan(&deep, 128), (Progress::End(2000), true));
    }

    #[test]
    fn the_first_quote_or_backslash_is_found_in_any_lane() {
        for length in 0..40 {
            let mut bytes = vec![b'!'; length];
            assert_eq!(quote_or_backslash(&bytes), None);
            for at in (0..length).rev() {
                bytes[at] = if at % 2 == 0 { b'"' } else { b'\\' };
                assert_eq!(quote_or_backslash(&bytes), Some(at));
            }
        }
    }
}
