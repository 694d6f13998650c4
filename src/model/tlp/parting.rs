//! Words whose letters escapes and tags part, which show nothing or stand between words.

use super::escapes::{letter, tag_length};

/// Whether a word of small letters stands in a text of a JSON document with escapes or tags between its letters, and
/// nothing else that is a letter. Those that stand for letters are for [`may_be_escaped`](super::may_be_escaped).
#[must_use]
pub fn parts(raw: &str, word: &str) -> bool {
    let bytes = raw.as_bytes();
    let has_escapes = || memchr::memchr2(b'&', b'%', bytes).is_some();
    let has_tags = || memchr::memchr(b'<', bytes).is_some();
    // What stands in a tag is read too, and the tag as if it were not there.
    (has_escapes() && Search::new(word).finds(raw, false))
        || (has_tags() && Search::new(word).finds(raw, true))
}

/// A search for a word.
struct Search<'w> {
    word: &'w [u8],
    /// How many of its letters were found one after the other.
    seen: usize,
    /// Whether an escape or a tag stands between two of these.
    has_part_between: bool,
}

impl<'w> Search<'w> {
    const fn new(word: &'w str) -> Self {
        Self { word: word.as_bytes(), seen: 0, has_part_between: false }
    }

    fn finds(&mut self, raw: &str, skips_tags: bool) -> bool {
        let bytes = raw.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let part = match byte {
                b'&' | b'%' => letter(&raw[at..]).map(|(_, length)| length),
                b'<' if skips_tags => {
                    tag_length(&raw[at..]).filter(|end| is_one_text(&bytes[at..at + end]))
                }
                _ => None,
            };
            self.has_part_between |= part.is_some() && self.seen > 0;
            at += part.unwrap_or(if byte == b'\\' { 2 } else { 1 });
            match byte {
                b'"' => self.begin(),
                _ if byte.is_ascii_alphabetic() && self.ends_with(byte) => return true,
                _ => {}
            }
        }
        false
    }

    fn begin(&mut self) {
        (self.seen, self.has_part_between) = (0, false);
    }

    /// Takes the next letter; whether the word ends with it, and something stands between its letters.
    fn ends_with(&mut self, letter: u8) -> bool {
        if !self.word[self.seen].eq_ignore_ascii_case(&letter) {
            self.begin();
            self.seen = usize::from(self.word[0].eq_ignore_ascii_case(&letter));
            return false;
        }
        self.seen += 1;
        let is_whole = self.seen == self.word.len();
        let is_found = is_whole && self.has_part_between;
        if is_whole {
            self.begin();
        }
        is_found
    }
}

/// Whether no text of the document ends in a part of it.
fn is_one_text(part: &[u8]) -> bool {
    let mut bytes = part.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return false,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_tags_part_a_word_and_letters_do_not() {
        for raw in [
            "T&nbsp;L&nbsp;P",
            "T%20.lp",
            "T <b></b>L.P",
            r#"T <b x=\"a\">LP"#,
            "<T&nbsp;LP>",
            "tt%20lp",
        ] {
            assert!(parts(&format!("{{\"x\":\"{raw}\"}}"), "tlp"), "{raw}");
        }
        for raw in ["tlp", "tlp<b>", "T&nbsp;\",\"LP", "T<b a=\", \"LP>", "T<b>a</b>lp", "a%20b"] {
            assert!(!parts(&format!("{{\"x\":\"{raw}\"}}"), "tlp"), "{raw}");
        }
    }
}
