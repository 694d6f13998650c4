//! BLAKE3 digests over a canonical, length-prefixed encoding.
//!
//! Every kind of thing has a `derive_key` context of its own, so that a digest of one kind can never
//! pass for another. The encoding writes the length before each text and the count before each list:
//! no two different values share an encoding.

use std::fmt;

use super::as_text;

/// A 32-byte BLAKE3 digest. `Display` gives all 64 hexadecimal digits, `Debug` the first twelve.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Wraps 32 bytes that were a digest before, such as those of a stored record.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// BLAKE3 of bytes as they are, as `b3sum` prints it: for those who are to check it without this program.
    #[must_use]
    pub fn plain(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first twelve hexadecimal digits, as people quote them.
    #[must_use]
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(12);
        text
    }

    /// Reads the 64 hexadecimal digits that `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|hash| Self(*hash.as_bytes()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

as_text!(Digest, "digest", Digest::parse);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

/// What a digest is of. The text is the BLAKE3 `derive_key` context and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// One MISP attribute with all its fields.
    Attribute,
    /// One MISP event: its own fields and the sorted digests of its attributes.
    Event,
    /// One entity of a dataset with its observables.
    Entity,
    /// One incident graph: the incident, its entities and the links between them.
    IncidentGraph,
    /// A mapping rule table.
    Rules,
    /// A destination's policy and event settings.
    Policy,
    /// The bytes of a source, whole.
    Source,
    /// A stored object, named by its content.
    Object,
    /// A stored record, checked against the key it stands under.
    Record,
    /// A saved plan.
    Plan,
    /// A name that is too long to be kept as it is.
    Name,
    /// A key of MISP, so that another one is noticed.
    Key,
    /// Who asks a server, as far as that is no secret.
    Asker,
    /// One pull of a source as it is kept, up to some line.
    Pack,
    /// An object of a source, its name and what it consists of.
    Copy,
    /// What marks an object of a source.
    Marking,
    /// A dataset that was put together from several pulls.
    Dataset,
    /// The files of a store's engine.
    Engine,
}

impl Context {
    const fn text(self) -> &'static str {
        match self {
            Self::Attribute => "misp-trickle 2026 attribute v1",
            Self::Event => "misp-trickle 2026 event v1",
            Self::Entity => "misp-trickle 2026 entity v1",
            Self::IncidentGraph => "misp-trickle 2026 incident graph v1",
            Self::Rules => "misp-trickle 2026 mapping rules v1",
            Self::Policy => "misp-trickle 2026 destination policy v1",
            Self::Source => "misp-trickle 2026 source v1",
            Self::Object => "misp-trickle 2026 object v1",
            Self::Record => "misp-trickle 2026 record v1",
            Self::Plan => "misp-trickle 2026 plan v1",
            Self::Name => "misp-trickle 2026 long name v1",
            Self::Key => "misp-trickle 2026 key of misp v1",
            Self::Asker => "misp-trickle 2026 asker of a server v1",
            Self::Pack => "misp-trickle 2026 pack v1",
            Self::Copy => "misp-trickle 2026 copy of an object v1",
            Self::Marking => "misp-trickle 2026 marking of an object v1",
            Self::Dataset => "misp-trickle 2026 dataset v1",
            Self::Engine => "misp-trickle 2026 files of an engine v1",
        }
    }
}

/// Feeds values into a digest in the canonical encoding.
#[derive(Clone)]
pub struct Encoder(blake3::Hasher);

impl Encoder {
    /// Starts a digest of one kind of thing.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self(blake3::Hasher::new_derive_key(context.text()))
    }

    /// Bytes as they are, without a length: for a whole source.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    /// Bytes behind their length.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.u64(bytes.len() as u64);
        self.0.update(bytes);
        self
    }

    /// A text behind its length in bytes.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// A number, little-endian.
    pub fn u64(&mut self, number: u64) -> &mut Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    /// A signed number, little-endian.
    pub fn i64(&mut self, number: i64) -> &mut Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    /// A truth value, one byte.
    pub fn flag(&mut self, flag: bool) -> &mut Self {
        self.0.update(&[u8::from(flag)]);
        self
    }

    /// Presence in one byte, then the value if there is one.
    pub fn option<T>(&mut self, value: Option<T>, each: impl FnOnce(&mut Self, T)) -> &mut Self {
        self.flag(value.is_some());
        if let Some(value) = value {
            each(self, value);
        }
        self
    }

    /// The count, then each item in the order given. The caller sorts where order has no meaning.
    pub fn list<T>(
        &mut self,
        items: impl ExactSizeIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.u64(items.len() as u64);
        for item in items {
            each(self, item);
        }
        self
    }

    /// Another digest, 32 bytes.
    pub fn digest(&mut self, digest: &Digest) -> &mut Self {
        self.0.update(&digest.0);
        self
    }

    /// The digest of all that was fed.
    #[must_use]
    pub fn finish(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_moved_across_a_border_changes_the_digest() {
        let of = |a: &str, b: &str| Encoder::new(Context::Event).text(a).text(b).finish();
        assert_ne!(of("ab", "c"), of("a", "bc"));
        assert_eq!(of("ab", "c"), of("ab", "c"));
    }

    #[test]
    fn contexts_part_equal_content() {
        let of = |context| Encoder::new(context).text("x").finish();
        assert_ne!(of(Context::Event), of(Context::Attribute));
    }

    #[test]
    fn print_and_parse_agree() {
        let digest = Encoder::new(Context::Object).text("x").finish();
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(digest.short().len(), 12);
    }
}
