//! Where the socket is.

use std::{
    env, fs,
    os::unix::fs::{FileTypeExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use tokio::net::UnixListener;

use crate::{
    cli::CliError,
    config::SocketPlace,
    model::Fault,
    store::{SOCKET_NAME, StoreId},
};

/// The system's groups.
const GROUPS: &str = "/etc/group";
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

/// Listens there, for this user and perhaps a group. What a process that was killed left is removed: whoever has the store's lock
/// has the socket.
pub(super) fn listen(path: &Path, group: Option<&str>) -> Result<UnixListener, CliError> {
    let cannot = |cause| CliError::Listen { address: path.display().to_string(), cause };
    if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        fs::remove_file(path).map_err(cannot)?;
    }
    let listener = UnixListener::bind(path).map_err(cannot)?;
    let mode = match group {
        None => 0o600,
        Some(group) => {
            chown(path, None, Some(number_of(group)?)).map_err(cannot)?;
            0o660
        }
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(cannot)?;
    Ok(listener)
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
