//! Which routes somebody paused: a file in the store's folder, so that a restart forgets none.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::{
    cli::CliError,
    model::{DestinationName, FeedName, RouteName},
    store::{PAUSED_FILE, replace_file},
};

/// The paused routes of a store.
pub(crate) struct Paused {
    folder: PathBuf,
    routes: Mutex<BTreeSet<RouteName>>,
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
        let routes: Vec<(FeedName, DestinationName)> =
            serde_json::from_slice(&text).map_err(|cause| CliError::read(&path, &cause))?;
        let routes = routes.into_iter();
        let routes = routes.map(|(feed, destination)| RouteName { feed, destination }).collect();
        Ok(Self { folder: store.to_owned(), routes: Mutex::new(routes) })
    }

    /// Whether somebody paused a route.
    pub(crate) fn has(&self, route: &RouteName) -> bool {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).contains(route)
    }

    /// Pauses routes, or resumes them, for good.
    ///
    /// # Errors
    /// If that cannot be written; then nothing changed.
    pub(crate) fn set(&self, routes: &[RouteName], is_paused: bool) -> Result<(), CliError> {
        let mut paused = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = paused.clone();
        for route in routes {
            if is_paused {
                next.insert(route.clone());
            } else {
                next.remove(route);
            }
        }
        self.write(&next)?;
        *paused = next;
        Ok(())
    }

    fn write(&self, routes: &BTreeSet<RouteName>) -> Result<(), CliError> {
        let pairs: Vec<_> = routes.iter().map(|route| (&route.feed, &route.destination)).collect();
        let text = serde_json::to_vec(&pairs).expect("names always serialise");
        let written = replace_file(&self.folder, PAUSED_FILE, &text);
        let cure = "make room and see that the folder of the store can be written";
        written.map_err(|cause| CliError::Write {
            path: self.folder.join(PAUSED_FILE),
            cause,
            cure,
        })
    }
}
