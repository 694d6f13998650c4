//! What the daemon delivers, when, and whom it tells.

use super::*;

#[test]
fn it_delivers_what_changes_and_answers_meanwhile() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let daemon = Daemon::start(&place);
    until("the first day arrives", || sandbox.attributes() == ATTRIBUTES);
    until("it is recorded", || {
        daemon.metric("misp_trickle_last_success_timestamp_seconds", MAIN) > 0.0
    });
    assert!(daemon.metric("misp_trickle_runs_total", &format!("{MAIN},outcome=\"done\"")) >= 1.0);
    assert_eq!(daemon.get("/healthz", "127.0.0.1").0, 200);
    assert_eq!(daemon.get("/readyz", "[::1]:1").0, 200);
    assert_eq!(daemon.get("/metrics", "evil.example").0, 403);
    assert_eq!(daemon.get("/ask", "localhost").0, 404);
    // Every question is answered as by the store itself.
    for verb in [&["log"][..], &["show", "1"], &["status"], &["log", "-n", "1", "--oneline"]] {
        place.run(verb).code(0);
    }
    let begun = Instant::now();
    let shown = place.json(&["show", "1"]);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(shown["schema"], "misp-trickle/show/2");
    place.run(&["show", "7777"]).code(1).says(&["7777"]);
    place.run(&["status", "--max-age", "1h"]).code(0).says(&["main -> main: last success"]);
    // An edit goes by itself.
    place.write("day.json", DAY_2);
    until("the second day arrives", || sandbox.attributes() > ATTRIBUTES);
    let sent = format!("{MAIN},result=\"sent\"");
    until("it is counted", || {
        let counted = daemon.metric("misp_trickle_attributes_total", &sent);
        counted as usize == sandbox.attributes()
    });
    let requests = daemon.metric("misp_trickle_requests_total", MAIN) as u64;
    assert_eq!(requests, sandbox.requests());
    let took = daemon.end();
    assert!(took < SOON, "{took:?}");
    let mut left: Vec<_> = fs::read_dir(place.path("state"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["acknowledged", "engine", "lock"]);
    place.run(&["check"]).code(0);
    assert_eq!(place.run(&["sync", "--json"]).code(0).json()["destinations"][0]["requests"], 0);
}

#[test]
fn a_dead_destination_holds_no_other_and_shows() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    add(&place, "dead", "http://127.0.0.1:1");
    let daemon = Daemon::start(&place);
    until("the living gets its share", || sandbox.attributes() == ATTRIBUTES);
    place.write("day.json", DAY_2);
    until("and the next day's", || sandbox.attributes() > ATTRIBUTES);
    let dead = "feed=\"main\",destination=\"dead\"";
    until("the dead one fails", || daemon.metric("misp_trickle_failures", dead) >= 1.0);
    assert_eq!(daemon.metric("misp_trickle_last_success_timestamp_seconds", dead), 0.0);
    let success = daemon.metric("misp_trickle_last_success_timestamp_seconds", MAIN);
    assert!(success > 1.7e9, "{success}");
    place.run(&["status", "--max-age", "1h"]).code(9).says(&["main -> dead: no success yet"]);
    place.run(&["status", "--destination", "main", "--max-age", "1h"]).code(0);
    assert!(log(&place).contains("127.0.0.1:1"), "{}", log(&place));
    assert!(daemon.end() < SOON);
    // Without the daemon the answer is the same.
    place.run(&["status", "--max-age", "1h"]).code(9);
}

#[test]
fn sync_beside_it_runs_the_route_and_tells_what_came_of_it() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    place.configure("every = \"1s\"", "every = \"none\"");
    let daemon = Daemon::start(&place);
    assert_eq!(sandbox.attributes(), 0);
    let answer = place.run(&["sync", "--json"]).code(0).json();
    assert_eq!(answer["schema"], "misp-trickle/sync/2");
    assert_eq!(answer["destinations"][0]["attributes"]["sent"], ATTRIBUTES);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    place.write("day.json", DAY_2);
    place.run(&["sync", "--destination", "main"]).code(0).says(&["main -> main: done"]);
    assert!(sandbox.attributes() > ATTRIBUTES);
    place.run(&["sync", "--destination", "nobody"]).code(1).says(&["main to main"]);
    place.run(&["sync", "--source", "-"]).code(11).says(&["it runs feeds as they are configured"]);
    daemon.end();
}

#[test]
fn what_is_paused_stays_so_until_somebody_resumes_it() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    place.run(&["pause"]).code(0).says(&["main to main is paused"]);
    let daemon = Daemon::start(&place);
    assert_eq!(daemon.metric("misp_trickle_paused", MAIN), 1.0);
    thread::sleep(Duration::from_millis(1_500));
    assert_eq!(sandbox.attributes(), 0);
    place.run(&["resume", "--feed", "main"]).code(0).says(&["runs by its schedule"]);
    until("it runs", || sandbox.attributes() == ATTRIBUTES);
    place.run(&["pause", "--destination", "main"]).code(0);
    daemon.end();
    let daemon = Daemon::start(&place);
    assert_eq!(daemon.metric("misp_trickle_paused", MAIN), 1.0);
    daemon.end();
    place.run(&["pause", "--feed", "nobody"]).code(1).says(&["the configuration has main to main"]);
}

#[test]
fn a_first_run_waits_until_somebody_lets_it() {
    const WAITS: &str =
        "first run waits; next: `misp-trickle resume --feed main --destination main`";
    let (one, two) = (Sandbox::start(), Sandbox::start());
    let place = place(&one);
    add(&place, "two", &two.url());
    place.configure("first_run = \"run\"", "first_run = \"hold\"");
    let daemon = Daemon::start(&place);
    place.run(&["status"]).code(0).says(&[WAITS, "main -> two: no success yet"]);
    let status = place.json(&["status"]);
    assert_eq!(status["routes"][0]["held"], "first_run");
    assert_eq!(daemon.metric("misp_trickle_paused", MAIN), 1.0);
    thread::sleep(Duration::from_millis(1_500));
    assert_eq!(one.requests() + two.requests(), 0);
    // What was let go stays so, although it did not run yet.
    place.configure("every = \"1s\"", "at = \"00:00\"");
    daemon.signal("-HUP");
    until("it is taken", || log(&place).contains("the configuration was read again"));
    place.run(&["resume", "--destination", "main"]).code(0);
    place.run(&["status"]).code(0).hides(&[WAITS]);
    daemon.end();
    place.configure("at = \"00:00\"", "every = \"1s\"");
    let daemon = Daemon::start(&place);
    until("it runs", || one.attributes() == ATTRIBUTES);
    assert_eq!(two.requests(), 0);
    // Who asks for a run lets it, too.
    place.run(&["sync", "--destination", "two"]).code(0);
    assert!(place.json(&["status"])["routes"][1]["held"].is_null());
    place.write("day.json", DAY_2);
    until("it goes on by itself", || two.attributes() > ATTRIBUTES);
    place.run(&["pause"]).code(0);
    place.run(&["status"]).says(&["; paused"]);
    daemon.end();
}

#[test]
fn a_change_is_told_once_and_without_a_key() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hook = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/secret-path", hook.local_addr().unwrap());
    place.write("url", &url);
    place.write("alarm.sh", "#!/bin/sh\ncat >> told.$1; echo >> told.$1; env > env.$1; exit 3\n");
    fs::set_permissions(place.path("alarm.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let serve = "on_failure = [\"./alarm.sh\", \"it\"]\non_failure_url_file = \"url\"";
    place.configure("# socket = \"agent.sock\"", &format!("{serve} #"));
    place.configure(&sandbox.url(), &format!("http://{dead}"));
    let told = || -> Vec<Value> {
        let text = fs::read_to_string(place.path("told.it")).unwrap_or_default();
        text.lines()
            .inspect(|line| check_line(line))
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    };
    let daemon = Daemon::start(&place);
    until("it is told", || told().len() == 1);
    assert_eq!(told()[0]["state"], "failing");
    assert!(told()[0]["detail"].as_str().unwrap().contains("no connection"), "{:?}", told());
    let (mut posted, _) = hook.accept().unwrap();
    let mut seen = [0; 4_096];
    let mut text = String::new();
    while !text.contains("\"failing\"") {
        let read = posted.read(&mut seen).unwrap();
        assert!(read > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&seen[..read]));
    }
    assert!(text.starts_with("POST /secret-path"), "{text}");
    let readable = "other users can read the address of on_failure_url; run: chmod 600";
    assert_eq!(log(&place).matches(readable).count(), 1, "{}", log(&place));
    posted.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n").unwrap();
    until("the log says it", || {
        log(&place).contains("nobody was told by on_failure_url: it answers 500")
    });
    let environment = fs::read_to_string(place.path("env.it")).unwrap();
    assert!(
        !environment.contains("MISP_API_KEY") && !environment.contains(&place.key),
        "{environment}"
    );
    assert!(
        log(&place).contains("nobody was told by on_failure: ./alarm.sh ended with exit status: 3")
    );
    until("it failed again", || daemon.metric("misp_trickle_failures", MAIN) > 1.0);
    assert_eq!(told().len(), 1, "once");
    daemon.end();
    // Over a restart it is still known.
    place.configure(&format!("http://{dead}"), &sandbox.url());
    let daemon = Daemon::start(&place);
    until("it is told", || told().len() == 2);
    assert_eq!(told()[1]["state"], "recovered");
    assert!(!log(&place).contains("secret-path"));
    daemon.end();
}

/// A user and a group without any rights, and another user, on every machine.
const NOBODY: u32 = 65_534;
const STRANGER: u32 = 65_533;

#[test]
fn colleagues_of_a_group_may_ask_and_have_nothing_done() {
    let sandbox = Sandbox::start();
    let place = place(&sandbox);
    let open = |path: &std::path::Path| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    open(place.folder());
    let serve = format!("socket = \"asked.sock\"\ngroup = \"{NOBODY}\"");
    place.configure("# socket = \"agent.sock\"", &format!("{serve} #"));
    let colleague = |user: u32, group: u32, arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.uid(user).gid(group);
        command.output().ok().map(|_| program::seen(&mut command))
    };
    if colleague(NOBODY, NOBODY, &["--version"]).is_none_or(|seen| seen.code != 0) {
        println!("skipped: this user may not act for others");
        return;
    }
    let daemon = Daemon::start(&place);
    until("it ran", || daemon.metric("misp_trickle_last_success_timestamp_seconds", MAIN) > 0.0);
    let mode = fs::metadata(place.path("asked.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let ask = |arguments| colleague(NOBODY, NOBODY, arguments).unwrap();
    ask(&["status"]).code(0).says(&["main -> main: last success"]);
    ask(&["log"]).code(0).says(&["run 1"]);
    for verb in [&["sync"][..], &["pause"], &["resume"]] {
        ask(verb).code(11).says(&["this is for the user who runs the daemon, and root"]);
    }
    place.run(&["status"]).code(0).hides(&["paused"]);
    // Who is not of the group does not get in.
    let stranger = colleague(STRANGER, STRANGER, &["status"]).unwrap();
    assert_ne!(stranger.code, 0, "{}", stranger.all());
    daemon.end();
    place.configure(&format!("group = \"{NOBODY}\""), "group = \"no-such-group\"");
    place.run(&["run"]).code(1).says(&["there is no group no-such-group in /etc/group"]);
    fs::set_permissions(place.folder(), fs::Permissions::from_mode(0o775)).unwrap();
    place.configure("group = \"no-such-group\"", "");
    place.run(&["run"]).code(1).says(&["others may put a socket of theirs in the place of"]);
}

#[test]
fn the_demonstration_of_the_daemon_holds_what_it_says() {
    let place = Place::at("http://127.0.0.1:1", "key");
    let seen = place.run(&["demo", "--live"]).code(0);
    let seen =
        seen.says(&["$ misp-trickle run &", "the last attempt failed", "Nothing of this is left"]);
    assert_eq!(seen.talk, "");
}

#[test]
fn sync_without_a_feed_runs_every_feed_to_each_of_its_destinations() {
    let (one, two) = (Sandbox::start(), Sandbox::start());
    let place = one.place();
    add(&place, "two", &two.url());
    place.write("other.json", DAY_2);
    let text = fs::read_to_string(place.path("misp-trickle.toml")).unwrap();
    let feed = "\n[feeds.other]\npath = \"other.json\"\ndestinations = [\"two\"]\n";
    place.write("misp-trickle.toml", &(text + feed));
    let answer = place.run(&["sync", "--json"]).code(0).json();
    assert_eq!(answer["destinations"].as_array().unwrap().len(), 3);
    assert_eq!(one.attributes(), ATTRIBUTES);
    assert!(two.attributes() > ATTRIBUTES);
    place
        .run(&["sync", "--feed", "other", "--destination", "main"])
        .code(1)
        .says(&["feed other does not go to destination main"]);
    place.run(&["plan", "-o", "plan.json"]).code(1).says(&["several feeds"]);
}
