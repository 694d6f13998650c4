//! A token bucket: how long bytes have to wait so that no more pass than a rate allows.

use std::{num::NonZeroU64, time::Duration};

/// What was not used of the last second may be used later: over a minute that is less than two of a hundred.
const SAVED_MAX: Duration = Duration::from_secs(1);

/// A bucket that fills at a rate. It begins empty; times are those since it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bucket {
    rate: NonZeroU64,
    /// When all that was taken has passed at the rate.
    passed: Duration,
}

impl Bucket {
    /// One for so many bytes a second.
    pub(super) const fn new(rate: NonZeroU64) -> Self {
        Self { rate, passed: Duration::ZERO }
    }

    /// Takes bytes out, and says how long they have to wait for those before them.
    pub(super) fn take(&mut self, bytes: u64, now: Duration) -> Duration {
        let begins = self.passed.max(now.saturating_sub(SAVED_MAX));
        self.passed = begins.saturating_add(self.span_of(bytes));
        begins.saturating_sub(now)
    }

    fn span_of(&self, bytes: u64) -> Duration {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.rate.get());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: u64 = 1_000;

    fn bucket() -> Bucket {
        Bucket::new(NonZeroU64::new(RATE).unwrap())
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn bytes_wait_for_those_before_them() {
        let mut bucket = bucket();
        assert_eq!(bucket.take(500, ms(0)), ms(0));
        assert_eq!(bucket.take(250, ms(0)), ms(500));
        assert_eq!(bucket.take(0, ms(100)), ms(650), "two of them wait one after the other");
        assert_eq!(bucket.take(100, ms(750)), ms(0));
        assert_eq!(bucket.take(100, ms(750)), ms(100));
    }

    #[test]
    fn a_second_is_saved_and_no_more() {
        let mut bucket = bucket();
        assert_eq!(bucket.take(1_000, ms(60_000)), ms(0));
        assert_eq!(bucket.take(1, ms(60_000)), ms(0));
        assert_eq!(bucket.take(1_000, ms(60_000)), ms(1));
    }

    #[test]
    fn a_rate_that_is_no_whole_number_of_nanoseconds_stays_exact_over_a_day() {
        let mut bucket = Bucket::new(NonZeroU64::new(65_537).unwrap());
        let (mut now, mut bytes) = (Duration::ZERO, 0);
        while now < Duration::from_hours(24) {
            now += bucket.take(4_096, now);
            bytes += 4_096;
        }
        let exact: u64 = 65_537 * 24 * 3_600;
        assert!(exact <= bytes && bytes < exact + 3 * 4_096, "{bytes} of {exact}");
    }

    proptest! {
        /// Whoever takes pieces as they may go never passes more in a window than the rate, the second that is
        /// saved, and a piece; and whoever always has something to send passes all of it.
        #[test]
        fn no_window_passes_more_than_the_rate(
            pieces in prop::collection::vec((1_u64..400, 0_u64..3_000), 1..400),
            window in 1_u64..120,
        ) {
            let (mut bucket, mut now, mut passed) = (bucket(), Duration::ZERO, Vec::new());
            for (bytes, pause) in pieces {
                now += bucket.take(bytes, now);
                passed.push((now, bytes));
                now += if pause > 2_000 { ms(pause - 2_000) } else { ms(0) };
            }
            let window = Duration::from_secs(window);
            for (at, _) in &passed {
                let within = passed.iter().filter(|(then, _)| at <= then && *then < *at + window);
                let bytes: u64 = within.map(|(_, bytes)| bytes).sum();
                prop_assert!(bytes <= RATE * (window.as_secs() + 1) + 400);
            }
        }
    }
}
