//! Why the entities of a feed cannot be pulled, and what to do about it.

use std::fmt;

use crate::{
    mirror::MirrorError,
    model::Fault,
    source::{
        eiq_feed::NEW_TOKEN,
        peer::{PeerError, Wrong},
    },
};

/// Why the entities of a feed cannot be pulled.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The platform gives no answer.
    Peer(#[from] PeerError),
    /// The platform lists rows that were not asked for, or in another order.
    Listing {
        /// What was asked for.
        url: String,
        /// What is wrong with the answer, a fragment.
        what: String,
    },
    /// The platform lists entities of other feeds.
    OtherFeed {
        /// The feed that was asked for.
        feed: u64,
        /// The entity.
        entity: Box<str>,
    },
    /// The mirror cannot be read or written.
    Mirror(#[from] MirrorError),
}

impl ApiError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Peer(error) => error.fault_with(cure),
            Self::Listing { url, what } => Fault::new(
                what,
                "the public API of this platform is another than the one that is known: use kind = \"eiq-feed\", and \
                 please report it",
            )
            .at(url),
            Self::OtherFeed { feed, entity } => Fault::new(
                format!("entity {entity} is listed for outgoing feed {feed}, and does not say that it is in it"),
                "nothing is taken, as it may be meant for others: use kind = \"eiq-feed\", and please report it",
            ),
            Self::Mirror(error) => Fault::of_message(&error.to_string()),
        }
    }
}

/// What the platform refuses, by the names that it has for it.
const fn cure(wrong: &Wrong) -> Option<&'static str> {
    Some(match wrong {
        Wrong::Token { .. } => NEW_TOKEN,
        Wrong::Right { .. } => {
            "give the token's user the permissions `read entities`, `read extracts` and `read outgoing-feeds`, and a \
             group that may see the feed"
        }
        Wrong::Missing { .. } => "check `url`: it is the platform's address, without /api",
        _ => return None,
    })
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}
