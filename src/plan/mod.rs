//! Desired against known: ordered steps with reasons and bytes.

mod change;
mod known;

pub use change::{Change, ChangeKind};
pub use known::{
    AttributeTally, DestinationRecord, EventHead, FeedHead, FeedSet, KnownAttribute, KnownEvent,
    MappingTally, Presence, Row, Standing, WithheldReason,
};
