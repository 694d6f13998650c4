//! Markings of STIX 1: what `data.handling` says, in whatever shape.

use std::collections::BTreeSet;

use crate::{
    format::{
        element::{Element, shown},
        leaves::{Leaf, colours_together, says_not_applicable, speaks_of_tlp},
        scalar::absence::says_nothing,
    },
    graph::Facts,
    model::Tlp,
};

/// The strictest colour of all, but for those that are named by id. What is meant as one and cannot be read is red.
pub(super) fn colour(leaves: &[Leaf], element: &Element<'_>, facts: &mut Facts) -> Option<Tlp> {
    if is_not_applicable(leaves) {
        return None;
    }
    let typed: BTreeSet<u32> =
        leaves.iter().filter(|leaf| is_type(leaf)).filter_map(own_object).collect();
    let said: Vec<Option<Tlp>> = leaves.iter().map(|leaf| said(leaf, &typed)).collect();
    let both = || leaves.iter().zip(&said);
    let readable = both().filter(|(_, said)| said.is_some());
    let coloured: BTreeSet<u32> =
        readable.flat_map(|(leaf, _)| leaf.objects.iter().copied()).collect();
    let is_silent = said.iter().all(Option::is_none);
    let is_meant = |leaf: &Leaf| match own_object(leaf) {
        // Handling that is nothing but a text.
        None => is_silent,
        Some(object) => {
            is_colour(leaf)
                || (leaf.refers_to_marking() && leaf.marking().is_none())
                || (is_type(leaf) && !coloured.contains(&object))
        }
    };
    let unreadable =
        both().find(|(leaf, said)| said.is_none() && !says_nothing(&leaf.text) && is_meant(leaf));
    let Some((leaf, _)) = unreadable else {
        let together = colours_together(leaves.iter()).map(|(_, tlp)| tlp);
        return said.into_iter().flatten().chain(together).max();
    };
    let what = format!("{:?} is no TLP colour; read as red", shown(&leaf.text));
    facts.report(element.warning("/data/handling", what));
    Some(Tlp::Red)
}

/// Whether it says that there is none, and nothing else. It was red to readers before the fourth.
pub(super) fn is_not_applicable(leaves: &[Leaf]) -> bool {
    let is_said = |leaf: &Leaf| own_object(leaf).is_none() && says_not_applicable(&leaf.text);
    !leaves.is_empty() && leaves.iter().all(is_said)
}

fn said(leaf: &Leaf, typed: &BTreeSet<u32>) -> Option<Tlp> {
    let text = &*leaf.text;
    // Where all of the text is about TLP, a colour at its beginning needs no `TLP` before it.
    let is_about = own_object(leaf).is_none_or(|object| typed.contains(&object));
    let found = || match is_about {
        true => Tlp::meant_by(text).max(Tlp::first_in(text)),
        false => Tlp::marked_by(text).max(Tlp::set_apart_in(text)),
    };
    // The name of a type, such as `tlpMarking:TLPMarkingStructureType`, says no colour by itself.
    let is_name = is_type(leaf) && !text.contains(char::is_whitespace);
    // What is called a colour and is more than one was red to earlier readers, and gets no freer by a newer one.
    text.parse().ok().or_else(|| if is_colour(leaf) || is_name { None } else { found() })
}

/// Whether it is called a colour; that may stand in an object, as `value`.
fn is_colour(leaf: &Leaf) -> bool {
    let mut nearest = leaf.path.iter().rev().take(2);
    nearest.any(|key| matches!(&**key, "color" | "colour")) || leaf.is_near_tlp()
}

/// Whether it says that the marking is TLP.
fn is_type(leaf: &Leaf) -> bool {
    leaf.says_type_tlp() || (leaf.key().ends_with("type") && speaks_of_tlp(&leaf.text))
}

fn own_object(leaf: &Leaf) -> Option<u32> {
    leaf.objects.last().copied()
}
