//! The lines of a pack.
//!
//! A pack is text: JSON, a value a line, compressed. Behind the line of an object stand its own bytes, as many as the
//! line says, and a line break. Each `blake3` is over all bytes before it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    format::{Format, Piece},
    mirror::{Basis, Bookmark, SourceIdentity},
    model::{Digest, Timestamp, Tlp, Words as _},
};

/// The format of packs that is written.
pub(in crate::mirror) const FORMAT: u64 = 1;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::mirror) enum Line<'a> {
    /// The first.
    Pack(Box<Header>),
    /// What follows comes from this document.
    #[serde(borrow)]
    Document(DocumentLine<'a>),
    #[serde(borrow)]
    Object(ObjectLine<'a>),
    /// An object that cannot be read.
    #[serde(borrow)]
    Damaged(DamagedLine<'a>),
    /// The document ends, and marks all that is in it.
    Closed {
        #[serde(borrow)]
        marked: Option<Cow<'a, str>>,
    },
    /// A text that the source calls so was read to its end, with all documents since the last such line.
    Read {
        #[serde(borrow)]
        text: Cow<'a, str>,
    },
    /// A text broke off: nothing of it counts.
    Void {},
    /// All versions of an object are gone.
    Removed {
        #[serde(borrow)]
        id: Cow<'a, str>,
    },
    /// All up to here is sound, and the source stands here.
    #[serde(borrow)]
    Checkpoint(Mark<'a>),
    /// The pack ends.
    #[serde(borrow)]
    End(Mark<'a>),
    /// Behind the first line, a checkpoint and the end.
    Blake3(Digest),
}

/// What a pack is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::mirror) struct Header {
    pub(in crate::mirror) format: u64,
    pub(in crate::mirror) source: SourceIdentity,
    pub(in crate::mirror) extent: Extent,
    /// Digest of the pack that it goes on from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(in crate::mirror) after: Option<Digest>,
}

impl Header {
    /// Before one was read.
    pub(in crate::mirror) fn none() -> Self {
        Self { format: 0, source: SourceIdentity::new(""), extent: Extent::Delta, after: None }
    }

    /// Whether all of it can be so.
    pub(in crate::mirror) fn is_possible(&self) -> bool {
        self.format == FORMAT && (self.extent == Extent::Delta || self.after.is_none())
    }

    /// Whether nothing before it counts.
    pub(in crate::mirror) fn is_first(&self) -> bool {
        self.after.is_none()
    }
}

/// The format alone, which every version can read.
#[derive(Debug, Deserialize)]
pub(in crate::mirror) struct AnyHeader {
    pub(in crate::mirror) pack: AnyFormat,
}

#[derive(Debug, Deserialize)]
pub(in crate::mirror) struct AnyFormat {
    pub(in crate::mirror) format: u64,
}

/// How much of its source a pack holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::mirror) enum Extent {
    /// All of it.
    Whole,
    /// What changed.
    Delta,
    /// What several packs held.
    Compacted(Basis),
}

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::mirror) struct DocumentLine<'a> {
    #[serde(borrow)]
    pub(in crate::mirror) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(in crate::mirror) format: Cow<'a, str>,
    /// What the source calls the text that it stands in, where that is not its name.
    #[serde(borrow, skip_serializing_if = "Option::is_none", default)]
    pub(in crate::mirror) text: Option<Cow<'a, str>>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::mirror) struct ObjectLine<'a> {
    #[serde(borrow)]
    pub(in crate::mirror) id: Cow<'a, str>,
    /// In microseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(in crate::mirror) version: Option<i64>,
    pub(in crate::mirror) marking: Digest,
    #[serde(borrow)]
    pub(in crate::mirror) list: Cow<'a, str>,
    pub(in crate::mirror) index: usize,
    #[serde(borrow, skip_serializing_if = "str::is_empty", default)]
    pub(in crate::mirror) inside: Cow<'a, str>,
    pub(in crate::mirror) bytes: usize,
}

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::mirror) struct DamagedLine<'a> {
    #[serde(borrow)]
    pub(in crate::mirror) pointer: Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none", default)]
    pub(in crate::mirror) id: Option<Cow<'a, str>>,
    /// In microseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(in crate::mirror) version: Option<i64>,
    #[serde(borrow, skip_serializing_if = "str::is_empty", default)]
    pub(in crate::mirror) list: Cow<'a, str>,
    #[serde(borrow)]
    pub(in crate::mirror) what: Cow<'a, str>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::mirror) struct Mark<'a> {
    /// How many lines there are before it, the header and marks left out.
    pub(in crate::mirror) records: u64,
    #[serde(borrow)]
    pub(in crate::mirror) bookmark: Cow<'a, str>,
}

impl Mark<'_> {
    pub(in crate::mirror) fn bookmark(&self) -> Bookmark {
        Bookmark::new(&self.bookmark)
    }
}

impl ObjectLine<'_> {
    pub(in crate::mirror) fn version(&self) -> Option<Timestamp> {
        self.version.map(Timestamp::from_micros)
    }

    /// The object with its bytes; none if it can have stood nowhere.
    pub(in crate::mirror) fn piece<'p>(&'p self, raw: &'p [u8]) -> Option<Piece<'p>> {
        let list = LISTS.iter().find(|list| **list == self.list)?;
        Some(Piece { list, index: self.index, inside: &self.inside, raw })
    }
}

/// Where an object can stand.
const LISTS: [&str; 4] = ["", "entities", "entities_v2", "objects"];

/// The formats that documents have.
pub(in crate::mirror) fn format_of(word: &str) -> Option<Format> {
    Format::of_word(word).filter(|format| *format != Format::Auto)
}

/// A marking of a document, which is one that can be read.
pub(in crate::mirror) fn marked_of(word: Option<&str>) -> Option<Option<Tlp>> {
    match word {
        None => Some(None),
        Some(word) => word.parse().ok().map(Some),
    }
}
