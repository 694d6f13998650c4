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
