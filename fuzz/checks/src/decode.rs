//! The decoders of datasets: total and deterministic, the same however the bytes arrive, never more facts
//! than there are bytes, what they complain of is where they say, and of a document of which all is known they
//! tell all.

use std::io::{self, Read};

use arbitrary::{Result, Unstructured};

use misp_trickle::{
    format::{self, Assembly, Format, FormatError, Identity, Piece, Taker, Unreadable},
    graph::{Coverage, Facts, Said},
    model::{
        EntityKey, Issue, Locus, Place, Severity, Symbol, Timestamp, Tlp, limits::ISSUES_KEPT_MAX,
    },
};

use super::{
    envelope::envelopes,
    json::{Tree, is_text},
    known_documents::{self, Told},
    stix_values, vocabulary,
};

const FILE: &str = "fuzz";

/// Reads the bytes, or a document made of them, as EclecticIQ JSON.
///
/// # Panics
/// If two readings differ, a skipped object is not counted, an issue points to nothing, or something is lost.
pub fn eiq_json(data: &[u8]) {
    decoder(data, Format::EclecticIq, vocabulary::eclecticiq, known_documents::eclecticiq);
}

/// Reads the bytes, or a document made of them, as STIX 2.1.
///
/// # Panics
/// If two readings differ, a skipped object is not counted, an issue points to nothing, or something is lost: a
/// scalar of an observed object, or a reference.
pub fn stix_bundle(data: &[u8]) {
    decoder(data, Format::Stix21, vocabulary::stix, known_documents::stix);
    if !is_text(data)
        && let Ok(text) = stix_values::bundle(&mut Unstructured::new(data))
    {
        check(text.as_bytes(), Format::Stix21);
    }
}

fn decoder(
    data: &[u8],
    format: Format,
    make: fn(&mut Unstructured<'_>) -> Result<String>,
    tell: fn(&mut Unstructured<'_>) -> Result<(Told, &'static str)>,
) {
    if is_text(data) {
        check(data, format);
        return;
    }
    if let Ok(text) = make(&mut Unstructured::new(data)) {
        check(text.as_bytes(), format);
    }
    let mut input = Unstructured::new(data);
    if let Ok((told, list)) = tell(&mut input) {
        let text = told.text(list);
        check(text.as_bytes(), format);
        let read = |text: &str| format::decode(text.as_bytes(), &Symbol::new(FILE), format);
        let mut facts = read(&text).unwrap_or_else(|error| panic!("{error} of {text}"));
        facts.settle(&Said::new());
        told.check(&text, &facts);
        let end = input.int_in_range(0..=text.len() - 1).unwrap_or_default();
        let cut = &text[..text.floor_char_boundary(end)];
        assert!(read(cut).is_err(), "{cut:?} was cut off");
        // Where the bytes are used up there is nothing left to choose by.
        let _enough = envelopes(&mut input, &told.elements(), list);
    }
}

fn check(text: &[u8], format: Format) {
    for format in [format, Format::Auto] {
        let read = |parts: Parts<'_>| format::decode(parts, &Symbol::new(FILE), format);
        let once = read(Parts::whole(text));
        for other in [Parts::whole(text), Parts::of(text, 1), Parts::of(text, 7)] {
            same(&once, &read(other));
        }
        match &once {
            Ok(facts) => {
                bounded(facts, text);
                apart(text, format, facts);
                let documents = Tree::documents(text);
                facts.issues.iter().for_each(|issue| points_somewhere(issue, text, &documents));
                if format == Format::Stix21 {
                    stix_values::check(text, facts);
                }
            }
            Err(FormatError::NotJson { place, .. }) => inside(place, text),
            Err(_) => {}
        }
    }
}

fn same(
    once: &std::result::Result<Facts, FormatError>,
    again: &std::result::Result<Facts, FormatError>,
) {
    match (once, again) {
        (Ok(once), Ok(again)) => {
            assert_eq!(once.entities, again.entities);
            assert_eq!(once.relations, again.relations);
            assert_eq!(once.issues, again.issues);
            assert_eq!(once.skipped, again.skipped);
        }
        (Err(once), Err(again)) => assert_eq!(once.to_string(), again.to_string()),
        (once, again) => panic!("{once:?} and then {again:?}"),
    }
}

/// What is done with the objects of documents that were taken apart.
enum Step {
    Document(String, Format),
    Object { list: String, index: usize, inside: String, raw: Vec<u8>, id: Box<str> },
    Damaged { pointer: String, what: String, ids: Vec<EntityKey>, version: Option<Timestamp> },
    Closed(Option<Tlp>),
}

#[derive(Default)]
struct Steps(Vec<Step>);

impl Taker for Steps {
    fn document(&mut self, name: &Symbol, format: Format) {
        self.0.push(Step::Document(name.to_string(), format));
    }

    fn object(&mut self, piece: &Piece<'_>, identity: &Identity) {
        self.0.push(Step::Object {
            list: piece.list.to_owned(),
            index: piece.index,
            inside: piece.inside.to_owned(),
            raw: piece.raw.to_owned(),
            id: identity.id.clone(),
        });
    }

    fn damaged(&mut self, unreadable: &Unreadable<'_>) {
        let &Unreadable { pointer, what, ids, version, .. } = unreadable;
        let (pointer, what) = (pointer.to_owned(), what.to_owned());
        self.0.push(Step::Damaged { pointer, what, ids: ids.to_vec(), version });
    }

    fn closed(&mut self, marked: Option<Tlp>) {
        self.0.push(Step::Closed(marked));
    }
}

/// Objects that were taken out of their documents make the same dataset as those.
fn apart(text: &[u8], format: Format, whole: &Facts) {
    let mut steps = Steps::default();
    let file = Symbol::new(FILE);
    let pages = format::take_apart(text, &file, format, &mut steps).expect("it was read whole");
    assert_eq!(pages.is_page, whole.coverage == Coverage::Page);
    let (mut assembly, mut document) = (Assembly::new(), String::new());
    for (number, step) in (0..).zip(steps.0) {
        match step {
            Step::Document(name, format) => {
                assembly.document(&name, format);
                document = name;
            }
            Step::Object { list, index, inside, raw, id } => {
                assert!(!id.is_empty(), "every object is known by something");
                let (list, inside) = (&*list, &*inside);
                assembly.object(&Piece { list, index, inside, raw: &raw }, number);
            }
            Step::Damaged { pointer, what, ids, version } => {
                let (pointer, ids, what) = (&*pointer, &*ids, &*what);
                assembly.damaged(&document, &Unreadable { pointer, list: "", ids, version, what });
            }
            Step::Closed(marked) => assembly.close(marked),
        }
    }
    let together = assembly.finish();
    assert_eq!(together.entities, whole.entities);
    assert_eq!(together.relations, whole.relations);
    assert_eq!(together.skipped, whole.skipped);
    assert_eq!(together.marking_digest(), whole.marking_digest());
    let skipped = |facts: &Facts| -> Vec<Issue> {
        let skipped = facts.issues.iter().filter(|issue| issue.severity == Severity::Skipped);
        skipped.cloned().collect()
    };
    if together.skipped < ISSUES_KEPT_MAX && whole.issues.len() < ISSUES_KEPT_MAX {
        assert_eq!(skipped(&together), skipped(whole));
    }
}

/// Facts take room, so there are never more of them than bytes that could give them.
fn bounded(facts: &Facts, text: &[u8]) {
    let room = text.len();
    assert!(facts.entities.len() + facts.relations.len() + facts.skipped <= room);
    assert!(facts.issues.len() <= ISSUES_KEPT_MAX);
    let skipped = facts.issues.iter().filter(|issue| issue.severity == Severity::Skipped).count();
    let kept_all = facts.issues.len() < ISSUES_KEPT_MAX;
    assert!(skipped == facts.skipped || !kept_all, "every skipped object is counted");
    for entity in &facts.entities {
        assert!(entity.title.len() <= room && entity.id.len() <= room);
        // A STIX object takes over what others hold; nothing else comes from outside the entity.
        assert!(entity.observables.len() + entity.unusable.len() <= room);
        for observable in &entity.observables {
            assert!(observable.value.len() <= room, "{:?} is made up", observable.value);
        }
    }
}

/// A person who follows the issue finds something there.
fn points_somewhere(issue: &Issue, text: &[u8], documents: &[Tree]) {
    let file = issue.place.file.as_str();
    let number = match file.strip_prefix(FILE) {
        Some("") => 1,
        Some(rest) => rest
            .strip_prefix(" (document ")
            .and_then(|rest| rest.strip_suffix(')')?.parse::<usize>().ok())
            .unwrap_or_else(|| panic!("{file:?} is no file that was read")),
        None => panic!("{file:?} is no file that was read"),
    };
    match &issue.place.locus {
        Locus::Whole => {}
        Locus::Line(..) => inside(&issue.place, text),
        // What is no JSON as a whole has no tree to look into.
        Locus::Pointer(pointer) => {
            if let Some(document) = documents.get(number - 1) {
                assert!(document.has(pointer), "{issue} points to nothing");
            }
        }
    }
    if let Some((_, rest)) = issue.what.split_once("(line ")
        && issue.what.starts_with("cannot be read as an object")
    {
        let (line, rest) = rest.split_once(", column ").expect("a line has a column");
        let (column, _) = rest.split_once(':').expect("a place has a reason");
        let number = |text: &str| text.parse().expect("a place is two numbers");
        let locus = Locus::Line(number(line), number(column));
        inside(&Place { file: issue.place.file.clone(), locus }, text);
    }
}

/// The line is there, and long enough.
fn inside(place: &Place, text: &[u8]) {
    let Locus::Line(line, column) = place.locus else { return };
    let mut lines = text.split(|byte| *byte == b'\n');
    let there = line.checked_sub(1).and_then(|before| lines.nth(before));
    let long_enough = there.is_some_and(|there| (1..=there.len() + 1).contains(&column));
    assert!(long_enough, "{place} is no place in {} bytes", text.len());
}

/// A stream that gives its bytes in parts.
struct Parts<'t> {
    rest: &'t [u8],
    /// Most bytes at a time, at first; it changes with every part.
    most: usize,
    step: usize,
}

impl<'t> Parts<'t> {
    fn whole(text: &'t [u8]) -> Self {
        Self { rest: text, most: text.len().max(1), step: 0 }
    }

    fn of(text: &'t [u8], step: usize) -> Self {
        Self { rest: text, most: 1, step: step - 1 }
    }
}

impl Read for Parts<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.most.min(into.len()).min(self.rest.len());
        let (part, rest) = self.rest.split_at(count);
        into[..count].copy_from_slice(part);
        self.rest = rest;
        if self.step > 0 {
            self.most = (self.most + self.step) % 31 + 1;
        }
        Ok(count)
    }
}
