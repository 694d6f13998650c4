//! `export`: all that the store knows, as JSON lines.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{
    agent::{Clock, SystemClock},
    store::{ExportCounts, ExportError, Store},
};

use super::{CliError, Context, Exit};

/// The file name that stands for standard input or output.
pub(super) const STREAM: &str = "-";
const ZSTD_LEVEL: i32 = 9;
const CURE: &str = "make room or the folder, or name another file";

/// Arguments of `export`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// Where to write; `-` is standard output, a name that ends with `.zst` is compressed
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Writes the file whole, or not at all.
pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    let store = context.ledger()?;
    let now = SystemClock.now();
    if args.file.as_os_str() == STREAM {
        let mut out = BufWriter::new(context.ui.stream());
        store.export(&mut out, now).map_err(|error| match error {
            ExportError::Ledger(error) => error.into(),
            ExportError::Write(error) => CliError::Output(error),
        })?;
        return Ok(Exit::Done);
    }
    let counts = write(&store, &args.file)?;
    let path = args.file.display().to_string();
    let json = || {
        json!({
            "schema": "misp-trickle/exported/1",
            "file": path,
            "store": store.id().to_string(),
            "counts": counts,
        })
    };
    context.answer(json, || format!("{path}: {}\n", told(&counts)))?;
    Ok(Exit::Done)
}

/// How much an export holds, in words.
pub(super) fn told(counts: &ExportCounts) -> String {
    let ExportCounts { events, attributes, runs, destinations, .. } = counts;
    format!("{events} events, {attributes} attributes, {runs} runs, {destinations} destinations")
}

/// Whether a file is, or is to be, compressed.
pub(super) fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zst"))
}

/// Writes beside the file and renames when all of it is on the disk.
fn write(store: &Store, path: &Path) -> Result<ExportCounts, CliError> {
    let part = part_of(path);
    let written = write_part(store, path, &part).and_then(|counts| {
        fs::rename(&part, path).and_then(|()| sync_folder(path))?;
        Ok(counts)
    });
    if written.is_err() {
        drop(fs::remove_file(&part));
    }
    written.map_err(|error| match error {
        ExportError::Ledger(error) => error.into(),
        ExportError::Write(cause) => CliError::Write { path: path.to_owned(), cause, cure: CURE },
    })
}

fn write_part(store: &Store, path: &Path, part: &Path) -> Result<ExportCounts, ExportError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = BufWriter::new(options.open(part)?);
    let now = SystemClock.now();
    let (counts, file) = if is_compressed(path) {
        let mut packer = zstd::Encoder::new(file, ZSTD_LEVEL)?;
        packer.include_checksum(true)?;
        (store.export(&mut packer, now)?, packer.finish()?)
    } else {
        let mut file = file;
        (store.export(&mut file, now)?, file)
    };
    let file: File = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(counts)
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

/// Makes the new name durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    #[cfg(unix)]
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    #[cfg(not(unix))]
    let _not_here = folder;
    Ok(())
}
