//! What the mirror has, compared with what manifests list.

use crate::{
    format::{Format, name_of},
    mirror::{MirrorError, PackWriter},
    model::Timestamp,
};

/// The beginning of a digest of an id.
pub(super) type Name = [u8; 16];

/// Not there.
const NONE: i64 = i64::MIN;
/// There, in a version that has no time.
const TIMELESS: i64 = i64::MIN + 1;

/// An object of the mirror. Times of versions are milliseconds, as finer ones do not survive every server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    name: Name,
    newest: i64,
    listed: i64,
}

/// All objects of a mirror.
#[derive(Debug)]
pub(super) struct Census(Vec<Entry>);

/// What a listed object is to the mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    Known,
    /// It has none, or only older versions.
    Lacking,
}

/// By what an id is known here.
pub(super) fn name(id: &str) -> Name {
    let id = name_of(id, Format::Stix21);
    *blake3::hash(id.as_bytes()).as_bytes().first_chunk().expect("a digest is longer")
}

fn millis(version: Option<Timestamp>) -> i64 {
    version.map_or(TIMELESS, |version| version.micros().div_euclid(1_000))
}

impl Census {
    /// Counts what stands before a pull, and what is known of by its id alone.
    pub(super) fn of(mirror: &PackWriter<'_>) -> Result<Self, MirrorError> {
        let damaged = mirror.damaged().iter().filter_map(|damage| damage.id.as_deref());
        let timeless = |id| Entry { name: name(id), newest: TIMELESS, listed: NONE };
        let mut entries: Vec<Entry> = damaged.map(timeless).collect();
        mirror.objects(|object| {
            let (name, newest) = (name(object.id), millis(object.version));
            entries.push(Entry { name, newest, listed: NONE });
        })?;
        entries.sort_unstable();
        // The newest version of each.
        entries.reverse();
        entries.dedup_by_key(|entry| entry.name);
        entries.reverse();
        Ok(Self(entries))
    }

    /// Sees one listed.
    pub(super) fn see(&mut self, id: &str, version: Option<Timestamp>) -> Sight {
        let (name, version) = (name(id), millis(version));
        let Ok(at) = self.0.binary_search_by_key(&name, |entry| entry.name) else {
            return Sight::Lacking;
        };
        let entry = &mut self.0[at];
        entry.listed = entry.listed.max(version);
        // What has no version of its own is listed with another time, as that of its version.
        if entry.newest == TIMELESS || version <= entry.newest {
            Sight::Known
        } else {
            Sight::Lacking
        }
    }

    /// What was listed nowhere, or only in versions older than the newest that is known; sorted.
    pub(super) fn doubtful(&self) -> Vec<Name> {
        let is_doubtful = |entry: &&Entry| {
            let is_older = entry.listed > TIMELESS && entry.listed < entry.newest;
            entry.listed == NONE || is_older
        };
        self.0.iter().filter(is_doubtful).map(|entry| entry.name).collect()
    }

    /// Whether it was listed, in whichever version.
    pub(super) fn is_listed(&self, id: &str) -> bool {
        let found = self.0.binary_search_by_key(&name(id), |entry| entry.name);
        found.is_ok_and(|at| self.0[at].listed != NONE)
    }

    /// Whether a version is older than the newest that is known.
    pub(super) fn is_older(&self, id: &str, version: Option<Timestamp>) -> bool {
        let (name, version) = (name(id), millis(version));
        let found = self.0.binary_search_by_key(&name, |entry| entry.name);
        found.is_ok_and(|at| version > TIMELESS && version < self.0[at].newest)
    }
}
