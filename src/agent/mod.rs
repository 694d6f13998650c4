//! One run, from left to right: read, cut into incident graphs, map, plan, deliver, record.
//!
//! [`sync`] does all of it, [`preview()`] stops before the first request, [`adopt()`] before the first that
//! writes; [`verify()`] asks whether MISP still holds what was sent. Progress leaves as values, never
//! as print.

mod allowance;
mod asking;
mod careful;
mod clock;
mod dataset;
mod drive;
mod feeds;
mod handle;
mod job;
mod learn;
mod lost;
mod planner;
mod preview;
mod record;
mod rehearsal;
mod resend;
mod run;
mod summary;
mod verify;
mod which;

pub use asking::Asking;
pub use careful::Careful;
pub use clock::{Clock, Look, SystemClock};
pub use dataset::{Candidates, Dataset, Input, Older, Origin, mapping_tally};
pub use feeds::{ForgottenFeed, forget_feed, has_former_name, rename_feed};
pub use handle::LedgerHandle;
pub use job::{AgentError, Job, Observer, Phase, Progress, Removals, Silent};
pub use learn::{LearnError, PLAIN, WantedTags};
pub use preview::{
    PLAN_SCHEMA, Preview, SavedPlan, preview, preview_of, preview_packed, readers_for,
};
pub use record::attempt::keep_refused;
pub use resend::resend;
pub use run::{adopt, sync, sync_from};
pub use summary::{Ending, PublishingTally, Summary, WentBack};
pub use verify::{Sample, Verified, VerifyOptions, verify};
pub use which::{has_moved, holds_anything, is_another, is_at_new_url, which_question, whose};
