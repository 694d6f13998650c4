//! `export`: all that the store knows, as JSON lines.

use std::{
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    agent::{Clock, SystemClock},
    cli::{CliError, Context, Exit, host::Target, output::Rights},
    store::{ExportCounts, ExportError, Store},
};

/// The file name that stands for standard input or output.
pub(crate) const STREAM: &str = "-";
const ZSTD_LEVEL: i32 = 9;
const CURE: &str = "make room or the folder, or name another file";

/// Arguments of `export`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Where to write; `-` is standard output, a name that ends with `.zst` is compressed
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Args {
    /// The file, if it is not standard output.
    pub(crate) fn file(&self) -> Option<&Path> {
        Some(&*self.file).filter(|file| file.as_os_str() != STREAM)
    }
}

/// `export`: what was written to a file.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/export/2")]
pub(crate) struct ExportAnswer<'a> {
    /// The file.
    file: &'a str,
    /// The store's id.
    store: String,
    /// How much it holds.
    counts: ExportCounts,
}

/// Writes the file whole, or not at all.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    let store = context.ledger()?;
    let now = SystemClock.now();
    if args.file().is_none() {
        let mut out = BufWriter::new(context.ui.stream());
        store.export(&mut out, now).map_err(|error| match error {
            ExportError::Ledger(error) => error.into(),
            ExportError::Write(cause) => half(cause),
        })?;
        return Ok(Exit::Done);
    }
    let counts = write(&store, &args.file, context)?;
    let path = args.file.display().to_string();
    let json = || ExportAnswer { file: &path, store: store.id().to_string(), counts };
    context.answer(json, || format!("{path}: {}\n", told(&counts)))?;
    Ok(Exit::Done)
}

/// Standard output took not all of it.
pub(crate) fn half(cause: io::Error) -> CliError {
    let cure = "half an export is none: keep its reader alive";
    CliError::Write { path: PathBuf::from("standard output"), cause, cure }
}

/// How much an export holds, in words.
pub(crate) fn told(counts: &ExportCounts) -> String {
    let ExportCounts { events, attributes, runs, destinations, .. } = counts;
    format!("{events} events, {attributes} attributes, {runs} runs, {destinations} destinations")
}

/// Whether a file is, or is to be, compressed.
pub(crate) fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zst"))
}

fn write(store: &Store, path: &Path, context: &Context) -> Result<ExportCounts, CliError> {
    let failed = |cause| CliError::Write { path: path.to_owned(), cause, cure: CURE };
    let target = context.output(path, Rights::Private).map_err(failed)?;
    write_to(store, target, is_compressed(path)).map_err(|error| match error {
        ExportError::Ledger(error) => error.into(),
        ExportError::Write(cause) => failed(cause),
    })
}

fn write_to(store: &Store, target: Target, packed: bool) -> Result<ExportCounts, ExportError> {
    let mut target = BufWriter::new(target);
    let now = SystemClock.now();
    let counts = if packed {
        let mut packer = zstd::Encoder::new(&mut target, ZSTD_LEVEL)?;
        packer.include_checksum(true)?;
        let counts = store.export(&mut packer, now)?;
        packer.finish()?;
        counts
    } else {
        store.export(&mut target, now)?
    };
    target.into_inner().map_err(io::IntoInnerError::into_error)?.end()?;
    Ok(counts)
}
