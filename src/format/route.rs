//! Finds out the format of each document and leads its elements to the decoder of that format.

use super::{
    Decoder as _, Format, FormatError, eiq,
    element::{Element, Origin},
    splitter::{Member, Visitor},
    stix,
};
use crate::{
    graph::Facts,
    model::{Issue, Severity, Symbol},
};

/// Most names of top-level members that an error shows.
const NAMES_SHOWN_MAX: usize = 8;
/// Longest part of such a name that is shown, in characters.
const NAME_CHARS_MAX: usize = 40;

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

    /// Takes a sign of a format, unless the user or an earlier sign says another; whether it holds.
    fn sign(&mut self, format: Format) -> bool {
        if self.wanted != Format::Auto && self.wanted != format {
            return false;
        }
        if self.found == Format::Auto {
            self.found = format;
        }
        self.found == format
    }
}

impl Visitor for Router<'_> {
    fn begin(&mut self) {
        self.found = Format::Auto;
        self.names.clear();
    }

    fn member(&mut self, name: &str, value: Member<'_>, origin: &Origin<'_>) {
        self.note(name);
        match (name, value) {
            ("content-type", Member::Text(text))
                if text.starts_with("urn:eclecticiq.com:json:") =>
            {
                self.sign(Format::EclecticIq);
            }
            ("type", Member::Text("bundle")) => {
                self.sign(Format::Stix21);
            }
            (_, Member::Scalar) => {}
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

    fn list(&mut self, name: &str) -> Option<&'static str> {
        self.note(name);
        let (list, format) = LISTS.iter().find(|(list, _)| *list == name)?;
        self.sign(*format).then_some(*list)
    }

    fn element(&mut self, element: &Element<'_>) {
        match self.found {
            Format::Stix21 => self.stix.element(element, &mut self.facts),
            Format::EclecticIq | Format::Auto => self.eiq.element(element, &mut self.facts),
        }
    }

    fn issue(&mut self, issue: Issue) {
        self.facts.report(issue);
    }

    fn end(&mut self) -> Result<(), FormatError> {
        // A TAXII server with nothing to give may answer with an empty envelope.
        let empty_envelope = self.wanted == Format::Stix21 && self.names.is_empty();
        if self.found != Format::Auto || empty_envelope {
            return Ok(());
        }
        let members = match self.names.join("`, `") {
            names if names.is_empty() => "no members".to_owned(),
            names => format!("the members `{names}`"),
        };
        Err(FormatError::Unrecognised { file: self.file.clone(), wanted: self.wanted, members })
    }
}
