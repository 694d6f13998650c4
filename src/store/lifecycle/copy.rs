//! A copy of a store, for those who only look at it: nothing in the store's own folder changes by that.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use crate::store::{
    OpenError,
    engine::sled::at_rest,
    lifecycle::{acknowledged, folder::ENGINE_FOLDER, permissions, swap},
};

/// What helps where the copy has no room; the operating system names no folder.
const NO_ROOM: &str =
    "the store is read from a copy there: make room, or let TMPDIR name a folder that has it";

/// A copy in a private folder among the temporary files of this machine; it is gone when dropped.
#[derive(Debug)]
pub(crate) struct Copy(PathBuf);

impl Copy {
    /// Copies engine and mark. The caller holds the store's lock, or shares it.
    pub(crate) fn of(store: &Path) -> Result<Self, OpenError> {
        let copy = Self(env::temp_dir().join(format!("misp-trickle-{}", Uuid::new_v4().simple())));
        permissions::create_folder(&copy.0).map_err(|error| copy.failed(&error))?;
        let engine = swap::whole_engine(store);
        let _resting = at_rest(&engine).map_err(|error| OpenError::io(&engine, "read", &error))?;
        copy.fill(&engine, ENGINE_FOLDER)?;
        let mark = store.join(acknowledged::FILE);
        if mark.is_file() {
            fs::copy(&mark, copy.0.join(acknowledged::FILE))
                .map_err(|error| OpenError::io(&mark, "copied", &error))?;
        }
        Ok(copy)
    }

    /// The folder, in which the copy looks like the store.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn fill(&self, from: &Path, name: &str) -> Result<(), OpenError> {
        permissions::copy_folder(from, &self.0.join(name)).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => self.failed(&error),
            _ => OpenError::io(from, "copied", &error),
        })
    }

    fn failed(&self, error: &io::Error) -> OpenError {
        OpenError::Io {
            path: self.0.display().to_string(),
            doing: "written",
            cause: format!("{error}; {NO_ROOM}"),
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        drop(permissions::remove_folder(&self.0));
    }
}
