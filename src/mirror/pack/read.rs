//! Reads a pack, which may be anything.

use std::io::{self, BufRead, BufReader, Read};

use super::{
    frames::Frames,
    line::{self, AnyHeader, DamagedLine, FORMAT, Header, Line, Mark, ObjectLine},
    write::Begun,
};
use crate::{
    format::Format,
    mirror::{Bookmark, Files, MirrorError},
    model::{
        Context, Digest, Encoder, Tlp,
        limits::{OBJECT_BYTES_MAX, PACK_LINE_BYTES_MAX, SOURCE_BYTES_MAX},
    },
};

/// Bytes of text that are unpacked at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// What a record says.
pub(in crate::mirror) enum Record<'r> {
    Document {
        name: &'r str,
        format: Format,
        /// What the source calls the text that it stands in.
        text: &'r str,
    },
    Object(&'r ObjectLine<'r>, &'r [u8]),
    Damaged(&'r DamagedLine<'r>),
    Closed(Option<Tlp>),
    /// A text of this name was read to its end.
    Read(&'r str),
    /// A text broke off.
    Void,
    Removed(&'r str),
    /// All so far is sound.
    Checkpoint(Bookmark),
    /// All is sound, and this is its digest.
    End(Bookmark, Digest),
}

/// Why a pack is not read on.
#[derive(Debug)]
pub(in crate::mirror) enum Stop {
    /// It is no sound pack: what is wrong, a fragment.
    Unsound(String),
    /// Nobody can say what it is.
    Failed(MirrorError),
}

impl From<MirrorError> for Stop {
    fn from(error: MirrorError) -> Self {
        Self::Failed(error)
    }
}

/// A pack that is being read.
pub(in crate::mirror) struct Reader {
    name: String,
    text: BufReader<Frames>,
    header: Header,
    digest: Encoder,
    records: u64,
    bytes: u64,
    line: Vec<u8>,
    raw: Vec<u8>,
    /// A document began and is not over.
    in_document: bool,
    /// A document came since a text was last over.
    in_text: bool,
}

impl Reader {
    /// Opens a pack and reads its header.
    pub(in crate::mirror) fn open(files: &dyn Files, name: &str) -> Result<Self, Stop> {
        let opened = files.read(name).map_err(|error| MirrorError::io(name, "read", error))?;
        let mut reader = Self {
            name: name.to_owned(),
            text: BufReader::with_capacity(BUFFER_BYTES, Frames::new(opened)),
            header: Header::none(),
            digest: Encoder::new(Context::Pack),
            records: 0,
            bytes: 0,
            line: Vec::new(),
            raw: Vec::new(),
            in_document: false,
            in_text: false,
        };
        reader.read_line()?;
        reader.digest.raw(&reader.line);
        reader.header = reader.read_header()?;
        reader.read_digest()?;
        Ok(reader)
    }

    pub(in crate::mirror) const fn header(&self) -> &Header {
        &self.header
    }

    fn read_header(&self) -> Result<Header, Stop> {
        let any = serde_json::from_slice(&self.line);
        let AnyHeader { pack } = any.map_err(|_| unsound("it begins with no header of a pack"))?;
        if pack.format > FORMAT {
            let (name, format) = (self.name.clone(), pack.format);
            return Err(MirrorError::Newer { name, format }.into());
        }
        match serde_json::from_slice(&self.line) {
            Ok(Line::Pack(header)) if header.is_possible() => Ok(*header),
            _ => Err(unsound("its header makes no sense")),
        }
    }

    /// Reads on to its end, and hands each record on.
    pub(in crate::mirror) fn read(
        mut self,
        mut visit: impl FnMut(Record<'_>) -> Result<(), Stop>,
    ) -> Result<(Bookmark, Digest), Stop> {
        let mut end = None;
        while end.is_none() {
            self.next(|record| {
                if let Record::End(bookmark, digest) = &record {
                    end = Some((bookmark.clone(), *digest));
                }
                visit(record)
            })?;
        }
        match self.is_over()? {
            true => end.ok_or_else(|| unsound("it has no end")),
            false => Err(unsound("something stands behind its end")),
        }
    }

    /// Reads on to the last checkpoint that is sound; none if there is none. Whatever stands behind it counts for
    /// nothing.
    pub(in crate::mirror) fn read_to_checkpoint(
        mut self,
    ) -> Result<Option<(Begun, Bookmark)>, Stop> {
        let mut last = None;
        loop {
            let mut checkpoint = None;
            let read = self.next(|record| {
                if let Record::Checkpoint(bookmark) = record {
                    checkpoint = Some(bookmark);
                }
                Ok(())
            });
            match (read, checkpoint) {
                (Ok(()), None) => {}
                (Ok(()), Some(bookmark)) => {
                    if !self.text.buffer().is_empty() {
                        return Ok(last);
                    }
                    let frames = self.text.get_mut();
                    let Ok(bytes) = frames.end_frame() else {
                        return frames.disk_error(&self.name).map_or(Ok(last), |it| Err(it.into()));
                    };
                    let begun = Begun { bytes, digest: self.digest.clone(), records: self.records };
                    last = Some((begun, bookmark));
                }
                (Err(Stop::Unsound(_)), _) => return Ok(last),
                (Err(failed), _) => return Err(failed),
            }
        }
    }

    /// Reads one record.
    fn next(&mut self, visit: impl FnOnce(Record<'_>) -> Result<(), Stop>) -> Result<(), Stop> {
        self.read_line()?;
        self.digest.raw(&self.line);
        let text = std::mem::take(&mut self.line);
        let line = serde_json::from_slice(&text).map_err(|_| unsound("a line of it is none"))?;
        let done = self.see(&line, visit);
        self.line = text;
        done
    }

    fn see(
        &mut self,
        line: &Line<'_>,
        visit: impl FnOnce(Record<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let record = match line {
            Line::Checkpoint(mark) => {
                self.seal(mark)?;
                return visit(Record::Checkpoint(mark.bookmark()));
            }
            Line::End(mark) => {
                let digest = self.seal(mark)?;
                return visit(Record::End(mark.bookmark(), digest));
            }
            Line::Pack(_) | Line::Blake3(_) => {
                return Err(unsound("a line of it stands where it cannot"));
            }
            Line::Document(document) => {
                (self.in_document, self.in_text) = (true, true);
                let format = line::format_of(&document.format);
                let format = format.ok_or_else(|| unsound("a document has no format"))?;
                let text = document.text.as_ref().unwrap_or(&document.name);
                Record::Document { name: &document.name, format, text }
            }
            Line::Object(object) => {
                self.inside()?;
                self.read_raw(object.bytes)?;
                Record::Object(object, &self.raw)
            }
            Line::Damaged(damaged) => {
                self.inside()?;
                Record::Damaged(damaged)
            }
            Line::Closed { marked } => {
                self.inside()?;
                self.in_document = false;
                let marked = line::marked_of(marked.as_deref());
                Record::Closed(marked.ok_or_else(|| unsound("a marking of it is none"))?)
            }
            Line::Read { text } => {
                (self.in_document, self.in_text) = (false, false);
                Record::Read(text)
            }
            Line::Void {} if !self.in_text => return Err(outside()),
            Line::Void {} => {
                (self.in_document, self.in_text) = (false, false);
                Record::Void
            }
            Line::Removed { id } => Record::Removed(id),
        };
        self.records += 1;
        visit(record)
    }

    /// Checks that there is a document.
    fn inside(&self) -> Result<(), Stop> {
        self.in_document.then_some(()).ok_or_else(outside)
    }

    /// Checks a mark, and the digest behind it.
    fn seal(&mut self, mark: &Mark<'_>) -> Result<Digest, Stop> {
        let digest = self.read_digest()?;
        match mark.records == self.records {
            true => Ok(digest),
            false => Err(unsound("it has another number of records than it says")),
        }
    }

    /// Reads the line with the digest of all before it.
    fn read_digest(&mut self) -> Result<Digest, Stop> {
        let digest = self.digest.finish();
        self.read_line()?;
        let said = serde_json::from_slice(&self.line);
        if !matches!(said, Ok(Line::Blake3(said)) if said == digest) {
            return Err(unsound("its digest is another"));
        }
        self.digest.raw(&self.line);
        Ok(digest)
    }

    fn read_line(&mut self) -> Result<(), Stop> {
        self.line.clear();
        let most = PACK_LINE_BYTES_MAX as u64;
        let read = self.text.by_ref().take(most).read_until(b'\n', &mut self.line);
        self.count(read)?;
        match self.line.last() {
            Some(b'\n') => Ok(()),
            Some(_) if self.line.len() == PACK_LINE_BYTES_MAX => {
                Err(unsound("a line of it is too long"))
            }
            _ => Err(unsound("it breaks off")),
        }
    }

    fn read_raw(&mut self, bytes: usize) -> Result<(), Stop> {
        if bytes > OBJECT_BYTES_MAX {
            return Err(unsound("an object of it is too long"));
        }
        self.raw.clear();
        let read = self.text.by_ref().take(bytes as u64 + 1).read_to_end(&mut self.raw);
        self.count(read)?;
        self.digest.raw(&self.raw);
        match self.raw.pop() {
            Some(b'\n') if self.raw.len() == bytes => Ok(()),
            _ => Err(unsound("an object of it breaks off")),
        }
    }

    fn is_over(&mut self) -> Result<bool, Stop> {
        let read = self.text.read(&mut [0]);
        Ok(self.count(read)? == 0)
    }

    /// What was read, unless it failed or is more than may be.
    fn count(&mut self, read: io::Result<usize>) -> Result<usize, Stop> {
        let count = match read {
            Ok(count) => count,
            Err(error) => {
                let failed = self.text.get_mut().disk_error(&self.name);
                return Err(failed.map_or_else(|| unsound(&error.to_string()), Stop::Failed));
            }
        };
        self.bytes += count as u64;
        match self.bytes > SOURCE_BYTES_MAX {
            true => Err(unsound("it unpacks to more than may be")),
            false => Ok(count),
        }
    }
}

fn outside() -> Stop {
    unsound("something stands outside a document")
}

fn unsound(what: &str) -> Stop {
    Stop::Unsound(what.to_owned())
}
