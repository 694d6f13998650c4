//! Unpacks a file frame by frame, and knows how much of it was read.

use std::io::{self, BufRead, BufReader, Read};

use crate::mirror::MirrorError;

/// Bytes that are read of a file at a time.
const BUFFER_BYTES: usize = 128 << 10;
/// The largest window that is unpacked, as a power of two: ours are smaller by far.
const WINDOW_LOG_MAX: u32 = 23;

type File = BufReader<Watched>;

/// The text of a file of Zstandard frames. One read gives text of one frame.
pub(super) struct Frames {
    state: State,
    /// Frames that ended stand in so many bytes of the file.
    ended: u64,
}

enum State {
    Between(Counting),
    Within(zstd::Decoder<'static, Counting>),
    /// Something failed on the way.
    Broken,
}

/// Knows whether it was the disk that failed.
struct Watched {
    file: Box<dyn Read + Send>,
    failed: Option<io::Error>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.file.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let kind = error.kind();
                self.failed = Some(error);
                Err(kind.into())
            }
            done => done,
        }
    }
}

/// Counts what was taken from it.
struct Counting {
    file: File,
    taken: u64,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.taken += count as u64;
        Ok(count)
    }
}

impl BufRead for Counting {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.file.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.taken += count as u64;
        self.file.consume(count);
    }
}

impl Frames {
    pub(super) fn new(file: Box<dyn Read + Send>) -> Self {
        let file = BufReader::with_capacity(BUFFER_BYTES, Watched { file, failed: None });
        Self { state: State::Between(Counting { file, taken: 0 }), ended: 0 }
    }

    /// Reads what is left of this frame, which must be no text, and gives how many bytes of the file stand before
    /// the next one.
    pub(super) fn end_frame(&mut self) -> io::Result<u64> {
        if let State::Within(decoder) = &mut self.state {
            match decoder.read(&mut [0])? {
                0 => self.leave(),
                _ => return Err(io::Error::other("more stands in the frame of a checkpoint")),
            }
        }
        Ok(self.ended)
    }

    /// What the disk said, if it was the disk that failed.
    pub(super) fn disk_error(&mut self, name: &str) -> Option<MirrorError> {
        let failed = match &mut self.state {
            State::Between(file) => file.file.get_mut().failed.take(),
            State::Within(decoder) => decoder.get_mut().file.get_mut().failed.take(),
            State::Broken => None,
        };
        failed.map(|error| MirrorError::io(name, "read", error))
    }

    /// Goes on behind a frame that ended.
    fn leave(&mut self) {
        if let State::Within(decoder) = std::mem::replace(&mut self.state, State::Broken) {
            let file = decoder.finish();
            self.ended = file.taken;
            self.state = State::Between(file);
        }
    }

    /// Begins the next frame, if there is one.
    fn enter(&mut self) -> io::Result<bool> {
        let State::Between(file) = &mut self.state else { return Ok(true) };
        if file.fill_buf()?.is_empty() {
            return Ok(false);
        }
        if let State::Between(file) = std::mem::replace(&mut self.state, State::Broken) {
            let mut decoder = zstd::Decoder::with_buffer(file)?.single_frame();
            decoder.window_log_max(WINDOW_LOG_MAX)?;
            self.state = State::Within(decoder);
        }
        Ok(true)
    }
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.enter()? {
            let State::Within(decoder) = &mut self.state else { return Err(broken()) };
            match decoder.read(buffer)? {
                0 => self.leave(),
                count => return Ok(count),
            }
        }
        Ok(0)
    }
}

fn broken() -> io::Error {
    io::Error::other("an earlier read failed")
}
