//! When to try again, decided in one place.

use std::time::Duration;

use super::Timestamp;

/// Longest rest that is granted to a server that asks for one, in seconds: the window of the rate limit of MISP
/// 2.5.1. A longer one ends the run.
pub const REST_SECONDS_MAX: u64 = 900;

/// How long to wait before a repeat, and how often to repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// First wait; each further one is twice as long.
    pub base_ms: u64,
    /// Longest wait.
    pub max_ms: u64,
    /// Tries of one call before its event is given up for this run.
    pub tries_max: u32,
    /// Seed of the jitter, so that a run can be replayed.
    pub seed: u64,
}

impl Backoff {
    /// The wait after the `tries`-th failure, counted from 1: exponential, with jitter of up to a half,
    /// but never less than the server asked for.
    #[must_use]
    pub fn until(
        &self,
        now: Timestamp,
        tries: u32,
        salt: u64,
        retry_after_s: Option<u64>,
    ) -> Timestamp {
        let doubled = self.base_ms.saturating_mul(1 << tries.saturating_sub(1).min(20));
        let wait = doubled.min(self.max_ms);
        let noise = self.seed ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(tries);
        let noise = noise.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33;
        let jittered = wait / 2 + noise % (wait / 2 + 1);
        let asked = retry_after_s.unwrap_or(0).saturating_mul(1_000);
        now.after(Duration::from_millis(jittered.max(asked)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { base_ms: 1_000, max_ms: 60_000, tries_max: 5, seed: 7 };

    #[test]
    fn waits_grow_and_are_bounded() {
        let now = Timestamp::from_seconds(0);
        for tries in 1..40 {
            let wait_ms = BACKOFF.until(now, tries, 1, None).micros() / 1_000;
            let full: i64 = 1_000_i64.saturating_mul(1 << (tries - 1).min(20)).min(60_000);
            assert!((full / 2..=full).contains(&wait_ms), "{tries}: {wait_ms}");
        }
    }

    #[test]
    fn the_servers_wish_is_honoured() {
        let until = BACKOFF.until(Timestamp::from_seconds(0), 1, 1, Some(90));
        assert_eq!(until.seconds(), 90);
    }
}
