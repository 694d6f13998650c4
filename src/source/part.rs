//! The files that a source consists of.

use std::{
    borrow::Cow,
    ffi::OsStr,
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{
    SourceError, SourceSpec,
    unpack::{Reader, TooLarge},
};
use crate::model::{Symbol, shortened};

/// Endings of the files that are read from a folder, in any case.
const ENDINGS: [&str; 5] = [".json", ".stix", ".stix2", ".ndjson", ".jsonl"];
/// Endings that may follow those.
const PACKED: [&str; 2] = [".gz", ".zst"];

/// Most files that are named as left out.
const LEFT_SHOWN_MAX: usize = 10;

/// One file of a source, or standard input.
#[derive(Debug)]
pub struct Part {
    name: Symbol,
    /// `None` for standard input.
    path: Option<PathBuf>,
}

/// The parts of a source; those of a folder sorted by name.
///
/// # Errors
/// If the file or folder is not there, is not what was said, or holds no dataset.
pub fn open(spec: &SourceSpec) -> Result<Vec<Part>, SourceError> {
    match spec {
        SourceSpec::Stdin => Ok(vec![Part { name: Symbol::new("<stdin>"), path: None }]),
        SourceSpec::File(path) if is_folder(path)? => {
            Err(SourceError::IsFolder { path: path.clone() })
        }
        SourceSpec::File(path) => Ok(vec![Part::of(path.clone())]),
        SourceSpec::Folder(path) if is_folder(path)? => in_folder(path),
        SourceSpec::Folder(path) => Err(SourceError::IsFile { path: path.clone() }),
        SourceSpec::Kept(name) => Err(SourceError::NotPulled { name: name.clone() }),
    }
}

fn in_folder(folder: &Path) -> Result<Vec<Part>, SourceError> {
    let (paths, _) = files(folder)?;
    if paths.is_empty() {
        return Err(SourceError::EmptyFolder { path: folder.to_owned(), endings: endings() });
    }
    Ok(paths.into_iter().map(Part::of).collect())
}

/// The files of a folder that are read, and those that are not, each sorted. Hidden ones are neither: they may still be
/// written.
fn files(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), SourceError> {
    let failed = |error| SourceError::Open { path: folder.to_owned(), error };
    let (mut read, mut left) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        match path.file_name() {
            Some(name) if !is_hidden(name) && path.is_file() => {
                if is_dataset(name) {
                    read.push(path);
                } else {
                    left.push(path);
                }
            }
            _ => {}
        }
    }
    read.sort();
    left.sort();
    Ok((read, left))
}

fn endings() -> String {
    format!("{}, with or without {}", ENDINGS.join(", "), PACKED.join(" or "))
}

/// Files of a folder that are not read.
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

/// Which files of a folder are not read, and why: a newer version of something may be in one.
///
/// # Errors
/// If the folder cannot be read.
pub fn left_out(spec: &SourceSpec) -> Result<Option<LeftOut>, SourceError> {
    let SourceSpec::Folder(folder) = spec else { return Ok(None) };
    let (_, left) = files(folder)?;
    let names = left.iter().filter_map(|path| path.file_name());
    let named = names.take(LEFT_SHOWN_MAX).map(|name| name.to_string_lossy());
    let named: Vec<String> = named.map(|name| shortened(&name).into_owned()).collect();
    let more = match left.len().saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Ok((!named.is_empty()).then(|| LeftOut {
        what: format!(
            "not read, as their names do not end in {}: {}{more}",
            endings(),
            named.join(", ")
        ),
        cure: "rename datasets, and keep anything else elsewhere",
    }))
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
        let of = |path: PathBuf| match fs::metadata(&path) {
            Ok(it) => Ok((path, it.len(), it.modified().ok())),
            Err(error) => Err(SourceError::Open { path, error }),
        };
        let parts = in_folder(folder)?.into_iter().filter_map(|part| part.path);
        let entries = std::iter::once(folder.to_owned()).chain(parts).map(of);
        Ok(Self { entries: entries.collect::<Result<_, _>>()? })
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
fn is_dataset(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    let unpacked = PACKED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    ENDINGS.iter().any(|ending| unpacked.ends_with(ending))
}

fn is_folder(path: &Path) -> Result<bool, SourceError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) => Err(SourceError::Open { path: path.to_owned(), error }),
    }
}

impl Part {
    fn of(path: PathBuf) -> Self {
        Self { name: Symbol::new(&path.to_string_lossy()), path: Some(path) }
    }

    /// The path as it was given, or `<stdin>`.
    #[must_use]
    pub const fn name(&self) -> &Symbol {
        &self.name
    }

    /// The last component of the path.
    pub(super) fn file_name(&self) -> Cow<'_, str> {
        let name = self.path.as_deref().and_then(Path::file_name);
        name.map_or(Cow::Borrowed(self.name.as_str()), OsStr::to_string_lossy)
    }

    /// Opens it for decoding.
    ///
    /// # Errors
    /// If it cannot be opened, or its first bytes cannot be read.
    pub fn reader(&self) -> Result<Reader, SourceError> {
        Reader::new(self.raw()?).map_err(|error| self.unreadable(error))
    }

    /// Its bytes as they are.
    pub(super) fn raw(&self) -> Result<Box<dyn Read>, SourceError> {
        let Some(path) = &self.path else { return Ok(Box::new(io::stdin().lock())) };
        match File::open(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(SourceError::Open { path: path.clone(), error }),
        }
    }

    /// Whether a second reading gives the bytes again, unlike that of a pipe.
    #[must_use]
    pub fn can_be_read_again(&self) -> bool {
        self.path.as_deref().is_some_and(Path::is_file)
    }

    /// What an error while reading it means.
    pub(super) fn unreadable(&self, error: io::Error) -> SourceError {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<TooLarge>()) {
            Some(TooLarge { bytes_max }) => {
                SourceError::TooLarge { name: self.name.clone(), bytes_max: *bytes_max }
            }
            None => SourceError::Unreadable { name: self.name.clone(), error },
        }
    }
}
