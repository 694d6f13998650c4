//! Why a store cannot be opened.

use std::{fmt, io, path::Path};

use crate::{history::LedgerError, model::Fault};

/// Why a store cannot be opened or created.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none at this place.
    NoStore {
        /// The store's folder.
        path: String,
    },
    /// There is one at this place already.
    Exists {
        /// The store's folder.
        path: String,
    },
    /// The folder holds other things; a store wants one of its own.
    Occupied {
        /// The folder.
        path: String,
        /// A file or folder in it.
        other: String,
    },
    /// Another process has it open.
    Locked {
        /// The store's folder.
        path: String,
        /// Who holds it: pid, host, command, since when, store, run.
        holder: String,
    },
    /// It was written by a version of the program that knows more than this one.
    Newer {
        /// The store's folder.
        path: String,
        /// What is newer.
        what: String,
    },
    /// What is stored cannot be read.
    Damaged {
        /// The store's folder.
        path: String,
        /// Which part, and how.
        what: String,
    },
    /// Files in it belong to somebody else.
    OfAnotherUser {
        /// The store's folder.
        path: String,
        /// The first of the files, and how many more.
        files: String,
    },
    /// Files in it are this user's, and may not be written.
    ReadOnly {
        /// The store's folder.
        path: String,
        /// The first of the files, and how many more.
        files: String,
    },
    /// The operating system refused.
    Io {
        /// The file or folder.
        path: String,
        /// `read`, `written`, `opened` …
        doing: &'static str,
        /// In the words of the operating system.
        cause: String,
    },
}

impl OpenError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoStore { path } => {
                Fault::new("there is no store", "`misp-trickle sync` makes one").at(path)
            }
            Self::Exists { path } => {
                Fault::new("there is a store already", "open it, or choose another place").at(path)
            }
            Self::Occupied { path, other } => Fault::new(
                format!("it holds {other}, which is no part of a store"),
                "choose an empty folder",
            )
            .at(path),
            Self::Locked { path, holder } => Fault::new(
                format!("the store is locked by {holder}"),
                "wait for it, or give --wait a longer time",
            )
            .at(path),
            Self::Newer { path, what } => {
                let cause = format!("{what} was written by a newer misp-trickle");
                Fault::new(cause, "use that version").at(path)
            }
            Self::Damaged { path, what } => Fault::new(
                format!("the store is damaged: {what}"),
                "run `misp-trickle repair`, or put a backup in its place",
            )
            .at(path),
            Self::OfAnotherUser { path, files } => Fault::new(
                format!("the store has files that this user may not write: {files}"),
                format!(
                    "as root give them back with `chown -R USER {path}`, and run every `sync` as that user"
                ),
            )
            .at(path),
            Self::ReadOnly { path, files } => Fault::new(
                format!("the store has files that may not be written: {files}"),
                format!("they are this user's: let him write again with `chmod -R u+w {path}`"),
            )
            .at(path),
            Self::Io { path, doing, cause } => {
                Fault::of_message(&format!("the store cannot be {doing}: {cause}")).at(path)
            }
        }
    }

    pub(crate) fn io(path: &Path, doing: &'static str, error: &io::Error) -> Self {
        Self::Io { path: path.display().to_string(), doing, cause: told_io(error) }
    }

    pub(crate) fn of(folder: &str, error: LedgerError) -> Self {
        let path = folder.to_owned();
        match error {
            LedgerError::Damaged { what } => Self::Damaged { path, what },
            LedgerError::Newer { what } => Self::Newer { path, what },
            LedgerError::Io { path, doing, cause } => Self::Io { path, doing, cause },
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

/// What the operating system says, and what helps where that is known.
pub(crate) fn told_io(error: &io::Error) -> String {
    let help = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; make room and run it again: what was committed before is safe"
        }
        io::ErrorKind::PermissionDenied => {
            "; run it as the user who owns the store, or give that user the right to write there"
        }
        io::ErrorKind::ReadOnlyFilesystem => "; choose a place that can be written to",
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "; a store is a folder of its own, in a folder that is there: name such a one as `path` under [store]"
        }
        _ if is_out_of_files(error) => "; allow more open files, as with `ulimit -n 1024`",
        _ => "",
    };
    format!("{error}{help}")
}

/// Whether this process, or the machine, may not open any more files.
#[must_use]
pub fn is_out_of_files(error: &io::Error) -> bool {
    // ENFILE and EMFILE, which have no kind of their own.
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}
