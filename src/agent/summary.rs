//! How a run ended, for people and scripts.

use crate::{
    history::{Outcome, RunRecord},
    model::{DestinationName, EventUuid},
};

/// A run that came to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its record, as the history keeps it.
    pub run: RunRecord,
    /// How it ended.
    pub ending: Ending,
    /// Events that are to be published, and are not yet.
    pub publishing: PublishingTally,
    /// Where all is withheld: whether an incident has no TLP colour.
    pub unmarked: bool,
}

/// Events that are to be published, and are not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PublishingTally {
    /// MISP took the request, and was asked at most once since whether it shows them as published.
    pub asked: u64,
    /// They stay unpublished until somebody does something about it.
    pub unpublished: u64,
}

/// How a run ended; the exit code follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All that was planned is in MISP or accounted for.
    Done,
    /// Something was refused, skipped or stays pending.
    Partial,
    /// There were incidents, and policy withheld them all.
    AllWithheld,
    /// MISP refused the key or its role, in its own words.
    KeyRefused(Box<str>),
    /// MISP could not be reached any more, or something else answered.
    Network(Box<str>),
    /// Most of what we know as delivered is not there.
    AnotherMisp,
    /// By the store it is the MISP of another destination.
    MispOf(DestinationName),
    /// An event is there as it was once: MISP was restored from a backup.
    WentBack(WentBack),
    /// Somebody stopped it.
    Interrupted,
    /// It took as long as it may; the next run goes on.
    OutOfTime,
    /// It took as many bytes as it may; the next run goes on.
    OutOfBytes,
}

/// An event that is there as it was before what MISP proved of it since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WentBack {
    /// The event.
    pub event: EventUuid,
    /// Attributes that MISP proved to hold, and does not list any more.
    pub lacking: u64,
    /// Attributes that it proved to hold.
    pub of: u64,
}

impl std::fmt::Display for WentBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { event, lacking, of } = self;
        write!(
            f,
            "event {event} went back: {lacking} of {of} attributes that MISP proved to hold are not there"
        )
    }
}

impl Ending {
    /// Whether the MISP that was spoken to is not the one that the ledger knows, or not as it was.
    #[must_use]
    pub const fn is_of_another_misp(&self) -> bool {
        matches!(self, Self::AnotherMisp | Self::MispOf(_) | Self::WentBack(_))
    }

    /// The outcome that the history keeps.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Done | Self::AllWithheld => Outcome::Done,
            Self::Partial | Self::OutOfTime | Self::OutOfBytes => Outcome::Partial,
            Self::KeyRefused(_)
            | Self::Network(_)
            | Self::AnotherMisp
            | Self::MispOf(_)
            | Self::WentBack(_) => Outcome::Failed,
            Self::Interrupted => Outcome::Interrupted,
        }
    }
}
