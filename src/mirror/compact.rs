//! Makes one pack of all that stands.

use super::{
    Damage, Fold, Mirror, MirrorError,
    chain::{COMPACTING, pack_name},
    fold::Step,
    pack::{
        line::{DamagedLine, DocumentLine, Extent, FORMAT, Header, Line, ObjectLine},
        write::Writer,
    },
};
use crate::{
    format::{Format, Identity, Piece},
    model::{Timestamp, Words as _},
};

impl Mirror {
    /// Writes all that stands into one pack, and removes the others. What it comes to is the same before and after.
    ///
    /// # Errors
    /// If the disk refuses, or packs changed since they were folded.
    pub fn compact(&mut self, fold: &Fold) -> Result<Fold, MirrorError> {
        let (Some(source), Some(bookmark)) = (&fold.source, fold.bookmark()) else {
            return self.fold();
        };
        let extent = Extent::Compacted(fold.basis());
        let header = Header { format: FORMAT, source: source.clone(), extent, after: None };
        let stream = Writer::begin(&*self.files, COMPACTING, &header)?;
        let mut compacting = Compacting { stream, document: None };
        fold.walk(&*self.files, |step| compacting.take(step))?;
        compacting.end(fold)?.end(bookmark)?;
        let name = pack_name(fold.next);
        let renamed = self.files.rename(COMPACTING, &name);
        renamed.map_err(|error| MirrorError::io(&name, "renamed", error))?;
        let links = fold.links.iter().map(|link| link.number);
        self.remove(fold.superseded.iter().copied().chain(links))?;
        self.fold()
    }
}

/// A pack of all that stands.
struct Compacting {
    stream: Writer,
    document: Option<Document>,
}

/// A document, of which perhaps nothing stands.
struct Document {
    name: String,
    format: Format,
    is_written: bool,
}

impl Compacting {
    fn take(&mut self, step: Step<'_>) -> Result<(), MirrorError> {
        match step {
            Step::Document { name, format } => {
                self.document = Some(Document { name: name.to_owned(), format, is_written: false });
                Ok(())
            }
            Step::Object { line, piece, .. } | Step::Copy { line, piece, .. } => {
                self.object(line, &piece)
            }
            Step::Closed(marked) => match self.document.take() {
                Some(Document { is_written: true, .. }) => {
                    let marked = marked.map(|tlp| tlp.name().into());
                    self.stream.record(&Line::Closed { marked })
                }
                _ => Ok(()),
            },
        }
    }

    fn object(&mut self, line: &ObjectLine<'_>, piece: &Piece<'_>) -> Result<(), MirrorError> {
        if let Some(document) = self.document.as_mut().filter(|it| !it.is_written) {
            document.is_written = true;
            let (name, format) = ((&*document.name).into(), document.format.word().into());
            self.stream.record(&Line::Document(DocumentLine { name, format, text: None }))?;
        }
        let (id, marking) = (line.id.as_ref().into(), line.marking);
        self.stream.object(piece, &Identity { id, version: line.version(), marking })
    }

    /// What is gone matters where nothing else says so; what is damaged is to be asked for again.
    fn end(mut self, fold: &Fold) -> Result<Writer, MirrorError> {
        for id in fold.gone() {
            self.stream.record(&Line::Removed { id: (&**id).into() })?;
        }
        for Damage { text, document, pointer, list, id, version, what } in fold.damaged() {
            // The format is of no account: nothing is read here.
            let (name, format) = ((&**document).into(), Format::Stix21.word().into());
            let text = Some((&**text).into());
            self.stream.record(&Line::Document(DocumentLine { name, format, text }))?;
            self.stream.record(&Line::Damaged(DamagedLine {
                pointer: (&**pointer).into(),
                id: id.as_deref().map(Into::into),
                version: version.map(Timestamp::micros),
                list: (&**list).into(),
                what: what.text().into(),
            }))?;
        }
        Ok(self.stream)
    }
}
