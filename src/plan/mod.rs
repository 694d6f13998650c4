//! Desired against known: ordered steps with reasons and bytes.
//!
//! A plan is a plain value. `plan` shows it, `sync` and `apply` hand it to `delivery`; all three get the
//! same one. Nothing here knows how MISP is spoken to.

mod change;
mod diff;
mod encode;
mod event_plan;
mod event_tags;
mod foreign;
mod known;
mod policy;
mod publishing;
mod retire;
mod tag_fact;
mod tags;
#[cfg(test)]
mod tests;
mod verdict;

pub(crate) use verdict::{UNCOVERED, bare_of};

pub(crate) use tags::{Lacking, has_own_colour, is_covered, lacking, strictest_of};

pub use change::{Change, ChangeKind};
pub(crate) use diff::has_come;
pub use diff::{Terms, diff, diff_gone};
pub use encode::digest_of_plans;
pub use event_plan::{EventPlan, FieldEdit, Refusal};
pub use event_tags::{EventTag, EventTags, TagStanding};
pub use foreign::{is_foreign, is_unowned, why_not_of, why_not_unowned};
pub use known::{
    AttributeTally, DestinationRecord, EventHead, FeedHead, FeedSet, KnownAttribute, KnownEvent,
    MappingTally, Presence, Row, Seen, Standing, WithheldReason,
};
pub use policy::{
    EventSettings, MappingChange, OnForeign, Policy, Publish, Unmarked, policy_fingerprint,
};
pub use publishing::{NO_RIGHT, NO_WORKER, NOT_YET, Publishing};
pub use retire::{Retire, Strategy};
pub use tag_fact::{TAGS_KNOWN_MAX, TagFact, tag_key};
