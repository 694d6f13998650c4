//! Faulty stores as their users meet them: what is said, which exit code, and what helps.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    ops::Deref,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use misp_trickle::{
    history::{Commit, Ledger},
    model::Timestamp,
    store::{OpenMode, Owner, Store},
};
use misp_trickle_testing::program::{DAY_2, Place, Sandbox, Seen, binary, seen, without_ages};
use serde_json::Value;

/// A MISP in memory, and a folder with a configuration for it.
struct Stage {
    sandbox: Sandbox,
    place: Place,
}

impl Deref for Stage {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Stage {
    fn new() -> Self {
        let sandbox = Sandbox::start();
        let place = sandbox.place();
        place.write("next.json", DAY_2);
        Self { sandbox, place }
    }

    fn store(&self) -> Store {
        let owner = Owner {
            pid: 1,
            host: "here".to_owned(),
            command: "a test".to_owned(),
            now: Timestamp::from_seconds(0),
        };
        let wait = Duration::from_secs(5);
        Store::open(&self.path("state"), OpenMode::ReadWrite, owner, wait).unwrap()
    }

    /// Flips a byte of the source's name, which stands in the record of a run.
    fn damage_a_run(&self) {
        let engine = self.path("state/engine/db");
        let mut bytes = fs::read(&engine).unwrap();
        let name = b"day.json";
        let at = bytes.windows(name.len()).position(|window| window == name).unwrap();
        bytes[at] = b'D';
        fs::write(&engine, bytes).unwrap();
    }
}

/// Attributes that a run found in MISP. Within the second in which they were first sent they carry the
/// timestamp that this run would have sent, and count as sent.
fn confirmed(sync: &Value) -> u64 {
    let attributes = &sync["destinations"][0]["attributes"];
    attributes["adopted"].as_u64().unwrap() + attributes["sent"].as_u64().unwrap()
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap().success());
}

#[test]
fn a_damaged_store_is_repaired_and_nothing_is_sent_twice() {
    let place = Stage::new();
    place.run(&["repair"]).code(10);
    place.run(&["sync"]).code(0);
    let sent = place.sandbox.attributes();
    let sound = place.run(&["repair", "--json"]).code(0).json();
    assert_eq!(
        (&sound["schema"], &sound["outcome"]),
        (&"misp-trickle/repair/2".into(), &"sound".into())
    );

    place.damage_a_run();
    let check = place.run(&["check"]).code(12);
    assert!(check.talk.contains("misp-trickle repair"), "{}", check.talk);
    let trial = place.run(&["repair", "--dry-run"]).code(12);
    assert!(trial.talk.contains("nothing was changed"), "{}", trial.talk);
    place.run(&["check"]).code(12);
    let repaired = place.run(&["repair", "--json"]).code(0).json();
    assert_eq!(repaired["dry_run"], false);
    let aside = repaired["damaged_engine"].as_str().map(|name| place.path("state").join(name));
    assert!(aside.is_none_or(|folder| folder.is_dir()), "{repaired}");
    place.run(&["check"]).code(0);
    place.run(&["sync"]).code(0);
    assert_eq!(place.sandbox.attributes(), sent, "something was sent twice");
    place.run(&["check"]).code(0);
    place.run(&["log"]).code(0);
}

#[test]
fn damaged_settings_of_the_engine_are_made_anew() {
    let place = Stage::new();
    place.run(&["sync"]).code(0);
    let sent = place.sandbox.attributes();
    fs::write(place.path("state/engine/conf"), "version: x\nsegment_size: y").unwrap();
    let sync = place.run(&["sync"]).code(12);
    assert!(sync.talk.contains("misp-trickle repair"), "{}", sync.talk);
    let repaired = place.run(&["repair"]).code(0);
    assert!(repaired.data.contains("every record is whole"), "{}", repaired.data);
    place.run(&["sync", "--source", "next.json"]).code(0);
    assert!(place.sandbox.attributes() > sent);
    place.run(&["check"]).code(0);
}

#[test]
fn a_store_that_lost_everything_is_begun_anew_and_adopts() {
    let place = Stage::new();
    place.run(&["sync"]).code(0);
    let sent = place.sandbox.attributes();
    fs::write(place.path("state/engine/db"), "").unwrap();
    place.run(&["sync"]).code(12);
    let repaired = place.run(&["repair"]).code(0);
    assert!(repaired.data.contains("engine.damaged-1"), "{}", repaired.data);
    let sync = place.run(&["sync", "--json"]).code(0).json();
    assert_eq!(confirmed(&sync), 41, "{sync}");
    assert_eq!(place.sandbox.attributes(), sent, "something was sent twice");
}

#[test]
fn an_older_store_proves_with_misp_before_it_writes() {
    let place = Stage::new();
    place.run(&["sync"]).code(0);
    copy(&place.path("state/engine"), &place.path("earlier"));
    place.run(&["sync", "--source", "next.json"]).code(0);
    let sent = place.sandbox.attributes();
    fs::remove_dir_all(place.path("state/engine")).unwrap();
    fs::rename(place.path("earlier"), place.path("state/engine")).unwrap();

    let log = place.run(&["log"]).code(0);
    assert!(log.talk.contains("the store is older than it was"), "{}", log.talk);
    let sync = place.run(&["sync", "--source", "next.json", "--json"]).code(0);
    assert!(sync.talk.contains("is proven with MISP before anything"), "{}", sync.talk);
    assert_eq!(confirmed(&sync.json()), 5, "{}", sync.data);
    assert_eq!(place.sandbox.attributes(), sent, "something was sent twice");
    let again = place.run(&["sync", "--source", "next.json", "--json"]).code(0);
    assert_eq!(again.json()["destinations"][0]["requests"], 0);
    assert!(!again.talk.contains("warning"), "{}", again.talk);
}

#[test]
fn garbage_is_collected_and_the_history_stays() {
    let place = Stage::new();
    place.run(&["gc"]).code(10);
    place.run(&["sync"]).code(0);
    place.run(&["sync", "--source", "next.json"]).code(0);
    let show = || without_ages(&place.run(&["show", "@-"]).code(0).data);
    let before = show();
    let gc = place.run(&["gc", "--json"]).code(0).json();
    assert_eq!((&gc["schema"], &gc["objects_removed"]), (&"misp-trickle/gc/2".into(), &0.into()));
    assert!(gc["bytes_after"].as_u64() <= gc["bytes_before"].as_u64(), "{gc}");
    assert_eq!(show(), before);
    place.run(&["check"]).code(0);
    assert!(place.run(&["gc"]).code(0).data.contains("0 objects removed"));
    place.damage_a_run();
    let damaged = place.run(&["gc"]);
    assert!(damaged.code == 12 || place.run(&["check"]).code == 0, "{}", damaged.talk);
}

#[test]
fn an_export_makes_the_same_store_elsewhere() {
    let place = Stage::new();
    place.run(&["export", "x.jsonl"]).code(10);
    place.run(&["sync"]).code(0);
    let written = place.run(&["export", "out.jsonl", "--json"]).code(0).json();
    assert_eq!(written["counts"]["attributes"], 48, "{written}");
    place.run(&["export", "out.jsonl.zst"]).code(0);
    let text = fs::read_to_string(place.path("out.jsonl")).unwrap();
    assert!(!text.contains(&place.key), "a secret is in the export");
    let body = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    let stream = place.run(&["export", "-"]).code(0).data;
    assert!(body(&stream) == body(&text));
    assert!(fs::metadata(place.path("out.jsonl.zst")).unwrap().len() < text.len() as u64);
    assert!(!place.path("out.jsonl.part").exists());

    for (from, to) in [("out.jsonl", "plain"), ("out.jsonl.zst", "packed")] {
        place.run(&["import", from, "--store", to]).code(0);
        place.run(&["check", "--store", to]).code(0);
        assert!(body(&place.run(&["export", "-", "--store", to]).code(0).data) == body(&text));
        let again = place.run(&["import", from, "--store", to]).code(1);
        assert!(again.talk.contains("holds something already"), "{}", again.talk);
    }
    let requests = place.sandbox.requests();
    place.run(&["sync", "--store", "plain"]).code(0);
    assert_eq!(place.sandbox.requests(), requests, "it knows what was sent");

    fs::write(place.path("bad.jsonl"), text.replacen("\"kind\":\"run\"", "\"kind\":\"ran\"", 1))
        .unwrap();
    let bad = place.run(&["import", "bad.jsonl", "--store", "bad"]).code(1);
    assert!(bad.talk.contains("line 4: "), "{}", bad.talk);
    let packed = fs::read(place.path("out.jsonl.zst")).unwrap();
    fs::write(place.path("cut.jsonl.zst"), &packed[..packed.len() / 2]).unwrap();
    place.run(&["import", "cut.jsonl.zst", "--store", "bad"]).code(1);
    place.run(&["log", "--store", "bad"]).code(10);
    place.run(&["import", "none.jsonl", "--store", "bad"]).code(1);
    place.run(&["export", "no/such/folder/x.jsonl"]).code(1);
}

#[test]
fn a_lock_that_was_left_behind_locks_nobody_out() {
    let place = Stage::new();
    place.run(&["sync"]).code(0);
    fs::write(place.path("state/lock"), "4711").unwrap();
    fs::write(place.path("state/holder"), "pid 4711 on elsewhere").unwrap();
    place.run(&["log"]).code(0);
    let store = place.store();
    for verb in [&["repair"][..], &["gc"], &["export", "x.jsonl"], &["import", "x", "--wait", "0s"]]
    {
        let seen = place.run(&[verb, &["--wait", "100ms"]].concat());
        assert!(matches!(seen.code, 11 | 1 | 2), "{verb:?}: {}", seen.talk);
        assert!(seen.code != 11 || seen.talk.contains("a test"), "{}", seen.talk);
    }
    drop(store);
    place.run(&["repair"]).code(0);
}

#[test]
fn a_clock_that_went_back_is_noted_and_stops_nothing() {
    let place = Stage::new();
    place.run(&["sync"]).code(0);
    let mut store = place.store();
    let number = store.last_run().unwrap();
    let mut run = store.run(number).unwrap().unwrap();
    run.begun = Timestamp::from_seconds(4_000_000_000);
    let (destination, commit) =
        (run.destination.clone(), Commit { run: Some(run), ..Commit::default() });
    store.commit(&destination, number, commit).unwrap();
    drop(store);
    for arguments in [&["sync"][..], &["sync", "--source", "next.json"]] {
        place.run(arguments).code(0);
        let runs = place.run(&["show", "@", "--json"]).code(0).json();
        let told = runs["run"]["notes"].to_string().contains("clock of this machine went back");
        assert_eq!(told, arguments.len() == 1, "only after the jump: {}", runs["run"]["notes"]);
    }
}

/// One run with a wrong clock is no success for a monitor until its time has come.
#[test]
fn a_success_that_lies_in_the_future_is_not_fresh() {
    let place = Stage::new();
    place.run(&["sync"]).code(0);
    place.run(&["status", "--max-age", "1h"]).code(0);
    let mut store = place.store();
    let number = store.last_run().unwrap();
    let mut run = store.run(number).unwrap().unwrap();
    run.ended = Some(Timestamp::from_seconds(4_000_000_000));
    let (destination, commit) =
        (run.destination.clone(), Commit { run: Some(run), ..Commit::default() });
    store.commit(&destination, number, commit).unwrap();
    drop(store);
    let seen = place.run(&["status", "--max-age", "1h"]).code(9);
    assert!(seen.data.contains("in the future by this machine's clock"), "{}", seen.data);
    let seen = place.run(&["status", "--max-age", "1h", "--json"]).code(9).json();
    assert!(seen["routes"][0]["age_seconds"].is_null(), "{}", seen["routes"]);
    place.run(&["sync"]).code(0);
    place.run(&["status", "--max-age", "1h"]).code(0);
}

/// The program as a user without rights of their own, if this one may become another; else nothing.
#[cfg(unix)]
#[expect(clippy::print_stdout, reason = "whoever reads the output of the test should know")]
fn as_nobody(place: &Place, arguments: &[&str]) -> Option<Seen> {
    use std::os::unix::process::CommandExt;
    let mut command = place.command(arguments);
    let output = command.uid(65_534).gid(65_534).stdin(Stdio::null()).output();
    match output {
        Ok(output) => Some(Seen {
            code: output.status.code().unwrap(),
            data: String::from_utf8(output.stdout).unwrap(),
            talk: String::from_utf8(output.stderr).unwrap(),
        }),
        Err(error) => {
            println!("skipped: this user cannot become another: {error}");
            None
        }
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_named_with_what_helps() {
    use std::os::unix::fs::PermissionsExt;
    let place = Stage::new();
    place.run(&["sync"]).code(0);
    fs::set_permissions(place.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    let mode = |path: &str, mode| {
        fs::set_permissions(place.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    // Somebody else's store: not even its lock can be opened.
    mode("state", 0o755);
    let Some(other) = as_nobody(&place, &["sync"]) else { return };
    assert!(other.talk.contains("Permission denied"), "{}", other.talk);
    assert!(other.talk.contains("run it as the user who owns the store"), "{}", other.talk);
    let other = other.code(1);
    assert!(!other.talk.contains(&place.key), "{}", other.talk);
    // A folder in which no store can be made.
    let Some(new) = as_nobody(&place, &["sync", "--store", "new"]) else { return };
    assert!(
        new.talk.contains("new: the store cannot be created: Permission denied"),
        "{}",
        new.talk
    );
    let _new = new.code(1);
    let Some(out) = as_nobody(&place, &["import", "x", "--store", "new"]) else { return };
    let _out = out.code(1);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_grow_is_no_damage_and_the_next_run_goes_on() {
    let place = Stage::new();
    place.run(&["sync"]).code(0);
    let sent = place.sandbox.attributes();
    let blocks = fs::metadata(place.path("state/engine/db")).unwrap().len() / 1024;
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("bash");
    shell.current_dir(place.folder()).env("MISP_API_KEY", &place.key);
    shell.args(["-c", &script, binary().to_str().unwrap()]);
    let mut last = seen(shell.args(["sync", "--source", "next.json"]));
    if last.code == 0 {
        last = place.run(&["check"]);
    } else {
        assert_eq!(last.code, 1, "{}", last.talk);
        assert!(last.talk.contains("File too large"), "{}", last.talk);
    }
    assert!(!last.talk.contains("damaged"), "{}", last.talk);
    place.run(&["sync", "--source", "next.json"]).code(0);
    place.run(&["check"]).code(0);
    assert_eq!(place.sandbox.attributes(), sent + 5);
}

/// Rights that an export gave a file, if it was not there before, and what stands in its folder.
#[cfg(unix)]
#[test]
fn an_export_replaces_a_file_and_nothing_else() {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

    let place = Stage::new();
    place.run(&["sync"]).code(0);
    let mode = |name: &str| fs::metadata(place.path(name)).unwrap().mode() & 0o777;
    place.run(&["export", "new.jsonl"]).code(0);
    assert_eq!(mode("new.jsonl"), 0o600);
    // A file keeps its rights, and a link stays one.
    fs::write(place.path("real.jsonl"), "old").unwrap();
    fs::set_permissions(place.path("real.jsonl"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.jsonl", place.path("link.jsonl")).unwrap();
    place.run(&["export", "link.jsonl"]).code(0);
    assert!(fs::symlink_metadata(place.path("link.jsonl")).unwrap().is_symlink());
    assert!(fs::read_to_string(place.path("real.jsonl")).unwrap().starts_with('{'));
    assert_eq!(mode("real.jsonl"), 0o640);
    // A link that leads nowhere yet makes the file it names.
    symlink("later.jsonl", place.path("ahead.jsonl")).unwrap();
    place.run(&["export", "ahead.jsonl"]).code(0);
    assert!(fs::symlink_metadata(place.path("later.jsonl")).unwrap().is_file());
    // A pipe is written to.
    let pipe = place.path("pipe.jsonl");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    place.run(&["export", "pipe.jsonl"]).code(0);
    assert!(reader.join().unwrap().ends_with("}\n"));
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    let left = fs::read_dir(place.folder()).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!left.into_iter().any(|name| name.contains(".part")), "a temporary file is left");
}

#[cfg(unix)]
#[test]
fn half_an_export_is_an_error() {
    let place = Stage::new();
    place.run(&["sync"]).code(0);
    place.run(&["export", "/dev/full"]).code(1);
    let mut child = place.command(&["export", "-"]).stdout(Stdio::piped()).spawn().unwrap();
    // The reader goes away before the first byte.
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let status = place.command(&["export", "-"]).stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(1));
}
