//! All texts and numbers of an object with the keys that lead to them, each as often as it stands there.
//!
//! Of a key that stands there twice a usual reader of JSON keeps one value; a marking must not be lost so.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use crate::model::{Tlp, is_invisible};

/// How the names of properties end that hold labels.
const LABELS: [&str; 5] = ["label", "labels", "tag", "tags", "types"];

/// The texts and numbers of an object.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Leaves(pub(super) Vec<Leaf>);

/// A text, or a number as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The keys that lead to it, in lower case; lists have none.
    pub(super) path: Vec<Box<str>>,
    pub(super) text: String,
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
        let is_label = self.path.iter().any(|key| {
            LABELS.iter().any(|end| key.ends_with(end))
                || ["marking", "taxonom"].iter().any(|part| key.contains(part))
        });
        is_label.then(said).flatten().map(Ok)
    }
}

impl<'de> Deserialize<'de> for Leaves {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut all = Self::default();
        Walk { path: &mut Vec::new(), all: &mut all }.deserialize(deserializer)?;
        Ok(all)
    }
}

/// A walk over a value, in which the keys on the way are known.
struct Walk<'w> {
    path: &'w mut Vec<Box<str>>,
    all: &'w mut Leaves,
}

impl Walk<'_> {
    fn again(&mut self) -> Walk<'_> {
        Walk { path: self.path, all: self.all }
    }

    fn leaf<E>(self, text: &dyn ToString) -> Result<(), E> {
        self.all.0.push(Leaf { path: self.path.clone(), text: text.to_string() });
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
            self.path.push(key.to_ascii_lowercase().into());
            let read = entries.next_value_seed(self.again());
            self.path.pop();
            read?;
        }
        Ok(())
    }
}

/// Whether an object may speak of TLP: a quick no for nearly all. It may where `tlp` stands in its bytes in any case,
/// the name in words does, or what may stand for either once it is read: an escape, a letter of full width, or one
/// that is not shown.
pub(super) fn may_speak_of_tlp(raw: &[u8]) -> bool {
    let is_named = memchr::memchr2_iter(b'p', b'P', raw)
        .any(|at| at >= 2 && raw[at - 2..at].eq_ignore_ascii_case(b"tl"));
    let has = |part: &[u8]| memchr::memmem::find(raw, part).is_some();
    is_named || has(b"raffic") || has(b"RAFFIC") || has(b"\\u") || has_odd_letters(raw)
}

fn has_odd_letters(raw: &[u8]) -> bool {
    let is_odd = |letter: char| is_invisible(letter) || ('\u{ff01}'..='\u{ff5e}').contains(&letter);
    !raw.is_ascii() && std::str::from_utf8(raw).is_ok_and(|text| text.chars().any(is_odd))
}

/// Whether the name of a property, or of a type of definition, speaks of TLP: `tlp`, `TLP`, `tlp_2_0`, `x_tlp_color`.
pub(super) fn speaks_of_tlp(name: &str) -> bool {
    name.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|word| {
        let (head, version) = word.split_at_checked(3).unwrap_or((word, ""));
        head.eq_ignore_ascii_case("tlp") && version.bytes().all(|byte| !byte.is_ascii_alphabetic())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_may_speak_of_tlp_in_every_form_in_which_a_tag_is_read() {
        for text in
            ["tLp:red", "Traffic Light", "TRAFFIC LIGHT", "\\u0054LP", "\u{ff54}lp", "t\u{200b}lp"]
        {
            assert!(may_speak_of_tlp(format!(r#"{{"x": "{text}"}}"#).as_bytes()), "{text}");
        }
        for text in ["", "t l p", "\u{e9}t\u{e9} \u{4e2d}", "\\n", "pal"] {
            assert!(!may_speak_of_tlp(format!(r#"{{"x": "{text}"}}"#).as_bytes()), "{text}");
        }
    }

    #[test]
    fn every_text_is_there_with_its_keys_also_under_a_key_that_stands_there_twice() {
        let text = r#"{"A": "x", "a": ["y", {"B": 1, "c": null}], "d": {"e": {"f": true}}}"#;
        let leaves: Leaves = serde_json::from_str(text).unwrap();
        let all: Vec<String> =
            leaves.0.iter().map(|leaf| format!("{} {}", leaf.path.join("/"), leaf.text)).collect();
        assert_eq!(all, ["a x", "a y", "a/b 1", "d/e/f true"]);
        assert!(leaves.0[2].is_in("a") && leaves.0[2].key() == "b");
    }

    #[test]
    fn names_after_tlp_are_known() {
        for name in ["tlp", "TLP", "tlp_2_0", "x_tlp_color", "Tlp-Level", "tlp2"] {
            assert!(speaks_of_tlp(name), "{name}");
        }
        for name in ["", "tl", "tlpx", "atlp", "temple", "x_opencti_definition"] {
            assert!(!speaks_of_tlp(name), "{name}");
        }
    }
}
