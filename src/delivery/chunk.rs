//! How many attributes go into one request: fewer after MISP, or something before it, could not take so
//! many; slowly more again when it can.

/// Requests filled to the limit that have to succeed before the limit is raised.
const FULL_BEFORE_GROWTH: u32 = 8;
/// The same, after many a raise was too much.
const FULL_BEFORE_GROWTH_MAX: u32 = 256;

/// A size that failed, and one that did not, or may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch {
    /// Attributes in a request that failed because there were so many.
    pub(super) failed: usize,
    /// Attributes in a smaller one.
    pub(super) fits: usize,
}

/// The limit on one request, as it was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    most: usize,
    ceiling: usize,
    /// The least that was too much.
    failed: Option<usize>,
    /// The most that was taken.
    fits: usize,
    full: u32,
    patience: u32,
    raised: bool,
}

impl Chunk {
    /// `learned` is the limit to begin with, `None` if nothing was learned yet; `ceiling` is never
    /// exceeded.
    #[must_use]
    pub fn new(learned: Option<usize>, ceiling: usize) -> Self {
        let ceiling = ceiling.max(1);
        let most = learned.unwrap_or(ceiling).clamp(1, ceiling);
        let patience = FULL_BEFORE_GROWTH;
        Self { most, ceiling, failed: None, fits: 0, full: 0, patience, raised: false }
    }

    /// A size that an earlier run found to be too much is not tried again.
    #[must_use]
    pub fn knowing(self, failed: Option<usize>) -> Self {
        let Some(failed) = failed else { return self };
        let ceiling = self.ceiling.min(failed.saturating_sub(1)).max(1);
        Self { ceiling, most: self.most.min(ceiling), failed: Some(failed), ..self }
    }

    /// The smallest size that was too much.
    #[must_use]
    pub const fn failed(&self) -> Option<usize> {
        self.failed
    }

    /// Most attributes in one request.
    #[must_use]
    pub const fn most(&self) -> usize {
        self.most
    }

    /// A size was too much; another fits. What failed is not tried again in this run. If the limit had been
    /// raised, it is raised later the next time.
    pub(super) fn too_much(&mut self, TooMuch { failed, fits }: TooMuch) {
        self.failed = Some(self.failed.map_or(failed, |before| before.min(failed)));
        self.ceiling = self.ceiling.min(failed.saturating_sub(1)).max(1);
        let fits = if self.fits < failed { fits.max(self.fits) } else { fits };
        self.most = self.most.min(fits).clamp(1, self.ceiling);
        self.full = 0;
        if std::mem::take(&mut self.raised) {
            self.patience = (self.patience * 2).min(FULL_BEFORE_GROWTH_MAX);
        }
    }

    /// A request with so many attributes was answered. Only what fills the limit shows that more may fit;
    /// after enough of it, a quarter more is tried.
    pub(super) fn taken(&mut self, attributes: usize) {
        self.fits = self.fits.max(attributes);
        if attributes < self.most || self.most == self.ceiling {
            return;
        }
        self.full += 1;
        if self.full >= self.patience {
            self.full = 0;
            self.raised = true;
            self.most = (self.most + (self.most / 4).max(1)).min(self.ceiling);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shrinks_at_once_and_grows_slowly_but_never_to_what_failed() {
        let mut chunk = Chunk::new(None, 1_000);
        assert_eq!(chunk.most(), 1_000);
        chunk.too_much(TooMuch { failed: 1_000, fits: 500 });
        for _ in 1..FULL_BEFORE_GROWTH {
            chunk.taken(500);
        }
        assert_eq!(chunk.most(), 500, "not yet");
        chunk.taken(499);
        assert_eq!(chunk.most(), 500, "a request below the limit shows nothing");
        chunk.taken(500);
        assert_eq!(chunk.most(), 625);
        for _ in 0..1_000 {
            chunk.taken(chunk.most());
        }
        assert_eq!(chunk.most(), 999);
    }

    #[test]
    fn a_raise_that_was_too_much_goes_back_to_what_fitted() {
        let (mut chunk, mut failed) = (Chunk::new(Some(40), 1_000), Vec::new());
        for _ in 0..2_000 {
            if chunk.most() > 60 {
                failed.push(chunk.most());
                chunk.too_much(TooMuch { failed: chunk.most(), fits: chunk.most() / 2 });
                assert!(chunk.most() >= 50, "{chunk:?}");
            } else {
                chunk.taken(chunk.most());
            }
        }
        assert!(failed.len() <= 3 && failed.is_sorted_by(|a, b| a > b), "{failed:?}");
    }

    #[test]
    fn what_failed_in_an_earlier_run_is_not_tried_again() {
        let mut chunk = Chunk::new(Some(40), 1_000).knowing(Some(60));
        for _ in 0..1_000 {
            chunk.taken(chunk.most());
        }
        assert_eq!((chunk.most(), chunk.failed()), (59, Some(60)));
        chunk.too_much(TooMuch { failed: 50, fits: 25 });
        assert_eq!(chunk.failed(), Some(50));
    }

    #[test]
    fn what_was_learned_never_exceeds_the_ceiling() {
        assert_eq!(Chunk::new(Some(5_000), 1_000).most(), 1_000);
        assert_eq!(Chunk::new(Some(0), 0).most(), 1);
    }
}
