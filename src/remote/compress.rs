//! Compression of request bodies, and bounded decompression of answers.

use std::io::{self, Read, Write};

use crate::model::{Words, limits::REPLY_BYTES_MAX};

use super::effort::{Effort, Saves};

/// How request bodies are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Plain,
    /// `gzip`.
    Gzip,
    /// `br`, a fifth smaller than gzip on lists of attributes.
    Brotli,
}

/// What a configuration says of compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompressionChoice {
    /// In the best encoding that MISP takes, as small as is possible without being felt.
    Auto,
    /// In the best encoding that MISP takes, as small as can be.
    Smallest,
    /// In this one, as small as can be.
    Only(Encoding),
}

impl Words for CompressionChoice {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("smallest", Self::Smallest),
        ("br", Self::Only(Encoding::Brotli)),
        ("gzip", Self::Only(Encoding::Gzip)),
        ("off", Self::Only(Encoding::Plain)),
    ];
}

impl CompressionChoice {
    /// What it means for a MISP that told these encodings the last time; `None` if it was never asked.
    #[must_use]
    pub fn knowing(self, told: Option<Vec<String>>) -> Compression {
        match self {
            Self::Auto => Compression::Auto { told, saves: Saves::Time },
            Self::Smallest => Compression::Auto { told, saves: Saves::Bytes },
            Self::Only(encoding) => Compression::Fixed(encoding),
        }
    }
}

/// How a connection chooses the encoding of request bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compression {
    /// This one, whatever MISP says, and as small as can be.
    Fixed(Encoding),
    /// The best of those that MISP takes.
    Auto {
        /// Those that it told the last time; `None` if it was never asked.
        told: Option<Vec<String>>,
        /// What packing is to save.
        saves: Saves,
    },
}

impl Compression {
    /// The encoding to begin with. Every MISP since 2.4.140 takes `gzip`, so that is tried before one
    /// was asked.
    #[must_use]
    pub fn first(&self) -> Encoding {
        match self {
            Self::Fixed(encoding) => *encoding,
            Self::Auto { told: None, .. } => Encoding::Gzip,
            Self::Auto { told: Some(names), .. } => Encoding::best(names),
        }
    }

    /// What packing is to save.
    pub(super) const fn saves(&self) -> Saves {
        match self {
            Self::Fixed(_) => Saves::Bytes,
            Self::Auto { saves, .. } => *saves,
        }
    }
}

impl Encoding {
    /// The best of those that MISP takes, by their names.
    #[must_use]
    pub fn best(names: &[String]) -> Self {
        let takes = |encoding: &Self| names.iter().any(|name| Some(&**name) == encoding.name());
        [Self::Brotli, Self::Gzip].into_iter().find(takes).unwrap_or(Self::Plain)
    }

    /// The value of `Content-Encoding`; MISP compares it with case.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }
}

/// What the header `content-encoding: br` costs: below this gain, a body goes plain.
const HEADER_BYTES: usize = 24;

/// Compresses a body where it pays, as small as can be.
#[must_use]
pub fn compress(body: Vec<u8>, encoding: Encoding) -> (Vec<u8>, Option<&'static str>) {
    compress_with(body, encoding, Effort::Best)
}

/// The same with so much effort, where the encoding knows more than one.
pub(super) fn compress_with(
    body: Vec<u8>,
    encoding: Encoding,
    effort: Effort,
) -> (Vec<u8>, Option<&'static str>) {
    let packed = match encoding {
        Encoding::Plain => return (body, None),
        // Nothing that small gains by it, least of all the empty body of a `GET`.
        _ if body.len() <= HEADER_BYTES => return (body, None),
        Encoding::Gzip => gzip(&body),
        Encoding::Brotli => brotli(&body, effort),
    };
    if packed.len() + HEADER_BYTES < body.len() { (packed, encoding.name()) } else { (body, None) }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("writing to memory never fails")
}

fn brotli(body: &[u8], effort: Effort) -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams {
        quality: effort.quality(),
        size_hint: body.len(),
        ..Default::default()
    };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &*body, &mut packed, &params)
        .expect("reading from and writing to memory never fails");
    packed
}

/// Decompresses an answer, up to the limit on answers.
///
/// # Errors
/// If it is damaged, too large, or in an encoding that was not asked for.
pub fn decompress(body: Vec<u8>, encoding: Option<&str>) -> io::Result<Vec<u8>> {
    match encoding {
        None | Some("" | "identity") => Ok(body),
        Some("gzip" | "x-gzip") => bounded(flate2::read::MultiGzDecoder::new(&*body)),
        Some("br") => bounded(brotli::Decompressor::new(&*body, 4096)),
        Some(other) => {
            Err(io::Error::other(format!("content-encoding {other:?} was not asked for")))
        }
    }
}

fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    let read = reader.take(REPLY_BYTES_MAX as u64 + 1).read_to_end(&mut plain)?;
    if read > REPLY_BYTES_MAX {
        return Err(io::Error::other(format!(
            "it unpacks to more than {} MiB",
            REPLY_BYTES_MAX >> 20
        )));
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_unpacks_to_the_same() {
        let body = br#"{"uuid":"x","type":"ip-dst"},"#.repeat(100);
        for encoding in [Encoding::Gzip, Encoding::Brotli] {
            let (packed, name) = compress(body.clone(), encoding);
            assert!(packed.len() < body.len() / 5);
            assert_eq!(decompress(packed, name).unwrap(), body);
        }
    }

    #[test]
    fn small_bodies_go_plain() {
        assert_eq!(compress(b"{}".to_vec(), Encoding::Brotli), (b"{}".to_vec(), None));
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = brotli(&vec![0; REPLY_BYTES_MAX + 2], Effort::Quick);
        assert!(bomb.len() < 10_000);
        assert!(decompress(bomb, Some("br")).is_err());
    }
}
