//! The markings of a source while it is read: which objects use which marking, and what definitions say of it.
//!
//! A definition may stand behind the objects that use it, and in another file of the source, so colours are known only
//! when all is read: [`Facts::settle`]. Several markings hold together, the strictest of them; one that nobody defines
//! is red, for a marking must never be lost.

mod copies;
mod spelled;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{EntityKey, MarkingId, Reader, Timestamp, Tlp};

use super::{Entity, Facts};
use copies::CopyOf;

/// Most warnings of one sort that are told one by one; the rest is counted.
const WARNINGS_MAX: usize = 100;

/// A marking, or several together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u32);

impl Mark {
    /// The same marking in another source.
    pub(super) fn of(self, renumbered: &[Self]) -> Self {
        renumbered[self.0 as usize]
    }
}

/// How much of an object a marking is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// A part: it makes all of it as strict, and an unmarked object not marked.
    Part,
}

/// What the markings that the configuration names are: a colour, or none.
pub type Said = BTreeMap<MarkingId, Option<Tlp>>;

/// The markings of a source.
#[derive(Debug, Default, Clone)]
pub struct Markings {
    /// What is used, by number.
    numbers: BTreeMap<Kind, Mark>,
    /// What definitions say, `None` for one that is no TLP.
    definitions: BTreeMap<MarkingId, BTreeSet<Option<Tlp>>>,
    /// The markings that use each marking: what a definition is marked with, and the definition.
    of_definitions: BTreeSet<(Mark, Mark)>,
    uses: Vec<Use>,
    /// What entities are marked with by links, which may be in another part of the source.
    linked: BTreeSet<(EntityKey, Mark)>,
    /// What marked earlier copies of entities.
    copies: Vec<CopyOf>,
    /// Versions of entities that cannot be read, and their times as far as those can; and the last reader that could not,
    /// where a newer one can.
    lost: BTreeSet<(EntityKey, Option<Timestamp>, Option<Reader>)>,
    /// Ids that are written otherwise than ids are, and those that they spell.
    spelled: BTreeMap<EntityKey, EntityKey>,
    /// The reader by which they are read; `None` for that of now.
    by: Option<Reader>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Named(MarkingId),
    Colour(Tlp),
    /// What readers up to this one took for a marking of the colour.
    Then(Reader, Tlp),
    /// Numbers of those that came before, sorted.
    Together(Box<[Mark]>),
}

/// What a marking is.
#[derive(Debug, Clone, Copy)]
struct Meaning {
    /// The colour that it says.
    whole: Option<Tlp>,
    /// The strictest colour that its definition is marked with.
    partly: Option<Tlp>,
}

/// An entity's place among the facts, and a marking of it.
#[derive(Debug, Clone, Copy)]
struct Use {
    entity: usize,
    mark: Mark,
    extent: Extent,
}

impl Markings {
    /// The marking of an id.
    pub fn named(&mut self, id: MarkingId) -> Mark {
        self.number(Kind::Named(id))
    }

    /// A marking that needs no definition.
    pub fn colour(&mut self, tlp: Tlp) -> Mark {
        self.number(Kind::Colour(tlp))
    }

    /// A marking that only readers up to this one read. So what a newer one takes for freer is no freer by an upgrade.
    pub fn then(&mut self, until: Reader, tlp: Tlp) -> Mark {
        self.number(Kind::Then(until, tlp))
    }

    /// The same markings, as an older reader read them.
    pub(super) fn by(self, reader: Reader) -> Self {
        Self { by: Some(reader), ..self }
    }

    /// Whether they are read by a reader up to this one.
    fn is_then(&self, until: Reader) -> bool {
        self.by.is_some_and(|by| by <= until)
    }

    /// Several markings as one; `None` if there are none.
    pub fn together(&mut self, marks: impl IntoIterator<Item = Mark>) -> Option<Mark> {
        let marks: BTreeSet<Mark> = marks.into_iter().collect();
        match marks.len() {
            0 | 1 => marks.into_iter().next(),
            _ => Some(self.number(Kind::Together(marks.into_iter().collect()))),
        }
    }

    fn number(&mut self, kind: Kind) -> Mark {
        let next = u32::try_from(self.numbers.len()).expect("fewer than 2^32 markings");
        *self.numbers.entry(kind).or_insert(Mark(next))
    }

    /// Takes down what a definition says; of several of one id the strictest holds.
    pub fn define(&mut self, id: MarkingId, tlp: Option<Tlp>) {
        self.definitions.entry(id).or_default().insert(tlp);
    }

    /// Marks a definition itself: it makes what the definition marks as strict, and nothing marked that is not.
    pub fn mark_definition(&mut self, id: &MarkingId, mark: Mark) {
        let defined = self.named(id.clone());
        self.of_definitions.insert((mark, defined));
    }

    /// Marks an entity, by its place among the facts.
    pub fn mark(&mut self, entity: usize, mark: Mark, extent: Extent) {
        self.uses.push(Use { entity, mark, extent });
    }

    /// Marks an entity, all versions of it, by a link to a marking: as one of a part.
    pub fn mark_linked(&mut self, entity: &EntityKey, mark: Mark) {
        self.linked.insert((entity.clone(), mark));
    }

    /// The strictest of what links mark an entity with.
    fn linked(&self, entity: &Entity, colours: &[Meaning]) -> Option<Tlp> {
        let marks = [Some(&entity.key), entity.platform.as_ref()].into_iter().flatten();
        let marks = marks.flat_map(|key| {
            let from = (key.clone(), Mark(0))..=(key.clone(), Mark(u32::MAX));
            self.linked.range(from).map(|(_, mark)| colours[mark.0 as usize])
        });
        marks.filter_map(|Meaning { whole, partly }| whole.max(partly)).max()
    }

    /// Takes down that a version of one of these entities cannot be read: nobody knows how it is marked, so no version
    /// that is not newer for sure is freer than red. So it is with a definition of a marking. It may be that only readers
    /// up to some one cannot read it.
    pub fn lose(&mut self, keys: &[EntityKey], version: Option<Timestamp>, until: Option<Reader>) {
        for key in keys {
            if key.as_str().starts_with(MarkingId::PREFIX) {
                let id = MarkingId::of(key.as_str());
                match until {
                    None => self.define(id, Some(Tlp::Red)),
                    Some(until) => {
                        let red = self.then(until, Tlp::Red);
                        self.mark_definition(&id, red);
                    }
                }
            }
            self.lost.insert((key.clone(), version, until));
        }
    }

    /// Whether a version of an entity that may be as new as this one cannot be read.
    fn may_have_lost(&self, entity: &Entity) -> bool {
        let is_lost = |key: &EntityKey| {
            let versions = self.lost.range((key.clone(), None, None)..);
            let versions = versions.take_while(|(of, ..)| of == key);
            let mut lost = versions.filter(|(.., until)| until.is_none_or(|it| self.is_then(it)));
            lost.any(|(_, lost, _)| lost.is_none() || *lost >= entity.modified)
        };
        !self.lost.is_empty() && (is_lost(&entity.key) || entity.platform.iter().any(is_lost))
    }

    /// All that entities are marked with, and their places.
    pub fn uses(&self) -> impl Iterator<Item = (usize, Mark)> {
        self.uses.iter().map(|each| (each.entity, each.mark))
    }

    /// Adds the markings of a further part of the source, whose entities come after so many. Gives its marks their new
    /// numbers.
    pub(super) fn extend(&mut self, part: Self, entities: usize) -> Vec<Mark> {
        let mut renumbered: Vec<Mark> = Vec::with_capacity(part.numbers.len());
        for kind in by_number(part.numbers) {
            let kind = match kind {
                Kind::Together(marks) => {
                    let marks: BTreeSet<Mark> =
                        marks.iter().map(|mark| renumbered[mark.0 as usize]).collect();
                    Kind::Together(marks.into_iter().collect())
                }
                kind => kind,
            };
            renumbered.push(self.number(kind));
        }
        for (id, said) in part.definitions {
            self.definitions.entry(id).or_default().extend(said);
        }
        self.lost.extend(part.lost);
        self.spelled.extend(part.spelled);
        let renumber = |mark: Mark| renumbered[mark.0 as usize];
        let pairs = part.of_definitions.into_iter();
        self.of_definitions
            .extend(pairs.map(|(mark, defined)| (renumber(mark), renumber(defined))));
        self.uses.extend(part.uses.into_iter().map(|each| Use {
            entity: entities + each.entity,
            mark: renumbered[each.mark.0 as usize],
            ..each
        }));
        self.linked.extend(part.linked.into_iter().map(|(key, mark)| (key, renumber(mark))));
        self.copies.extend(part.copies.into_iter().map(|copy| copy.moved(entities, &renumbered)));
        renumbered
    }

    /// The markings of entities that have other places now; `None` is one that is gone.
    pub(super) fn moved(&self, places: &[Option<usize>]) -> Self {
        let place = |entity: usize| places.get(entity).copied().flatten();
        let uses = self.uses.iter().filter_map(|each| {
            let entity = place(each.entity)?;
            Some(Use { entity, ..*each })
        });
        let copies = self.copies.iter().filter_map(|copy| {
            let entity = place(copy.entity)?;
            Some(copy.clone().at(entity))
        });
        Self { uses: uses.collect(), copies: copies.collect(), ..self.clone() }
    }

    /// What each marking is, by number.
    fn colours(&mut self, said: &Said, warnings: &mut Warnings) -> Vec<Meaning> {
        let mut colours: Vec<Meaning> = Vec::with_capacity(self.numbers.len());
        let kinds = by_number(std::mem::take(&mut self.numbers));
        for kind in &kinds {
            let whole = match kind {
                Kind::Colour(tlp) => Some(*tlp),
                Kind::Then(until, tlp) => self.is_then(*until).then_some(*tlp),
                Kind::Together(marks) => {
                    marks.iter().filter_map(|mark| colours[mark.0 as usize].whole).max()
                }
                Kind::Named(id) => self.colour_of(id, said, warnings),
            };
            colours.push(Meaning { whole, partly: None });
        }
        self.heed_definitions(&mut colours);
        for (number, kind) in kinds.iter().enumerate() {
            match kind {
                Kind::Together(marks) => {
                    let partly = marks.iter().filter_map(|mark| colours[mark.0 as usize].partly);
                    colours[number].partly = partly.max();
                }
                Kind::Named(id) => warnings.see_definition(id, colours[number]),
                Kind::Colour(_) | Kind::Then(..) => {}
            }
        }
        colours
    }

    /// Gives each marking the strictest colour that its definition is marked with, and the definition of that marking,
    /// and so on, from the strictest down: so each is looked at once.
    fn heed_definitions(&self, colours: &mut [Meaning]) {
        for tlp in Tlp::ALL.into_iter().rev() {
            let mut strict: Vec<Mark> = (0..)
                .zip(&*colours)
                .filter_map(|(number, meaning)| {
                    (meaning.whole == Some(tlp)).then_some(Mark(number))
                })
                .collect();
            while let Some(mark) = strict.pop() {
                let from = (mark, Mark(0))..=(mark, Mark(u32::MAX));
                for (_, defined) in self.of_definitions.range(from) {
                    let meaning = &mut colours[defined.0 as usize];
                    if meaning.partly.is_none() {
                        meaning.partly = Some(tlp);
                        strict.push(*defined);
                    }
                }
            }
        }
    }

    fn colour_of(&self, id: &MarkingId, said: &Said, warnings: &mut Warnings) -> Option<Tlp> {
        let defined = self.definitions.get(id);
        let fixed = id.fixed().map(Some);
        let all: BTreeSet<Option<Tlp>> = defined
            .into_iter()
            .flatten()
            .copied()
            .chain(fixed)
            .chain(said.get(id).copied())
            .collect();
        let id = id.as_str();
        let Some(strictest) = all.last().copied() else {
            warnings.undefined.add(format!(
                "{id} is defined nowhere in the source: what is marked with it is taken as TLP red; say what it is \
                 under [mapping.markings], such as \"{id}\" = \"green\" (a colour, or \"none\")"
            ));
            return Some(Tlp::Red);
        };
        let colours: Vec<&str> = all.iter().flatten().map(|tlp| tlp.name()).collect();
        if let (Some(tlp), 2..) = (strictest, colours.len()) {
            let colours = colours.join(" and of ");
            warnings.contradictions.add(format!(
                "{id} is said to be a marking of TLP {colours}; taken as {tlp}, the strictest"
            ));
        }
        strictest
    }
}

fn by_number(numbers: BTreeMap<Kind, Mark>) -> Vec<Kind> {
    let mut kinds: Vec<(Mark, Kind)> =
        numbers.into_iter().map(|(kind, number)| (number, kind)).collect();
    kinds.sort_unstable_by_key(|(number, _)| *number);
    kinds.into_iter().map(|(_, kind)| kind).collect()
}

impl Facts {
    /// Gives entities and links the colours of their markings, now that the source is read to its end, and takes TLP
    /// tags of entities for markings. Gives warnings. Done twice, it changes nothing more.
    pub fn settle(&mut self, said: &Said) -> Vec<String> {
        let mut warnings = Warnings::default();
        let mut markings = std::mem::take(&mut self.markings);
        let colours = markings.colours(said, &mut warnings);
        let meaning = |mark: Mark| colours[mark.0 as usize];
        for entity in self.entities.iter_mut().filter(|entity| markings.may_have_lost(entity)) {
            entity.partly = Some(Tlp::Red);
            warnings.lost.add(format!(
                "a version of {} cannot be read, and may be marked stricter; taken as TLP red",
                entity.id
            ));
        }
        if !markings.linked.is_empty() {
            for entity in &mut self.entities {
                entity.partly = markings.linked(entity, &colours).max(entity.partly);
            }
        }
        for Use { entity, mark, extent } in markings.uses {
            let entity = &mut self.entities[entity];
            let Meaning { whole, partly } = meaning(mark);
            let place = match extent {
                Extent::Whole => &mut entity.tlp,
                Extent::Part => &mut entity.partly,
            };
            *place = whole.max(*place);
            entity.partly = partly.max(entity.partly);
        }
        for relation in &mut self.relations {
            let marked = relation.mark.take().map(meaning).and_then(|it| it.whole.max(it.partly));
            let (labelled, id) = (relation.tlp, &relation.source);
            relation.tlp = labelled.max(marked);
            if let (Some(labelled), Some(marked)) = (labelled, marked)
                && labelled > marked
            {
                warnings.contradictions.add(format!(
                    "a label of a link of {id} says TLP {labelled}, and its marking {marked}; taken as {labelled}"
                ));
            }
        }
        for entity in &mut self.entities {
            let marked = entity.tlp;
            if let (Some(tagged), Some(marked)) = (entity.heed_tags(), marked) {
                warnings.contradictions.add(format!(
                    "a tag of {} says TLP {tagged}, and its marking {marked}; taken as {tagged}",
                    entity.id
                ));
            }
        }
        for copy in markings.copies {
            self.entities[copy.entity].heed_copy(copy.marking(meaning));
        }
        spelled::share(&mut self.entities, &markings.spelled);
        warnings.texts()
    }
}

/// What is to be said, by sort.
#[derive(Default)]
struct Warnings {
    undefined: FirstOnes,
    contradictions: FirstOnes,
    lost: FirstOnes,
}

impl Warnings {
    /// A definition that is marked stricter than what it says.
    fn see_definition(&mut self, id: &MarkingId, Meaning { whole, partly }: Meaning) {
        if let Some(partly) = partly.filter(|_| partly > whole) {
            let id = id.as_str();
            self.contradictions.add(format!(
                "the definition of {id} is itself marked TLP {partly}; what is marked with it is taken as {partly}"
            ));
        }
    }

    fn texts(self) -> Vec<String> {
        let undefined = self.undefined.texts("markings that are defined nowhere");
        let contradictions = self.contradictions.texts("contradictions between markings");
        let lost = self.lost.texts("entities with a version that cannot be read");
        undefined.chain(contradictions).chain(lost).collect()
    }
}

/// The first of some texts in their order, and how many there were.
#[derive(Default)]
struct FirstOnes {
    kept: BTreeSet<String>,
    left_out: usize,
}

impl FirstOnes {
    fn add(&mut self, text: String) {
        if self.kept.insert(text) && self.kept.len() > WARNINGS_MAX {
            self.kept.pop_last();
            self.left_out += 1;
        }
    }

    fn texts(self, what: &str) -> impl Iterator<Item = String> {
        let left_out = self.left_out;
        let more = (left_out > 0).then(|| format!("and {left_out} more {what}"));
        self.kept.into_iter().chain(more)
    }
}
