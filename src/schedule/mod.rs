//! When a route runs: a schedule and the last run give the time of the next. There is no clock here; what time it
//! is comes in as a value.
//!
//! All that an outgoing feed of EclecticIQ can be set to can be said:
//!
//! | EclecticIQ | here |
//! | --- | --- |
//! | None | [`Timing::OnRequest`] |
//! | Every n minutes, every n hours | [`Timing::Every`], or a cron expression for times of the clock |
//! | Every hour, n minutes past the hour | the cron expression `n * * * *` |
//! | Every day or week at a time | [`Timing::At`] |
//! | Every month, and all else | a cron expression |
//!
//! A time counts as kept when a run began at it or later: what a run read before may lack what came at that time.
//! So a time that passed during a run, or while nothing ran, is caught up, and however many they were, once.

mod at;
mod backoff;
mod cron;
mod minutes;
#[cfg(test)]
mod tests;
mod zone;

use std::time::Duration;

use crate::model::{Context, Encoder, RouteName, Timestamp};

pub use at::{At, Weekday};
pub use backoff::backoff;
pub use cron::{Cron, CronError};
pub use zone::Zone;

/// When a route runs by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// At what times.
    pub timing: Timing,
    /// Where the times of [`Timing::At`] and [`Timing::Cron`] are local.
    pub zone: Zone,
    /// A run begins up to so much later, so that many do not begin at once.
    pub jitter: Duration,
}

/// The times of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timing {
    /// Only when somebody asks for it.
    OnRequest,
    /// So long after the end of a run.
    Every(Duration),
    /// At a time of the day.
    At(At),
    /// At the times of a cron expression.
    Cron(Cron),
}

/// The last run of a route, whatever came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastRun {
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How many runs in a row failed, this one the last of them; 0 if it did not fail.
    pub failures: u32,
}

impl Schedule {
    /// When the next run begins: at once if that is not later than `now`. `None`: not by itself.
    ///
    /// A route that never ran is due at once, and so is one whose last run lies in the future: the clock was set
    /// back, and nobody knows how long ago it was. A run that failed is tried again after [`backoff()`], or when the
    /// next one is due anyway. `seed` tells routes apart that have the same schedule; it decides about the jitter.
    #[must_use]
    pub fn due(&self, now: Timestamp, last: Option<&LastRun>, seed: u64) -> Option<Timestamp> {
        let known = last.filter(|last| last.began <= now && last.ended <= now);
        let Some(last) = known else { return self.runs_by_itself().then_some(now) };
        let due = match &self.timing {
            Timing::OnRequest => return None,
            Timing::Every(span) => Some(last.ended.after(*span)),
            Timing::At(at) => self.zone.next(&at.minutes(), last.began),
            Timing::Cron(cron) => self.zone.next(cron.minutes(), last.began),
        };
        let due = due.map(|due| due.after(delay(self.jitter, seed, due)));
        let again = (last.failures > 0).then(|| last.ended.after(backoff(last.failures)));
        due.into_iter().chain(again).min()
    }

    /// Whether it ever says that a run is due.
    #[must_use]
    pub fn runs_by_itself(&self) -> bool {
        self.timing != Timing::OnRequest
    }
}

/// Tells routes apart that have the same schedule.
#[must_use]
pub fn seed(name: &RouteName) -> u64 {
    let digest = Encoder::new(Context::Source)
        .text(name.feed.as_str())
        .text(name.destination.as_str())
        .finish();
    let (first, _) = digest.as_bytes().split_at(8);
    u64::from_le_bytes(first.try_into().expect("a digest is longer than eight bytes"))
}

/// A part of the jitter, another for each route and each time, and always the same for the same.
fn delay(jitter: Duration, seed: u64, due: Timestamp) -> Duration {
    // The last steps of SplitMix64, which spread every bit over all.
    let mixed = seed ^ due.micros().cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let most = u64::try_from(jitter.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros((mixed ^ (mixed >> 31)) % most.saturating_add(1).max(1))
}
