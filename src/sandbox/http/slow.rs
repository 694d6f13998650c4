//! How long a MISP takes to answer, as it was measured on 2.5.1 with PHP, MariaDB and two cores: for a client and a bench
//! that want to wait for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// What any request takes: PHP begins anew with each.
const REQUEST: Duration = Duration::from_millis(70);
/// What a search takes beside that.
const SEARCH: Duration = Duration::from_millis(20);
/// An attribute that is written, by the only writer: PHP and the database take turns.
const ALONE: Duration = Duration::from_micros(2_500);
/// The same by each of two writers, who fill both cores.
const SHARED: Duration = Duration::from_micros(1_800);
/// Cores of the MISP that was measured: so many writers find one of their own.
const CORES: u32 = 2;
/// A byte of a long answer.
const LISTED: Duration = Duration::from_nanos(900);

/// What a request did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Work {
    /// Attributes that were written.
    pub(super) attributes: u32,
    /// Requests that write at that time, this one included.
    pub(super) writers: u32,
    /// Whether it searched.
    pub(super) is_search: bool,
    /// Bytes of the answer.
    pub(super) bytes: u32,
}

/// How long a MISP of so many cores takes for it.
fn span(work: Work, cores: u32) -> Duration {
    let each = match work.writers {
        0 | 1 => ALONE,
        writers => SHARED * writers.max(cores) / cores,
    };
    let search = if work.is_search { SEARCH } else { Duration::ZERO };
    REQUEST + search + each * work.attributes + LISTED * work.bytes
}

/// Lets answers wait as long as a MISP takes, or so many times less.
#[derive(Debug, Clone)]
pub struct Slowness {
    times_faster: f64,
    cores: u32,
    writers: Arc<AtomicU32>,
}

impl Slowness {
    /// One that is so many times faster than a MISP; 1 is as slow.
    #[must_use]
    pub fn new(times_faster: f64) -> Self {
        Self { times_faster: times_faster.max(0.001), cores: CORES, writers: Arc::default() }
    }

    /// The same with so many cores instead of two. That more cores take more writers is assumed, not measured.
    #[must_use]
    pub fn of_cores(self, cores: u32) -> Self {
        Self { cores: cores.max(1), ..self }
    }

    /// Waits as long as the work takes.
    pub(super) async fn wait(&self, work: Work) {
        let writes = u32::from(work.attributes > 0);
        let writers = self.writers.fetch_add(writes, Ordering::SeqCst) + writes;
        let left = Leaves(&self.writers, writes);
        tokio::time::sleep(span(Work { writers, ..work }, self.cores).div_f64(self.times_faster))
            .await;
        drop(left);
    }
}

/// A writer that ends, however it does.
struct Leaves<'w>(&'w AtomicU32, u32);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attributes a second of so many writers that send bodies of this size, each on an event of its own.
    fn rate(writers: u32, attributes: u32) -> f64 {
        let body = Work { attributes, writers, ..Work::default() };
        f64::from(writers * attributes) / span(body, CORES).as_secs_f64()
    }

    #[test]
    fn it_takes_what_was_measured() {
        for (writers, attributes, measured) in [
            (1, 1, 14.0),
            (1, 100, 310.0),
            (1, 1_000, 391.0),
            (2, 100, 740.0),
            (2, 1_000, 1_100.0),
            (4, 1_000, 1_040.0),
            (8, 1_000, 1_000.0),
        ] {
            let modelled = rate(writers, attributes);
            let off = (modelled / measured - 1.0).abs();
            assert!(off < 0.15, "{writers} writers of {attributes}: {modelled}, not {measured}");
        }
    }
}
