//! Whether a feed of a platform can be pulled: each step with what to do where it fails.

use crate::{
    cli::{CliError, Context, live::Live, source, verbs::doctor::finding::Finding},
    config::EiqFeedSource,
    model::FeedName,
    source::eiq_feed::Look,
};

use super::source::CHECK;

/// Asks for all that a pull needs, and takes nothing.
pub(super) fn examine(
    context: &mut Context,
    live: &Live,
    feed: &FeedName,
    settings: &EiqFeedSource,
) -> Result<Vec<Finding>, CliError> {
    if let Some(warning) = source::token_warning(settings) {
        context.warn(warning);
    }
    let mut platform = match source::eiq_feed(feed, settings) {
        Ok(platform) => platform,
        Err(error) => return Ok(vec![Finding::fault(CHECK, &error.report())]),
    };
    let looks = live.ask(platform.examine()).ok_or(CliError::Interrupted)?;
    let finding = |look| match look {
        Look::Good(what) => Finding::good(CHECK, format!("feed {feed}: {what}")),
        Look::Odd(what, cure) => Finding::odd(CHECK, format!("feed {feed}: {what}"), cure),
        Look::Bad(error) => {
            let error = CliError::Feed { feed: feed.clone(), error };
            Finding::fault(CHECK, &error.report())
        }
    };
    Ok(looks.into_iter().map(finding).collect())
}
