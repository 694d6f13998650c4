//! Copies of the store that verbs read: none stays among the temporary files, however a verb ends.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{self, File},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use misp_trickle_testing::program;
use program::{Place, Sandbox, as_at_terminal, binary};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(40);

/// A store whose engine's file is locked, as by threads of a moment ago: a copy is begun, and waits.
struct Scene {
    _sandbox: Sandbox,
    place: Place,
    locked: Option<File>,
}

impl Scene {
    fn new() -> Self {
        let sandbox = Sandbox::start();
        let place = sandbox.place();
        place.run(&["sync"]).code(0);
        fs::create_dir(place.path("tmp")).unwrap();
        let locked = File::open(place.path("state/engine/db")).unwrap();
        locked.lock().unwrap();
        Self { _sandbox: sandbox, place, locked: Some(locked) }
    }

    fn left(&self) -> BTreeSet<OsString> {
        let entries = fs::read_dir(self.place.path("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect()
    }

    /// Begins a verb, and waits until it has begun its copy.
    fn begin(&self, command: &mut Command) -> Child {
        let before = self.left();
        let command = self.place.clean(command).env("TMPDIR", self.place.path("tmp"));
        let mut command = as_at_terminal(command);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while self.left().is_subset(&before) {
            assert!(begun.elapsed() < LONG, "it made no copy");
            thread::sleep(Duration::from_millis(5));
        }
        child
    }
}

fn signal(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

#[test]
fn a_verb_that_reads_ends_by_a_signal_and_leaves_no_copy() {
    let scene = Scene::new();
    let verbs = [
        &["check"][..],
        &["status"],
        &["log"],
        &["why", "x"],
        &["report", "-o", "r.html"],
        &["export", "-"],
        &["repair", "--dry-run"],
        &["plan"],
    ];
    for (verb, which) in verbs.iter().zip(["-TERM", "-INT", "-HUP"].iter().cycle()) {
        let child = scene.begin(Command::new(binary()).args(*verb));
        signal(&child, which);
        let output = child.wait_with_output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{verb:?} {which}: {talk}");
        assert!(talk.contains("interrupted"), "{verb:?} {which}: {talk}");
        assert_eq!(scene.left().len(), 0, "{verb:?} {which}");
    }
}

#[test]
fn a_copy_that_a_killed_verb_left_is_removed_by_the_next() {
    let mut scene = Scene::new();
    let mut killed = scene.begin(Command::new(binary()).arg("check"));
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(scene.left().len(), 1, "nothing could remove it");
    let mut used = scene.begin(Command::new(binary()).arg("check"));
    let mut third = scene.begin(Command::new(binary()).arg("check"));
    drop(scene.locked.take());
    assert!(used.wait().unwrap().success() && third.wait().unwrap().success());
    assert_eq!(scene.left().len(), 0);
}

#[test]
fn a_terminal_that_is_closed_ends_no_verb_that_was_told_to_ignore_it() {
    let mut scene = Scene::new();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" check"]).arg(binary());
    let mut child = scene.begin(&mut shell);
    signal(&child, "-HUP");
    drop(scene.locked.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(scene.left().len(), 0);
}

#[test]
fn a_folder_for_copies_that_is_not_there_is_an_error() {
    let mut scene = Scene::new();
    drop(scene.locked.take());
    let missing = scene.place.path("not/there");
    let seen = scene.place.run_in(&[("TMPDIR", missing.to_str().unwrap())], &["status"]);
    seen.code(1).says(&["not/there", "let TMPDIR name a folder that is there"]);
    assert!(!scene.place.path("not").exists());
}
