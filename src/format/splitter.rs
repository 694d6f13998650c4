//! Cuts the elements of a document's top-level lists out of a stream.
//!
//! Memory is bounded by the largest element that is kept; everything else passes through. A stream may
//! hold several documents one after the other (also one a line), and a document may be a list of
//! packages. What is balanced but wrong inside an element is the decoder's to report; what is wrong
//! around the elements ends the reading, as nobody can say where to go on.

use std::{
    io::{self, Read},
    ops::Range,
};

use super::{
    FormatError,
    element::{Element, Origin, Position, reason},
    scan::{Progress, Scanner},
    window::Window,
};
use crate::model::{Issue, Locus, Place, Symbol, limits};

/// Longest name or scalar of a top-level member that is looked at, in bytes.
const SCALAR_BYTES_MAX: usize = 4 << 10;

/// What is done with the pieces of a source.
pub(crate) trait Visitor {
    /// A document, or a package of a list of packages, begins.
    fn begin(&mut self);

    /// A top-level member whose value is no list, and the package that it stands in.
    fn member(&mut self, name: &str, value: Member<'_>, origin: &Origin<'_>);

    /// A top-level list: its name if its elements are wanted.
    fn list(&mut self, name: &str) -> Option<&'static str>;

    /// An element of a wanted list.
    fn element(&mut self, element: &Element<'_>);

    /// Something that was left out.
    fn issue(&mut self, issue: Issue);

    /// The document ends.
    ///
    /// # Errors
    /// If it is none of those that are looked for.
    fn end(&mut self) -> Result<(), FormatError>;
}

/// Value of a top-level member that is no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member<'a> {
    /// A short text.
    Text(&'a str),
    /// A text too long to be looked at.
    LongText,
    /// An object.
    Object,
    /// A number, a truth value or null.
    Scalar,
}

/// How much the splitter keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Size of the buffer at first, in bytes.
    pub(crate) buffer_bytes: usize,
    /// Longest element that is handed on, in bytes.
    pub(crate) object_bytes_max: usize,
    /// Deepest nesting of an element that is handed on; at most 128.
    pub(crate) depth_max: usize,
}

impl Limits {
    /// The limits of the product.
    pub(crate) const PRODUCT: Self = Self {
        buffer_bytes: 256 << 10,
        object_bytes_max: limits::OBJECT_BYTES_MAX,
        depth_max: limits::JSON_DEPTH_MAX,
    };
}

/// Reads a source to its end and hands its pieces to a visitor.
///
/// # Errors
/// If the source cannot be read, is not JSON, breaks off, or the visitor says so.
pub(crate) fn split<R: Read, V: Visitor>(
    input: R,
    file: &Symbol,
    limits: Limits,
    visitor: &mut V,
) -> Result<(), FormatError> {
    let window = Window::new(input, limits.buffer_bytes);
    Splitter { window, at: 0, file, limits, document: 0, package: None, visitor }.run()
}

/// A value that was passed.
enum Passed {
    /// It stands in the window.
    Kept(Range<usize>),
    /// Longer than asked for.
    TooLong,
    /// Nested too deep.
    TooDeep,
}

struct Splitter<'a, R, V> {
    window: Window<R>,
    /// Offset in the window of the next byte.
    at: usize,
    file: &'a Symbol,
    limits: Limits,
    document: usize,
    package: Option<usize>,
    visitor: &'a mut V,
}

impl<R: Read, V: Visitor> Splitter<'_, R, V> {
    fn run(mut self) -> Result<(), FormatError> {
        self.skip_byte_order_mark()?;
        while let Some(byte) = self.peek_or_end()? {
            self.document += 1;
            match byte {
                b'{' => self.package()?,
                b'[' => self.packages()?,
                b'<' => {
                    return Err(self.not_json(
                        "this is XML, perhaps STIX 1; export it as EclecticIQ JSON or STIX 2.1",
                    ));
                }
                0xfe | 0xff => {
                    return Err(self.not_json("this is not UTF-8; convert it to UTF-8 first"));
                }
                _ => return Err(self.unexpected("`{` or `[`", byte)),
            }
            self.skip_byte_order_mark()?;
        }
        if self.document == 0 {
            return Err(self.not_json("there is nothing in it; export or fetch the dataset again"));
        }
        Ok(())
    }

    /// A document that is a list of packages.
    fn packages(&mut self) -> Result<(), FormatError> {
        self.at += 1;
        if self.take_if(b']')? {
            return Ok(());
        }
        for index in 0.. {
            self.package = Some(index);
            match self.peek()? {
                b'{' => self.package()?,
                byte => return Err(self.unexpected("a package that starts with `{`", byte)),
            }
            if self.comma_or(b']')? {
                break;
            }
        }
        self.package = None;
        Ok(())
    }

    fn package(&mut self) -> Result<(), FormatError> {
        self.visitor.begin();
        self.at += 1;
        if !self.take_if(b'}')? {
            loop {
                self.member()?;
                if self.comma_or(b'}')? {
                    break;
                }
            }
        }
        self.visitor.end()
    }

    fn member(&mut self) -> Result<(), FormatError> {
        match self.peek()? {
            b'"' => {}
            byte => return Err(self.unexpected("the name of a member in quotes", byte)),
        }
        let name = match self.pass(SCALAR_BYTES_MAX)? {
            Passed::Kept(range) => self.scalar::<String>(range)?,
            Passed::TooLong | Passed::TooDeep => String::new(),
        };
        match self.peek()? {
            b':' => self.at += 1,
            byte => return Err(self.unexpected("`:`", byte)),
        }
        match self.peek()? {
            b'[' => match self.visitor.list(&name) {
                Some(name) => self.list(name),
                None => self.pass(0).map(drop),
            },
            b'{' => {
                self.tell(&name, Member::Object);
                self.pass(0).map(drop)
            }
            b'"' => {
                if let Passed::Kept(range) = self.pass(SCALAR_BYTES_MAX)? {
                    let text = self.scalar::<String>(range)?;
                    self.tell(&name, Member::Text(&text));
                } else {
                    self.tell(&name, Member::LongText);
                }
                Ok(())
            }
            _ => {
                if let Passed::Kept(range) = self.pass(SCALAR_BYTES_MAX)? {
                    self.scalar::<serde::de::IgnoredAny>(range)?;
                }
                self.tell(&name, Member::Scalar);
                Ok(())
            }
        }
    }

    fn tell(&mut self, name: &str, value: Member<'_>) {
        let origin = Origin {
            file: self.file,
            document: self.document,
            package: self.package,
            before: b"",
            start: self.window.start(),
        };
        self.visitor.member(name, value, &origin);
    }

    fn list(&mut self, name: &'static str) -> Result<(), FormatError> {
        self.at += 1;
        if self.take_if(b']')? {
            return Ok(());
        }
        for index in 0.. {
            self.peek()?;
            let (raw, what) = match self.pass(self.limits.object_bytes_max)? {
                Passed::Kept(raw) => (raw, None),
                Passed::TooLong => (self.at..self.at, {
                    Some(format!("longer than {} bytes", self.limits.object_bytes_max))
                }),
                Passed::TooDeep => (self.at..self.at, {
                    Some(format!("nested deeper than {} levels", self.limits.depth_max))
                }),
            };
            let origin = Origin {
                file: self.file,
                document: self.document,
                package: self.package,
                before: self.window.slice(0..raw.start),
                start: self.window.start(),
            };
            let element = Element { list: name, index, raw: self.window.slice(raw), origin };
            match what {
                None => self.visitor.element(&element),
                Some(what) => self.visitor.issue(element.skipped(format!("{what}; left out"))),
            }
            if self.comma_or(b']')? {
                break;
            }
        }
        Ok(())
    }

    /// Passes one value; it is kept in the window if it is not longer than `keep_bytes_max`.
    fn pass(&mut self, keep_bytes_max: usize) -> Result<Passed, FormatError> {
        let mut scanner = Scanner::new(self.limits.depth_max);
        let (mut start, mut scanned, mut too_long) = (self.at, self.at, false);
        loop {
            let bytes = self.window.bytes();
            match scanner.advance(&bytes[scanned..]) {
                Progress::End(0) if scanned == start && !too_long => {
                    let byte = bytes[scanned];
                    return Err(self.unexpected("a value", byte));
                }
                Progress::End(count) => {
                    self.at = scanned + count;
                    break;
                }
                Progress::Mismatch(offset) => {
                    self.at = scanned + offset;
                    let byte = self.window.bytes()[self.at];
                    let other = if byte == b']' { "`}`" } else { "`]`" };
                    return Err(self.unexpected(other, byte));
                }
                Progress::More => {}
            }
            self.at = bytes.len();
            too_long |= self.at - start > keep_bytes_max;
            let keep = if too_long { self.at } else { start };
            let moved = self.read_more(keep)?;
            start = start.saturating_sub(moved);
            scanned = self.at;
        }
        Ok(if too_long || self.at - start > keep_bytes_max {
            Passed::TooLong
        } else if scanner.too_deep() {
            Passed::TooDeep
        } else {
            Passed::Kept(start..self.at)
        })
    }

    /// Reads a name or a scalar that stands in the window.
    fn scalar<T: serde::de::DeserializeOwned>(
        &self,
        range: Range<usize>,
    ) -> Result<T, FormatError> {
        serde_json::from_slice(self.window.slice(range.clone())).map_err(|error| {
            let position = self.position(range.start);
            self.error(position, format!("{} here", reason(&error)))
        })
    }

    /// Passes `,`, or the bracket that closes; true if it was that.
    fn comma_or(&mut self, closing: u8) -> Result<bool, FormatError> {
        let byte = self.peek()?;
        if byte != b',' && byte != closing {
            let expected = if closing == b']' { "`,` or `]`" } else { "`,` or `}`" };
            return Err(self.unexpected(expected, byte));
        }
        self.at += 1;
        Ok(byte == closing)
    }

    fn take_if(&mut self, wanted: u8) -> Result<bool, FormatError> {
        let found = self.peek()? == wanted;
        self.at += usize::from(found);
        Ok(found)
    }

    /// The next byte that is no white space; it is not passed.
    fn peek(&mut self) -> Result<u8, FormatError> {
        match self.peek_or_end()? {
            Some(byte) => Ok(byte),
            None => Err(self.broken_off()),
        }
    }

    fn peek_or_end(&mut self) -> Result<Option<u8>, FormatError> {
        loop {
            while let Some(byte) = self.window.bytes().get(self.at) {
                if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                    return Ok(Some(*byte));
                }
                self.at += 1;
            }
            if self.refill(self.at)?.ended {
                return Ok(None);
            }
        }
    }

    fn skip_byte_order_mark(&mut self) -> Result<(), FormatError> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        if self.peek_or_end()? == Some(MARK[0]) {
            while self.window.bytes().len() < self.at + MARK.len() && !self.refill(self.at)?.ended {
            }
            if self.window.bytes()[self.at..].starts_with(MARK) {
                self.at += MARK.len();
            }
        }
        Ok(())
    }

    /// Reads more inside a document; by how much offsets have become smaller.
    fn read_more(&mut self, keep: usize) -> Result<usize, FormatError> {
        let refill = self.refill(keep)?;
        if refill.ended { Err(self.broken_off()) } else { Ok(refill.moved) }
    }

    fn refill(&mut self, keep: usize) -> Result<super::window::Refill, FormatError> {
        let refill = self.window.more(keep).map_err(|error| self.unreadable(error))?;
        self.at -= refill.moved;
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

    fn unexpected(&self, expected: &str, found: u8) -> FormatError {
        self.not_json(format!(
            "expected {expected}, found `{}`",
            char::from(found).escape_default()
        ))
    }

    fn not_json(&self, what: impl Into<String>) -> FormatError {
        self.error(self.position(self.at), what)
    }

    fn error(&self, position: Position, what: impl Into<String>) -> FormatError {
        let locus = Locus::Line(position.line, position.column);
        FormatError::NotJson { place: Place { file: self.file.clone(), locus }, what: what.into() }
    }
}
