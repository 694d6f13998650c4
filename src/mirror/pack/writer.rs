//! What a source writes its pulls into.

use std::io::Read;

use super::{
    line::{DamagedLine, DocumentLine, Extent, FORMAT, Header, Line},
    read::{Reader, Stop},
    write::{Begun, Writer},
};
use crate::{
    format::{self, Format, Identity, Pages, Piece, Taker, Unreadable},
    mirror::{
        Bookmark, Damage, Fold, Mirror, MirrorError, Object, Pulled, SourceIdentity,
        chain::{UNFINISHED, pack_name},
    },
    model::{Digest, Symbol, Timestamp, Tlp, Words as _, shortened},
};

/// What a source writes its pulls into: packs, one after the other.
pub struct PackWriter<'m> {
    mirror: &'m Mirror,
    fold: &'m Fold,
    /// The pack that the next goes on from, and its source.
    last: Option<(SourceIdentity, Digest)>,
    next: u64,
    added: usize,
    unfinished: Option<Unfinished>,
}

/// A pack that an earlier pull began and could not end.
pub(in crate::mirror) struct Unfinished {
    header: Header,
    bookmark: Bookmark,
    begun: Begun,
}

impl<'m> PackWriter<'m> {
    pub(in crate::mirror) fn new(mirror: &'m Mirror, fold: &'m Fold) -> Result<Self, MirrorError> {
        Ok(Self {
            mirror,
            fold,
            last: fold.last().map(|link| (link.header.source.clone(), link.digest)),
            next: fold.next,
            added: 0,
            unfinished: mirror.unfinished()?.filter(|begun| mirror.of.covers(&begun.header.source)),
        })
    }

    /// What of earlier pulls could not be read, to be asked for again.
    #[must_use]
    pub fn damaged(&self) -> &[Damage] {
        self.fold.damaged()
    }

    /// Goes through all objects that stood before this pull: what has to be compared with a listing of the source.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn objects(&self, visit: impl FnMut(&Object<'_>)) -> Result<(), MirrorError> {
        self.mirror.objects(self.fold, visit)
    }

    /// Up to where an earlier pull of the whole came that could not be ended, and what it said that the source is.
    /// [`resume`](Self::resume) goes on from there; any other beginning forgets it.
    #[must_use]
    pub fn unfinished(&self) -> Option<(&SourceIdentity, &Bookmark)> {
        self.unfinished.as_ref().map(|it| (&it.header.source, &it.bookmark))
    }

    /// Goes on with what an earlier pull of the whole began; none if there is nothing.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn resume(&mut self) -> Result<Option<Pack<'_, 'm>>, MirrorError> {
        let Some(Unfinished { header, begun, .. }) = self.unfinished.take() else {
            return Ok(None);
        };
        let stream = Writer::go_on(&*self.mirror.files, UNFINISHED, begun)?;
        Ok(Some(Pack { writer: self, header, stream, has_news: true }))
    }

    /// Begins a pack with all that the source has, which forgets what came before. The source must be all that it is
    /// configured to be.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn whole(&mut self, source: &SourceIdentity) -> Result<Pack<'_, 'm>, MirrorError> {
        self.begin(source, Extent::Whole)
    }

    /// Begins a pack with what changed.
    ///
    /// # Errors
    /// As [`whole`](Self::whole).
    pub fn delta(&mut self, source: &SourceIdentity) -> Result<Pack<'_, 'm>, MirrorError> {
        self.begin(source, Extent::Delta)
    }

    fn begin(
        &mut self,
        source: &SourceIdentity,
        extent: Extent,
    ) -> Result<Pack<'_, 'm>, MirrorError> {
        if !self.mirror.of.covers(source) {
            let (wanted, found) = (self.mirror.of.to_string(), source.to_string());
            return Err(MirrorError::OtherSource { wanted, found });
        }
        self.unfinished = None;
        let last = self.last.as_ref().filter(|(of, _)| of == source && extent == Extent::Delta);
        let after = last.map(|(_, digest)| *digest);
        let header = Header { format: FORMAT, source: source.clone(), extent, after };
        let stream = Writer::begin(&*self.mirror.files, UNFINISHED, &header)?;
        Ok(Pack { writer: self, header, stream, has_news: false })
    }

    /// How many packs were ended.
    pub(in crate::mirror) const fn packs_added(&self) -> usize {
        self.added
    }
}

/// A pack that is being written. Dropped before its end, it is none; but what came before its last checkpoint is not
/// lost: of a pack of changes it becomes a pack of its own, and a whole one can be gone on with.
pub struct Pack<'w, 'm> {
    writer: &'w mut PackWriter<'m>,
    header: Header,
    stream: Writer,
    /// Something came that the mirror may not have.
    has_news: bool,
}

impl Pack<'_, '_> {
    /// Takes all objects of a document that the source gave, or of a text of several one after the other. `name` is
    /// for people, and the same whenever this text is read: what is damaged in it, and of which id or version cannot
    /// be read, stands until it is read again, be it to find nothing: so what is
    /// another text, such as the changes since another time, has another name. A text that breaks off leaves nothing.
    ///
    /// # Errors
    /// If the document is none of the format, or the disk refuses.
    pub fn document(
        &mut self,
        name: &str,
        format: Format,
        input: impl Read,
    ) -> Result<Pages, MirrorError> {
        let mut taking = Taking { pack: self, text: name, has_begun: false, failed: None };
        let taken = format::take_apart(input, &Symbol::new(name), format, &mut taking);
        let Taking { has_begun, failed, .. } = taking;
        match (failed, taken) {
            (Some(failed), _) => Err(failed),
            (None, Ok(pages)) => {
                self.has_news |= self.writer.damaged().iter().any(|damage| *damage.text == *name);
                self.stream.record(&Line::Read { text: name.into() })?;
                Ok(pages)
            }
            (None, Err(error)) => {
                if has_begun {
                    self.stream.record(&Line::Void {})?;
                }
                Err(error.into())
            }
        }
    }

    /// Says that an object is gone, with all its versions that came so far.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn remove(&mut self, id: &str, format: Format) -> Result<(), MirrorError> {
        let id = format::name_of(id, format);
        self.has_news = true;
        self.stream.record(&Line::Removed { id: (&*id).into() })
    }

    /// Says that all so far is whole in itself, and where the source stands then.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn checkpoint(&mut self, bookmark: &Bookmark) -> Result<(), MirrorError> {
        self.stream.checkpoint(bookmark)
    }

    /// Ends the pack, which counts from then on. A pack of changes that brought none, and whose bookmark says nothing
    /// new, is left out.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn end(self, bookmark: &Bookmark) -> Result<Pulled, MirrorError> {
        let Self { writer, header, stream, has_news } = self;
        let is_first = writer.added == 0;
        let is_empty = !has_news && header.after.is_some();
        if is_empty && is_first && writer.fold.bookmark() == Some(bookmark) {
            drop(stream);
            writer.mirror.remove_file(UNFINISHED)?;
            return Ok(Pulled::Unchanged);
        }
        let digest = writer.mirror.end(stream, bookmark, writer.next)?;
        writer.next += 1;
        writer.added += 1;
        writer.last = Some((header.source, digest));
        Ok(if header.extent == Extent::Whole { Pulled::Whole } else { Pulled::Delta })
    }
}

impl Mirror {
    /// Ends a pack and gives it its name: from then on it counts.
    fn end(&self, stream: Writer, bookmark: &Bookmark, number: u64) -> Result<Digest, MirrorError> {
        let digest = stream.end(bookmark)?;
        let name = pack_name(number);
        let renamed = self.files.rename(UNFINISHED, &name);
        renamed.map_err(|error| MirrorError::io(&name, "renamed", error))?;
        Ok(digest)
    }

    /// What an earlier pull left up to a checkpoint.
    fn unfinished(&self) -> Result<Option<Unfinished>, MirrorError> {
        let names = self.files.names().map_err(|error| MirrorError::io("", "listed", error))?;
        if !names.iter().any(|name| name == UNFINISHED) {
            return Ok(None);
        }
        let read = Reader::open(&*self.files, UNFINISHED).and_then(|reader| {
            let header = reader.header().clone();
            let last = reader.read_to_checkpoint()?;
            Ok(last.map(|(begun, bookmark)| Unfinished { header, bookmark, begun }))
        });
        match read {
            Ok(unfinished) => Ok(unfinished),
            Err(Stop::Unsound(_)) => Ok(None),
            Err(Stop::Failed(failed)) => Err(failed),
        }
    }

    /// Ends a pack of changes that could not be ended, as far as it came; whether there was one.
    pub(in crate::mirror) fn recover(&self) -> Result<bool, MirrorError> {
        let Some(Unfinished { header, bookmark, begun }) = self.unfinished()? else {
            return Ok(false);
        };
        if header.extent != Extent::Delta {
            return Ok(false);
        }
        let fold = self.fold()?;
        let last = fold.last();
        let goes_on = last.is_some_and(|last| Some(last.digest) == header.after);
        let is_first =
            header.is_first() && (last.is_none() || fold.source() != Some(&header.source));
        if goes_on || is_first {
            let stream = Writer::go_on(&*self.files, UNFINISHED, begun)?;
            self.end(stream, &bookmark, fold.next)?;
            return Ok(true);
        }
        self.remove_file(UNFINISHED)?;
        Ok(false)
    }
}

/// Writes down what is taken out of documents.
struct Taking<'p, 'w, 'm> {
    pack: &'p mut Pack<'w, 'm>,
    /// What the source calls the text.
    text: &'p str,
    has_begun: bool,
    failed: Option<MirrorError>,
}

impl Taking<'_, '_, '_> {
    fn write(&mut self, write: impl FnOnce(&mut Writer) -> Result<(), MirrorError>) {
        if self.failed.is_none() {
            self.failed = write(&mut self.pack.stream).err();
        }
    }
}

impl Taker for Taking<'_, '_, '_> {
    fn document(&mut self, name: &Symbol, format: Format) {
        self.has_begun = true;
        let text = (name.as_str() != self.text).then(|| self.text.into());
        let (name, format) = (name.as_str().into(), format.word().into());
        self.write(|stream| stream.record(&Line::Document(DocumentLine { name, format, text })));
    }

    fn object(&mut self, piece: &Piece<'_>, identity: &Identity) {
        self.pack.has_news = true;
        self.write(|stream| stream.object(piece, identity));
    }

    fn damaged(&mut self, unreadable: &Unreadable<'_>) {
        let Unreadable { pointer, list, ids, version, what } = *unreadable;
        self.pack.has_news = true;
        let unknown = ids.is_empty().then_some(None);
        // One for each that it may be, as each is mended by itself.
        for id in ids.iter().map(Some).chain(unknown) {
            let line = DamagedLine {
                pointer: pointer.into(),
                id: id.map(|id| id.as_str().into()),
                version: version.filter(|_| id.is_some()).map(Timestamp::micros),
                list: list.into(),
                what: shortened(what),
            };
            self.write(|stream| stream.record(&Line::Damaged(line)));
        }
    }

    fn closed(&mut self, marked: Option<Tlp>) {
        let marked = marked.map(|tlp| tlp.name().into());
        self.write(|stream| stream.record(&Line::Closed { marked }));
    }
}
