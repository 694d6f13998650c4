//! What an entity is marked with, in whatever form it says so.

use crate::model::{Marking, Tlp};

use super::Entity;

impl Entity {
    /// Its marking: the strictest of all and of each part. It is unmarked unless all of it is marked.
    #[must_use]
    pub fn marking(&self) -> Marking {
        Marking { tlp: self.tlp.max(self.partly), unmarked: self.tlp.is_none() }
    }

    /// Takes over the marking of a copy, of which nobody can say whether it is newer.
    pub(super) fn heed_copy(&mut self, copy: Marking) {
        let both = self.marking().and(copy);
        self.tlp = both.tlp.filter(|_| !both.unmarked);
        self.partly = both.tlp;
    }

    /// Takes its TLP tags for the marking that they are: the strictest of all holds. Gives their colour where it is
    /// stricter than another marking, for that is a contradiction. Done twice, it changes nothing more.
    pub(super) fn heed_tags(&mut self) -> Option<Tlp> {
        let tagged = self.tags.iter().filter_map(|tag| Tlp::of_tag(tag)).max();
        let said = self.tlp;
        self.tlp = said.max(tagged);
        tagged.filter(|tagged| said.is_some_and(|said| said < *tagged))
    }
}
