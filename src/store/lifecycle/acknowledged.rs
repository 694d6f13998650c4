//! The number of the last acknowledged commit, kept beside the engine's files.
//!
//! A damaged log can open as an earlier state, whole in itself: nothing in it tells. The mark does. It is
//! written after the commit is durable and not synced itself, so it may lag behind but is never ahead. A doubt is synced:
//! what is done because of it would hide why.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use crate::{
    model::{Context, Encoder},
    store::lifecycle::permissions,
};

/// The file's name in the store's folder.
pub(crate) const FILE: &str = "acknowledged";

/// What is said beside the number of the last commit.
const ACKNOWLEDGED: &str = FILE;
const DOUBTED: &str = "acknowledged, and doubted";

/// The open file.
#[derive(Debug)]
pub(crate) struct Mark {
    file: File,
    /// The number in it.
    number: u64,
}

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marked {
    /// Nothing that can be trusted.
    Nothing,
    /// This commit was acknowledged.
    Commit(u64),
    /// This commit was acknowledged; the engine opened only after something was dropped, and nothing was
    /// committed since.
    Doubted(u64),
}

impl Mark {
    /// Opens the mark and tells what it says.
    pub(crate) fn open(folder: &Path) -> io::Result<(Self, Marked)> {
        let mut file = permissions::open_file(&folder.join(FILE))?;
        let mut bytes = Vec::new();
        (&mut file).take(17).read_to_end(&mut bytes)?;
        let number = bytes.first_chunk().map_or(0, |number| u64::from_le_bytes(*number));
        let marked = if bytes == content(number, ACKNOWLEDGED) {
            Marked::Commit(number)
        } else if bytes == content(number, DOUBTED) {
            Marked::Doubted(number)
        } else {
            Marked::Nothing
        };
        let number = if marked == Marked::Nothing { 0 } else { number };
        Ok((Self { file, number }, marked))
    }

    /// From now on the engine's content is doubted, by whoever opens it, until something is committed; says
    /// what the mark says now. It is on the disk before this returns.
    pub(crate) fn doubt(&mut self) -> io::Result<Marked> {
        self.write(&content(self.number, DOUBTED))?;
        self.file.sync_all()?;
        Ok(Marked::Doubted(self.number))
    }

    /// Writes a number down. Where that fails the mark lags behind, and only a warning is lost.
    pub(crate) fn set(&mut self, number: u64) {
        self.number = number;
        drop(self.write(&content(number, ACKNOWLEDGED)));
    }

    fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(content)
    }
}

fn content(number: u64, said: &str) -> [u8; 16] {
    let digest = Encoder::new(Context::Record).text(said).u64(number).finish();
    let mut content = [0; 16];
    content[..8].copy_from_slice(&number.to_le_bytes());
    content[8..].copy_from_slice(&digest.as_bytes()[..8]);
    content
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// One of them takes no bytes, the other cannot be synced.
    #[test]
    fn a_doubt_that_cannot_be_kept_is_an_error() {
        for device in ["/dev/full", "/dev/null"] {
            let folder = tempfile::tempdir().unwrap();
            std::os::unix::fs::symlink(device, folder.path().join(FILE)).unwrap();
            let (mut mark, marked) = Mark::open(folder.path()).unwrap();
            assert_eq!(marked, Marked::Nothing);
            mark.set(7);
            assert!(mark.doubt().is_err(), "{device}");
        }
    }
}
