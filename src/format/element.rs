//! One element of a dataset's list, as raw bytes that know where they stood.

use serde::Deserialize;

use crate::{
    graph::Facts,
    model::{Issue, Locus, Place, Severity, Symbol},
};

/// Longest part of a text that an issue shows, in characters.
const SHOWN_CHARS_MAX: usize = 64;

/// Line and column of a byte, both counted from 1; columns count bytes, as `serde_json`'s do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Lines end at `\n`.
    pub(crate) line: usize,
    /// Bytes since the line began.
    pub(crate) column: usize,
}

impl Position {
    /// The first byte of a file.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// The position of the byte that follows `bytes`, of which the first stands here.
    pub(crate) fn after(self, bytes: &[u8]) -> Self {
        match memchr::memrchr(b'\n', bytes) {
            None => Self { column: self.column + bytes.len(), ..self },
            Some(last) => Self {
                line: self.line + memchr::memchr_iter(b'\n', bytes).count(),
                column: bytes.len() - last,
            },
        }
    }
}

/// Where the elements of a list come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    /// The file, or `<stdin>`.
    pub(crate) file: &'a Symbol,
    /// Which of the documents that follow one another in the file, counted from 1.
    pub(crate) document: usize,
    /// A JSON pointer to the package in the document; empty where the document is the package.
    pub(crate) inside: &'a str,
    /// Bytes of the file that stand right before the element.
    pub(crate) before: &'a [u8],
    /// Where `before` starts.
    pub(crate) start: Position,
}

/// One element of a top-level list of a dataset: its bytes are balanced, but perhaps not valid JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    /// Name of the list, such as `entities`; empty for an object that stands alone.
    pub(crate) list: &'a str,
    /// Whether that name, or the one of a list around it, is written in other letters.
    pub(crate) is_respelled: bool,
    /// Which element of the list, counted from 0.
    pub(crate) index: usize,
    /// The element's bytes, without white space around them.
    pub(crate) raw: &'a [u8],
    /// Where it stood.
    pub(crate) origin: Origin<'a>,
    /// The element with each key once, where one stands in it twice.
    pub(crate) once: Option<&'a [u8]>,
}

impl Origin<'_> {
    /// The place of something in the document, by a JSON pointer that starts at its package, such as
    /// `/entities/17`.
    pub(crate) fn place(&self, within: &str) -> Place {
        let file = match self.document {
            0 | 1 => self.file.clone(),
            number => Symbol::new(&format!("{} (document {number})", self.file)),
        };
        let locus = match format!("{}{within}", self.inside) {
            pointer if pointer.is_empty() => Locus::Whole,
            pointer => Locus::Pointer(pointer.into()),
        };
        Place { file, locus }
    }
}

impl<'a> Element<'a> {
    /// Deserialises the element. Where that fails, the element is reported as skipped.
    pub(crate) fn parse<T: Deserialize<'a>>(&self, facts: &mut Facts) -> Option<T> {
        self.read().map_err(|issue| facts.report(issue)).ok()
    }

    /// Deserialises the element with each key once. Where that fails, the issue says that it is skipped.
    pub(crate) fn read_once<T: Deserialize<'a>>(&self) -> Result<T, Issue> {
        Self { raw: self.once.unwrap_or(self.raw), ..*self }.read()
    }

    fn read<T: Deserialize<'a>>(&self) -> Result<T, Issue> {
        let (position, why) = match std::str::from_utf8(self.raw) {
            Ok(text) => match serde_json::from_str(text) {
                Ok(value) => return Ok(value),
                Err(error) => (self.position_of(&error), misread(text, &error)),
            },
            Err(error) => {
                let valid = self.raw.get(..error.valid_up_to()).unwrap_or_default();
                (self.position().after(valid), "the text is not UTF-8".to_owned())
            }
        };
        let Position { line, column } = position;
        Err(self.skipped(format!(
            "cannot be read as an object (line {line}, column {column}: {why}); left out"
        )))
    }

    /// The place of the element, a JSON pointer such as `/entities/17`.
    pub(crate) fn place(&self) -> Place {
        self.place_of("")
    }

    /// The place of something inside the element, by a JSON pointer that starts there, such as
    /// `/extracts/3`.
    pub(crate) fn place_of(&self, inside: &str) -> Place {
        match self.list {
            "" => self.origin.place(inside),
            list => self.origin.place(&format!("/{list}/{}{inside}", self.index)),
        }
    }

    /// An issue that says that the whole element was left out.
    pub(crate) fn skipped(&self, what: impl Into<String>) -> Issue {
        Issue { place: self.place(), severity: Severity::Skipped, what: what.into() }
    }

    /// An issue about something inside the element that was read in another way than it stands there.
    pub(crate) fn warning(&self, inside: &str, what: impl Into<String>) -> Issue {
        Issue { place: self.place_of(inside), severity: Severity::Warning, what: what.into() }
    }

    fn position(&self) -> Position {
        self.origin.start.after(self.origin.before)
    }

    /// Where in the file an error of this element is: `serde_json` counts from the element's start.
    fn position_of(&self, error: &serde_json::Error) -> Position {
        let start = self.position();
        match error.line() {
            0 | 1 => Position { column: start.column + error.column().saturating_sub(1), ..start },
            line => Position { line: start.line + line - 1, column: error.column().max(1) },
        }
    }
}

/// The beginning of a text that others made, for an issue.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

/// Why a text was not read as an object. What a decoder says of JSON of another shape names our own types, and is told to
/// nobody.
fn misread(text: &str, error: &serde_json::Error) -> String {
    if !error.is_data() {
        return reason(error);
    }
    let what = match text.trim_start().bytes().next() {
        Some(b'{') => "it is of another shape from there on",
        Some(b'[') => "it is a list",
        Some(b'"') => "it is a text",
        Some(b'n') => "it is null",
        Some(b't' | b'f') => "it is true or false",
        _ => "it is a number",
    };
    what.to_owned()
}

/// What `serde_json` says, without the position it appends.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let what = text.strip_suffix(&position).unwrap_or(&text);
    what.replace("expected ident", "neither true, false nor null")
}

#[cfg(test)]
impl<'a> Element<'a> {
    /// An element alone, for tests of decoders.
    pub(crate) fn alone(list: &'a str, raw: &'a str, file: &'a Symbol) -> Self {
        let origin = Origin { file, document: 1, inside: "", before: b"", start: Position::START };
        Self { list, is_respelled: false, index: 0, raw: raw.as_bytes(), origin, once: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_bytes() {
        let at = |text: &str| Position::START.after(text.as_bytes());
        assert_eq!(at(""), Position::START);
        assert_eq!(at("ab"), Position { line: 1, column: 3 });
        assert_eq!(at("a\nbc\n"), Position { line: 3, column: 1 });
        assert_eq!(at("a\nbc"), Position { line: 2, column: 3 });
        assert_eq!(at("a\nb").after(b"c"), at("a\nbc"));
    }

    #[test]
    fn a_broken_element_is_reported_with_its_place_in_the_file() {
        let (file, mut facts) = (Symbol::new("day.json"), Facts::default());
        let raw = "{\"a\":\n 01}";
        let mut element = Element::alone("entities", raw, &file);
        element.origin.before = b"{\"entities\":\n  [";
        element.origin.inside = "/2";
        element.origin.document = 3;
        assert_eq!(element.parse::<std::collections::BTreeMap<String, u8>>(&mut facts), None);
        assert_eq!(
            facts.issues[0].to_string(),
            "day.json (document 3)#/2/entities/0: skipped: cannot be read as an object \
             (line 3, column 3: invalid number); left out"
        );
        assert_eq!(facts.skipped, 1);
    }

    #[test]
    fn what_is_no_object_is_told_in_no_words_of_a_decoder() {
        type Object = std::collections::BTreeMap<String, u8>;
        for (raw, what) in [
            ("\"x\"", "it is a text"),
            ("null", "it is null"),
            ("true", "it is true or false"),
            ("-1.5", "it is a number"),
            ("[{}]", "it is a list"),
            ("{\"a\": \"x\"}", "it is of another shape from there on"),
        ] {
            let (file, mut facts) = (Symbol::new("day.json"), Facts::default());
            assert_eq!(Element::alone("entities", raw, &file).parse::<Object>(&mut facts), None);
            let told = facts.issues[0].to_string();
            assert!(told.contains(&format!(": {what}); left out")), "{told}");
            let words = ["invalid", "expected", "struct"];
            assert!(words.iter().all(|word| !told.contains(word)), "{told}");
        }
    }
}
