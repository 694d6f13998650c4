//! Where the entities of a feed stand: the bookmark of its mirror.

use serde::{Deserialize, Serialize};

use crate::{mirror::Bookmark, model::Timestamp};

use super::WHOLE_EVERY;

const VERSION: u8 = 1;

/// What was taken of a feed. Times are the platform's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    version: u8,
    /// All changes up to then were taken. None where there was none.
    pub(super) until: Option<Timestamp>,
    /// When the last read of everything began, as far as the platform said what time it was.
    pub(super) whole_at: Option<Timestamp>,
}

impl Mark {
    pub(super) const fn new(until: Option<Timestamp>, whole_at: Option<Timestamp>) -> Self {
        Self { version: VERSION, until, whole_at }
    }

    /// Reads a bookmark; none if it is of a version that is not known.
    pub(super) fn read(bookmark: &Bookmark) -> Option<Self> {
        serde_json::from_str(bookmark.as_str()).ok().filter(|mark: &Self| mark.version == VERSION)
    }

    pub(super) fn bookmark(&self) -> Bookmark {
        Bookmark::new(&serde_json::to_string(self).expect("a mark has no keys but texts"))
    }

    /// Whether everything has to be read again. A time that was set back counts as long ago.
    pub(super) fn wants_whole(&self, now: Option<Timestamp>) -> bool {
        let (Some(now), Some(whole_at)) = (now, self.whole_at) else { return true };
        now < whole_at || whole_at.until(now) >= WHOLE_EVERY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_back_and_say_when_everything_is_due() {
        let at = Timestamp::from_seconds(1_700_000_000);
        let mark = Mark::new(Some(at), Some(at));
        assert_eq!(Mark::read(&mark.bookmark()), Some(mark));
        let newer = mark.bookmark().as_str().replace("\"version\":1", "\"version\":2");
        assert_eq!(Mark::read(&Bookmark::new(&newer)), None);
        assert!(!mark.wants_whole(Some(at)));
        assert!(!mark.wants_whole(Some(at.plus_seconds(86_399))));
        assert!(mark.wants_whole(Some(at.plus_seconds(86_400))));
        assert!(mark.wants_whole(Some(at.plus_seconds(-1))));
        assert!(mark.wants_whole(None));
        assert!(Mark::new(Some(at), None).wants_whole(Some(at)));
    }
}
