//! Whether a compressed body gets to MISP. Something before it may refuse each of them, with any status and page
//! of its own; so before the first was answered, a refusal is looked into with a compressed question that changes
//! nothing.

use std::sync::atomic::{AtomicU8, Ordering};

use uuid::Uuid;

use crate::{delivery::Call, model::EventUuid, remote::json};

use super::decode::Answer;

/// Events that a question asks for so that it is worth compressing.
const EVENTS_ASKED: u8 = 24;

const UNKNOWN: u8 = 0;
const TAKEN: u8 = 1;
const REFUSED: u8 = 2;

/// What is known of compressed bodies.
#[derive(Debug, Default)]
pub(super) struct Packing(AtomicU8);

impl Packing {
    pub(super) fn is_unknown(&self) -> bool {
        self.0.load(Ordering::Relaxed) == UNKNOWN
    }

    pub(super) fn is_refused(&self) -> bool {
        self.0.load(Ordering::Relaxed) == REFUSED
    }

    /// One was answered by MISP.
    pub(super) fn taken(&self) {
        self.0.fetch_max(TAKEN, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        if !self.0.swap(REFUSED, Ordering::Relaxed).eq(&REFUSED) {
            tracing::warn!(
                "MISP, or something before it, takes no compressed body; sending plain from now on"
            );
        }
    }
}

/// What an answer says of a compressed body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packed {
    /// Nothing, or none was sent.
    No,
    /// MISP read it.
    Taken,
    /// It may be what is refused.
    Suspected,
}

impl Packed {
    pub(super) fn by(packed: bool, answer: &Answer) -> Self {
        match (packed, answer.status) {
            (false, _) => Self::No,
            (true, 200 | 304) => Self::Taken,
            (true, _) if may_refuse(answer) => Self::Suspected,
            (true, _) => Self::No,
        }
    }
}

/// Whether an answer may be the refusal of a compressed body, whatever the body says.
fn may_refuse(answer: &Answer) -> bool {
    let is_misps = json::errors(&answer.body).is_ok();
    match answer.status {
        400 | 415 | 501 => true,
        // Somebody took the header that says how the body is compressed.
        405 => !is_misps || memchr::memmem::find(&answer.body, b"Invalid JSON input").is_some(),
        401 | 403 | 404 | 406 | 411 | 422 | 500 => !is_misps,
        _ => false,
    }
}

/// A question about events that nobody has.
pub(super) fn question() -> Call {
    let nobodys = |number: u8| EventUuid::new(Uuid::new_v5(&Uuid::NAMESPACE_URL, &[number]));
    Call::WhichEvents((0..EVENTS_ASKED).map(nobodys).collect())
}
