//! Where the socket is.

use std::{
    env, fs,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tokio::net::UnixListener;

use crate::{
    cli::CliError,
    config::SocketPlace,
    store::{SOCKET_NAME, StoreId},
};

/// Bytes that the path of a socket may have on every system.
const PATH_BYTES_MAX: usize = 100;

/// The path of the socket of a store's owner; `None` where there is to be none, or no path is short enough.
pub(super) fn path(place: &SocketPlace, store: &Path, id: StoreId) -> Option<PathBuf> {
    let usual = || {
        let folder = ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"].into_iter().find_map(|name| {
            let folder = PathBuf::from(env::var_os(name)?);
            folder.is_dir().then(|| folder.join(format!("misp-trickle-{id}.sock")))
        });
        let store = fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
        folder.into_iter().chain([store.join(SOCKET_NAME)]).find(|path| is_short(path))
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

/// Listens there, for this user alone. What a process that was killed left is removed: whoever has the store's lock
/// has the socket.
pub(super) fn listen(path: &Path) -> Result<UnixListener, CliError> {
    let cannot = |cause| CliError::Listen { address: path.display().to_string(), cause };
    if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        fs::remove_file(path).map_err(cannot)?;
    }
    let listener = UnixListener::bind(path).map_err(cannot)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(cannot)?;
    Ok(listener)
}
