//! Feeds and destinations that have another name in the configuration than in the store.

use std::path::Path;

use crate::{
    agent::{LedgerHandle, has_former_name, holds_anything, rename_feed},
    config::{Config, ConfigError, Destination, Feed},
    history::Ledger,
    model::{DestinationName, FeedName},
    store::{MirrorFolder, Store},
};

use super::{CliError, Context};

impl Context {
    /// The store, to deliver to by a configuration; made where there is none. Feeds and destinations that have another name
    /// there keep what was delivered, what is kept of their sources, and what was said of their routes.
    ///
    /// # Errors
    /// If it can neither be opened nor made, or a feed cannot have its name.
    pub(super) fn store_for(&mut self, config: &Config) -> Result<Store, CliError> {
        let store = self.store_to_adopt(config)?;
        none_lost_its_name(&store, config)?;
        Ok(store)
    }

    /// The same, to learn what MISP holds: that says with it which MISP each destination is.
    ///
    /// # Errors
    /// As [`Context::store_for`].
    pub(super) fn store_to_adopt(&mut self, config: &Config) -> Result<Store, CliError> {
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

/// Gives feeds and destinations in a store the names that they have in the configuration.
pub(super) fn rename(store: &mut Store, config: &Config) -> Result<(), CliError> {
    let path = &config.store_path;
    for (destination, old) in renamed_destinations(&config.destinations) {
        let new = &destination.name;
        if has_former_destination(store, old, new)? {
            #[cfg(unix)]
            super::daemon::Paused::read(path)?.rename_destination(old, new)?;
            store.rename_destination(old, new)?;
        }
    }
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

/// The first destination that a store still has under its former name.
pub(super) fn waiting_destination<'c, L: Ledger>(
    ledger: &L,
    config: &'c Config,
) -> Result<Option<(&'c DestinationName, &'c DestinationName)>, CliError> {
    for (destination, old) in renamed_destinations(&config.destinations) {
        if has_former_destination(ledger, old, &destination.name)? {
            return Ok(Some((old, &destination.name)));
        }
    }
    Ok(None)
}

/// Whether a destination still has its former name.
///
/// # Errors
/// If something was delivered under both names.
fn has_former_destination<L: Ledger>(
    ledger: &L,
    old: &DestinationName,
    new: &DestinationName,
) -> Result<bool, CliError> {
    if ledger.destination(old)?.is_none() {
        return Ok(false);
    }
    if is_new(ledger, new)? {
        return Ok(true);
    }
    let what = format!(
        "both destination {old} and destination {new} were delivered to, and the configuration takes them for one"
    );
    let cure = format!("take `was` out of [destinations.{new}]");
    Err(ConfigError::Choice { what, cure }.into())
}

/// Whether nothing was ever delivered to a destination, perhaps as it has another name now.
fn is_new<L: Ledger>(ledger: &L, name: &DestinationName) -> Result<bool, CliError> {
    let known = ledger.destination(name)?;
    let has_feeds = known.is_some_and(|known| known.named_feeds().next().is_some());
    Ok(!has_feeds && ledger.heads(name)?.is_empty())
}

/// Refuses to take a destination for a new one whose MISP the store knows by a name that the configuration does not have any
/// more: what analysts deleted there is known under that name alone.
pub(super) fn none_lost_its_name<L: Ledger>(ledger: &L, config: &Config) -> Result<(), CliError> {
    let of_config = |name: &DestinationName| {
        config.destinations.iter().any(|it| it.name == *name || it.was.as_ref() == Some(name))
    };
    for old in ledger.destinations()?.iter().filter(|name| !of_config(name)) {
        let Some(known) = ledger.destination(old)? else { continue };
        for Destination { name, url, .. } in &config.destinations {
            if known.url != url.as_str() || !is_new(ledger, name)? || !holds_anything(ledger, old)?
            {
                continue;
            }
            let what = format!(
                "destination {name} would be taken for a new one: the store knows the MISP at {url} as destination {old}, \
                 which the configuration does not have any more"
            );
            let cure = format!(
                "write was = \"{old}\" under [destinations.{name}]; or, to begin anew, \
                 `misp-trickle repair --adopt --destination {name}` learns what this MISP holds"
            );
            return Err(ConfigError::Choice { what, cure }.into());
        }
    }
    Ok(())
}

/// Refuses what would take a feed or a destination for a new one.
pub(super) fn none_waits(store: &Store, config: &Config, feeds: &[Feed]) -> Result<(), CliError> {
    const CURE: &str = "`misp-trickle doctor` gives it its name and sends nothing; so do `sync` and `run` when they begin";
    if let Some((old, new)) = waiting_destination(store, config)? {
        let what = format!(
            "destination {new} is still {old} in the store, and would be taken for a new one"
        );
        return Err(ConfigError::Choice { what, cure: CURE.to_owned() }.into());
    }
    none_lost_its_name(store, config)?;
    let path = &config.store_path;
    let Some((old, new)) = waiting(store, path, feeds)? else { return Ok(()) };
    let what = format!("feed {new} is still {old} in the store, and would be taken for a new one");
    Err(ConfigError::Choice { what, cure: CURE.to_owned() }.into())
}

fn renamed_destinations(
    all: &[Destination],
) -> impl Iterator<Item = (&Destination, &DestinationName)> {
    all.iter().filter_map(|destination| Some((destination, destination.was.as_ref()?)))
}

fn renamed(feeds: &[Feed]) -> impl Iterator<Item = (&Feed, &FeedName)> {
    feeds.iter().filter_map(|feed| Some((feed, feed.was.as_ref()?)))
}
