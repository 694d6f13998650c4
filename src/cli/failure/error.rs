//! What can stop a verb, and the exit code it gives.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::{
    agent::{AgentError, LearnError},
    cli::Exit,
    config::ConfigError,
    delivery::Stop,
    format::FormatError,
    history::{LedgerError, query::QueryError},
    http::ConnectionError,
    mapper::RulesError,
    model::{Fault, FeedName},
    sandbox::eclecticiq::DatasetError,
    source::{
        PullError, SourceError,
        eiq_api::ApiError,
        eiq_feed::FeedError,
        peer::{PeerError, Wrong},
        taxii2::TaxiiError,
    },
    store::{ImportError, OpenError, is_out_of_files},
};

use super::{Kind, Report};

/// Why a verb stopped.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// There is no usable configuration.
    Config(#[from] ConfigError),
    /// The mapping rules cannot be used.
    Rules(#[from] RulesError),
    /// The history has no answer.
    Query(#[from] QueryError),
    /// The store cannot be read.
    Ledger(#[from] LedgerError),
    /// The store cannot be opened.
    Store(#[from] OpenError),
    /// An export could not be imported.
    Import(#[from] ImportError),
    /// A run could not be carried out.
    Agent(#[from] AgentError),
    /// A server cannot be spoken to.
    Access {
        /// Which destination or feed it is of.
        of: String,
        /// What is wrong.
        cause: ConnectionError,
    },
    /// A feed cannot be pulled.
    Feed {
        /// The feed.
        feed: FeedName,
        /// Why.
        error: PullError,
    },
    /// A feed without a path, and no `--source`.
    NoSource {
        /// The feed.
        feed: FeedName,
    },
    /// Files hold a dataset as it is, not what changed.
    DiffOfFiles {
        /// The feed.
        feed: FeedName,
    },
    /// The daemon that has the store does not do what was asked.
    AskedTooMuch {
        /// Why not.
        what: &'static str,
    },
    /// The daemon that has the store does not answer.
    OwnerSilent {
        /// Its socket.
        socket: String,
        /// What came instead.
        cause: String,
    },
    /// The daemon that has the store answers as many others as it can.
    OwnerBusy {
        /// Its socket.
        socket: String,
    },
    /// What was reported of one thing is so of the whole.
    Told(Box<Report>),
    /// The configuration is sound, and no daemon can run by it.
    NothingToRun(Fault),
    /// A saved plan and the world as it is now differ.
    Stale {
        /// What moved.
        moved: Vec<String>,
    },
    /// A file that is no saved plan.
    NotAPlan {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// A file that is no dataset.
    NotADataset {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: DatasetError,
    },
    /// `init` overwrites nothing.
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// A file could not be written.
    Write {
        /// The file.
        path: PathBuf,
        /// In the words of the operating system.
        cause: io::Error,
        /// What to do.
        cure: &'static str,
    },
    /// `repair --resend` without `--yes`.
    NotConfirmed {
        /// Which destinations would be forgotten.
        destinations: Vec<String>,
    },
    /// The ledger has nothing of a destination.
    UnknownDestination {
        /// What was asked for.
        asked: String,
        /// What there is.
        hint: String,
    },
    /// A port cannot be listened on.
    Listen {
        /// Address and port.
        address: String,
        /// In the words of the operating system.
        cause: io::Error,
    },
    /// The operating system gives no threads, sockets or signals.
    System(io::Error),
    /// The demonstration did not show what it says.
    Demo(String),
    /// Others may read the store, and the configuration does not let them.
    NotPrivate {
        /// A file or folder of the store.
        path: String,
    },
    /// Somebody stopped it, and did not wait for MISP to answer.
    Interrupted,
    /// Standard output or standard error is gone.
    Output(#[from] io::Error),
}

impl CliError {
    /// A file that cannot be read.
    pub(in crate::cli) fn read(path: &Path, cause: &dyn fmt::Display) -> Self {
        Self::Read { path: path.to_owned(), cause: cause.to_string() }
    }

    /// What kind of error it is, and its parts.
    #[must_use]
    pub fn report(&self) -> Report {
        let (kind, fault) = match self {
            Self::Config(error) => return Report::of_list(of_config(error), error.faults()),
            Self::Agent(error) => return error.into(),
            Self::Told(report) => return (**report).clone(),
            Self::Rules(error) => (Kind::RulesInvalid, error.fault()),
            Self::Query(error) => (of_query(error), error.fault()),
            Self::Ledger(error) => (of_ledger(error), error.fault()),
            Self::Store(error) => (of_opening(error), error.fault()),
            Self::Import(error) => (of_import(error), error.fault()),
            Self::Access { of, cause } => {
                let fault = Fault::new(cause.to_string(), "correct the setting");
                (Kind::AccessUnusable, fault.at(of))
            }
            Self::Feed { feed, error } => {
                let fault = error.fault();
                let place = match &fault.place {
                    Some(place) => format!("feed {feed}: {place}"),
                    None => format!("feed {feed}"),
                };
                (of_pull(error), fault.at(place))
            }
            Self::NoSource { feed } => {
                let cure = "write `path` in its table, or give --source PATH";
                let fault = Fault::new("it names no path", cure);
                (Kind::FeedWithoutPath, fault.at(format_args!("feed {feed}")))
            }
            Self::DiffOfFiles { feed } => {
                let cause = "update_strategy = \"diff\" is not supported for files";
                let cure = "write \"replace\" if they hold the whole dataset, \"append\" if only what is new";
                (Kind::DiffOfFiles, Fault::new(cause, cure).at(format_args!("feed {feed}")))
            }
            Self::AskedTooMuch { what } => {
                let cure = "stop it first, or leave that to it";
                (Kind::StoreLocked, Fault::new(*what, cure).at("the daemon"))
            }
            Self::OwnerSilent { socket, cause } => {
                let cause = format!("the daemon that has the store does not answer: {cause}");
                let cure = "look at its log, or stop it";
                (Kind::StoreLocked, Fault::new(cause, cure).at(socket))
            }
            Self::OwnerBusy { socket } => {
                let cause =
                    "the daemon that has the store answers as many questions as it can at once";
                (Kind::StoreLocked, Fault::new(cause, "ask again in a moment").at(socket))
            }
            Self::NothingToRun(fault) => (Kind::ConfigInvalid, fault.clone()),
            Self::Stale { moved } => {
                let moved = moved.join(", ");
                let cause = format!(
                    "the plan is stale, and nothing was sent; since it was made there changed: {moved}"
                );
                (
                    Kind::PlanStale,
                    Fault::new(cause, "make a new one with `misp-trickle plan -o FILE`"),
                )
            }
            Self::NotAPlan { path, cause } => {
                let cause = format!("is no plan that this version can apply: {cause}");
                (Kind::PlanInvalid, of_file(path, cause, "make one with `plan -o FILE`"))
            }
            Self::NotADataset { path, cause } => {
                let cause = format!("cannot be packaged: {cause}");
                let cure = "name EclecticIQ JSON, or a STIX 2.1 bundle";
                (Kind::SourceUnrecognised, of_file(path, cause, cure))
            }
            Self::Exists { path } => {
                let cause = "is there already, and nothing is overwritten";
                let cure = "edit it, or name another file with `--config FILE`";
                (Kind::FileExists, of_file(path, cause, cure))
            }
            Self::Read { path, cause } => {
                let cause = format!("cannot be read: {cause}");
                (Kind::FileUnreadable, of_file(path, cause, "check the path and who may read it"))
            }
            Self::Write { path, cause, cure } => {
                (Kind::FileUnwritable, of_file(path, format!("cannot be written: {cause}"), cure))
            }
            Self::UnknownDestination { asked, hint } => {
                let cause = format!("nothing was ever sent to {asked:?}");
                (Kind::DestinationUnknown, Fault::new(cause, hint))
            }
            Self::NotConfirmed { destinations } => {
                let cause = format!(
                    "this forgets that {} holds anything, and the next `sync` sends it all again",
                    destinations.join(", ")
                );
                let cure = "where MISP holds it all the same, `repair --adopt` is what you want. If it is meant, \
                            add --yes";
                (Kind::NotConfirmed, Fault::new(cause, cure))
            }
            Self::Listen { address, cause } => {
                let cause = format!("cannot be listened on: {cause}");
                (
                    Kind::CannotListen,
                    Fault::new(cause, "name another with --listen ADDRESS").at(address),
                )
            }
            Self::System(cause) => {
                let cure = match is_out_of_files(cause) {
                    true => "allow more open files, as with `ulimit -n 1024`",
                    false => "check the limits of this user",
                };
                (Kind::System, Fault::new(format!("the program cannot run here: {cause}"), cure))
            }
            Self::Demo(what) => {
                let cause = format!("the demonstration failed: {what}");
                (Kind::Demo, Fault::new(cause, "please report it"))
            }
            Self::NotPrivate { path } => {
                let cause = "its rights cannot be changed, so other users of this machine may read the store, and \
                             `private = \"require\"` under [store] refuses that";
                let cure = "put the store on a file system that keeps rights";
                (Kind::StoreNotPrivate, Fault::new(cause, cure).at(path))
            }
            Self::Interrupted => {
                let cure = "the next run finds out what became of the last requests";
                (Kind::Interrupted, Fault::new("interrupted", cure))
            }
            Self::Output(cause) => {
                let cause = format!("the output cannot be written: {cause}");
                (Kind::Output, Fault::new(cause, "check where it goes"))
            }
        };
        Report::new(kind, fault)
    }

    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.report().exit()
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

fn of_file(path: &Path, cause: impl Into<String>, cure: &str) -> Fault {
    Fault::new(cause, cure).at(path.display())
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report().fmt(f)
    }
}

impl From<&AgentError> for Report {
    fn from(error: &AgentError) -> Self {
        let kind = match error {
            AgentError::Source(error) => of_source(error),
            AgentError::Ledger(error) => of_ledger(error),
            AgentError::Mirror(_) => Kind::MirrorUnusable,
            AgentError::Learn(LearnError::Key { .. }) => Kind::KeyRefused,
            AgentError::Learn(LearnError::Unreachable { .. }) => Kind::Unreachable,
            AgentError::Stopped(stop) => of_stop(stop),
            AgentError::TooManyFeeds { .. } => Kind::FeedsTooMany,
            AgentError::BothNames { .. } => Kind::FeedOfTwoNames,
        };
        Self::new(kind, error.fault())
    }
}

const fn of_config(error: &ConfigError) -> Kind {
    match error {
        ConfigError::Unreadable { .. } => Kind::ConfigUnreadable,
        ConfigError::Invalid { .. } => Kind::ConfigInvalid,
        ConfigError::Choice { .. } => Kind::ConfigChoice,
        ConfigError::Header { .. } => Kind::HeaderMissing,
        ConfigError::Key { .. } => Kind::KeyMissing,
    }
}

const fn of_query(error: &QueryError) -> Kind {
    match error {
        QueryError::NoSuchRun { .. } | QueryError::NoRunOf { .. } => Kind::RunUnknown,
        QueryError::Ambiguous { .. } => Kind::RunAmbiguous,
        QueryError::NotARun { .. } => Kind::RunNameInvalid,
        QueryError::Backwards { .. } | QueryError::Apart { .. } => Kind::RunsIncomparable,
        QueryError::Ledger(error) => of_ledger(error),
    }
}

const fn of_opening(error: &OpenError) -> Kind {
    match error {
        OpenError::NoStore { .. } => Kind::NoStore,
        OpenError::Exists { .. } | OpenError::Occupied { .. } => Kind::StoreNotEmpty,
        OpenError::Locked { .. } => Kind::StoreLocked,
        OpenError::Newer { .. } => Kind::StoreNewer,
        OpenError::Damaged { .. } => Kind::StoreDamaged,
        OpenError::OfAnotherUser { .. } => Kind::StoreOfAnotherUser,
        OpenError::ReadOnly { .. } => Kind::StoreInaccessible,
        OpenError::Io { .. } => Kind::StoreInaccessible,
    }
}

const fn of_import(error: &ImportError) -> Kind {
    match error {
        ImportError::Store(error) => of_opening(error),
        ImportError::NotEmpty { .. } => Kind::StoreNotEmpty,
        ImportError::Line { .. } => Kind::ExportDamaged,
        ImportError::Schema { .. } => Kind::ExportNewer,
        ImportError::Read(_) => Kind::ExportUnreadable,
    }
}

const fn of_ledger(error: &LedgerError) -> Kind {
    match error {
        LedgerError::Damaged { .. } => Kind::StoreDamaged,
        LedgerError::Newer { .. } => Kind::StoreNewer,
        LedgerError::Io { .. } => Kind::StoreInaccessible,
    }
}

fn of_source(error: &SourceError) -> Kind {
    match error {
        SourceError::IsFolder { .. } | SourceError::IsFile { .. } => Kind::SourceMisnamed,
        SourceError::EmptyFolder { .. } => Kind::SourceEmpty,
        SourceError::TooLarge { .. } => Kind::SourceTooLarge,
        SourceError::Open { .. }
        | SourceError::Unopened(_)
        | SourceError::Unreadable { .. }
        | SourceError::Format(FormatError::Unreadable { .. }) => Kind::SourceUnreadable,
        SourceError::Format(FormatError::NotJson { .. }) => Kind::SourceInvalid,
        SourceError::Format(_) => Kind::SourceUnrecognised,
        SourceError::Restless { .. } => Kind::SourceRestless,
        SourceError::Pull(error) => of_pull(error),
        SourceError::NotPulled { .. } => Kind::SourceMissing,
    }
}

/// The kind of error that a pull ended with.
const fn of_pull(error: &PullError) -> Kind {
    match error {
        PullError::EiqFeed(error) => of_feed(error),
        PullError::EiqApi(error) => of_api(error),
        PullError::Taxii2(error) => of_taxii(error),
        PullError::Mirror(_) => Kind::MirrorUnusable,
    }
}

const fn of_feed(error: &FeedError) -> Kind {
    match error {
        FeedError::Peer(error) => of_peer(error),
        FeedError::NoFeed { .. } => Kind::SourceMissing,
        FeedError::ContentType { .. } => Kind::SourceUnrecognised,
        FeedError::Diff | FeedError::StrategyUnknown { .. } | FeedError::StrategyDiffers { .. } => {
            Kind::SourceStrategy
        }
        FeedError::Listing { .. } | FeedError::Unreadable { .. } => Kind::SourceInvalid,
        FeedError::BlockTooLarge { .. } => Kind::SourceTooLarge,
        FeedError::Restless { .. } => Kind::SourceRestless,
        FeedError::Mirror(_) => Kind::MirrorUnusable,
    }
}

const fn of_api(error: &ApiError) -> Kind {
    match error {
        ApiError::Peer(error) => of_peer(error),
        ApiError::Listing { .. } | ApiError::OtherFeed { .. } => Kind::SourceInvalid,
        ApiError::Mirror(_) => Kind::MirrorUnusable,
    }
}

const fn of_taxii(error: &TaxiiError) -> Kind {
    match error {
        TaxiiError::Peer(error) => of_peer(error),
        TaxiiError::NoCollection { .. } | TaxiiError::Discovery { .. } => Kind::SourceMissing,
        TaxiiError::NotReadable { .. } => Kind::SourceRefused,
        TaxiiError::Version { .. } => Kind::SourceUnrecognised,
        TaxiiError::Strange { .. } | TaxiiError::Stuck { .. } => Kind::SourceInvalid,
        TaxiiError::Interrupted { .. } => Kind::SourceUnreachable,
        TaxiiError::Mirror(_) => Kind::MirrorUnusable,
    }
}

const fn of_peer(PeerError { wrong, .. }: &PeerError) -> Kind {
    match wrong {
        Wrong::Token { .. } | Wrong::Right { .. } => Kind::SourceRefused,
        Wrong::Missing { .. } => Kind::SourceMissing,
        Wrong::TooLarge { .. } => Kind::SourceTooLarge,
        Wrong::Disk(_) => Kind::FileUnwritable,
        Wrong::Redirected { .. }
        | Wrong::Unacceptable { .. }
        | Wrong::Unusable { .. }
        | Wrong::Away { .. }
        | Wrong::Busy { .. }
        | Wrong::Strange { .. } => Kind::SourceUnreachable,
    }
}

const fn of_stop(stop: &Stop) -> Kind {
    match stop {
        Stop::Deadline => Kind::Deadline,
        Stop::Transfer => Kind::MaxTransfer,
        Stop::Interrupted => Kind::Interrupted,
        Stop::Key(_) => Kind::KeyRefused,
        Stop::Network(_) => Kind::Unreachable,
        Stop::Refused(_) => Kind::NothingTaken,
    }
}
