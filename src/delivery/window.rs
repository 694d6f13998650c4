//! How many requests are under way at once: one more as long as MISP gets more done by it. It is TCP's congestion
//! window, with attributes for bytes.
//!
//! What MISP gets done is measured while the window is full: a run with little to send says nothing of MISP. A window
//! that turns out no better is given up, and tried again after a while that doubles each time. Whoever else uses that MISP
//! waits longer with each further request, so the window does not grow beyond twice the shortest wait. What an earlier run
//! learned is held against smaller windows first: MISP may have moved to another machine.

use std::cmp::Ordering;

use crate::model::Timestamp;

/// What a request costs MISP beside its attributes, counted in attributes: 70 ms, where an attribute takes 2.5 (measured
/// on 2.5.1).
const REQUEST: u64 = 28;
/// The window to begin with: two writers fill a MISP of two cores.
const FIRST: usize = 2;
/// The largest window that is tried.
const MOST: usize = 8;
/// So many answers for each place in the window are a measurement.
const ANSWERS: usize = 6;
/// One place more has to get so many percent more done.
const GAIN_PERCENT: u64 = 5;
/// Measurements before a larger window is tried again, at first and at most.
const PATIENCE: u32 = 4;
const PATIENCE_MAX: u32 = 64;
/// A measurement that took longer, in seconds, shows how the clock was set.
const LONGEST: u64 = 15 * 60;

/// How many requests a run may have under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concurrency {
    /// So many.
    Fixed(usize),
    /// As many as turn out best.
    Auto,
}

/// The most requests under way at once, as it was learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    most: usize,
    /// `None`: it stays as it is.
    search: Option<Search>,
}

/// What is known of other windows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Search {
    /// The best window so far, which was measured if it has a rate.
    best: usize,
    rate: Option<Rate>,
    /// The shortest wait for an attribute that any window had, in nanoseconds.
    shortest: u64,
    /// Measurements to go before the next trial, and how many it will be after that one.
    rest: u32,
    patience: u32,
    /// Whether a smaller window is to be tried first.
    doubts: bool,
    /// Whether it is this small only because something came to nothing.
    halved: bool,
    measured: Measured,
}

/// What was answered since the window is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Measured {
    since: Option<Timestamp>,
    attributes: u64,
    answers: usize,
    /// Answers to come of requests that began in another window.
    stale: usize,
}

/// Attributes in a million seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rate(u64);

impl Rate {
    /// Whether it is so much more than another that a place more pays.
    const fn pays_against(self, other: Self) -> bool {
        self.0.saturating_mul(100) >= other.0.saturating_mul(100 + GAIN_PERCENT)
    }

    /// What an attribute waits in a window of this size, in nanoseconds.
    fn wait(self, window: usize) -> u64 {
        (window as u64).saturating_mul(1_000_000_000_000_000) / self.0.max(1)
    }

    /// One measurement more of the same.
    const fn and(self, newer: Self) -> Self {
        Self((self.0 / 4).saturating_mul(3).saturating_add(newer.0 / 4))
    }
}

impl Window {
    /// The window of a run: as large as is said, or as an earlier run learned it, to be learned further.
    #[must_use]
    pub fn new(concurrency: Concurrency, learned: Option<usize>) -> Self {
        match concurrency {
            Concurrency::Fixed(most) => Self { most: most.max(1), search: None },
            Concurrency::Auto => {
                let best = learned.unwrap_or(FIRST).clamp(FIRST, MOST);
                let search = Search {
                    best,
                    rate: None,
                    shortest: u64::MAX,
                    rest: if learned.is_some() { PATIENCE } else { 0 },
                    patience: PATIENCE,
                    doubts: best > FIRST,
                    halved: false,
                    measured: Measured::default(),
                };
                Self { most: best, search: Some(search) }
            }
        }
    }

    /// The most requests under way now.
    #[must_use]
    pub const fn most(&self) -> usize {
        self.most
    }

    /// The window that turned out best, if that was measured.
    #[must_use]
    pub fn learned(&self) -> Option<usize> {
        let measured = |search: &&Search| search.rate.is_some() && !search.halved;
        self.search.as_ref().filter(measured).map(|search| search.best)
    }

    /// The window is not full: what is answered now says nothing.
    pub(super) fn slackens(&mut self) {
        if let Some(search) = &mut self.search {
            search.measured = Measured { stale: search.measured.stale, ..Measured::default() };
        }
    }

    /// A request was answered that wrote so many attributes; a question writes none.
    pub(super) fn answered(&mut self, attributes: usize, now: Timestamp) {
        let Some(search) = &mut self.search else { return };
        if let Some(rate) = search.measured.answered(attributes, self.most, now) {
            let next = search.next(self.most, rate);
            self.change(next);
        }
    }

    /// A request came to nothing because MISP, or what stands before it, has too much to do. All that are under way may:
    /// together they halve the window once.
    pub(super) fn too_much(&mut self) {
        let Some(search) = &mut self.search else { return };
        if search.measured.stale > 0 {
            search.measured.stale -= 1;
            return;
        }
        search.best = (search.best / 2).max(1);
        (search.rate, search.rest) = (None, PATIENCE);
        (search.doubts, search.halved) = (false, true);
        let next = search.best;
        self.change(next);
    }

    fn change(&mut self, next: usize) {
        if let Some(search) = &mut self.search {
            let stale = if next == self.most { 0 } else { next.max(self.most) };
            search.measured = Measured { stale, ..Measured::default() };
        }
        self.most = next;
    }
}

impl Search {
    /// The window that follows a measurement of this one.
    fn next(&mut self, window: usize, rate: Rate) -> usize {
        self.shortest = self.shortest.min(rate.wait(window));
        match window.cmp(&self.best) {
            Ordering::Greater => {
                let pays = self.rate.is_none_or(|before| rate.pays_against(before));
                self.halved = false;
                if !pays || self.is_too_long(window, rate) {
                    self.wait_longer();
                    return self.best;
                }
                (self.best, self.rate, self.patience) = (window, Some(rate), PATIENCE);
            }
            Ordering::Less => {
                let larger = self.rate.filter(|larger| larger.pays_against(rate));
                if larger.is_some_and(|larger| !self.is_too_long(self.best, larger)) {
                    self.doubts = false;
                    return self.best;
                }
                (self.best, self.rate) = (window, Some(rate));
            }
            Ordering::Equal => {
                self.rate = Some(self.rate.map_or(rate, |before| before.and(rate)));
            }
        }
        self.doubts &= self.best > FIRST;
        if self.doubts {
            return self.best - 1;
        }
        if self.best == MOST || self.rest > 0 {
            self.rest = self.rest.saturating_sub(1);
            return self.best;
        }
        self.best + 1
    }

    fn is_too_long(&self, window: usize, rate: Rate) -> bool {
        rate.wait(window) > self.shortest.saturating_mul(2)
    }

    fn wait_longer(&mut self) {
        self.rest = self.patience;
        self.patience = (self.patience * 2).min(PATIENCE_MAX);
    }
}

impl Measured {
    /// Takes an answer in; the rate, once there are enough.
    fn answered(&mut self, attributes: usize, window: usize, now: Timestamp) -> Option<Rate> {
        if self.stale > 0 {
            self.stale -= 1;
            return None;
        }
        let Some(since) = self.since else {
            self.since = Some(now);
            return None;
        };
        self.attributes += REQUEST + attributes as u64;
        self.answers += 1;
        if self.answers < ANSWERS * window {
            return None;
        }
        let span = since.until(now);
        let measured = std::mem::take(self);
        let micros = u64::try_from(span.as_micros()).ok()?;
        let is_sound = micros > 0 && span.as_secs() < LONGEST;
        is_sound.then(|| Rate(measured.attributes.saturating_mul(1_000_000_000_000) / micros))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A MISP that works on so many requests at once, each of so many attributes, and is no quicker with more.
    struct Misp {
        cores: usize,
        now: Timestamp,
    }

    impl Misp {
        fn new(cores: usize) -> Self {
            Self { cores, now: Timestamp::from_seconds(1_000) }
        }

        /// Answers to a window that is full, until so many came.
        fn answers(&mut self, window: &mut Window, count: usize) {
            for _ in 0..count {
                let at_once = window.most().min(self.cores) as u64;
                self.now = self.now.after(Duration::from_micros(2_570_000 / at_once));
                window.answered(1_000, self.now);
            }
        }
    }

    #[test]
    fn it_grows_as_long_as_more_gets_done_and_is_remembered() {
        for cores in 1..=6 {
            let (mut misp, mut window) = (Misp::new(cores), Window::new(Concurrency::Auto, None));
            assert_eq!(window.learned(), None, "nothing is known yet");
            misp.answers(&mut window, 400);
            assert_eq!(window.learned(), Some(cores.max(FIRST)), "{cores} cores");
            let mut later = Window::new(Concurrency::Auto, window.learned());
            assert_eq!(later.most(), cores.max(FIRST));
            misp.answers(&mut later, 400);
            assert_eq!(later.learned(), window.learned());
        }
    }

    #[test]
    fn what_does_not_pay_is_tried_less_and_less() {
        let (mut misp, mut window) = (Misp::new(2), Window::new(Concurrency::Auto, None));
        let mut larger = 0;
        for _ in 0..4_000 {
            misp.answers(&mut window, 1);
            larger += usize::from(window.most() > 2);
        }
        assert!((1..300).contains(&larger), "{larger} of 4,000");
    }

    #[test]
    fn nobody_waits_more_than_twice_as_long_in_a_later_run_either() {
        let (mut learned, mut now) = (None, Timestamp::from_seconds(9));
        for _ in 0..3 {
            let mut window = Window::new(Concurrency::Auto, learned);
            // Each place more gets a bit more done, as one core more of very many would.
            for _ in 0..2_000 {
                let percent = 100 + 6 * window.most() as u64;
                now = now.after(Duration::from_micros(100_000_000 / percent));
                window.answered(1_000, now);
            }
            learned = window.learned();
            assert_eq!(learned, Some(4));
        }
    }

    #[test]
    fn what_was_learned_of_a_larger_machine_is_given_up() {
        let (mut misp, mut window) = (Misp::new(2), Window::new(Concurrency::Auto, Some(7)));
        misp.answers(&mut window, 500);
        assert_eq!(window.learned(), Some(2));
    }

    #[test]
    fn all_that_fail_together_halve_it_once_and_nothing_of_that_is_remembered() {
        let (mut misp, mut window) = (Misp::new(8), Window::new(Concurrency::Auto, Some(8)));
        (0..8).for_each(|_| window.too_much());
        assert_eq!(window.most(), 4);
        misp.answers(&mut window, 40);
        assert_eq!((window.most(), window.learned()), (4, None));
        misp.answers(&mut window, 5_000);
        assert_eq!(window.learned(), Some(8));
    }

    #[test]
    fn a_window_that_is_not_full_says_nothing_and_one_that_is_too_much_is_halved() {
        let (mut misp, mut window) = (Misp::new(8), Window::new(Concurrency::Auto, Some(6)));
        for _ in 0..200 {
            misp.answers(&mut window, 5);
            window.slackens();
        }
        assert_eq!((window.most(), window.learned()), (6, None));
        (0..99).for_each(|_| window.too_much());
        assert_eq!(window.most(), 1);
        misp.answers(&mut window, 5_000);
        assert_eq!(window.learned(), Some(8), "it recovers");
    }

    #[test]
    fn a_clock_that_is_set_measures_nothing() {
        let (mut misp, mut window) = (Misp::new(2), Window::new(Concurrency::Auto, None));
        misp.answers(&mut window, 5);
        misp.now = misp.now.plus_seconds(-7_200);
        misp.answers(&mut window, 8);
        assert_eq!(window.learned(), None);
        misp.answers(&mut window, 5);
        misp.now = misp.now.plus_seconds(7_200);
        misp.answers(&mut window, 10);
        assert_eq!(window.learned(), None);
    }

    #[test]
    fn what_is_fixed_stays() {
        let (mut misp, mut window) = (Misp::new(8), Window::new(Concurrency::Fixed(3), Some(7)));
        misp.answers(&mut window, 500);
        window.too_much();
        assert_eq!((window.most(), window.learned()), (3, None));
        assert_eq!(Window::new(Concurrency::Fixed(0), None).most(), 1);
    }
}
