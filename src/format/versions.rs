//! Which relations belong to outdated versions of the objects that stand for them.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::apart::lost::Lost;
use crate::{
    graph::{Facts, Mark, Markings},
    model::{EntityKey, Reader, Timestamp, Tlp},
};

/// The relations that objects stand for, and the versions of those objects.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    noted: Vec<Version>,
    /// Objects of which a version cannot be read, and the time of that, as far as it can be.
    lost: BTreeSet<(Uuid, Option<Timestamp>, Option<Reader>)>,
}

/// A relation, and the version of the object that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    /// A hash of the object's id, type included: two objects may share the UUID in their ids.
    object: Uuid,
    /// An object without a time counts as older than any.
    modified: Option<Timestamp>,
    relation: usize,
    /// What readers before the third took for its time.
    then: Option<Timestamp>,
}

impl Versions {
    /// Notes where a relation comes from, of which time, and of which it was to readers before the third.
    pub(super) fn note(
        &mut self,
        id: &EntityKey,
        [modified, then]: [Option<Timestamp>; 2],
        relation: usize,
    ) {
        self.noted.push(Version { object: hash(id), modified, relation, then });
    }

    /// Notes that a version of an object cannot be read.
    pub(super) fn lose(&mut self, lost: &Lost) {
        self.lost.extend(lost.ids.iter().map(|id| (hash(id), lost.version, lost.until)));
    }

    /// The marking by which a version holds that may be as new and cannot be read.
    fn mark_of_lost(
        &self,
        object: Uuid,
        newest: Option<Timestamp>,
        markings: &mut Markings,
    ) -> Option<Mark> {
        let lost = self.lost.range((object, None, None)..).take_while(|(of, ..)| *of == object);
        let may_be = lost.filter(|(_, time, _)| time.is_none() || *time >= newest);
        let until: BTreeSet<Option<Reader>> = may_be.map(|(.., until)| *until).collect();
        Some(match (until.first()?, until.last()?) {
            (Some(_), Some(last)) => markings.then(*last, Tlp::Red),
            _ => markings.colour(Tlp::Red),
        })
    }

    /// Leaves out the relations that come from a version older than the newest of their object. Those of versions that tie
    /// are removed if one of them is, and as strict as the strictest of them, and of one whose time cannot be read; they
    /// are red where one of these cannot be read at all.
    pub(super) fn keep_newest(mut self, facts: &mut Facts) {
        self.noted.sort_unstable();
        let mut outdated = Vec::new();
        for object in self.noted.chunk_by(|a, b| a.object == b.object) {
            let newest = object.last().and_then(|version| version.modified);
            let count = object.partition_point(|version| version.modified < newest);
            let (old, kept) = object.split_at(count);
            outdated.extend(outdated_of(old, kept, facts));
            let timeless = old.iter().take_while(|version| version.modified.is_none());
            share_markings(timeless.chain(kept), kept, facts);
            let lost = self.mark_of_lost(object[0].object, newest, &mut facts.markings);
            if let Some(red) = lost {
                for version in kept {
                    let mark = facts.relations[version.relation].mark;
                    let both = facts.markings.together(mark.into_iter().chain([red]));
                    facts.relations[version.relation].mark = both;
                }
            }
        }
        outdated.sort_unstable();
        let mut outdated = outdated.into_iter().peekable();
        let mut index = 0;
        facts.relations.retain(|_| {
            let is_outdated = outdated.next_if_eq(&index).is_some();
            index += 1;
            !is_outdated
        });
    }
}

fn hash(id: &EntityKey) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, id.as_str().as_bytes())
}

/// Of relations of one object, those of outdated versions; what an earlier reader took otherwise stays for that. They are
/// counted as removed where they are outdated now alone, or where one of those that count is removed.
fn outdated_of(old: &[Version], kept: &[Version], facts: &mut Facts) -> Vec<usize> {
    let newest_then = old.iter().chain(kept).map(|version| version.then).max();
    let is_removed = kept.iter().any(|it| facts.relations[it.relation].removed.is_some());
    let mut outdated = Vec::new();
    let sorted = old.iter().map(|it| (it, true)).chain(kept.iter().map(|it| (it, is_removed)));
    for (place, (version, is_removed)) in sorted.enumerate() {
        let was_kept = Some(version.then) == newest_then;
        if place < old.len() && !was_kept {
            outdated.push(version.relation);
            continue;
        }
        let relation = &mut facts.relations[version.relation];
        if is_removed {
            relation.removed.get_or_insert(Reader::THIRD);
        }
        if !was_kept {
            relation.since = relation.since.max(Reader::THIRD);
        }
    }
    outdated
}

/// Gives all markings of some relations to all of others.
fn share_markings<'v>(of: impl Iterator<Item = &'v Version>, to: &[Version], facts: &mut Facts) {
    let (mut marks, mut tlp, mut count) = (Vec::new(), None, 0);
    for version in of {
        let relation = &facts.relations[version.relation];
        marks.extend(relation.mark);
        tlp = relation.tlp.max(tlp);
        count += 1;
    }
    if count < 2 || (marks.is_empty() && tlp.is_none()) {
        return;
    }
    let mark = facts.markings.together(marks);
    for version in to {
        let relation = &mut facts.relations[version.relation];
        (relation.mark, relation.tlp) = (mark, tlp);
    }
}
