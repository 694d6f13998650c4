//! Where collections stand: the bookmark of their mirror.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{mirror::Bookmark, model::Timestamp};

const VERSION: u8 = 1;
/// The finest that stamps are told apart.
const TICK: Duration = Duration::from_micros(1);

/// What was taken of collections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    version: u8,
    /// By their names in the configuration.
    pub(super) stands: BTreeMap<String, Stand>,
    /// When the manifests were last read and all that they told was done, or the whole was begun.
    pub(super) manifest_at: Option<Timestamp>,
    /// Of what is to be asked for, all up to this one was.
    pub(super) asked: Option<String>,
}

/// What was taken of a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stand {
    /// Its id, as the collection itself gives it: the name may be an alias.
    pub(super) id: String,
    /// All that has this stamp or an earlier one has come.
    pub(super) since: Option<Timestamp>,
    /// Behind `since`: up to where a reading came that broke off. The next goes on from there, and the one after it begins
    /// at `since` again, as what was seen late before there may have been missed.
    #[serde(default)]
    pub(super) reached: Option<Timestamp>,
    /// A stamp that `since` may not be moved to yet.
    pub(super) ahead: Option<Ahead>,
    /// The digest of all that came behind `since` when it was last read whole.
    pub(super) window: Option<String>,
}

/// A stamp that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ahead {
    pub(super) stamp: Timestamp,
    /// When it had been, by the server's clock.
    pub(super) seen: Timestamp,
}

/// What a reading to the end told of time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    /// The server's clock before it began.
    pub(super) begun: Option<Timestamp>,
    /// The same at its end.
    pub(super) ended: Option<Timestamp>,
    /// The newest stamp that came.
    pub(super) last: Option<Timestamp>,
}

impl Mark {
    /// Nothing was taken.
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { version: VERSION, stands: BTreeMap::new(), manifest_at: Some(now), asked: None }
    }

    /// Reads a bookmark; none if it is of a version that is not known.
    pub(super) fn read(bookmark: &Bookmark) -> Option<Self> {
        serde_json::from_str(bookmark.as_str()).ok().filter(|mark: &Self| mark.version == VERSION)
    }

    pub(super) fn bookmark(&self) -> Bookmark {
        Bookmark::new(&serde_json::to_string(self).expect("a mark has no keys but texts"))
    }

    /// How a collection stands.
    pub(super) fn stand(&mut self, collection: &str) -> &mut Stand {
        self.stands.entry(collection.to_owned()).or_default()
    }
}

impl Stand {
    /// Before a reading that begins when the server's clock is so: what rests on a clock that was ahead counts no more.
    pub(super) fn set_back(&self, begun: Option<Timestamp>, overlap: Duration) -> Self {
        let bound = begun.map_or(self.since, |begun| Some(before(begun, overlap)));
        let is_past = |ahead: &Ahead| begun.is_none_or(|begun| ahead.seen <= begun.after(overlap));
        Self {
            since: self.since.min(bound),
            reached: self.reached.min(bound.or(self.reached)),
            ahead: self.ahead.filter(is_past),
            ..self.clone()
        }
    }

    /// Where a reading begins.
    pub(super) fn from(&self) -> Option<Timestamp> {
        self.since.max(self.reached)
    }

    /// After a reading that came to its end.
    ///
    /// An object that is not seen yet may have any stamp up to an overlap before now, and no earlier one. Two stamps are
    /// that old: one that was seen an overlap ago, and whatever is an overlap older than another. Neither depends on
    /// whether the clock of stamps and that of `Date` agree; that the latter bounds them is for stamps in the future.
    pub(super) fn settled(&self, times: Times, overlap: Duration) -> Self {
        let Times { begun, ended, last } = times;
        let is_old = |ahead: &Ahead| begun.is_some_and(|begun| ahead.seen.after(overlap) <= begun);
        if self.reached.is_some() {
            // It did not begin at `since`, so that stays.
            return Self { reached: None, window: None, ..self.clone() };
        }
        let old = self.ahead.filter(is_old).map(|ahead| ahead.stamp);
        let by_stamp = last.map(|last| before(last, overlap));
        let bound = begun.map(|begun| before(begun, overlap));
        let reached = old.max(by_stamp);
        let reached = bound.map_or(reached, |bound| reached.map(|reached| reached.min(bound)));
        let since = self.since.max(reached);
        let is_ahead = |stamp: &Timestamp| Some(*stamp) > since;
        let ahead =
            self.ahead.filter(|ahead| old.is_none() && is_ahead(&ahead.stamp)).or_else(|| {
                // `Date` has no parts of a second.
                let seen = ended?.plus_seconds(1);
                last.filter(is_ahead).map(|stamp| Ahead { stamp, seen })
            });
        Self { id: self.id.clone(), since, reached: None, ahead, window: None }
    }

    /// After a reading that told no stamps: by the server's clock, which is all that there is.
    pub(super) fn settled_by_date(&self, begun: Option<Timestamp>, overlap: Duration) -> Self {
        let since = self.since.max(begun.map(|begun| before(begun, overlap)));
        Self { since, reached: None, ahead: None, window: None, ..self.clone() }
    }

    /// In the midst of a reading that began when the server's clock was so, before a page with more behind it whose last
    /// stamp is this one.
    pub(super) fn within(
        &self,
        begun: Option<Timestamp>,
        last: Timestamp,
        overlap: Duration,
    ) -> Self {
        let bound = begun.map_or(last, |begun| last.min(begun));
        let reached = match begun {
            Some(begun) => just_before(last).min(before(begun, overlap)),
            None => before(last, overlap),
        };
        Self {
            since: self.since.max(Some(before(bound, overlap))),
            reached: self.reached.max(Some(reached)),
            window: None,
            ..self.clone()
        }
    }
}

/// A span earlier, or the beginning of time.
pub(super) fn before(time: Timestamp, span: Duration) -> Timestamp {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(time.micros().saturating_sub(micros))
}

/// From where on all that has this stamp is read again.
pub(super) fn just_before(stamp: Timestamp) -> Timestamp {
    before(stamp, TICK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::limits::BOOKMARK_BYTES_MAX,
        source::taxii2::{COLLECTIONS_MAX, NAME_BYTES_MAX},
    };

    const OVERLAP: Duration = Duration::from_secs(600);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn times(begun: i64, last: i64) -> Times {
        Times { begun: Some(at(begun)), ended: Some(at(begun)), last: Some(at(last)) }
    }

    #[test]
    fn marks_come_back_and_are_short() {
        let mut mark = Mark::new(at(1_800_000_000));
        let time = Timestamp::from_micros(1_800_000_000_123_456);
        for number in 0..COLLECTIONS_MAX {
            *mark.stand(&format!("{number:0>NAME_BYTES_MAX$}")) = Stand {
                id: "0".repeat(36),
                since: Some(time),
                reached: Some(time),
                ahead: Some(Ahead { stamp: time, seen: time }),
                window: Some("0".repeat(32)),
            };
        }
        mark.asked = Some("0".repeat(32));
        let bookmark = mark.bookmark();
        assert!(bookmark.as_str().len() < BOOKMARK_BYTES_MAX, "{}", bookmark.as_str().len());
        assert_eq!(Mark::read(&bookmark), Some(mark));
        let newer = bookmark.as_str().replace("\"version\":1", "\"version\":2");
        assert_eq!(Mark::read(&Bookmark::new(&newer)), None);
    }

    #[test]
    fn a_stamp_counts_once_it_is_an_overlap_old_by_whichever_clock() {
        // Stamps are an hour behind the server's `Date`.
        let first = Stand::default().settled(times(10_000, 6_400), OVERLAP);
        assert_eq!(first.since, Some(at(5_800)));
        assert_eq!(first.ahead, Some(Ahead { stamp: at(6_400), seen: at(10_001) }));
        let early = first.settled(times(10_600, 6_900), OVERLAP);
        assert_eq!((early.since, early.ahead), (Some(at(6_300)), first.ahead));
        let late = first.settled(times(10_601, 6_900), OVERLAP);
        assert_eq!(late.since, Some(at(6_400)));
        assert_eq!(late.ahead, Some(Ahead { stamp: at(6_900), seen: at(10_602) }));
        // Nothing came since: it is behind all that there is.
        let none = Times { last: None, ..times(11_202, 0) };
        assert_eq!(late.settled(none, OVERLAP).since, Some(at(6_900)));
        // A server without a clock.
        let silent = Times { begun: None, ended: None, last: Some(at(9_000)) };
        let stand = late.settled(silent, OVERLAP);
        assert_eq!((stand.since, stand.ahead), (Some(at(8_400)), None));
    }

    #[test]
    fn a_stamp_in_the_future_hides_nothing() {
        let first = Stand::default().settled(times(10_000, 90_000), OVERLAP);
        assert_eq!(first.since, Some(at(9_400)));
        let later = first.settled(times(10_700, 90_000), OVERLAP);
        assert_eq!(later.since, Some(at(10_100)));
        // A clock that goes back takes nothing back.
        assert_eq!(later.settled(times(5_000, 4_900), OVERLAP).since, Some(at(10_100)));
    }

    #[test]
    fn a_clock_that_was_ahead_is_forgotten() {
        let ahead = Some(Ahead { stamp: at(90_000), seen: at(90_001) });
        let stand = Stand { since: Some(at(89_000)), ahead, ..Stand::default() };
        let back = stand.set_back(Some(at(10_000)), OVERLAP);
        assert_eq!((back.since, back.ahead), (Some(at(9_400)), None));
        assert_eq!(stand.set_back(Some(at(90_001)), OVERLAP), stand);
        assert_eq!(stand.set_back(None, OVERLAP), stand);
        assert_eq!(Stand::default().set_back(Some(at(1)), OVERLAP), Stand::default());
    }

    #[test]
    fn within_a_reading_the_next_goes_on_before_the_last_stamp_and_the_one_after_an_overlap_earlier()
     {
        let stand = Stand { since: Some(at(100)), ..Stand::default() };
        let tick = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000 - 1);
        let within = |begun: Option<i64>, last| {
            let within = stand.within(begun.map(at), at(last), OVERLAP);
            (within.since, within.from())
        };
        assert_eq!(within(Some(10_000), 5_000), (Some(at(4_400)), Some(tick(5_000))));
        assert_eq!(within(Some(10_000), 9_900), (Some(at(9_300)), Some(at(9_400))));
        assert_eq!(within(None, 9_900), (Some(at(9_300)), Some(at(9_300))));
        assert_eq!(within(Some(10_000), 50), (Some(at(100)), Some(at(100))));
        // Once it went on to its end, all since then is read once more.
        let broken = stand.within(Some(at(10_000)), at(5_000), OVERLAP);
        let ended = broken.settled(times(10_100, 9_000), OVERLAP);
        assert_eq!((ended.since, ended.from()), (Some(at(4_400)), Some(at(4_400))));
        assert_eq!(ended.settled(times(10_200, 9_000), OVERLAP).since, Some(at(8_400)));
    }
}
