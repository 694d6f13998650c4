//! Bytes ↔ facts: EclecticIQ JSON packages and STIX 2.1 bundles.
//!
//! A dataset is never held as a tree. The splitter cuts the elements of its top-level lists out of the
//! stream, one at a time, and the [`Decoder`] of the format turns each into facts. A damaged element is
//! reported and left out; a document that is not JSON, or breaks off, is an error.

mod element;
mod stix;

use crate::graph::Facts;
use element::Element;

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

/// Turns the elements of a format's top-level lists into facts.
pub(crate) trait Decoder {
    /// One element of a top-level list: `entities` and `entities_v2`, or `objects`.
    fn element(&mut self, element: &Element<'_>, facts: &mut Facts);

    /// The end of the source: facts that need all elements are made here.
    fn finish(self, facts: &mut Facts);
}
