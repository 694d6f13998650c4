//! Makes a dataset of objects that were kept apart from their documents: the same that a reading of those documents
//! makes, as both go the same way.

use std::collections::BTreeMap;

use super::{
    Format,
    apart::{Piece, Unreadable, lost::Lost},
    decoding::Decoding,
    element::{Element, Origin, Position},
    route::{End, Sink},
};
use crate::{
    graph::Facts,
    model::{Issue, Locus, Place, Severity, Symbol, Tlp},
};

/// A dataset that is being put together.
pub struct Assembly {
    decoding: Decoding,
    document: Symbol,
    format: Format,
    /// What is known of earlier copies of objects that are still to come.
    copies: BTreeMap<u64, Vec<Facts>>,
}

impl Assembly {
    /// A dataset of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            decoding: Decoding::new(),
            document: Symbol::new(""),
            format: Format::Auto,
            copies: BTreeMap::new(),
        }
    }

    /// The objects that follow come from this document, of this format.
    pub fn document(&mut self, name: &str, format: Format) {
        (self.document, self.format) = (Symbol::new(name), format);
        self.decoding.begin();
    }

    /// Takes the markings of an object that another copy takes the place of: that which comes with the number `by`.
    /// `marked` is what all of its document was marked with.
    pub fn copy(&mut self, piece: &Piece<'_>, by: u64, marked: Option<Tlp>) {
        let mut alone = Decoding::new();
        alone.element(&element(piece, &self.document), self.format);
        if let Some(tlp) = marked {
            alone.mark(tlp);
        }
        self.copies.entry(by).or_default().push(alone.facts);
    }

    /// Takes an object of this document.
    pub fn object(&mut self, piece: &Piece<'_>, number: u64) {
        let begins = self.decoding.count();
        self.decoding.element(&element(piece, &self.document), self.format);
        for copy in self.copies.remove(&number).unwrap_or_default() {
            self.decoding.heed_copy(copy, begins);
        }
    }

    /// The document ends, all of which was marked so.
    pub fn close(&mut self, marked: Option<Tlp>) {
        self.decoding.end(self.format, End { marked, ..End::default() });
    }

    /// Something that should have been an object of a document and could not be read.
    pub fn damaged(&mut self, document: &str, unreadable: &Unreadable<'_>) {
        let Unreadable { pointer, ids, version, what, .. } = *unreadable;
        self.decoding.lose(&Lost { ids: ids.to_vec(), version, until: None });
        let locus = match pointer {
            "" => Locus::Whole,
            pointer => Locus::Pointer(pointer.into()),
        };
        let place = Place { file: Symbol::new(document), locus };
        self.decoding.facts.report(Issue {
            place,
            severity: Severity::Skipped,
            what: what.to_owned(),
        });
    }

    /// More of a document could not be read than is known one by one: it may be a version of anything.
    pub fn doubt(&mut self, document: &str) {
        self.decoding.mark_all(Tlp::Red);
        let place = Place { file: Symbol::new(document), locus: Locus::Whole };
        let what = "so much of it cannot be read that nobody can say what that is; all is taken as TLP red";
        let (severity, what) = (Severity::Warning, what.to_owned());
        self.decoding.facts.report(Issue { place, severity, what });
    }

    /// The dataset.
    #[must_use]
    pub fn finish(self) -> Facts {
        self.decoding.finish()
    }
}

impl Default for Assembly {
    fn default() -> Self {
        Self::new()
    }
}

fn element<'a>(piece: &Piece<'a>, file: &'a Symbol) -> Element<'a> {
    let Piece { list, index, inside, raw } = *piece;
    let origin = Origin { file, document: 1, inside, before: b"", start: Position::START };
    Element { list, is_respelled: false, index, raw, origin, once: None }
}
