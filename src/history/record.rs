//! What one run leaves behind: immutable once the run is published.

use crate::{
    model::{AttributeUuid, DestinationName, Digest, EventUuid, FeedName, RunNumber, Timestamp},
    plan::{AttributeTally, MappingTally},
};

/// One execution of a plan against one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// Counted from 1 in each store.
    pub number: RunNumber,
    /// Name by content: the digest of the record without this field.
    pub id: Digest,
    /// The feed that ran.
    pub feed: FeedName,
    /// Where it delivered.
    pub destination: DestinationName,
    /// When it began.
    pub begun: Timestamp,
    /// When it ended; `None` while it runs or if it was cut off.
    pub ended: Option<Timestamp>,
    /// Display name of the source.
    pub source: String,
    /// Digest of the source's bytes, whole.
    pub source_digest: Option<Digest>,
    /// Fingerprint of the mapping rules.
    pub rules: Digest,
    /// How it ended.
    pub outcome: Outcome,
    /// What it did.
    pub tally: DestinationTally,
    /// What the dataset held.
    pub dataset: DatasetTally,
    /// What a person should know of it, in order.
    pub notes: Vec<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has not ended, or was cut off.
    Unfinished,
    /// All that was planned is in MISP or accounted for.
    Done,
    /// Something was refused, skipped or stays pending.
    Partial,
    /// It stopped on an error.
    Failed,
    /// Somebody stopped it.
    Interrupted,
}

impl Outcome {
    /// The word for it in every output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished",
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Requests, bytes, events and attributes of one run at one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each name is a result of the design's table")]
pub struct DestinationTally {
    pub requests: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub events_created: u64,
    pub events_updated: u64,
    pub events_unchanged: u64,
    pub events_held: u64,
    pub events_blocked: u64,
    pub events_withheld: u64,
    pub attributes: AttributeTally,
}

/// What a dataset held and what became of it in mapping.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatasetTally {
    /// Incidents, each the root of one event.
    pub incidents: u64,
    /// Entities of all kinds, each version chain once.
    pub entities: u64,
    /// Objects that were damaged and skipped.
    pub skipped: u64,
    /// Occurrences by what became of them, those of no incident included.
    pub mapping: MappingTally,
}

/// One thing that a run changed in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The event.
    pub event: EventUuid,
    /// The attribute, or `None` where the event itself changed.
    pub attribute: Option<AttributeUuid>,
    /// What happened.
    pub kind: ChangeKind,
}

/// What can happen to an event or attribute in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// MISP has it now because we sent it.
    Sent,
    /// MISP had it already.
    Adopted,
    /// An analyst deleted it.
    Declined,
    /// MISP refused it; in its own words.
    Rejected(Box<str>),
    /// Policy keeps it back; why.
    Withheld(Box<str>),
    /// Only changed mapping rules call for it.
    Held,
    /// It cannot be sent; why.
    Blocked(Box<str>),
    /// Its place was taken by the value of this attribute.
    Superseded(AttributeUuid),
    /// It left the dataset; it stays in MISP.
    Retired,
    /// It is back in the dataset; it never left MISP.
    Returned,
    /// It is in MISP, and policy would deny it now; what to do by hand.
    Exposed(Box<str>),
    /// The dataset says something else than MISP holds, and MISP is left so; what.
    Drifted(Box<str>),
    /// An analyst changed it; it is left so.
    Overruled,
    /// Fields of the event were changed; which.
    Updated(Box<str>),
    /// A tag was attached to the event.
    Tagged(Box<str>),
    /// The event was published.
    Published,
    /// Publishing was refused; in MISP's own words.
    PublishRefused(Box<str>),
}
