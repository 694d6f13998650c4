//! A store and the users of its machine: who looks changes nothing, and whose files are in the way is said.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

use misp_trickle_testing::program;

use program::{Place, Sandbox, Seen, seen};

/// A user without any rights, on every machine.
const NOBODY: u32 = 65_534;

/// Every file and folder with its mode, owner, inode, time and size.
fn trace(folder: &Path) -> Vec<(PathBuf, [u64; 5], i64)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(path) = folders.pop() {
        let metadata = fs::metadata(&path).unwrap();
        let owner = [metadata.uid(), metadata.gid()].map(u64::from);
        let [uid, gid] = owner;
        let size = if metadata.is_dir() { 0 } else { metadata.len() };
        let numbers = [metadata.mode().into(), uid, gid, metadata.ino(), size];
        found.push((path.clone(), numbers, metadata.mtime_nsec()));
        if metadata.is_dir() {
            folders.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    found.sort();
    found
}

fn delivered() -> (Sandbox, Place) {
    let sandbox = Sandbox::start();
    let place = Place::new(&sandbox.url(), &sandbox.key("sync"), "verify_tls = true");
    place.run(&["sync"]).code(0);
    (sandbox, place)
}

fn give_to(user: u32, path: &Path) {
    for (path, ..) in trace(path) {
        chown(path, Some(user), Some(user)).unwrap();
    }
}

/// Runs the program as nobody; `None` where this user may not, or nobody may not reach the program.
pub(crate) fn as_nobody(place: &Place, arguments: &[&str]) -> Option<Seen> {
    let spawned = |command: &mut Command| command.uid(NOBODY).gid(NOBODY).output().is_ok();
    if !spawned(place.command(&["--version"]).current_dir("/")) {
        return None;
    }
    Some(seen(place.command(arguments).uid(NOBODY).gid(NOBODY)))
}

#[test]
fn who_only_looks_leaves_nothing_behind() {
    let (_sandbox, place) = delivered();
    let state = place.path("state");
    // Rights that somebody gave to colleagues stay as well.
    fs::set_permissions(state.join("engine/db"), fs::Permissions::from_mode(0o640)).unwrap();
    let before = trace(&state);
    for verb in [
        &["status"][..],
        &["log"],
        &["show", "@"],
        &["diff", "0", "1"],
        &["why", "nobody.example"],
        &["check"],
        &["plan"],
        &["export", "-"],
        &["repair", "--dry-run"],
    ] {
        place.run(verb);
        assert_eq!(trace(&state), before, "{verb:?}");
    }
}

#[test]
fn whoever_looks_leaves_the_owner_his_store() {
    let (_sandbox, place) = delivered();
    if chown(place.path("state"), Some(NOBODY), Some(NOBODY)).is_err() {
        eprintln!("skipped: only root can give a file away");
        return;
    }
    give_to(NOBODY, place.folder());
    let before = trace(&place.path("state"));
    place.run(&["status"]).code(0).says(&["main"]);
    assert_eq!(trace(&place.path("state")), before);
}

#[test]
fn files_of_another_user_are_named() {
    let (_sandbox, place) = delivered();
    if chown(place.folder(), Some(NOBODY), Some(NOBODY)).is_err() {
        eprintln!("skipped: only root can give a file away");
        return;
    }
    give_to(NOBODY, place.folder());
    chown(place.path("state/engine/conf"), Some(0), Some(0)).unwrap();
    let Some(seen) = as_nobody(&place, &["sync"]) else {
        eprintln!("skipped: the program stands where nobody else may run it");
        return;
    };
    seen.code(1).says(&["state/engine/conf", "chown -R"]);
}

#[test]
fn a_store_that_others_may_read_is_told_or_refused() {
    let (_sandbox, place) = delivered();
    if chown(place.folder(), Some(NOBODY), Some(NOBODY)).is_err() {
        eprintln!("skipped: only root can give a file away");
        return;
    }
    give_to(NOBODY, place.folder());
    // Only its owner may change the rights of a file, so this is as on a file system that keeps none.
    let file = place.path("state/engine/conf");
    chown(&file, Some(0), Some(0)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let Some(seen) = as_nobody(&place, &["sync"]) else {
        eprintln!("skipped: the program stands where nobody else may run it");
        return;
    };
    seen.code(0).says(&["other users of this machine may read the store", "engine/conf"]);
    place.configure("[store]\n", "[store]\nprivate = \"require\"\n");
    let refused = as_nobody(&place, &["sync"]).unwrap();
    refused.code(1).says(&["engine/conf", "private = \"require\""]);
}

#[test]
fn too_few_threads_are_an_error_that_lets_the_store_go() {
    let (_sandbox, place) = delivered();
    if chown(place.folder(), Some(NOBODY), Some(NOBODY)).is_err() {
        eprintln!("skipped: only root can be another user, whose threads alone count");
        return;
    }
    give_to(NOBODY, place.folder());
    if as_nobody(&place, &["--version"]).is_none() {
        eprintln!("skipped: the program stands where nobody else may run it");
        return;
    }
    place.configure("day.json", "next.json");
    fs::write(place.path("next.json"), program::DAY_1.replace("GREEN", "WHITE")).unwrap();
    for threads in [1, 3, 6, 12] {
        let mut command = Command::new("prlimit");
        place.clean(&mut command).arg(format!("--nproc={threads}"));
        command.arg(env!("CARGO_BIN_EXE_misp-trickle")).arg("sync").uid(NOBODY).gid(NOBODY);
        seen(&mut command).code(1).says(&["threads"]);
    }
    as_nobody(&place, &["sync"]).unwrap().code(0);
}

#[test]
fn files_that_their_owner_may_not_write_are_read_and_told_apart_from_those_of_others() {
    let (_sandbox, place) = delivered();
    let is_root = chown(place.folder(), Some(NOBODY), Some(NOBODY)).is_ok();
    if is_root {
        give_to(NOBODY, place.folder());
    }
    for (path, numbers, _) in trace(&place.path("state")) {
        if path.is_file() {
            let rights = u32::try_from(numbers[0]).unwrap() & 0o444;
            fs::set_permissions(path, fs::Permissions::from_mode(rights)).unwrap();
        }
    }
    let run = |verb: &str| match is_root {
        true => as_nobody(&place, &[verb]),
        false => Some(place.run(&[verb])),
    };
    for verb in ["status", "log", "check", "plan"] {
        let Some(seen) = run(verb) else {
            eprintln!("skipped: the program stands where nobody else may run it");
            return;
        };
        seen.code(0);
    }
    run("sync")
        .unwrap()
        .code(1)
        .says(&["may not be written", "chmod -R u+w state"])
        .hides(&["chown"]);
}
