//! Where the socket is.

use std::{
    env, fs, io,
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use tokio::net::UnixListener;
use uuid::Uuid;

use crate::{
    cli::{CliError, beside::output::folder_of},
    config::SocketPlace,
    daemon::own_user,
    model::Fault,
    store::{SOCKET_NAME, StoreId},
};

/// The system's groups.
const GROUPS: &str = "/etc/group";
/// Bytes that the path of a socket may have on every system.
const PATH_BYTES_MAX: usize = 100;
/// Of the folder in which a socket begins: with it the path is as long as that of a store's own.
const PRIVATE_NAME_BYTES: usize = 7;

/// The path of the socket of a store's owner; `None` where there is to be none, or no path is short
/// enough and safe from others. To be called on a runtime.
pub(super) fn path(place: &SocketPlace, store: &Path, id: StoreId) -> Option<PathBuf> {
    let usual = || {
        let folder = ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"].into_iter().find_map(|name| {
            let folder = PathBuf::from(env::var_os(name)?);
            folder.is_dir().then(|| folder.join(format!("misp-trickle-{id}.sock")))
        });
        let store = fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
        let paths = folder.into_iter().chain([store.join(SOCKET_NAME)]);
        let is_ours = |path: &PathBuf| others_may_replace(folder_of(path)).is_ok_and(|may| !may);
        paths.filter(|path| is_short(path)).find(is_ours)
    };
    match place {
        SocketPlace::Nowhere => None,
        SocketPlace::At(path) => Some(path.clone()),
        SocketPlace::Usual => usual(),
    }
}

fn is_short(path: &Path) -> bool {
    path.as_os_str().len() <= PATH_BYTES_MAX
}

/// Listens there, for this user and perhaps a group. What a process that was killed left is replaced: whoever has the
/// store's lock has the socket. It comes to its place once its rights are as they are to be. To be called on a runtime.
pub(super) fn listen(path: &Path, group: Option<&str>) -> Result<UnixListener, CliError> {
    let cannot = |cause| CliError::Listen { address: path.display().to_string(), cause };
    let group = group.map(number_of).transpose()?;
    let folder = folder_of(path);
    if others_may_replace(folder).map_err(cannot)? {
        let cause = format!(
            "others may put a socket of theirs in the place of {}: its folder is not this user's alone to write to",
            path.display()
        );
        let cure =
            "take them the right (`chmod go-w`), or name another folder by `socket` under [serve]";
        return Err(CliError::NothingToRun(Fault::new(cause, cure)));
    }
    if fs::symlink_metadata(path).is_ok_and(|found| !found.file_type().is_socket()) {
        return Err(cannot(io::ErrorKind::AddrInUse.into()));
    }
    let mut name = format!(".{}", Uuid::new_v4().simple());
    name.truncate(PRIVATE_NAME_BYTES);
    let private = folder.join(name);
    fs::DirBuilder::new().mode(0o700).create(&private).map_err(cannot)?;
    let listener = bind_in(&private, path, group);
    drop(fs::remove_dir_all(&private));
    listener.map_err(cannot)
}

/// Binds in a folder that nobody else may look into, and moves what came of it to its path.
fn bind_in(private: &Path, path: &Path, group: Option<u32>) -> io::Result<UnixListener> {
    let bound = private.join("s");
    let listener = UnixListener::bind(&bound)?;
    if group.is_some() {
        chown(&bound, None, group)?;
    }
    let mode = if group.is_some() { 0o660 } else { 0o600 };
    fs::set_permissions(&bound, fs::Permissions::from_mode(mode))?;
    fs::rename(&bound, path)?;
    Ok(listener)
}

/// Whether somebody but this user and root may rename what is in a folder.
fn others_may_replace(folder: &Path) -> io::Result<bool> {
    let found = fs::metadata(folder)?;
    let is_of_another = found.uid() != own_user()? && found.uid() != 0;
    let (may_write, is_sticky) = (found.mode() & 0o022 != 0, found.mode() & 0o1000 != 0);
    Ok(is_of_another || may_write && !is_sticky)
}

/// The number of a group, which the system's file of groups tells.
fn number_of(group: &str) -> Result<u32, CliError> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let groups =
        fs::read_to_string(GROUPS).map_err(|cause| CliError::read(GROUPS.as_ref(), &cause))?;
    let number = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(group)).then(|| fields.nth(1)?.parse().ok()).flatten()
    });
    number.ok_or_else(|| {
        let cause =
            format!("there is no group {group} in {GROUPS}, which `group` under [serve] names");
        let cure = "make it, or write its number, such as `getent group NAME` prints";
        CliError::NothingToRun(Fault::new(cause, cure))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode_of(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    fn folder(mode: u32) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        folder
    }

    #[tokio::test]
    async fn a_socket_stands_only_where_nobody_else_can_put_another_in_its_place() {
        for (mode, is_safe) in
            [(0o700, true), (0o755, true), (0o1777, true), (0o775, false), (0o757, false)]
        {
            let folder = folder(mode);
            let path = folder.path().join("agent.sock");
            let listened = listen(&path, None);
            assert_eq!(listened.is_ok(), is_safe, "{mode:o}: {listened:?}");
            assert_eq!(path.exists(), is_safe, "{mode:o}");
            if is_safe {
                assert_eq!(mode_of(&path), 0o600);
                let _again = listen(&path, Some(&own_user().unwrap().to_string())).err();
            }
            let left = fs::read_dir(folder.path()).unwrap().count();
            assert_eq!(left, usize::from(is_safe), "{mode:o}: nothing is left beside it");
        }
    }

    #[tokio::test]
    async fn what_stands_in_its_place_and_is_no_socket_keeps_what_it_is() {
        let folder = folder(0o700);
        let (key, path) = (folder.path().join("key"), folder.path().join("agent.sock"));
        fs::write(&key, "secret").unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&key, &path).unwrap();
        listen(&path, None).unwrap_err();
        assert_eq!((mode_of(&key), fs::read(&key).unwrap()), (0o600, b"secret".to_vec()));
        fs::remove_file(&path).unwrap();
        let (_one, _two) = (listen(&path, None).unwrap(), listen(&path, None).unwrap());
        assert!(tokio::net::UnixStream::connect(&path).await.is_ok());
    }

    #[tokio::test]
    async fn a_usual_place_is_one_that_is_safe() {
        let (safe, open) = (folder(0o700), folder(0o777));
        let id = StoreId(Uuid::new_v4());
        if env::var_os("XDG_RUNTIME_DIR").is_none() && env::var_os("RUNTIME_DIRECTORY").is_none() {
            assert!(path(&SocketPlace::Usual, safe.path(), id).is_some());
            assert_eq!(path(&SocketPlace::Usual, open.path(), id), None);
        }
    }
}
