//! One process at a time: a lock of the operating system, and beside it a line that says who holds it.
//!
//! The lock vanishes with its process, so there is no stale lock. The line may outlive it, and is read
//! only while the lock is held.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    model::Timestamp,
    store::{
        OpenError,
        lifecycle::permissions::{self, FileId},
    },
};

/// Who opens the store; others are told this while they wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Process id.
    pub pid: u32,
    /// Name of the machine.
    pub host: String,
    /// What it runs, such as `misp-trickle sync`.
    pub command: String,
    /// The time of opening.
    pub now: Timestamp,
}

/// Where the holder of a store answers questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    /// The Unix socket.
    pub path: PathBuf,
    /// The form of questions and answers.
    pub protocol: u32,
    /// The store whose questions it answers, by its random name.
    pub store: String,
}

const LOCK_FILE: &str = "lock";
const HOLDER_FILE: &str = "holder";
/// Where the holder answers questions. As the line of the holder it is believed only while the lock is held.
const SOCKET_FILE: &str = "socket";
/// Longest line that is shown of a holder.
const HOLDER_CHARS_MAX: usize = 400;
const POLL: Duration = Duration::from_millis(25);

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
    folder: PathBuf,
    owner: Owner,
    place: Place,
}

/// The place of a store that is locked. Who knows it can see whether the store is still there, and does not hold the lock.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The file that is locked.
    file: PathBuf,
    id: FileId,
}

impl Place {
    /// Says what happened where the store is not there any more: what is written would be found by nobody. It costs one
    /// look at a file.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Some(happened) = self.displaced() else { return Ok(()) };
        Err(format!(
            "{happened} since this process opened it, and nothing is sent without it; put the folder back, or end this \
             process and start it again with what is there"
        ))
    }

    fn displaced(&self) -> Option<&'static str> {
        match fs::metadata(&self.file) {
            Ok(there) if FileId::of(&there) == self.id => None,
            Ok(_) => Some("another folder has its place"),
            Err(_) => Some("its folder was moved or deleted"),
        }
    }
}

impl Lock {
    /// The files that belong to a lock.
    pub(crate) const FILES: [&'static str; 3] = [LOCK_FILE, HOLDER_FILE, SOCKET_FILE];

    /// Takes the lock of a store's folder, waiting for it at most so long.
    pub(crate) fn take(folder: &Path, owner: Owner, wait: Duration) -> Result<Self, OpenError> {
        let path = folder.join(LOCK_FILE);
        let file = permissions::open_file(&path)
            .map_err(|error| OpenError::io(&path, "opened", &error))?;
        patiently(folder, wait, || file.try_lock())?;
        let metadata = file.metadata().map_err(|error| OpenError::io(&path, "opened", &error))?;
        let place = Place { file: path, id: FileId::of(&metadata) };
        let lock = Self { _file: file, folder: folder.to_owned(), owner, place };
        lock.retract();
        lock.describe("");
        Ok(lock)
    }

    /// Waits until nobody writes, and keeps writers out until what it gives is dropped. Nothing in the folder
    /// changes; `None` where no lock was ever taken.
    pub(crate) fn share(folder: &Path, wait: Duration) -> Result<Option<File>, OpenError> {
        let path = folder.join(LOCK_FILE);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| OpenError::io(&path, "opened", &error))?,
        };
        patiently(folder, wait, || file.try_lock_shared())?;
        Ok(Some(file))
    }

    /// Tells others more: the store's id, the run. A courtesy: where it cannot be written, they are told less.
    pub(crate) fn describe(&self, more: &str) {
        let Owner { pid, host, command, now } = &self.owner;
        let line = format!("pid {pid} on {host}, `{command}`, since {now}{more}");
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let written =
            permissions::open_file(&self.folder.join(HOLDER_FILE)).and_then(|mut file| {
                file.set_len(0)?;
                file.write_all(line.as_bytes())
            });
        drop(written);
    }

    /// Tells others where the holder answers questions.
    pub(crate) fn advertise(&self, socket: &Socket) -> io::Result<()> {
        let text = serde_json::to_vec(socket)?;
        let mut file = permissions::open_file(&self.folder.join(SOCKET_FILE))?;
        file.set_len(0)?;
        file.write_all(&text)
    }

    /// Where the holder of a store's lock answers questions; `None` where nobody holds it, or does not answer any.
    pub(crate) fn advertised(folder: &Path) -> Option<Socket> {
        let file = File::open(folder.join(LOCK_FILE)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {}
            _ => return None,
        }
        serde_json::from_slice(&fs::read(folder.join(SOCKET_FILE)).ok()?).ok()
    }

    /// Where it was taken.
    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// Removes what an earlier holder that was killed told.
    fn retract(&self) {
        drop(fs::remove_file(self.folder.join(SOCKET_FILE)));
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.place.displaced().is_some() {
            // What stands there is of another holder, if there is one.
            return;
        }
        self.retract();
        drop(fs::remove_file(self.folder.join(HOLDER_FILE)));
    }
}

/// A lock is waited for at least so long: where its process begins another at the moment that it ends with the store,
/// the new one has the lock, too, until it is another program.
const GRACE: Duration = Duration::from_millis(300);

/// Tries to lock until it succeeds, at most so long, or for the [`GRACE`].
fn patiently(
    folder: &Path,
    wait: Duration,
    try_lock: impl Fn() -> Result<(), TryLockError>,
) -> Result<(), OpenError> {
    let begun = Instant::now();
    loop {
        match try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => {
                return Err(OpenError::io(&folder.join(LOCK_FILE), "locked", &error));
            }
            Err(TryLockError::WouldBlock) => {}
        }
        let left = wait.max(GRACE).saturating_sub(begun.elapsed());
        if left.is_zero() {
            let holder = read(&folder.join(HOLDER_FILE));
            return Err(OpenError::Locked { path: folder.display().to_string(), holder });
        }
        thread::sleep(left.min(POLL));
    }
}

fn read(holder: &Path) -> String {
    let line = fs::read_to_string(holder).unwrap_or_default();
    if line.is_empty() {
        return "a process that did not say who it is".to_owned();
    }
    line.chars().take(HOLDER_CHARS_MAX).collect()
}
