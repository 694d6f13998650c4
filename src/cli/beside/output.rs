//! A file that is there whole, or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use uuid::Uuid;

/// Who may read a file that was not there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Rights {
    /// Whoever the user lets read files.
    Usual,
    /// The user alone.
    Private,
}

/// A file that is being written: a regular one beside the one it replaces, and renamed when all of it is on the disk; a
/// pipe or a device as it is.
pub(in crate::cli) struct Output {
    file: File,
    /// What becomes of a regular file; none once it did.
    becomes: Option<Becomes>,
}

struct Becomes {
    part: PathBuf,
    path: PathBuf,
    /// Of the file that it replaces.
    rights: Option<fs::Permissions>,
}

impl Output {
    /// Begins one.
    ///
    /// # Errors
    /// Those of the disk.
    pub(in crate::cli) fn begin(path: &Path, rights: Rights) -> io::Result<Self> {
        let (path, there) = match fs::metadata(path) {
            Ok(there) if there.is_file() => (fs::canonicalize(path)?, Some(there.permissions())),
            Ok(_) => {
                let file = OpenOptions::new().write(true).open(path)?;
                return Ok(Self { file, becomes: None });
            }
            // A link that leads nowhere yet names the file that is to be made.
            Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::read_link(path) {
                Ok(target) => (path.parent().unwrap_or(Path::new("")).join(target), None),
                Err(_) => (path.to_owned(), None),
            },
            Err(error) => return Err(error),
        };
        let part = part_of(&path);
        let mut options = OpenOptions::new();
        // Nobody's file is written to, and no link followed, that somebody put there before.
        options.write(true).create_new(true);
        #[cfg(unix)]
        if rights == Rights::Private {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        #[cfg(not(unix))]
        let _not_here = rights;
        let file = options.open(&part)?;
        Ok(Self { file, becomes: Some(Becomes { part, path, rights: there }) })
    }

    /// Ends it: from now on it is there.
    ///
    /// # Errors
    /// Those of the disk; then nothing changed.
    pub(in crate::cli) fn end(mut self) -> io::Result<()> {
        let Some(Becomes { part, path, rights }) = &self.becomes else { return Ok(()) };
        self.file.sync_all()?;
        if let Some(rights) = rights {
            self.file.set_permissions(rights.clone())?;
        }
        fs::rename(part, path)?;
        sync_folder(path)?;
        self.becomes = None;
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some(Becomes { part, .. }) = &self.becomes {
            drop(fs::remove_file(part));
        }
    }
}

/// Writes a file that must not be there yet: it is there whole, or not at all.
///
/// # Errors
/// Those of the disk; [`io::ErrorKind::AlreadyExists`] where something is there.
pub(in crate::cli) fn write_new(path: &Path, text: &str, rights: Rights) -> io::Result<()> {
    // Without further words for its user alone.
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    let usual = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666);
    #[cfg(unix)]
    if rights == Rights::Usual {
        builder.permissions(usual);
    }
    #[cfg(not(unix))]
    let _not_here = rights;
    let mut file = builder.tempfile_in(folder_of(path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// The folder that a file is in.
pub(in crate::cli) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// A name that nobody else uses, in the same folder, as only there a file can be renamed.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", Uuid::new_v4().simple()));
    path.with_file_name(name)
}

/// Makes the new name durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder_of(path))?.sync_all()?;
    #[cfg(not(unix))]
    let _not_here = path;
    Ok(())
}
