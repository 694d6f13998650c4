//! Where a feed stands: the bookmark of its mirror.

use serde::{Deserialize, Serialize};

use crate::mirror::Bookmark;

use super::Strategy;

/// Most content blocks that are remembered as unreadable.
pub(super) const UNREADABLE_MAX: usize = 500;
const VERSION: u8 = 1;

/// What was taken of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) version: u8,
    /// What its runs package.
    pub(super) strategy: Strategy,
    /// When the platform says that the feed was made.
    pub(super) created_at: Option<String>,
    /// When its last run was.
    pub(super) last_run_at: Option<String>,
    /// The digest of the list of which all was taken, or is being taken.
    pub(super) list: Option<String>,
    /// The last block that was taken.
    pub(super) last: Option<u64>,
    /// Blocks up to that one that could not be read.
    pub(super) unreadable: Vec<u64>,
}

impl Mark {
    /// Nothing of a feed was taken.
    pub(super) const fn new(strategy: Strategy, created_at: Option<String>) -> Self {
        Self {
            version: VERSION,
            strategy,
            created_at,
            last_run_at: None,
            list: None,
            last: None,
            unreadable: Vec::new(),
        }
    }

    /// Reads a bookmark; none if it is of a version that is not known.
    pub(super) fn read(bookmark: &Bookmark) -> Option<Self> {
        serde_json::from_str(bookmark.as_str()).ok().filter(|mark: &Self| mark.version == VERSION)
    }

    pub(super) fn bookmark(&self) -> Bookmark {
        Bookmark::new(&serde_json::to_string(self).expect("a mark has no keys but texts"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::limits::BOOKMARK_BYTES_MAX;

    #[test]
    fn marks_come_back_and_are_short() {
        let mark = Mark {
            last_run_at: Some("2026-11-20T09:00:00.000000+00:00".to_owned()),
            list: Some("0".repeat(64)),
            last: Some(u64::MAX),
            unreadable: vec![u64::MAX; UNREADABLE_MAX],
            ..Mark::new(Strategy::Append, Some("2026-11-20T09:00:00.000000+00:00".to_owned()))
        };
        let bookmark = mark.bookmark();
        assert!(bookmark.as_str().len() < BOOKMARK_BYTES_MAX);
        assert_eq!(Mark::read(&bookmark), Some(mark));
        let newer = bookmark.as_str().replace("\"version\":1", "\"version\":2");
        assert_eq!(Mark::read(&Bookmark::new(&newer)), None);
        assert_eq!(Mark::read(&Bookmark::new("17")), None);
    }
}
