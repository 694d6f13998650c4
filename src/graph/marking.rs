//! What an entity is marked with, in whatever form it says so.

use crate::model::Tlp;

use super::Entity;

impl Entity {
    /// The strictest colour that its tags stand for.
    fn tagged(&self) -> Option<Tlp> {
        self.tags.iter().filter_map(|tag| Tlp::of_tag(tag)).max()
    }

    /// Takes its TLP tags for the marking that they are: the strictest of all holds. Gives their colour where it is
    /// stricter than another marking, for that is a contradiction. Done twice, it changes nothing more.
    pub fn heed_tags(&mut self) -> Option<Tlp> {
        let (said, tagged) = (self.tlp, self.tagged());
        self.tlp = said.max(tagged);
        tagged.filter(|tagged| said.is_some_and(|said| said < *tagged))
    }
}
