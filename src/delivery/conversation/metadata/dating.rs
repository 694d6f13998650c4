//! Which times in MISP's answers date anything. MISP, or something on the way, may answer any number: what cannot be is
//! no edit of an analyst, guards no edit of ours, and is not kept.

use crate::model::AttributeUuid;

use super::super::Conversation;

/// So far MISP's clock may have gone on, or been set, beyond where it was believed to stand.
const AHEAD_SECONDS: i64 = 24 * 3_600;
/// By so much a clock may stand wrong that nobody doubts when it is the reason why MISP refuses an edit.
const WRONG_SECONDS_MAX: u64 = 31 * 24 * 3_600;

impl Conversation {
    /// Whether MISP's clock may have been there: its column holds 31 bits, and 0 is what stands there of no time.
    pub(in crate::delivery::conversation) fn can_be(&self, shown: i64) -> bool {
        is_time(shown) && shown <= self.manners.misp_now.saturating_add(AHEAD_SECONDS)
    }

    /// Whether an echo dates an attribute. MISP stores the time that it is sent, and moves it forth alone.
    pub(in crate::delivery::conversation) fn dates(&self, key: AttributeUuid, shown: i64) -> bool {
        let sent = self.event.attribute(key).and_then(|known| known.timestamp);
        sent.is_none_or(|sent| shown == sent || (shown > sent && self.can_be(shown)))
    }

    /// The time that an edit has to be newer than, where MISP shows this one of the event. What cannot be counts once
    /// MISP refused an edit that went by the believed time, and is not far off: then it is there.
    pub(in crate::delivery::conversation) fn guard_by(&self, shown: i64) -> i64 {
        let is_near = shown.abs_diff(self.manners.misp_now) <= WRONG_SECONDS_MAX;
        match self.can_be(shown) || (self.retry.not_newer > 0 && is_near) {
            true => shown,
            false => self.manners.misp_now,
        }
    }
}

/// Whether a number is a time that MISP can hold.
pub(in crate::delivery::conversation) fn is_time(shown: i64) -> bool {
    (1..=i64::from(i32::MAX)).contains(&shown)
}
