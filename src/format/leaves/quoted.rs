//! Texts that are JSON themselves, as exports keep the objects that they were made of: each says what the same says that is no
//! text.

use serde::de::{DeserializeSeed, Error};

use super::{Leaf, PLACES_MAX, PROSE, Walk, with_numbers_quoted};

/// How deep JSON may be nested, as `serde_json` reads it: what lies deeper is not seen.
const NESTED_MAX: usize = 127;

/// Shows nothing, and may stand before JSON.
const BYTE_ORDER_MARK: char = '\u{feff}';

impl Leaf {
    /// Whether it begins as an object, a list or a text does, and is not written for people. A byte order mark is white space too.
    fn may_be_json(&self) -> bool {
        let is_before = |letter: char| letter.is_whitespace() || letter == BYTE_ORDER_MARK;
        let text = self.text.trim_start_matches(is_before);
        !PROSE.contains(&self.key()) && text.starts_with(['{', '[', '"'])
    }
}

impl Walk<'_> {
    /// Reads what such texts hold, and the texts within it.
    ///
    /// # Errors
    /// If one cannot be looked at to its end, and is no mere text.
    pub(super) fn quoted(mut self) -> serde_json::Result<()> {
        let mut at = 0;
        while let Some(leaf) = self.all.0.get(at) {
            at += 1;
            if !leaf.may_be_json() {
                continue;
            }
            let text = with_numbers_quoted(&leaf.text).replace(BYTE_ORDER_MARK, "");
            self.path.clone_from(&leaf.path);
            self.objects.clone_from(&leaf.objects);
            self.lists.clone_from(&leaf.lists);
            (self.respelled, self.of_tlp) = (leaf.respelled, leaf.of_tlp);
            self.values(&text)?;
        }
        Ok(())
    }

    /// Reads one value after another, up to what is no JSON: a mere text, or what breaks off.
    fn values(&mut self, text: &str) -> serde_json::Result<()> {
        let depth = self.objects.len() + self.lists.len();
        let mut values = serde_json::Deserializer::from_str(text);
        while self.again().deserialize(&mut values).is_ok() {}
        // Those that it was in when it stopped are still there.
        let nested = self.objects.len() + self.lists.len() - depth;
        match nested >= NESTED_MAX || *self.places > PLACES_MAX {
            true => {
                Err(Error::custom("a text of it holds JSON that is too large or nested too deep"))
            }
            false => Ok(()),
        }
    }
}
