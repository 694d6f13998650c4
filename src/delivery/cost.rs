//! What requests cost in bytes, and which of two ways to append is the cheaper.
//!
//! The numbers were measured on MISP 2.5.1 with headers, in both directions: an append by attributes/add
//! echoes each attribute in 450 to 530 bytes; events/edit answers about 1.1 KB whatever the number, but has
//! to be guarded before and proven afterwards, at 900 bytes each.

use crate::plan::EventPlan;

/// Headers of a request that has a body.
const HEADERS_SENT: u64 = 420;
/// Headers of its answer.
const HEADERS_RECEIVED: u64 = 280;
const HEADERS: u64 = HEADERS_SENT + HEADERS_RECEIVED;
/// Echo of one attribute, its value and comment aside.
const ECHO: u64 = 420;
/// The metadata that events/add and events/edit answer.
const METADATA: u64 = 690;
/// A question for rows.
const PROOF_SENT: u64 = 620;
/// Its answer, 304.
const PROOF_RECEIVED: u64 = 280;
const PROOF: u64 = PROOF_SENT + PROOF_RECEIVED;
/// Fields of an attribute in a request: UUID, type, timestamp and the names of the fields.
const FIELDS: u64 = 110;
/// What compression leaves of a large body: measured 0.30 for hashes, less for domains.
const COMPRESSED_PERCENT: u64 = 32;

/// How attributes are appended to an event that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// events/edit: cheap for many, needs guard and proof.
    Quiet,
    /// attributes/add: cheap for a few, says what it refuses.
    Loud,
}

/// The cheaper way to append `count` attributes of `text` bytes in all (values and comments).
pub(super) fn cheaper(count: u64, text: u64, guarded: bool) -> Way {
    let body = text + count * FIELDS;
    let loud = HEADERS + body + count * ECHO + text;
    let guard = if guarded { 0 } else { PROOF };
    let quiet = guard + HEADERS + body + METADATA + PROOF;
    if quiet < loud { Way::Quiet } else { Way::Loud }
}

/// What a plan would cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimate {
    /// Requests.
    pub requests: u64,
    /// Bytes of the requests, headers included.
    pub bytes_sent: u64,
    /// Bytes of the answers, headers included.
    pub bytes_received: u64,
}

impl Estimate {
    /// Adds what so many more requests cost, in all.
    pub const fn add(&mut self, requests: u64, bytes_sent: u64, bytes_received: u64) {
        self.requests += requests;
        self.bytes_sent += bytes_sent;
        self.bytes_received += bytes_received;
    }
}

/// Estimates what carrying out a plan costs if nothing goes wrong.
#[must_use]
pub fn estimate(plan: &EventPlan, chunk_max: usize) -> Estimate {
    if !plan.needs_misp() {
        return Estimate::default();
    }
    let texts = plan.send.iter().filter_map(|uuid| plan.event.attributes.get(uuid));
    let text: u64 = texts
        .map(|known| (known.attribute.value.as_str().len() + known.attribute.comment.len()) as u64)
        .sum();
    let count = plan.send.len() as u64;
    let chunks = count.div_ceil(chunk_max.max(1) as u64);
    let body = text + count * FIELDS;
    let packed = if body > 1_000 { body * COMPRESSED_PERCENT / 100 } else { body };
    let mut total = Estimate::default();
    if plan.create {
        let requests = chunks.max(1);
        let answers = requests * (HEADERS_RECEIVED + METADATA);
        total.add(requests, requests * HEADERS_SENT + packed, answers);
        if count > 0 {
            total.add(1, PROOF_SENT, PROOF_RECEIVED);
        }
    } else if count > 0 {
        match cheaper(count, text, false) {
            Way::Loud => {
                total.add(1, HEADERS_SENT + packed, HEADERS_RECEIVED + count * ECHO + text);
            }
            Way::Quiet => {
                let answers = chunks * (HEADERS_RECEIVED + METADATA);
                total.add(chunks, chunks * HEADERS_SENT + packed, answers);
                total.add(2, 2 * PROOF_SENT, 2 * PROOF_RECEIVED);
            }
        }
    }
    if plan.publish {
        total.add(1, HEADERS_SENT, HEADERS_RECEIVED);
    }
    if plan.fields.is_some() {
        total.add(1, HEADERS_SENT, HEADERS_RECEIVED + METADATA);
    }
    let tags = plan.tags.len() as u64;
    total.add(tags, tags * HEADERS_SENT, tags * HEADERS_RECEIVED);
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handful_goes_loudly_and_many_quietly() {
        assert_eq!(cheaper(1, 64, false), Way::Loud);
        assert_eq!(cheaper(2, 128, false), Way::Loud);
        assert_eq!(cheaper(10, 640, false), Way::Quiet);
        assert_eq!(cheaper(1_000, 64_000, false), Way::Quiet);
        assert_eq!(cheaper(4, 256, true), Way::Quiet);
    }
}
