//! Sources that are asked over HTTP: from the configuration to a dataset.

use std::sync::Arc;

use crate::{
    agent::{AgentError, Clock, Dataset, LedgerHandle, SystemClock},
    config::{EiqFeedSource, Feed, FeedAccess, FeedSource},
    mirror::Mirror,
    model::{Backoff, FeedName},
    source::{eiq_feed::EiqFeed, peer::Access},
    store::Store,
};

use super::{CliError, job, live::Waiter};

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

/// What a feed's dataset is made of now. A source that is asked over HTTP is pulled into its mirror first; what goes
/// wrong with it is told by who delivers the dataset.
///
/// # Errors
/// If its token, certificates or mirror cannot be used, or somebody wants the program to stop.
pub(super) fn dataset(
    feed: &Feed,
    ledger: &LedgerHandle<Store>,
    waiter: &Waiter,
) -> Result<Dataset, CliError> {
    let FeedSource::EiqFeed(source) = &feed.source else { return Ok(Dataset::default()) };
    let mut platform = eiq_feed(&feed.name, source)?;
    let files = ledger.lock().mirror_files(&feed.name);
    let mut mirror = Mirror::new(files, platform.identity());
    let pulled = waiter.ask(mirror.pull(&mut platform)).ok_or(CliError::Interrupted)?;
    let (pulled, fold) = pulled.map_err(AgentError::from)?;
    let dataset = Dataset::mirrored(mirror, fold);
    Ok(match pulled {
        Ok(_) => dataset,
        Err(error) => dataset.with_failed_pull(Arc::new(error)),
    })
}

/// What was kept of a feed when it was last pulled; for files, that they are read when they are needed.
///
/// # Errors
/// If the mirror cannot be read.
pub(super) fn last_pulled(feed: &Feed, store: Option<&Store>) -> Result<Dataset, CliError> {
    let (FeedSource::EiqFeed(source), Some(store)) = (&feed.source, store) else {
        return Ok(Dataset::default());
    };
    let of = eiq_feed(&feed.name, source)?.identity();
    let mirror = Mirror::new(store.mirror_files(&feed.name), of);
    let fold = mirror.fold().map_err(AgentError::from)?;
    Ok(match fold.packs() {
        0 => Dataset::default(),
        _ => Dataset::mirrored(mirror, fold),
    })
}
