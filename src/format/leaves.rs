//! All texts and numbers of an object with the keys that lead to them, each as often as it stands there.
//!
//! Of a key that stands there twice a usual reader of JSON keeps one value; a marking must not be lost so.

use std::{borrow::Cow, fmt, rc::Rc};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use super::element::Element;
use crate::{
    graph::Facts,
    model::{MarkingId, Tlp, is_invisible, narrow},
};

/// How the names of properties end that hold labels.
const LABELS: [&str; 5] = ["label", "labels", "tag", "tags", "types"];

/// Names of properties that hold what people read, and values of observables.
const PROSE: [&str; 11] = [
    "name",
    "title",
    "description",
    "short_description",
    "summary",
    "abstract",
    "content",
    "explanation",
    "analysis",
    "pattern",
    "value",
];

/// The texts and numbers of an object.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Leaves(pub(super) Vec<Leaf>);

/// Looks at all of an object for what marks it. One that cannot be looked at is red, as nobody knows how it is marked.
pub(super) fn look(element: &Element<'_>, facts: &mut Facts) -> Result<Vec<Leaf>, Tlp> {
    let leaves = std::str::from_utf8(element.raw).ok().and_then(|text| Leaves::of(text).ok());
    leaves.map(|Leaves(leaves)| leaves).ok_or_else(|| {
        let what = "its properties cannot all be looked at for markings; taken as TLP red";
        facts.report(element.warning("", what));
        Tlp::Red
    })
}

/// A text, or a number as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The keys that lead to it, in lower case; lists have none.
    pub(super) path: Vec<Rc<str>>,
    /// The place in the path of the first key that is written in other letters than lower case.
    pub(super) respelled: Option<usize>,
    pub(super) text: String,
}

impl Leaves {
    /// Those of a value. A number that is too large for any other reader is a text here.
    pub(super) fn of(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text).or_else(|_| serde_json::from_str(&with_numbers_quoted(text)))
    }
}

/// JSON with all of its numbers as texts.
fn with_numbers_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 64);
    let (mut in_text, mut in_number, mut is_escaped) = (false, false, false);
    for letter in text.chars() {
        let goes_on = matches!(letter, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
        let begins = matches!(letter, '0'..='9' | '-') && !in_text;
        if (in_number && !goes_on) || (!in_number && begins) {
            in_number = !in_number;
            quoted.push('"');
        }
        quoted.push(letter);
        in_text ^= letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && in_text && !is_escaped;
    }
    quoted
}

impl Leaf {
    /// The key that it stands under.
    pub(super) fn key(&self) -> &str {
        self.path.last().map_or("", |key| key)
    }

    /// Whether it stands in a property of the object.
    pub(super) fn is_in(&self, property: &str) -> bool {
        self.path.first().is_some_and(|key| **key == *property)
    }

    /// What it says of TLP, by the name of its property, or of the one around it, or in a label: a colour, or a text
    /// that was meant as one.
    ///
    /// A label stands wherever producers keep labels and markings (`x_opencti_labels`, `tags`, `markings`), also as an
    /// object instead of a text, or among the types as STIX 2.0 has it.
    pub(super) fn tlp(&self) -> Option<Result<Tlp, &str>> {
        let text = self.text.trim();
        let said = || Tlp::of_tag(text).max(Tlp::said_in(text));
        if self.path.iter().rev().take(2).any(|key| speaks_of_tlp(key)) {
            let is_absent = ["", "none", "null"].iter().any(|none| text.eq_ignore_ascii_case(none));
            let colour = || text.parse().ok().or_else(said).ok_or(text);
            return (!is_absent).then(colour);
        }
        if self.is_about_marking() {
            return text.parse().ok().or_else(said).map(Ok);
        }
        if self.is_label() {
            return said().map(Ok);
        }
        // A text that is nothing but a tag of TLP means one, but for those that people read.
        let is_tag = !self.is_prose() && text.parse::<Tlp>().is_ok();
        is_tag.then(said).flatten().map(Ok)
    }

    /// Whether it is written for people, or is a value.
    fn is_prose(&self) -> bool {
        !self.is_in("external_references") && PROSE.contains(&self.key())
    }

    fn is_label(&self) -> bool {
        self.path
            .iter()
            .any(|key| LABELS.iter().any(|end| key.ends_with(end)) || key.contains("taxonom"))
    }

    /// Whether it stands in something that is called a marking, or the handling of STIX 1: a colour needs no `TLP`
    /// there.
    fn is_about_marking(&self) -> bool {
        self.path.iter().any(|key| key.contains("marking") || **key == *"handling")
    }

    /// The marking that it names by an id, in a property that is about marking.
    pub(super) fn marking(&self) -> Option<MarkingId> {
        if !self.is_about_marking() && !self.path.iter().any(|key| speaks_of_tlp(key)) {
            return None;
        }
        let is_id = |id: &MarkingId| id.as_str().starts_with(MarkingId::PREFIX);
        // A bare UUID may be that of anything but a marking.
        let may_be_bare = self.key().contains("marking") || speaks_of_tlp(self.key());
        let names = may_be_bare || self.text.contains("--");
        names.then(|| MarkingId::of(&self.text)).filter(is_id)
    }

    /// Whether it stands where STIX has the id of a marking, in whatever letters the key is written.
    pub(super) fn refers_to_marking(&self) -> bool {
        let letters: String = self.key().chars().filter(char::is_ascii_alphanumeric).collect();
        ["markingref", "markingrefs"].iter().any(|end| letters.ends_with(end))
    }

    /// The colour that two neighbours say together: the name of TLP and a colour, as in `["TLP", "RED"]` or
    /// `{"namespace": "tlp", "predicate": "red"}`.
    pub(super) fn tlp_with(&self, next: &Self) -> Option<Tlp> {
        let in_labels = |leaf: &Self| {
            leaf.is_label() || leaf.is_about_marking() || leaf.is_in("external_references")
        };
        let said = |name: &Self, colour: &Self| {
            names_tlp(&name.text).then(|| colour.text.parse().ok()).flatten()
        };
        let both = in_labels(self) && in_labels(next);
        both.then(|| said(self, next).or_else(|| said(next, self))).flatten()
    }
}

impl<'de> Deserialize<'de> for Leaves {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut all = Self::default();
        Walk { path: &mut Vec::new(), respelled: None, all: &mut all }.deserialize(deserializer)?;
        Ok(all)
    }
}

/// A walk over a value, in which the keys on the way are known.
struct Walk<'w> {
    path: &'w mut Vec<Rc<str>>,
    respelled: Option<usize>,
    all: &'w mut Leaves,
}

impl Walk<'_> {
    fn again(&mut self) -> Walk<'_> {
        Walk { path: self.path, respelled: self.respelled, all: self.all }
    }

    fn leaf<E>(self, text: &dyn ToString) -> Result<(), E> {
        let (path, respelled) = (self.path.clone(), self.respelled);
        self.all.0.push(Leaf { path, respelled, text: text.to_string() });
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.leaf(&text)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<(), E> {
        self.leaf(&truth)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.leaf(&number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.leaf(&number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.leaf(&number)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.again())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key::<String>()? {
            let usual = usual(&key);
            let is_other = matches!(usual, Cow::Owned(_));
            let outer = self.respelled;
            self.respelled = outer.or(is_other.then_some(self.path.len()));
            self.path.push(usual.into());
            let read = entries.next_value_seed(self.again());
            self.path.pop();
            self.respelled = outer;
            read?;
        }
        Ok(())
    }
}

/// A key in the letters in which keys are known; borrowed where it is written so.
fn usual(key: &str) -> Cow<'_, str> {
    let is_usual = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if key.bytes().all(is_usual) && key.trim().len() == key.len() {
        return key.into();
    }
    let letters = key.chars().filter(|letter| !is_invisible(*letter)).map(narrow);
    let folded: String = letters.flat_map(char::to_lowercase).collect();
    folded.trim().to_owned().into()
}

/// Whether the name of a property, or of a type of definition, speaks of TLP: `tlp`, `TLP`, `tlp_2_0`, `x_tlp_color`,
/// `tlpColor`.
pub(super) fn speaks_of_tlp(name: &str) -> bool {
    const ENDS: [&str; 6] = ["color", "colour", "level", "marking", "label", "tag"];
    let is_named = name.as_bytes().windows(3).any(|word| word.eq_ignore_ascii_case(b"tlp"));
    // Most names are neither, which these two looks tell.
    if !is_named && !name.contains(['f', 'F']) {
        return false;
    }
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    if letters.to_ascii_lowercase().contains("trafficlight") {
        return true;
    }
    name.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|word| {
        let (head, rest) = word.split_at_checked(3).unwrap_or((word, ""));
        head.eq_ignore_ascii_case("tlp")
            && (rest.bytes().all(|byte| !byte.is_ascii_alphabetic())
                || ENDS.iter().any(|end| rest.eq_ignore_ascii_case(end)))
    })
}

/// Whether a text is the name of TLP and nothing else.
fn names_tlp(text: &str) -> bool {
    let words =
        text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join(" ").to_lowercase();
    ["tlp", "traffic light protocol"].contains(&&*name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_with_its_keys_also_under_a_key_that_stands_there_twice() {
        let text = r#"{"A": "x", "a": ["y", {"B": 1, "c": null}], "d": {"e": {"f": true}}}"#;
        let leaves: Leaves = serde_json::from_str(text).unwrap();
        let all: Vec<String> =
            leaves.0.iter().map(|leaf| format!("{} {}", leaf.path.join("/"), leaf.text)).collect();
        assert_eq!(all, ["a x", "a y", "a/b 1", "d/e/f true"]);
        assert!(leaves.0[2].is_in("a") && leaves.0[2].key() == "b");
        let respelled: Vec<Option<usize>> = leaves.0.iter().map(|leaf| leaf.respelled).collect();
        assert_eq!(respelled, [Some(0), None, Some(1), None]);
    }

    #[test]
    fn names_after_tlp_are_known() {
        for name in ["tlp", "TLP", "tlp_2_0", "x_tlp_color", "Tlp-Level", "tlp2", "tlpColor"] {
            assert!(speaks_of_tlp(name), "{name}");
        }
        for name in ["", "tl", "tlpx", "atlp", "temple", "x_opencti_definition"] {
            assert!(!speaks_of_tlp(name), "{name}");
        }
    }
}
