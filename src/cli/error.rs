//! What can stop a verb, and the exit code it gives.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::{
    agent::{AgentError, LearnError},
    cli::{Exit, verbs::sync},
    config::ConfigError,
    history::{LedgerError, query::QueryError},
    mapper::RulesError,
    model::FeedName,
    remote::AccessError,
    source::SourceError,
    store::{ImportError, OpenError},
};

/// Why a verb stopped.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// There is no usable configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The mapping rules cannot be used.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The history has no answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The store cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// An export could not be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A run could not be carried out.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// MISP cannot be spoken to.
    #[error("destination {destination}: {cause}; correct the setting")]
    Access {
        /// The destination.
        destination: String,
        /// What is wrong.
        cause: AccessError,
    },
    /// A feed without a path, and no `--source`.
    #[error("feed {feed} names no path; write `path` in its table, or give --source PATH")]
    NoSource {
        /// The feed.
        feed: FeedName,
    },
    /// Files hold a dataset as it is, not what changed.
    #[error(
        "feed {feed}: update_strategy = \"diff\" is not supported for files; write \"replace\" if they \
         hold the whole dataset, \"append\" if only what is new"
    )]
    DiffOfFiles {
        /// The feed.
        feed: FeedName,
    },
    /// A saved plan and the world as it is now differ.
    #[error(
        "the plan is stale, and nothing was sent; since it was made there changed: {}; make a new one \
         with `misp-trickle plan -o FILE`",
        moved.join(", ")
    )]
    Stale {
        /// What moved.
        moved: Vec<String>,
    },
    /// A file that is no saved plan.
    #[error("{}: is no plan that this version can apply: {cause}; make one with `plan -o FILE`", path.display())]
    NotAPlan {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
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
    /// A file could not be read.
    #[error("{}: cannot be read: {cause}; check the path and who may read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
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
    /// A port cannot be listened on.
    #[error("{address} cannot be listened on: {cause}; name another with --listen ADDRESS")]
    Listen {
        /// Address and port.
        address: String,
        /// In the words of the operating system.
        cause: io::Error,
    },
    /// The operating system gives no threads, sockets or signals.
    #[error("the program cannot run here: {0}; check the limits of this user")]
    System(io::Error),
    /// The demonstration did not show what it says.
    #[error("the demonstration failed: {0}; please report it")]
    Demo(String),
    /// Others may read the store, and the configuration does not let them.
    #[error(
        "the rights of {path} cannot be changed, so other users of this machine may read the store, and \
         `private = \"require\"` under [store] refuses that; put the store on a file system that keeps rights"
    )]
    NotPrivate {
        /// A file or folder of the store.
        path: String,
    },
    /// Somebody stopped it, and did not wait for MISP to answer.
    #[error("interrupted; the next run finds out what became of the last requests")]
    Interrupted,
    /// Standard output or standard error is gone.
    #[error("the output cannot be written: {0}; check where it goes")]
    Output(#[from] io::Error),
}

impl CliError {
    /// A file that cannot be read.
    pub(super) fn read(path: &Path, cause: &dyn fmt::Display) -> Self {
        Self::Read { path: path.to_owned(), cause: cause.to_string() }
    }

    /// The exit code.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Ledger(error)
            | Self::Query(QueryError::Ledger(error))
            | Self::Agent(AgentError::Ledger(error)) => of_ledger(error),
            Self::Store(error) | Self::Import(ImportError::Store(error)) => of_opening(error),
            Self::Agent(AgentError::Learn(error)) => of_learning(error),
            Self::Agent(AgentError::Stopped(stop)) => sync::of_stop(stop),
            Self::Stale { .. } => Exit::StalePlan,
            Self::Interrupted => Exit::Interrupted,
            Self::Config(_)
            | Self::Rules(_)
            | Self::Query(_)
            | Self::Import(_)
            | Self::Agent(_)
            | Self::Access { .. }
            | Self::NoSource { .. }
            | Self::DiffOfFiles { .. }
            | Self::NotAPlan { .. }
            | Self::Exists { .. }
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::UnknownDestination { .. }
            | Self::Listen { .. }
            | Self::System(_)
            | Self::Demo(_)
            | Self::NotPrivate { .. }
            | Self::Output(_) => Exit::Error,
        }
    }

    /// Whether it only says that the reader of our output had enough, as in `log | head`.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<SourceError> for CliError {
    fn from(error: SourceError) -> Self {
        Self::Agent(error.into())
    }
}

const fn of_opening(error: &OpenError) -> Exit {
    match error {
        OpenError::NoStore { .. } => Exit::NoStore,
        OpenError::Locked { .. } => Exit::Locked,
        OpenError::Damaged { .. } => Exit::Damaged,
        OpenError::Exists { .. }
        | OpenError::Occupied { .. }
        | OpenError::Newer { .. }
        | OpenError::OfAnotherUser { .. }
        | OpenError::Io { .. } => Exit::Error,
    }
}

const fn of_ledger(error: &LedgerError) -> Exit {
    match error {
        LedgerError::Damaged { .. } => Exit::Damaged,
        LedgerError::Newer { .. } | LedgerError::Io { .. } => Exit::Error,
    }
}

/// The exit code of a MISP that could not be asked who it is.
pub(super) const fn of_learning(error: &LearnError) -> Exit {
    match error {
        LearnError::Key { .. } => Exit::Refused,
        LearnError::Unreachable { .. } => Exit::Network,
    }
}
