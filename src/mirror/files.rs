//! The port to a folder of files.

use std::io::{self, Read, Write};

/// A folder that is one mirror's own, of files without folders. One process writes to it at a time.
pub trait Files: Send + Sync {
    /// Names of all files, in any order; none where the folder is not there yet.
    ///
    /// # Errors
    /// Those of the disk.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Opens a file to be read.
    ///
    /// # Errors
    /// Those of the disk.
    fn read(&self, name: &str) -> io::Result<Box<dyn Read + Send>>;

    /// Opens a file to be written on behind its first so many bytes, of which it then consists; makes it if it is
    /// missing. Nobody but the owner may read it.
    ///
    /// # Errors
    /// Those of the disk.
    fn write(&self, name: &str, keep: u64) -> io::Result<Box<dyn Output>>;

    /// Gives a file another name, which is durable when this returns. A file of that name is replaced.
    ///
    /// # Errors
    /// Those of the disk.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file if it is there. After a crash it may be back.
    ///
    /// # Errors
    /// Those of the disk.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A file that is being written.
pub trait Output: Write + Send {
    /// Makes all that was written durable.
    ///
    /// # Errors
    /// Those of the disk.
    fn sync(&mut self) -> io::Result<()>;
}
