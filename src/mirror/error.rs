//! Why a mirror cannot be read or written, and what to do about it.

use std::io;

use crate::format::FormatError;

/// Why a mirror cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The disk refuses.
    #[error(
        "the mirror's file {name} cannot be {doing}: {error}; check the disk and who may use it"
    )]
    Io {
        /// The file.
        name: String,
        /// What was to be done to it, as a participle.
        doing: &'static str,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// A newer version wrote it.
    #[error(
        "the mirror's file {name} is of format {format}, which a newer misp-trickle wrote: use that one, or remove \
         the mirror's folder, which costs one full read of the source"
    )]
    Newer {
        /// The file.
        name: String,
        /// Its format.
        format: u64,
    },
    /// More than is kept.
    #[error("{what}, and a mirror keeps at most {max}; split the feed")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: u64,
    },
    /// A document of the source is none.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A pack changed while it was read.
    #[error("the mirror's file {name} changed while it was read: {what}; run it again")]
    Changed {
        /// The file.
        name: String,
        /// How, a fragment.
        what: String,
    },
    /// A source says that it is another one than it is configured to be.
    #[error(
        "the mirror is of the source {wanted}, and what was read is of {found}; check the source's settings"
    )]
    OtherSource {
        /// The identity by the configuration.
        wanted: String,
        /// That of the pull.
        found: String,
    },
}

impl MirrorError {
    /// Whether somebody changed the mirror while it was read, so that it can be read again.
    #[must_use]
    pub fn is_of_a_change(&self) -> bool {
        match self {
            Self::Changed { .. } => true,
            Self::Io { error, doing, .. } => {
                *doing != "written" && error.kind() == io::ErrorKind::NotFound
            }
            _ => false,
        }
    }

    pub(super) fn io(name: &str, doing: &'static str, error: io::Error) -> Self {
        Self::Io { name: name.to_owned(), doing, error }
    }
}
