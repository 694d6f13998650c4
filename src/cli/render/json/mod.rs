//! Answers as JSON: a struct for each, with a `schema`. Within one version of a schema fields are only added.
//!
//! The JSON Schemas in `docs/schemas` are made of these structs, descriptions included.

mod changes;
mod events;
mod map;
#[cfg(test)]
mod names;
mod plan;
mod state;
mod status;
mod sync;
mod verify;
mod why;

pub use changes::{DiffAnswer, LogAnswer, PullsAnswer, ShowAnswer};
pub use events::EventsAnswer;
pub use map::{MapAnswer, MapTotal, RulesAnswer};
pub use plan::PlanAnswer;
pub(in crate::cli) use state::name_of;
pub use status::{FeedStatus, Held, RouteStatus, StatusAnswer};
pub use sync::SyncAnswer;
pub use verify::VerifyAnswer;
pub use why::WhyAnswer;
