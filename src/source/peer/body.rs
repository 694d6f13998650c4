//! The body of an answer: a little of it in memory, more of it in a file that nobody else can open.

use std::io::{self, Read, Seek, Write};

use tempfile::SpooledTempFile;

use crate::source::Reader;

/// A longer body goes to a file.
const MEMORY_BYTES_MAX: usize = 8 << 20;

/// The body of an answer, whole, as it came over the wire.
#[derive(Debug)]
pub struct Body {
    spool: SpooledTempFile,
    bytes: u64,
}

impl Default for Body {
    fn default() -> Self {
        Self { spool: SpooledTempFile::new(MEMORY_BYTES_MAX), bytes: 0 }
    }
}

impl Body {
    pub(super) fn push(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.bytes += chunk.len() as u64;
        self.spool.write_all(chunk)
    }

    /// How long it is.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its content from the beginning, unpacked.
    ///
    /// # Errors
    /// If it cannot be read again.
    pub fn reader(mut self) -> io::Result<Reader> {
        self.spool.rewind()?;
        Reader::new(Box::new(self.spool))
    }

    /// Its content, unpacked: at most so many bytes.
    pub(super) fn into_bytes(mut self, bytes_max: u64) -> io::Result<Vec<u8>> {
        self.spool.rewind()?;
        let mut bytes = Vec::new();
        Reader::with_limit(Box::new(self.spool), bytes_max)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_comes_back_from_memory_and_from_a_file() {
        for length in [0, 10, MEMORY_BYTES_MAX + 1] {
            let chunk = vec![b'x'; length];
            let mut body = Body::default();
            body.push(&chunk).unwrap();
            body.push(b"y").unwrap();
            assert_eq!(body.bytes(), length as u64 + 1);
            assert_eq!(body.spool.is_rolled(), length > MEMORY_BYTES_MAX);
            let mut read = Vec::new();
            body.reader().unwrap().read_to_end(&mut read).unwrap();
            assert_eq!((read.len(), read.last()), (length + 1, Some(&b'y')));
        }
    }

    #[test]
    fn a_packed_body_is_unpacked_within_bounds() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&[b'x'; 5_000]).unwrap();
        let packed = packer.finish().unwrap();
        let body = || {
            let mut body = Body::default();
            body.push(&packed).unwrap();
            body
        };
        assert_eq!(body().into_bytes(5_000).unwrap().len(), 5_000);
        let error = super::super::Wrong::of_body(&body().into_bytes(4_999).unwrap_err());
        assert!(matches!(error, super::super::Wrong::TooLarge { bytes_max: 4_999 }), "{error:?}");
    }
}
