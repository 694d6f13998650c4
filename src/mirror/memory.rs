//! A folder in memory that dies when it is told to and then holds what a disk may hold: for tests and simulations.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::files::{Files, Output};

/// What outlives a process: clones share their content.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles(Arc<Mutex<Disk>>);

#[derive(Debug, Default)]
struct Disk {
    files: BTreeMap<String, File>,
    /// Files whose removal may be undone.
    removed: BTreeMap<String, File>,
    /// Steps until it dies.
    left: Option<u64>,
    /// Steps so far.
    steps: u64,
}

#[derive(Debug, Clone, Default)]
struct File {
    content: Vec<u8>,
    /// So much of it is durable.
    synced: usize,
    /// What it held durably before it was written anew.
    before: Option<Vec<u8>>,
    /// Its name is durable.
    is_named: bool,
}

/// Gives a number below a limit.
pub type Choose<'c> = &'c mut dyn FnMut(usize) -> usize;

impl MemoryFiles {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After so many more steps every step fails; a step is a write, a sync, a change of a name or a removal.
    pub fn die_after(&self, steps: u64) {
        self.disk().left = Some(steps);
    }

    /// How many steps there were.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.disk().steps
    }

    /// Starts it again with something that a disk may hold after a crash.
    pub fn restart(&self, choose: Choose<'_>) {
        let mut disk = self.disk();
        disk.left = None;
        for (name, file) in std::mem::take(&mut disk.removed) {
            if choose(2) == 1 {
                disk.files.entry(name).or_insert(file);
            }
        }
        disk.files.retain(|_, file| file.is_named || choose(4) > 0);
        for file in disk.files.values_mut() {
            file.crash(choose);
        }
    }

    /// What a file holds.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        self.disk().files.get(name).map(|file| file.content.clone())
    }

    /// Puts a file there, or takes it away, behind everybody's back.
    pub fn spoil(&self, name: &str, content: Option<Vec<u8>>) {
        let mut disk = self.disk();
        match content {
            None => drop(disk.files.remove(name)),
            Some(content) => {
                let synced = content.len();
                let file = File { content, synced, before: None, is_named: true };
                disk.files.insert(name.to_owned(), file);
            }
        }
    }
}

impl File {
    /// Holds what is durable, and some of the rest, or what was there before.
    fn crash(&mut self, choose: Choose<'_>) {
        if let Some(before) = self.before.take().filter(|_| self.synced == 0 && choose(2) == 1) {
            self.content = before;
        } else {
            let lost = choose(self.content.len() - self.synced + 1);
            self.content.truncate(self.content.len() - lost);
            if choose(4) == 0
                && let Some(last) = self.content[self.synced..].last_mut()
            {
                *last ^= 1;
            }
        }
        (self.synced, self.is_named) = (self.content.len(), true);
    }
}

impl Disk {
    fn step(&mut self) -> io::Result<()> {
        self.steps += 1;
        match &mut self.left {
            Some(0) => Err(io::Error::other("the disk was told to die")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        self.files.get_mut(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Files for MemoryFiles {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.disk().files.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        let content = self.disk().file(name)?.content.clone();
        Ok(Box::new(Cursor::new(content)))
    }

    fn write(&self, name: &str, keep: u64) -> io::Result<Box<dyn Output>> {
        let mut disk = self.disk();
        disk.step()?;
        let file = disk.files.entry(name.to_owned()).or_default();
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        if file.synced > keep {
            file.before = Some(file.content[..file.synced].to_vec());
        }
        file.content.truncate(keep);
        file.synced = file.synced.min(keep);
        Ok(Box::new(Written { files: self.clone(), name: name.to_owned() }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step()?;
        let file = disk.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.files.insert(to.to_owned(), File { is_named: true, ..file });
        disk.removed.clear();
        // A change of a name that fails may have happened.
        disk.step()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step()?;
        if let Some(file) = disk.files.remove(name) {
            disk.removed.insert(name.to_owned(), file);
        }
        Ok(())
    }
}

struct Written {
    files: MemoryFiles,
    name: String,
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.files.disk();
        disk.step()?;
        disk.file(&self.name)?.content.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output for Written {
    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.files.disk();
        disk.step()?;
        let file = disk.file(&self.name)?;
        (file.synced, file.before) = (file.content.len(), None);
        Ok(())
    }
}
