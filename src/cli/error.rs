//! What can stop a verb, and the exit code it gives.

use std::{io, path::PathBuf};

use crate::{
    config::ConfigError,
    history::{LedgerError, query::QueryError},
};

use super::Exit;

/// Why a verb stopped.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// There is no usable configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The history has no answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The store cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// `init` overwrites nothing.
    #[error(
        "{} is there already, and nothing is overwritten; edit it, or name another file with \
         `--config FILE`",
        path.display()
    )]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error("{}: cannot be written: {cause}; {cure}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// In the words of the operating system.
        cause: io::Error,
        /// What to do.
        cure: &'static str,
    },
    /// The ledger has nothing of a destination.
    #[error("nothing was ever sent to {asked:?}; {hint}")]
    UnknownDestination {
        /// What was asked for.
        asked: String,
        /// What there is.
        hint: String,
    },
    /// Standard output or standard error is gone.
    #[error("the output cannot be written: {0}; check where it goes")]
    Output(#[from] io::Error),
}

impl CliError {
    /// The exit code.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Ledger(LedgerError::Damaged { .. })
            | Self::Query(QueryError::Ledger(LedgerError::Damaged { .. })) => Exit::Damaged,
            Self::Config(_)
            | Self::Query(_)
            | Self::Ledger(_)
            | Self::Exists { .. }
            | Self::Write { .. }
            | Self::UnknownDestination { .. }
            | Self::Output(_) => Exit::Error,
        }
    }

    /// Whether it only says that the reader of our output had enough, as in `log | head`.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
