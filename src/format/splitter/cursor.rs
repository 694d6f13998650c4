//! Goes through a stream of JSON byte by byte and value by value, and knows where it is.

use std::{
    io::{self, Read},
    ops::Range,
};

use memchr::memchr;

use super::{
    Limits,
    scan::{Progress, Scanner},
    window::{Refill, Window},
};
use crate::format::{
    FormatError,
    element::{Position, reason},
    mend,
};
use crate::model::{Locus, Place, Symbol};

/// Where a tar archive says that it is one, and by what.
const TAR_MAGIC: (usize, &[u8]) = (257, b"ustar");
/// Bytes that are looked at to tell one kind of markup from another.
const MARKUP_BYTES: usize = 4 << 10;
/// So much may stand between a place of which the position is wanted, and one of which it is known.
const NEAR_BYTES: usize = 64 << 10;
/// Most bytes of a character.
const CHAR_BYTES_MAX: usize = 4;
/// Quotes that word processors put in place of `"`.
const TYPOGRAPHIC_QUOTES: &str = "“”„‟‘’‚‛«»";

/// A value that was passed.
pub(super) enum Passed {
    /// It stands in the window.
    Kept(Range<usize>),
    /// Longer than asked for.
    TooLong,
    /// Nested too deep.
    TooDeep,
    /// It was not passed to its end, as what is held would become too long.
    TooFar,
}

/// How a value stands to the line that it begins on.
pub(super) enum Line {
    /// It ends there.
    Whole,
    /// It does not; what comes next.
    Cut { next: Option<u8> },
    /// The line is longer than an object may be.
    TooLong,
}

/// A place in a stream.
pub(super) struct Cursor<'a, R> {
    window: Window<R>,
    /// Offset in the window of the next byte.
    at: usize,
    /// Offset of what stays in the window, to come back to.
    held: Option<usize>,
    /// A place in the window, and its position.
    known: (usize, Position),
    file: &'a Symbol,
    limits: Limits,
}

impl<'a, R: Read> Cursor<'a, R> {
    /// A cursor at the start of a stream.
    pub(super) fn new(input: R, file: &'a Symbol, limits: Limits) -> Self {
        let window = Window::new(input, limits.buffer_bytes);
        let known = (0, window.start());
        Self { window, at: 0, held: None, known, file, limits }
    }

    /// Moves the place whose position is known up to an offset, unless it is near: what is counted from there
    /// costs little then, however large the window became.
    pub(super) fn come_near(&mut self, at: usize) {
        let (from, position) = self.known;
        if from > at {
            self.known = (0, self.window.start());
        } else if at - from > NEAR_BYTES {
            self.known = (at, position.after(self.window.slice(from..at)));
        }
    }

    /// Bytes in view before an offset, and where they start.
    pub(super) fn before(&self, at: usize) -> (&[u8], Position) {
        let (from, position) =
            if self.known.0 > at { (0, self.window.start()) } else { self.known };
        (self.window.slice(from..at), position)
    }

    /// Bytes in view.
    pub(super) fn slice(&self, range: Range<usize>) -> &[u8] {
        self.window.slice(range)
    }

    /// Keeps all from here on in view, up to the length of an object.
    pub(super) const fn hold(&mut self) {
        self.held = Some(self.at);
    }

    /// Goes back to where [`hold`](Self::hold) was called, and lets go of it.
    pub(super) fn back(&mut self) {
        self.at = self.held.take().expect("the caller held a place");
    }

    /// Lets go of what is held.
    pub(super) const fn let_go(&mut self) {
        self.held = None;
    }

    /// Passes a byte that was peeked at.
    pub(super) const fn step(&mut self) {
        self.at += 1;
    }

    /// Passes one value; it is kept in the window if it is not longer than `keep_bytes_max`.
    pub(super) fn pass(&mut self, keep_bytes_max: usize) -> Result<Passed, FormatError> {
        self.pass_seeing(keep_bytes_max, |_| ())
    }

    /// The same, where all of it is seen piece by piece, kept or not.
    pub(super) fn pass_seeing(
        &mut self,
        keep_bytes_max: usize,
        see: impl FnMut(&[u8]),
    ) -> Result<Passed, FormatError> {
        self.scan(Scanner::new(self.limits.depth_max), keep_bytes_max, see)
    }

    /// Passes what is left of a list, which is kept as a value is.
    pub(super) fn pass_list(&mut self, keep_bytes_max: usize) -> Result<Passed, FormatError> {
        self.scan(Scanner::in_list(self.limits.depth_max), keep_bytes_max, |_| ())
    }

    fn scan(
        &mut self,
        mut scanner: Scanner,
        keep_bytes_max: usize,
        mut see: impl FnMut(&[u8]),
    ) -> Result<Passed, FormatError> {
        let (mut start, mut too_long) = (self.at, false);
        loop {
            let scanned = self.at;
            match scanner.advance(&self.window.bytes()[scanned..]) {
                Progress::End(0) if scanned == start && !too_long => {
                    return Err(self.unexpected("a value"));
                }
                Progress::End(count) => {
                    self.at = scanned + count;
                    see(&self.window.bytes()[scanned..self.at]);
                    break;
                }
                Progress::Mismatch(offset) => {
                    self.at = scanned + offset;
                    let closes_list = self.window.bytes()[self.at] == b']';
                    return Err(self.unexpected(if closes_list { "`}`" } else { "`]`" }));
                }
                Progress::More => {}
            }
            self.at = self.window.bytes().len();
            see(&self.window.bytes()[scanned..]);
            if self.is_too_far() {
                return Ok(Passed::TooFar);
            }
            too_long |= self.at - start > keep_bytes_max;
            let keep = if too_long { self.at } else { start };
            let refill = self.refill(keep)?;
            if refill.ended {
                return Err(self.broken_off());
            }
            start = start.saturating_sub(refill.moved);
        }
        Ok(if too_long || self.at - start > keep_bytes_max {
            Passed::TooLong
        } else if scanner.too_deep() {
            Passed::TooDeep
        } else {
            Passed::Kept(start..self.at)
        })
    }

    /// Looks whether the value that comes next ends on this line. It is not passed.
    pub(super) fn look_at_line(&mut self) -> Result<Line, FormatError> {
        self.hold();
        let found = self.find_end_on_line();
        self.back();
        found
    }

    fn find_end_on_line(&mut self) -> Result<Line, FormatError> {
        let (mut scanner, mut is_broken) = (Scanner::new(self.limits.depth_max), false);
        loop {
            let rest = &self.window.bytes()[self.at..];
            let end = memchr(b'\n', rest);
            let piece = &rest[..end.unwrap_or(rest.len())];
            if !is_broken {
                match scanner.advance(piece) {
                    Progress::End(1..) => return Ok(Line::Whole),
                    Progress::End(0) | Progress::Mismatch(_) => is_broken = true,
                    Progress::More => {}
                }
            }
            self.at += piece.len();
            if self.is_too_far() {
                return Ok(Line::TooLong);
            }
            if end.is_some() {
                return Ok(Line::Cut { next: self.peek_or_end()? });
            }
            if self.refill(self.at)?.ended {
                return Ok(Line::Cut { next: None });
            }
        }
    }

    /// Passes what is left of the line; all of it is seen piece by piece.
    pub(super) fn pass_line(&mut self, mut see: impl FnMut(&[u8])) -> Result<(), FormatError> {
        loop {
            let rest = &self.window.bytes()[self.at..];
            let end = memchr(b'\n', rest);
            let piece = &rest[..end.unwrap_or(rest.len())];
            see(piece);
            self.at += piece.len();
            if end.is_some() || self.refill(self.at)?.ended {
                return Ok(());
            }
        }
    }

    /// The number of this line.
    pub(super) fn line(&mut self) -> usize {
        self.come_near(self.at);
        let (before, start) = self.before(self.at);
        start.after(before).line
    }

    /// Whether nothing else stands on this line. Blanks are passed.
    pub(super) fn is_at_end_of_line(&mut self) -> Result<bool, FormatError> {
        loop {
            match self.ahead(1)? {
                [b' ' | b'\t' | b'\r'] => self.at += 1,
                ahead => return Ok(matches!(ahead, [] | [b'\n'])),
            }
        }
    }

    /// Reads a scalar that stands in the window.
    pub(super) fn scalar<T: serde::de::DeserializeOwned>(
        &self,
        range: Range<usize>,
    ) -> Result<T, FormatError> {
        let raw = self.window.slice(range.clone());
        let read = serde_json::from_slice(raw).or_else(|error| match mend::mend(raw) {
            Some(mended) => serde_json::from_slice(&mended.text),
            None => Err(error),
        });
        read.map_err(|error| {
            let position = self.position(range.start);
            self.error(position, format!("{} here", reason(&error)))
        })
    }

    /// Passes `,`, or the bracket that closes; true if it was that.
    pub(super) fn comma_or(&mut self, closing: u8) -> Result<bool, FormatError> {
        let byte = self.peek()?;
        if byte != b',' && byte != closing {
            let expected = if closing == b']' { "`,` or `]`" } else { "`,` or `}`" };
            return Err(self.unexpected(expected));
        }
        self.at += 1;
        Ok(byte == closing)
    }

    /// Passes the byte if it comes next.
    pub(super) fn take_if(&mut self, wanted: u8) -> Result<bool, FormatError> {
        let found = self.peek()? == wanted;
        self.at += usize::from(found);
        Ok(found)
    }

    /// The next byte that is no white space; it is not passed.
    pub(super) fn peek(&mut self) -> Result<u8, FormatError> {
        match self.peek_or_end()? {
            Some(byte) => Ok(byte),
            None => Err(self.broken_off()),
        }
    }

    /// As [`peek`](Self::peek), where the stream may end.
    pub(super) fn peek_or_end(&mut self) -> Result<Option<u8>, FormatError> {
        loop {
            while let Some(byte) = self.window.bytes().get(self.at) {
                if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                    return Ok(Some(*byte));
                }
                self.at += 1;
            }
            if self.is_too_far() {
                let most = self.limits.object_bytes_max;
                return Err(self.not_json(format!(
                    "after {most} bytes of it nothing says what this is; export or fetch the dataset again"
                )));
            }
            if self.refill(self.at)?.ended {
                return Ok(None);
            }
        }
    }

    /// Whether what is held is longer than an object may be.
    fn is_too_far(&self) -> bool {
        self.held.is_some_and(|held| self.at - held > self.limits.object_bytes_max)
    }

    /// Passes white space and a byte order mark, if one comes next.
    pub(super) fn skip_byte_order_mark(&mut self) -> Result<(), FormatError> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        if self.peek_or_end()? == Some(MARK[0]) && self.ahead(MARK.len())?.starts_with(MARK) {
            self.at += MARK.len();
        }
        Ok(())
    }

    /// The bytes that come next, so many unless the stream ends before.
    fn ahead(&mut self, count: usize) -> Result<&[u8], FormatError> {
        while self.window.bytes().len() < self.at + count && !self.refill(self.at)?.ended {}
        let ahead = &self.window.bytes()[self.at..];
        Ok(&ahead[..ahead.len().min(count)])
    }

    /// An error if what comes next begins no JSON of one byte a letter, and it can be told what it is: UTF-16, an archive, CSV.
    pub(super) fn refuse_other_bytes(&mut self) -> Result<(), FormatError> {
        if self.is_tar()? {
            return Err(self.not_json("this is a tar archive; unpack it and read the files in it"));
        }
        let what = match self.ahead(4)? {
            b"PK\x05\x06" => {
                "this is a ZIP archive with nothing in it; export or fetch the dataset again"
            }
            [b'x', 0x01 | 0x5e | 0x9c | 0xda, ..] => "this is packed by zlib; unpack it first",
            b"PK\x03\x04" => "this is a ZIP archive; unpack it first",
            [b'B', b'Z', b'h', b'1'..=b'9'] => "this is packed by bzip2; unpack it first",
            b"\xfd7zX" => "this is packed by xz; unpack it first",
            b"7z\xbc\xaf" => "this is a 7z archive; unpack it first",
            [0x1f, 0x8b, ..] | b"\x28\xb5\x2f\xfd" => "this is packed twice; unpack it once",
            b"%PDF" => "this is a PDF; export the dataset as EclecticIQ JSON or STIX 2.1",
            [0, 0, 0, 0] => {
                "there are zeros where JSON should begin: this is a device, or was not written to its end; check the \
                 path, or export or fetch the dataset again"
            }
            [0xff, 0xfe, 0, 0] | [0, 0, 0xfe, 0xff] | [0, 0, 0, _] | [_, 0, 0, 0] => {
                "this is UTF-32; convert it to UTF-8 first"
            }
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [b'{' | b'[' | b'<', 0, ..] => {
                "this is UTF-16; convert it to UTF-8 first"
            }
            [0xef, 0xbb, 0xbf, ..] => {
                "there are two byte order marks; save it as UTF-8 without any"
            }
            [0x1e, ..] => {
                "this is a JSON text sequence (RFC 7464); remove the characters U+001E, one before each document"
            }
            b"data" | b"even" | b"id: " | b": pi" | b"retr" => {
                "these are events of a stream, not JSON; keep what stands behind each `data:`"
            }
            b"eyJ0" | b"eyJp" | b"eyJv" | b"eyJz" | b"eyJt" | b"eyJl" | b"eyJj" | b"ewog"
            | b"ewoJ" | b"ew0K" | b"W3si" | b"Wwog" | b"Ww0K" => "this is base64; decode it first",
            [b'a'..=b'z' | b'A'..=b'Z' | b'"' | b'#', ..] => {
                "this is text or CSV, not JSON; export it as EclecticIQ JSON or STIX 2.1"
            }
            _ => return Ok(()),
        };
        Err(self.not_json(what))
    }

    /// Whether a tar archive comes next. No JSON begins with the name of a file.
    fn is_tar(&mut self) -> Result<bool, FormatError> {
        let is_name = self.ahead(1)?.first().is_some_and(|byte| !b"{[ \t\r\n".contains(byte));
        let (at, magic) = TAR_MAGIC;
        Ok(is_name && self.ahead(512)?.get(at..).is_some_and(|it| it.starts_with(magic)))
    }

    /// What the markup is that comes next in place of JSON.
    pub(super) fn markup(&mut self) -> FormatError {
        let head = match self.ahead(MARKUP_BYTES) {
            Ok(ahead) => String::from_utf8_lossy(ahead).to_ascii_lowercase(),
            Err(error) => return error,
        };
        let has = |words: &[&str]| words.iter().any(|word| head.contains(word));
        let what = if has(&["<!doctype html", "<html", "<head>", "<body"]) {
            "this is a web page, perhaps a login page; fetch the dataset again, signed in"
        } else if has(&["stix_package", "stix.mitre.org"]) {
            "this is STIX 1, which is XML; export it as EclecticIQ JSON or STIX 2.1"
        } else {
            "this is XML; export it as EclecticIQ JSON or STIX 2.1"
        };
        self.not_json(what)
    }

    fn refill(&mut self, keep: usize) -> Result<Refill, FormatError> {
        let keep = self.held.map_or(keep, |held| keep.min(held));
        let refill = self.window.more(keep).map_err(|error| self.unreadable(error))?;
        self.at -= refill.moved;
        self.known = match self.known.0.checked_sub(refill.moved) {
            Some(at) => (at, self.known.1),
            None => (0, self.window.start()),
        };
        self.held = self.held.map(|held| held - refill.moved);
        Ok(refill)
    }

    fn position(&self, at: usize) -> Position {
        self.window.start().after(self.window.slice(0..at))
    }

    fn unreadable(&self, error: io::Error) -> FormatError {
        FormatError::Unreadable { file: self.file.clone(), error }
    }

    fn broken_off(&self) -> FormatError {
        self.not_json(
            "the document breaks off here; the file is incomplete: export or fetch it again",
        )
    }

    /// Something else stands here than what was expected.
    pub(super) fn unexpected(&mut self, expected: &str) -> FormatError {
        let (found, is_quote) = match self.ahead(CHAR_BYTES_MAX) {
            Ok(ahead) => (shown(ahead), first(ahead).is_some_and(is_typographic_quote)),
            Err(error) => return error,
        };
        let next = match self.ahead(1) {
            Ok(b"}" | b"]") => {
                "; if a comma stands before it, remove that, else export or fetch the dataset again"
            }
            // How to mend that is said with it.
            _ if is_quote => "",
            _ => "; export or fetch the dataset again, and write nothing into it by hand",
        };
        self.not_json(format!("expected {expected}, found {found}{next}"))
    }

    /// This is no JSON, from here on.
    pub(super) fn not_json(&self, what: impl Into<String>) -> FormatError {
        self.error(self.position(self.at), what)
    }

    fn error(&self, position: Position, what: impl Into<String>) -> FormatError {
        let locus = Locus::Line(position.line, position.column);
        FormatError::NotJson { place: Place { file: self.file.clone(), locus }, what: what.into() }
    }
}

/// The first character of the bytes.
fn first(bytes: &[u8]) -> Option<char> {
    bytes.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next())
}

fn is_typographic_quote(char: char) -> bool {
    TYPOGRAPHIC_QUOTES.contains(char)
}

/// The first character of the bytes, for a person.
fn shown(bytes: &[u8]) -> String {
    match (first(bytes), bytes) {
        (Some(char @ ' '..='~'), _) => format!("`{char}`"),
        (Some(char), _) => {
            let cure = match is_typographic_quote(char) {
                true => ": write plain quotes, \"…\"",
                false => "",
            };
            format!("`{}` (U+{:04X}){cure}", char.escape_debug(), u32::from(char))
        }
        (None, [byte, ..]) => format!("the byte 0x{byte:02X}, which is no UTF-8 here"),
        (None, []) => "the end".to_owned(),
    }
}
