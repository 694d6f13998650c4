//! A new configuration while the daemon runs.

use std::{
    path::PathBuf,
    sync::{Arc, mpsc::Sender},
};

use tracing::warn;

use crate::{
    cli::{
        CliError, Context, job,
        job::{CliOverrides, access},
        renames,
    },
    config::{Config, Feed, FeedSource, LocalPlace},
    daemon::Message,
    history::query,
    model::{Fault, FeedName},
};

use super::Shared;

/// Where the configuration comes from, by the command line.
pub(super) struct ConfigArgs {
    /// The file.
    pub(super) config: PathBuf,
    /// `--store`.
    store: Option<PathBuf>,
}

impl ConfigArgs {
    pub(super) fn of(context: &Context) -> Self {
        Self { config: context.global.config.clone(), store: context.global.store.clone() }
    }
}

/// Reads a configuration and proves all of it that can be proven without asking anybody: feeds, rules, keys,
/// certificates.
pub(super) fn proven(given: &ConfigArgs) -> Result<Config, CliError> {
    let mut config = Config::load(&given.config)?;
    if let Some(store) = &given.store {
        config.store_path.clone_from(store);
    }
    job::jobs(&config, &CliOverrides::default())?;
    for destination in &config.destinations {
        drop(access(destination, None)?);
    }
    if let Some(feed) = config.feeds.iter().find(|feed| reads_standard_input(feed)) {
        let cause = format!("feed {} reads standard input, which a daemon has none of", feed.name);
        return Err(CliError::NothingToRun(Fault::new(cause, "use kind = \"file\" or \"folder\"")));
    }
    Ok(config)
}

fn reads_standard_input(feed: &Feed) -> bool {
    matches!(&feed.source, FeedSource::Local(local) if local.place == LocalPlace::Stdin)
}

impl Shared {
    /// Takes over what stands in the configuration file now; on an error all stays as it is.
    pub(super) fn reload(
        &self,
        given: &ConfigArgs,
        sender: &Sender<Message<Self>>,
    ) -> Result<(), CliError> {
        let (now, next) = (self.config(), proven(given)?);
        let fixed = [
            ("the store", now.store_path == next.store_path),
            ("the socket", now.serve.socket == next.serve.socket),
            ("the group of the socket", now.serve.group == next.serve.group),
            ("the port of the metrics", now.serve.metrics == next.serve.metrics),
            ("the port of the pages", now.serve.web == next.serve.web),
        ];
        let has =
            |config: &Config, name: &FeedName| config.feeds.iter().any(|feed| feed.name == *name);
        let renamed = next.feeds.iter().filter(|feed| !has(&now, &feed.name));
        let renames = renamed.filter_map(|feed| feed.was.as_ref()).any(|was| has(&now, was));
        let waits = renames::waiting(&self.ledger, &now.store_path, &next.feeds)?.is_some();
        let renames =
            renames || waits || next.former_names().keys().any(|was| self.paused.knows(was));
        let is_renamed = renames::waiting_destination(&self.ledger, &next)?.is_some();
        let names = [("the name of a feed", !renames), ("the name of a destination", !is_renamed)];
        let fixed = fixed.into_iter().chain(names);
        let changed: Vec<&str> = fixed.filter(|(_, same)| !same).map(|(what, _)| what).collect();
        if !changed.is_empty() {
            let cause = format!("{} cannot change while the daemon runs", changed.join(" and "));
            let cure = "restart it, or put the old setting back";
            return Err(CliError::NothingToRun(Fault::new(cause, cure)));
        }
        renames::none_lost_its_name(&self.ledger, &next)?;
        next.serve.secret_warnings().iter().for_each(|warning| warn!("{warning}"));
        let plans = self.plans(&next, &query::routes(&self.ledger, &next.former_names())?);
        self.take_config(Arc::new(next));
        // While the daemon ends nobody listens any more.
        drop(sender.send(Message::Configured(plans)));
        Ok(())
    }
}
