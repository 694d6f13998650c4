//! Bytes ↔ facts: EclecticIQ JSON packages and STIX 2.1 bundles.
//!
//! A dataset is never held as a tree. The splitter cuts the elements of its top-level lists out of the
//! stream, one at a time, and the `Decoder` of the format turns each into facts. A damaged element is
//! reported and left out; a document that is not JSON, or breaks off, is an error.

mod apart;
mod assembly;
mod decoding;
mod eiq;
mod element;
mod leaves;
mod mend;
mod route;
mod scalar;
mod spelling;
mod splitter;
mod stix;
mod suspicion;
#[cfg(test)]
mod tests;
mod twice;
mod versions;

use std::{
    collections::BTreeSet,
    fmt,
    io::{self, Read},
};

use crate::{
    graph::Facts,
    model::{Fault, Issue, Place, Symbol, Words},
};
use apart::lost::Lost;
pub use apart::{Identity, Pages, Piece, Taker, Unreadable, name_of, take_apart};
pub use assembly::Assembly;
use decoding::Decoding;
use element::Element;
pub use stix::pattern;
use versions::Versions;

/// Which format a source is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// Found out from the top-level members of each document.
    #[default]
    Auto,
    /// EclecticIQ JSON, `urn:eclecticiq.com:json:1.0` and `:2.0`.
    EclecticIq,
    /// A STIX 2.1 bundle or TAXII 2.1 envelope.
    Stix21,
}

/// Why a source cannot be read as a dataset.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// It is not JSON, or breaks off.
    NotJson {
        /// Line and column.
        place: Place,
        /// What is wrong there and what to do about it.
        what: String,
    },
    /// It is JSON, but no dataset of the wanted format.
    Unrecognised {
        /// The file.
        file: Symbol,
        /// What it was read as.
        wanted: Format,
        /// The first top-level members that it has, in words.
        members: String,
    },
    /// It is what a TAXII server answers that has no dataset to give.
    TaxiiError {
        /// The file.
        file: Symbol,
    },
    /// It is what EclecticIQ's API answers.
    ApiPage {
        /// The file.
        file: Symbol,
    },
    /// It is what a MISP exports.
    Misp {
        /// The file.
        file: Symbol,
        /// The member that says so.
        member: String,
    },
    /// Reading it failed.
    Unreadable {
        /// The file.
        file: Symbol,
        /// What the reader said.
        #[source]
        error: io::Error,
    },
}

impl FormatError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::NotJson { place, what } => Fault::of_message(what).at(place),
            Self::Unrecognised { file, wanted, members } => Fault::new(
                format!("this is {}: it has {members}", wanted.missed()),
                "check the path and the `format` setting",
            )
            .at(file),
            Self::TaxiiError { file } => Fault::new(
                "this is an error that a TAXII server gave in place of objects",
                "read in the file what it says, and fetch the objects again",
            )
            .at(file),
            Self::ApiPage { file } => Fault::new(
                "this is a page of EclecticIQ's API (`data`), which shows entities without their relations and \
                 observables",
                "let an outgoing feed of the platform write EclecticIQ JSON and read that",
            )
            .at(file),
            Self::Misp { file, member } => Fault::new(
                format!(
                    "this is MISP's own JSON (`{member}`), and misp-trickle carries EclecticIQ JSON and STIX 2"
                ),
                "a MISP takes it itself: import it there, or add it there as a feed",
            )
            .at(file),
            Self::Unreadable { file, error } => {
                Fault::new(format!("cannot be read: {error}"), "fetch or export it again").at(file)
            }
        }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

impl Words for Format {
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("eclecticiq", Self::EclecticIq), ("stix21", Self::Stix21)];
}

impl Format {
    /// What it is called.
    const fn name(self) -> &'static str {
        match self {
            Self::Auto => "an unknown format",
            Self::EclecticIq => "EclecticIQ JSON",
            Self::Stix21 => "STIX 2",
        }
    }

    /// What a document is that is not of the format.
    const fn missed(self) -> &'static str {
        match self {
            Self::Auto => {
                "neither an EclecticIQ JSON package (`entities`) nor a STIX 2.1 bundle (`objects`)"
            }
            Self::EclecticIq => "not an EclecticIQ JSON package (`entities`)",
            Self::Stix21 => "not a STIX 2.1 bundle (`objects`)",
        }
    }
}

/// Turns the elements of a format's top-level lists into facts.
pub(crate) trait Decoder {
    /// One element of a top-level list: `entities` and `entities_v2`, or `objects`. The issue, where it is no object that
    /// can be read.
    fn read(&mut self, element: &Element<'_>, facts: &mut Facts) -> Result<(), Issue>;

    /// Of which versions of objects relations are.
    fn versions(&mut self) -> &mut Versions;

    /// Something was left out: an older version of what it may be may be there that is marked freer.
    fn lose(&mut self, lost: &Lost, facts: &mut Facts) {
        self.versions().lose(lost);
        facts.markings.lose(&lost.ids, lost.version, lost.until);
    }

    /// The end of the source: facts that need all elements are made here.
    fn finish(self, facts: &mut Facts);
}

/// Every kind of observable that is known. Two sorts of kinds are not among them, for the data names them:
/// EclecticIQ's of tomorrow, and `…-pattern` of a language that nobody knows.
#[must_use]
pub fn kinds() -> BTreeSet<String> {
    let eclecticiq = eiq::kinds::KINDS.iter().map(|kind| (*kind).to_owned());
    eclecticiq.chain(stix::kinds()).collect()
}

/// Reads a dataset from a stream to its end. `file` names it in issues and errors.
///
/// The stream may hold several documents one after the other, or a list of packages. What is wrong with
/// single objects is among the facts' issues.
///
/// # Errors
/// If the stream cannot be read, is not JSON, breaks off, or is no dataset of the format.
pub fn decode(input: impl Read, file: &Symbol, format: Format) -> Result<Facts, FormatError> {
    let mut router = route::Router::new(file, format, Decoding::new());
    splitter::split(input, file, splitter::Limits::PRODUCT, &mut router)?;
    Ok(router.into_sink().finish())
}
