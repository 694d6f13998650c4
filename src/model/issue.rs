//! What was wrong with a piece of input, and where.

use std::fmt;

use super::Symbol;

/// A place in the input that a person can go to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The file, or `<stdin>`.
    pub file: Symbol,
    /// Where in it.
    pub locus: Locus,
}

/// Where in a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Locus {
    /// The file as a whole.
    Whole,
    /// Line and column, both counted from 1.
    Line(usize, usize),
    /// A JSON pointer (RFC 6901).
    Pointer(Box<str>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.locus {
            Locus::Whole => self.file.fmt(f),
            Locus::Line(line, column) => write!(f, "{}:{line}:{column}", self.file),
            Locus::Pointer(pointer) => write!(f, "{}#{pointer}", self.file),
        }
    }
}

/// How bad an issue is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Something was read in a way its author may not have meant; nothing is missing.
    Warning,
    /// An object was skipped: the run is partial and retires nothing.
    Skipped,
}

/// One thing wrong with the input that did not stop the reading of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Issue {
    /// Where.
    pub place: Place,
    /// How bad.
    pub severity: Severity,
    /// What is wrong and what was done about it, a lower-case fragment.
    pub what: String,
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Warning => "warning",
            Severity::Skipped => "skipped",
        };
        write!(f, "{}: {word}: {}", self.place, self.what)
    }
}
