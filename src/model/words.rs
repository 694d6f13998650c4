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
