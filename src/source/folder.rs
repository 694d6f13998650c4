//! What stands in a folder: datasets, what has the name of one and cannot be read, and what is left alone.

use std::{
    ffi::OsStr,
    fmt,
    fs::{self, File, FileType, Metadata, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{SourceError, SourceSpec};
use crate::model::{Symbol, shortened};

/// Endings of the files that are read from a folder, in any case.
const ENDINGS: [&str; 5] = [".json", ".stix", ".stix2", ".ndjson", ".jsonl"];
/// Endings that may follow those.
const PACKED: [&str; 2] = [".gz", ".zst"];

/// Most files that are named as left out.
const LEFT_SHOWN_MAX: usize = 10;

/// The entries of a folder by their names, each sorted. Hidden ones are none of them: they may still be written.
#[derive(Default)]
struct Listing {
    /// What has the name of a dataset and is no folder.
    datasets: Vec<PathBuf>,
    /// Files of other names.
    others: Vec<PathBuf>,
    /// Folders in it.
    folders: Vec<PathBuf>,
}

impl Listing {
    fn of(folder: &Path) -> Result<Self, SourceError> {
        let failed = |error| SourceError::Open { path: folder.to_owned(), error };
        let mut listing = Self::default();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if let Some(list) = path.file_name().and_then(|name| listing.list_of(name, &path)) {
                list.push(path);
            }
        }
        for list in [&mut listing.datasets, &mut listing.others, &mut listing.folders] {
            list.sort();
        }
        Ok(listing)
    }

    fn list_of(&mut self, name: &OsStr, path: &Path) -> Option<&mut Vec<PathBuf>> {
        match name {
            _ if is_hidden(name) => None,
            _ if path.is_dir() => Some(&mut self.folders),
            _ if is_dataset(name) => Some(&mut self.datasets),
            _ if path.is_file() => Some(&mut self.others),
            _ => None,
        }
    }
}

/// What has the name of a dataset, sorted; whether it is one shows when it is opened.
pub(super) fn datasets(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let Listing { datasets, .. } = Listing::of(folder)?;
    if datasets.is_empty() {
        return Err(SourceError::EmptyFolder { path: folder.to_owned(), endings: endings() });
    }
    Ok(datasets)
}

/// Something in a folder that has the name of a dataset and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unopened {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub what: String,
    /// What to do.
    pub cure: &'static str,
}

/// Opens what has the name of a dataset. It waits for nobody: what is no file is not read.
///
/// # Errors
/// [`SourceError::Unopened`] if it is no file, or is one that cannot be opened.
pub(super) fn open(path: &Path) -> Result<File, SourceError> {
    let unopened = |(what, cure)| Unopened { path: path.to_owned(), what, cure };
    let open = || {
        // Opening a device may do something to it.
        refuse_others(&fs::metadata(path).map_err(|error| why(path, &error))?)?;
        let file = at_once().open(path).map_err(|error| why(path, &error))?;
        // Another thing may have come into its place since.
        refuse_others(&file.metadata().map_err(|error| why(path, &error))?)?;
        Ok(file)
    };
    open().map_err(|it| SourceError::Unopened(unopened(it)))
}

/// Opens for reading, without a wait for the other end of a pipe.
fn at_once() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options
}

/// Why something cannot be read, and what to do.
type Why = (String, &'static str);

fn refuse_others(found: &Metadata) -> Result<(), Why> {
    match found.file_type() {
        it if it.is_file() => Ok(()),
        it if it.is_dir() => {
            let cure =
                "folders in a folder are not read: move its datasets up, or give it another name";
            Err(("is a folder".to_owned(), cure))
        }
        it => {
            let what = format!("is no file, but a {}", name_of(it));
            Err((what, "put a file in its place, or give it another name"))
        }
    }
}

fn name_of(it: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if it.is_fifo() {
            return "named pipe";
        }
        if it.is_socket() {
            return "socket";
        }
    }
    let _ = it;
    "device"
}

fn why(path: &Path, error: &io::Error) -> Why {
    let is_link = fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_symlink());
    let cure = match (error.kind(), is_link) {
        (io::ErrorKind::NotFound, true) => {
            return (
                "is a link to something that is not there".to_owned(),
                "put back what it leads to, or remove the link",
            );
        }
        (io::ErrorKind::NotFound, false) => {
            return ("was there a moment ago and is gone".to_owned(), "run it again");
        }
        (io::ErrorKind::PermissionDenied, _) => {
            "let the user who runs this read it, and enter every folder on the way"
        }
        (_, true) => "check where the link leads, or remove it",
        (_, false) => "check the disk, or remove it",
    };
    (format!("cannot be opened: {error}"), cure)
}

fn endings() -> String {
    format!("{}, with or without {}", ENDINGS.join(", "), PACKED.join(" or "))
}

/// Something of a folder that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Which, and why.
    pub what: String,
    /// What to do.
    pub cure: &'static str,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.cure)
    }
}

impl Unopened {
    /// What it is called in messages.
    pub(super) fn name(&self) -> Symbol {
        Symbol::new(&self.path.to_string_lossy())
    }
}

/// What of a folder is not read by its name, and why: a newer version of something may be in it.
///
/// # Errors
/// If the folder cannot be read.
pub fn left_out(spec: &SourceSpec) -> Result<Vec<LeftOut>, SourceError> {
    let SourceSpec::Folder(folder) = spec else { return Ok(Vec::new()) };
    let Listing { others, folders, .. } = Listing::of(folder)?;
    let others = named(&others).map(|names| LeftOut {
        what: format!("not read, as their names do not end in {}: {names}", endings()),
        cure: "rename datasets, and keep anything else elsewhere",
    });
    let folders = named(&folders).map(|names| LeftOut {
        what: format!("not read, as they are folders in it: {names}"),
        cure: "move datasets up, and keep anything else elsewhere",
    });
    Ok(others.into_iter().chain(folders).collect())
}

/// The first names of a list, if there are any.
fn named(paths: &[PathBuf]) -> Option<String> {
    let names = paths.iter().filter_map(|path| path.file_name());
    let shown = names.take(LEFT_SHOWN_MAX).map(|name| name.to_string_lossy());
    let shown: Vec<String> = shown.map(|name| shortened(&name).into_owned()).collect();
    let more = match paths.len().saturating_sub(shown.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!shown.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}

/// Lengths and times of change of a folder and its datasets, to tell whether somebody still changes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderState {
    /// Each with its length in bytes and when it last changed, the folder itself first.
    entries: Vec<(PathBuf, u64, Option<SystemTime>)>,
}

impl FolderState {
    /// Takes those of a folder.
    ///
    /// # Errors
    /// If it cannot be read, or holds no dataset.
    pub fn of(folder: &Path) -> Result<Self, SourceError> {
        // What cannot be looked at is told by the reading; a link that leads nowhere changes as what it leads to comes.
        let seen = |path: PathBuf| {
            let found = fs::metadata(&path).or_else(|_| fs::symlink_metadata(&path)).ok()?;
            Some((path, found.len(), found.modified().ok()))
        };
        let entries = std::iter::once(folder.to_owned()).chain(datasets(folder)?);
        Ok(Self { entries: entries.filter_map(seen).collect() })
    }

    /// How long ago the last change was; `None` where the clock that wrote it is another than ours.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        let changes = self.entries.iter().map(|(.., changed)| *changed);
        let last = changes.collect::<Option<Vec<_>>>()?.into_iter().max()?;
        SystemTime::now().duration_since(last).ok()
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with('.')
}

/// Whether a file of this name in a folder is read.
#[must_use]
pub fn is_dataset(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    let unpacked = PACKED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    ENDINGS.iter().any(|ending| unpacked.ends_with(ending))
}
