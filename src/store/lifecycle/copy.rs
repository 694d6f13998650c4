//! A copy of a store, for those who only look at it: nothing in the store's own folder changes by that.
//!
//! It is a private folder among the temporary files of this machine, with a file in it that is locked while it is in
//! use. Who makes one removes those first whose process is gone: one that was killed left it.

use std::{
    env,
    fs::{self, DirEntry, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
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
/// What helps where it cannot be made.
const NO_PLACE: &str = "the store is read from a copy there: let TMPDIR name a folder that is there and may be written to";
/// How the name of the folder begins; a UUID follows.
const PREFIX: &str = "misp-trickle-";
/// Locked while the copy is in use.
const LOCK_FILE: &str = "lock";
/// How often a folder is made that others take for left behind before it is locked.
const TRIES: usize = 8;
/// How often, and at which distance, a copy is removed into which somebody still writes.
const REMOVALS: (usize, Duration) = (20, Duration::from_millis(5));

/// The copies of this process.
static IN_USE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn in_use() -> MutexGuard<'static, Vec<PathBuf>> {
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the copies of this process, whoever still reads them: for one that ends at once. From now on none is made.
pub fn remove_copies() {
    let copies = in_use();
    for path in &*copies {
        let (tries, distance) = REMOVALS;
        (0..tries).any(|_| {
            let is_gone = permissions::remove_folder(path).is_ok();
            if !is_gone {
                thread::sleep(distance);
            }
            is_gone
        });
    }
    // Whoever makes one now waits until the process ends.
    std::mem::forget(copies);
}

/// A copy; it is gone when dropped.
#[derive(Debug)]
pub(crate) struct Copy {
    path: PathBuf,
    _lock: File,
}

impl Copy {
    /// Copies engine and mark. The caller holds the store's lock, or shares it.
    pub(crate) fn of(store: &Path) -> Result<Self, OpenError> {
        let temporary = env::temp_dir();
        let copy = Self::begin(&temporary)?;
        copy.sweep(&temporary);
        let engine = swap::whole_engine(store);
        let _resting = at_rest(&engine).map_err(|error| OpenError::io(&engine, "read", &error))?;
        copy.filled(&engine, permissions::copy_folder(&engine, &copy.path.join(ENGINE_FOLDER)))?;
        let mark = store.join(acknowledged::FILE);
        if mark.is_file() {
            let to = copy.path.join(acknowledged::FILE);
            copy.filled(&mark, permissions::copy_file(&mark, &to))?;
        }
        Ok(copy)
    }

    /// The folder, in which the copy looks like the store.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes its folder and locks it.
    fn begin(temporary: &Path) -> Result<Self, OpenError> {
        let mut last = io::Error::from(ErrorKind::WouldBlock);
        for _ in 0..TRIES {
            let path = temporary.join(format!("{PREFIX}{}", Uuid::new_v4().simple()));
            in_use().push(path.clone());
            match permissions::create_single_folder(&path).and_then(|()| lock(&path)) {
                Ok(lock) => return Ok(Self { path, _lock: lock }),
                Err(error) => last = error,
            }
            drop(permissions::remove_folder(&path));
            forget(&path);
        }
        Err(failed(temporary, &last))
    }

    /// Removes what processes left here that were killed. What cannot be removed stays.
    fn sweep(&self, temporary: &Path) {
        let Ok(own) = fs::symlink_metadata(&self.path) else { return };
        let entries = fs::read_dir(temporary).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| is_copy(entry, &own)) {
            if let Err(error) = remove_left(&entry.path()) {
                tracing::debug!("{}: it stays: {error}", entry.path().display());
            }
        }
    }

    fn filled(&self, from: &Path, done: io::Result<()>) -> Result<(), OpenError> {
        done.map_err(|error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => failed(&self.path, &error),
            _ => OpenError::io(from, "copied", &error),
        })
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        drop(permissions::remove_folder(&self.path));
        forget(&self.path);
    }
}

fn forget(path: &Path) {
    in_use().retain(|copy| copy != path);
}

fn failed(path: &Path, error: &io::Error) -> OpenError {
    let help = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => NO_ROOM,
        _ => NO_PLACE,
    };
    let path = path.display().to_string();
    OpenError::Io { path, doing: "written", cause: format!("{error}; {help}") }
}

/// Locks the folder of a copy that was just made, unless somebody removes it.
fn lock(path: &Path) -> io::Result<File> {
    let path = path.join(LOCK_FILE);
    let file = permissions::open_file(&path)?;
    file.try_lock()?;
    if !permissions::is_same(&file, &path)? {
        return Err(ErrorKind::NotFound.into());
    }
    Ok(file)
}

/// Whether it is the folder of a copy by its name, and as private and of the same user as one of our own.
fn is_copy(entry: &DirEntry, own: &fs::Metadata) -> bool {
    let name = entry.file_name();
    let id = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    let is_named = id.is_some_and(|id| id.len() == 32 && Uuid::try_parse(id).is_ok());
    // Of a link this is the link itself.
    is_named && entry.metadata().is_ok_and(|it| it.is_dir() && has_owner_and_rights_of(&it, own))
}

#[cfg(unix)]
fn has_owner_and_rights_of(it: &fs::Metadata, own: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    it.uid() == own.uid() && it.mode() & 0o777 == 0o700
}

#[cfg(not(unix))]
fn has_owner_and_rights_of(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

/// Removes a copy that nobody uses; one that is not locked yet only where there is nothing in it.
fn remove_left(path: &Path) -> io::Result<()> {
    let lock = match File::open(path.join(LOCK_FILE)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return fs::remove_dir(path),
        opened => opened?,
    };
    lock.try_lock()?;
    permissions::remove_folder(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(temporary: &Path, name: &str) -> PathBuf {
        let path = temporary.join(name);
        permissions::create_folder(&path.join("engine")).unwrap();
        permissions::open_file(&path.join(LOCK_FILE)).unwrap();
        path
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let temporary = folder.path();
        let used = Copy::begin(temporary).unwrap();
        let name = |end: char| format!("{PREFIX}{}{end}", "0".repeat(31));
        let gone = [left(temporary, &name('1')), temporary.join(name('2'))];
        permissions::create_folder(&gone[1]).unwrap();
        let other = [left(temporary, "misp-trickle-mine"), temporary.join(name('3'))];
        fs::write(&other[1], "a file").unwrap();
        let unlocked = temporary.join(name('4'));
        permissions::create_folder(&unlocked.join("engine")).unwrap();
        let new = Copy::begin(temporary).unwrap();
        new.sweep(temporary);
        assert!(gone.iter().all(|path| !path.exists()));
        assert!(other.iter().chain([&unlocked]).all(|path| path.exists()));
        assert!(used.path.join(LOCK_FILE).exists() && new.path.join(LOCK_FILE).exists());
        let path = new.path.clone();
        drop(new);
        assert!(!path.exists() && !in_use().contains(&path));
    }

    #[cfg(unix)]
    #[test]
    fn what_others_may_enter_or_a_link_leads_to_is_not_removed() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let name = |end: char| format!("{PREFIX}{}{end}", "0".repeat(31));
        let open = left(folder.path(), &name('1'));
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        let target = left(elsewhere.path(), "target");
        symlink(&target, folder.path().join(name('2'))).unwrap();
        Copy::begin(folder.path()).unwrap().sweep(folder.path());
        assert!(open.join(LOCK_FILE).exists() && target.join(LOCK_FILE).exists());
    }

    #[test]
    fn a_folder_of_temporary_files_that_is_not_there_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("not/there");
        let error = Copy::begin(&missing).unwrap_err().to_string();
        assert!(error.contains("not/there") && error.contains("TMPDIR"), "{error}");
        assert!(!missing.exists() && !folder.path().join("not").exists());
    }
}
