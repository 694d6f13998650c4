//! Shared vocabulary: ids, digests, times, TLP, limits, secrets, issues, faults.
//!
//! Everything here is a plain value. No module of the crate may be named from this one.

mod backoff;
mod digest;
mod fault;
mod id;
mod issue;
mod key;
pub mod limits;
mod reader;
mod secret;
mod symbol;
mod text;
mod text_form;
mod time;
mod tlp;
mod words;

pub use backoff::{Backoff, REST_SECONDS_MAX};
pub use digest::{Context, Digest, Encoder};
pub use fault::Fault;
pub use id::{
    AttributeUuid, DestinationName, EventUuid, FeedName, IdError, OrgUuid, RouteName, RunNumber,
};
pub use issue::{Issue, Locus, Place, Severity};
pub use key::EntityKey;
pub use reader::Reader;
pub use secret::Secret;
pub use symbol::{Interner, Symbol};
pub use text::{
    Bytes, Count, Span, is_invisible, is_plain, keep_note, kept_name, kept_text, plain, shortened,
    spoken, steers,
};
pub(crate) use text_form::as_text;
pub use time::{Timestamp, TimestampError};
pub use tlp::{Marking, MarkingId, Tlp, may_be_escaped, parts, readings};
#[cfg(test)]
pub(crate) use words::names;
pub use words::{Words, nearest};
