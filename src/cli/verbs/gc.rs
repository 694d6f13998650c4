//! `gc`: makes the store's files smaller.

use serde::Serialize;

use crate::{
    cli::{CliError, Context, Exit, mirrors, render::Bytes},
    store::{GcReport, OpenMode},
};

/// `gc`: what was removed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/gc/2")]
pub(crate) struct GcAnswer {
    /// The store's id.
    store: String,
    /// Objects that nothing refers to any more.
    objects_removed: u64,
    /// Bytes of the store's files before.
    bytes_before: u64,
    /// Bytes of the store's files now.
    bytes_after: u64,
    /// Whether the files were written anew.
    compacted: bool,
    /// Files of what was kept of sources whose place another took.
    mirror_packs_removed: usize,
}

/// Removes what nothing refers to and compacts what is left.
pub(crate) fn run(context: &mut Context) -> Result<Exit, CliError> {
    let path = context.store_path()?;
    let opened = context.open(&path, OpenMode::ReadWrite)?;
    let mirror_packs_removed = mirrors::forget_others(&opened, &path)?;
    let GcReport { store, objects_removed, bytes_before, bytes_after, compacted } = opened.gc()?;
    let json = || GcAnswer {
        store: store.to_string(),
        objects_removed,
        bytes_before,
        bytes_after,
        compacted,
        mirror_packs_removed,
    };
    let text = || {
        let (before, after) = (Bytes(bytes_before), Bytes(bytes_after));
        format!("{objects_removed} objects removed; {before} before, {after} after\n")
    };
    context.answer(json, text)?;
    Ok(Exit::Done)
}
