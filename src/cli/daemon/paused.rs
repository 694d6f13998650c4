//! What people said of routes: which are paused, and which may have their first run. A file in the store's folder keeps
//! it, so that a restart forgets nothing.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::{
    cli::CliError,
    config::FirstRun,
    daemon::Hold,
    model::{DestinationName, FeedName, RouteName},
    store::{PAUSED_FILE, replace_file},
};

/// The paused routes of a store.
pub(crate) struct Paused {
    folder: PathBuf,
    said: Mutex<Said>,
}

/// What was said of routes.
#[derive(Debug, Clone, Default)]
struct Said {
    paused: BTreeSet<RouteName>,
    /// May run, although they never did.
    let_go: BTreeSet<RouteName>,
}

type Pair = (FeedName, DestinationName);

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    /// As it was before first runs could be held.
    Paused(Vec<Pair>),
    Both {
        paused: Vec<Pair>,
        let_go: Vec<Pair>,
    },
}

impl From<Stored> for Said {
    fn from(stored: Stored) -> Self {
        let routes = |pairs: Vec<Pair>| {
            let routes = pairs.into_iter();
            routes.map(|(feed, destination)| RouteName { feed, destination }).collect()
        };
        match stored {
            Stored::Paused(paused) => Self { paused: routes(paused), let_go: BTreeSet::new() },
            Stored::Both { paused, let_go } => {
                Self { paused: routes(paused), let_go: routes(let_go) }
            }
        }
    }
}

impl From<&Said> for Stored {
    fn from(said: &Said) -> Self {
        let pairs = |routes: &BTreeSet<RouteName>| {
            let pairs = routes.iter().map(|it| (it.feed.clone(), it.destination.clone()));
            pairs.collect()
        };
        Self::Both { paused: pairs(&said.paused), let_go: pairs(&said.let_go) }
    }
}

impl Paused {
    /// Reads them.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub(crate) fn read(store: &Path) -> Result<Self, CliError> {
        let path = store.join(PAUSED_FILE);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => b"[]".to_vec(),
            read => read.map_err(|cause| CliError::read(&path, &cause))?,
        };
        let stored: Stored =
            serde_json::from_slice(&text).map_err(|cause| CliError::read(&path, &cause))?;
        Ok(Self { folder: store.to_owned(), said: Mutex::new(stored.into()) })
    }

    /// Why a route does not run by itself, if it does not.
    pub(crate) fn hold(&self, route: &RouteName, first: FirstRun, ever_ran: bool) -> Option<Hold> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = first == FirstRun::Hold && !ever_ran && !said.let_go.contains(route);
        match said.paused.contains(route) {
            true => Some(Hold::Paused),
            false => waits.then_some(Hold::FirstRun),
        }
    }

    /// Pauses routes, or resumes them, for good. One that is resumed may have its first run.
    ///
    /// # Errors
    /// If that cannot be written; then nothing changed.
    pub(crate) fn set(&self, routes: &[RouteName], is_paused: bool) -> Result<(), CliError> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = said.clone();
        for route in routes {
            let (into, from) = match is_paused {
                true => (&mut next.paused, &mut next.let_go),
                false => (&mut next.let_go, &mut next.paused),
            };
            into.insert(route.clone());
            from.remove(route);
        }
        self.write(&next)?;
        *said = next;
        Ok(())
    }

    /// Whether anything was said of a feed.
    pub(crate) fn knows(&self, feed: &FeedName) -> bool {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.paused.iter().chain(&said.let_go).any(|route| route.feed == *feed)
    }

    /// What was said of a feed is said of it under another name.
    ///
    /// # Errors
    /// If that cannot be written; then nothing changed.
    pub(crate) fn rename(&self, old: &FeedName, new: &FeedName) -> Result<(), CliError> {
        self.each(
            |route| route.feed == *old,
            |route| Some(RouteName { feed: new.clone(), ..route }),
        )
    }

    /// What was said of the routes to a destination is said of them under another name of it.
    ///
    /// # Errors
    /// If that cannot be written; then nothing changed.
    pub(crate) fn rename_destination(
        &self,
        old: &DestinationName,
        new: &DestinationName,
    ) -> Result<(), CliError> {
        let is_of_it = |route: &RouteName| route.destination == *old;
        self.each(is_of_it, |route| Some(RouteName { destination: new.clone(), ..route }))
    }

    /// Nothing was ever said of a feed.
    ///
    /// # Errors
    /// If that cannot be written; then nothing changed.
    pub(crate) fn forget(&self, feed: &FeedName) -> Result<(), CliError> {
        self.each(|route| route.feed == *feed, |_| None)
    }

    /// Makes of each of some routes another, or none.
    fn each(
        &self,
        is_meant: impl Fn(&RouteName) -> bool,
        becomes: impl Fn(RouteName) -> Option<RouteName>,
    ) -> Result<(), CliError> {
        let one = |route: RouteName| match is_meant(&route) {
            true => becomes(route),
            false => Some(route),
        };
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if !said.paused.iter().chain(&said.let_go).any(&is_meant) {
            return Ok(());
        }
        let Said { paused, let_go } = said.clone();
        let all = |routes: BTreeSet<RouteName>| routes.into_iter().filter_map(one).collect();
        let next = Said { paused: all(paused), let_go: all(let_go) };
        self.write(&next)?;
        *said = next;
        Ok(())
    }

    fn write(&self, said: &Said) -> Result<(), CliError> {
        let text = serde_json::to_vec(&Stored::from(said)).expect("names always serialise");
        let written = replace_file(&self.folder, PAUSED_FILE, &text);
        let cure = "make room and see that the folder of the store can be written";
        written.map_err(|cause| CliError::Write {
            path: self.folder.join(PAUSED_FILE),
            cause,
            cure,
        })
    }
}
