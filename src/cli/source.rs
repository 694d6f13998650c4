//! Sources that are asked over HTTP: from the configuration to what can be pulled into a mirror.

use crate::{
    agent::{Clock, SystemClock},
    config::{EiqFeedSource, FeedAccess},
    model::{Backoff, FeedName},
    source::{eiq_feed::EiqFeed, peer::Access},
};

use super::{CliError, Context, job};

/// The source of a feed; nothing is sent yet. The token and the certificates are read here. What a person should know
/// of the token's file is said.
pub(super) fn eiq_feed(
    context: &mut Context,
    feed: &FeedName,
    source: &EiqFeedSource,
) -> Result<EiqFeed, CliError> {
    const NOUN: &str = "token";
    let place = format!("feeds.{feed}");
    let token = match &source.access {
        FeedAccess::Public { .. } => None,
        FeedAccess::Token { from, .. } => {
            if let Some(warning) = from.warning(NOUN) {
                context.warn(warning);
            }
            Some(from.read(NOUN, NOUN, &place)?)
        }
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
