//! Which relations belong to outdated versions of the objects that stand for them.

use uuid::Uuid;

use crate::{graph::Relation, model::Timestamp};

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

    /// Removes the relations that come from a version older than the newest of their object.
    pub(super) fn keep_newest(mut self, relations: &mut Vec<Relation>) {
        self.0.sort_unstable();
        let mut outdated = Vec::new();
        for object in self.0.chunk_by(|a, b| a.object == b.object) {
            let newest = object.last().and_then(|version| version.modified);
            let old = object.iter().take_while(|version| version.modified < newest);
            outdated.extend(old.map(|version| version.relation));
        }
        outdated.sort_unstable();
        let mut outdated = outdated.into_iter().peekable();
        let mut index = 0;
        relations.retain(|_| {
            let is_outdated = outdated.next_if_eq(&index).is_some();
            index += 1;
            !is_outdated
        });
    }
}
