//! What a store's folder holds, whose it is, and whether it can be one.

use std::{fs, io, path::Path};

use crate::store::{
    OpenError, StoreId, Warning,
    lifecycle::{acknowledged, lock::Lock, permissions, swap},
    mirrors,
    record::IdentityV1,
};

/// Folder of the engine's own files.
pub(crate) const ENGINE_FOLDER: &str = "engine";
/// What a store's folder holds beside its lock: the engine, its mark, and what a daemon keeps there.
const BESIDE: [&str; 5] =
    [ENGINE_FOLDER, acknowledged::FILE, mirrors::FOLDER, PAUSED_FILE, SOCKET_NAME];
/// The routes that somebody paused.
pub const PAUSED_FILE: &str = "paused.json";
/// The socket of a daemon where the system has no better place.
pub const SOCKET_NAME: &str = "agent.sock";
/// What follows the name of a file that is not written to its end.
const UNFINISHED: &str = ".new";

/// Whether there is a store in the folder, perhaps one that lost its engine's file or whose repair was cut
/// off.
pub(crate) fn is_store(path: &Path) -> bool {
    let engine = path.join(ENGINE_FOLDER);
    let lost = engine.is_dir() && path.join(acknowledged::FILE).is_file();
    lost || engine.join("db").is_file() || swap::is_waiting(path)
}

/// Takes other users' rights from the store, or says that they keep them.
pub(super) fn make_private(path: &Path) -> Result<Option<Warning>, OpenError> {
    let tightened = permissions::tighten(path);
    let readable = tightened.map_err(|error| OpenError::io(path, "made private", &error))?;
    Ok(readable.map(|path| Warning::NotPrivate { path: path.display().to_string() }))
}

/// A file of another user, or one that was made read-only, would stop the engine half-way, with an error that names only the folder.
pub(super) fn check_writable(path: &Path) -> Result<(), OpenError> {
    let files =
        permissions::not_writable(path).map_err(|error| OpenError::io(path, "read", &error))?;
    let foreign: Vec<_> = files.iter().filter(|file| !permissions::is_own(file)).collect();
    let Some(first) = foreign.first().copied().or(files.first()) else { return Ok(()) };
    let more = match files.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let files = format!("{}{more}", first.display());
    let path = path.display().to_string();
    Err(match foreign.is_empty() {
        true => OpenError::ReadOnly { path, files },
        false => OpenError::OfAnotherUser { path, files },
    })
}

/// How a folder is told from a copy of it.
pub(crate) fn identity(path: &Path, id: StoreId) -> Result<IdentityV1, OpenError> {
    let of = |error| OpenError::io(path, "read", &error);
    let full = fs::canonicalize(path).map_err(of)?;
    let inode = permissions::inode(path).map_err(of)?;
    Ok(IdentityV1 { id: *id.0.as_bytes(), path: full.to_string_lossy().into_owned(), inode })
}

/// A store takes rights from all files of its folder, so it must not settle in one that holds others.
pub(crate) fn check_vacant(path: &Path) -> Result<(), OpenError> {
    let of = |error| OpenError::io(path, "read", &error);
    for entry in fs::read_dir(path).map_err(of)? {
        let name = entry.map_err(of)?.file_name();
        let whole = name.to_str().map(|name| name.strip_suffix(UNFINISHED).unwrap_or(name));
        let ours = Lock::FILES.iter().chain(&BESIDE).any(|our| whole == Some(*our));
        if !ours && !swap::is_ours(&name) {
            let other = name.to_string_lossy().into_owned();
            return Err(OpenError::Occupied { path: path.display().to_string(), other });
        }
    }
    Ok(())
}

/// Writes a file of the folder anew, for its owner alone: after a power cut the old one is there or the new one, whole.
///
/// # Errors
/// If the operating system refuses; the old one is there then.
pub fn replace_file(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let unfinished = format!("{name}{UNFINISHED}");
    let mut file = permissions::open_file(&folder.join(&unfinished))?;
    file.set_len(0)?;
    io::Write::write_all(&mut file, content)?;
    file.sync_all()?;
    permissions::rename(folder, &unfinished, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_not_written_to_its_end_is_no_stranger() {
        let folder = tempfile::tempdir().unwrap();
        for content in [&b"one and more"[..], b"two"] {
            replace_file(folder.path(), PAUSED_FILE, content).unwrap();
            assert_eq!(fs::read(folder.path().join(PAUSED_FILE)).unwrap(), content);
        }
        let names = || fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name());
        assert_eq!(names().collect::<Vec<_>>(), [PAUSED_FILE]);
        fs::write(folder.path().join("paused.json.new"), "[").unwrap();
        check_vacant(folder.path()).unwrap();
        fs::write(folder.path().join("mine.new"), "").unwrap();
        check_vacant(folder.path()).unwrap_err();
    }
}
