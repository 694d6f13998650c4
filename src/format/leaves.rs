//! All texts and numbers of an object with the keys that lead to them, each as often as it stands there.
//!
//! Of a key that stands there twice a usual reader of JSON keeps one value; a marking must not be lost so.

mod naming;

use std::{borrow::Cow, collections::BTreeSet, fmt, rc::Rc};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use super::element::Element;
use crate::{
    graph::Facts,
    model::{MarkingId, Tlp, is_invisible, narrow},
};
use naming::names_tlp;
pub(super) use naming::speaks_of_tlp;

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

/// Keys under which an object says what it is, and those under which it then says a value; also behind a `_`.
const NAMING: [&str; 8] =
    ["name", "type", "key", "kind", "label", "attribute", "field", "property"];
const SAYING: [&str; 10] =
    ["value", "values", "text", "content", "data", "color", "colour", "level", "rating", "marking"];

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
    /// The place in the path of the last key that speaks of TLP.
    of_tlp: Option<usize>,
    /// The objects on the way, by number, as many as keys: the last is the one that it stands in.
    pub(super) objects: Vec<u32>,
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

    /// Whether its own key speaks of TLP.
    pub(super) fn is_called_tlp(&self) -> bool {
        self.of_tlp.is_some_and(|place| place + 1 == self.path.len())
    }

    /// Whether its own key speaks of TLP, or the one around it.
    pub(super) fn is_near_tlp(&self) -> bool {
        self.of_tlp.is_some_and(|place| self.path.len() <= place + 2)
    }

    /// Whether it says that the object it stands in is about TLP: `"type": "TLP"`.
    pub(super) fn says_type_tlp(&self) -> bool {
        is_one_of(self.key(), &NAMING) && names_tlp(&self.text)
    }

    /// What it says of TLP, by the name of its property, or of the one around it, or in a label: a colour, or a text
    /// that was meant as one.
    ///
    /// A label stands wherever producers keep labels and markings (`x_opencti_labels`, `tags`, `markings`), also as an
    /// object instead of a text, or among the types as STIX 2.0 has it.
    pub(super) fn tlp(&self) -> Option<Result<Tlp, &str>> {
        let text = self.text.trim();
        let said = || Tlp::of_tag(text).max(Tlp::said_in(text));
        if self.of_tlp.is_some() {
            let colour = text.parse().ok().or_else(said);
            // Deep in what is called so may stand what is no colour, such as the time of its making.
            let is_meant = self.is_near_tlp() || is_one_of(self.key(), &SAYING);
            return match colour {
                Some(tlp) => Some(Ok(tlp)),
                None => (is_meant && !says_nothing(text)).then_some(Err(text)),
            };
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
        if !self.is_about_marking() && self.of_tlp.is_none() {
            return None;
        }
        let is_id = |id: &MarkingId| id.as_str().starts_with(MarkingId::PREFIX);
        // A bare UUID may be that of anything but a marking.
        let may_be_bare = self.key().contains("marking") || self.is_called_tlp();
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

/// What objects within say that are named after TLP, or of a type called so: `{"name": "TLP", "value": "RED"}`.
pub(super) fn said_by_type(leaves: &[Leaf]) -> impl Iterator<Item = (&Leaf, Result<Tlp, &str>)> {
    let inner = leaves.iter().filter(|leaf| leaf.path.len() > 1 && leaf.says_type_tlp());
    let typed: BTreeSet<u32> = inner.filter_map(|leaf| leaf.objects.last().copied()).collect();
    leaves.iter().filter_map(move |leaf| {
        let text = leaf.text.trim();
        let is_value = is_one_of(leaf.key(), &SAYING)
            && leaf.objects.last().is_some_and(|object| typed.contains(object));
        let said = || text.parse().ok().or_else(|| Tlp::said_in(text)).ok_or(text);
        (is_value && !says_nothing(text)).then(|| (leaf, said()))
    })
}

/// Whether a key is one of these, or ends in one behind a `_`, `-` or `:`.
fn is_one_of(key: &str, names: &[&str]) -> bool {
    names.contains(&key.rsplit(['_', '-', ':']).next().unwrap_or(key))
}

/// Whether a text stands for no marking.
pub(super) fn says_nothing(text: &str) -> bool {
    ["", "none", "null"].iter().any(|none| text.trim().eq_ignore_ascii_case(none))
}

impl<'de> Deserialize<'de> for Leaves {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut all = Self::default();
        let (path, objects, count) = (&mut Vec::new(), &mut Vec::new(), &mut 0);
        let walk = Walk { path, objects, count, respelled: None, of_tlp: None, all: &mut all };
        walk.deserialize(deserializer)?;
        Ok(all)
    }
}

/// A walk over a value, in which the keys on the way are known.
struct Walk<'w> {
    path: &'w mut Vec<Rc<str>>,
    objects: &'w mut Vec<u32>,
    /// How many objects were met.
    count: &'w mut u32,
    respelled: Option<usize>,
    of_tlp: Option<usize>,
    all: &'w mut Leaves,
}

impl Walk<'_> {
    fn again(&mut self) -> Walk<'_> {
        let Self { path, objects, count, respelled, of_tlp, all } = self;
        Walk { path, objects, count, respelled: *respelled, of_tlp: *of_tlp, all }
    }

    fn leaf<E>(self, text: &dyn ToString) -> Result<(), E> {
        let Self { path, objects, respelled, of_tlp, all, .. } = self;
        let (path, objects, text) = (path.clone(), objects.clone(), text.to_string());
        all.0.push(Leaf { path, respelled, of_tlp, objects, text });
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
        *self.count += 1;
        self.objects.push(*self.count);
        let (place, outer) = (self.path.len(), (self.respelled, self.of_tlp));
        while let Some(key) = entries.next_key::<String>()? {
            let usual = usual(&key);
            let is_other = matches!(usual, Cow::Owned(_));
            self.respelled = outer.0.or(is_other.then_some(place));
            // Capitals in a key tell its words.
            let is_of_tlp = speaks_of_tlp(&key) || (is_other && speaks_of_tlp(&usual));
            self.of_tlp = if is_of_tlp { Some(place) } else { outer.1 };
            self.path.push(usual.into());
            let read = entries.next_value_seed(self.again());
            self.path.pop();
            (self.respelled, self.of_tlp) = outer;
            read?;
        }
        self.objects.pop();
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
}
