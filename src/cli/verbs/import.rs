//! `import`: makes a store of an export.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    cli::{
        CliError, Context, Exit,
        live::leave_no_copy,
        verbs::export::{STREAM, is_compressed, told},
    },
    store::{ExportCounts, ImportReport, Store},
};

/// Arguments of `import`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// What `export` wrote; `-` is standard input, a name that ends with `.zst` is compressed
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// `import`: the store that was made.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/import/2")]
pub(crate) struct ImportAnswer<'a> {
    /// The store's id: a new one.
    store: String,
    /// The id of the store that was exported.
    from_store: &'a str,
    /// When it was exported.
    exported: &'a str,
    /// How much it holds.
    counts: ExportCounts,
}

/// Imports all of it, or nothing.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    let path = context.store_path()?;
    let mut input = open(&args.file).map_err(|cause| CliError::read(&args.file, &cause))?;
    leave_no_copy(context.global.json);
    let (owner, wait) = (context.owner(), context.global.wait);
    let ImportReport { store, from, exported, counts } =
        Store::import(&path, owner, wait, &mut *input)?;
    let json = || ImportAnswer {
        store: store.to_string(),
        from_store: &from,
        exported: &exported,
        counts,
    };
    context.answer(json, || format!("{}: {}\n", path.display(), told(&counts)))?;
    context.say("do not let the store that was exported run beside this one");
    Ok(Exit::Done)
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if path.as_os_str() == STREAM {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path)?;
    if is_compressed(path) {
        return Ok(Box::new(BufReader::new(zstd::Decoder::new(file)?)));
    }
    Ok(Box::new(BufReader::new(file)))
}
