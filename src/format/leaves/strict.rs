//! AMBER+STRICT whose two words stand apart: `{"tlp": "amber", "strict": true}`, `["tlp:amber", "strict"]`.

use super::{Leaf, says_no, says_nothing};
use crate::model::Tlp;

/// Longest key that is the word with little beside it: `is_strict`, `tlp_strict`, `amber_strict`.
const KEY_MAX: usize = 16;

/// Makes AMBER+STRICT of each AMBER that another text or key calls strict: one in an object around it or within it, or one
/// that stands among labels or markings as it does.
pub(super) fn join(leaves: &mut [Leaf]) {
    let strict: Vec<usize> = (0..leaves.len()).filter(|at| leaves[*at].says_strict()).collect();
    if strict.is_empty() {
        return;
    }
    for at in 0..leaves.len() {
        let amber = &leaves[at];
        let is_amber = amber.text.parse() == Ok(Tlp::Amber) || amber.is_of_amber();
        let is_called = |other: &usize| *other != at && amber.is_beside(&leaves[*other]);
        if is_amber && (strict.iter().any(is_called) || amber.is_of_amber()) {
            leaves[at].text = Tlp::AmberStrict.tag().to_owned();
        }
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

    /// Whether it may be about the marking that another one calls strict: in an object around it or within it, or as both
    /// mark. Of the object itself that holds of what plainly says so.
    fn is_beside(&self, other: &Self) -> bool {
        let is_within = |it: &Self, part: Option<&u32>| {
            part.is_some_and(|part| it.objects.iter().skip(1).any(|within| within == part))
        };
        let is_plain = other.key().contains("strict") || other.is_name_of_all();
        is_within(self, other.objects.last())
            || is_within(other, self.objects.last())
            || (other.path.len() == 1 && is_plain)
            || (self.is_of_marking() && other.is_of_marking())
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
}
