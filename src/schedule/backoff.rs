//! How long a route that failed waits before it tries again.

use std::time::Duration;

/// The first wait; each further one is twice as long.
const FIRST: Duration = Duration::from_mins(1);
/// The longest wait.
const LONGEST: Duration = Duration::from_mins(15);

/// From the end of a run to the next attempt after so many failures in a row: 1, 2, 4, 8 and then always 15
/// minutes. No wait after none.
#[must_use]
pub fn backoff(failures: u32) -> Duration {
    match failures.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => 2_u32
            .checked_pow(doublings)
            .map_or(LONGEST, |times| FIRST.saturating_mul(times).min(LONGEST)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_quarter_of_an_hour() {
        let minutes = |failures| backoff(failures).as_secs() / 60;
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(minutes), [0, 1, 2, 4, 8, 15, 15]);
        assert_eq!([31, 32, 33, u32::MAX].map(minutes), [15; 4]);
    }
}
