//! Sources that are asked over HTTP: from the configuration to what can be pulled into a mirror.

use crate::{
    agent::{Clock, SystemClock},
    config::{EiqFeedSource, FeedAccess},
    model::{Backoff, FeedName},
    source::{eiq_feed::EiqFeed, peer::Access},
};

use super::{CliError, job};

/// What opens a platform, as people call it.
const NOUN: &str = "token";

/// The source of a feed; nothing is sent yet. The token and the certificates are read here. What it is for its mirror
/// is [`EiqFeed::identity`]; an error of a pull is a [`CliError::Feed`].
pub(super) fn eiq_feed(feed: &FeedName, source: &EiqFeedSource) -> Result<EiqFeed, CliError> {
    let place = format!("feeds.{feed}");
    let token = match &source.access {
        FeedAccess::Public { .. } => None,
        FeedAccess::Token { from, .. } => Some(from.read(NOUN, NOUN, &place)?),
    };
    let access = Access {
        connection: job::connection(&source.connection, &source.url, &place)?,
        token,
        backoff: Backoff { seed: SystemClock.now().micros().unsigned_abs(), ..job::BACKOFF },
        name: "the platform",
    };
    EiqFeed::new(&access, source.feed, source.access.reach())
        .map_err(|cause| CliError::Access { of: format!("feed {feed}"), cause })
}

/// What a person should know of the token's file, a lower-case fragment.
pub(super) fn token_warning(source: &EiqFeedSource) -> Option<String> {
    match &source.access {
        FeedAccess::Public { .. } => None,
        FeedAccess::Token { from, .. } => from.warning(NOUN),
    }
}
