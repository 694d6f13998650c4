//! Makes facts of elements, one after the other.

use super::{
    Decoder as _, Format,
    apart::lost::{Found, Lost, lost},
    eiq,
    element::Element,
    mend,
    route::{End, LISTS, Sink},
    stix,
    twice::Once,
};
use crate::{
    graph::{Coverage, Extent, Facts},
    model::{Issue, Reader, Tlp},
};

/// The facts of the elements that came so far.
pub(super) struct Decoding {
    eiq: eiq::Decoder,
    stix: stix::Decoder,
    pub(super) facts: Facts,
    /// Where the entities and relations of this document begin.
    begins: (usize, usize),
}

impl Decoding {
    pub(super) fn new() -> Self {
        Self {
            eiq: eiq::Decoder::new(),
            stix: stix::Decoder::new(),
            facts: Facts::default(),
            begins: (0, 0),
        }
    }

    /// All facts, those included that need all elements.
    pub(super) fn finish(self) -> Facts {
        let mut facts = self.facts;
        self.eiq.finish(&mut facts);
        self.stix.finish(&mut facts);
        facts
    }

    /// How many entities and relations came so far.
    pub(super) fn count(&self) -> [usize; 2] {
        [self.facts.entities.len(), self.facts.relations.len()]
    }

    /// Takes over what marks another copy of what came since there were so many entities and relations.
    pub(super) fn heed_copy(&mut self, copy: Facts, [entities, relations]: [usize; 2]) {
        let facts = &mut self.facts;
        // An entity that came before in an equal form stands for both.
        let key = copy.entities.first().map(|entity| (&entity.key, &entity.platform));
        let same = |place: &usize| {
            let entity = &facts.entities[*place];
            key == Some((&entity.key, &entity.platform))
        };
        let own = (entities < facts.entities.len()).then_some(entities);
        let entity = own.or_else(|| (0..entities).rev().find(same));
        let relations = relations..facts.relations.len();
        facts.heed_copy(copy, entity, relations);
    }

    fn read(&mut self, element: &Element<'_>, found: Format) -> Result<(), Issue> {
        match format_of(element, found) {
            Format::Stix21 => self.stix.read(element, &mut self.facts),
            Format::EclecticIq | Format::Auto => self.eiq.read(element, &mut self.facts),
        }
    }

    /// Takes an element that cannot be read as it is written: it is lost, unless a key that stands in it twice is all that
    /// is wrong. Then the last of each is read, and what marks any other reading marks it too.
    fn mend_twice(&mut self, element: &Element<'_>, found: Format, issue: Issue) {
        let lost = lost(element.raw, format_of(element, found));
        let (begins, skipped) = (self.count(), self.facts.skipped);
        let is_read = Once::each(element.raw).is_some_and(|once| {
            let mut others = Vec::new();
            for raw in once.others() {
                let mut alone = Self::new();
                let is_read = alone.read(&Element { raw, ..*element }, found).is_ok();
                if !is_read || alone.facts.skipped > 0 {
                    return false;
                }
                others.push(alone.facts);
            }
            let last = Element { once: Some(once.last()), ..*element };
            if self.read(&last, found).is_err() {
                return false;
            }
            self.facts.report(element.warning("", once.told()));
            for other in others {
                self.heed_copy(other, begins);
            }
            true
        });
        if !is_read {
            self.facts.report(issue);
        }
        if !is_read || self.facts.skipped > skipped {
            return self.lose(&lost);
        }
        self.lose(&Lost { until: Some(Reader::THIRD), ..lost });
        self.facts.came_with(Reader::FOURTH, begins[0], begins[1]);
    }

    /// Takes down that a version of an object cannot be read.
    pub(super) fn lose(&mut self, lost: &Lost) {
        self.stix.lose(lost, &mut self.facts);
        self.eiq.versions().lose(lost);
    }

    /// Marks all that came.
    pub(super) fn mark_all(&mut self, tlp: Tlp) {
        self.begins = (0, 0);
        self.mark(tlp);
    }

    /// Marks all that came since this document began: as strict as that, and what was not marked is not.
    pub(super) fn mark(&mut self, tlp: Tlp) {
        let facts = &mut self.facts;
        let mark = facts.markings.colour(tlp);
        for entity in self.begins.0..facts.entities.len() {
            facts.markings.mark(entity, mark, Extent::Part);
        }
        for relation in &mut facts.relations[self.begins.1..] {
            relation.tlp = relation.tlp.max(Some(tlp));
        }
    }
}

/// The format that an element of a document is in.
pub(super) fn format_of(element: &Element<'_>, found: Format) -> Format {
    let list = LISTS.iter().find(|(list, _)| *list == element.list);
    list.map_or(found, |(_, format)| *format)
}

/// The first reader that takes an element.
fn first_of(element: &Element<'_>, found: Format, is_mended: bool) -> Reader {
    let format = format_of(element, found);
    let is_read_as_it_is = || match format {
        Format::Stix21 => stix::reads(element.raw),
        Format::EclecticIq | Format::Auto => eiq::reads(element.raw),
    };
    match format {
        _ if element.is_respelled => Reader::THIRD,
        _ if element.list.is_empty() || format != found => Reader::SECOND,
        // The first reader knew packages and lists of them, and nothing within those.
        _ if element.origin.inside.matches('/').count() > 1 => Reader::SECOND,
        _ if is_mended && !is_read_as_it_is() => Reader::SECOND,
        _ => Reader::FIRST,
    }
}

impl Sink for Decoding {
    fn begin(&mut self) {
        self.begins = (self.facts.entities.len(), self.facts.relations.len());
    }

    fn element(&mut self, written: &Element<'_>, found: Format) {
        let mended = mend::mend(written.raw);
        let element = match &mended {
            Some(mended) => Element { raw: &mended.text, ..*written },
            None => *written,
        };
        if let Some(halves @ 1..) = mended.as_ref().map(|mended| mended.halves) {
            let what = format!(
                "half a surrogate pair stands in a text of it ({halves} in all); read as U+FFFD"
            );
            self.facts.report(element.warning("", what));
        }
        let (entities, relations) = (self.facts.entities.len(), self.facts.relations.len());
        if let Err(issue) = self.read(&element, found) {
            return self.mend_twice(&element, found, issue);
        }
        let reader = first_of(written, found, mended.is_some());
        if reader > Reader::FIRST {
            self.facts.came_with(reader, entities, relations);
        }
    }

    fn report(&mut self, issue: Issue, _: Format) {
        self.facts.report(issue);
    }

    fn left_out(&mut self, issue: Issue, _: &str, lost: &Found, found: Format) {
        self.facts.report(issue);
        self.lose(&lost.lost(found));
    }

    fn end(&mut self, found: Format, end: End) {
        if let Some(tlp) = end.marked {
            self.mark(tlp);
        }
        self.facts.formats.insert(found.name());
        if end.is_page {
            self.facts.coverage = Coverage::Page;
        }
    }
}
