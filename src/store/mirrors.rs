//! The folders of mirrors, beside the engine: `mirror/` and a folder for each feed.
//!
//! They belong to whoever has the store open to write. Nothing in them is part of the ledger, and no export has them.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    mirror::{Files, Output, memory::MemoryFiles},
    model::{Context, Encoder, FeedName},
    store::{
        Store,
        lifecycle::{
            lock::Place,
            permissions::{self, unless_gone},
        },
    },
};

pub(crate) const FOLDER: &str = "mirror";
/// Longest name of a folder that is made of a feed's name as it is, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// The folder of one feed's mirror.
#[derive(Debug, Clone)]
pub struct MirrorFolder {
    path: PathBuf,
    /// Of the store that was opened, where it is known: nothing is written where that is not any more.
    place: Option<Place>,
}

impl MirrorFolder {
    /// The folder of a feed in that of a store. It is made when something is written.
    #[must_use]
    pub fn of(store: &Path, feed: &FeedName) -> Self {
        Self { path: store.join(FOLDER).join(folder_name(feed.as_str())), place: None }
    }

    /// All of a store, by name, that are there.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn all(store: &Path) -> io::Result<Vec<(String, Self)>> {
        let entries = match fs::read_dir(store.join(FOLDER)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut folders = Vec::new();
        for entry in entries {
            let entry = entry?;
            if unless_gone(entry.file_type().map(|it| it.is_dir()))? {
                let name = entry.file_name().to_string_lossy().into_owned();
                folders.push((name, Self { path: entry.path(), place: None }));
            }
        }
        folders.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(folders)
    }

    /// Bytes that its files take on the disk.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn bytes_on_disk(&self) -> io::Result<u64> {
        permissions::bytes_taken(&self.path)
    }

    /// Removes it with all that is in it; whether it was there.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn remove_all(&self) -> io::Result<bool> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            removed => removed?,
        }
        self.path.parent().map_or(Ok(()), permissions::sync_folder)?;
        Ok(true)
    }

    /// Gives it the name of another, unless that is there already.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn rename_to(&self, other: &Self) -> io::Result<()> {
        if !self.takes_name_of(other) {
            return Ok(());
        }
        fs::rename(&self.path, &other.path)?;
        self.path.parent().map_or(Ok(()), permissions::sync_folder)
    }

    /// Whether it is there, and nothing yet under the name of another.
    #[must_use]
    pub fn takes_name_of(&self, other: &Self) -> bool {
        self.path.is_dir() && !other.path.exists()
    }

    /// Makes the folder in that of the store, so that it is there after a power cut as well. The store's own is never made:
    /// where it is not there, it was moved or deleted.
    fn make(&self) -> io::Result<()> {
        self.check_place()?;
        if self.path.is_dir() {
            return Ok(());
        }
        let all = self.path.parent().unwrap_or(&self.path);
        for folder in [all, &self.path] {
            match permissions::create_single_folder(folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made?,
            }
            folder.parent().map_or(Ok(()), permissions::sync_folder)?;
        }
        Ok(())
    }

    fn check_place(&self) -> io::Result<()> {
        self.place.as_ref().map_or(Ok(()), Place::check).map_err(io::Error::other)
    }
}

/// A name that any file system takes and keeps apart from others, capital letters or not.
fn folder_name(feed: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let mut name = String::new();
    for byte in feed.bytes() {
        match plain(byte) {
            true => name.push(byte.into()),
            false => name.push_str(&format!("%{byte:02x}")),
        }
    }
    if (1..=NAME_BYTES_MAX).contains(&name.len()) {
        return name;
    }
    let digest = Encoder::new(Context::Name).text(feed).finish();
    name.truncate(NAME_BYTES_MAX);
    format!("{name}%{digest}")
}

impl Files for MirrorFolder {
    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            if unless_gone(entry.file_type().map(|it| it.is_file()))? {
                names.extend(entry.file_name().into_string());
            }
        }
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(self.path.join(name))?))
    }

    fn write(&self, name: &str, keep: u64) -> io::Result<Box<dyn Output>> {
        self.make()?;
        let mut file = permissions::open_file(&self.path.join(name))?;
        file.set_len(keep)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Box::new(Writing(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.check_place()?;
        permissions::rename(&self.path, from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.check_place()?;
        permissions::remove_file(&self.path.join(name))
    }
}

struct Writing(File);

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Output for Writing {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

impl Store {
    /// The files of a feed's mirror; of a store in memory they are in memory, too, and empty.
    #[must_use]
    pub fn mirror_files(&self, feed: &FeedName) -> Arc<dyn Files> {
        match &self.folder {
            Some(folder) => {
                let place = self.lock.as_ref().map(|lock| lock.place().clone());
                Arc::new(MirrorFolder { place, ..MirrorFolder::of(folder, feed) })
            }
            None => Arc::new(MemoryFiles::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_have_folders_of_their_own() {
        let long = "x".repeat(300);
        let names = ["main", "Main", "", "..", "a/b", "a%2fb", "ä", "CON", &long, &long[1..]];
        let folders: std::collections::BTreeSet<String> =
            names.iter().map(|name| folder_name(name).to_lowercase()).collect();
        assert_eq!(folders.len(), names.len(), "{folders:?}");
        assert!(folders.iter().all(|name| name.len() < 200 && !name.contains(['.', '/'])));
        assert!(folders.contains("main") && folders.contains("a%2fb"));
    }
}
