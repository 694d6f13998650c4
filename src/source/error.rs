//! Why a source cannot be read, and what to do about it.

use std::{io, path::PathBuf};

use crate::{format::FormatError, model::Symbol};

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no such file or folder, or it may not be read.
    #[error("cannot open {}: {error}; check the path and who may read it", path.display())]
    Open {
        /// What was to be opened.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// A folder where a file was named.
    #[error("{} is a folder; name a file in it, or set the source's `kind = \"folder\"`", path.display())]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A file where a folder was named.
    #[error("{} is a file; name its folder, or set the source's `kind = \"file\"`", path.display())]
    IsFile {
        /// The file.
        path: PathBuf,
    },
    /// A folder without datasets.
    #[error("{} has no dataset in it: no file name there ends in {endings}", path.display())]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
        /// The names that would be read, in words.
        endings: String,
    },
    /// Reading failed, or the compressed data is damaged.
    #[error(
        "{name}: cannot be read: {error}; the file may be damaged or incomplete: fetch or export it again"
    )]
    Unreadable {
        /// The file, or `<stdin>`.
        name: Symbol,
        /// What the system or the decompressor said.
        #[source]
        error: io::Error,
    },
    /// Compressed data that unpacks to more than is read.
    #[error(
        "{name}: unpacks to more than {bytes_max} bytes; split the dataset, or read it unpacked"
    )]
    TooLarge {
        /// The file, or `<stdin>`.
        name: Symbol,
        /// The limit.
        bytes_max: u64,
    },
    /// The content is no dataset.
    #[error(transparent)]
    Format(#[from] FormatError),
}
