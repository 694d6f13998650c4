//! What came in packs, in order of arrival, as far as it decides what stands: names and digests, no content.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    MirrorError,
    damage::Damage,
    line::{DamagedLine, ObjectLine},
    read::{Record, Stop},
};
use crate::{
    format::Format,
    model::{
        Context, Digest, Encoder, Tlp,
        limits::{DAMAGED_KEPT_MAX, MIRROR_RECORDS_MAX},
    },
};

/// Said of what is not kept one by one.
const MORE: &str = "more of it cannot be read";

/// The beginning of a digest, long enough that nobody finds two things with the same.
pub(super) type Short = [u8; 16];

/// The beginning of a digest.
pub(super) fn short(digest: &Digest) -> Short {
    digest.as_bytes().first_chunk().copied().expect("a digest is longer")
}

/// By what an id is known here.
pub(super) fn name(id: &str) -> Short {
    short(&Encoder::new(Context::Name).text(id).finish())
}

/// One thing that came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Of the id.
    pub(super) name: Short,
    /// Its place in the order of arrival.
    pub(super) number: u32,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    Object {
        /// Which version of the object, in which kind of list: a later one of the same takes its place.
        version: Version,
        /// Of its bytes, and of all else that decides how they are read.
        content: Short,
        /// Of what marks it.
        marking: Short,
        /// How many its bytes are.
        bytes: u32,
    },
    Removal,
}

/// Time of a version in microseconds, and whether it stands in `entities_v2`, where a package has the same entity in
/// another form.
pub(super) type Version = (Option<i64>, bool);

/// A document, and the numbers of its objects.
#[derive(Debug, Clone, Copy)]
struct Document {
    name: Short,
    begin: u32,
    end: u32,
    marked: Option<Tlp>,
}

/// All that came and may count.
#[derive(Default)]
pub(super) struct Log {
    pub(super) entries: Vec<Entry>,
    documents: Vec<Document>,
    pub(super) removals: Vec<(u32, Box<str>)>,
    pub(super) damages: Vec<(u32, Damage)>,
    /// The number of what comes next.
    pub(super) next: u32,
    /// Of the document that came last.
    document: Box<str>,
    format: Format,
}

/// A moment in a log.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moment {
    entries: usize,
    documents: usize,
    removals: usize,
    damages: usize,
    pub(super) next: u32,
}

impl Log {
    pub(super) const fn moment(&self) -> Moment {
        Moment {
            entries: self.entries.len(),
            documents: self.documents.len(),
            removals: self.removals.len(),
            damages: self.damages.len(),
            next: self.next,
        }
    }

    /// Forgets what came between two moments. Numbers stay.
    pub(super) fn forget(&mut self, from: Moment, to: Moment) {
        self.entries.drain(from.entries..to.entries);
        self.documents.drain(from.documents..to.documents);
        self.removals.drain(from.removals..to.removals);
        self.damages.drain(from.damages..to.damages);
    }

    /// Takes one record of a pack.
    pub(super) fn take(&mut self, record: &Record<'_>) -> Result<(), Stop> {
        match *record {
            Record::Document { name: document, format } => {
                (self.document, self.format) = (document.into(), format);
                let name = name(document);
                let begin = self.next;
                self.documents.push(Document { name, begin, end: begin, marked: None });
            }
            Record::Object(line, raw) => self.object(line, raw)?,
            Record::Damaged(line) => self.damaged(line)?,
            Record::Closed(marked) => {
                let next = self.next;
                if let Some(document) = self.documents.last_mut() {
                    (document.end, document.marked) = (next, marked);
                }
            }
            Record::Void => self.void(),
            Record::Removed(id) => {
                let number = self.number()?;
                self.entries.push(Entry { name: name(id), number, what: What::Removal });
                self.removals.push((number, id.into()));
            }
            Record::Checkpoint(_) | Record::End(..) => {}
        }
        Ok(())
    }

    fn object(&mut self, line: &ObjectLine<'_>, raw: &[u8]) -> Result<(), Stop> {
        if line.piece(raw).is_none() {
            return Err(Stop::Unsound("an object stands in no list".to_owned()));
        }
        let number = self.number()?;
        // An object is nested where the pointer to what has its list has more than one part.
        let is_nested = line.inside.matches('/').count() > 1;
        let mut content = Encoder::new(Context::Copy);
        content.text(&line.list).text(crate::model::Words::word(self.format)).flag(is_nested);
        let what = What::Object {
            version: (line.version, line.list == "entities_v2"),
            content: short(&content.raw(raw).finish()),
            marking: short(&line.marking),
            bytes: u32::try_from(raw.len()).unwrap_or(u32::MAX),
        };
        self.entries.push(Entry { name: name(&line.id), number, what });
        Ok(())
    }

    /// Of very many the rest is one for each document.
    fn damaged(&mut self, line: &DamagedLine<'_>) -> Result<(), Stop> {
        let number = self.number()?;
        let document = self.document.clone();
        if self.damages.len() < DAMAGED_KEPT_MAX {
            let pointer = (&*line.pointer).into();
            let id = line.id.as_deref().map(Into::into);
            let damage = Damage { document, pointer, id, what: (&*line.what).into() };
            self.damages.push((number, damage));
            return Ok(());
        }
        let begin = self.documents.last().map_or(0, |document| document.begin);
        let last = self.damages.last().filter(|(number, _)| *number >= begin);
        if last.is_none_or(|(_, last)| *last.what != *MORE) {
            let more = Damage { document, pointer: "".into(), id: None, what: MORE.into() };
            self.damages.push((number, more));
        }
        Ok(())
    }

    /// Forgets what came of the last document.
    fn void(&mut self) {
        let Some(Document { begin, .. }) = self.documents.pop() else { return };
        let come = |number: u32| number >= begin;
        let entries = self.entries.partition_point(|entry| !come(entry.number));
        self.entries.truncate(entries);
        self.removals.retain(|(number, _)| !come(*number));
        self.damages.retain(|(number, _)| !come(*number));
    }

    fn number(&mut self) -> Result<u32, MirrorError> {
        let number = self.next;
        if self.entries.len() >= MIRROR_RECORDS_MAX || number == u32::MAX {
            let what = "the packs of a mirror hold too many objects";
            return Err(MirrorError::TooMuch { what, max: MIRROR_RECORDS_MAX as u64 });
        }
        self.next += 1;
        Ok(number)
    }

    /// What the document of an object was marked with as a whole.
    pub(super) fn marked(&self, number: u32) -> Option<Tlp> {
        let after = self.documents.partition_point(|document| document.begin <= number);
        let document = self.documents[..after].last()?;
        document.marked.filter(|_| number < document.end)
    }

    /// When the documents of these names came last, as far as they came.
    pub(super) fn last_times(&self, names: &BTreeSet<Short>) -> BTreeMap<Short, u32> {
        let named = self.documents.iter().filter(|document| names.contains(&document.name));
        named.map(|document| (document.name, document.begin)).collect()
    }
}
