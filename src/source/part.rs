//! The files that a source consists of.

use std::{
    borrow::Cow,
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    SourceError, SourceSpec, folder,
    unpack::{Reader, TooLarge},
};
use crate::model::Symbol;

/// One file of a source, or standard input.
#[derive(Debug)]
pub struct Part {
    name: Symbol,
    /// `None` for standard input.
    path: Option<PathBuf>,
    /// Whether a folder has it, which may hold anything under the name of a dataset.
    is_in_folder: bool,
}

/// The parts of a source; those of a folder sorted by name, whether they can be opened or not.
///
/// # Errors
/// If the file or folder is not there, is not what was said, or holds no dataset.
pub fn open(spec: &SourceSpec) -> Result<Vec<Part>, SourceError> {
    match spec {
        SourceSpec::Stdin => {
            Ok(vec![Part { name: Symbol::new("<stdin>"), path: None, is_in_folder: false }])
        }
        SourceSpec::File(path) if is_folder(path)? => {
            Err(SourceError::IsFolder { path: path.clone() })
        }
        SourceSpec::File(path) => Ok(vec![Part::of(path.clone(), false)]),
        SourceSpec::Folder(path) if is_folder(path)? => {
            Ok(folder::datasets(path)?.into_iter().map(Part::in_folder).collect())
        }
        SourceSpec::Folder(path) => Err(SourceError::IsFile { path: path.clone() }),
        SourceSpec::Kept(name) => Err(SourceError::NotPulled { name: name.clone() }),
    }
}

fn is_folder(path: &Path) -> Result<bool, SourceError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) => Err(SourceError::Open { path: path.to_owned(), error }),
    }
}

impl Part {
    fn of(path: PathBuf, is_in_folder: bool) -> Self {
        Self { name: Symbol::new(&path.to_string_lossy()), path: Some(path), is_in_folder }
    }

    fn in_folder(path: PathBuf) -> Self {
        Self::of(path, true)
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
        if self.is_in_folder {
            return Ok(Box::new(folder::open(path)?));
        }
        match File::open(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(SourceError::Open { path: path.clone(), error }),
        }
    }

    /// Whether a second reading gives the bytes again, unlike that of a pipe. Of a folder nothing else is read.
    #[must_use]
    pub fn can_be_read_again(&self) -> bool {
        self.is_in_folder || self.path.as_deref().is_some_and(Path::is_file)
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
