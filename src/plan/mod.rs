//! Desired against known: ordered steps with reasons and bytes.
//!
//! A plan is a plain value. `plan` shows it, `sync` and `apply` hand it to `delivery`; all three get the
//! same one. Nothing here knows how MISP is spoken to.

mod change;
mod diff;
mod encode;
mod event_plan;
mod foreign;
mod known;
mod policy;
mod publishing;
mod reason;
mod retire;
mod say;
mod tags;
mod tally;
#[cfg(test)]
mod tests;
mod verdict;

pub use change::{Change, ChangeKind, Effect, EventUpdate, Topic};
pub(crate) use diff::has_come;
pub use diff::{Terms, diff, diff_gone};
pub use encode::digest_of_plans;
pub use event_plan::{EventPlan, FieldEdit, Refusal};
pub use foreign::why_not_of;
pub(crate) use known::surely_come;
pub use known::{
    DestinationRecord, EventHead, FeedHead, FeedSet, KnownAttribute, KnownEvent, NOBODY, Presence,
    Row, Seen, Standing,
};
pub use policy::{
    EventSettings, MappingChange, OnForeign, Policy, Publish, Unmarked, policy_fingerprint,
};
pub use publishing::{NO_RIGHT, NO_WORKER, NOT_YET, Publishing};
pub use reason::{Awaits, BlockedReason, ExposedReason, WithheldReason};
pub use retire::{Retire, Strategy};
pub use say::{Said, without_feed};
pub(crate) use say::{Stricter, stricter_words};
pub use tags::{EventTag, EventTags, TAGS_KNOWN_MAX, TagFact, TagStanding, tag_key};
pub(crate) use tags::{Lacking, has_own_colour, is_covered, lacking, strictest_of};
pub use tally::{AttributeTally, EventTally, MappingTally};
