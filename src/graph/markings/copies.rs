//! What marked earlier copies of an object holds on: whoever gives an object again in the version that it had may
//! correct it, but a marking gets freer by a newer version alone.

use std::ops::Range;

use super::{Extent, Kind, Mark, Markings, Meaning};
use crate::{
    graph::{Entity, Facts},
    model::{Context, Digest, Encoder, Marking, Tlp},
};

/// What marked an earlier copy of an entity.
#[derive(Debug, Clone)]
pub(super) struct CopyOf {
    /// The entity's place among the facts.
    pub(super) entity: usize,
    tlp: Option<Tlp>,
    partly: Option<Tlp>,
    marks: Vec<(Mark, Extent)>,
}

impl CopyOf {
    /// The same among further facts.
    pub(super) fn moved(self, entities: usize, renumbered: &[Mark]) -> Self {
        let marks = self.marks.into_iter().map(|(mark, extent)| (mark.of(renumbered), extent));
        Self { entity: entities + self.entity, marks: marks.collect(), ..self }
    }

    /// The same of an entity that has another place.
    pub(super) fn at(self, entity: usize) -> Self {
        Self { entity, ..self }
    }

    /// The marking, now that it is known what marks mean.
    pub(super) fn marking(&self, meaning: impl Fn(Mark) -> Meaning) -> Marking {
        let (mut whole, mut part) = (self.tlp, self.partly);
        for &(mark, extent) in &self.marks {
            let said = meaning(mark);
            let place = if extent == Extent::Whole { &mut whole } else { &mut part };
            *place = said.whole.max(*place);
            part = part.max(said.partly);
        }
        Marking { tlp: whole.max(part), unmarked: whole.is_none() }
    }
}

/// What marks an entity as a whole, its TLP tags included.
fn whole(entity: &Entity) -> Option<Tlp> {
    let tagged = entity.tags.iter().filter_map(|tag| Tlp::of_tag(tag)).max();
    entity.tlp.max(tagged)
}

impl Facts {
    /// Takes over what marks an earlier copy of the same version of an object, of which the facts of that copy say
    /// it. `entity` and `relations` are what the object itself gave; the rest of the copy is forgotten.
    pub fn heed_copy(&mut self, mut copy: Self, entity: Option<usize>, relations: Range<usize>) {
        let uses = std::mem::take(&mut copy.markings.uses);
        let renumbered = self.markings.extend(copy.markings, 0);
        if let (Some(entity), Some(said)) = (entity, copy.entities.first()) {
            let marks = uses.iter().map(|each| (each.mark.of(&renumbered), each.extent));
            self.markings.copies.push(CopyOf {
                entity,
                tlp: whole(said),
                partly: said.partly,
                marks: marks.collect(),
            });
        }
        let links = || copy.relations.iter();
        let marks = links().filter_map(|link| link.mark).map(|mark| mark.of(&renumbered));
        let (marks, tlp) =
            (self.markings.together(marks), links().filter_map(|link| link.tlp).max());
        for relation in &mut self.relations[relations] {
            relation.mark = self.markings.together(relation.mark.into_iter().chain(marks));
            relation.tlp = relation.tlp.max(tlp);
        }
    }

    /// What marks all of these facts, as a digest. Of two copies of an object with the same one, one is enough.
    #[must_use]
    pub fn marking_digest(&self) -> Digest {
        let colour = |encoder: &mut Encoder, tlp: Tlp| {
            encoder.text(tlp.name());
        };
        let mut encoder = Encoder::new(Context::Marking);
        encoder.list(self.entities.iter(), |encoder, entity| {
            encoder.option(whole(entity), colour).option(entity.partly, colour);
        });
        encoder.list(self.relations.iter(), |encoder, relation| {
            encoder.option(relation.tlp, colour).option(relation.mark, |encoder, mark| {
                encoder.text(&self.markings.text_of(mark));
            });
        });
        self.markings.encode(&mut encoder);
        encoder.finish()
    }
}

impl Markings {
    /// A mark in words, the same in whatever order marks came.
    fn text_of(&self, mark: Mark) -> String {
        let kind = self.numbers.iter().find(|(_, number)| **number == mark).map(|(kind, _)| kind);
        match kind.expect("a mark has a kind") {
            Kind::Named(id) => format!("({})", id.as_str()),
            Kind::Colour(tlp) => format!("tlp:{}", tlp.name()),
            Kind::Then(until, tlp) => format!("tlp:{} until {}", tlp.name(), until.number()),
            Kind::Together(marks) => {
                let mut texts: Vec<String> = marks.iter().map(|mark| self.text_of(*mark)).collect();
                texts.sort_unstable();
                format!("({})", texts.join(" "))
            }
        }
    }

    /// Uses and definitions, in an order that does not depend on numbers.
    fn encode(&self, encoder: &mut Encoder) {
        let use_of = |each: &super::Use| {
            (each.entity, each.extent == Extent::Whole, self.text_of(each.mark))
        };
        let mut uses: Vec<_> = self.uses.iter().map(use_of).collect();
        uses.sort_unstable();
        encoder.list(uses.iter(), |encoder, (entity, whole, text)| {
            encoder.u64(*entity as u64).flag(*whole).text(text);
        });
        encoder.list(self.definitions.iter(), |encoder, (id, said)| {
            encoder.text(id.as_str()).list(said.iter(), |encoder, tlp| {
                encoder.text(tlp.map_or("none", Tlp::name));
            });
        });
        let pairs = self.of_definitions.iter();
        let mut pairs: Vec<_> =
            pairs.map(|(one, other)| (self.text_of(*one), self.text_of(*other))).collect();
        pairs.sort_unstable();
        encoder.list(pairs.iter(), |encoder, (one, other)| {
            encoder.text(one).text(other);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::{
            Said,
            sample::{entity, facts, relation},
        },
        model::MarkingId,
    };

    fn marked(tlp: Tlp, extent: Extent) -> Facts {
        let mut facts = facts(vec![entity("ttp", 1)], vec![]);
        let mark = facts.markings.colour(tlp);
        facts.markings.mark(0, mark, extent);
        facts
    }

    fn settled(mut facts: Facts) -> Vec<Marking> {
        facts.settle(&Said::new());
        facts.entities.iter().map(Entity::marking).collect()
    }

    #[test]
    fn the_strictest_of_all_copies_holds_and_what_was_unmarked_stays_so() {
        let plain = || facts(vec![entity("ttp", 1)], vec![]);
        let tagged = || {
            let mut facts = plain();
            facts.entities[0].tags.push("tlp:amber".into());
            facts
        };
        for (now, before, tlp, unmarked) in [
            (marked(Tlp::Green, Extent::Whole), marked(Tlp::Red, Extent::Whole), Tlp::Red, false),
            (marked(Tlp::Red, Extent::Whole), marked(Tlp::Green, Extent::Whole), Tlp::Red, false),
            (marked(Tlp::Green, Extent::Whole), marked(Tlp::Red, Extent::Part), Tlp::Red, true),
            (marked(Tlp::Green, Extent::Whole), plain(), Tlp::Green, true),
            (plain(), marked(Tlp::Amber, Extent::Whole), Tlp::Amber, true),
            (marked(Tlp::Green, Extent::Whole), tagged(), Tlp::Amber, false),
        ] {
            let mut facts = facts(vec![entity("ttp", 0)], vec![]);
            facts.extend(now);
            facts.heed_copy(before, Some(1), 0..0);
            let mut twice = Facts::default();
            twice.extend(facts);
            let moved = twice.as_read_by(crate::model::Reader::FIRST);
            let expected = Marking { tlp: Some(tlp), unmarked };
            assert_eq!(settled(moved)[1], expected);
            let settled = settled(twice);
            assert_eq!((settled[0].tlp, settled[1]), (None, expected));
        }
    }

    #[test]
    fn links_and_definitions_get_no_freer_either() {
        let id = MarkingId::of("marking-definition--1");
        let link = |tlp| {
            let mut facts = facts(vec![], vec![relation("x", 1, 2)]);
            let own = facts.markings.colour(tlp);
            facts.relations[0].mark = facts.markings.together([own]);
            facts
        };
        let mut now = link(Tlp::Green);
        now.heed_copy(link(Tlp::Amber), None, 0..1);
        now.settle(&Said::new());
        assert_eq!(now.relations[0].tlp, Some(Tlp::Amber));

        let mut now = facts(vec![entity("ttp", 1)], vec![]);
        let named = now.markings.named(id.clone());
        now.markings.mark(0, named, Extent::Whole);
        now.markings.define(id.clone(), Some(Tlp::Green));
        let mut before = Facts::default();
        before.markings.define(id, Some(Tlp::Red));
        now.heed_copy(before, None, 0..0);
        assert_eq!(settled(now)[0].tlp, Some(Tlp::Red));
    }

    #[test]
    fn the_digest_tells_markings_apart_and_nothing_else() {
        let of = |facts: &Facts| facts.marking_digest();
        let green = marked(Tlp::Green, Extent::Whole);
        let mut same = marked(Tlp::Green, Extent::Whole);
        same.entities[0].title = "another".into();
        assert_eq!(of(&green), of(&same));
        for other in [marked(Tlp::Red, Extent::Whole), marked(Tlp::Green, Extent::Part)] {
            assert_ne!(of(&green), of(&other));
        }
        same.markings.define(MarkingId::of("marking-definition--1"), None);
        assert_ne!(of(&green), of(&same));
        let both = |[one, other]: [Tlp; 2]| {
            let mut facts = facts(vec![], vec![relation("x", 1, 2)]);
            let marks = [facts.markings.colour(one), facts.markings.colour(other)];
            facts.relations[0].mark = facts.markings.together(marks);
            facts
        };
        let (one, other) = (both([Tlp::Red, Tlp::Green]), both([Tlp::Green, Tlp::Red]));
        assert_eq!(of(&one), of(&other));
        assert_ne!(of(&one), of(&both([Tlp::Green, Tlp::Green])));
    }
}
