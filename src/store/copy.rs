//! A copy of a store, for those who only look at it: nothing in the store's own folder changes by that.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::{OpenError, engine, mark, open::ENGINE_FOLDER, private, rebuild};

/// What helps where the copy has no room; the operating system names no folder.
const NO_ROOM: &str =
    "the store is read from a copy there: make room, or let TMPDIR name a folder that has it";

/// A copy in a private folder among the temporary files of this machine; it is gone when dropped.
#[derive(Debug)]
pub(super) struct Copy(PathBuf);

impl Copy {
    /// Copies engine and mark. The caller holds the store's lock, or shares it.
    pub(super) fn of(store: &Path) -> Result<Self, OpenError> {
        let copy = Self(env::temp_dir().join(format!("misp-trickle-{}", Uuid::new_v4().simple())));
        private::create_folder(&copy.0).map_err(|error| copy.failed(&error))?;
        let engine = rebuild::whole_engine(store);
        let _resting =
            engine::at_rest(&engine).map_err(|error| OpenError::io(&engine, "read", &error))?;
        copy.fill(&engine, ENGINE_FOLDER)?;
        let mark = store.join(mark::FILE);
        if mark.is_file() {
            fs::copy(&mark, copy.0.join(mark::FILE))
                .map_err(|error| OpenError::io(&mark, "copied", &error))?;
        }
        Ok(copy)
    }

    /// The folder, in which the copy looks like the store.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    fn fill(&self, from: &Path, name: &str) -> Result<(), OpenError> {
        private::copy_folder(from, &self.0.join(name)).map_err(|error| match error.kind() {
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
        drop(private::remove_folder(&self.0));
    }
}
