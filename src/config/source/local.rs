//! Datasets in files: a file, a folder, standard input.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{config::reader::Section, format::Format, plan, source::SourceSpec};

use super::SourceKind;

/// How long a folder is left alone after a change where the configuration does not say it.
const QUIET: Duration = Duration::from_secs(10);

/// A dataset in files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSource {
    /// Where they are.
    pub place: LocalPlace,
    /// What their bytes are.
    pub format: Format,
    /// What each run considers.
    pub update_strategy: plan::Strategy,
    /// How long nothing must have changed in a folder before the daemon reads it: others may still be filling it.
    pub quiet: Duration,
}

/// Where files are; without a path it is left to `--source`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalPlace {
    /// One file.
    File(Option<PathBuf>),
    /// All of a folder.
    Folder(Option<PathBuf>),
    /// Standard input.
    Stdin,
}

impl LocalPlace {
    /// What a path names: `-` is standard input, a folder is read as one.
    #[must_use]
    pub fn named(path: &Path) -> Self {
        match path {
            path if path == Path::new("-") => Self::Stdin,
            path if path.is_dir() => Self::Folder(Some(path.to_owned())),
            path => Self::File(Some(path.to_owned())),
        }
    }

    /// Where their bytes come from; `None` where the path is left to `--source`.
    #[must_use]
    pub fn spec(&self) -> Option<SourceSpec> {
        match self {
            Self::Stdin => Some(SourceSpec::Stdin),
            Self::File(path) => path.clone().map(SourceSpec::File),
            Self::Folder(path) => path.clone().map(SourceSpec::Folder),
        }
    }
}

impl LocalSource {
    /// Files with all defaults.
    #[must_use]
    pub const fn new(place: LocalPlace) -> Self {
        let (format, update_strategy) = (Format::Auto, plan::Strategy::Replace);
        Self { place, format, update_strategy, quiet: Duration::ZERO }
    }
}

/// What a path on the command line names: `-` is standard input, a folder is read as one.
#[must_use]
pub fn source_at(path: &Path) -> SourceSpec {
    LocalPlace::named(path).spec().expect("a place that was named has its path")
}

pub(super) fn read_local(section: &mut Section<'_, '_>, kind: SourceKind) -> LocalSource {
    let reader = section.reader();
    let path = section.text("path");
    if let (SourceKind::Stdin, Some(path)) = (kind, &path) {
        let what = "is a path, and the kind is \"stdin\"".to_owned();
        reader.wrong(path, what, "remove it, or write kind = \"file\"");
    }
    let path = path.map(|at| reader.path(&at));
    let place = match kind {
        SourceKind::Folder => LocalPlace::Folder(path),
        SourceKind::Stdin => LocalPlace::Stdin,
        SourceKind::File | SourceKind::EiqFeed | SourceKind::EiqApi | SourceKind::Taxii2 => {
            LocalPlace::File(path)
        }
    };
    let quiet = if kind == SourceKind::Folder {
        section.duration("quiet", QUIET)
    } else {
        section.refuse("quiet", "is for folders", "remove it, or write kind = \"folder\"");
        Duration::ZERO
    };
    LocalSource {
        place,
        format: section.choice("format"),
        update_strategy: section.choice("update_strategy"),
        quiet,
    }
}
