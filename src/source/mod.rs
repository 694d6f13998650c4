//! Where datasets come from: a file, a folder of files, or standard input; plain or compressed.
//!
//! Every raw byte that is read goes into a digest of the source, so that a source that has not changed
//! can be told without decoding it.

mod error;
mod part;
#[cfg(test)]
mod tests;
mod unpack;

use std::{
    io::{self, Read},
    path::PathBuf,
};

use crate::{
    format::{self, Format, FormatError},
    graph::Facts,
    model::{Context, Digest, Encoder},
};

pub use error::SourceError;
pub use part::{Part, open};
pub use unpack::Reader;

/// Bytes read at a time for a digest alone.
const DIGEST_READ_BYTES: usize = 1 << 20;

/// A source as the user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSpec {
    /// One file.
    File(PathBuf),
    /// The datasets in a folder, not in folders inside it, together.
    Folder(PathBuf),
    /// Standard input, to its end.
    Stdin,
}

/// Reads and decodes a source. The digest is that of [`digest`], also for standard input.
///
/// # Errors
/// If a part cannot be opened, read, unpacked, or is no dataset of the format.
pub fn read(spec: &SourceSpec, format: Format) -> Result<(Facts, Digest), SourceError> {
    let mut facts = Facts::default();
    let mut digests = Vec::new();
    for part in open(spec)? {
        let mut reader = part.reader()?;
        let decoded = format::decode(&mut reader, part.name(), format);
        facts.extend(decoded.map_err(|error| explain(error, &part))?);
        digests.push(reader.finish().map_err(|error| part.unreadable(error))?);
    }
    Ok((facts, combine(spec, &digests)?))
}

/// The digest of a source's raw bytes, in one pass and without decoding; `None` for standard input,
/// which can be read only once.
///
/// # Errors
/// If a part cannot be opened or read.
pub fn digest(spec: &SourceSpec) -> Result<Option<Digest>, SourceError> {
    if *spec == SourceSpec::Stdin {
        return Ok(None);
    }
    let mut buffer = vec![0; DIGEST_READ_BYTES];
    let mut digests = Vec::new();
    for part in open(spec)? {
        let mut input = part.raw()?;
        let mut encoder = Encoder::new(Context::Source);
        loop {
            match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => drop(encoder.raw(&buffer[..count])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(part.unreadable(error)),
            }
        }
        digests.push(encoder.finish());
    }
    combine(spec, &digests).map(Some)
}
