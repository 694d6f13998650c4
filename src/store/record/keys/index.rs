//! Keys of the pages of the index.

use super::{Key, Kind, Name};

/// What stands in the key of a page of the index behind its way: behind all digits.
const INDEX_PAGES: u8 = 16;
/// So many digits a way has at most: those of a fingerprint. A node with so long a way has one fingerprint.
pub(crate) const WAY_DIGITS_MAX: usize = 8;

/// What a part of the index leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum IndexOf {
    /// From terms to events and losses.
    Terms,
    /// From events to changes.
    Changes,
    /// From words of values and titles to events and losses.
    Words,
    /// From entities to buckets of aliases; of no destination.
    Aliases,
    /// What numbers of terms and words mean: a table.
    Spots,
    /// What numbers of changes mean: a table.
    Chunks,
}

impl IndexOf {
    const ALL: [Self; 6] =
        [Self::Terms, Self::Changes, Self::Words, Self::Aliases, Self::Spots, Self::Chunks];

    /// Whether it says what numbers mean.
    pub(crate) const fn is_table(self) -> bool {
        matches!(self, Self::Spots | Self::Chunks)
    }
}

/// A part of the index of a destination.
pub(crate) fn index(destination: &Name, of: IndexOf) -> Vec<u8> {
    Key::new(Kind::Index).name(destination).bytes(&[of as u8]).0
}

/// The pages of a node of such a part, by its way from the root: four-bit digits.
pub(crate) fn index_node(destination: &Name, of: IndexOf, way: &[u8]) -> Vec<u8> {
    Key(index(destination, of)).bytes(way).bytes(&[INDEX_PAGES]).0
}

/// One of these pages.
pub(crate) fn index_page(destination: &Name, of: IndexOf, way: &[u8], number: u32) -> Vec<u8> {
    Key(index_node(destination, of, way)).number_of_page(number).0
}

/// A page of a table.
pub(crate) fn index_table(destination: &Name, of: IndexOf, number: u32) -> Vec<u8> {
    Key(index(destination, of)).number_of_page(number).0
}

/// The number of the page that a key names.
pub(crate) fn index_number(key: &[u8]) -> Option<u32> {
    index_names(key).map(|(_, _, number)| number)
}

/// The destination, the part of the index and the number of the page that a key names.
pub(crate) fn index_names(key: &[u8]) -> Option<(Name, IndexOf, u32)> {
    let (name, rest) = Name::split(key.strip_prefix(Kind::Index.prefix())?)?;
    let (code, rest) = rest.split_first()?;
    let of = IndexOf::ALL.into_iter().find(|of| *of as u8 == *code)?;
    let (way, number) = rest.split_last_chunk()?;
    let is_way = match way.split_last() {
        None => of.is_table(),
        Some((last, digits)) => {
            let is_digit = |digit: &u8| *digit < INDEX_PAGES;
            *last == INDEX_PAGES
                && !of.is_table()
                && digits.len() <= WAY_DIGITS_MAX
                && digits.iter().all(is_digit)
        }
    };
    is_way.then(|| (name, of, u32::from_be_bytes(*number)))
}

impl Key {
    fn number_of_page(self, number: u32) -> Self {
        self.bytes(&number.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_of_the_index_names_is_read_back() {
        for text in ["", "main", "ü/\0", &"x".repeat(120), &"x".repeat(121)] {
            let at = Name::of(text);
            for way in [&[][..], &[3], &[15, 0, 1, 2, 3, 4, 5, 6]] {
                let key = index_page(&at, IndexOf::Changes, way, 7);
                assert_eq!(index_names(&key), Some((at.clone(), IndexOf::Changes, 7)), "{way:?}");
            }
            let key = index_table(&at, IndexOf::Chunks, 7);
            assert_eq!(index_names(&key), Some((at.clone(), IndexOf::Chunks, 7)));
            for strange in [
                index_page(&at, IndexOf::Spots, &[], 7),
                index_page(&at, IndexOf::Terms, &[16], 7),
                index_page(&at, IndexOf::Terms, &[1; 9], 7),
                index_table(&at, IndexOf::Words, 7),
            ] {
                assert_eq!(index_names(&strange), None);
            }
        }
    }
}
