//! Finds out the format of each document and leads its elements to the decoder of that format.

use super::{
    Decoder as _, Format, FormatError, eiq,
    element::{Element, Origin},
    leaves::speaks_of_tlp,
    mend,
    splitter::{Member, Visitor},
    stix,
};
use crate::{
    graph::{Extent, Facts},
    model::{Issue, Reader, Severity, Symbol, Tlp},
};

/// Most names of top-level members that an error shows.
const NAMES_SHOWN_MAX: usize = 8;
/// Longest part of such a name that is shown, in characters.
const NAME_CHARS_MAX: usize = 40;

/// Top-level members of what MISP itself exports.
const MISP_NAMES: [&str; 4] = ["Event", "response", "Attribute", "EventReport"];
/// Said of a page.
const PAGE: &str = "this is one page of several; what is on the others is not here, so nothing is retired: \
                    fetch them all and put their objects into one bundle";

/// Lists beside `entities` that hold relations elsewhere, and are not read.
const ASIDE: [&str; 2] = ["relations", "relationships"];

/// The lists that hold a dataset, and the format each belongs to.
const LISTS: [(&str, Format); 3] = [
    ("entities", Format::EclecticIq),
    ("entities_v2", Format::EclecticIq),
    ("objects", Format::Stix21),
];

/// Leads the pieces of one file to the decoders.
pub(crate) struct Router<'a> {
    file: &'a Symbol,
    /// What the user said.
    wanted: Format,
    /// What this document is, as far as is known; `Auto` while nothing is.
    found: Format,
    /// The first names of this document's top-level members.
    names: Vec<String>,
    /// What this document says of more that is elsewhere: `more` and `next` of a TAXII envelope.
    more: Option<bool>,
    next: bool,
    /// Lists of relations that this document has beside its entities.
    aside: Vec<&'static str>,
    /// Whether it says that it is what extensions of EclecticIQ make.
    of_extension: bool,
    /// Whether it has a list of what EclecticIQ's API answers.
    of_api: bool,
    /// What this document says of its own marking, which no format has, and where its entities and relations begin.
    marked: Option<Tlp>,
    begins: (usize, usize),
    eiq: eiq::Decoder,
    stix: stix::Decoder,
    facts: Facts,
}

impl<'a> Router<'a> {
    pub(crate) fn new(file: &'a Symbol, wanted: Format) -> Self {
        Self {
            file,
            wanted,
            found: Format::Auto,
            names: Vec::new(),
            more: None,
            next: false,
            aside: Vec::new(),
            of_extension: false,
            of_api: false,
            marked: None,
            begins: (0, 0),
            eiq: eiq::Decoder::new(),
            stix: stix::Decoder::new(),
            facts: Facts::default(),
        }
    }

    /// All that the file holds.
    pub(crate) fn finish(self) -> Facts {
        let mut facts = self.facts;
        self.eiq.finish(&mut facts);
        self.stix.finish(&mut facts);
        facts
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
        self.facts.report(Issue { place, severity: Severity::Warning, what });
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

    /// Takes down a member that marks the document. What it says is known of a text alone; anything else is red.
    fn see_marking(&mut self, name: &str, text: &str) {
        let letters = name.to_ascii_lowercase();
        let is_label = ["labels", "tags"].contains(&&*letters);
        let tlp = match text.parse().ok().or_else(|| Tlp::said_in(text)) {
            _ if is_label && text.is_empty() => return,
            None if is_label => return,
            said => said.unwrap_or(Tlp::Red),
        };
        if is_label || letters.contains("marking") || letters == "handling" || speaks_of_tlp(name) {
            self.marked = self.marked.max(Some(tlp));
        }
    }

    /// Marks all of a document that is marked itself: it makes what it holds as strict, and nothing marked.
    fn heed_marking(&mut self, origin: &Origin<'_>) {
        let Some(tlp) = self.marked.take() else { return };
        let what = format!(
            "it is marked as a whole, which no format has; all in it is taken as TLP {tlp} or stricter"
        );
        self.warn(origin, "", &what);
        let facts = &mut self.facts;
        let mark = facts.markings.colour(tlp);
        for entity in self.begins.0..facts.entities.len() {
            facts.markings.mark(entity, mark, Extent::Part);
        }
        for relation in &mut facts.relations[self.begins.1..] {
            relation.tlp = relation.tlp.max(Some(tlp));
        }
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

impl Visitor for Router<'_> {
    fn begin(&mut self) {
        self.found = Format::Auto;
        self.names.clear();
        (self.more, self.next) = (None, false);
        (self.aside, self.of_extension, self.of_api) = (Vec::new(), false, false);
        self.marked = None;
        self.begins = (self.facts.entities.len(), self.facts.relations.len());
    }

    fn alone(&mut self, list: &'static str) -> bool {
        self.begin();
        LISTS.iter().any(|(name, format)| *name == list && self.sign(*format))
    }

    fn member(&mut self, name: &str, value: Member<'_>, origin: &Origin<'_>) {
        self.note(name);
        match value {
            Member::Scalar(_) | Member::Text("") => {}
            Member::Text(text) => self.see_marking(name, text),
            Member::LongText | Member::LongScalar | Member::Object => self.see_marking(name, ""),
        }
        match (name, value) {
            ("more", Member::Scalar(said) | Member::Text(said)) => {
                self.more = Some(said.eq_ignore_ascii_case("true"));
            }
            ("next", Member::Scalar(said) | Member::Text(said)) => {
                self.next = !matches!(said, "" | "null" | "false");
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
            (_, Member::Scalar(_)) => {}
            _ if LISTS.iter().any(|(list, format)| *list == name && self.sign(*format)) => {
                self.facts.report(Issue {
                    place: origin.place(&format!("/{name}")),
                    severity: Severity::Skipped,
                    what: "should be a list and is none; left out".to_owned(),
                });
            }
            _ => {}
        }
    }

    fn list(&mut self, name: &str, is_empty: bool, origin: &Origin<'_>) -> Option<&'static str> {
        self.note(name);
        let aside = ASIDE.iter().find(|aside| **aside == name && !is_empty);
        self.aside.extend(aside);
        self.of_api |= name == "data";
        if !is_empty {
            self.see_marking(name, "");
        }
        let (list, format) = LISTS.iter().find(|(list, _)| *list == name)?;
        if self.sign(*format) {
            return Some(*list);
        }
        if !is_empty {
            let what = "this list is of another format than the `format` setting says; not read: set \
                        `format = \"auto\"` to read both";
            self.warn(origin, &format!("/{name}"), what);
        }
        None
    }

    fn element(&mut self, element: &Element<'_>) {
        let written = element.raw;
        let mended = mend::mend(written);
        let element = match &mended {
            Some(mended) => Element { raw: &mended.text, ..*element },
            None => *element,
        };
        if let Some(halves @ 1..) = mended.as_ref().map(|mended| mended.halves) {
            let what = format!(
                "half a surrogate pair stands in a text of it ({halves} in all); read as U+FFFD"
            );
            self.facts.report(element.warning("", what));
        }
        let list = LISTS.iter().find(|(list, _)| *list == element.list);
        let format = list.map_or(self.found, |(_, format)| *format);
        let (entities, relations) = (self.facts.entities.len(), self.facts.relations.len());
        match format {
            Format::Stix21 => self.stix.element(&element, &mut self.facts),
            Format::EclecticIq | Format::Auto => self.eiq.element(&element, &mut self.facts),
        }
        let first_took = match format {
            _ if element.list.is_empty() || format != self.found => false,
            // The first reader knew packages and lists of them, and nothing within those.
            _ if element.origin.inside.matches('/').count() > 1 => false,
            _ if mended.is_none() => true,
            Format::Stix21 => stix::reads(written),
            Format::EclecticIq | Format::Auto => eiq::reads(written),
        };
        if !first_took {
            self.facts.came_with(Reader::SECOND, entities, relations);
        }
    }

    fn issue(&mut self, issue: Issue) {
        self.facts.report(issue);
    }

    fn end(&mut self, origin: &Origin<'_>) -> Result<(), FormatError> {
        if self.found == Format::EclecticIq {
            self.tell_aside(origin);
        }
        self.heed_marking(origin);
        if self.found != Format::Auto {
            self.facts.formats.insert(self.found.name());
            if self.more.unwrap_or(self.next) {
                self.facts.is_page = true;
                self.warn(origin, "", PAGE);
            }
            return Ok(());
        }
        // A TAXII server with nothing to give may answer with an empty envelope.
        if self.wanted == Format::Stix21 && self.names.is_empty() {
            return Ok(());
        }
        Err(self.unrecognised())
    }
}
