//! Finds out the format of each document and leads its elements to where they are read or kept.

mod whole;

use super::{
    Format, FormatError,
    apart::lost::{Found, Scan},
    decoding::format_of,
    element::{Element, Origin, shown},
    splitter::{Member, Visitor, Wanted},
};
use crate::model::{Issue, Severity, Symbol, Tlp};

/// Most names of top-level members that an error shows.
const NAMES_SHOWN_MAX: usize = 8;
/// Longest part of such a name that is shown, in characters.
const NAME_CHARS_MAX: usize = 40;

/// Top-level members of what MISP itself exports.
const MISP_NAMES: [&str; 4] = ["Event", "response", "Attribute", "EventReport"];
/// Top-level members of the error message of TAXII 2.1, beside its `title`.
const TAXII_ERROR: [&str; 3] = ["error_code", "http_status", "error_id"];
/// Said of a page.
const PAGE: &str = "this is one page of several; what is on the others is not here, so nothing is retired: \
                    fetch them all and put their objects into one bundle";

/// Said of a member.
const UNREAD: &str = "too long or nested too deep to be looked at for markings, so all in the document is taken as TLP red";

/// Lists beside `entities` that hold relations elsewhere, and are not read.
const ASIDE: [&str; 2] = ["relations", "relationships"];

/// The lists that hold a dataset, and the format each belongs to.
pub(super) const LISTS: [(&str, Format); 3] = [
    ("entities", Format::EclecticIq),
    ("entities_v2", Format::EclecticIq),
    ("objects", Format::Stix21),
];

/// Where the pieces of a file are led to.
pub(super) trait Sink {
    /// A document begins.
    fn begin(&mut self);

    /// An element of a document of this format.
    fn element(&mut self, element: &Element<'_>, found: Format);

    /// Something that a person should know of a document, of this format as far as is known.
    fn report(&mut self, issue: Issue, found: Format);

    /// Something that should have been an element of a document of this format, and what was found in it.
    fn left_out(&mut self, issue: Issue, list: &str, lost: &Found, found: Format);

    /// A document of this format ends; an object that stands alone has no end.
    fn end(&mut self, found: Format, end: End);
}

/// What a document says of itself.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct End {
    /// The marking of all that is in it.
    pub(super) marked: Option<Tlp>,
    /// What is not in it may be elsewhere.
    pub(super) is_page: bool,
    /// How a TAXII server names the page after it.
    pub(super) next: Option<String>,
}

/// Leads the pieces of one file to a sink.
pub(super) struct Router<'a, S> {
    file: &'a Symbol,
    /// What the user said.
    wanted: Format,
    /// What this document is, as far as is known; `Auto` while nothing is.
    found: Format,
    /// The first names of this document's top-level members.
    names: Vec<String>,
    /// What this document says of more that is elsewhere: `more` and `next` of a TAXII envelope.
    more: Option<bool>,
    next: Option<String>,
    /// Lists of relations that this document has beside its entities.
    aside: Vec<&'static str>,
    /// Whether it says that it is what extensions of EclecticIQ make.
    of_extension: bool,
    /// Whether it has a list of what EclecticIQ's API answers.
    of_api: bool,
    /// What this document says of its own marking, which no format has, and the member that says it.
    marked: Option<(Tlp, String)>,
    sink: S,
}

impl<'a, S: Sink> Router<'a, S> {
    pub(super) fn new(file: &'a Symbol, wanted: Format, sink: S) -> Self {
        Self {
            file,
            wanted,
            found: Format::Auto,
            names: Vec::new(),
            more: None,
            next: None,
            aside: Vec::new(),
            of_extension: false,
            of_api: false,
            marked: None,
            sink,
        }
    }

    /// Where all that the file holds went.
    pub(super) fn into_sink(self) -> S {
        self.sink
    }

    fn note(&mut self, name: &str) {
        if self.names.len() < NAMES_SHOWN_MAX {
            self.names.push(name.chars().take(NAME_CHARS_MAX).collect());
        }
    }

    /// Takes a sign of a format, unless the user says another; whether it holds. Both may be in a document.
    fn sign(&mut self, format: Format) -> bool {
        if self.wanted != Format::Auto && self.wanted != format {
            return false;
        }
        if self.found == Format::Auto {
            self.found = format;
        }
        true
    }

    fn warn(&mut self, origin: &Origin<'_>, within: &str, what: &str) {
        let (place, what) = (origin.place(within), what.to_owned());
        self.sink.report(Issue { place, severity: Severity::Warning, what }, self.found);
    }

    /// Says that relations stand where none is read: nothing else tells why what they link is in no event.
    fn tell_aside(&mut self, origin: &Origin<'_>) {
        let what = match self.of_extension {
            true => {
                "the JSON of extensions (`type: linked-entities`) has relations by place in a list; not read: \
                 let the platform write EclecticIQ JSON"
            }
            false => {
                "relations beside `entities` are not read; EclecticIQ JSON has them among the entities"
            }
        };
        for list in std::mem::take(&mut self.aside) {
            self.warn(origin, &format!("/{list}"), what);
        }
    }

    /// What marks all of a document that is marked itself: it makes what it holds as strict, and nothing marked.
    fn take_marking(&mut self, origin: &Origin<'_>) -> Option<Tlp> {
        let (tlp, member) = self.marked.take()?;
        let what = format!(
            "by this member the whole document is marked, which no format has; all in it is taken as TLP {tlp} or stricter; \
             where it means something else, let its producer leave it out"
        );
        self.warn(origin, &format!("/{}", shown(&member)), &what);
        Some(tlp)
    }

    /// What a document is that holds no dataset.
    fn unrecognised(&self) -> FormatError {
        let of_misp = |name: &&String| {
            // The manifest of a MISP feed lists its events by UUID.
            MISP_NAMES.contains(&name.as_str()) || uuid::Uuid::try_parse(name).is_ok()
        };
        if let Some(name) = self.names.iter().find(of_misp) {
            return FormatError::Misp { file: self.file.clone(), member: name.clone() };
        }
        let has = |member: &&str| self.names.iter().any(|name| name == member);
        if has(&"title") && TAXII_ERROR.iter().any(has) {
            return FormatError::TaxiiError { file: self.file.clone() };
        }
        if self.of_api {
            return FormatError::ApiPage { file: self.file.clone() };
        }
        let members = match self.names.join("`, `") {
            names if names.is_empty() => "no members".to_owned(),
            names => format!("the members `{names}`"),
        };
        FormatError::Unrecognised { file: self.file.clone(), wanted: self.wanted, members }
    }
}

impl<S: Sink> Visitor for Router<'_, S> {
    fn begin(&mut self) {
        self.found = Format::Auto;
        self.names.clear();
        (self.more, self.next) = (None, None);
        (self.aside, self.of_extension, self.of_api) = (Vec::new(), false, false);
        self.marked = None;
        self.sink.begin();
    }

    fn alone(&mut self, list: &'static str) -> bool {
        self.begin();
        LISTS.iter().any(|(name, format)| *name == list && self.sign(*format))
    }

    fn member(&mut self, name: &str, value: Member<'_>, origin: &Origin<'_>) {
        if !matches!(value, Member::List(_)) {
            self.note(name);
        }
        let is_of_format = LISTS.iter().map(|(list, _)| list).chain(&ASIDE).any(|it| *it == name);
        if !is_of_format {
            if value == Member::Unread {
                self.warn(origin, &format!("/{name}"), UNREAD);
            }
            if let Some(tlp) = whole::marking(name, value)
                && self.marked.as_ref().is_none_or(|(known, _)| *known < tlp)
            {
                self.marked = Some((tlp, name.to_owned()));
            }
        }
        match (name, value) {
            ("more", Member::Scalar(said) | Member::Text(said)) => {
                self.more = Some(said.eq_ignore_ascii_case("true"));
            }
            ("next", Member::Scalar(said) | Member::Text(said)) => {
                self.next =
                    Some(said.to_owned()).filter(|it| !matches!(&**it, "" | "null" | "false"));
            }
            ("content-type", Member::Text(text))
                if text.starts_with("urn:eclecticiq.com:json:") =>
            {
                self.sign(Format::EclecticIq);
            }
            ("type", Member::Text(text)) if text.eq_ignore_ascii_case("bundle") => {
                self.sign(Format::Stix21);
            }
            ("type", Member::Text(text)) if text.eq_ignore_ascii_case("linked-entities") => {
                self.of_extension = true;
            }
            (_, Member::Scalar(_) | Member::List(_)) => {}
            _ if LISTS.iter().any(|(list, format)| *list == name && self.sign(*format)) => {
                let place = origin.place(&format!("/{name}"));
                let what = "should be a list and is none; left out".to_owned();
                let issue = Issue { place, severity: Severity::Skipped, what };
                let mut scan = Scan::default();
                if let Member::Object(raw) | Member::Text(raw) = value {
                    scan.see(raw.as_bytes());
                }
                self.sink.left_out(issue, name, &scan.finish(), self.found);
            }
            _ => {}
        }
    }

    fn list(&mut self, name: &str, is_empty: bool, origin: &Origin<'_>) -> Wanted {
        self.note(name);
        let aside = ASIDE.iter().find(|aside| **aside == name && !is_empty);
        self.aside.extend(aside);
        self.of_api |= name == "data";
        let known = LISTS.iter().find(|(list, _)| list.eq_ignore_ascii_case(name));
        let Some((list, format)) = known else {
            return if aside.is_some() { Wanted::Nothing } else { Wanted::Whole };
        };
        if self.sign(*format) {
            return Wanted::Elements(list);
        }
        if !is_empty {
            let what = "this list is of another format than the `format` setting says; not read: set \
                        `format = \"auto\"` to read both";
            self.warn(origin, &format!("/{name}"), what);
        }
        Wanted::Nothing
    }

    fn element(&mut self, element: &Element<'_>) {
        self.sink.element(element, self.found);
    }

    fn left_out(&mut self, element: &Element<'_>, found: &Found, what: &str) {
        let format = match format_of(element, self.found) {
            // Nothing sound came before it.
            Format::Auto if self.wanted != Format::Auto => self.wanted,
            Format::Auto if found.has_id_of_stix() => Format::Stix21,
            format => format,
        };
        self.sink.left_out(element.skipped(what), element.list, found, format);
    }

    fn end(&mut self, origin: &Origin<'_>) -> Result<(), FormatError> {
        if self.found == Format::EclecticIq {
            self.tell_aside(origin);
        }
        let marked = self.take_marking(origin);
        let is_page = self.more.unwrap_or(self.next.is_some());
        // A TAXII server with nothing to give may answer with an empty envelope, or one that says so: on this page, or at all.
        let is_envelope = self.wanted == Format::Stix21
            && self.names.iter().all(|name| matches!(&**name, "more" | "next"));
        if is_envelope && is_page {
            self.sign(Format::Stix21);
        }
        if self.found != Format::Auto {
            if is_page {
                self.warn(origin, "", PAGE);
            }
            self.sink.end(self.found, End { marked, is_page, next: self.next.take() });
            return Ok(());
        }
        if is_envelope { Ok(()) } else { Err(self.unrecognised()) }
    }
}
