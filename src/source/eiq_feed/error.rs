//! Why a feed cannot be pulled, and what to do about it.

use std::fmt;

use crate::{
    mirror::MirrorError,
    model::{Fault, Words as _, limits::SOURCE_BYTES_MAX},
    source::peer::{PeerError, Wrong},
};

use super::Strategy;

/// Why a feed cannot be pulled.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The platform gives no answer.
    Peer(#[from] PeerError),
    /// There is no such feed.
    NoFeed {
        /// Its number.
        feed: u64,
        /// What the platform said.
        #[source]
        error: PeerError,
    },
    /// The content is nothing that is read.
    ContentType {
        /// What it is.
        found: Box<str>,
    },
    /// The feed packages differences.
    Diff,
    /// The feed packages something that is not known.
    StrategyUnknown {
        /// The word for it.
        found: Box<str>,
    },
    /// The configuration says that it packages something else.
    StrategyDiffers {
        /// What the configuration says.
        configured: Strategy,
        /// What the platform says.
        found: Strategy,
    },
    /// The list of content blocks makes no sense.
    Listing {
        /// Why, a fragment.
        what: String,
    },
    /// A content block unpacks to more than is read.
    BlockTooLarge {
        /// The block.
        block: u64,
    },
    /// More content blocks cannot be read than are remembered.
    Unreadable {
        /// How many.
        count: usize,
    },
    /// Content blocks went away while they were read, again and again.
    Restless {
        /// What was missing in the end, or what moved.
        what: String,
    },
    /// The mirror cannot be read or written.
    Mirror(#[from] MirrorError),
}

impl FeedError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Peer(error) => error.fault_with(cure),
            Self::NoFeed { feed, error } => {
                let cause = format!("there is no outgoing feed {feed} that this token may see");
                let cure = "write the number of the feed, as its page on the platform has it, into `feed`; the token's \
                            user must be in a group that may see it; for a feed with the option \"Public\", remove the \
                            token";
                Fault::new(cause, cure).at(&error.url)
            }
            Self::ContentType { found } => Fault::new(
                format!("the content type of the feed is {found:?}, which is not read"),
                "set the feed's content type to EclecticIQ JSON, or to STIX 2.1",
            ),
            Self::Diff => Fault::new(
                "the feed's update strategy is DIFF, and nobody wrote down what removals look like in it",
                "set it to REPLACE, where what is no longer there is removed, or to APPEND",
            ),
            Self::StrategyUnknown { found } => Fault::new(
                format!("the feed's update strategy is {found:?}, which is not known"),
                "set it to REPLACE or APPEND",
            ),
            Self::StrategyDiffers { configured, found } => {
                let (configured, found) = (configured.word(), found.word());
                Fault::new(
                    format!(
                        "the feed's update strategy is {found}, and the configuration says {configured}"
                    ),
                    format!("write update_strategy = \"auto\" or {found:?}, or change the feed"),
                )
            }
            Self::Listing { what } => {
                let cause = format!("the list of content blocks cannot be used: {what}");
                Fault::new(cause, "check `url`; if it is the platform's, please report it")
            }
            Self::BlockTooLarge { block } => Fault::new(
                format!("content block {block} unpacks to more than {SOURCE_BYTES_MAX} bytes"),
                "split the datasets of the feed into several feeds",
            ),
            Self::Unreadable { count } => Fault::new(
                format!("{count} content blocks cannot be read, which is more than are remembered"),
                "find out what answers in the platform's place",
            ),
            Self::Restless { what } => Fault::new(
                format!("the feed changed while it was read, each time that it was: {what}"),
                "it is tried again with the next run; if that does not help, have the feed run less often",
            ),
            Self::Mirror(error) => Fault::of_message(&error.to_string()),
        }
    }
}

/// What to do about a token that a platform does not take.
pub(in crate::source) const NEW_TOKEN: &str =
    "make a new API token on the platform (profile, API Tokens): it is wrong, expired or revoked";

/// What the platform refuses, by the names that it has for it.
const fn cure(wrong: &Wrong) -> Option<&'static str> {
    Some(match wrong {
        Wrong::Token { .. } => NEW_TOKEN,
        Wrong::Right { .. } => {
            "give the token's user the permission `read outgoing-feeds`, and a group that may see the feed"
        }
        Wrong::Missing { .. } => "check `url` and `feed`",
        _ => return None,
    })
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}
