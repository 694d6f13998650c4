//! How many attributes go into one request: fewer after MISP, or something before it, could not take so
//! many; slowly more again when it can.

/// Requests filled to the limit that have to succeed before the limit is raised.
const FULL_BEFORE_GROWTH: u32 = 8;
/// The same, after many a raise was too much.
const FULL_BEFORE_GROWTH_MAX: u32 = 256;

/// The limit on one request, as it was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    most: usize,
    ceiling: usize,
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
        Self { most, ceiling, full: 0, patience: FULL_BEFORE_GROWTH, raised: false }
    }

    /// Most attributes in one request.
    #[must_use]
    pub const fn most(&self) -> usize {
        self.most
    }

    /// A request was too much; this many may do. If the limit had been raised, it is raised later the
    /// next time.
    pub(super) fn shrink(&mut self, to: usize) {
        self.most = self.most.min(to.max(1));
        self.full = 0;
        if std::mem::take(&mut self.raised) {
            self.patience = (self.patience * 2).min(FULL_BEFORE_GROWTH_MAX);
        }
    }

    /// A request with so many attributes was answered. Only what fills the limit shows that more may fit;
    /// after enough of it, a quarter more is tried.
    pub(super) fn taken(&mut self, attributes: usize) {
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
    fn it_shrinks_at_once_and_grows_slowly_up_to_its_ceiling() {
        let mut chunk = Chunk::new(None, 1_000);
        assert_eq!(chunk.most(), 1_000);
        chunk.shrink(500);
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
        assert_eq!(chunk.most(), 1_000);
    }

    #[test]
    fn a_raise_that_was_too_much_is_tried_less_often() {
        let (mut chunk, mut refused) = (Chunk::new(Some(40), 1_000), 0);
        for _ in 0..2_000 {
            if chunk.most() > 60 {
                refused += 1;
                chunk.shrink(chunk.most() / 2);
            } else {
                chunk.taken(chunk.most());
            }
        }
        assert!((5..=15).contains(&refused), "{refused}");
    }

    #[test]
    fn what_was_learned_never_exceeds_the_ceiling() {
        assert_eq!(Chunk::new(Some(5_000), 1_000).most(), 1_000);
        assert_eq!(Chunk::new(Some(0), 0).most(), 1);
    }
}
