//! By which parts of values and titles something is found: by words, whole or begun.
//!
//! A word is a run of letters and digits, and three or four numbers with dots between them are a network: the words of an
//! address would be the same numbers in every event.

use std::collections::BTreeSet;

use crate::misp::search_form;

/// Of a long value so many words lead to it.
const VALUE_WORDS_MAX: usize = 32;
/// Of a long title so many words lead to it.
pub(super) const TITLE_WORDS_MAX: usize = 64;
/// Fewest letters of a word of a value that leads to it: shorter ones are everywhere.
const VALUE_LETTERS_MIN: usize = 2;

/// What words are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordOf {
    /// A value.
    Value,
    /// The title of an event.
    Title,
}

impl WordOf {
    /// From so many letters on the beginning of a word finds it.
    #[must_use]
    pub const fn letters(self) -> usize {
        match self {
            Self::Value => 6,
            Self::Title => 4,
        }
    }

    /// What a word is found by, of a beginning that finds it as well.
    #[must_use]
    pub fn start(self, word: &str) -> &str {
        let end = word.char_indices().nth(self.letters()).map_or(word.len(), |(end, _)| end);
        if is_net(word) { word } else { &word[..end] }
    }

    /// Whether what was asked for is a word, or begins it.
    #[must_use]
    pub fn finds(self, asked: &str, word: &str) -> bool {
        asked == word || (word.starts_with(asked) && asked.chars().count() >= self.letters())
    }
}

/// The words of a text, in lower case.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|letter: char| !letter.is_alphanumeric());
    parts.filter(|part| !part.is_empty()).map(str::to_lowercase)
}

/// The words that lead to a value, or to all values that one may be part of.
pub(crate) fn words_of_value(text: &str) -> BTreeSet<String> {
    words_of_form(&search_form(text))
}

fn words_of_form(form: &str) -> BTreeSet<String> {
    let parts = form.split(|letter: char| !letter.is_alphanumeric() && letter != '.');
    let parts = parts.map(|part| part.trim_matches('.'));
    let words = parts.flat_map(|part| match net(part) {
        Some(net) => vec![net],
        None => words(part).filter(|word| word.chars().count() >= VALUE_LETTERS_MIN).collect(),
    });
    words.take(VALUE_WORDS_MAX).collect()
}

/// The words of what could be an address, as they stand in a value that is none: in a host that begins with one.
pub(crate) fn words_beside_a_net(text: &str) -> BTreeSet<String> {
    let form = search_form(text);
    let is_long = |word: &String| word.chars().count() >= VALUE_LETTERS_MIN;
    match words_of_form(&form).iter().any(|word| is_net(word)) {
        true => words(&form).filter(is_long).take(VALUE_WORDS_MAX).collect(),
        false => BTreeSet::new(),
    }
}

/// Whether a text stands in a value as whole words, but that its last one may be the beginning of one. Both are in the form
/// that is searched.
pub(crate) fn is_part(value: &str, asked: &str) -> bool {
    let begins = asked.starts_with(char::is_alphanumeric);
    let last = asked.rsplit(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
    let must_end = (1..WordOf::Value.letters()).contains(&last.chars().count());
    !asked.is_empty()
        && value.match_indices(asked).any(|(at, _)| {
            let (before, behind) = (&value[..at], &value[at + asked.len()..]);
            let goes_on = begins && before.ends_with(char::is_alphanumeric)
                || must_end && behind.starts_with(char::is_alphanumeric);
            !goes_on
        })
}

/// The network of an address, or of the beginning of one: its first three numbers.
fn net(text: &str) -> Option<String> {
    let numbers: Vec<&str> = text.split('.').collect();
    let is_number = |text: &&str| text.parse::<u8>().is_ok();
    match numbers[..] {
        [a, b, c] | [a, b, c, _] if numbers.iter().all(is_number) => Some(format!("{a}.{b}.{c}")),
        _ => None,
    }
}

fn is_net(word: &str) -> bool {
    word.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_words_of_the_value() {
        for (value, part) in [
            ("http://login.example.com/a/b.php?x=1", "example.com"),
            ("http://login.example.com/a/b.php?x=1", "hxxp://login[.]example[.]com"),
            ("http://login.example.com/a/b.php?x=1", "login.example.com/a"),
            ("someone@mail.example.com", "@mail.example.com"),
            ("someone@mail.example.com", "MAIL.example"),
            ("13b4a3d0f2e64a9b1c7d", "13B4A3"),
            ("file.exe|13b4a3d0f2e64a9b1c7d", "13b4a3d0f2"),
            ("198.51.100.17", "198.51.100."),
            ("198.51.100.17|443", "198.51.100.17"),
            ("http://198.51.100.17/x", "198.51.100"),
            ("C:\\Windows\\System32\\evil.dll", "system32\\evil"),
            ("2001:db8::17", "2001:db8"),
            ("198.51.100.17.sslip.example", "51.100.17.sslip"),
        ] {
            let (form, asked) = (search_form(value), search_form(part));
            assert!(is_part(&form, &asked), "{part} in {value}");
            let starts = |text: &str| -> BTreeSet<String> {
                let words = words_of_value(text).into_iter();
                words.map(|word| WordOf::Value.start(&word).to_owned()).collect()
            };
            assert!(!starts(part).is_empty() && starts(part).is_subset(&starts(value)), "{part}");
        }
        for (value, part) in [
            ("notexample.com", "example.com"),
            ("example.community", "example.com"),
            ("13b4a3d0f2e64a9b1c7d", "13b4"),
            ("13b4a3d0f2e64a9b1c7d", "b4a3d0f2"),
            ("198.51.100.17", "198.51.1"),
            ("198.51.100.17", ""),
        ] {
            assert!(!is_part(value, part), "{part} in {value}");
        }
    }

    #[test]
    fn whatever_finds_a_word_has_its_start() {
        for of in [WordOf::Value, WordOf::Title] {
            for word in ["a", "intrusion", "überfall", "13b4a3", "198.51.100"] {
                for end in word.char_indices().map(|(end, _)| end).chain([word.len()]) {
                    let asked = &word[..end];
                    let finds = of.finds(asked, word);
                    let reaches = end == word.len() || asked.chars().count() >= of.letters();
                    assert_eq!(finds, reaches, "{asked} {word}");
                    assert!(!finds || of.start(asked) == of.start(word) || is_net(word));
                }
            }
        }
    }

    #[test]
    fn an_address_is_found_in_a_name_that_begins_with_it() {
        let value = words_of_value("198.51.100.17.sslip.example");
        assert!(!words_of_value("198.51.100.17").is_subset(&value));
        let beside = words_beside_a_net("198.51.100.17");
        assert!(!beside.is_empty() && beside.is_subset(&value), "{beside:?}");
        assert!(words_beside_a_net("example.com").is_empty());
    }
}
