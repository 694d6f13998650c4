//! What could not be read.

use std::fmt;

use crate::model::Timestamp;

/// Something that a source gave and that cannot be read. As long as it stands, nothing is taken for gone.
///
/// It stands until that very version of the object comes, or a newer one, or the source says that the object is gone.
/// Where id or version cannot be read, nobody can say whether a version is that one: then it stands until its text is
/// read again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    /// What the source called the text that it stood in: the name in [`Pack::document`](super::Pack::document).
    pub text: Box<str>,
    /// The document in that text, for people.
    pub document: Box<str>,
    /// A JSON pointer to it, in the document.
    pub pointer: Box<str>,
    /// The list that it stood in, as in a [`Piece`](crate::format::Piece).
    pub list: Box<str>,
    /// Its id, or one of those that may be its id, as far as that can be read.
    pub id: Option<Box<str>>,
    /// The time of its version, as far as that can be read.
    pub version: Option<Timestamp>,
    /// What is wrong.
    pub what: Wrong,
}

/// What is wrong with something that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// With one object: a fragment.
    One(Box<str>),
    /// It stands for all objects of a text that are not kept one by one. Nobody knows which they are.
    Many,
}

/// How packs say [`Wrong::Many`], among the fragments.
const MORE: &str = "more of it cannot be read";

impl Wrong {
    /// What a pack says.
    pub(super) fn of(text: &str) -> Self {
        if text == MORE { Self::Many } else { Self::One(text.into()) }
    }

    /// As packs say it, and people are told.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::One(what) => what,
            Self::Many => MORE,
        }
    }
}

impl Damage {
    /// Whether it is of the same object, which may be one or the other.
    pub(super) fn is_of_the_same(&self, other: &Self) -> bool {
        let both = self.id.is_some() && other.id.is_some();
        both && self == &Self { id: self.id.clone(), ..other.clone() }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { document, pointer, id, what, .. } = self;
        let hash = if pointer.is_empty() { "" } else { "#" };
        write!(f, "{document}{hash}{pointer}")?;
        id.iter().try_for_each(|id| write!(f, " ({id})"))?;
        write!(f, ": {}", what.text())
    }
}
