//! `feed`: what the store keeps of a feed that left the configuration.

use serde::Serialize;

#[cfg(unix)]
use crate::cli::daemon;
use crate::{
    agent::{ForgottenFeed, SystemClock, forget_feed},
    cli::{CliError, Context, Exit, mirrors},
    config::ConfigError,
    history::Ledger,
    model::{DestinationName, FeedName},
    plan::DestinationRecord,
};

/// Arguments of `feed`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: FeedVerb,
}

/// What can be done to a feed.
#[derive(Debug, Clone, clap::Subcommand)]
enum FeedVerb {
    /// Retire what only this feed wanted, and free its place; nothing is sent, and nothing leaves MISP
    Forget {
        /// A feed that is not in the configuration any more
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// `feed forget`: what was forgotten.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/feed/1")]
pub(crate) struct FeedAnswer {
    /// The feed.
    feed: FeedName,
    /// By destination, of those where it delivered.
    destinations: Vec<ForgottenAt>,
    /// Whether something was kept of its source, which is removed.
    mirror_removed: bool,
}

/// What was forgotten at one destination.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ForgottenAt {
    /// The destination.
    destination: DestinationName,
    /// Events that the feed wanted, or had wanted.
    events: u64,
    /// Attributes in MISP that only it wanted: they stay there.
    attributes_retired: u64,
}

/// Forgets a feed at every destination.
///
/// # Errors
/// If configuration or store cannot be used, or the feed is still configured, or the store does not know it.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    let FeedVerb::Forget { name } = &args.verb;
    let (config, feed) = (context.config()?, FeedName::new(name));
    if config.feeds.iter().any(|it| it.name == feed) {
        let what = format!("feed {feed} is in the configuration, and would come back");
        let cure =
            format!("remove [feeds.{feed}] first, or say `was = {name:?}` under its new name");
        return Err(ConfigError::Choice { what, cure }.into());
    }
    let mut store = context.store_that_is(&config.store_path)?;
    #[cfg(unix)]
    daemon::Paused::read(&config.store_path)?.forget(&feed)?;
    let mut destinations = Vec::new();
    for destination in store.destinations()? {
        let forgotten = forget_feed(&mut store, &destination, &feed, &SystemClock)?;
        destinations.extend(forgotten.map(|it| (destination, it)));
    }
    let mirror_removed = mirrors::remove(&config.store_path, &feed)?;
    if destinations.is_empty() && !mirror_removed {
        return Err(unknown(&store, &feed)?);
    }
    answer(context, feed, destinations, mirror_removed)?;
    Ok(Exit::Done)
}

fn unknown(ledger: &dyn Ledger, feed: &FeedName) -> Result<CliError, CliError> {
    let mut known = Vec::new();
    for destination in ledger.destinations()? {
        let record = ledger.destination(&destination)?;
        known.extend(
            record.iter().flat_map(DestinationRecord::named_feeds).map(ToString::to_string),
        );
    }
    known.sort_unstable();
    known.dedup();
    let what = format!("the store does not know a feed {feed}");
    let cure = format!("name one that it knows: {}", known.join(", "));
    Ok(ConfigError::Choice { what, cure }.into())
}

fn answer(
    context: &mut Context,
    feed: FeedName,
    destinations: Vec<(DestinationName, ForgottenFeed)>,
    mirror_removed: bool,
) -> Result<(), CliError> {
    let of = |(destination, it): (DestinationName, ForgottenFeed)| {
        let ForgottenFeed { events, attributes_retired } = it;
        ForgottenAt { destination, events, attributes_retired }
    };
    let destinations: Vec<ForgottenAt> = destinations.into_iter().map(of).collect();
    let each = destinations.iter().map(|it| {
        let ForgottenAt { destination, events, attributes_retired } = it;
        format!(
            "{destination}: {events} events forgotten, {attributes_retired} attributes retired\n"
        )
    });
    let text: String = each.collect();
    context.answer(|| FeedAnswer { feed, destinations, mirror_removed }, || text)
}
