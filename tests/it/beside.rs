//! What can be asked of a daemon that has the store, and what it does for others.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use misp_trickle_testing::{front, program};

use front::{Act, Front};
use program::{ATTRIBUTES, DAY_2, Place, Sandbox, seen, without_ages};
use serde_json::json;

use crate::{
    daemon::{Daemon, MAIN, add, log, until},
    screen::shown,
    store_user::as_nobody,
};

/// A place whose daemon runs only what somebody asks for.
fn place(sandbox: &Sandbox) -> Place {
    let place = crate::daemon::place(sandbox);
    place.configure("every = \"1s\"", "every = \"none\"");
    place
}

/// An export without its head, which names the moment.
fn body(text: &str) -> String {
    text.split_once('\n').unwrap().1.to_owned()
}

#[test]
fn what_is_asked_of_the_store_is_answered_as_without_it() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    place.run(&["sync"]).code(0);
    let verbs: [&[&str]; 4] = [&["check"], &["check", "--json"], &["plan"], &["plan", "--json"]];
    let before = verbs.map(|verb| place.run(verb).code(0));
    let export = place.run(&["export", "-"]).code(0).data;
    let daemon = Daemon::start(&place);
    for (verb, before) in verbs.into_iter().zip(before) {
        let beside = place.run(verb).code(0);
        assert_eq!((&beside.data, &beside.talk), (&before.data, &before.talk), "{verb:?}");
    }
    let beside = place.run(&["export", "-"]).code(0).data;
    assert!(body(&beside) == body(&export), "another export beside the daemon");
    place.run(&["verify"]).code(0).says(&["3 of 3"]);
    // Files are those of whoever asks.
    fs::create_dir(place.path("elsewhere")).unwrap();
    let mut there = place.command(&["--config", "../misp-trickle.toml", "export", "out.jsonl.zst"]);
    seen(there.current_dir(place.path("elsewhere"))).code(0).says(&["out.jsonl.zst: 4 events"]);
    let out = place.path("elsewhere/out.jsonl.zst");
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    let imported = ["import", "elsewhere/out.jsonl.zst", "--store", "imported"];
    place.run(&imported).code(0).says(&["4 events"]);
    let again = place.run(&["export", "-", "--store", "imported"]).code(0).data;
    assert!(body(&again) == body(&export), "another store came of it");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let half = place.command(&["export", "-"]).stdout(full).output().unwrap();
    assert_eq!(half.status.code(), Some(1), "half an export is none");
    place.run(&["export", "nowhere/out.jsonl"]).code(1).says(&["nowhere/out.jsonl"]);
    assert!(!place.path("nowhere").exists());
    let left = fs::read_dir(place.path("elsewhere")).unwrap().count();
    assert_eq!(left, 1, "nothing is left beside the export");
    place.run(&["doctor"]).code(0).says(&["the daemon has", "takes the key", "nothing to send"]);
    daemon.end();
}

#[test]
fn a_machine_without_certificates_asks_the_daemon_too() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let nothing = [("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")];
    place.run_in(&nothing, &["sync"]).code(0);
    let daemon = Daemon::start(&place);
    place.run_in(&nothing, &["status"]).code(0).hides(&["does not answer"]);
    place.run_in(&nothing, &["sync"]).code(0);
    daemon.end();
}

#[test]
fn a_pager_shows_what_the_daemon_answers() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    place.run(&["sync"]).code(0);
    let daemon = Daemon::start(&place);
    for verb in ["log", "status"] {
        let pager = ("PAGER", "sed s/^/paged:/");
        let seen = shown(&place, &[verb, "--quiet"], &[pager, ("COLUMNS", "40")]);
        assert!(seen.lines().all(|line| line.starts_with("paged:")), "{seen}");
    }
    daemon.end();
}

#[test]
fn a_plan_is_saved_and_carried_out_by_the_daemon() {
    let (sandbox, other) = (Sandbox::start(), Sandbox::start());
    let place = place(&sandbox);
    add(&place, "other", &other.url());
    place.run(&["sync"]).code(0);
    let daemon = Daemon::start(&place);
    place.write("day.json", DAY_2);
    let save = ["plan", "--destination", "main", "-o", "plan.json"];
    place.run(&save).code(0).says(&["next: misp-trickle apply plan.json"]);
    // A run that has nothing to do with it leaves the plan as it is.
    place.run(&["sync", "--destination", "other"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    assert!(other.attributes() > ATTRIBUTES);
    let applied = place.run(&["apply", "plan.json", "--json"]).code(0).json();
    assert_eq!(applied["destinations"][0]["outcome"], "done", "{applied}");
    let sent = applied["destinations"][0]["attributes"]["sent"].as_u64().unwrap();
    assert_eq!(sandbox.attributes(), ATTRIBUTES + usize::try_from(sent).unwrap());
    until("the daemon counts it as its own", || {
        let counted =
            daemon.metric("misp_trickle_attributes_total", &format!("{MAIN},result=\"sent\""));
        counted as u64 == sent
    });
    assert!(daemon.metric("misp_trickle_last_success_timestamp_seconds", MAIN) > 1.7e9);
    place.run(&["apply", "plan.json"]).code(7).says(&["the plan is stale"]);
    place.run(&["apply", "nothing.json"]).code(1).says(&["nothing.json", "cannot be read"]);
    place.write("no-plan.json", "{}");
    place.run(&["apply", "no-plan.json"]).code(1).says(&["is no plan that this version can apply"]);
    daemon.end();
}

/// What an answer over the socket says: chunks of HTTP, each a part with five bytes before its own.
fn said(answer: &[u8]) -> String {
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    let (mut rest, mut said) = (&answer[head..], Vec::new());
    while let Some(line) = rest.windows(2).position(|bytes| bytes == b"\r\n") {
        let length = std::str::from_utf8(&rest[..line]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            break;
        }
        said.extend_from_slice(&rest[line + 2 + 5..line + 2 + length]);
        rest = &rest[line + 2 + length + 2..];
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn the_daemon_opens_no_file_that_a_question_names() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    place.run(&["sync"]).code(0);
    place.write("day.json", DAY_2);
    place.run(&["plan", "-o", "plan.json"]).code(0);
    let daemon = Daemon::start(&place);
    let plan = place.path("plan.json");
    let question = json!({ "protocol": 3, "args": ["apply", plan], "store": null, "input": null });
    let question = question.to_string();
    let mut stream = UnixStream::connect(place.path("state/agent.sock")).unwrap();
    write!(
        stream,
        "POST /ask HTTP/1.1\r\nHost: daemon\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{question}",
        question.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let said = said(&answer);
    assert!(said.contains("the question came without it"), "{said}");
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    daemon.end();
}

#[test]
fn what_it_does_not_do_is_said_at_once() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    place.run(&["sync"]).code(0);
    place.run(&["export", "out.jsonl"]).code(0);
    place.run(&["plan", "--source", "day.json", "-o", "own.json"]).code(0);
    let daemon = Daemon::start(&place);
    let begun = Instant::now();
    for verb in [
        &["gc"][..],
        &["plan", "--pull"],
        &["repair"],
        &["repair", "--dry-run"],
        &["import", "out.jsonl"],
    ] {
        let told = ["which this verb needs for itself; stop it first"];
        place.run(&[verb, &["--wait", "1h"]].concat()).code(11).says(&told);
    }
    let own = ["it runs feeds as they are configured; stop it first"];
    place.run(&["plan", "--source", "day.json"]).code(11).says(&own);
    place.run(&["sync", "--deadline", "1h"]).code(11).says(&own);
    place.run(&["apply", "own.json"]).code(11).says(&own);
    place.run(&["verify", "--bwlimit", "64k"]).code(11).says(&own);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    daemon.end();
    place.run(&["gc"]).code(0);
}

#[test]
fn questions_are_answered_beside_a_delivery_and_who_asks_misp_waits_for_his_turn() {
    let sandbox = Sandbox::start();
    let is_held = Arc::new(AtomicBool::new(true));
    let held = is_held.clone();
    let front = Front::before(sandbox.address, move |_, _| match held.load(Ordering::Relaxed) {
        true => Act::PassLate(Duration::from_millis(600)),
        false => Act::Pass,
    });
    let place = place(&sandbox);
    place.configure(&sandbox.url(), &front.url());
    let daemon = Daemon::start(&place);
    let mut sync = place.command(&["sync"]).stdout(Stdio::null()).spawn().unwrap();
    until("it is asked", || !front.seen().is_empty());
    for verb in [&["status"][..], &["log"], &["check"], &["plan"], &["export", "-"]] {
        let begun = Instant::now();
        place.run(verb).code(0);
        assert!(begun.elapsed() < Duration::from_secs(1), "{verb:?}: {:?}", begun.elapsed());
        assert!(sync.try_wait().unwrap().is_none(), "it is still delivering at {verb:?}");
    }
    // Who goes away takes no turn.
    let mut gone = place.command(&["verify"]).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_millis(300));
    gone.kill().unwrap();
    gone.wait().unwrap();
    let verified = thread::scope(|scope| {
        let verify = scope.spawn(|| place.run(&["verify"]));
        thread::sleep(Duration::from_millis(500));
        is_held.store(false, Ordering::Relaxed);
        verify.join().unwrap()
    });
    verified.code(0).says(&["waiting for what is under way at main", "3 of 3"]);
    assert!(sync.wait().unwrap().success());
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    daemon.end();
}

#[test]
fn who_waited_for_his_turn_goes_by_the_configuration_that_holds_then() {
    let sandbox = Sandbox::start();
    let is_held = Arc::new(AtomicBool::new(false));
    let held = is_held.clone();
    let front = Front::before(sandbox.address, move |_, _| {
        while held.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
        Act::Pass
    });
    let place = place(&sandbox);
    place.configure(&sandbox.url(), &front.url());
    place.run(&["sync"]).code(0);
    place.write("day.json", DAY_2);
    place.run(&["plan", "-o", "plan.json"]).code(0);
    let daemon = Daemon::start(&place);
    is_held.store(true, Ordering::Relaxed);
    let before = front.seen().len();
    thread::scope(|scope| {
        let verify = scope.spawn(|| place.run(&["verify"]));
        until("it is asked", || front.seen().len() > before);
        let apply = scope.spawn(|| place.run(&["apply", "plan.json"]));
        thread::sleep(Duration::from_millis(500));
        place.configure("allow_tlp = [\"clear\", \"green\", \"amber\"]", "allow_tlp = [\"clear\"]");
        daemon.signal("-HUP");
        until("it is taken", || log(&place).contains("the configuration was read again"));
        is_held.store(false, Ordering::Relaxed);
        verify.join().unwrap().code(0);
        apply.join().unwrap().code(7).says(&["policy or event settings"]);
    });
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    daemon.end();
}

#[test]
fn colleagues_may_ask_and_have_nothing_done() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    place.run(&["sync"]).code(0);
    let daemon = Daemon::start(&place);
    // As a group of colleagues would have it.
    for (path, mode) in [
        ("", 0o755),
        ("misp-trickle.toml", 0o644),
        ("state", 0o755),
        ("state/lock", 0o644),
        ("state/socket", 0o644),
        ("state/agent.sock", 0o666),
    ] {
        fs::set_permissions(place.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    place.write("plan.json", "{}");
    let Some(status) = as_nobody(&place, &["status"]) else {
        eprintln!(
            "skipped: this user cannot become another, or the program stands where nobody may run it"
        );
        return;
    };
    status.code(0).says(&["main"]);
    for verb in [&["log"][..], &["show", "1"], &["diff", "1"], &["why", "example.org"]] {
        let seen = as_nobody(&place, verb).unwrap();
        let ours = place.run(verb).all();
        assert_eq!(without_ages(&seen.all()), without_ages(&ours), "{verb:?}");
    }
    let told = ["this is for the user who runs the daemon, and root"];
    let acts = [&["sync"][..], &["verify"], &["doctor"], &["pause"], &["apply", "plan.json"]];
    // All of the dataset or of the store is more than a question.
    let large = [&["check"][..], &["plan"], &["export", "-"]];
    for verb in acts.into_iter().chain(large) {
        as_nobody(&place, verb).unwrap().code(11).says(&told);
    }
    assert_eq!(daemon.metric("misp_trickle_paused", MAIN), 0.0);
    daemon.end();
}
