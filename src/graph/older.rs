//! What an older reader would have made of the same bytes.

use crate::model::{EntityKey, Reader, Tlp};

use super::{Entity, Facts, Observable, Relation};

/// How readers up to a certain one read an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The last of them.
    until: Reader,
    /// What they read, but for observables and marking; `None` if they passed over it.
    entity: Option<Entity>,
    /// Their marking, where it is another.
    tlp: Option<Option<Tlp>>,
}

impl Entity {
    /// The entity, which no reader before this one takes.
    #[must_use]
    pub fn since(mut self, reader: Reader) -> Self {
        if let Some(of) = self.read_by(reader) {
            of.before = Some(Box::new(Before { until: reader.before(), entity: None, tlp: None }));
        }
        self
    }

    /// The entity, which readers before this one read with a change. Observables say for themselves since when
    /// they are read, and may still be added.
    #[must_use]
    pub fn was(mut self, reader: Reader, change: impl Fn(&mut Self)) -> Self {
        let observables = std::mem::take(&mut self.observables);
        if let Some(of) = self.read_by(reader) {
            let mut older = of.clone();
            older.change(&change);
            let tlp = (older.tlp != of.tlp).then_some(older.tlp);
            of.before = Some(Box::new(Before { until: reader.before(), entity: Some(older), tlp }));
        }
        Self { observables, ..self }
    }

    /// Changes it, and how each older reader reads it.
    pub(crate) fn change(&mut self, change: &impl Fn(&mut Self)) {
        change(self);
        if let Some(older) = self.before.as_deref_mut().and_then(|it| it.entity.as_mut()) {
            older.change(change);
        }
    }

    /// How this reader reads it, as far as that is written down; `None` where the reader passes over it.
    fn read_by(&mut self, reader: Reader) -> Option<&mut Self> {
        match self.before.as_deref().is_some_and(|before| reader <= before.until) {
            true => self.before.as_deref_mut()?.entity.as_mut()?.read_by(reader),
            false => Some(self),
        }
    }

    /// The entity as a reader read it, if it did.
    fn as_read_by(&self, reader: Reader) -> Option<Self> {
        let (mut entity, mut tlp) = (self, self.tlp);
        while let Some(before) = entity.before.as_deref()
            && reader <= before.until
        {
            entity = before.entity.as_ref()?;
            tlp = before.tlp.unwrap_or(tlp);
        }
        let key = as_known_by(&self.key, reader);
        let observables = self.observables.iter().filter(|it| it.since <= reader).cloned();
        Some(Self {
            observables: observables.collect(),
            unusable: self.unusable.clone(),
            tlp,
            partly: self.partly,
            key,
            before: None,
            ..entity.clone()
        })
    }
}

impl Observable {
    /// Whether it is the same, whoever reads it.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let Self { kind, value, maliciousness, links, context_only, since: _ } = self;
        (kind, value) == (&other.kind, &other.value)
            && (maliciousness, links) == (&other.maliciousness, &other.links)
            && *context_only == other.context_only
    }

    /// The observable, which no reader before this one reads.
    #[must_use]
    pub fn since(self, reader: Reader) -> Self {
        Self { since: reader, ..self }
    }
}

impl Relation {
    /// The relation, which no reader before this one reads.
    #[must_use]
    pub fn since(self, reader: Reader) -> Self {
        Self { since: reader, ..self }
    }
}

/// By what a reader knows an object: to the first an object of STIX was the UUID in its id.
#[must_use]
pub fn as_known_by(key: &EntityKey, reader: Reader) -> EntityKey {
    if reader < Reader::SECOND { key.bare() } else { key.clone() }
}

impl Relation {
    fn as_read_by(&self, reader: Reader) -> Option<Self> {
        let [source, target] = [&self.source, &self.target].map(|key| as_known_by(key, reader));
        let of = |since: Option<Reader>| since.filter(|since| *since <= reader);
        let (free, removed) = (of(self.free), of(self.removed));
        (self.since <= reader).then(|| Self { source, target, free, removed, ..self.clone() })
    }
}

impl Facts {
    /// Says that no reader before this one took the entities and relations from these places on.
    pub fn came_with(&mut self, reader: Reader, entities: usize, relations: usize) {
        let new: Vec<Entity> = self.entities.drain(entities..).collect();
        self.entities.extend(new.into_iter().map(|mut entity| {
            entity.observables.iter_mut().for_each(|it| it.since = it.since.max(reader));
            entity.since(reader)
        }));
        for relation in &mut self.relations[relations..] {
            relation.since = relation.since.max(reader);
        }
    }

    /// The facts as an older reader made them of the same bytes; of what was wrong with the input nothing is
    /// said again.
    #[must_use]
    pub fn as_read_by(&self, reader: Reader) -> Self {
        let mut entities = Vec::new();
        let mut places = Vec::with_capacity(self.entities.len());
        for entity in &self.entities {
            let read = entity.as_read_by(reader);
            places.push(read.is_some().then_some(entities.len()));
            entities.extend(read);
        }
        let relations = self.relations.iter().filter_map(|relation| relation.as_read_by(reader));
        Self {
            entities,
            relations: relations.collect(),
            markings: self.markings.moved(&places).by(reader),
            issues: Vec::new(),
            skipped: self.skipped,
            coverage: self.coverage.clone(),
            formats: self.formats.clone(),
            read_by: Some(reader),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{
        Extent, Said, digest,
        sample::{entity, facts, observable, relation},
    };

    #[test]
    fn an_older_reader_does_not_find_what_a_newer_one_does() {
        let mut known = entity("incident", 1);
        known.observables =
            vec![observable("ipv4", "a"), observable("ipv4", "b").since(Reader::SECOND)];
        let renamed = entity("ttp", 2).was(Reader::SECOND, |older| older.title = "old".into());
        let renamed = Entity { observables: known.observables.clone(), ..renamed };
        let renamed = Entity { tlp: Some(Tlp::Amber), ..renamed };
        let remarked = Entity { tlp: Some(Tlp::Red), ..entity("ttp", 3) };
        let remarked = remarked.was(Reader::SECOND, |older| older.tlp = None);
        let new = entity("indicator", 4).since(Reader::SECOND);
        let links = vec![relation("x", 1, 2), relation("y", 1, 3).since(Reader::SECOND)];
        let mut now = facts(vec![known, renamed, remarked, new], links);

        let then = now.as_read_by(Reader::FIRST);
        let titles: Vec<&str> = then.entities.iter().map(|entity| &*entity.title).collect();
        assert_eq!(titles, ["incident 1", "old", "ttp 3"]);
        let markings: Vec<_> = then.entities.iter().map(|entity| entity.tlp).collect();
        assert_eq!(markings, [None, Some(Tlp::Amber), None]);
        for entity in &then.entities[..2] {
            assert_eq!(entity.observables, [observable("ipv4", "a")]);
        }
        assert_eq!(then.relations, [relation("x", 1, 2)]);

        let same = now.as_read_by(Reader::SECOND);
        assert_eq!(same.entities.len(), 4);
        assert_eq!(&*same.entities[1].title, "ttp 2");
        assert_eq!(same.relations.len(), 2);

        let red = now.markings.colour(Tlp::Red);
        now.markings.mark(3, red, Extent::Whole);
        now.markings.mark(0, red, Extent::Part);
        let mut then = now.as_read_by(Reader::FIRST);
        then.settle(&Said::new());
        let markings: Vec<_> = then.entities.iter().map(|it| (it.tlp, it.partly)).collect();
        assert_eq!(markings, [(None, Some(Tlp::Red)), (Some(Tlp::Amber), None), (None, None)]);
    }

    #[test]
    fn what_several_readers_read_otherwise_each_reads_in_its_own_way() {
        let as_third = |it: Entity| it.was(Reader::THIRD, |older| older.title = "old".into());
        let as_second = |it: Entity| it.was(Reader::SECOND, |older| older.status = None);
        let entity = Entity { status: Some("Closed".into()), ..entity("incident", 1) };
        for both in [as_third(as_second(entity.clone())), as_second(as_third(entity.clone()))] {
            let read = |by| both.as_read_by(by).map(|it| (it.title, it.status.is_some()));
            assert_eq!(read(Reader::FIRST), Some(("old".into(), false)));
            assert_eq!(read(Reader::SECOND), Some(("old".into(), true)));
            assert_eq!(read(Reader::THIRD), Some(("incident 1".into(), true)));
        }
        let read = |it: &Entity, by| it.as_read_by(by).map(|it| it.title);
        let new = as_third(entity.clone()).since(Reader::SECOND);
        assert_eq!(
            [read(&new, Reader::FIRST), read(&new, Reader::SECOND)],
            [None, Some("old".into())]
        );
        let newest = as_second(entity).since(Reader::THIRD).since(Reader::SECOND);
        assert_eq!([read(&newest, Reader::FIRST), read(&newest, Reader::SECOND)], [None, None]);
    }

    #[test]
    fn a_relation_that_a_newer_reader_takes_for_removed_was_there() {
        let gone = Relation { removed: Some(Reader::THIRD), ..relation("x", 1, 2) };
        let facts = facts(Vec::new(), vec![gone.clone()]);
        assert_eq!(facts.as_read_by(Reader::SECOND).relations, [relation("x", 1, 2)]);
        assert_eq!(facts.as_read_by(Reader::THIRD).relations, [gone]);
    }

    #[test]
    fn what_came_with_a_reader_is_not_read_by_an_older_one() {
        let mut both = facts(
            vec![entity("incident", 1), entity("ttp", 2)],
            vec![relation("x", 1, 2), relation("y", 1, 2)],
        );
        both.came_with(Reader::SECOND, 1, 1);
        let then = both.as_read_by(Reader::FIRST);
        assert_eq!(then.entities, [entity("incident", 1)]);
        assert_eq!(then.relations, [relation("x", 1, 2)]);
        assert_eq!(both.as_read_by(Reader::SECOND).entities.len(), 2);
    }

    #[test]
    fn what_several_readers_find_is_read_since_the_first_of_them() {
        let mut twice = entity("indicator", 1);
        twice.observables =
            vec![observable("ipv4", "a").since(Reader::SECOND), observable("ipv4", "a")];
        digest::canonicalise(&mut twice);
        assert_eq!(twice.observables, [observable("ipv4", "a")]);
    }
}
