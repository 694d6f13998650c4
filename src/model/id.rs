//! Identifiers as types: no bare text or UUID crosses a function that means a certain thing by it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::{Uuid, Variant};

use super::as_text;

/// A text that is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {wanted}")]
pub struct IdError {
    /// What was given.
    pub text: String,
    /// What was wanted, with its article.
    pub wanted: &'static str,
}

macro_rules! uuid_type {
    ($(#[$doc:meta])* $name:ident, $wanted:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to be one of these.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The plain UUID.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                match (text.len(), Uuid::try_parse(text)) {
                    (36, Ok(uuid)) => Ok(Self(uuid)),
                    _ => Err(IdError { text: text.to_owned(), wanted: $wanted }),
                }
            }
        }

        as_text!($name, "UUID", |text| text.parse().ok());
    };
}

uuid_type!(
    /// UUID of a MISP event; always shown in lower case, the only form MISP finds again
    /// (MISP 2.5.1: an upper-case UUID in a search finds nothing).
    EventUuid,
    "the UUID of a MISP event"
);
impl EventUuid {
    /// Whether MISP takes an event of this UUID: it takes versions 1 to 5 alone.
    #[must_use]
    pub fn is_taken_by_misp(self) -> bool {
        let uuid = self.uuid();
        (1..=5).contains(&uuid.get_version_num()) && uuid.get_variant() == Variant::RFC4122
    }
}

uuid_type!(
    /// UUID of a MISP attribute; unique in the whole MISP, not only in its event.
    AttributeUuid,
    "the UUID of a MISP attribute"
);
uuid_type!(
    /// UUID of a MISP organisation.
    OrgUuid,
    "the UUID of a MISP organisation"
);

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Wraps a name from the configuration.
            #[must_use]
            pub fn new(name: &str) -> Self {
                Self(name.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_type!(
    /// Name of a destination in the configuration, such as `main`; the ledger is keyed by it.
    DestinationName
);
name_type!(
    /// Name of a feed in the configuration; the table `[source]` is the feed `main`.
    FeedName
);

/// One feed to one destination.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteName {
    /// The feed.
    pub feed: FeedName,
    /// The destination.
    pub destination: DestinationName,
}

impl fmt::Display for RouteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.feed, self.destination)
    }
}

/// Number of a run in a store, counted from 1.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct RunNumber(pub u64);

impl RunNumber {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for RunNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_uuids_are_hyphenated_and_shown_in_lower_case() {
        let uuid: EventUuid = "13CB1207-0674-4A54-A999-DF5FF8E35C1A".parse().unwrap();
        assert_eq!(uuid.to_string(), "13cb1207-0674-4a54-a999-df5ff8e35c1a");
        assert!("13cb120706744a54a999df5ff8e35c1a".parse::<EventUuid>().is_err());
    }
}
