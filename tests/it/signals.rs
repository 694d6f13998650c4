//! SIGINT and SIGTERM while a slow MISP works: what is under way is finished and recorded, the program is gone
//! in time, and the next run neither loses nor doubles anything.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use front::{Act, Front, Message, answer};
use misp_trickle_testing::{front, program, schema::check_line};
use program::{ATTRIBUTES, Lateness, Place, Sandbox, Seen, as_at_terminal, with_signals};
use serde_json::Value;

/// From the first signal to the end of the program.
const SOON: Duration = Duration::from_secs(5);
/// From the second one.
const AT_ONCE: Duration = Duration::from_millis(1_000);
/// Longer than anybody waits who was asked to stop.
const LONG: Duration = Duration::from_secs(30);
const SIGNALS: [&str; 2] = ["-INT", "-TERM"];

/// A run under way.
struct Run(Option<Child>);

impl Run {
    fn start(place: &Place, verb: &str) -> Self {
        Self::of(&mut as_at_terminal(&place.command(&[verb])))
    }

    fn of(command: &mut Command) -> Self {
        Self(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
    }

    fn signal(&self, signal: &str) {
        let pid = self.0.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits for its end, so long at most, but for what a busy machine adds.
    #[track_caller]
    fn ends_within(mut self, span: Duration) -> Seen {
        let (start, lateness) = (Instant::now(), Lateness::watch());
        let child = self.0.as_mut().unwrap();
        while child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < span + LONG, "it still runs after {:?}", start.elapsed());
            thread::sleep(Duration::from_millis(10));
        }
        let took = start.elapsed();
        assert!(lateness.off(took) < span, "it ran for {took:?}");
        let output = self.0.take().unwrap().wait_with_output().unwrap();
        Seen {
            code: output.status.code().expect("it ends by itself, not by the signal"),
            data: String::from_utf8(output.stdout).unwrap(),
            talk: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn place(front: &Front, sandbox: &Sandbox) -> Place {
    let place = Place::new(&front.url(), &sandbox.key("sync"), "verify_tls = true");
    place.configure("compression = \"auto\"", "compression = \"off\"");
    place.configure("timeout = \"20s\"", "timeout = \"60s\"");
    place
}

fn writes(request: &Message) -> bool {
    ["/events/add", "/events/edit", "/attributes/add"]
        .iter()
        .any(|it| request.target().contains(it))
}

fn wait_for(front: &Front, wanted: impl Fn(&Message) -> bool) {
    let start = Instant::now();
    while !front.seen().iter().any(&wanted) {
        assert!(start.elapsed() < LONG, "the request never came");
        thread::sleep(Duration::from_millis(10));
    }
}

/// How often each attribute was sent, by its UUID.
fn sent(front: &Front) -> BTreeMap<String, usize> {
    let mut sent = BTreeMap::new();
    for request in front.seen().iter().filter(|request| writes(request)) {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let attributes = [&body["Event"]["Attribute"], &body["Attribute"], &body];
        // One alone goes without a list, and an event without any where MISP has to show its colour first.
        let alone = body["value"].is_string().then_some(&body);
        let listed = attributes.iter().find_map(|it| it.as_array()).into_iter().flatten();
        for attribute in listed.chain(alone) {
            *sent.entry(attribute["uuid"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    sent
}

/// The next run finishes the rest, and the one after has nothing to do.
#[track_caller]
fn the_rest_follows(place: &Place, sandbox: &Sandbox, front: &Front) {
    place.run(&["check"]).code(0);
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    let sent = sent(front);
    assert_eq!(sent.len(), ATTRIBUTES);
    assert!(sent.values().all(|times| *times == 1), "something was sent twice: {sent:?}");
    let requests = front.seen().len();
    place.run(&["sync"]).code(0);
    assert_eq!(front.seen().len(), requests, "there was something left to ask");
    place.run(&["verify"]).code(0);
}

/// What the history says of the newest run.
fn last_outcome(place: &Place) -> Value {
    let seen = place.run(&["log", "--json"]).code(0);
    let log: Value = serde_json::from_str(&seen.data).unwrap();
    log["runs"][0]["outcome"].clone()
}

/// Events of which the ledger knows that MISP has them.
fn events_known(place: &Place) -> Value {
    let seen = place.run(&["status", "--json"]).code(0);
    let status: Value = serde_json::from_str(&seen.data).unwrap();
    status["destinations"][0]["events"]["present"].clone()
}

/// A way to MISP that takes too long for the first requests that write.
fn slow_to_write(sandbox: &Sandbox) -> Front {
    Front::before(sandbox.address, |request, number| {
        let slow = writes(request) && number < 8;
        if slow { Act::PassLate(LONG) } else { Act::Pass }
    })
}

#[test]
fn what_is_under_way_is_finished_and_recorded() {
    for signal in SIGNALS {
        let sandbox = Sandbox::start();
        let front = Front::before(sandbox.address, |request, _| match writes(request) {
            true => Act::PassLate(Duration::from_secs(2)),
            false => Act::Pass,
        });
        let place = place(&front, &sandbox);
        let run = Run::start(&place, "sync");
        wait_for(&front, writes);
        run.signal(signal);
        let seen = run.ends_within(SOON).code(130);
        seen.says(&["interrupted; the next `sync` goes on from here"]);
        let written = front.seen().iter().filter(|request| writes(request)).count();
        assert!((1..=2).contains(&written), "nothing new is begun: {written}");
        assert_eq!(last_outcome(&place), "interrupted");
        assert_eq!(events_known(&place), Value::from(written));
        the_rest_follows(&place, &sandbox, &front);
    }
}

#[test]
fn a_misp_that_takes_too_long_is_not_waited_for() {
    for signal in SIGNALS {
        let sandbox = Sandbox::start();
        let front = slow_to_write(&sandbox);
        let place = place(&front, &sandbox);
        let run = Run::start(&place, "sync");
        wait_for(&front, writes);
        run.signal(signal);
        run.ends_within(SOON).code(130).says(&["interrupted"]);
        assert_eq!(last_outcome(&place), "interrupted");
        assert_eq!(events_known(&place), Value::Null);
        the_rest_follows(&place, &sandbox, &front);
    }
}

#[test]
fn a_second_signal_stops_at_once() {
    for (first, second) in [("-INT", "-INT"), ("-TERM", "-INT")] {
        let sandbox = Sandbox::start();
        let front = slow_to_write(&sandbox);
        let place = place(&front, &sandbox);
        let run = Run::start(&place, "sync");
        wait_for(&front, writes);
        run.signal(first);
        thread::sleep(Duration::from_millis(500));
        run.signal(second);
        run.ends_within(AT_ONCE).code(130);
        the_rest_follows(&place, &sandbox, &front);
    }
}

/// As of `nohup`, and of what a script starts in the background. SIGTERM is heard whatever was ignored.
#[test]
fn a_signal_that_was_ignored_stays_so_and_sigterm_is_heard() {
    let sandbox = Sandbox::start();
    let front = slow_to_write(&sandbox);
    let place = place(&front, &sandbox);
    let mut run =
        Run::of(&mut with_signals(&place.command(&["sync"]), "--ignore-signal=INT,HUP,TERM"));
    wait_for(&front, writes);
    for signal in ["-INT", "-HUP", "-INT"] {
        run.signal(signal);
        thread::sleep(Duration::from_millis(500));
    }
    assert!(run.0.as_mut().unwrap().try_wait().unwrap().is_none(), "it ended");
    run.signal("-TERM");
    run.ends_within(SOON).code(130).says(&["interrupted"]);
}

/// What the program needs for its threads is asked for before they are made: without it they end it without a word.
#[test]
fn too_few_open_files_are_told_with_what_helps() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |_, _| Act::Pass);
    let place = place(&front, &sandbox);
    for verb in ["sync", "run"] {
        for files in 10..20 {
            let mut shell = Command::new("sh");
            let line = format!("ulimit -n {files}; exec \"$@\"");
            let program = place.command(&[]).get_program().to_owned();
            place.clean(&mut shell).args(["-c", &line, "sh"]).arg(program).arg(verb);
            let output = shell.output().unwrap();
            let talk = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{verb} with {files}: {talk}");
            assert!(talk.contains("ulimit -n 1024"), "{verb} with {files}: {talk}");
        }
    }
    assert_eq!(sandbox.attributes(), 0);
}

#[test]
fn a_run_that_waits_for_misps_first_word_is_gone_in_time() {
    for verb in ["sync", "doctor"] {
        let sandbox = Sandbox::start();
        let front = Front::before(sandbox.address, |_, number| match number {
            1 => Act::PassLate(LONG),
            _ => Act::Pass,
        });
        let place = place(&front, &sandbox);
        let run = Run::start(&place, verb);
        wait_for(&front, |_| true);
        run.signal("-TERM");
        run.ends_within(SOON).code(130).says(&["interrupted"]);
        if verb == "sync" {
            the_rest_follows(&place, &sandbox, &front);
        }
    }
}

#[test]
fn a_run_that_rests_because_misp_asked_for_it_is_gone_in_time() {
    for busy in ["429 Too Many Requests", "503 Service Unavailable"] {
        let sandbox = Sandbox::start();
        let front = Front::before(sandbox.address, move |request, number| {
            let rests = writes(request) && number < 6;
            let rest = answer(busy, "Retry-After: 20\r\n", b"");
            if rests { Act::Say(rest) } else { Act::Pass }
        });
        let place = place(&front, &sandbox);
        let run = Run::start(&place, "sync");
        wait_for(&front, writes);
        thread::sleep(Duration::from_millis(500));
        run.signal("-INT");
        run.ends_within(SOON).code(130).says(&["interrupted"]);
        assert_eq!(last_outcome(&place), "interrupted");
        place.run(&["sync"]).code(0);
        assert_eq!(sandbox.attributes(), ATTRIBUTES);
    }
}

#[test]
fn a_verification_is_given_up_at_the_first_signal() {
    let sandbox = Sandbox::start();
    let front = Front::before(sandbox.address, |request, _| {
        let asks = request.head.to_lowercase().contains("if-none-match");
        if asks { Act::PassLate(Duration::from_secs(1)) } else { Act::Pass }
    });
    let place = place(&front, &sandbox);
    place.run(&["sync"]).code(0);
    let before = front.seen().len();
    let run = Run::start(&place, "verify");
    let start = Instant::now();
    while front.seen().len() == before {
        assert!(start.elapsed() < LONG);
        thread::sleep(Duration::from_millis(10));
    }
    run.signal("-INT");
    run.ends_within(SOON).code(130);
    place.run(&["verify"]).code(0);
}

/// A place whose source is a named pipe that somebody keeps open and writes nothing, or only a beginning, into.
fn silent_source(sandbox: &Sandbox, beginning: &str) -> (Place, std::fs::File) {
    let place = Place::new(&sandbox.url(), &sandbox.key("sync"), "verify_tls = true");
    let pipe = place.path("pipe.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    place.configure("day.json", "pipe.json");
    // Opened for both, it is there at once and never ends.
    let mut open = std::fs::File::options().read(true).write(true).open(&pipe).unwrap();
    std::io::Write::write_all(&mut open, beginning.as_bytes()).unwrap();
    (place, open)
}

const BEGINNINGS: [&str; 2] =
    ["", "{\"content-type\": \"urn:eclecticiq.com:json:1.0\", \"entities\": ["];

#[test]
fn a_source_that_says_nothing_does_not_keep_a_run_from_ending() {
    for (beginning, signal) in BEGINNINGS.into_iter().zip(SIGNALS) {
        let sandbox = Sandbox::start();
        let (place, _open) = silent_source(&sandbox, beginning);
        let run = Run::start(&place, "sync");
        thread::sleep(Duration::from_millis(1_000));
        run.signal(signal);
        run.ends_within(SOON).code(130).says(&["interrupted while the source was read"]);
    }
}

#[test]
fn a_deadline_ends_a_run_whose_source_says_nothing() {
    for beginning in BEGINNINGS {
        let sandbox = Sandbox::start();
        let (place, _open) = silent_source(&sandbox, beginning);
        let mut command = place.command(&["sync", "--json", "--deadline", "1s"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let seen = Run(Some(child)).ends_within(Duration::from_secs(1) + SOON).code(3);
        check_line(seen.data.trim_end());
        let error = &seen.json()["destinations"][0]["error"];
        assert_eq!((&error["kind"], &error["exit_code"]), (&"deadline".into(), &3.into()));
        seen.says(&["error: the deadline passed while the source was read"]);
    }
}
