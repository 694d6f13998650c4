//! Feeds that have another name in the configuration than in the store.

use std::path::Path;

use crate::{
    agent::{LedgerHandle, has_former_name, rename_feed},
    config::{Config, ConfigError, Feed},
    history::Ledger,
    model::FeedName,
    store::{MirrorFolder, Store},
};

use super::{CliError, Context};

impl Context {
    /// The store, to deliver to by a configuration; made where there is none. Feeds that have another name there keep
    /// what they delivered, what is kept of their sources, and what was said of their routes.
    ///
    /// # Errors
    /// If it can neither be opened nor made, or a feed cannot have its name.
    pub(super) fn store_for(&mut self, config: &Config) -> Result<Store, CliError> {
        let mut store = self.store(&config.store_path)?;
        rename(&mut store, config)?;
        Ok(store)
    }

    /// The ledger, to write to beside others; made where there is none.
    ///
    /// # Errors
    /// As [`Context::store_for`].
    pub(super) fn shared_store(
        &mut self,
        config: &Config,
    ) -> Result<LedgerHandle<Store>, CliError> {
        match &self.host {
            Some(host) => Ok(host.ledger()),
            None => Ok(LedgerHandle::new(self.store_for(config)?)),
        }
    }
}

/// Gives feeds in a store the names that they have in the configuration.
pub(super) fn rename(store: &mut Store, config: &Config) -> Result<(), CliError> {
    let path = &config.store_path;
    for (feed, old) in renamed(&config.feeds) {
        // Before anything moves: nothing of two feeds is mixed.
        has_former_name(store, old, &feed.name)?;
        let moved = MirrorFolder::of(path, old).rename_to(&MirrorFolder::of(path, &feed.name));
        moved.map_err(|error| CliError::read(path, &error))?;
        #[cfg(unix)]
        super::daemon::Paused::read(path)?.rename(old, &feed.name)?;
        rename_feed(store, old, &feed.name)?;
    }
    Ok(())
}

/// The first of some feeds that a store still has under its former name.
pub(super) fn waiting<'f, L: Ledger>(
    ledger: &L,
    path: &Path,
    feeds: &'f [Feed],
) -> Result<Option<(&'f FeedName, &'f FeedName)>, CliError> {
    for (feed, old) in renamed(feeds) {
        let mirror = MirrorFolder::of(path, old);
        if has_former_name(ledger, old, &feed.name)?
            || mirror.takes_name_of(&MirrorFolder::of(path, &feed.name))
        {
            return Ok(Some((old, &feed.name)));
        }
    }
    Ok(None)
}

/// Refuses what would take a feed for a new one.
pub(super) fn none_waits(store: &Store, path: &Path, feeds: &[Feed]) -> Result<(), CliError> {
    let Some((old, new)) = waiting(store, path, feeds)? else { return Ok(()) };
    let what = format!("feed {new} is still {old} in the store, and would be taken for a new one");
    let cure = "`misp-trickle doctor` gives it its name and sends nothing; so do `sync` and `run` when they begin";
    Err(ConfigError::Choice { what, cure: cure.to_owned() }.into())
}

fn renamed(feeds: &[Feed]) -> impl Iterator<Item = (&Feed, &FeedName)> {
    feeds.iter().filter_map(|feed| Some((feed, feed.was.as_ref()?)))
}
