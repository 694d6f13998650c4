//! What several members say together: one that it is about TLP, another the colour. In which order they stand says nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{Leaf, NAMING, SAYING, is_one_of, names_tlp, naming::is_named_after_tlp};
use crate::{format::scalar::absence::says_nothing, model::Tlp};

/// Most leaves of an object in which one may name TLP for a colour in an object beside it.
const FEW: usize = 8;
/// Further keys under which an object says what it is, and those under which it then says a value.
const NAMING_TOO: [&str; 7] =
    ["scheme", "namespace", "taxonomy", "system", "standard", "protocol", "k"];
const SAYING_TOO: [&str; 4] = ["code", "predicate", "term", "v"];

/// The colours of what stands within an object or a list.
#[derive(Default)]
struct Within {
    leaves: usize,
    /// The strictest that an object has itself, or in a list of its own.
    own: Option<Tlp>,
    /// The strictest of all that no list within holds, and of those among labels.
    any: Option<Tlp>,
    labelled: Option<Tlp>,
}

/// Which values of an object within are meant as colours, as another member names TLP.
#[derive(Default, Clone, Copy)]
struct Meant {
    /// What stands under the usual keys, as the object is called after TLP or of a type called so.
    usual: bool,
    /// What is no colour by itself, as there is none beside the name.
    unreadable: bool,
}

/// What is said together: a colour with what names TLP, and each value that is meant as one, once, as a colour or as the text
/// that is none.
///
/// Of `{"namespace": "tlp", "predicate": "red"}` both members are exactly that, under whatever keys. Among labels they may
/// stand in lists and objects beside each other (`["TLP", "RED"]`). Under the usual keys (`{"name": "TLP", "value": "x"}`) the
/// value may say more than a colour, and what cannot be read counts too. A longer name there (`{"name": "report_tlp"}`) makes a
/// marking of a colour alone.
pub(in crate::format) fn said_together<'l>(
    leaves: impl Iterator<Item = &'l Leaf> + Clone,
) -> Vec<(&'l Leaf, Result<Tlp, &'l str>)> {
    let (mut names, mut longer) = (Vec::new(), BTreeSet::new());
    for leaf in leaves.clone() {
        if names_tlp(&leaf.text) {
            names.push(leaf);
        } else if leaf.is_longer_name() {
            longer.extend(leaf.objects.last());
        }
    }
    let mut said = of_longer_names(&longer, leaves.clone());
    if names.is_empty() {
        return said;
    }
    let within = all_within(leaves.clone());
    let mut meant = BTreeMap::<u32, Meant>::new();
    for name in names {
        let colour = colour_with(name, &within);
        said.extend(colour.map(|tlp| (name, Ok(tlp))));
        if let Some(object) = name.objects.last() {
            meant.entry(*object).or_default().by(name, colour);
        }
    }
    said.extend(leaves.filter_map(|leaf| {
        let is_meant = meant.get(leaf.objects.last()?)?.is(leaf);
        is_meant.then(|| (leaf, judged(leaf)))
    }));
    said
}

/// The same as colours: what was meant as one and cannot be read is red.
pub(in crate::format) fn colours_together<'l>(
    leaves: impl Iterator<Item = &'l Leaf> + Clone,
) -> impl Iterator<Item = (&'l Leaf, Tlp)> {
    said_together(leaves).into_iter().map(|(leaf, said)| (leaf, said.unwrap_or(Tlp::Red)))
}

/// The colours in objects of which another member is a longer name.
fn of_longer_names<'l>(
    longer: &BTreeSet<u32>,
    leaves: impl Iterator<Item = &'l Leaf>,
) -> Vec<(&'l Leaf, Result<Tlp, &'l str>)> {
    let is_beside = |leaf: &&Leaf| leaf.objects.last().is_some_and(|it| longer.contains(it));
    let colours = leaves
        .filter(is_beside)
        .filter_map(|leaf| Some((leaf, Ok(leaf.colour().filter(|_| leaf.is_value())?))));
    colours.collect()
}

fn all_within<'l>(leaves: impl Iterator<Item = &'l Leaf>) -> BTreeMap<u32, Within> {
    let mut all: BTreeMap<u32, Within> = BTreeMap::new();
    for leaf in leaves {
        let colour = leaf.colour().filter(|_| !leaf.is_title());
        let foreign = || Tlp::is_foreign(&leaf.text).then_some(Tlp::Red);
        let labelled = leaf.is_among_labels().then(|| colour.or_else(foreign)).flatten();
        for part in leaf.parts() {
            let within = all.entry(part).or_default();
            within.leaves += 1;
            within.labelled = within.labelled.max(labelled);
            if part > leaf.list() {
                within.any = within.any.max(colour);
            }
            if part == leaf.object() {
                within.own = within.own.max(colour);
            }
        }
    }
    all
}

/// The colour that stands nearest to a name of TLP.
fn colour_with(name: &Leaf, within: &BTreeMap<u32, Within>) -> Option<Tlp> {
    // In the object itself a list may hold any words, and people read its title.
    let is_member = name.is_within(name.object()) || (name.lists.is_empty() && !name.is_title());
    let mut parts: Vec<u32> = name.parts().collect();
    parts.sort_unstable();
    parts.into_iter().rev().find_map(|part| {
        let around = within.get(&part)?;
        let own = around.own.filter(|_| part == name.object() && is_member);
        let is_few = name.is_within(part) && part > name.list() && around.leaves <= FEW;
        let any = around.any.filter(|_| is_few);
        let labelled = around.labelled.filter(|_| name.is_among_labels());
        own.or(any).or(labelled)
    })
}

impl Meant {
    /// Takes in a name of TLP that stands in the object, with the colour beside it.
    fn by(&mut self, name: &Leaf, colour: Option<Tlp>) {
        let is_usual = is_one_of(name.key(), &NAMING);
        let is_naming = is_usual || is_one_of(name.key(), &NAMING_TOO);
        self.usual |= is_usual && name.path.len() > 1;
        self.unreadable |= is_naming && colour.is_none() && name.is_within(name.object());
    }

    /// Whether a value of the object is meant.
    fn is(self, leaf: &Leaf) -> bool {
        let is_usual = is_one_of(leaf.key(), &SAYING) && !says_nothing(&leaf.text);
        (self.usual && is_usual) || (self.unreadable && leaf.is_unreadable_value())
    }
}

/// What a value says that is meant as a colour.
fn judged(leaf: &Leaf) -> Result<Tlp, &str> {
    let text = leaf.text.trim();
    text.parse().ok().or_else(|| Tlp::said_in(text)).ok_or(text)
}

impl Leaf {
    /// The objects and lists that it stands in, by number.
    fn parts(&self) -> impl Iterator<Item = u32> {
        self.objects.iter().chain(&self.lists).copied()
    }

    /// The object that it stands in, and the list.
    fn object(&self) -> u32 {
        self.objects.last().copied().unwrap_or(0)
    }

    fn list(&self) -> u32 {
        self.lists.last().copied().unwrap_or(0)
    }

    /// Whether an object or a list that it stands in is within the object that is looked at.
    fn is_within(&self, part: u32) -> bool {
        self.objects.first().is_some_and(|whole| part > *whole)
    }

    /// Whether people read it of the object itself.
    fn is_title(&self) -> bool {
        self.path.len() == 1 && self.is_prose()
    }

    /// Whether it stands where a value would.
    fn is_value(&self) -> bool {
        is_one_of(self.key(), &SAYING) || is_one_of(self.key(), &SAYING_TOO)
    }

    /// Whether it says what an object within is, by a name that speaks of TLP among other words.
    fn is_longer_name(&self) -> bool {
        let is_naming = || is_one_of(self.key(), &NAMING) || is_one_of(self.key(), &NAMING_TOO);
        // One in a single word is a name under any key.
        let is_word = || !self.text.trim().contains(char::is_whitespace);
        self.path.len() > 1 && (is_word() || is_naming()) && is_named_after_tlp(&self.text)
    }

    /// Whether it stands where a value would, and is no colour.
    fn is_unreadable_value(&self) -> bool {
        self.is_value()
            && self.colour().is_none()
            && !says_nothing(&self.text)
            && !names_tlp(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::Leaves, *};

    /// Members of objects that say TLP in one of them and red in another.
    const SHAPES: [&[(&str, &str)]; 22] = [
        &[("namespace", r#""tlp""#), ("id", r#""7""#), ("predicate", r#""red""#)],
        &[("name", r#""TLP""#), ("id", "1"), ("value", r#""TLP:RED""#), ("z", "null")],
        &[("type", r#""tlp""#), ("red", "true"), ("amber", "false")],
        &[("type", r#""tlp""#), ("red", r#""x""#)],
        &[("scheme", r#""TLP""#), ("code", r#""RED""#)],
        &[("title", r#""TLP""#), ("text", r#""RED""#), ("id", "3")],
        &[("id", r#""tlp""#), ("label", r#""RED""#)],
        &[("k", r#""TLP""#), ("v", r#""RED""#)],
        &[("k", r#""TLP""#), ("v", r#"["x", "RED"]"#), ("a", "[]")],
        &[("namespace", r#"{"name": "tlp"}"#), ("predicate", r#"{"id": 1, "value": "red"}"#)],
        &[("kind", r#""Traffic Light Protocol 2.0""#), ("b", r#""amber""#), ("a", r#""red""#)],
        &[("kind", r#""Traffic Light""#), ("level", "3")],
        &[("scheme", r#""TLP""#), ("code", r#""purple""#)],
        &[("definition_type", r#""tlp""#), ("definition", r#"{"x": "red"}"#)],
        &[("a", r#""T&shy;LP""#), ("b", r#""R&shy;ED""#)],
        &[("a", r#""%54LP""#), ("b", r#""%52ED""#)],
        &[("type", r#""tlp""#), ("value", r#""for you: TLP red""#), ("note", r#""green""#)],
        &[
            ("source_name", r#""TLP""#),
            ("external_id", r#""red""#),
            ("url", r#""https://x.example""#),
        ],
        &[("text", r#""RED""#), ("description", r#""TLP""#)],
        &[("name", r#""report_tlp""#), ("value", r#""red""#)],
        &[("id", r#""sharing.tlp.max""#), ("x_level", r#""RED""#), ("note", r#""green""#)],
        &[("label", r#""Sharing TLP""#), ("v", r#"["x", "red"]"#)],
    ];
    /// Where such objects stand.
    const AROUND: [[&str; 2]; 6] = [
        [r#"{"x_tags": ["#, "]}"],
        [r#"{"x_p": "#, "}"],
        [r#"{"objects": {"0": {"type": "url", "x_p": "#, "}}}"],
        [r#"{"data": {"labels": [{"a": 1}, "#, "]}}"],
        [r#"{"meta": {"x": {"y": ["#, "]}}}"],
        [r#"{"external_references": [{"a": "b"}, "#, "]}"],
    ];

    fn strictest(text: &str) -> Option<Tlp> {
        let Leaves(leaves) = Leaves::of(text).unwrap();
        let alone = leaves.iter().filter_map(Leaf::tlp).map(|said| said.unwrap_or(Tlp::Red));
        alone.chain(colours_together(leaves.iter()).map(|(_, tlp)| tlp)).max()
    }

    fn object(members: &[(&str, &str)]) -> String {
        let members: Vec<String> =
            members.iter().map(|(key, value)| format!("{key:?}: {value}")).collect();
        format!("{{{}}}", members.join(", "))
    }

    proptest! {
        #[test]
        fn in_which_order_members_stand_says_nothing(
            members in prop::sample::select(SHAPES.to_vec()).prop_flat_map(|shape| Just(shape.to_vec()).prop_shuffle()),
            [before, behind] in prop::sample::select(AROUND.to_vec()),
        ) {
            let text = format!("{before}{}{behind}", object(&members));
            prop_assert_eq!(strictest(&text), Some(Tlp::Red), "{}", text);
        }
    }

    #[test]
    fn what_names_no_colour_beside_the_name_says_nothing() {
        for (text, said) in [
            (r#"{"x": {"type": "tlp", "label": "Traffic Light Protocol", "value": null}}"#, None),
            (r#"{"x": {"type": "tlp", "red": false, "green": "yes"}}"#, Some(Tlp::Green)),
            (r#"{"x": {"type": "tlp", "red": 0}}"#, None),
            (r#"{"x": [{"type": "TLP"}, {"b": "RED"}]}"#, None),
            (r#"{"x": {"a": [{"type": "TLP"}], "b": "RED"}}"#, None),
            (
                r#"{"x": {"a": {"b": "TLP"}, "c": 1, "d": 2, "e": 3, "f": 4, "g": 5, "h": 6, "i": 7, "j": {"k": "red"}}}"#,
                None,
            ),
            (r#"{"x": ["TLP", "RED"]}"#, None),
            (r#"{"labels": ["TLP", "phishing"]}"#, None),
            (r#"{"labels": ["Rot"]}"#, None),
            (r#"{"labels": ["TLP", "phishing", "Rot"]}"#, Some(Tlp::Red)),
            (r#"{"tags": ["tlp", "Rojo"]}"#, Some(Tlp::Red)),
            (r#"{"name": "TLP", "x": "red"}"#, None),
            (r#"{"x": "TLP", "name": "red"}"#, None),
            (r#"{"x": "TLP", "y": "red"}"#, Some(Tlp::Red)),
            (r#"{"x": {"status": {"value": "red"}, "type": "TLP report"}}"#, None),
            (r#"{"x": {"type": "TLP report", "value": "red team"}}"#, None),
            (r#"{"x": {"note": "see the TLP report", "value": "red"}}"#, None),
            (r#"{"name": "TLP report", "value": "red"}"#, None),
            (r#"{"x": {"tag": "tlp:green", "colour": "red"}}"#, Some(Tlp::Green)),
        ] {
            assert_eq!(strictest(text), said, "{text}");
        }
    }

    #[test]
    fn each_value_of_what_is_named_after_tlp_is_judged_once() {
        for (members, said) in [
            (r#""type": "tlp", "value": "purple""#, &[Err("purple")][..]),
            (r#""type": "tlp", "name": "TLP", "value": "purple", "k": "tlp""#, &[Err("purple")]),
            (r#""type": "tlp", "value": "TLP:GREEN for members""#, &[Ok(Tlp::Green)]),
            (r#""scheme": "TLP", "code": "TLP:GREEN for members""#, &[Ok(Tlp::Green)]),
            (r#""scheme": "TLP", "code": "purple""#, &[Err("purple")]),
            (
                r#""scheme": "TLP", "code": "TLP:GREEN for members", "v": "purple""#,
                &[Ok(Tlp::Green), Err("purple")],
            ),
            (
                r#""type": "tlp", "code": "TLP:GREEN for members", "value": "purple""#,
                &[Ok(Tlp::Green), Err("purple")],
            ),
            (
                r#""type": "tlp", "value": "purple", "note": "green""#,
                &[Ok(Tlp::Green), Err("purple")],
            ),
            (r#""type": "tlp", "code": "purple", "note": "green""#, &[Ok(Tlp::Green)]),
            (r#""type": "tlp", "value": "none", "code": null"#, &[]),
        ] {
            let Leaves(leaves) = Leaves::of(&format!("{{\"x\": {{{members}}}}}")).unwrap();
            let found: Vec<_> =
                said_together(leaves.iter()).into_iter().map(|(_, said)| said).collect();
            assert_eq!(found, said, "{members}");
        }
    }
}
