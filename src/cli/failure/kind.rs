//! Kinds of errors: the names that programs tell them apart by.

use serde::Serialize;

use crate::cli::Exit;

/// What kind of error ended a verb, or a run at one destination. Each has one exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The arguments make no sense.
    Usage,
    /// What was asked for cannot be undone, and nobody said that it is meant.
    NotConfirmed,
    /// The configuration cannot be read.
    ConfigUnreadable,
    /// The configuration is not valid.
    ConfigInvalid,
    /// The configuration has no such feed or destination, or has several and none was named.
    ConfigChoice,
    /// The API key is not where the configuration says.
    KeyMissing,
    /// The value of a header is not where the configuration says.
    HeaderMissing,
    /// Certificate, proxy or header of a destination cannot be used.
    AccessUnusable,
    /// The feed names no path, and none was given.
    FeedWithoutPath,
    /// A dataset in files cannot say what was removed from it.
    DiffOfFiles,
    /// A destination has more feeds than a store tells apart.
    FeedsTooMany,
    /// What is one feed by the configuration is two in the store.
    FeedOfTwoNames,
    /// The mapping rules cannot be used.
    RulesInvalid,
    /// There is no such run.
    RunUnknown,
    /// Several runs begin like that.
    RunAmbiguous,
    /// The text cannot name a run.
    RunNameInvalid,
    /// The two runs cannot be compared.
    RunsIncomparable,
    /// Nothing was ever sent to the destination.
    DestinationUnknown,
    /// There is no store.
    NoStore,
    /// There is a store already, or something else where one was to be made.
    StoreNotEmpty,
    /// Another process has the store.
    StoreLocked,
    /// The store is damaged.
    StoreDamaged,
    /// The store was written by a newer version of the program.
    StoreNewer,
    /// The operating system does not let the store be read or written.
    StoreInaccessible,
    /// The store has files of another user.
    StoreOfAnotherUser,
    /// Others may read the store, and the configuration refuses that.
    StoreNotPrivate,
    /// The export is damaged.
    ExportDamaged,
    /// The export was written by a newer version of the program.
    ExportNewer,
    /// The export cannot be read.
    ExportUnreadable,
    /// The source cannot be read, or is damaged.
    SourceUnreadable,
    /// The source is a folder where a file was named, or a file where a folder was.
    SourceMisnamed,
    /// The folder holds no dataset.
    SourceEmpty,
    /// The source unpacks to more than is read.
    SourceTooLarge,
    /// The source is no JSON, or breaks off.
    SourceInvalid,
    /// The source is JSON, but no dataset.
    SourceUnrecognised,
    /// The source refuses the token, or the token lacks a right.
    SourceRefused,
    /// The source cannot be reached, or something else answers.
    SourceUnreachable,
    /// What is to be read of the source is not there.
    SourceMissing,
    /// The source packages what is new in a way that is not read, or not as the configuration says.
    SourceStrategy,
    /// The source changed while it was read, again and again.
    SourceRestless,
    /// The mirror of a feed cannot be read or written.
    MirrorUnusable,
    /// MISP refuses the key or its role.
    KeyRefused,
    /// MISP cannot be reached, or something else answers.
    Unreachable,
    /// MISP is there, and takes nothing of what is sent.
    NothingTaken,
    /// This looks like another or a restored MISP.
    AnotherMisp,
    /// The deadline passed.
    Deadline,
    /// As many bytes went as a run may take.
    MaxTransfer,
    /// Somebody stopped it.
    Interrupted,
    /// The saved plan was made for another state.
    PlanStale,
    /// The file is no plan that can be applied.
    PlanInvalid,
    /// The file is there already, and nothing is overwritten.
    FileExists,
    /// A file cannot be read.
    FileUnreadable,
    /// A file cannot be written.
    FileUnwritable,
    /// The address cannot be listened on.
    CannotListen,
    /// The operating system gives no threads, sockets or signals.
    System,
    /// The demonstration did not show what it says.
    Demo,
    /// The output cannot be written.
    Output,
}

impl Kind {
    /// The exit code.
    #[must_use]
    pub const fn exit(self) -> Exit {
        match self {
            Self::Usage | Self::NotConfirmed => Exit::Usage,
            Self::NoStore => Exit::NoStore,
            Self::StoreLocked => Exit::Locked,
            Self::StoreDamaged => Exit::Damaged,
            Self::KeyRefused | Self::SourceRefused => Exit::Refused,
            Self::Unreachable | Self::SourceUnreachable => Exit::Network,
            Self::NothingTaken | Self::Deadline | Self::MaxTransfer => Exit::Partial,
            Self::AnotherMisp => Exit::Drift,
            Self::Interrupted => Exit::Interrupted,
            Self::PlanStale => Exit::StalePlan,
            _ => Exit::Error,
        }
    }
}
