//! What came in packs, in order of arrival, as far as it decides what stands: names and digests, no content.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    MirrorError,
    damage::{Damage, Wrong},
    pack::{
        line::{DamagedLine, ObjectLine},
        read::{Record, Stop},
    },
};
use crate::{
    format::Format,
    model::{
        Context, Digest, Encoder, Timestamp, Tlp,
        limits::{DAMAGED_KEPT_MAX, MIRROR_RECORDS_MAX},
    },
};

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

/// The version of an object of a list.
pub(super) fn version(time: Option<i64>, list: &str) -> Version {
    (time, list == "entities_v2")
}

/// The numbers of a document's objects.
#[derive(Debug, Clone, Copy)]
struct Document {
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
    /// Texts that were read to their end, with the number of what came first after they began.
    readings: Vec<(Short, u32)>,
    /// The number of what comes next.
    pub(super) next: u32,
    /// When the text began that is being read.
    begun: Moment,
    /// Of the document that came last.
    document: Box<str>,
    text: Box<str>,
    format: Format,
}

/// A moment in a log.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moment {
    entries: usize,
    documents: usize,
    removals: usize,
    damages: usize,
    readings: usize,
    pub(super) next: u32,
}

impl Log {
    pub(super) const fn moment(&self) -> Moment {
        Moment {
            entries: self.entries.len(),
            documents: self.documents.len(),
            removals: self.removals.len(),
            damages: self.damages.len(),
            readings: self.readings.len(),
            next: self.next,
        }
    }

    /// Forgets what came between two moments. Numbers stay.
    pub(super) fn forget(&mut self, from: Moment, to: Moment) {
        self.entries.drain(from.entries..to.entries);
        self.documents.drain(from.documents..to.documents);
        self.removals.drain(from.removals..to.removals);
        self.damages.drain(from.damages..to.damages);
        self.readings.drain(from.readings..to.readings);
    }

    /// A pack begins.
    pub(super) fn begin(&mut self) -> Moment {
        self.begun = self.moment();
        self.begun
    }

    /// Takes one record of a pack.
    pub(super) fn take(&mut self, record: &Record<'_>) -> Result<(), Stop> {
        match *record {
            Record::Document { name, format, text } => {
                (self.document, self.text, self.format) = (name.into(), text.into(), format);
                let begin = self.next;
                self.documents.push(Document { begin, end: begin, marked: None });
            }
            Record::Object(line, raw) => self.object(line, raw)?,
            Record::Damaged(line) => self.damaged(line)?,
            Record::Closed(marked) => {
                let next = self.next;
                if let Some(document) = self.documents.last_mut() {
                    (document.end, document.marked) = (next, marked);
                }
            }
            Record::Read(text) => {
                self.readings.push((name(text), self.begun.next));
                self.begun = self.moment();
            }
            Record::Void => self.void(),
            Record::Removed(id) => {
                let number = self.number()?;
                self.entries.push(Entry { name: name(id), number, what: What::Removal });
                self.removals.push((number, id.into()));
                self.begun = self.moment();
            }
            Record::Checkpoint(_) | Record::End(..) => self.begun = self.moment(),
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
            version: version(line.version, &line.list),
            content: short(&content.raw(raw).finish()),
            marking: short(&line.marking),
            bytes: u32::try_from(raw.len()).unwrap_or(u32::MAX),
        };
        self.entries.push(Entry { name: name(&line.id), number, what });
        Ok(())
    }

    /// Of very many the rest is one for each text.
    fn damaged(&mut self, line: &DamagedLine<'_>) -> Result<(), Stop> {
        let number = self.number()?;
        let damage = Damage {
            text: self.text.clone(),
            document: self.document.clone(),
            pointer: (&*line.pointer).into(),
            list: (&*line.list).into(),
            id: line.id.as_deref().map(Into::into),
            version: line.version.map(Timestamp::from_micros),
            what: Wrong::of(&line.what),
        };
        if self.damages.len() < DAMAGED_KEPT_MAX {
            self.damages.push((number, damage));
            return Ok(());
        }
        let last = self.damages.last().filter(|(number, _)| *number >= self.begun.next);
        if last.is_none_or(|(_, last)| last.what != Wrong::Many) {
            let (pointer, id, version, what) = ("".into(), None, None, Wrong::Many);
            self.damages.push((number, Damage { pointer, id, version, what, ..damage }));
        }
        Ok(())
    }

    /// Forgets what came of the text that is being read.
    fn void(&mut self) {
        self.forget(self.begun, self.moment());
        self.begun = self.moment();
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

    /// When the last readings of these texts began, as far as they were read to their end.
    pub(super) fn last_readings(&self, texts: &BTreeSet<Short>) -> BTreeMap<Short, u32> {
        self.readings.iter().filter(|(text, _)| texts.contains(text)).copied().collect()
    }
}
