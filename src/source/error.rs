//! Why a source cannot be read, and what to do about it.

use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    format::FormatError,
    model::{Fault, Symbol},
};

use super::{PullError, Unopened};

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no such file or folder, or it may not be read.
    Open {
        /// What was to be opened.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// A folder where a file was named.
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A file where a folder was named.
    IsFile {
        /// The file.
        path: PathBuf,
    },
    /// A folder without datasets.
    EmptyFolder {
        /// The folder.
        path: PathBuf,
        /// The names that would be read, in words.
        endings: String,
    },
    /// Something in a folder that has the name of a dataset and cannot be opened.
    Unopened(Unopened),
    /// Reading failed, or the compressed data is damaged.
    Unreadable {
        /// The file, or `<stdin>`.
        name: Symbol,
        /// What the system or the decompressor said.
        #[source]
        error: io::Error,
    },
    /// Compressed data that unpacks to more than is read.
    TooLarge {
        /// The file, or `<stdin>`.
        name: Symbol,
        /// The limit.
        bytes_max: u64,
    },
    /// Somebody changed what is in a folder all the time.
    Restless {
        /// The folder.
        path: PathBuf,
        /// For so long it was watched.
        watched: Duration,
    },
    /// The content is no dataset.
    Format(#[from] FormatError),
    /// A source over HTTP gave nothing, and nothing of it was kept before.
    Pull(#[from] Arc<PullError>),
    /// A source over HTTP of which nothing was kept yet.
    NotPulled {
        /// The source.
        name: Symbol,
    },
}

impl SourceError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Open { path, error } => {
                let cause = format!("cannot be opened: {error}");
                Fault::new(cause, "check the path and who may read it").at(path.display())
            }
            Self::IsFolder { path } => Fault::new(
                "this is a folder",
                "name a file in it, or set the source's `kind = \"folder\"`",
            )
            .at(path.display()),
            Self::IsFile { path } => {
                let cure = "name its folder, or set the source's `kind = \"file\"`";
                Fault::new("this is a file", cure).at(path.display())
            }
            Self::EmptyFolder { path, endings } => Fault::new(
                format!("the folder has no dataset in it: no file name there ends in {endings}"),
                "put one there, or name another folder",
            )
            .at(path.display()),
            Self::Unopened(it) => Fault::new(it.what.clone(), it.cure).at(it.name()),
            Self::Unreadable { name, error } => Fault::new(
                format!("cannot be read: {error}"),
                "the file may be damaged or incomplete: fetch or export it again",
            )
            .at(name),
            Self::TooLarge { name, bytes_max } => Fault::new(
                format!("unpacks to more than {bytes_max} bytes"),
                "split the dataset, or read it unpacked",
            )
            .at(name),
            Self::Restless { path, watched } => Fault::new(
                format!("something in it changed all the time, for {} s", watched.as_secs()),
                "have files written elsewhere and moved here, or set a shorter `quiet`",
            )
            .at(path.display()),
            Self::Format(error) => error.fault(),
            Self::Pull(error) => error.fault(),
            Self::NotPulled { name } => {
                const CURE: &str = "run `misp-trickle plan --pull`, which pulls it, or `misp-trickle sync`, which also sends what may go";
                Fault::new("nothing was pulled of it yet", CURE).at(name)
            }
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}
