//! `import`: makes a store of an export.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{
    cli::{
        CliError, Context, Exit,
        verbs::export::{STREAM, is_compressed, told},
    },
    store::{ImportReport, Store},
};

/// Arguments of `import`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// What `export` wrote; `-` is standard input, a name that ends with `.zst` is compressed
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Imports all of it, or nothing.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    let path = context.store_path()?;
    let mut from = open(&args.file).map_err(|cause| CliError::read(&args.file, &cause))?;
    let (owner, wait) = (context.owner(), context.global.wait);
    let ImportReport { store, from, exported, counts } =
        Store::import(&path, owner, wait, &mut *from)?;
    let json = || {
        json!({
            "schema": "misp-trickle/import/2",
            "store": store.to_string(),
            "from_store": from,
            "exported": exported,
            "counts": counts,
        })
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
