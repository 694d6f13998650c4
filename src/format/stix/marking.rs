//! Markings: which ones an object uses, in whatever form it says so.
//!
//! Producers mark in more forms than the specification has. What is meant as a marking and cannot be read is red, for
//! a marking must never be lost.

use serde_json::{Value, value::RawValue};

use super::{joined::Whole, wire::Object};
use crate::{
    format::{
        element::{Element, shown},
        leaves::{Excused, Leaf, look, said_together},
        scalar::absence::says_nothing,
        suspicion::{ids_of_markings, may_be_marked_elsewhere, may_speak_of_tlp},
    },
    graph::{Extent, Facts, Mark, Relation},
    model::{self, EntityKey, MarkingId, Tlp},
};

/// All markings of an object, each with how much of it is meant.
pub(super) fn marks(
    object: &Object<'_>,
    element: &Element<'_>,
    facts: &mut Facts,
) -> Vec<(Mark, Extent)> {
    let mut reader = Reader::of(object, element, facts);
    // Objects within, as STIX 2.0 has them, and properties that are in no specification: few have any.
    let is_suspicious = || {
        may_speak_of_tlp(element.raw)
            || may_be_marked_elsewhere(element.raw, own(object), ids_of_usual_places(object))
    };
    if object.objects.is_some() || is_suspicious() {
        let leaves = reader.leaves();
        leaves.iter().for_each(|leaf| reader.loose(leaf));
        let said = said_together(leaves.iter());
        said.into_iter().for_each(|(leaf, said)| reader.together(leaf, said));
    }
    reader.marks
}

/// The markings that a marking definition has itself, all of which was looked at; what it defines is read apart.
pub(super) fn marks_of_definition(
    object: &Object<'_>,
    element: &Element<'_>,
    leaves: &[Leaf],
    facts: &mut Facts,
) -> Vec<Mark> {
    let mut reader = Reader::of(object, element, facts);
    for leaf in leaves {
        reader.named(leaf);
    }
    reader.marks.into_iter().map(|(mark, _)| mark).collect()
}

/// Marks what relationships link to a marking definition, in either direction and of whatever type: who made them meant
/// it so. Those between two definitions mark nothing, and those that are revoked do not any more.
pub(super) fn marks_of_links(facts: &mut Facts) {
    let Facts { relations, markings, .. } = facts;
    let is_marking = |end: &EntityKey| end.as_str().starts_with(MarkingId::PREFIX);
    for Relation { source, target, .. } in relations.iter().filter(|it| it.removed.is_none()) {
        let (marking, marked) = match (is_marking(source), is_marking(target)) {
            (true, false) => (source, target),
            (false, true) => (target, source),
            _ => continue,
        };
        let mark = markings.named(MarkingId::of(marking.as_str()));
        markings.mark_linked(marked, mark);
    }
}

/// Which of the two properties an object has.
fn own(object: &Object<'_>) -> [bool; 2] {
    [object.object_marking_refs.is_some(), object.granular_markings.is_some()]
}

/// How many ids of markings stand in these properties, and among what a container lists.
fn ids_of_usual_places(object: &Object<'_>) -> usize {
    let own = [object.object_marking_refs, object.granular_markings].into_iter().flatten();
    let listed = object.object_refs.iter().filter(|id| id.starts_with(MarkingId::PREFIX));
    own.map(|raw| ids_of_markings(raw.get().as_bytes())).sum::<usize>() + listed.count()
}

struct Reader<'r, 'e> {
    element: &'r Element<'e>,
    facts: &'r mut Facts,
    marks: Vec<(Mark, Extent)>,
}

impl<'r, 'e> Reader<'r, 'e> {
    /// Reads the properties that the specification has.
    fn of(object: &Object<'_>, element: &'r Element<'e>, facts: &'r mut Facts) -> Self {
        let mut reader = Self { element, facts, marks: Vec::new() };
        if let Some(raw) = object.object_marking_refs {
            reader.references(raw);
        }
        if let Some(raw) = object.granular_markings {
            reader.granular(raw);
        }
        reader
    }

    /// The ids in `object_marking_refs`: a list, or one alone.
    fn references(&mut self, raw: &RawValue) {
        const INSIDE: &str = "/object_marking_refs";
        // Nearly all are lists of ids without escapes.
        match serde_json::from_str::<Vec<&str>>(raw.get()) {
            Ok(ids) => ids.iter().for_each(|id| self.text(id, INSIDE, Extent::Whole)),
            Err(_) => match all_of(raw) {
                Some(Value::Array(items)) => {
                    items.iter().for_each(|item| self.item(item, INSIDE, Extent::Whole));
                }
                Some(Value::Null) => {}
                Some(Value::String(text)) if text.trim().is_empty() => {}
                Some(other) => self.item(&other, INSIDE, Extent::Whole),
                None => self.item(&Value::Null, INSIDE, Extent::Whole),
            },
        }
    }

    /// Markings of parts; one that gives a language is none.
    fn granular(&mut self, raw: &RawValue) {
        const INSIDE: &str = "/granular_markings";
        let Some(Value::Array(items)) = all_of(raw) else {
            return self.item(&Value::Null, INSIDE, Extent::Part);
        };
        for item in items {
            match (item.get("marking_ref"), item.get("lang")) {
                (None | Some(Value::Null), Some(_)) => {}
                (marking, _) => self.item(marking.unwrap_or(&Value::Null), INSIDE, Extent::Part),
            }
        }
    }

    /// What stands where the id of a marking should stand.
    fn item(&mut self, item: &Value, inside: &str, extent: Extent) {
        if let Value::String(text) = item {
            return self.text(text, inside, extent);
        }
        // A list, as what is written twice is one here, or an object may hold ids or colours, and then means these.
        let mut marks: Vec<Mark> = Vec::new();
        let is_read = self.held(item, &mut marks);
        if marks.is_empty() {
            return self.odd(&item.to_string(), Tlp::Red, inside, extent);
        }
        if !is_read {
            marks.push(self.facts.markings.colour(Tlp::Red));
        }
        let what = format!(
            "{:?} is no id of a marking; what it holds is taken for one",
            shown(&item.to_string())
        );
        self.facts.report(self.element.warning(inside, what));
        self.marks.extend(marks.into_iter().map(|mark| (mark, extent)));
    }

    /// Takes the ids and colours that a value holds; whether that is all that is meant as one.
    fn held(&mut self, value: &Value, marks: &mut Vec<Mark>) -> bool {
        match value {
            Value::String(text) => {
                let id = MarkingId::of(text);
                let mark = match id.as_str().starts_with(MarkingId::PREFIX) {
                    true => Some(self.facts.markings.named(id)),
                    false => {
                        let tlp = text.parse().ok().or_else(|| Tlp::meant_by(text));
                        tlp.map(|tlp| self.facts.markings.colour(tlp))
                    }
                };
                marks.extend(mark);
                mark.is_some()
            }
            Value::Array(items) => items.iter().filter(|item| !self.held(item, marks)).count() == 0,
            // What else an object says of a marking is no marking.
            Value::Object(entries) => {
                let before = marks.len();
                for value in entries.values() {
                    self.held(value, marks);
                }
                marks.len() > before
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// An id, or else the name of a colour.
    fn text(&mut self, text: &str, inside: &str, extent: Extent) {
        let id = MarkingId::of(text);
        if id.as_str().contains("--") {
            self.marks.push((self.facts.markings.named(id), extent));
        } else {
            self.odd(text, text.parse().unwrap_or(Tlp::Red), inside, extent);
        }
    }

    /// What is no id, and may have been meant as any.
    fn odd(&mut self, text: &str, tlp: Tlp, inside: &str, extent: Extent) {
        let what =
            format!("{:?} is no id of a marking; the object is taken as TLP {tlp}", shown(text));
        self.facts.report(self.element.warning(inside, what));
        self.marks.push((self.facts.markings.colour(tlp), extent));
    }

    /// All that may mark the object.
    fn leaves(&mut self) -> Vec<Leaf> {
        look(self.element, self.facts).unwrap_or_else(|tlp| {
            let mark = self.facts.markings.colour(tlp);
            self.marks.push((mark, Extent::Whole));
            Vec::new()
        })
    }

    /// Properties that are called after TLP, labels, and markings of objects within or under other keys.
    fn loose(&mut self, leaf: &Leaf) {
        if self.named(leaf) {
            return;
        }
        if let Some(Excused { now, then: Some(then) }) = leaf.excused {
            return self.excused(now, then);
        }
        let Some(said) = leaf.tlp() else { return };
        let tlp = said.unwrap_or_else(|text| self.no_colour(text));
        let is_inside = leaf.path.len() > 1 && !leaf.is_in("extensions");
        let is_called_so = leaf.is_called_tlp();
        let is_usual = leaf.respelled.is_none() || (is_called_so && leaf.path.len() == 1);
        let extent = match is_inside || !is_usual {
            true => Extent::Part,
            false => Extent::Whole,
        };
        let mark = self.facts.markings.colour(tlp);
        self.add(leaf, mark, extent);
    }

    /// What was a marking to earlier readers and is none, or a freer one.
    fn excused(&mut self, now: Option<Tlp>, then: Tlp) {
        let markings = &mut self.facts.markings;
        let marks =
            [Some(markings.then(model::Reader::THIRD, then)), now.map(|tlp| markings.colour(tlp))];
        self.marks.extend(marks.into_iter().flatten().map(|mark| (mark, Extent::Part)));
    }

    /// The id of a marking at another place, or under another key, than those of the specification: it makes the object
    /// as strict, and an unmarked one not marked. Whether it is one.
    fn named(&mut self, leaf: &Leaf) -> bool {
        if let Some(id) = leaf.marking() {
            let mark = self.facts.markings.named(id);
            self.add(leaf, mark, Extent::Part);
            return true;
        }
        let is_read = leaf.respelled.is_none()
            && match leaf.path.len() {
                1 => leaf.is_in("object_marking_refs"),
                _ => leaf.is_in("granular_markings") || leaf.is_in("object_marking_refs"),
            };
        if !leaf.refers_to_marking() || is_read || says_nothing(&leaf.text) {
            return false;
        }
        // The keys of a leaf are folded and lists have none, so the object is what can be pointed to.
        self.text(&leaf.text, "", Extent::Part);
        true
    }

    /// What members say together, such as those of an object within that is called after TLP.
    fn together(&mut self, leaf: &Leaf, said: Result<Tlp, &str>) {
        if let (Err(_), Some(Excused { now, .. })) = (said, leaf.excused) {
            return self.excused(now, Tlp::Red);
        }
        // What stands under a key that speaks of TLP was told already.
        let is_told = || leaf.marking().is_none() && matches!(leaf.tlp(), Some(Err(_)));
        let tlp = said.unwrap_or_else(|text| match is_told() {
            true => Tlp::Red,
            false => self.no_colour(text),
        });
        let mark = self.facts.markings.colour(tlp);
        self.add(leaf, mark, Extent::Part);
    }

    /// Adds what was not heard yet; says where it stands if nobody would look for it there.
    fn add(&mut self, leaf: &Leaf, mark: Mark, extent: Extent) {
        let is_known = |(known, of): &(Mark, Extent)| {
            *known == mark && (*of == Extent::Whole || extent == Extent::Part)
        };
        if self.marks.iter().any(is_known) {
            return;
        }
        let is_reference = leaf.path.len() == 1 && leaf.refers_to_marking();
        if leaf.respelled.is_some() || is_reference {
            let what = format!(
                "a marking stands under {:?}, which STIX writes otherwise; it holds where it is stricter",
                shown(&leaf.path.join("/"))
            );
            self.facts.report(self.element.warning("", what));
        }
        self.marks.push((mark, extent));
    }

    /// What was meant as a colour, and is none.
    fn no_colour(&mut self, text: &str) -> Tlp {
        let what = format!("{:?} is no TLP colour; the object is taken as TLP red", shown(text));
        self.facts.report(self.element.warning("", what));
        Tlp::Red
    }
}

/// A value in which nothing is lost that is written twice.
fn all_of(raw: &RawValue) -> Option<Value> {
    Whole::read(raw.get()).map(|whole| whole.now)
}
