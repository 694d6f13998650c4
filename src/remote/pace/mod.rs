//! How fast bytes may go. A [`Limiter`] counts those of both directions together; a [`Pace`] obeys several, such as
//! that of a destination and that of the process.
//!
//! What is sent is paid for before it goes, in small pieces. What is received cannot be foreseen: it is paid for as it
//! is read, and until it is paid nothing more is read or sent. What the system takes in meanwhile is a window of TCP.

mod body;
mod bucket;

use std::{
    num::NonZeroU64,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bucket::Bucket;

/// A second's worth is sent in so many pieces, each at least and at most of these sizes.
const PIECES_A_SECOND: u64 = 20;
const PIECE_BYTES_MIN: u64 = 256;
const PIECE_BYTES_MAX: u64 = 16 * 1024;

/// A limit on bytes a second, of both directions together, for all who share it.
#[derive(Debug)]
pub struct Limiter {
    rate: NonZeroU64,
    made: Instant,
    bucket: Mutex<Bucket>,
}

impl Limiter {
    /// One for so many bytes a second.
    #[must_use]
    pub fn new(rate: NonZeroU64) -> Self {
        Self { rate, made: Instant::now(), bucket: Mutex::new(Bucket::new(rate)) }
    }

    /// Bytes a second.
    #[must_use]
    pub const fn rate(&self) -> NonZeroU64 {
        self.rate
    }

    fn take(&self, bytes: u64) -> Duration {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(bytes, self.made.elapsed())
    }
}

/// The limits that somebody obeys; without any it goes as it can.
#[derive(Debug, Clone)]
pub struct Pace {
    limiters: Vec<Arc<Limiter>>,
    /// Bytes that are sent at once.
    piece: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self::of([])
    }
}

impl Pace {
    /// Obeys all of them.
    #[must_use]
    pub fn of(limiters: impl IntoIterator<Item = Arc<Limiter>>) -> Self {
        let limiters: Vec<_> = limiters.into_iter().collect();
        let slowest = limiters.iter().map(|it| it.rate.get()).min().unwrap_or(u64::MAX);
        let piece = (slowest / PIECES_A_SECOND).clamp(PIECE_BYTES_MIN, PIECE_BYTES_MAX);
        Self { limiters, piece: usize::try_from(piece).expect("a piece is small") }
    }

    pub(super) const fn is_free(&self) -> bool {
        self.limiters.is_empty()
    }
}

/// One request: how it obeys its pace, and how long it may take besides.
#[derive(Debug, Clone)]
pub(super) struct Pause {
    pace: Pace,
    began: Instant,
    timeout: Duration,
    /// Microseconds that it had to wait for its turn, or has to.
    paused: Arc<AtomicU64>,
}

/// An answer did not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Late;

impl Pause {
    /// One request begins now.
    pub(super) fn begin(pace: &Pace, timeout: Duration) -> Self {
        Self { pace: pace.clone(), began: Instant::now(), timeout, paused: Arc::default() }
    }

    /// The body of the request.
    pub(super) fn body(&self, body: Vec<u8>) -> reqwest::Body {
        match self.pace.is_free() {
            true => body.into(),
            false => reqwest::Body::wrap(body::PacedBody::new(body, self.clone())),
        }
    }

    /// Pays for bytes, and says how long they have to wait for those before them.
    fn pay(&self, bytes: u64) -> Duration {
        let waits = self.pace.limiters.iter().map(|limiter| limiter.take(bytes));
        waits.max().unwrap_or_default()
    }

    /// Pays for bytes that wait as long as they have to.
    fn take(&self, bytes: u64) -> Duration {
        let wait = self.pay(bytes);
        let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.paused.fetch_add(micros, Ordering::Relaxed);
        wait
    }

    /// Waits for the turn of bytes that are sent next.
    pub(super) async fn before(&self, bytes: u64) {
        if !self.pace.is_free() {
            tokio::time::sleep(self.take(bytes)).await;
        }
    }

    /// Pays for bytes that came, before anything else goes.
    pub(super) async fn after(&self, bytes: u64) {
        if !self.pace.is_free() {
            self.pay(bytes);
            self.before(0).await;
        }
    }

    /// Waits for the server, but no longer than the request may take. Time that it had to wait for its turn does not
    /// count.
    pub(super) async fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, Late> {
        let mut work = std::pin::pin!(work);
        loop {
            let left = self.left();
            if left.is_zero() {
                return Err(Late);
            }
            if let Ok(done) = tokio::time::timeout(left, work.as_mut()).await {
                return Ok(done);
            }
        }
    }

    fn left(&self) -> Duration {
        let paused = Duration::from_micros(self.paused.load(Ordering::Relaxed));
        self.timeout.saturating_add(paused).saturating_sub(self.began.elapsed())
    }
}
