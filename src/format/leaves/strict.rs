//! AMBER+STRICT whose two words stand apart: `{"tlp": "amber", "strict": true}`, `["tlp:amber", "strict"]`.

use std::collections::BTreeMap;

use super::{Leaf, says_no, says_nothing};
use crate::model::Tlp;

/// Longest key that is the word with little beside it: `is_strict`, `tlp_strict`, `amber_strict`.
const KEY_MAX: usize = 16;

/// Makes AMBER+STRICT of each AMBER that another text or key calls strict: one in an object around it or within it, or one
/// that stands among labels or markings as it does.
pub(super) fn join(leaves: &mut [Leaf]) {
    let mut strict = Strict::default();
    leaves.iter().filter(|leaf| leaf.says_strict()).for_each(|leaf| strict.add(leaf));
    if strict.leaves == 0 {
        return;
    }
    for leaf in leaves {
        let is_amber = || leaf.text.parse() == Ok(Tlp::Amber);
        if leaf.is_of_amber() || (is_amber() && strict.calls(leaf)) {
            leaf.text = Tlp::AmberStrict.tag().to_owned();
        }
    }
}

/// How many leaves call something strict, by where they stand: an object may have very many of both.
#[derive(Default)]
struct Strict {
    leaves: usize,
    /// By the object that they stand in, but for the one that is looked at.
    inside: BTreeMap<u32, usize>,
    /// By each object around them, likewise.
    around: BTreeMap<u32, usize>,
    /// Those that hold for all of the object.
    of_all: usize,
    of_marking: usize,
}

impl Strict {
    fn add(&mut self, leaf: &Leaf) {
        self.leaves += 1;
        if let Some(object) = leaf.objects.last() {
            *self.inside.entry(*object).or_default() += 1;
        }
        for object in leaf.objects.iter().skip(1) {
            *self.around.entry(*object).or_default() += 1;
        }
        self.of_all += usize::from(leaf.is_of_all());
        self.of_marking += usize::from(leaf.is_of_marking());
    }

    /// Whether another leaf calls this one strict: in an object around it or within it, or as both mark.
    fn calls(&self, leaf: &Leaf) -> bool {
        let own = usize::from(leaf.says_strict());
        let more = |of: &BTreeMap<u32, usize>, object: &u32, own: usize| {
            of.get(object).is_some_and(|count| *count > own)
        };
        let mut parts = leaf.objects.iter().skip(1);
        let is_own = |object: &u32| usize::from(leaf.objects.last() == Some(object)) * own;
        let within = |object: &&u32| more(&self.around, object, own);
        parts.any(|object| more(&self.inside, object, is_own(object)))
            || leaf.objects.last().filter(within).is_some()
            || self.of_all > own * usize::from(leaf.is_of_all())
            || (leaf.is_of_marking() && self.of_marking > own)
    }
}

impl Leaf {
    /// Whether it calls something strict and says nothing else: as a text, as a key, or with a colour.
    fn says_strict(&self) -> bool {
        let is_word = |text: &str| {
            let letters = text.chars().filter(|letter| letter.is_alphabetic());
            letters.flat_map(char::to_lowercase).eq("strict".chars())
        };
        let text = self.text.trim();
        let is_refused = says_no(text) || says_nothing(text);
        (is_word(text) && !self.is_prose())
            || (self.key().contains("strict") && !is_refused && self.key().len() <= KEY_MAX)
            || (self.is_name_of_all() && text.parse() == Ok(Tlp::AmberStrict))
    }

    /// Whether it is the name of the object that is looked at, as of a marking definition.
    fn is_name_of_all(&self) -> bool {
        self.path.len() == 1 && self.key() == "name"
    }

    /// Whether it calls the colour strict under which it stands: `{"amber": {"strict": true}}`.
    fn is_of_amber(&self) -> bool {
        let within = self.path.len().checked_sub(2).map(|around| &*self.path[around]);
        within == Some("amber") && self.key().contains("strict") && self.says_strict()
    }

    /// Whether it plainly calls the object itself strict.
    fn is_of_all(&self) -> bool {
        self.path.len() == 1 && (self.key().contains("strict") || self.is_name_of_all())
    }

    fn is_of_marking(&self) -> bool {
        self.is_among_labels() || self.is_under_tlp()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Leaves, *};

    fn strictest(text: &str) -> Option<Tlp> {
        let leaves = Leaves::of(text).unwrap().0;
        leaves.iter().filter_map(|leaf| leaf.tlp()?.ok().or(leaf.text.parse().ok())).max()
    }

    #[test]
    fn amber_is_strict_where_something_beside_it_says_so() {
        for text in [
            r#"{"definition": {"tlp": "amber", "strict": true}}"#,
            r#"{"definition": {"tlp": "AMBER", "modifier": "STRICT"}}"#,
            r#"{"name": "AMBER+STRICT", "definition": {"tlp": "amber"}}"#,
            r#"{"handling": [{"type": "tlp", "color": "AMBER", "is_strict": "yes"}]}"#,
            r#"{"handling": [{"color": "AMBER"}, {"statement": "+ STRICT"}]}"#,
            r#"{"labels": ["tlp:amber", "strict"]}"#,
            r#"{"labels": ["strict", "x"], "x_tlp": "amber"}"#,
            r#"{"x_tlp": {"amber": {"strict": true}}}"#,
            r#"{"tlp": "amber", "tlp_strict": 1}"#,
        ] {
            assert_eq!(strictest(text), Some(Tlp::AmberStrict), "{text}");
        }
        for text in [
            r#"{"labels": ["tlp:amber", "strictly speaking"]}"#,
            r#"{"x_tlp": "amber", "description": "strict"}"#,
            r#"{"definition": {"tlp": "amber", "strict": false}}"#,
            r#"{"x": {"mode": "strict"}, "labels": ["tlp:amber"]}"#,
            r#"{"tlp": "amber", "restrictions_of_the_export": "none known"}"#,
        ] {
            assert_eq!(strictest(text), Some(Tlp::Amber), "{text}");
        }
        assert_eq!(strictest(r#"{"labels": ["tlp:green", "strict"]}"#), Some(Tlp::Green));
    }

    /// Each pair of them was looked at once, which took minutes.
    #[test]
    fn very_many_that_are_amber_or_strict_are_looked_at_once() {
        let list = |word: &str| format!("\"{word}\",").repeat(100_000) + "0";
        for (place, wanted) in [("y", Tlp::Amber), ("labels", Tlp::AmberStrict)] {
            let (amber, strict) = (list("tlp:amber"), list("strict"));
            let text = format!(r#"{{"x_labels":[{amber}],"{place}":{{"b":[{strict}]}}}}"#);
            assert_eq!(strictest(&text), Some(wanted), "{place}");
        }
    }
}
