//! Settings that are one of a few words: one table for each says what is read, what is printed, and what an
//! error lists.

/// A value that people name by one of a few words.
pub trait Words: Copy + PartialEq + 'static {
    /// The words with their values; where a configuration leaves the word out, the first is meant.
    const WORDS: &'static [(&'static str, Self)];

    /// The value that a word names, if it is one of the table.
    #[must_use]
    fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }

    /// The word that names the value.
    #[must_use]
    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, value)| *value == self);
        found.expect("a table of words names every value").0
    }
}

/// The one of these words that somebody may have meant who wrote another: at most two letters are other ones or change
/// places, or one of both begins with the other.
#[must_use]
pub fn nearest<'w>(written: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    const PREFIX_CHARS_MIN: usize = 3;
    let written = written.to_lowercase();
    let distance = |word: &str| {
        let is_part = written.len().min(word.len()) >= PREFIX_CHARS_MIN
            && (written.starts_with(word) || word.starts_with(&written));
        if is_part { 1 } else { strsim::damerau_levenshtein(&written, word) }
    };
    let words = words.into_iter().map(|word| (distance(word), word));
    let near = words.filter(|(distance, word)| *distance <= 2 && distance * 2 < word.len());
    near.min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

/// The names of an enum as serde writes them: what it says when it is given another.
#[cfg(test)]
pub(crate) fn names<T: serde::de::DeserializeOwned>() -> std::collections::BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>("\"no such word\"") else {
        panic!("it takes any word")
    };
    let text = error.to_string();
    let (_, list) = text.split_once("expected ").expect("the names follow");
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn what_may_have_been_meant_is_near() {
        let words = ["never", "keep", "always", "mon", "why", "verify"];
        for (written, meant) in [
            ("nevr", Some("never")),
            ("Always", Some("always")),
            ("monday", Some("mon")),
            ("wyh", Some("why")),
            ("verfiy", Some("verify")),
            ("x", None),
            ("no", None),
            ("", None),
            ("sometimes", None),
        ] {
            assert_eq!(nearest(written, words), meant, "{written}");
        }
    }
}
