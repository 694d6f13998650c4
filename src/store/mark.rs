//! The number of the last acknowledged commit, kept beside the engine's files.
//!
//! A damaged log can open as an earlier state, whole in itself: nothing in it tells. The mark does. It is
//! written after the commit is durable and not synced itself, so it may lag behind but is never ahead.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use crate::model::{Context, Encoder};

use super::private;

/// The file's name in the store's folder.
pub(super) const FILE: &str = "acknowledged";

/// Stands for a commit that nobody has reached: what the engine holds is doubted until it is written to.
const DOUBT: u64 = u64::MAX;

/// The open file.
#[derive(Debug)]
pub(super) struct Mark(File);

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marked {
    /// Nothing that can be trusted.
    Nothing,
    /// This commit was acknowledged.
    Commit(u64),
    /// The engine opened only after something was dropped, and nothing was committed since.
    Doubt,
}

impl Mark {
    /// Opens the mark and tells what it says.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Marked)> {
        let mut file = private::open_file(&folder.join(FILE))?;
        let mut bytes = Vec::new();
        (&mut file).take(17).read_to_end(&mut bytes)?;
        let number = bytes.first_chunk().map(|number| u64::from_le_bytes(*number));
        let number = number.filter(|number| bytes == content(*number));
        let marked = match number {
            None => Marked::Nothing,
            Some(DOUBT) => Marked::Doubt,
            Some(number) => Marked::Commit(number),
        };
        Ok((Self(file), marked))
    }

    /// From now on the engine's content is doubted, by whoever opens it, until something is committed.
    pub(super) fn doubt(&mut self) {
        self.set(DOUBT);
    }

    /// Writes a number down. Where that fails the mark lags behind, and only a warning is lost.
    pub(super) fn set(&mut self, number: u64) {
        let written =
            self.0.seek(SeekFrom::Start(0)).and_then(|_| self.0.write_all(&content(number)));
        drop(written);
    }
}

fn content(number: u64) -> [u8; 16] {
    let digest = Encoder::new(Context::Record).text(FILE).u64(number).finish();
    let mut content = [0; 16];
    content[..8].copy_from_slice(&number.to_le_bytes());
    content[8..].copy_from_slice(&digest.as_bytes()[..8]);
    content
}
