//! The clock of the machine is set, or the machine sleeps, while the scheduler runs.

use std::collections::BTreeSet;

use crate::schedule::At;

use super::*;

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
/// The longest sleep of the dispatcher.
const LOOK: i64 = 20;

/// A machine with one route, whose runs take no time.
struct Machine {
    scheduler: Scheduler,
    /// What the wall clock shows.
    wall: i64,
    /// Real time.
    real: i64,
    /// When it ran, by the wall clock and in real time.
    ran: Vec<(i64, i64)>,
}

impl Machine {
    fn new(timing: Timing) -> Self {
        let schedule = Schedule { timing, zone: Zone::UTC, jitter: Duration::ZERO };
        let plan = RoutePlan { schedule, hold: None, last: None, last_success: None };
        let mut scheduler = Scheduler::default();
        scheduler.configure([(route("f", "a"), plan)].into());
        Self { scheduler, wall: 0, real: 0, ran: Vec::new() }
    }

    fn daily() -> Self {
        Self::new(Timing::At(At::new("02:30", BTreeSet::new()).unwrap()))
    }

    fn look(&mut self) {
        self.scheduler.look(at(self.wall));
        for _ in begin(&mut self.scheduler, self.wall) {
            self.scheduler.ended(&route("f", "a"), at(self.wall), Ended::Success);
            self.ran.push((self.wall, self.real));
        }
    }

    /// Time passes, and the dispatcher sleeps as long as it may.
    fn pass(&mut self, seconds: i64) {
        let end = self.real + seconds;
        while self.real < end {
            self.look();
            let due = self.scheduler.wake(at(self.wall));
            let nap = due.map_or(LOOK, |due| (due.seconds() - START - self.wall).clamp(1, LOOK));
            let nap = nap.min(end - self.real);
            (self.wall, self.real) = (self.wall + nap, self.real + nap);
        }
        self.look();
    }

    /// The clock is set.
    fn set(&mut self, by: i64) {
        self.wall += by;
        self.look();
    }

    /// The machine sleeps: real time passes, and nothing runs.
    fn sleep(&mut self, seconds: i64) {
        self.real += seconds;
        self.set(seconds);
    }
}

/// The last 02:30 that is not later, in seconds of a [`Machine`].
fn half_past_two(wall: i64) -> i64 {
    let time = 9_000;
    (START + wall - time).div_euclid(DAY) * DAY + time - START
}

#[test]
fn a_time_that_passed_while_the_machine_slept_is_caught_up_once() {
    let mut machine = Machine::daily();
    machine.pass(10);
    machine.set(half_past_two(machine.wall) + DAY - 5 - machine.wall);
    machine.pass(30);
    assert_eq!(machine.ran.len(), 2, "the first run, and at 02:30: {:?}", machine.ran);
    machine.sleep(17 * HOUR);
    machine.pass(HOUR);
    assert_eq!(machine.ran.len(), 2, "none was missed");
    machine.sleep(3 * DAY);
    assert_eq!(machine.ran.len(), 3, "several are caught up once");
    assert!(machine.real - machine.ran[2].1 <= LOOK);
}

#[test]
fn a_clock_that_is_set_back_has_no_time_of_the_day_come_twice() {
    let mut machine = Machine::daily();
    machine.pass(half_past_two(0) + DAY + 3);
    let ran = machine.ran.len();
    for back in [10, 3 * HOUR - 60] {
        machine.set(-back);
        machine.pass(back + 60);
        assert_eq!(machine.ran.len(), ran, "{back} s back: {:?}", machine.ran);
    }
    machine.pass(DAY);
    assert_eq!(machine.ran.len(), ran + 1);
    // A year that never was holds nothing up.
    machine.set(365 * DAY);
    machine.pass(60);
    machine.set(-365 * DAY);
    let ran = machine.ran.len();
    machine.pass(DAY);
    assert_eq!(machine.ran.len(), ran + 1);
}

#[test]
fn what_was_read_before_the_clock_was_set_back_is_no_newer_for_it() {
    let mut scheduler = scheduler(&[("f", "a", 60), ("f", "b", 0)]);
    scheduler.look(at(1_000));
    assert_eq!(begin(&mut scheduler, 1_000), ["f to a 1"]);
    scheduler.look(at(400));
    scheduler.ask(&route("f", "b"), at(400));
    assert_eq!(begin(&mut scheduler, 400), ["f to b 2"]);
    scheduler.ended(&route("f", "a"), at(401), Ended::Success);
    assert_eq!(scheduler.wake(at(401)), Some(at(461)));
    let began = scheduler.ended(&route("f", "b"), at(402), Ended::Success);
    assert_eq!(began, Some(at(400)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// However the clock is set: each time of the day that it comes to or passes has one run, at the next look, and
    /// none has two unless it is set back by more than three hours.
    #[test]
    fn each_time_of_the_day_has_one_run(
        acts in proptest::collection::vec((0..HOUR * 2, -3 * HOUR..30 * HOUR), 1..20)
    ) {
        let mut machine = Machine::daily();
        machine.look();
        let (mut latest, mut runs) = (machine.wall, 1);
        for (passed, set) in acts {
            machine.pass(passed);
            machine.set(set);
            // Once for the time that passed, once for the times that were skipped.
            for wall in [machine.wall - set, machine.wall] {
                if wall > latest {
                    runs += usize::from(half_past_two(wall) > latest);
                    latest = wall;
                }
            }
            prop_assert_eq!(machine.ran.len(), runs, "{:?}", machine.ran);
        }
    }

    /// However the clock is set: a route that runs so long after its last run waits no longer, and begins earlier only
    /// where the clock was set forward.
    #[test]
    fn a_span_is_no_longer_for_a_clock_that_is_set(
        acts in proptest::collection::vec((0..HOUR * 2, -30 * DAY..30 * HOUR), 1..20)
    ) {
        const SPAN: i64 = 900;
        let mut machine = Machine::new(Timing::Every(Duration::from_secs(SPAN.unsigned_abs())));
        for (passed, set) in acts {
            let before = machine.ran.len();
            machine.pass(passed);
            for pair in machine.ran[before.saturating_sub(1)..].windows(2) {
                let apart = pair[1].1 - pair[0].1;
                prop_assert!(apart <= SPAN + LOOK, "{apart} s apart");
            }
            for pair in machine.ran[before..].windows(2) {
                prop_assert!(pair[1].1 - pair[0].1 >= SPAN);
            }
            machine.set(set);
            prop_assert!(machine.real - machine.ran.last().unwrap().1 <= SPAN + LOOK);
        }
    }
}
