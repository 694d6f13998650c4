//! Desired against known: ordered steps with reasons and bytes.
//!
//! A plan is a plain value. `plan` shows it, `sync` and `apply` hand it to `delivery`; all three get the
//! same one. Nothing here knows how MISP is spoken to.

mod change;
mod diff;
mod encode;
mod known;
mod policy;
mod retire;
#[cfg(test)]
mod tests;
mod verdict;

pub(crate) use diff::stricter_tlp;

pub use change::{Change, ChangeKind};
pub use diff::{EventPlan, FieldEdit, Refusal, Terms, diff, diff_gone, digest_of_plans};
pub use known::{
    AttributeTally, DestinationRecord, EventHead, FeedHead, FeedSet, KnownAttribute, KnownEvent,
    MappingTally, Presence, Row, Standing, WithheldReason,
};
pub use policy::{EventSettings, OnForeign, Policy, Publish, Unmarked, policy_fingerprint};
pub use retire::Retire;
