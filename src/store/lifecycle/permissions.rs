//! Files that only their owner may read: folders 0700, files 0600. Elsewhere than on Unix the folder's
//! inherited rights apply.

use std::{
    fs::{self, DirBuilder, DirEntry, File, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::model::{Context, Digest, Encoder};

/// Bytes of a file that are digested at once.
const PART_BYTES: usize = 1 << 20;

/// Makes a folder, and those above it that are missing.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    folder_builder().recursive(true).create(path)
}

/// Makes a folder that is not there, in one that is.
pub(crate) fn create_single_folder(path: &Path) -> io::Result<()> {
    folder_builder().create(path)
}

fn folder_builder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Opens a file for reading and writing, and makes it if it is missing. Its content stays.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Takes everybody else's rights from a folder and all that is in it; sled makes its files as the
/// process's mask has it. Gives what others can read all the same: some file systems keep no rights.
pub(crate) fn tighten(folder: &Path) -> io::Result<Option<PathBuf>> {
    let mut left = restrict(folder, 0o700)?;
    for entry in fs::read_dir(folder)? {
        let still = unless_gone(tighten_entry(&entry?))?;
        left = left.or(still);
    }
    Ok(left)
}

fn tighten_entry(entry: &DirEntry) -> io::Result<Option<PathBuf>> {
    let kind = entry.file_type()?;
    match (kind.is_dir(), kind.is_file()) {
        (true, _) => tighten(&entry.path()),
        (_, true) => restrict(&entry.path(), 0o600),
        _ => Ok(None),
    }
}

/// Somebody else removes files while a folder is walked, as packs of a mirror are swept: one that is gone by the time that
/// it is looked at is as one that was never there.
pub(crate) fn unless_gone<T: Default>(seen: io::Result<T>) -> io::Result<T> {
    match seen {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        seen => seen,
    }
}

/// The files of a folder that this user may not write, such as those that another user left there.
pub(crate) fn not_writable(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        files.extend(unless_gone(entry_not_writable(&entry?))?);
    }
    files.sort();
    Ok(files)
}

fn entry_not_writable(entry: &DirEntry) -> io::Result<Vec<PathBuf>> {
    let (path, kind) = (entry.path(), entry.file_type()?);
    if kind.is_dir() {
        return not_writable(&path);
    }
    if kind.is_file() {
        match OpenOptions::new().write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(vec![path]),
            opened => drop(opened?),
        }
    }
    Ok(Vec::new())
}

/// Whether a file is this user's: nobody else may give it rights, those that it has included.
pub(crate) fn is_own(path: &Path) -> bool {
    fs::metadata(path).and_then(|it| fs::set_permissions(path, it.permissions())).is_ok()
}

/// Copies a folder and all that is in it, for its owner only, who may write to the copy whatever rights there were.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    create_folder(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            copy_file(&entry.path(), &target)?;
        }
    }
    Ok(())
}

/// The same for a file.
pub(crate) fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    io::copy(&mut File::open(from)?, &mut open_file(to)?).map(drop)
}

/// Makes a folder and all that is in it durable.
pub(crate) fn sync_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_all(&entry.path())?;
        } else {
            open_file(&entry.path())?.sync_all()?;
        }
    }
    sync_folder(folder)
}

/// Digest of a folder's files, by name.
pub(crate) fn digest(folder: &Path) -> io::Result<Digest> {
    let mut encoder = Encoder::new(Context::Engine);
    feed(folder, &mut encoder)?;
    Ok(encoder.finish())
}

fn feed(folder: &Path, encoder: &mut Encoder) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        encoder.bytes(entry.file_name().as_encoded_bytes());
        if entry.file_type()?.is_dir() {
            feed(&entry.path(), encoder)?;
            continue;
        }
        let (mut file, mut part) = (File::open(entry.path())?, vec![0; PART_BYTES]);
        loop {
            let read = file.read(&mut part)?;
            encoder.bytes(&part[..read]);
            if read == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// Removes a folder and all that is in it, if it is there.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Removes a file, if it is there.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Bytes that the files of a folder take on the disk.
pub(crate) fn bytes_taken(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        bytes += unless_gone(entry_bytes(&entry?))?;
    }
    Ok(bytes)
}

fn entry_bytes(entry: &DirEntry) -> io::Result<u64> {
    let metadata = entry.metadata()?;
    if metadata.is_dir() { bytes_taken(&entry.path()) } else { Ok(taken(&metadata)) }
}

fn taken(metadata: &fs::Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::blocks(metadata) * 512;
    #[cfg(not(unix))]
    return metadata.len();
}

/// Renames a file or folder within a folder, durably.
pub(crate) fn rename(folder: &Path, from: &str, to: &str) -> io::Result<()> {
    fs::rename(folder.join(from), folder.join(to))?;
    sync_folder(folder)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _folder = folder;
    Ok(())
}

/// The number by which the file system knows a folder; a copy of it has another. 0 where there is none.
pub(crate) fn inode(folder: &Path) -> io::Result<u64> {
    let metadata = fs::metadata(folder)?;
    #[cfg(unix)]
    return Ok(std::os::unix::fs::MetadataExt::ino(&metadata));
    #[cfg(not(unix))]
    return Ok(u64::from(!metadata.is_dir()));
}

/// By what the file system tells a file from all others, as long as somebody has it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(metadata.dev(), metadata.ino())
    }

    /// Elsewhere a file that is open cannot be moved or deleted.
    #[cfg(not(unix))]
    pub(crate) fn of(_: &fs::Metadata) -> Self {
        Self(0, 0)
    }
}

/// Whether an open file is the one at a path.
pub(crate) fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    Ok(FileId::of(&file.metadata()?) == FileId::of(&fs::metadata(path)?))
}

/// Gives a file or folder these rights, or itself where that cannot be done and others may read it.
#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<Option<PathBuf>> {
    use std::os::unix::fs::PermissionsExt;

    let rights = |path: &Path| fs::metadata(path).map(|found| found.permissions().mode() & 0o777);
    if rights(path)? == mode {
        return Ok(None);
    }
    match fs::set_permissions(path, PermissionsExt::from_mode(mode)) {
        Err(error) if !cannot_be_changed(&error) => return Err(error),
        _ => {}
    }
    Ok((rights(path)? & 0o077 != 0).then(|| path.to_owned()))
}

#[cfg(unix)]
fn cannot_be_changed(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, Unsupported};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem | Unsupported)
}

/// Elsewhere the rights of the folder above are inherited.
#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> io::Result<Option<PathBuf>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    use super::*;

    /// Another process sweeps packs of a mirror, and folders of it, while somebody opens the store.
    #[test]
    fn what_goes_while_a_folder_is_walked_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let (path, ends) = (folder.path(), AtomicBool::new(false));
        let sweep = |name: &str| {
            let inner = path.join(name);
            while !ends.load(Ordering::Relaxed) {
                fs::create_dir(&inner).unwrap();
                (0..20).for_each(|n| fs::write(inner.join(n.to_string()), "").unwrap());
                fs::remove_dir_all(&inner).unwrap();
            }
        };
        let walk = || -> io::Result<()> {
            for _ in 0..300 {
                tighten(path)?;
                assert_eq!(not_writable(path)?, Vec::<PathBuf>::new());
                bytes_taken(path)?;
            }
            Ok(())
        };
        let walked = thread::scope(|scope| {
            scope.spawn(|| sweep("one"));
            scope.spawn(|| sweep("two"));
            let walked = scope.spawn(walk).join();
            ends.store(true, Ordering::Relaxed);
            walked
        });
        walked.unwrap().unwrap();
        // The folder that is asked for has to be there.
        let gone = path.join("gone");
        tighten(&gone).unwrap_err();
        not_writable(&gone).unwrap_err();
        bytes_taken(&gone).unwrap_err();
    }
}
