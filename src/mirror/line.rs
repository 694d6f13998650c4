//! The lines of a pack.
//!
//! A pack is text: JSON, a value a line, compressed. Behind the line of an object stand its own bytes, as many as the
//! line says, and a line break. Each `blake3` is over all bytes before it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Basis, Bookmark, SourceIdentity};
use crate::{
    format::{Format, Piece},
    model::{Digest, Timestamp, Tlp, Words as _},
};

/// The format of packs that is written.
pub(super) const FORMAT: u64 = 1;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line<'a> {
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
    /// The document broke off: nothing of it counts.
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
pub(super) struct Header {
    pub(super) format: u64,
    pub(super) source: SourceIdentity,
    pub(super) extent: Extent,
    /// Digest of the pack that it goes on from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) after: Option<Digest>,
}

impl Header {
    /// Before one was read.
    pub(super) fn none() -> Self {
        Self { format: 0, source: SourceIdentity::new(""), extent: Extent::Delta, after: None }
    }

    /// Whether all of it can be so.
    pub(super) fn is_possible(&self) -> bool {
        self.format == FORMAT && (self.extent == Extent::Delta || self.after.is_none())
    }

    /// Whether nothing before it counts.
    pub(super) fn is_first(&self) -> bool {
        self.after.is_none()
    }
}

/// The format alone, which every version can read.
#[derive(Debug, Deserialize)]
pub(super) struct AnyHeader {
    pub(super) pack: AnyFormat,
}

#[derive(Debug, Deserialize)]
pub(super) struct AnyFormat {
    pub(super) format: u64,
}

/// How much of its source a pack holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// What changed.
    Delta,
    /// What several packs held.
    Compacted(Basis),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DocumentLine<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) format: Cow<'a, str>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ObjectLine<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    /// In microseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) version: Option<i64>,
    pub(super) marking: Digest,
    #[serde(borrow)]
    pub(super) list: Cow<'a, str>,
    pub(super) index: usize,
    #[serde(borrow, skip_serializing_if = "str::is_empty", default)]
    pub(super) inside: Cow<'a, str>,
    pub(super) bytes: usize,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DamagedLine<'a> {
    #[serde(borrow)]
    pub(super) pointer: Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none", default)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) what: Cow<'a, str>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Mark<'a> {
    /// How many lines there are before it, the header and marks left out.
    pub(super) records: u64,
    #[serde(borrow)]
    pub(super) bookmark: Cow<'a, str>,
}

impl Mark<'_> {
    pub(super) fn bookmark(&self) -> Bookmark {
        Bookmark::new(&self.bookmark)
    }
}

impl ObjectLine<'_> {
    pub(super) fn version(&self) -> Option<Timestamp> {
        self.version.map(Timestamp::from_micros)
    }

    /// The object with its bytes; none if it can have stood nowhere.
    pub(super) fn piece<'p>(&'p self, raw: &'p [u8]) -> Option<Piece<'p>> {
        let list = LISTS.iter().find(|list| **list == self.list)?;
        Some(Piece { list, index: self.index, inside: &self.inside, raw })
    }
}

/// Where an object can stand.
const LISTS: [&str; 4] = ["", "entities", "entities_v2", "objects"];

/// The formats that documents have.
pub(super) fn format_of(word: &str) -> Option<Format> {
    Format::of_word(word).filter(|format| *format != Format::Auto)
}

/// A marking of a document, which is one that can be read.
pub(super) fn marked_of(word: Option<&str>) -> Option<Option<Tlp>> {
    match word {
        None => Some(None),
        Some(word) => word.parse().ok().map(Some),
    }
}
