//! What a mirror is a mirror of, and where its source stands.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// Part of an identity that every source has.
const KIND: &str = "kind";

/// What a source is, by parts that have names: its kind, its URL, the id of its feed or collections, and what the
/// source itself says when it was made. Another identity is another source, of which nothing is known. It is kept,
/// and shown to people: no part may be secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceIdentity(BTreeMap<Box<str>, Box<str>>);

impl SourceIdentity {
    /// A source of a kind, such as `taxii2`.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self(BTreeMap::from([(KIND.into(), kind.into())]))
    }

    /// What any source is.
    pub(super) const fn any() -> Self {
        Self(BTreeMap::new())
    }

    /// The source that also is this.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// Whether another is all that this is, and perhaps more that only the source itself could say.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.0.iter().all(|(name, value)| other.0.get(name) == Some(value))
    }
}

impl fmt::Display for SourceIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get(KIND).map_or("source", |kind| kind))?;
        let others = self.0.iter().filter(|(name, _)| ***name != *KIND);
        others.into_iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

/// Where a source stands, in words that only its own kind understands. It is kept as it is, so nothing secret may
/// be in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bookmark(Box<str>);

impl Bookmark {
    /// A bookmark of at most [`BOOKMARK_BYTES_MAX`](crate::model::limits::BOOKMARK_BYTES_MAX).
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_covers_what_says_more() {
        let configured = SourceIdentity::new("eiq-feed").with("url", "https://eiq.example");
        let found = configured.clone().with("created_at", "2026-01-01");
        assert!(configured.covers(&found) && configured.covers(&configured));
        assert!(!found.covers(&configured));
        assert!(!configured.covers(&found.with("url", "https://other.example")));
        assert_eq!(configured.to_string(), "eiq-feed url=https://eiq.example");
    }
}
