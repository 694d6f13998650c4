//! What a store keeps of sources: what is there, what cannot count, what nobody needs any more.

use std::{collections::BTreeSet, fmt::Write as _, path::Path, sync::Arc};

use serde::Serialize;

use crate::{
    agent::AgentError,
    history::{Cursor, Ledger},
    mirror::{Basis, Fold, Mirror, MirrorError},
    model::FeedName,
    plan::DestinationRecord,
    store::{MirrorFolder, Store},
};

use super::{
    CliError,
    render::{Bytes, Clean, line},
};

/// What is kept of one source.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct MirrorView {
    /// The folder's name, which is that of the feed.
    name: String,
    /// What the source is; none where nothing that counts is there.
    source: Option<String>,
    /// Files that count.
    packs: usize,
    /// Objects that stand.
    objects: usize,
    /// Whether what is not here has left the source.
    whole: bool,
    /// Objects that could not be read, and are asked for again.
    objects_damaged: usize,
    /// Files that cannot count, and why.
    packs_damaged: Vec<String>,
    /// The next pull reads the source from the beginning, as files are damaged or missing.
    behind: bool,
    /// Files of other sources.
    packs_of_others: usize,
    /// Bytes of all files.
    bytes_on_disk: u64,
}

/// Reads and checks all that a store keeps of sources.
pub(crate) fn look(store: &Path) -> Result<Vec<MirrorView>, CliError> {
    let folders = MirrorFolder::all(store).map_err(|error| CliError::read(store, &error))?;
    let views = folders.into_iter().map(|(name, folder)| {
        let bytes = folder.bytes_on_disk().map_err(|error| CliError::read(store, &error))?;
        let fold = Mirror::newest(Arc::new(folder)).fold().map_err(of_mirror)?;
        Ok(view(name, &fold, bytes))
    });
    views.collect()
}

fn view(name: String, fold: &Fold, bytes_on_disk: u64) -> MirrorView {
    let damaged = fold.strays().iter().map(|stray| format!("{}: {}", stray.name(), stray.what));
    MirrorView {
        name,
        source: fold.source().map(ToString::to_string),
        packs: fold.packs(),
        objects: fold.objects(),
        whole: fold.basis() == Basis::Whole,
        objects_damaged: fold.objects_damaged(),
        packs_damaged: damaged.collect(),
        behind: fold.is_behind(),
        packs_of_others: fold.others(),
        bytes_on_disk,
    }
}

/// The same for people. Nothing of it is lost for good: what is damaged is read again.
pub(crate) fn text(views: &[MirrorView]) -> String {
    let mut out = String::new();
    for view in views {
        let MirrorView { name, packs, objects, .. } = view;
        let (name, bytes) = (Clean(name), Bytes(view.bytes_on_disk));
        let source = view.source.as_deref().unwrap_or("nothing that counts");
        line!(out, "mirror {name}: {}, {packs} packs, {objects} objects, {bytes}", Clean(source));
        for damaged in &view.packs_damaged {
            line!(out, "  ? {}", Clean(damaged));
        }
        if view.behind {
            line!(out, "  ? the next pull reads the source from the beginning");
        }
        if view.objects_damaged > 0 {
            line!(
                out,
                "  ? {} objects could not be read; the next pull asks again",
                view.objects_damaged
            );
        }
    }
    out
}

/// Removes files that cannot count; their names, behind that of the folder.
pub(crate) fn repair(store: &Path) -> Result<Vec<String>, CliError> {
    let mut removed = Vec::new();
    for (name, folder) in MirrorFolder::all(store).map_err(|error| CliError::read(store, &error))? {
        let files = Mirror::newest(Arc::new(folder)).repair().map_err(of_mirror)?;
        removed.extend(files.into_iter().map(|file| format!("{name}/{file}")));
    }
    Ok(removed)
}

/// Removes what is kept of sources whose place another took, once all of that one was delivered everywhere; how many
/// files.
pub(crate) fn forget_others(store: &Store, path: &Path) -> Result<usize, CliError> {
    let destinations = store.destinations()?;
    let mut feeds = BTreeSet::new();
    for destination in &destinations {
        let record = store.destination(destination)?;
        feeds.extend(record.iter().flat_map(DestinationRecord::named_feeds).cloned());
    }
    let mut removed = 0;
    for feed in feeds {
        let mut mirror = Mirror::newest(Arc::new(MirrorFolder::of(path, &feed)));
        let fold = mirror.fold().map_err(of_mirror)?;
        let mut cursors = Vec::new();
        for destination in &destinations {
            cursors.extend(store.cursor(&feed, destination)?);
        }
        let is_delivered = |cursor: &Cursor| cursor.settled && cursor.source == Some(fold.digest());
        if fold.others() > 0 && !cursors.is_empty() && cursors.iter().all(is_delivered) {
            mirror.forget_others(&fold).map_err(of_mirror)?;
            removed += fold.others();
        }
    }
    Ok(removed)
}

/// Removes all that is kept of a feed's source; whether there was anything.
pub(crate) fn remove(store: &Path, feed: &FeedName) -> Result<bool, CliError> {
    let removed = MirrorFolder::of(store, feed).remove_all();
    removed.map_err(|error| CliError::read(store, &error))
}

fn of_mirror(error: MirrorError) -> CliError {
    CliError::Agent(AgentError::Mirror(error))
}
