//! Takes the objects of documents out of them, to be kept one by one, and says by what each is known.

pub(super) mod lost;

use std::io::Read;

use super::{
    Format, FormatError,
    decoding::{Decoding, format_of},
    eiq,
    element::Element,
    mend,
    route::{End, Router, Sink},
    splitter::{Limits, split},
    stix,
    twice::Once,
};
use crate::model::{
    Context, Digest, Encoder, EntityKey, Issue, Locus, Place, Severity, Symbol, Timestamp, Tlp,
    limits::ISSUES_KEPT_MAX,
};
use lost::{Found, Lost, lost};

/// An object as it stood in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The list: `entities`, `entities_v2` or `objects`; empty for an object that stood alone.
    pub list: &'a str,
    /// Its place in the list, from 0.
    pub index: usize,
    /// A JSON pointer to what has the list, empty where the document does.
    pub inside: &'a str,
    /// Its bytes.
    pub raw: &'a [u8],
}

/// By what an object is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The id that the source gave it, in the form in which [`name_of`] gives it. EclecticIQ's own, of a version of an
    /// entity, where there is one. An object without any is known by its bytes.
    pub id: Box<str>,
    /// The time of this version: STIX `modified`, else `created`; EclecticIQ's `data.timestamp`.
    pub version: Option<Timestamp>,
    /// What marks it.
    pub marking: Digest,
}

/// Something that should be an object and cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable<'a> {
    /// A JSON pointer to it; empty for the document.
    pub pointer: &'a str,
    /// The list, as in a [`Piece`].
    pub list: &'a str,
    /// All that it may be, as far as that can be read.
    pub ids: &'a [EntityKey],
    /// The time of its version, as far as that can be read.
    pub version: Option<Timestamp>,
    /// What is wrong, a fragment.
    pub what: &'a str,
}

/// What the objects of documents are handed to.
pub trait Taker {
    /// A document begins: its name for people, and its format.
    fn document(&mut self, name: &Symbol, format: Format);

    /// An object of this document.
    fn object(&mut self, piece: &Piece<'_>, identity: &Identity);

    /// Something that should be an object of this document and cannot be read.
    fn damaged(&mut self, unreadable: &Unreadable<'_>);

    /// The document ends, and says that all in it is marked. An object that stands alone has no end.
    fn closed(&mut self, marked: Option<Tlp>);
}

/// What documents say of more that is elsewhere.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pages {
    /// One of them is a page, and what is not in it may be on another.
    pub is_page: bool,
    /// `next` of the last TAXII envelope.
    pub next: Option<String>,
    /// What else a person should know of them, the first [`ISSUES_KEPT_MAX`].
    pub warnings: Vec<Issue>,
}

/// Reads documents from a stream to its end, as [`decode`](super::decode) does, and hands their objects on.
/// Placeholders for entities that are elsewhere are left out.
///
/// # Errors
/// As [`decode`](super::decode).
pub fn take_apart(
    input: impl Read,
    file: &Symbol,
    format: Format,
    taker: &mut impl Taker,
) -> Result<Pages, FormatError> {
    let sink = Handing { taker, began: false, pages: Pages::default() };
    let mut router = Router::new(file, format, sink);
    split(input, file, Limits::PRODUCT, &mut router)?;
    Ok(router.into_sink().pages)
}

/// The form of an id in which an object of a format is known by it.
#[must_use]
pub fn name_of(id: &str, format: Format) -> Box<str> {
    match format {
        Format::Stix21 => EntityKey::whole(id),
        Format::EclecticIq | Format::Auto => eiq::key(id),
    }
    .as_str()
    .into()
}

/// What an element is.
enum Named {
    Object(Identity),
    /// It stands for an entity that is elsewhere.
    Placeholder,
    Damaged {
        lost: Lost,
        what: String,
    },
}

fn name(written: &Element<'_>, found: Format) -> Named {
    let mended = mend::mend(written.raw);
    let raw = mended.as_ref().map_or(written.raw, |mended| &mended.text);
    let own = |raw: &[u8]| match format_of(written, found) {
        Format::Stix21 => stix::own_id(raw),
        Format::EclecticIq | Format::Auto => eiq::own_id(raw),
    };
    let own = own(raw).or_else(|| own(Once::each(raw)?.last()));
    let own = match own {
        Some(OwnId::Placeholder) => return Named::Placeholder,
        Some(OwnId::Of { id, version }) => Some((id, version)),
        None => None,
    };
    let mut alone = Decoding::new();
    alone.element(written, found);
    let skipped = alone.facts.issues.iter().find(|issue| issue.severity == Severity::Skipped);
    let is_lost = alone.facts.entities.is_empty() && alone.facts.relations.is_empty();
    let (id, version) = own.unwrap_or_default();
    if let Some(issue) = skipped.filter(|_| is_lost) {
        return Named::Damaged {
            lost: lost(raw, format_of(written, found)),
            what: issue.what.clone(),
        };
    }
    let id = match id {
        Some(id) => id.as_str().into(),
        None => Encoder::new(Context::Copy).raw(raw).finish().to_string().into(),
    };
    Named::Object(Identity { id, version, marking: alone.facts.marking_digest() })
}

/// What an object says of itself.
pub(super) enum OwnId {
    /// It stands for an entity that is elsewhere.
    Placeholder,
    /// Its id, if it has one, and the time of its version.
    Of { id: Option<EntityKey>, version: Option<Timestamp> },
}

/// Hands elements on.
struct Handing<'t, T> {
    taker: &'t mut T,
    /// The taker was told that this document began.
    began: bool,
    pages: Pages,
}

impl<T: Taker> Handing<'_, T> {
    fn announce(&mut self, place: &Place, found: Format) {
        if !self.began {
            self.began = true;
            self.taker.document(&place.file, found);
        }
    }

    fn damaged(&mut self, Lost { ids, version, .. }: &Lost, pointer: &str, list: &str, what: &str) {
        self.taker.damaged(&Unreadable { pointer, list, ids, version: *version, what });
    }
}

impl<T: Taker> Sink for Handing<'_, T> {
    fn begin(&mut self) {
        self.began = false;
    }

    fn element(&mut self, element: &Element<'_>, found: Format) {
        let place = element.place();
        self.announce(&place, found);
        match name(element, found) {
            Named::Object(identity) => {
                let Element { list, index, raw, origin, .. } = *element;
                let piece = Piece { list, index, inside: origin.inside, raw };
                self.taker.object(&piece, &identity);
            }
            Named::Placeholder => {}
            Named::Damaged { lost, what } => {
                self.damaged(&lost, pointer(&place.locus), element.list, &what);
            }
        }
    }

    fn report(&mut self, issue: Issue, _: Format) {
        if self.pages.warnings.len() < ISSUES_KEPT_MAX {
            self.pages.warnings.push(issue);
        }
    }

    fn left_out(&mut self, issue: Issue, list: &str, lost: &Found, found: Format) {
        self.announce(&issue.place, found);
        self.damaged(&lost.lost(found), pointer(&issue.place.locus), list, &issue.what);
    }

    fn end(&mut self, _: Format, end: End) {
        if self.began {
            self.taker.closed(end.marked);
        }
        self.pages.is_page |= end.is_page;
        self.pages.next = end.next;
    }
}

fn pointer(locus: &Locus) -> &str {
    match locus {
        Locus::Pointer(pointer) => pointer,
        Locus::Whole | Locus::Line(..) => "",
    }
}
