//! What time it is: the wall clock as it stands at each look, and within one run a clock that nobody sets.

pub(super) mod dates;

use std::{
    fmt,
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::model::Timestamp;

/// By less than this the wall clock is not taken to be set: that it is told apart from time that passes lets all
/// runs of a process compare their times to the microsecond.
const SET_BY: Duration = Duration::from_secs(1);

/// The wall clock.
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;

    /// What it shows, and what else is known of it then. By default that of a clock that is never set.
    fn look(&self) -> Look {
        let now = self.now();
        let passed = Timestamp::default().until(now);
        Look { now, passed, set: None }
    }
}

/// One look at a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// What it shows.
    pub now: Timestamp,
    /// How much time has passed since some moment, whoever set the clock since.
    pub passed: Duration,
    /// If somebody set it: what is not later than this may have been written down by the clock as it stood before.
    pub set: Option<Timestamp>,
}

impl Look {
    /// Whether what was noted at a time may have been noted before somebody set the clock.
    pub(super) fn is_of_before(&self, noted: Timestamp) -> bool {
        self.set.is_some_and(|set| noted <= set)
    }
}

/// The clock of the operating system. Whoever sets it, or wakes the machine up, has it followed from the next look on.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.look().now
    }

    fn look(&self) -> Look {
        static BEGUN: OnceLock<Instant> = OnceLock::new();
        static WATCH: Mutex<Option<Watch>> = Mutex::new(None);
        let begun = BEGUN.get_or_init(Instant::now);
        // The clocks are read while it is locked: what one thread sees is later than what another saw before.
        let mut watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, wall, after) = (begun.elapsed(), wall_clock(), begun.elapsed());
        watch.get_or_insert_with(|| Watch::begin(wall, before)).look(wall, before, after)
    }
}

/// A clock before 1970 counts as 1970, one after 9999 as the last moment that can be written as a date.
fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::default().after(since).min(Timestamp::LAST)
}

/// Tells time that passes from a wall clock that is set.
#[derive(Debug, Clone, Copy)]
struct Watch {
    /// What the wall clock showed when so much time had passed.
    wall: Timestamp,
    passed: Duration,
    set: Option<Timestamp>,
}

impl Watch {
    const fn begin(wall: Timestamp, passed: Duration) -> Self {
        Self { wall, passed, set: None }
    }

    /// The wall clock shows this, read at some moment of a span, as the system may let others run meanwhile.
    fn look(&mut self, wall: Timestamp, before: Duration, after: Duration) -> Look {
        let (earliest, latest) = (self.expected(before), self.expected(after));
        if wall.after(SET_BY) < earliest || wall > latest.after(SET_BY) {
            self.set = self.set.max(Some(latest.max(wall)));
            (self.wall, self.passed) = (wall, after);
        }
        Look { now: self.expected(after), passed: after, set: self.set }
    }

    fn expected(&self, passed: Duration) -> Timestamp {
        self.wall.after(passed.saturating_sub(self.passed))
    }
}

/// A clock as it stood when a run began, and as much later as time has passed since: whoever sets it meanwhile makes
/// no wait longer, and nothing happen before it began.
#[derive(Clone, Copy)]
pub(super) struct Steady<'a> {
    clock: &'a dyn Clock,
    begun: Look,
}

impl<'a> Steady<'a> {
    pub(super) fn begin(clock: &'a dyn Clock) -> Self {
        Self { clock, begun: clock.look() }
    }

    /// Now, by this run's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.look().now
    }

    /// Whether what was noted at a time, in this run or before, says nothing any more, as somebody set the clock.
    pub(super) fn is_of_before(&self, noted: Timestamp) -> bool {
        let look = self.clock.look();
        look.set != self.begun.set || look.is_of_before(noted)
    }
}

impl Clock for Steady<'_> {
    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn look(&self) -> Look {
        let Look { passed, set, .. } = self.clock.look();
        let now = self.begun.now.after(passed.saturating_sub(self.begun.passed));
        Look { now, passed, set }
    }
}

impl fmt::Debug for Steady<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steady").field("begun", &self.begun).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use proptest::prelude::*;

    use super::*;

    /// A wall clock and time that passes, each moved by hand.
    struct Machine {
        wall: Cell<i64>,
        passed: Cell<u64>,
        watch: RefCell<Watch>,
    }

    const START: i64 = 1_800_000_000_000_000;
    const SECOND: i64 = 1_000_000;

    impl Machine {
        fn new() -> Self {
            let watch = Watch::begin(Timestamp::from_micros(START), Duration::ZERO);
            Self { wall: Cell::new(START), passed: Cell::new(0), watch: RefCell::new(watch) }
        }

        fn pass(&self, micros: u64) {
            self.passed.set(self.passed.get() + micros);
            self.set(micros.cast_signed());
        }

        fn set(&self, by: i64) {
            self.wall.set(self.wall.get() + by);
        }
    }

    impl Clock for Machine {
        fn now(&self) -> Timestamp {
            self.look().now
        }

        fn look(&self) -> Look {
            let (wall, passed) =
                (Timestamp::from_micros(self.wall.get()), Duration::from_micros(self.passed.get()));
            self.watch.borrow_mut().look(wall, passed, passed)
        }
    }

    proptest! {
        /// However the clock is set, forth and back: each look shows the wall clock, a run counts time that passes, and
        /// nothing that was noted before is taken for noted since.
        #[test]
        fn each_look_follows_the_wall_clock_and_a_run_counts_time_that_passes(
            acts in proptest::collection::vec((0..3_600 * SECOND, -100_000 * SECOND..100_000 * SECOND), 1..40)
        ) {
            let machine = Machine::new();
            for (passed, set) in acts {
                let (run, noted) = (Steady::begin(&machine), machine.now());
                machine.pass(passed.cast_unsigned());
                prop_assert_eq!(run.now(), noted.after(Duration::from_micros(passed.cast_unsigned())));
                let (in_run, before) = (run.now(), machine.now());
                prop_assert!(!run.is_of_before(in_run) || machine.look().set.is_some_and(|set| set >= in_run));
                machine.set(set);
                let off = machine.now().micros().abs_diff(machine.wall.get());
                prop_assert!(off <= SECOND.cast_unsigned(), "off by {off} µs");
                prop_assert_eq!(run.now(), in_run, "no time passed");
                if set.abs() > 2 * SECOND {
                    prop_assert!(run.is_of_before(in_run) && run.is_of_before(before));
                    prop_assert!(Steady::begin(&machine).is_of_before(before));
                    machine.pass(before.micros().abs_diff(machine.wall.get()) + 1);
                    let (next, now) = (Steady::begin(&machine), machine.now());
                    prop_assert_eq!(next.is_of_before(now), machine.look().set >= Some(now));
                }
            }
        }
    }

    #[test]
    fn time_that_others_take_between_two_readings_is_no_clock_that_is_set() {
        let start = Timestamp::from_seconds(1_800_000_000);
        let (span, mut watch) = (Duration::from_secs, Watch::begin(start, Duration::ZERO));
        for read_at in [10, 25, 40] {
            let look = watch.look(start.after(span(read_at)), span(10), span(40));
            assert_eq!((look.now, look.set), (start.after(span(40)), None), "{read_at}");
        }
        assert!(watch.look(start.after(span(43)), span(40), span(40)).set.is_some());
    }

    #[test]
    fn the_clock_of_the_system_is_followed() {
        let (before, now, after) = (wall_clock(), SystemClock.now(), wall_clock());
        assert!(
            before <= now.after(SET_BY) && now <= after.after(SET_BY),
            "{before} {now} {after}"
        );
        assert!(SystemClock.now() >= now);
    }
}
