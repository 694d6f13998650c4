//! Which relations belong to outdated versions of the objects that stand for them.

use uuid::Uuid;

use crate::{graph::Facts, model::Timestamp};

/// The relations that objects stand for, and the versions of those objects.
#[derive(Debug, Default)]
pub(super) struct Versions(Vec<Version>);

/// A relation, and the version of the object that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    /// A hash of the object's id, type included: two objects may share the UUID in their ids.
    object: Uuid,
    /// An object without a time counts as older than any.
    modified: Option<Timestamp>,
    relation: usize,
}

impl Versions {
    /// Notes where a relation comes from.
    pub(super) fn note(&mut self, id: &str, modified: Option<Timestamp>, relation: usize) {
        let object = Uuid::new_v5(&Uuid::NAMESPACE_URL, id.trim().as_bytes());
        self.0.push(Version { object, modified, relation });
    }

    /// The relations that come from a version older than the newest of their object, by their places, sorted. Those of
    /// versions that tie are removed if one of them is, and as strict as the strictest of them, and of one whose time cannot
    /// be read.
    pub(super) fn outdated(mut self, facts: &mut Facts) -> Vec<usize> {
        self.0.sort_unstable();
        let mut outdated = Vec::new();
        for object in self.0.chunk_by(|a, b| a.object == b.object) {
            let newest = object.last().and_then(|version| version.modified);
            let count = object.partition_point(|version| version.modified < newest);
            let (old, kept) = object.split_at(count);
            outdated.extend(old.iter().map(|version| version.relation));
            let timeless = old.iter().take_while(|version| version.modified.is_none());
            share_markings(timeless.chain(kept), kept, facts);
            if kept.iter().any(|version| facts.relations[version.relation].removed) {
                kept.iter().for_each(|version| facts.relations[version.relation].removed = true);
            }
        }
        outdated.sort_unstable();
        outdated
    }

    /// Leaves them out.
    pub(super) fn keep_newest(self, facts: &mut Facts) {
        let outdated = self.outdated(facts);
        let mut outdated = outdated.into_iter().peekable();
        let mut index = 0;
        facts.relations.retain(|_| {
            let is_outdated = outdated.next_if_eq(&index).is_some();
            index += 1;
            !is_outdated
        });
    }
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
