//! What a text says about TLP: a tag, a colour in a field, a sentence.

use std::borrow::Cow;

use crate::model::{is_invisible, narrow};

use super::Tlp;

/// What one place of a text says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// It does not speak of TLP.
    Nothing,
    /// It speaks of TLP, and of no colour that there is.
    Unknown,
    Colour(Tlp),
}

/// A text as words of letters and digits, in lower case.
pub(super) struct Words {
    words: Vec<Word>,
    /// Whether a `:` or `=` stands behind the last word.
    ends_open: bool,
}

struct Word {
    text: String,
    /// Whether a `:` or `=` stands between it and the word before it.
    is_value: bool,
}

impl Words {
    pub(super) fn of(text: &str) -> Self {
        let text = &*unescaped(text);
        let mut words: Vec<Word> = Vec::new();
        let (mut inside, mut is_value) = (false, false);
        for letter in text.chars().filter(|letter| !is_invisible(*letter)).map(narrow) {
            if letter.is_alphanumeric() {
                if !inside {
                    words.push(Word { text: String::new(), is_value });
                    (inside, is_value) = (true, false);
                }
                let word = words.last_mut().expect("a word was begun above");
                word.text.extend(letter.to_lowercase());
            } else {
                inside = false;
                is_value |= matches!(letter, ':' | '=');
            }
        }
        Self { words, ends_open: is_value }
    }

    /// The colour that the whole text names, with or without `tlp` before it.
    pub(super) fn colour(&self) -> Option<Tlp> {
        match (self.at(0, true), colour(self.texts(0))) {
            (Said::Colour(tlp), _) => Some(tlp),
            (_, Some((tlp, taken))) if taken == self.words.len() => Some(tlp),
            _ => None,
        }
    }

    /// What the text says as a whole.
    pub(super) fn whole(&self) -> Said {
        self.at(0, true)
    }

    /// What each place of the text says.
    pub(super) fn places(&self) -> impl Iterator<Item = Said> {
        (0..self.words.len()).map(|place| self.at(place, false))
    }

    /// Reads `tlp` at a word, what says which TLP is meant, and a colour, which ends the text if it is to be the whole.
    fn at(&self, place: usize, whole: bool) -> Said {
        let Some((place, rest)) = self.name(place) else {
            return self.before_its_name(place, whole);
        };
        let squashed = colour([rest].into_iter().chain(self.texts(place + 1)));
        let mut next = place + 1;
        while self.words.get(next).is_some_and(|word| is_filler(&word.text)) {
            next += 1;
        }
        let found = match squashed {
            Some((tlp, taken)) => Some((tlp, place + taken)),
            None if !rest.is_empty() && !is_filler(rest) => return Said::Nothing,
            None => colour(self.texts(next)).map(|(tlp, taken)| (tlp, next + taken)),
        };
        let mut between = self.words[place + 1..].iter().take(next - place);
        let is_meant = between.any(|word| word.is_value)
            || (self.ends_open && next == self.words.len() && found.is_none());
        match found {
            Some((tlp, end)) if !whole || end == self.words.len() => Said::Colour(tlp),
            None if self.texts(next).take(2).eq(["ex", "chr"])
                && (!whole || next + 2 == self.words.len()) =>
            {
                Said::Nothing
            }
            _ if is_meant => Said::Unknown,
            _ => Said::Nothing,
        }
    }

    /// A colour that stands before the name, as in `RED (TLP)`.
    fn before_its_name(&self, place: usize, whole: bool) -> Said {
        let Some((tlp, taken)) = colour(self.texts(place)) else { return Said::Nothing };
        let mut after = self.texts(place + taken);
        match after.next() == Some("tlp") && (!whole || after.next().is_none()) {
            true => Said::Colour(tlp),
            false => Said::Nothing,
        }
    }

    /// The word that ends the name of TLP, if the name begins at a word, and what else that word holds.
    fn name(&self, place: usize) -> Option<(usize, &str)> {
        if self.texts(place).take(3).eq(["traffic", "light", "protocol"]) {
            return Some((place + 2, ""));
        }
        Some((place, self.words.get(place)?.text.strip_prefix("tlp")?))
    }

    fn texts(&self, from: usize) -> impl Iterator<Item = &str> {
        self.words.iter().skip(from).map(|word| &*word.text)
    }
}

/// A text without the escapes that URLs have for what stands between a name and a value.
fn unescaped(text: &str) -> Cow<'_, str> {
    const ESCAPES: [(&str, &str); 6] =
        [("%3A", ":"), ("%3a", ":"), ("%3D", "="), ("%3d", "="), ("%20", " "), ("%2B", "+")];
    let escapes = ESCAPES.iter().filter(|(escape, _)| text.contains(escape));
    escapes.fold(text.into(), |text, (escape, letter)| text.replace(escape, letter).into())
}

/// The colour that a list of words begins with, and how many of them it takes.
fn colour<'w>(mut words: impl Iterator<Item = &'w str>) -> Option<(Tlp, usize)> {
    Some(match words.next()? {
        "white" | "clear" => (Tlp::Clear, 1),
        "green" => (Tlp::Green, 1),
        "amber" if words.next() == Some("strict") => (Tlp::AmberStrict, 2),
        "amber" => (Tlp::Amber, 1),
        "amberstrict" => (Tlp::AmberStrict, 1),
        "red" => (Tlp::Red, 1),
        _ => return None,
    })
}

/// Whether a word may stand between TLP and its colour: a version, as in `TLP 2.0: RED`, a number that stands for a
/// letter, as in `TLP&#58;RED`, or a word for what a colour is.
fn is_filler(word: &str) -> bool {
    let number = word.strip_prefix('v').unwrap_or(word);
    number.bytes().all(|byte| byte.is_ascii_digit())
        || matches!(
            word,
            "version" | "level" | "color" | "colour" | "marking" | "classification" | "is" | "tlp"
        )
}
