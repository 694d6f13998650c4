//! What could not be read.

use std::fmt;

/// Something that a source gave and that cannot be read. As long as it stands, nothing is taken for gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    /// The document that it stood in.
    pub document: Box<str>,
    /// A JSON pointer to it, in the document.
    pub pointer: Box<str>,
    /// Its id, as far as that can be read. Without, it stands until the document is read again.
    pub id: Option<Box<str>>,
    /// What is wrong, a fragment.
    pub what: Box<str>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { document, pointer, id, what } = self;
        let hash = if pointer.is_empty() { "" } else { "#" };
        write!(f, "{document}{hash}{pointer}")?;
        id.iter().try_for_each(|id| write!(f, " ({id})"))?;
        write!(f, ": {what}")
    }
}
