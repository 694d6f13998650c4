//! The daemon and its store: a disk that was full for a moment, and a folder that somebody took away.

use super::*;

/// Most bytes of a file while the disk counts as full: no commit fits in, and the log of the daemon does.
const FULL: &str = "--fsize=16384:";
const ROOM: &str = "--fsize=unlimited:";

/// Starts it so that a file that may not grow is an error and no signal.
fn start(place: &Place) -> Daemon {
    let mut shell = Command::new("bash");
    let script = "trap '' XFSZ; exec \"$0\" run";
    Daemon::with(place.clean(shell.args(["-c", script]).arg(program::binary())), place.folder())
}

fn limit(daemon: &Daemon, what: &str) {
    let pid = daemon.child.as_ref().unwrap().id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &pid, what]).status().unwrap().success());
}

/// Delivers the first day, and lets the second come while the disk is full.
fn full_disk(sandbox: &Sandbox) -> (Place, Daemon) {
    let place = place(sandbox);
    let daemon = start(&place);
    until("it delivers", || sandbox.attributes() == ATTRIBUTES);
    until("that is in the history", || log(&place).contains("done"));
    limit(&daemon, FULL);
    place.write("day.json", DAY_2);
    until("the disk is full", || log(&place).contains("cannot be written: File too large"));
    (place, daemon)
}

#[test]
fn after_a_moment_of_a_full_disk_the_store_is_opened_again_and_the_rest_goes() {
    let sandbox = Sandbox::start();
    let (place, daemon) = full_disk(&sandbox);
    limit(&daemon, ROOM);
    until("the second day is delivered", || sandbox.attributes() == ATTRIBUTES + 5);
    assert!(log(&place).contains("it was opened again"), "{}", log(&place));
    place.run(&["status"]).code(0);
    daemon.end();
    place.run(&["check"]).code(0);
    place.run(&["verify"]).code(0);
}

#[test]
fn where_the_store_cannot_be_opened_again_the_daemon_ends_with_an_error() {
    let sandbox = Sandbox::start();
    let (place, mut daemon) = full_disk(&sandbox);
    daemon.signal("-STOP");
    fs::remove_dir_all(place.path("state/engine")).unwrap();
    limit(&daemon, ROOM);
    daemon.signal("-CONT");
    let mut child = daemon.child.take().unwrap();
    until("it ends", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(12), "{}", log(&place));
    assert!(log(&place).contains("misp-trickle repair"), "{}", log(&place));
}

#[test]
fn a_store_that_is_gone_or_another_one_lets_nothing_be_sent() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let daemon = Daemon::start(&place);
    until("it delivers", || sandbox.attributes() == ATTRIBUTES);
    until("that is in the history", || log(&place).contains("done"));
    daemon.signal("-STOP");
    fs::rename(place.path("state"), place.path("aside")).unwrap();
    place.write("day.json", DAY_2);
    daemon.signal("-CONT");
    until("it is told", || log(&place).contains("its folder was moved or deleted"));
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    place.run(&["sync"]).code(0);
    let sent = sandbox.attributes();
    let requests = sandbox.requests();
    until("it is told", || log(&place).contains("another folder has its place"));
    assert_eq!((sandbox.attributes(), sandbox.requests()), (sent, requests));
    fs::remove_dir_all(place.path("state")).unwrap();
    fs::rename(place.path("aside"), place.path("state")).unwrap();
    let told = log(&place).len();
    until("it goes on", || log(&place)[told..].contains("done"));
    assert_eq!(sandbox.attributes(), sent);
    daemon.end();
}
