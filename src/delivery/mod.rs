//! The conversation with an unreliable MISP, as a state machine without I/O.
//!
//! A [`Session`] carries out the plans of one run, several events at a time and one writer per event.
//! Its driver asks [`Session::next`] what to do, writes what [`Session::take_updates`] and
//! [`Session::take_reports`] give to the ledger, sends the call, and hands the answer to [`Session::on_reply`].
//! Nothing is called sent before MISP proved it: by the echo of attributes/add, or by the ETag of its own list.

mod chunk;
mod conversation;
pub(crate) mod cost;
mod reply;
pub mod rows;
mod session;
mod tagged;
mod tags;
#[cfg(test)]
mod tests;
pub mod verify;
mod window;
mod wire;

pub use crate::model::{Backoff, REST_SECONDS_MAX};
pub use chunk::Chunk;
pub use conversation::{Manners, Report, Verdict};
pub use cost::Estimate;
pub use reply::{
    AttributeAnswer, AttributeResult, EventAnswer, Exchange, Indexed, KeyRow, Listed, RefusedWhy,
    Reply, TagRow, TaggedRow, Trouble,
};
pub use session::{Session, Step, Stop, Token};
pub use tagged::{Page, PageOf};
pub use tags::fact_of;
pub use window::{Concurrency, Window};
pub use wire::{Call, NewEvent, Tagged, TimedAttribute, WHICH_EVENTS_MAX, Wire};
