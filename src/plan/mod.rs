//! Desired against known: ordered steps with reasons and bytes.

mod known;

pub use known::{
    AttributeTally, DestinationRecord, EventHead, FeedHead, FeedSet, KnownAttribute, KnownEvent,
    MappingTally, Presence, Row, Standing, WithheldReason,
};
