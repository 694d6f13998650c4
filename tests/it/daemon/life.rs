//! How the daemon begins, takes another configuration, and ends.

use super::*;

#[test]
fn a_new_configuration_is_taken_whole_or_not_at_all() {
    let (one, two) = (Sandbox::start(), Sandbox::start());
    let place = place(&one);
    let daemon = Daemon::start(&place);
    until("the first is served", || one.attributes() == ATTRIBUTES);
    let sound = fs::read_to_string(place.path("misp-trickle.toml")).unwrap();
    place.write("misp-trickle.toml", &(sound.clone() + "\n[destinations.b]\nurl = 7\n"));
    daemon.signal("-HUP");
    until("it is told", || log(&place).contains("the configuration stays as it was"));
    place.write("misp-trickle.toml", &sound);
    place.configure("path = \"state\"", "path = \"other\"");
    daemon.signal("-HUP");
    until("it is told", || log(&place).contains("the store cannot change while the daemon runs"));
    place.write("misp-trickle.toml", &sound);
    place.configure("[source]", "[feeds.other]\nwas = \"main\"\n[feeds.other.source]");
    daemon.signal("-HUP");
    until("it is told", || log(&place).contains("the name of a feed cannot change while"));
    place.write("misp-trickle.toml", &sound);
    add(&place, "two", &two.url());
    daemon.signal("-HUP");
    until("the second is served", || two.attributes() == ATTRIBUTES);
    // Without the first one the second goes on.
    place.write("misp-trickle.toml", &sound);
    place.configure(&one.url(), &two.url());
    daemon.signal("-HUP");
    until("it is taken", || log(&place).matches("the configuration was read again").count() == 2);
    daemon.end();
}

#[test]
fn after_a_kill_the_next_one_takes_over() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let daemon = Daemon::start(&place);
    until("it delivers", || sandbox.attributes() == ATTRIBUTES);
    daemon.kill();
    assert!(place.path("state/socket").exists(), "it had no time to tidy up");
    place.run(&["log"]).code(0);
    let daemon = Daemon::start(&place);
    place.run(&["log"]).code(0);
    // Where it hangs, others are told so instead of waiting.
    daemon.signal("-STOP");
    let begun = Instant::now();
    place.run(&["log"]).code(11).says(&["the daemon that has the store does not answer"]);
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    daemon.signal("-CONT");
    place.run(&["log"]).code(0);
    assert!(daemon.end() < SOON);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn a_signal_in_the_middle_of_a_slow_delivery_ends_it_in_time_and_loses_nothing() {
    let sandbox = Sandbox::start();
    let late = Duration::from_secs(2);
    let front = Front::before(sandbox.address, move |_, _| Act::PassLate(late));
    let place = place(&sandbox);
    place.configure(&sandbox.url(), &front.url());
    let daemon = Daemon::start(&place);
    until("it is asked", || !front.seen().is_empty());
    let took = daemon.end();
    assert!(took < SOON, "{took:?}");
    place.configure(&front.url(), &sandbox.url());
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn what_no_daemon_can_run_by_is_refused_before_anything_is_touched() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    place.configure("kind = \"file\"", "kind = \"stdin\"");
    place.configure("path = \"day.json\"", "path = \"\"");
    place.run(&["run"]).code(1).says(&["reads standard input"]);
    place.configure("kind = \"stdin\"", "kind = \"file\"");
    place.run(&["run"]).code(1).says(&["names no path"]);
    assert!(!place.path("state").exists());
}

#[test]
fn the_units_are_ones_that_systemd_takes() {
    let folder = tempfile::tempdir().unwrap();
    let program = program::binary();
    let mut paths = Vec::new();
    let units = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/debian");
    for (name, package) in [
        ("misp-trickle.service", ""),
        ("misp-trickle-sync.service", "misp-trickle."),
        ("misp-trickle-sync.timer", "misp-trickle."),
    ] {
        let text = fs::read_to_string(units.join(format!("{package}{name}"))).unwrap();
        paths.push(folder.path().join(name));
        let text = text.replace("/usr/bin/misp-trickle", program.to_str().unwrap());
        fs::write(paths.last().unwrap(), text).unwrap();
    }
    let Ok(verified) = Command::new("systemd-analyze").arg("verify").args(&paths).output() else {
        eprintln!("skipped: there is no systemd-analyze here");
        return;
    };
    let told = String::from_utf8_lossy(&verified.stderr).into_owned();
    // What it says of other units of this machine is none of our matter, and the user comes with the package.
    let ours = told.lines().filter(|line| line.contains("misp-trickle"));
    let ours: Vec<&str> = ours.filter(|line| !line.contains("user")).collect();
    assert!(ours.is_empty(), "{told}");
}

#[test]
fn the_service_manager_hears_when_it_is_ready_alive_and_at_its_end() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let path = place.path("notify.sock");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    let daemon = Daemon::with(place.command(&["run"]).env("NOTIFY_SOCKET", &path), place.folder());
    let mut heard = Vec::new();
    let mut hear = |what: &str| {
        // The daemon goes on telling that it is alive, so no single wait says that this does not come.
        let end = Instant::now() + LONG;
        while !heard.iter().any(|text: &String| text.contains(what)) {
            assert!(Instant::now() < end, "{what} does not come: {heard:?}");
            let mut buffer = [0; 512];
            let read = socket.recv(&mut buffer).unwrap();
            heard.push(String::from_utf8(buffer[..read].to_vec()).unwrap());
        }
    };
    hear("READY=1");
    hear("WATCHDOG=1");
    hear("STATUS=1 routes");
    daemon.signal("-HUP");
    hear("RELOADING=1");
    daemon.signal("-TERM");
    hear("STOPPING=1");
    daemon.end();
}

#[test]
fn what_is_exposed_is_shown_as_long_as_it_is() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let exposed = |daemon: &Daemon| {
        daemon.has_metric("misp_trickle_exposed_attributes", "destination=\"main\"")
    };
    let daemon = Daemon::start(&place);
    until("it delivers", || sandbox.attributes() == ATTRIBUTES);
    until("it is counted", || exposed(&daemon) == Some(0.0));
    let day = fs::read_to_string(place.path("day.json")).unwrap();
    let stricter = day.replace("\"AMBER\"", "\"RED\"").replace("\"GREEN\"", "\"RED\"");
    place.write("day.json", &stricter);
    until("it is told", || exposed(&daemon).is_some_and(|count| count > 0.0));
    let count = exposed(&daemon);
    daemon.end();
    // A counter would begin at 0 again.
    let daemon = Daemon::start(&place);
    until("it is counted again", || exposed(&daemon) == count);
    place.write("day.json", &day);
    until("it is over", || exposed(&daemon) == Some(0.0));
    daemon.end();
}

/// Other commands are told of its socket in a file of text, so there they do not find it.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_whose_path_is_not_utf_8_is_one_to_run_in() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let folder = place.path("").join(OsStr::from_bytes(b"n\xff"));
    fs::create_dir(&folder).unwrap();
    for file in ["misp-trickle.toml", "day.json"] {
        fs::copy(place.path(file), folder.join(file)).unwrap();
    }
    let daemon = Daemon::with(place.command(&["run"]).current_dir(&folder), &folder);
    until("it delivers", || sandbox.attributes() == ATTRIBUTES);
    daemon.end();
    let told = fs::read_to_string(folder.join("run.log")).unwrap();
    assert!(told.contains("is not UTF-8") && told.contains("set `socket`"), "{told}");
}
