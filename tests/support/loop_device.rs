//! A file system in a file, mounted through a loop device, and copied as the disk has it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Why this machine cannot do it.
#[derive(Debug)]
pub struct Unavailable(pub String);

/// Large enough for a journal and a small store.
const BYTES: u64 = 64 << 20;

/// A file that holds an ext4 file system.
pub struct Image {
    file: PathBuf,
}

/// A mounted image; unmounted when dropped.
pub struct Mounted {
    path: PathBuf,
}

impl Image {
    pub fn new(folder: &Path) -> Result<Self, Unavailable> {
        let file = folder.join("disk");
        fs::File::create(&file).and_then(|disk| disk.set_len(BYTES)).unwrap();
        command(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&file))?;
        Ok(Self { file })
    }

    /// Mounts it in a new folder beside the file.
    pub fn mount(&self, name: &str) -> Result<Mounted, Unavailable> {
        let path = self.file.with_file_name(name);
        fs::create_dir(&path).unwrap();
        command(Command::new("mount").args(["-o", "loop"]).arg(&self.file).arg(&path))?;
        Ok(Mounted { path })
    }

    /// The disk as it is at this moment, whoever writes to it.
    pub fn copy(&self) -> Self {
        let file = self.file.with_file_name("copy");
        fs::copy(&self.file, &file).unwrap();
        Self { file }
    }
}

impl Mounted {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(command(Command::new("umount").arg(&self.path)));
    }
}

fn command(command: &mut Command) -> Result<(), Unavailable> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Err(error) => Err(Unavailable(format!("{program}: {error}"))),
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(Unavailable(format!("{program}: {words}")))
        }
    }
}
