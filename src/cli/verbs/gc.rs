//! `gc`: makes the store's files smaller.

use serde_json::json;

use crate::{
    cli::{CliError, Context, Exit, render::Bytes},
    store::{GcReport, OpenMode},
};

/// Removes what nothing refers to and compacts what is left.
pub(crate) fn run(context: &mut Context) -> Result<Exit, CliError> {
    let path = context.store_path()?;
    let GcReport { store, objects_removed, bytes_before, bytes_after, compacted } =
        context.open(&path, OpenMode::ReadWrite)?.gc()?;
    let json = || {
        json!({
            "schema": "misp-trickle/gc/2",
            "store": store.to_string(),
            "objects_removed": objects_removed,
            "bytes_before": bytes_before,
            "bytes_after": bytes_after,
            "compacted": compacted,
        })
    };
    let text = || {
        let (before, after) = (Bytes(bytes_before), Bytes(bytes_after));
        format!("{objects_removed} objects removed; {before} before, {after} after\n")
    };
    context.answer(json, text)?;
    Ok(Exit::Done)
}
