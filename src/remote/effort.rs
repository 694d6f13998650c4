//! How hard bodies are packed. The best packing saves an eighth of the bytes and takes a hundred times as long as
//! the quickest, which on a fast link is most of what the agent does at all. So it is measured what requests wait
//! for anyway, and packing may take a small part of that.

use std::{
    num::NonZeroUsize,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use super::{Encoding, compress::compress_with};

/// What packing is to save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saves {
    /// Bytes, whatever time it takes.
    Bytes,
    /// Time: the smallest body whose packing is not felt.
    Time,
}

/// How hard brotli works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effort {
    /// An eighth larger than the best, at a hundredth of its time.
    Quick,
    /// A hundredth larger than the best, at a third of its time.
    Good,
    /// The smallest.
    Best,
}

impl Effort {
    const ALL: [Self; 3] = [Self::Best, Self::Good, Self::Quick];

    /// Brotli's own name for it. What lies between is as large as the one below and slower.
    pub(super) const fn quality(self) -> i32 {
        match self {
            Self::Quick => 4,
            Self::Good => 10,
            Self::Best => 11,
        }
    }

    /// Nanoseconds for a byte of a list of attributes, measured (2.5 GHz, one core).
    const fn nanos(self) -> f64 {
        match self {
            Self::Quick => 8.0,
            Self::Good => 340.0,
            Self::Best => 950.0,
        }
    }
}

/// Smaller bodies are packed as well as can be: that takes a few milliseconds, and MISP needs more to begin.
const SMALL_BYTES: usize = 16 << 10;
/// Packing may take this part of what requests wait for.
const PART: f64 = 0.125;
/// Bodies that are packed at once, by all connections of the process: packing takes up to ten megabytes a body, and
/// more of them than cores end no sooner.
static PACKERS: LazyLock<Semaphore> = LazyLock::new(|| {
    Semaphore::new(std::thread::available_parallelism().map_or(1, NonZeroUsize::get))
});
/// How much of what is known the next request replaces.
const NEWEST: f64 = 0.25;

/// What was measured so far: nanoseconds for each byte of large bodies, before they were packed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Measured {
    /// From the beginning of the request to the first byte of its answer: the way there, and MISP's work.
    waited: Option<f64>,
    /// How much longer packing takes here than where [`Effort::nanos`] were measured.
    slowness: Option<f64>,
}

impl Measured {
    /// The best that is not felt. As long as nothing is known, that is the best there is: who sends little pays
    /// nothing for it.
    fn effort(&self, bytes: usize) -> Effort {
        let Some(waited) = self.waited.filter(|_| bytes > SMALL_BYTES) else { return Effort::Best };
        let slowness = self.slowness.unwrap_or(1.0);
        let is_not_felt = |effort: &Effort| effort.nanos() * slowness <= waited * PART;
        Effort::ALL.into_iter().find(is_not_felt).unwrap_or(Effort::Quick)
    }

    fn waited(&mut self, bytes: usize, time: Duration) {
        learn(&mut self.waited, bytes, time, 1.0);
    }

    fn packed(&mut self, effort: Effort, bytes: usize, time: Duration) {
        learn(&mut self.slowness, bytes, time, effort.nanos());
    }
}

/// Takes one measurement into account, in units of so many nanoseconds a byte.
fn learn(known: &mut Option<f64>, bytes: usize, time: Duration, unit: f64) {
    if bytes > SMALL_BYTES {
        let now = time.as_secs_f64() * 1e9 / bytes as f64 / unit;
        *known = Some(known.map_or(now, |before| before + (now - before) * NEWEST));
    }
}

/// How hard the bodies to one MISP are packed.
#[derive(Debug)]
pub(super) struct Efforts {
    saves: Saves,
    measured: Mutex<Measured>,
}

impl Efforts {
    pub(super) fn new(saves: Saves) -> Self {
        Self { saves, measured: Mutex::default() }
    }

    /// Packs a body; a large one beside the requests under way, not between them.
    pub(super) async fn pack(
        &self,
        body: Vec<u8>,
        encoding: Encoding,
    ) -> (Vec<u8>, Option<&'static str>) {
        let bytes = body.len();
        let effort = self.of(bytes);
        let work = move || {
            let began = Instant::now();
            (compress_with(body, encoding, effort), began.elapsed())
        };
        if bytes <= SMALL_BYTES {
            return work().0;
        }
        let _turn = PACKERS.acquire().await.expect("it is never closed");
        let (packed, time) = match tokio::task::spawn_blocking(work).await {
            Ok(done) => done,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime ends, and never comes back to this.
            Err(_) => std::future::pending().await,
        };
        if encoding == Encoding::Brotli {
            self.packed(effort, bytes, time);
        }
        packed
    }

    /// For a body of so many bytes.
    pub(super) fn of(&self, bytes: usize) -> Effort {
        match self.saves {
            Saves::Bytes => Effort::Best,
            Saves::Time => self.with(|measured| measured.effort(bytes)),
        }
    }

    /// Packing so many bytes took this long.
    fn packed(&self, effort: Effort, bytes: usize, time: Duration) {
        self.with(|measured| measured.packed(effort, bytes, time));
    }

    /// The answer to a request of so many bytes, before they were packed, took this long to begin. A refusal says
    /// nothing: it comes at once.
    pub(super) fn waited(&self, bytes: usize, time: Duration) {
        self.with(|measured| measured.waited(bytes, time));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Measured) -> T) -> T {
        work(&mut self.measured.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const LARGE: usize = 300_000;

    /// What is chosen after requests that took so many nanoseconds for a byte.
    fn after(nanos: u64) -> Effort {
        let mut measured = Measured::default();
        measured.waited(LARGE, Duration::from_nanos(nanos * LARGE as u64));
        measured.effort(LARGE)
    }

    #[test]
    fn packing_takes_an_eighth_of_what_is_waited_for() {
        assert_eq!(Measured::default().effort(LARGE), Effort::Best, "nothing is known");
        // A MISP that takes two milliseconds for an attribute of 150 bytes; then faster ones.
        assert_eq!(after(15_000), Effort::Best);
        assert_eq!(after(7_601), Effort::Best);
        assert_eq!(after(7_599), Effort::Good);
        assert_eq!(after(2_721), Effort::Good);
        assert_eq!(after(2_719), Effort::Quick);
        assert_eq!(after(1), Effort::Quick);
    }

    #[test]
    fn small_bodies_are_packed_best_and_say_nothing_of_large_ones() {
        let mut measured = Measured::default();
        measured.waited(SMALL_BYTES, Duration::from_secs(1));
        assert_eq!(measured, Measured::default());
        measured.waited(LARGE, Duration::from_micros(1));
        assert_eq!(measured.effort(SMALL_BYTES), Effort::Best);
        assert_eq!(measured.effort(SMALL_BYTES + 1), Effort::Quick);
    }

    #[test]
    fn a_slow_machine_packs_less_and_a_change_is_learned_soon() {
        let mut measured = Measured::default();
        measured.waited(LARGE, Duration::from_nanos(15_000 * LARGE as u64));
        measured.packed(Effort::Best, LARGE, Duration::from_nanos(9_500 * LARGE as u64));
        assert_eq!(measured.effort(LARGE), Effort::Quick, "ten times as slow");
        for _ in 0..20 {
            measured.packed(Effort::Quick, LARGE, Duration::from_nanos(8 * LARGE as u64));
        }
        assert_eq!(measured.effort(LARGE), Effort::Best);
        for _ in 0..20 {
            measured.waited(LARGE, Duration::from_nanos(100 * LARGE as u64));
        }
        assert_eq!(measured.effort(LARGE), Effort::Quick);
    }

    #[test]
    fn whoever_pays_for_bytes_gets_the_smallest_always() {
        let efforts = Efforts::new(Saves::Bytes);
        efforts.waited(LARGE, Duration::from_micros(1));
        assert_eq!(efforts.of(LARGE), Effort::Best);
    }

    /// On one thread, so that whoever packs on it lets nothing else go on.
    #[tokio::test]
    async fn large_bodies_are_packed_beside_the_requests_and_measured() {
        let efforts = Efforts::new(Saves::Bytes);
        let body = b"{\"type\":\"ip-dst\"},".repeat(SMALL_BYTES / 16);
        let went_on = AtomicBool::new(false);
        let other = async {
            tokio::task::yield_now().await;
            went_on.store(true, Ordering::Relaxed);
        };
        let packing = async {
            let packed = efforts.pack(body.clone(), Encoding::Brotli).await;
            (packed, went_on.load(Ordering::Relaxed))
        };
        let ((packed, went_on), ()) = tokio::join!(packing, other);
        assert_eq!(packed, compress_with(body, Encoding::Brotli, Effort::Best));
        assert!(went_on, "nothing waits for it");
        assert!(efforts.with(|measured| measured.slowness.is_some()));
    }
}
