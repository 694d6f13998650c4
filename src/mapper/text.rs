//! Texts in the form in which MISP takes them.

use std::{borrow::Cow, collections::BTreeSet};

use crate::{
    misp::fold_bmp,
    model::{
        Tlp,
        limits::{MISP_TEXT_BYTES_MAX, TAG_CHARS_MAX},
    },
};

/// White space and control characters folded to single blanks, none at either end; characters that take
/// four bytes in UTF-8 become `?` (MISP 2.5.1 answers 500 to them in titles, comments and tags).
pub(super) fn fold(text: &str) -> Cow<'_, str> {
    if is_folded(text) {
        return text.into();
    }
    let text = fold_bmp(text);
    let mut folded = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !word.is_empty() && !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded.into()
}

/// Whether there is nothing to do, as with nearly all titles; a quick no is no harm.
fn is_folded(text: &str) -> bool {
    let mut last = b' ';
    let is_plain = text.bytes().all(|byte| {
        let is_plain = (b'!'..=b'~').contains(&byte) || (byte == b' ' && last != b' ');
        last = byte;
        is_plain
    });
    is_plain && last != b' '
}

/// The beginning of a folded text, within a number of characters and MISP's limit of bytes.
pub(super) fn cut(text: &str, chars_max: usize) -> &str {
    let within_bytes = |&(at, c): &(usize, char)| at + c.len_utf8() <= MISP_TEXT_BYTES_MAX;
    let kept = text.char_indices().take(chars_max).take_while(within_bytes).last();
    text[..kept.map_or(0, |(at, c)| at + c.len_utf8())].trim_end()
}

/// A tag name as MISP keeps it; `None` for one that is never sent as a tag: an empty one, `IDS` (which
/// says something about detection), one that MISP reads as a galaxy cluster, and one of TLP: the marking, which
/// the graph takes from tags too, has a tag of its own.
pub(super) fn tag(name: &str) -> Option<Box<str>> {
    let name = fold(name);
    let lower = name.to_ascii_lowercase();
    let never = name.is_empty()
        || name == IDS
        || lower.starts_with("misp-galaxy:")
        || Tlp::of_tag(&name).is_some();
    (!never).then(|| cut(&name, TAG_CHARS_MAX).into())
}

/// The tag by which EclecticIQ's incoming MISP feed keeps `to_ids`.
pub(super) const IDS: &str = "IDS";

/// Sorted, and one of those that differ in case only: MISP takes them for the same tag.
pub(super) fn distinct_tags(mut tags: Vec<Box<str>>) -> Vec<Box<str>> {
    tags.sort_unstable();
    let mut seen = BTreeSet::new();
    tags.retain(|tag| seen.insert(tag.to_lowercase()));
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_leaves_one_line_of_short_characters() {
        assert_eq!(fold("  Big \r\n\t news\u{0} \u{1f600}!"), "Big news ?!");
        assert_eq!(fold(" \n "), "");
        for text in ["a b", "a", "\u{e4} b"] {
            assert_eq!(fold(text), text);
        }
        for text in ["a  b", " a b", "a b ", "a\tb"] {
            assert_eq!(fold(text), "a b");
        }
    }

    #[test]
    fn cutting_stays_between_characters() {
        assert_eq!(cut("ääää", 2), "ää");
        assert_eq!(cut("ab cd", 3), "ab");
        assert_eq!(cut("ab", 0), "");
        assert_eq!(cut(&"€".repeat(70_000), usize::MAX).len(), 65_535);
        assert_eq!(cut(&"ä".repeat(70_000), usize::MAX).len(), 65_534);
    }

    #[test]
    fn some_tags_are_never_sent() {
        for name in
            ["", " ", "IDS", "misp-galaxy:tool=\"x\"", "MISP-Galaxy:x", "TLP:RED", "tlp = red"]
        {
            assert_eq!(tag(name), None, "{name}");
        }
        for name in ["tlp:ex:chr", "red"] {
            assert_eq!(tag(name).as_deref(), Some(name));
        }
        assert_eq!(tag(&"x".repeat(300)).unwrap().len(), 255);
        let tags = ["b", "A", "a", "b"].map(Into::into).to_vec();
        assert_eq!(distinct_tags(tags), ["A".into(), "b".into()]);
    }
}
