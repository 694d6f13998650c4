//! A moving view of a stream: the bytes that are being looked at, and where in the file they stand.

use std::{
    io::{self, Read},
    ops::Range,
};

use crate::format::element::Position;

/// Bytes read from a stream and not yet forgotten. Grows only when what must be kept does not fit.
#[derive(Debug)]
pub(crate) struct Window<R> {
    input: R,
    buffer: Vec<u8>,
    filled: usize,
    /// Where `buffer[0]` stands in the file.
    start: Position,
}

/// What reading more did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refill {
    /// By how much the offsets of all bytes have become smaller.
    pub(crate) moved: usize,
    /// Whether the stream has ended.
    pub(crate) ended: bool,
}

impl<R: Read> Window<R> {
    /// An empty view at the start of a stream, with room for so many bytes at first.
    pub(crate) fn new(input: R, room: usize) -> Self {
        Self { input, buffer: vec![0; room.max(1)], filled: 0, start: Position::START }
    }

    /// All bytes in view.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Some bytes in view.
    ///
    /// # Panics
    /// If they are not.
    pub(crate) fn slice(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// Where the first byte in view stands.
    pub(crate) const fn start(&self) -> Position {
        self.start
    }

    /// Reads more behind what is in view, and may forget what stands before `keep`.
    ///
    /// # Errors
    /// Those of the stream; an interrupted read is repeated.
    pub(crate) fn more(&mut self, keep: usize) -> io::Result<Refill> {
        let mut moved = 0;
        if self.filled == self.buffer.len() {
            self.forget(keep);
            moved = keep;
            if self.filled > self.buffer.len() / 2 {
                let more = self.buffer.len();
                self.buffer.try_reserve_exact(more)?;
                self.buffer.resize(more * 2, 0);
            }
        }
        loop {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Ok(count) => {
                    self.filled += count;
                    return Ok(Refill { moved, ended: count == 0 });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn forget(&mut self, keep: usize) {
        self.start = self.start.after(&self.buffer[..keep]);
        self.buffer.copy_within(keep..self.filled, 0);
        self.filled -= keep;
    }
}
