//! Where datasets come from: a file, a folder of files, or standard input; plain or compressed. What is asked for over
//! HTTP stands in rooms of its own and goes into a mirror.
//!
//! Every raw byte that is read goes into a digest of the source, so that a source that has not changed
//! can be told without decoding it.

mod asked;
mod count;
pub mod eiq_api;
pub mod eiq_feed;
mod error;
mod folder;
mod notes;
mod part;
pub mod peer;
pub mod taxii2;
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
    model::{Context, Digest, Encoder, Issue, Locus, Place, Severity, Symbol},
};

pub use asked::{Asked, Look, PullError};
pub use error::SourceError;
pub use folder::{FolderState, LeftOut, Unopened, is_dataset, left_out};
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
    /// What was kept of a source that is pulled, by the name of that source. It is not read as files are.
    Kept(Symbol),
}

/// Reads and decodes a source. The digest is that of [`digest`], also for standard input.
///
/// # Errors
/// If a part cannot be opened, read, unpacked, or is no dataset of the format. What it holds may be marked stricter than
/// what another part says of the same, so none is passed over.
pub fn read(spec: &SourceSpec, format: Format) -> Result<(Facts, Digest), SourceError> {
    let (mut facts, mut digests) = (Facts::default(), Vec::new());
    for part in open(spec)? {
        let mut reader = part.reader()?;
        match format::decode(&mut reader, part.name(), format) {
            Ok(decoded) => facts.extend(decoded),
            Err(FormatError::Unreadable { error, .. }) => return Err(part.unreadable(error)),
            Err(error) => return Err(error.into()),
        }
        let digest = reader.finish().map_err(|error| part.unreadable(error))?;
        digests.push((part, digest));
    }
    if let SourceSpec::Folder(path) = spec {
        let file = Symbol::new(&path.display().to_string());
        for left in left_out(spec)? {
            let place = Place { file: file.clone(), locus: Locus::Whole };
            facts.report(Issue { place, severity: Severity::Warning, what: left.to_string() });
        }
    }
    Ok((facts, combine(spec, &digests)))
}

/// The digest of a source's raw bytes, in one pass and without decoding; `None` for what can be read
/// only once: standard input, a named pipe.
///
/// # Errors
/// If a part cannot be opened or read.
pub fn digest(spec: &SourceSpec) -> Result<Option<Digest>, SourceError> {
    let parts = open(spec)?;
    if !parts.iter().all(Part::can_be_read_again) {
        return Ok(None);
    }
    let (mut buffer, mut digests) = (vec![0; DIGEST_READ_BYTES], Vec::new());
    for part in parts {
        let digest = digest_of(&part, &mut buffer)?;
        digests.push((part, digest));
    }
    Ok(Some(combine(spec, &digests)))
}

fn digest_of(part: &Part, buffer: &mut [u8]) -> Result<Digest, SourceError> {
    let mut input = part.raw()?;
    let mut encoder = Encoder::new(Context::Source);
    loop {
        match input.read(buffer) {
            Ok(0) => return Ok(encoder.finish()),
            Ok(count) => {
                encoder.raw(&buffer[..count]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(part.unreadable(error)),
        }
    }
}

/// One digest for all parts: that of the only part, or for a folder one over names and digests.
fn combine(spec: &SourceSpec, parts: &[(Part, Digest)]) -> Digest {
    match (spec, parts) {
        (SourceSpec::File(_) | SourceSpec::Stdin, [(_, digest)]) => *digest,
        _ => Encoder::new(Context::Source)
            .list(parts.iter(), |encoder, (part, digest)| {
                encoder.text(&part.file_name()).digest(digest);
            })
            .finish(),
    }
}
