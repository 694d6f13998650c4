//! What marking definitions say.
//!
//! A marking that is no TLP (a statement, AIS, ISA) has no colour; one that is meant as TLP and cannot be read is red,
//! for a marking must never be lost.

use super::{marking, wire::Object};
use crate::{
    format::{
        element::Element,
        leaves::{Excused, Leaf, look, names_tlp, said_together, speaks_of_tlp},
        scalar::absence::says_nothing,
    },
    graph::Facts,
    model::{MarkingId, Reader, Tlp},
};

/// The extension that gives a marking definition its TLP 2.0 colour.
const TLP_2_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";
/// Properties of a marking definition that do not say what it is.
const SILENT: [&str; 9] = [
    "id",
    "spec_version",
    "created",
    "modified",
    "created_by_ref",
    "external_references",
    "object_marking_refs",
    "granular_markings",
    "description",
];
/// Properties that hold the type of a definition, and those that hold the definition.
const TYPES: [&str; 2] = ["definition_type", "x_opencti_definition_type"];
const BODIES: [&str; 2] = ["definition", "x_opencti_definition"];

/// How keys end that hold a colour, as in the markings of AIS.
const COLOURS: [&str; 2] = ["color", "colour"];
/// Properties by which a definition says nothing of what it is, beside those that any object has.
const OF_ANY: [&str; 4] = ["type", "lang", "revoked", "confidence"];

/// Takes down a marking definition. One that says nothing is none: what it marks has a marking that is defined nowhere.
pub(super) fn define(object: &Object<'_>, element: &Element<'_>, facts: &mut Facts) {
    let id = MarkingId::of(&object.id);
    let leaves = match look(element, facts) {
        Ok(leaves) => leaves,
        Err(tlp) => return facts.markings.define(id, Some(tlp)),
    };
    let Definition { mut strictest, unreadable, respelled, is_empty, then } =
        Definition::of(&leaves);
    if let Some(key) = respelled {
        let what = format!(
            "{key:?} says the colour of the marking, and STIX writes that key in lower case; it holds where it is stricter"
        );
        facts.report(element.warning("", what));
    }
    if let Some(text) = unreadable {
        let what = format!(
            "{text:?} is no TLP colour (clear, green, amber, amber+strict, red); the marking is taken as red"
        );
        facts.report(element.warning("", what));
        strictest = Some(Tlp::Red);
    }
    if !is_empty {
        facts.markings.define(id.clone(), strictest);
    }
    if let Some(then) = then {
        let mark = facts.markings.then(Reader::THIRD, then);
        facts.markings.mark_definition(&id, mark);
    }
    for mark in marking::marks_of_definition(object, element, &leaves, facts) {
        facts.markings.mark_definition(&id, mark);
    }
}

#[derive(Default)]
struct Definition {
    strictest: Option<Tlp>,
    /// What is meant as a colour and is none.
    unreadable: Option<String>,
    /// The first key that says a colour and is written in other letters.
    respelled: Option<Box<str>>,
    is_empty: bool,
    /// What it was to readers before the fourth, where that is stricter.
    then: Option<Tlp>,
}

impl Definition {
    fn of(leaves: &[Leaf]) -> Self {
        let is_among = |leaf: &Leaf, all: &[&str]| all.iter().any(|property| leaf.is_in(property));
        let telling = |leaf: &&Leaf| !is_among(leaf, &SILENT);
        let is_tlp = leaves.iter().filter(telling).any(|leaf| {
            let is_type = is_among(leaf, &TYPES) && speaks_of_tlp(&leaf.text);
            let is_extension = leaf.path.iter().any(|key| **key == *TLP_2_EXTENSION)
                || (leaf.is_in("extensions") && leaf.is_under_tlp());
            is_type || is_extension || names_tlp(&leaf.text)
        });
        let is_empty = leaves.iter().all(|leaf| {
            let is_silent = !leaf.is_in("description") && is_among(leaf, &SILENT);
            is_silent || is_among(leaf, &OF_ANY) || says_nothing(&leaf.text)
        });
        let mut all = Self { is_empty: is_empty && !is_tlp, ..Self::default() };
        let is_of_pap =
            |leaf: &Leaf| is_among(leaf, &TYPES) && leaf.text.eq_ignore_ascii_case("pap");
        let may_be_bare = !leaves.iter().any(is_of_pap);
        for leaf in leaves.iter().filter(telling) {
            all.hear(leaf, is_tlp, may_be_bare);
        }
        let referred = || leaves.iter().filter(|leaf| leaf.is_in("external_references"));
        let alone = referred().filter_map(|leaf| leaf.tlp()?.ok());
        let together = said_together(referred()).into_iter().filter_map(|(_, said)| said.ok());
        all.strictest = alone.chain(together).max().max(all.strictest);
        let described = || {
            let description = leaves.iter().filter(|leaf| leaf.is_in("description"));
            description.filter_map(|leaf| Tlp::marked_by(&leaf.text)).max()
        };
        match all.strictest {
            None if all.unreadable.is_some() => {}
            None if is_tlp => all.unreadable = Some(String::new()),
            None => all.strictest = described(),
            // TLP 1.0 has no other word for it.
            Some(Tlp::Amber) => {
                let strict = described().filter(|tlp| *tlp == Tlp::AmberStrict);
                all.strictest = strict.or(all.strictest);
            }
            Some(_) => {}
        }
        all
    }

    /// Takes in what a leaf says; a colour may be all that a definition is called or says, unless it is one of PAP.
    fn hear(&mut self, leaf: &Leaf, is_tlp: bool, may_be_bare: bool) {
        if let Some(Excused { now, then: then @ Some(_) }) = leaf.excused {
            (self.strictest, self.then) = (self.strictest.max(now), self.then.max(then));
            return;
        }
        let is_called_so = leaf.is_called_tlp();
        let is_body = is_tlp && BODIES.iter().any(|property| leaf.is_in(property));
        // There a colour needs no `TLP:` before it.
        let is_colour = || COLOURS.iter().any(|end| leaf.key().ends_with(end));
        let is_meant = || leaf.is_under_tlp() || is_body || is_colour();
        let is_all = || leaf.path.len() == 1 || BODIES.iter().any(|property| leaf.is_in(property));
        let bare = leaf.text.parse().ok();
        let bare = bare.filter(|_| is_meant() || (may_be_bare && is_all()));
        let said = bare.or_else(|| match is_called_so {
            true => Tlp::meant_by(&leaf.text),
            false => Tlp::marked_by(&leaf.text),
        });
        let is_absent = !is_tlp && leaf.holds_nothing();
        if said.is_none() && is_called_so && !is_absent {
            self.unreadable.get_or_insert_with(|| leaf.text.clone());
        }
        if said.is_some() && leaf.respelled == Some(0) {
            self.respelled.get_or_insert_with(|| (&*leaf.path[0]).into());
        }
        self.strictest = self.strictest.max(said);
    }
}
