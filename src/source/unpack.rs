//! Reads a stream that may be compressed, and digests its raw bytes on the way.

use std::{
    fmt,
    io::{self, BufReader, Chain, Cursor, Read},
};

use flate2::bufread::MultiGzDecoder;

use crate::model::{Context, Digest, Encoder, limits::SOURCE_BYTES_MAX};

/// Bytes of compressed data read at a time.
const BUFFER_BYTES: usize = 256 << 10;
/// First bytes of a gzip member (RFC 1952).
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
/// First bytes of a Zstandard frame (RFC 8878).
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Whether a frame of Zstandard begins here that holds nothing of the data: some packers write one first.
const fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}

/// Compressed data unpacks to more than it may.
#[derive(Debug, thiserror::Error)]
#[error("unpacks to more than {bytes_max} bytes")]
pub(super) struct TooLarge {
    pub(super) bytes_max: u64,
}

/// The unpacked content of a stream: plain, gzip of any number of members, or Zstandard of any number
/// of frames, told by the first bytes.
pub struct Reader {
    body: Body,
    bytes_left: u64,
    bytes_max: u64,
}

enum Body {
    Plain(Raw),
    Gzip(Box<MultiGzDecoder<BufReader<Raw>>>),
    Zstd(zstd::Decoder<'static, BufReader<Raw>>),
}

/// A stream whose first bytes were looked at.
type Raw = Chain<Cursor<Vec<u8>>, Digesting>;

/// Feeds all that is read into a digest.
struct Digesting {
    input: Box<dyn Read>,
    encoder: Encoder,
}

impl Read for Digesting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.encoder.raw(&buffer[..count]);
        Ok(count)
    }
}

impl Reader {
    /// Looks at the first bytes of a stream to see how it is compressed.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn new(input: Box<dyn Read>) -> io::Result<Self> {
        Self::with_limit(input, SOURCE_BYTES_MAX)
    }

    /// As [`new`](Self::new), for compressed data of at most so many bytes when unpacked.
    pub(super) fn with_limit(input: Box<dyn Read>, bytes_max: u64) -> io::Result<Self> {
        let mut input = Digesting { input, encoder: Encoder::new(Context::Source) };
        let mut head = Vec::new();
        input.by_ref().take(ZSTD_MAGIC.len() as u64).read_to_end(&mut head)?;
        let zstd = head.starts_with(ZSTD_MAGIC) || is_skippable(&head);
        let gzip = head.starts_with(GZIP_MAGIC);
        let raw = Cursor::new(head).chain(input);
        let buffered = |raw| BufReader::with_capacity(BUFFER_BYTES, raw);
        let body = if gzip {
            Body::Gzip(Box::new(MultiGzDecoder::new(buffered(raw))))
        } else if zstd {
            Body::Zstd(zstd::Decoder::with_buffer(buffered(raw))?)
        } else {
            Body::Plain(raw)
        };
        Ok(Self { body, bytes_left: bytes_max, bytes_max })
    }

    /// The digest of the raw bytes. Reads what the decoder left of them, so that it is that of the whole
    /// stream.
    ///
    /// # Errors
    /// If the rest cannot be read.
    pub fn finish(self) -> io::Result<Digest> {
        let mut raw = match self.body {
            Body::Plain(raw) => raw,
            Body::Gzip(decoder) => decoder.into_inner().into_inner(),
            Body::Zstd(decoder) => decoder.finish().into_inner(),
        };
        io::copy(&mut raw, &mut io::sink())?;
        Ok(raw.into_inner().1.encoder.finish())
    }

    /// Takes a number of unpacked bytes from what may still come.
    fn count(&mut self, bytes: usize) -> io::Result<usize> {
        match self.bytes_left.checked_sub(bytes as u64) {
            Some(left) => {
                self.bytes_left = left;
                Ok(bytes)
            }
            None => Err(io::Error::other(TooLarge { bytes_max: self.bytes_max })),
        }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (packing, unpacked) = match &mut self.body {
            Body::Plain(raw) => return raw.read(buffer),
            Body::Gzip(decoder) => ("gzip", decoder.read(buffer)),
            Body::Zstd(decoder) => ("zstd", decoder.read(buffer)),
        };
        match unpacked {
            Ok(bytes) => self.count(bytes),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(io::Error::new(error.kind(), format!("{packing}: {error}"))),
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("bytes_left", &self.bytes_left).finish_non_exhaustive()
    }
}
