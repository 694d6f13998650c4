//! Writes a pack.

use std::io::{self, Write as _};

use super::line::{Header, Line, Mark, ObjectLine};
use crate::{
    format::{Identity, Piece},
    mirror::{Bookmark, Files, MirrorError, Output},
    model::{
        Context, Digest, Encoder,
        limits::{BOOKMARK_BYTES_MAX, PACK_LINE_BYTES_MAX},
    },
};

/// How hard it is compressed: 1 to 22.
const LEVEL: i32 = 3;

/// A pack that is being written. Each checkpoint ends a frame of Zstandard, so that a pack can be cut off behind it.
pub(in crate::mirror) struct Writer {
    name: String,
    state: State,
    digest: Encoder,
    records: u64,
}

enum State {
    /// Between two frames.
    Between(Box<dyn Output>),
    Within(zstd::Encoder<'static, Box<dyn Output>>),
    /// After a failure.
    Lost,
}

/// What was written of a pack that is to be gone on with.
pub(in crate::mirror) struct Begun {
    /// Bytes of the file.
    pub(in crate::mirror) bytes: u64,
    /// Over all text so far.
    pub(in crate::mirror) digest: Encoder,
    pub(in crate::mirror) records: u64,
}

impl Writer {
    /// A new file of this name, in place of any other.
    pub(in crate::mirror) fn begin(
        files: &dyn Files,
        name: &str,
        header: &Header,
    ) -> Result<Self, MirrorError> {
        let begun = Begun { bytes: 0, digest: Encoder::new(Context::Pack), records: 0 };
        let mut writer = Self::go_on(files, name, begun)?;
        writer.seal(&Line::Pack(Box::new(header.clone())))?;
        Ok(writer)
    }

    /// Goes on where a file was cut off behind a checkpoint.
    pub(in crate::mirror) fn go_on(
        files: &dyn Files,
        name: &str,
        begun: Begun,
    ) -> Result<Self, MirrorError> {
        let opened = files.write(name, begun.bytes);
        let output = opened.map_err(|error| MirrorError::io(name, "written", error))?;
        let Begun { digest, records, .. } = begun;
        Ok(Self { name: name.to_owned(), state: State::Between(output), digest, records })
    }

    /// One record that is no object.
    pub(in crate::mirror) fn record(&mut self, line: &Line<'_>) -> Result<(), MirrorError> {
        self.line(line)?;
        self.records += 1;
        Ok(())
    }

    /// One object.
    pub(in crate::mirror) fn object(
        &mut self,
        piece: &Piece<'_>,
        identity: &Identity,
    ) -> Result<(), MirrorError> {
        let line = ObjectLine {
            id: (&*identity.id).into(),
            version: identity.version.map(crate::model::Timestamp::micros),
            marking: identity.marking,
            list: piece.list.into(),
            index: piece.index,
            inside: piece.inside.into(),
            bytes: piece.raw.len(),
        };
        self.record(&Line::Object(line))?;
        self.bytes(piece.raw)?;
        self.bytes(b"\n")
    }

    /// Says that all so far is sound, and hands it to the operating system.
    pub(in crate::mirror) fn checkpoint(&mut self, bookmark: &Bookmark) -> Result<(), MirrorError> {
        let mark = self.mark(bookmark)?;
        self.seal(&Line::Checkpoint(mark))?;
        let mut output = self.end_frame()?;
        let flushed = output.flush().map_err(|error| self.failed(error));
        self.state = State::Between(output);
        flushed
    }

    /// Ends the pack and makes it durable. Gives the digest by which the next goes on from it.
    pub(in crate::mirror) fn end(mut self, bookmark: &Bookmark) -> Result<Digest, MirrorError> {
        let mark = self.mark(bookmark)?;
        let digest = self.seal(&Line::End(mark))?;
        let mut output = self.end_frame()?;
        output.sync().map_err(|error| self.failed(error))?;
        Ok(digest)
    }

    fn mark<'b>(&self, bookmark: &'b Bookmark) -> Result<Mark<'b>, MirrorError> {
        let bookmark = bookmark.as_str();
        if bookmark.len() > BOOKMARK_BYTES_MAX {
            let what = "the bookmark of the source is longer than bookmarks may be, in bytes";
            return Err(MirrorError::TooMuch { what, max: BOOKMARK_BYTES_MAX as u64 });
        }
        Ok(Mark { records: self.records, bookmark: bookmark.into() })
    }

    /// A line, and the digest of all up to its end.
    fn seal(&mut self, line: &Line<'_>) -> Result<Digest, MirrorError> {
        self.line(line)?;
        let digest = self.digest.finish();
        self.line(&Line::Blake3(digest))?;
        Ok(digest)
    }

    fn line(&mut self, line: &Line<'_>) -> Result<(), MirrorError> {
        let mut text = serde_json::to_vec(line).expect("lines have no keys but texts");
        text.push(b'\n');
        if text.len() > PACK_LINE_BYTES_MAX {
            let what = "a line about an object or a source is longer than lines may be, in bytes";
            return Err(MirrorError::TooMuch { what, max: PACK_LINE_BYTES_MAX as u64 });
        }
        self.bytes(&text)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), MirrorError> {
        self.digest.raw(bytes);
        let written = self.frame().and_then(|frame| frame.write_all(bytes));
        written.map_err(|error| self.failed(error))
    }

    /// The frame that is being written.
    fn frame(&mut self) -> io::Result<&mut zstd::Encoder<'static, Box<dyn Output>>> {
        if matches!(self.state, State::Between(_))
            && let State::Between(output) = std::mem::replace(&mut self.state, State::Lost)
        {
            self.state = State::Within(zstd::Encoder::new(output, LEVEL)?);
        }
        match &mut self.state {
            State::Within(frame) => Ok(frame),
            State::Between(_) | State::Lost => Err(lost()),
        }
    }

    fn end_frame(&mut self) -> Result<Box<dyn Output>, MirrorError> {
        let ended = match std::mem::replace(&mut self.state, State::Lost) {
            State::Within(frame) => frame.finish(),
            State::Between(output) => Ok(output),
            State::Lost => Err(lost()),
        };
        ended.map_err(|error| self.failed(error))
    }

    fn failed(&mut self, error: io::Error) -> MirrorError {
        self.state = State::Lost;
        MirrorError::io(&self.name, "written", error)
    }
}

fn lost() -> io::Error {
    io::Error::other("an earlier write failed")
}
