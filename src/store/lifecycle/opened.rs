//! The engine of a store that is being opened, and how far what it holds can be relied on.

use std::path::Path;

use crate::{
    history::LedgerError,
    store::{
        OpenError,
        engine::{
            Effort,
            sled::{Sign, SledEngine},
        },
        lifecycle::{
            acknowledged::{self, Mark, Marked},
            error::told_io,
            folder::ENGINE_FOLDER,
            found::Found,
            permissions, swap,
        },
    },
};

/// How what the engine holds compares with what was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Nothing tells that anything is missing.
    None,
    /// The last commits are missing, and the files are sound: they are an earlier state, as of a backup.
    Older,
    /// Part of the files is damaged, or their end is torn and the last commits are missing.
    Damaged,
}

/// An engine that was opened, and the mark beside it.
pub(crate) struct Opened {
    pub(crate) engine: SledEngine,
    pub(crate) mark: Mark,
    pub(crate) said: Said,
}

/// What files and mark said when the engine was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) marked: Marked,
    /// Whether the log ended in what a killed process may have left, or damage.
    pub(crate) is_torn: bool,
}

/// Opens the engine of a store whose lock is held, and the mark beside it. What had to be dropped for it is
/// in the mark before it is dropped: the doubt outlives a process that was killed over it. `found`: what takes the files
/// as they were, unless they are a copy.
pub(crate) fn open_engine(
    path: &Path,
    effort: Effort,
    mut found: Option<&mut Found>,
) -> Result<Opened, OpenError> {
    swap::finish_swap(path)?;
    let opened = Mark::open(path);
    let (mut mark, marked) =
        opened.map_err(|error| OpenError::io(&path.join(acknowledged::FILE), "opened", &error))?;
    let is_torn = found.as_ref().is_some_and(|found| found.is_of_before());
    let mut said = Said { marked, is_torn };
    let mut signs = |sign| {
        match sign {
            Sign::Torn => said.is_torn = true,
            Sign::Damaged => said.marked = doubt(&mut mark, path)?,
        }
        found.as_mut().map_or(Ok(()), |found| found.see(sign))
    };
    let opened = SledEngine::open(&path.join(ENGINE_FOLDER), effort, &mut signs);
    let engine = opened.map_err(|error| OpenError::of(&path.display().to_string(), error))?;
    Ok(Opened { engine, mark, said })
}

fn doubt(mark: &mut Mark, path: &Path) -> Result<Marked, LedgerError> {
    let doubted = mark.doubt().and_then(|said| permissions::sync_folder(path).map(|()| said));
    doubted.map_err(|error| LedgerError::Io {
        path: path.join(acknowledged::FILE).display().to_string(),
        doing: "written",
        cause: told_io(&error),
    })
}

/// What an engine without a single record is: a store that was never begun, or one that lost everything.
pub(super) fn empty(path: &Path, marked: Marked) -> OpenError {
    let path = path.display().to_string();
    match marked {
        Marked::Nothing => OpenError::NoStore { path },
        Marked::Commit(_) | Marked::Doubted(_) => {
            let what = "the engine's files hold nothing, although there were commits".to_owned();
            OpenError::Damaged { path, what }
        }
    }
}
