//! What time a MISP has, by the `Date` of its answers: the clock of MISP, or of something before it that lies. What cannot
//! be dates nothing, and MISP's own stamps outweigh it.

use crate::{
    delivery::{Call, Exchange, Reply},
    model::Timestamp,
    plan::DestinationRecord,
};

const DAY: i64 = 24 * 3_600;
/// So far ahead of every clock that is known no MISP is that anybody uses.
const AHEAD_MAX: i64 = 366 * DAY;
/// 2025-01-01: before that it is a clock that nobody set.
const NOBODY_SET: i64 = 1_735_689_600;

/// What an answer says of MISP's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::agent) enum Clock {
    /// It says nothing.
    Silent,
    /// It stands so.
    At(Timestamp),
    /// What it says cannot be: why, and where it stands instead, as far as that is known.
    Doubted(String, Option<Timestamp>),
}

/// When MISP stamped the event that a call wrote, by its own clock: an edit of fields brings its time along.
pub(in crate::agent) fn stamp(call: &Call, reply: &Reply) -> Option<i64> {
    match (call.bare(), reply) {
        (Call::AddEvent(_) | Call::AppendQuietly { .. }, Reply::Event(answer)) => {
            Some(answer.timestamp)
        }
        _ => None,
    }
}

/// Reads what an answer says of MISP's clock. A date within a day of ours is believed, and so is any that MISP may have.
pub(in crate::agent) fn clock(
    exchange: &Exchange,
    stamp: Option<i64>,
    now: Timestamp,
    record: &DestinationRecord,
) -> Clock {
    let Some(date) = exchange.date else { return Clock::Silent };
    let (told, ours) = (date.seconds(), now.seconds());
    let is_near = |one: i64, other: i64| one.abs_diff(other) <= DAY.unsigned_abs();
    if is_near(told, ours) {
        return Clock::At(date);
    }
    // A clock of ours that was set back since, or that nobody set, is no measure.
    let heard = record.heard.map_or(NOBODY_SET, Timestamp::seconds);
    let last = record.heard.map(|at| at.seconds().saturating_add(record.clock_offset_seconds));
    // A clock of ours that went back says nothing of how long ago that was.
    let since = record.heard.map_or(0, |at| (ours - at.seconds()).max(0));
    let is_jump = last.is_some_and(|last| told > last.saturating_add(since).saturating_add(DAY));
    let is_back = last.is_some_and(|last| told < last.saturating_sub(DAY));
    let stamp_here = stamp.filter(|stamp| is_near(*stamp, ours));
    let why = if told > ours.max(heard).saturating_add(AHEAD_MAX) {
        "it is years ahead of this machine's clock"
    } else if told < NOBODY_SET {
        "it is of a clock that nobody set"
    } else if stamp.is_some_and(|stamp| is_near(stamp, told)) {
        return Clock::At(date);
    } else if is_back {
        "it is before what the same MISP said last"
    } else if is_jump {
        "it is more than a day ahead of what the same MISP said last, and MISP gave no event such a time"
    } else if stamp_here.is_some() || shown(&exchange.reply).is_some_and(|it| it > told + DAY) {
        "MISP itself gave an event another time"
    } else {
        return Clock::At(date);
    };
    Clock::Doubted(note(date, why), stamp_here.map(Timestamp::from_seconds))
}

/// The time of an event that an answer shows: no later than MISP's clock, unless that was set back.
fn shown(reply: &Reply) -> Option<i64> {
    match reply {
        Reply::Event(answer) | Reply::Metadata(Some(answer)) => Some(answer.timestamp),
        _ => None,
    }
    .filter(|shown| (1..=i64::from(i32::MAX)).contains(shown))
}

fn note(date: Timestamp, why: &str) -> String {
    format!(
        "the Date header of MISP's answers says {date}, which cannot be: {why}; it dates nothing: check MISP's clock, and \
         that of the proxy before it"
    )
}

/// How far MISP's clock is believed to be from ours once a date of it was doubted. What is ahead without a proof would
/// date attributes with a time that has not come there.
pub(in crate::agent) fn offset_in_doubt(
    record: &DestinationRecord,
    now: Timestamp,
    at: Option<Timestamp>,
) -> i64 {
    match at {
        Some(at) => offset(at, now),
        None => record.clock_offset_seconds.min(0),
    }
}

/// MISP's clock minus ours. Within two seconds they agree as far as a header in whole seconds can tell.
pub(in crate::agent) fn offset(at: Timestamp, now: Timestamp) -> i64 {
    let offset = at.seconds() - now.seconds();
    if (-2..=0).contains(&offset) { 0 } else { offset }
}
