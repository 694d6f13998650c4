//! `export`: all that the store knows, as JSON lines.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use serde::Serialize;
use uuid::Uuid;

use crate::{
    agent::{Clock, SystemClock},
    cli::{CliError, Context, Exit},
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
    if args.file.as_os_str() == STREAM {
        let mut out = BufWriter::new(context.ui.stream());
        store.export(&mut out, now).map_err(|error| match error {
            ExportError::Ledger(error) => error.into(),
            ExportError::Write(cause) => {
                let path = PathBuf::from("standard output");
                CliError::Write {
                    path,
                    cause,
                    cure: "half an export is none: keep its reader alive",
                }
            }
        })?;
        return Ok(Exit::Done);
    }
    let counts = write(&store, &args.file)?;
    let path = args.file.display().to_string();
    let json = || ExportAnswer { file: &path, store: store.id().to_string(), counts };
    context.answer(json, || format!("{path}: {}\n", told(&counts)))?;
    Ok(Exit::Done)
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

/// Writes a regular file beside the one it replaces, and renames when all of it is on the disk; a pipe or a
/// device is written to as it is.
fn write(store: &Store, path: &Path) -> Result<ExportCounts, CliError> {
    let failed = |cause| CliError::Write { path: path.to_owned(), cause, cure: CURE };
    let packed = is_compressed(path);
    let written = match destination(path).map_err(failed)? {
        Destination::Stream(file) => write_to(store, file, packed).map(|(counts, _)| counts),
        Destination::Regular { path, mode } => write_beside(store, &path, mode, packed),
    };
    written.map_err(|error| match error {
        ExportError::Ledger(error) => error.into(),
        ExportError::Write(cause) => failed(cause),
    })
}

/// What stands under a name, or will.
enum Destination {
    /// Something that is no regular file: opened, as its content cannot be replaced.
    Stream(File),
    /// A file, behind all links, with its rights if it is there already.
    Regular { path: PathBuf, mode: Option<fs::Permissions> },
}

fn destination(path: &Path) -> io::Result<Destination> {
    match fs::metadata(path) {
        Ok(there) if there.is_file() => {
            let path = fs::canonicalize(path)?;
            Ok(Destination::Regular { path, mode: Some(there.permissions()) })
        }
        Ok(_) => Ok(Destination::Stream(OpenOptions::new().write(true).open(path)?)),
        // A link that leads nowhere yet names the file that is to be made.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let path = match fs::read_link(path) {
                Ok(target) => path.parent().unwrap_or(Path::new("")).join(target),
                Err(_) => path.to_owned(),
            };
            Ok(Destination::Regular { path, mode: None })
        }
        Err(error) => Err(error),
    }
}

fn write_beside(
    store: &Store,
    path: &Path,
    mode: Option<fs::Permissions>,
    packed: bool,
) -> Result<ExportCounts, ExportError> {
    let part = part_of(path);
    let mut options = OpenOptions::new();
    // Nobody's file is written to, and no link followed, that somebody put there before.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&part)?;
    let written = write_to(store, file, packed).and_then(|(counts, file)| {
        file.sync_all()?;
        if let Some(mode) = mode {
            file.set_permissions(mode)?;
        }
        fs::rename(&part, path).and_then(|()| sync_folder(path))?;
        Ok(counts)
    });
    if written.is_err() {
        drop(fs::remove_file(&part));
    }
    written
}

fn write_to(store: &Store, file: File, packed: bool) -> Result<(ExportCounts, File), ExportError> {
    let mut file = BufWriter::new(file);
    let now = SystemClock.now();
    let counts = if packed {
        let mut packer = zstd::Encoder::new(&mut file, ZSTD_LEVEL)?;
        packer.include_checksum(true)?;
        let counts = store.export(&mut packer, now)?;
        packer.finish()?;
        counts
    } else {
        store.export(&mut file, now)?
    };
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok((counts, file))
}

/// A name that nobody else uses, in the same folder, as only there a file can be renamed.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", Uuid::new_v4().simple()));
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
