//! Cuts the elements of a document's top-level lists out of a stream.
//!
//! Memory is bounded by the largest element that is kept; everything else passes through. A stream may
//! hold several documents one after the other (also one a line), and a document may be a list of them. A
//! document is a package of elements, or an element that stands alone; an element may be a bundle of its
//! own. What is balanced but wrong inside an element is the decoder's to report; what is wrong around the
//! elements ends the reading, as nobody can say where to go on, but for objects one a line: the next line is where.

mod cursor;
mod lines;
mod scan;
mod signs;
mod window;

use std::{io::Read, ops::Range};

use memchr::memmem;

use self::{
    cursor::{Cursor, Passed},
    signs::{Nature, Signs, Value},
};
use super::{
    FormatError,
    apart::lost::{Found, Scan},
    element::{Element, Origin, Position},
};
use crate::model::{
    Symbol,
    limits::{self, ENVELOPE_DEPTH_MAX},
};

/// Longest text that tells what an object is, in bytes.
const SCALAR_BYTES_MAX: usize = 4 << 10;

/// What is done with the pieces of a source.
pub(crate) trait Visitor {
    /// A document, or a package of a list of packages, begins.
    fn begin(&mut self);

    /// A document is itself what would stand in a list of this name; whether it is wanted.
    fn alone(&mut self, list: &'static str) -> bool;

    /// A top-level member whose value is no list of elements, and the package that it stands in.
    fn member(&mut self, name: &str, value: Member<'_>, origin: &Origin<'_>);

    /// A top-level list, and whether there is nothing in it: what is wanted of it.
    fn list(&mut self, name: &str, is_empty: bool, origin: &Origin<'_>) -> Wanted;

    /// An element of a wanted list, or one that stands alone.
    fn element(&mut self, element: &Element<'_>);

    /// An element that is left out, and what was found in it.
    fn left_out(&mut self, element: &Element<'_>, found: &Found, what: &str);

    /// The document that began ends.
    ///
    /// # Errors
    /// If it is none of those that are looked for.
    fn end(&mut self, origin: &Origin<'_>) -> Result<(), FormatError>;
}

/// What is wanted of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Its elements, as those of a list of this name.
    Elements(&'static str),
    /// What stands in it, as one member.
    Whole,
    Nothing,
}

/// Value of a top-level member that is no list of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member<'a> {
    Text(&'a str),
    /// As it stands there.
    Object(&'a str),
    /// As it stands there; it has something in it.
    List(&'a str),
    /// A number, a truth value or null, as it stands there.
    Scalar(&'a str),
    /// What is longer than an element may be, or nested deeper.
    Unread,
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
    let cursor = Cursor::new(input, file, limits);
    let (inside, is_respelled) = (String::new(), false);
    let (has_lines, has_sound) = (lines::are_in(file), false);
    Splitter {
        cursor,
        file,
        limits,
        document: 0,
        inside,
        is_respelled,
        has_lines,
        has_sound,
        visitor,
    }
    .run()
}

struct Splitter<'a, R, V> {
    cursor: Cursor<'a, R>,
    file: &'a Symbol,
    limits: Limits,
    document: usize,
    /// A JSON pointer to the object that is being read, in its document.
    inside: String,
    /// Whether the name of a list on the way there is written in other letters.
    is_respelled: bool,
    /// Whether an object stands on each line.
    has_lines: bool,
    /// Whether a document was read.
    has_sound: bool,
    visitor: &'a mut V,
}

impl<R: Read, V: Visitor> Splitter<'_, R, V> {
    fn run(mut self) -> Result<(), FormatError> {
        self.cursor.skip_byte_order_mark()?;
        while let Some(byte) = self.cursor.peek_or_end()? {
            if self.document == 0 {
                self.cursor.refuse_other_bytes()?;
            }
            self.document += 1;
            match byte {
                b'<' if !(self.has_lines && self.has_sound) => return Err(self.cursor.markup()),
                _ if self.has_lines && self.leave_damaged_line(byte)? => continue,
                b'{' => self.document()?,
                b'[' => self.documents(1)?,
                _ => return Err(self.cursor.unexpected("`{` or `[`")),
            }
            self.has_sound = true;
            self.cursor.skip_byte_order_mark()?;
        }
        if self.document > 0 && !self.has_sound {
            let what = "no line of it holds an object; export or fetch the dataset again";
            return Err(self.cursor.not_json(what));
        }
        if self.document == 0 {
            let what = "there is nothing in it; export or fetch the dataset again";
            return Err(self.cursor.not_json(what));
        }
        Ok(())
    }

    /// A document that is a list of such as could stand one after the other.
    fn documents(&mut self, depth: usize) -> Result<(), FormatError> {
        if depth > ENVELOPE_DEPTH_MAX {
            let what = format!("lists in one another, more than {ENVELOPE_DEPTH_MAX}");
            return Err(self.cursor.not_json(format!("{what}; export or fetch the dataset again")));
        }
        self.cursor.step();
        if self.cursor.take_if(b']')? {
            return Ok(());
        }
        let outside = self.inside.len();
        for index in 0.. {
            self.inside.push_str(&format!("/{index}"));
            match self.cursor.peek()? {
                b'{' => self.document()?,
                b'[' => self.documents(depth + 1)?,
                _ => return Err(self.cursor.unexpected("an object that starts with `{`")),
            }
            self.inside.truncate(outside);
            if self.cursor.comma_or(b']')? {
                break;
            }
        }
        Ok(())
    }

    fn document(&mut self) -> Result<(), FormatError> {
        match self.nature()? {
            Nature::Alone(list) if self.visitor.alone(list) => {
                self.element("", 0, 0)?;
                self.has_lines |= self.document == 1 && self.cursor.is_at_end_of_line()?;
                Ok(())
            }
            Nature::Alone(_) | Nature::Package | Nature::Unknown => {
                self.visitor.begin();
                self.package(0)?;
                let origin = origin(self.file, self.document, &self.inside);
                self.visitor.end(&origin)
            }
        }
    }

    /// What the object is that comes next. It is not passed.
    fn nature(&mut self) -> Result<Nature, FormatError> {
        self.cursor.hold();
        let nature = self.look();
        self.cursor.back();
        nature
    }

    fn look(&mut self) -> Result<Nature, FormatError> {
        let mut signs = Signs::default();
        self.cursor.step();
        if self.cursor.take_if(b'}')? {
            return Ok(Nature::Unknown);
        }
        loop {
            let Some(name) = self.name()? else { return Ok(Nature::Unknown) };
            let known = match self.cursor.peek()? {
                b'[' => signs.see(&name, Value::List),
                b'{' => signs.see(&name, Value::Object),
                _ => None,
            };
            if let Some(nature) = known {
                return Ok(nature);
            }
            let is_text = self.cursor.peek()? == b'"';
            match self.cursor.pass(if is_text { SCALAR_BYTES_MAX } else { 0 })? {
                Passed::TooFar => return Ok(Nature::Unknown),
                Passed::Kept(range) if is_text => {
                    let text = self.cursor.scalar::<String>(range).unwrap_or_default();
                    if let Some(nature) = signs.see(&name, Value::Text(&text)) {
                        return Ok(nature);
                    }
                }
                _ => {}
            }
            if self.cursor.comma_or(b'}')? {
                return Ok(signs.at_end());
            }
        }
    }

    /// The members of a package that stands in so many others.
    fn package(&mut self, depth: usize) -> Result<(), FormatError> {
        self.cursor.step();
        if self.cursor.take_if(b'}')? {
            return Ok(());
        }
        loop {
            self.member(depth)?;
            if self.cursor.comma_or(b'}')? {
                return Ok(());
            }
        }
    }

    /// Passes the name of a member and the colon; none if what is held would become too long.
    fn name(&mut self) -> Result<Option<String>, FormatError> {
        if self.cursor.peek()? != b'"' {
            return Err(self.cursor.unexpected("the name of a member in quotes"));
        }
        let name = match self.cursor.pass(self.limits.object_bytes_max)? {
            Passed::Kept(range) => self.cursor.scalar::<String>(range).unwrap_or_default(),
            Passed::TooLong | Passed::TooDeep => String::new(),
            Passed::TooFar => return Ok(None),
        };
        if self.cursor.peek()? != b':' {
            return Err(self.cursor.unexpected("`:`"));
        }
        self.cursor.step();
        Ok(Some(name))
    }

    fn member(&mut self, depth: usize) -> Result<(), FormatError> {
        let name = self.name()?.expect("nothing is held");
        let first = self.cursor.peek()?;
        if first == b'[' {
            return self.list(&name, depth);
        }
        if !(first.is_ascii_alphanumeric() || matches!(first, b'{' | b'"' | b'-')) {
            return Err(self.cursor.unexpected("a value"));
        }
        let Passed::Kept(range) = self.cursor.pass(self.limits.object_bytes_max)? else {
            self.tell(&name, Member::Unread);
            return Ok(());
        };
        match first {
            b'{' => self.tell(&name, Member::Object(&self.text(range))),
            b'"' => {
                let text = self.cursor.scalar::<String>(range)?;
                self.tell(&name, Member::Text(&text));
            }
            _ => {
                self.cursor.scalar::<serde::de::IgnoredAny>(range.clone())?;
                self.tell(&name, Member::Scalar(&self.text(range)));
            }
        }
        Ok(())
    }

    /// What was kept.
    fn text(&self, range: Range<usize>) -> String {
        String::from_utf8_lossy(self.cursor.slice(range)).into_owned()
    }

    fn tell(&mut self, name: &str, value: Member<'_>) {
        let origin = origin(self.file, self.document, &self.inside);
        self.visitor.member(name, value, &origin);
    }

    fn list(&mut self, name: &str, depth: usize) -> Result<(), FormatError> {
        self.cursor.step();
        let is_empty = self.cursor.take_if(b']')?;
        let origin = origin(self.file, self.document, &self.inside);
        let wanted = self.visitor.list(name, is_empty, &origin);
        if is_empty {
            return Ok(());
        }
        let list = match wanted {
            Wanted::Elements(list) => list,
            Wanted::Whole => {
                match self.cursor.pass_list(self.limits.object_bytes_max)? {
                    Passed::Kept(range) => {
                        let list = format!("[{}", self.text(range));
                        self.tell(name, Member::List(&list));
                    }
                    _ => self.tell(name, Member::Unread),
                }
                return Ok(());
            }
            Wanted::Nothing => {
                self.cursor.pass_list(0)?;
                return Ok(());
            }
        };
        let outside = self.is_respelled;
        self.is_respelled |= name != list;
        for index in 0.. {
            self.element(list, index, depth)?;
            if self.cursor.comma_or(b']')? {
                break;
            }
        }
        self.is_respelled = outside;
        Ok(())
    }

    /// An element, or all those of a bundle that stands in its place.
    fn element(
        &mut self,
        list: &'static str,
        index: usize,
        depth: usize,
    ) -> Result<(), FormatError> {
        let is_inner = self.cursor.peek()? == b'{' && !list.is_empty();
        self.cursor.hold();
        let mut passed = self.cursor.pass(self.limits.object_bytes_max)?;
        let may_be_bundle = match &passed {
            Passed::Kept(range) => {
                is_inner && memmem::find(self.cursor.slice(range.clone()), b"undle\"").is_some()
            }
            Passed::TooLong | Passed::TooFar | Passed::TooDeep => true,
        };
        let mut scan = Scan::default();
        if may_be_bundle {
            self.cursor.back();
            if is_inner && self.nature()? == Nature::Package {
                return self.inner(list, index, depth);
            }
            let max = self.limits.object_bytes_max;
            passed = match passed {
                Passed::Kept(_) => self.cursor.pass(max)?,
                _ => self.cursor.pass_seeing(max, |piece| scan.see(piece))?,
            };
        }
        self.cursor.let_go();
        match (passed, self.limits) {
            (Passed::Kept(raw), _) => self.hand_on(list, index, raw),
            (Passed::TooLong | Passed::TooFar, Limits { object_bytes_max: max, .. }) => {
                self.leave_out(list, index, scan, &format!("longer than {max} bytes"));
            }
            (Passed::TooDeep, Limits { depth_max: max, .. }) => {
                self.leave_out(list, index, scan, &format!("nested deeper than {max} levels"));
            }
        }
        Ok(())
    }

    /// A package in place of an element.
    fn inner(&mut self, list: &str, index: usize, depth: usize) -> Result<(), FormatError> {
        if depth == ENVELOPE_DEPTH_MAX {
            let mut scan = Scan::default();
            self.cursor.pass_seeing(0, |piece| scan.see(piece))?;
            let what = format!("a bundle in more than {ENVELOPE_DEPTH_MAX} others");
            self.leave_out(list, index, scan, &what);
            return Ok(());
        }
        let outside = self.inside.len();
        self.inside.push_str(&format!("/{list}/{index}"));
        self.package(depth + 1)?;
        self.inside.truncate(outside);
        Ok(())
    }

    fn leave_out(&mut self, list: &str, index: usize, scan: Scan, what: &str) {
        let origin = origin(self.file, self.document, &self.inside);
        let is_respelled = self.is_respelled;
        let element = Element { list, is_respelled, index, raw: b"", origin, once: None };
        self.visitor.left_out(&element, &scan.finish(), &format!("{what}; left out"));
    }

    fn hand_on(&mut self, list: &'static str, index: usize, raw: Range<usize>) {
        self.cursor.come_near(raw.start);
        let (before, start) = self.cursor.before(raw.start);
        let origin = Origin { before, start, ..origin(self.file, self.document, &self.inside) };
        let (raw, is_respelled) = (self.cursor.slice(raw), self.is_respelled);
        self.visitor.element(&Element { list, is_respelled, index, raw, origin, once: None });
    }
}

/// Where the members of an object stand.
fn origin<'a>(file: &'a Symbol, document: usize, inside: &'a str) -> Origin<'a> {
    Origin { file, document, inside, before: b"", start: Position::START }
}
