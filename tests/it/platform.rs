//! From an outgoing feed of a platform to MISP: `sync`, `plan` and the daemon as their users see them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use misp_trickle::{
    model::Timestamp,
    sandbox::eclecticiq::{Command, Dataset, Platform, Setup, Strategy, TOKEN, serve},
};
use misp_trickle_testing::{
    front::{Act, Front},
    http_client::send,
    program,
};
use program::{ATTRIBUTES, DAY_1, DAY_2, Place, Sandbox, without_ages};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

#[cfg(unix)]
use crate::daemon::{Daemon, LONG, log, until};

/// A platform with the outgoing feed 12, at an address that stays.
pub(crate) struct Served {
    platform: Arc<Mutex<Platform>>,
    url: String,
    runtime: Option<Runtime>,
}

fn now() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

fn dataset(text: &str) -> Dataset {
    Dataset::read(text.as_bytes()).unwrap()
}

impl Served {
    pub(crate) fn start(strategy: Strategy, text: &str) -> Self {
        let setup = Setup::new(12, strategy);
        let platform = Platform::new("https://ic.example", setup, dataset(text), now());
        let platform = Arc::new(Mutex::new(platform));
        let mut served = Self { platform, url: String::new(), runtime: None };
        served.listen("127.0.0.1:0");
        served
    }

    fn listen(&mut self, address: &str) {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind(address)).unwrap();
        self.url = format!("http://{}/", listener.local_addr().unwrap());
        drop(runtime.spawn(serve(listener, self.platform.clone())));
        self.runtime = Some(runtime);
    }

    /// From now on nobody answers at its address.
    fn stop(&mut self) {
        drop(self.runtime.take());
    }

    fn again(&mut self) {
        let address = self.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        self.listen(&address);
    }

    pub(crate) fn put(&self, text: &str) {
        let address = self.url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        let put = send(address, "PUT", "/dataset", &[], Some(text.as_bytes())).unwrap();
        assert_eq!(put.status, 200);
    }

    /// A place whose source is the feed.
    pub(crate) fn place(&self, sandbox: &Sandbox) -> Place {
        let place = sandbox.place();
        place.configure("kind = \"file\"", "kind = \"eiq-feed\"");
        place.configure("path = \"day.json\"", &format!("url = {:?}\nfeed = 12", self.url));
        place.configure("format = \"auto\"", "token_file = \"token\"");
        place.configure("update_strategy = \"replace\"", "update_strategy = \"auto\"");
        place.write("token", &format!("{TOKEN}\n"));
        place
    }
}

fn add(place: &Place, name: &str, url: &str) {
    let text = fs::read_to_string(place.path("misp-trickle.toml")).unwrap();
    let more = format!("\n[destinations.{name}]\nurl = {url:?}\napi_key_env = \"MISP_API_KEY\"\n");
    place.write("misp-trickle.toml", &(text + &more));
}

/// How the runs ended, the newest first.
fn outcomes(place: &Place) -> Vec<String> {
    let log = place.json(&["log"]);
    let runs = log["runs"].as_array().unwrap().iter();
    runs.map(|run| format!("{} {}", run["destination"], run["outcome"]).replace('"', "")).collect()
}

#[test]
fn a_feed_is_pulled_and_delivered_and_an_unchanged_one_costs_misp_nothing() {
    let (sandbox, platform) = (Sandbox::start(), Served::start(Strategy::Replace, DAY_1));
    let place = platform.place(&sandbox);
    place
        .run(&["plan"])
        .code(1)
        .says(&["nothing was pulled of it yet; run `misp-trickle plan --pull`"]);
    place.run(&["sync"]).code(0).says(&["pulling feed 12 of", "41 sent"]);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    let asked = sandbox.requests();
    place.run(&["sync"]).code(0).says(&["not one request"]);
    place.run(&["plan"]).code(0).says(&["not one request"]);
    assert_eq!(sandbox.requests(), asked);
    platform.put(DAY_2);
    // A plan is made of what was pulled last, and carried out as it was made.
    place.run(&["plan", "-o", "plan.json"]).code(0).says(&["not one request"]);
    place.run(&["apply", "plan.json"]).code(0);
    place.run(&["sync"]).code(0).says(&["5 sent", "1 retired"]);
    assert_eq!(sandbox.attributes(), ATTRIBUTES + 5);
    place.run(&["check"]).code(0);
    place.run(&["verify"]).code(0);
}

#[test]
fn what_comes_by_a_feed_is_what_comes_by_files() {
    let (by_file, by_feed) = (Sandbox::start(), Sandbox::start());
    let platform = Served::start(Strategy::Replace, DAY_1);
    let (file, feed) = (by_file.place(), platform.place(&by_feed));
    for day in [DAY_1, DAY_2] {
        platform.put(day);
        file.write("day.json", day);
        file.run(&["sync"]).code(0);
        feed.run(&["sync"]).code(0);
        assert_eq!(values(&by_file), values(&by_feed));
    }
}

/// Values of all events, each with its UUID.
fn values(sandbox: &Sandbox) -> Vec<(String, String)> {
    let misp = sandbox.misp.lock().unwrap();
    let events = misp.events();
    let rows = events.iter().flat_map(|event| misp.attributes(event.uuid));
    let mut rows: Vec<_> = rows.map(|row| (row.uuid.to_string(), row.value.to_string())).collect();
    rows.sort();
    rows
}

#[test]
fn what_comes_by_the_api_is_what_comes_by_files() {
    let (by_file, by_api) = (Sandbox::start(), Sandbox::start());
    let platform = Served::start(Strategy::Replace, DAY_1);
    let (file, api) = (by_file.place(), platform.place(&by_api));
    api.configure("kind = \"eiq-feed\"", "kind = \"eiq-api\"");
    api.configure("update_strategy = \"auto\"", "#");
    api.run(&["doctor"]).says(&["experimental", "entities of feed 12 may be read"]);
    for day in [DAY_1, DAY_2] {
        platform.put(day);
        file.write("day.json", day);
        file.run(&["sync"]).code(0);
        api.run(&["sync"]).code(0).says(&["pulling entities of feed 12 of"]);
        assert_eq!(values(&by_file), values(&by_api));
    }
    let asked = by_api.requests();
    api.run(&["sync"]).code(0).says(&["not one request"]);
    api.run(&["plan"]).code(0).says(&["not one request"]);
    assert_eq!(by_api.requests(), asked);
    api.write("token", "another\n");
    api.run(&["sync"]).code(4).says(&["make a new API token on the platform"]);
}

#[test]
fn a_platform_that_is_away_is_told_and_what_was_kept_still_goes() {
    let (one, two) = (Sandbox::start(), Sandbox::start());
    let mut platform = Served::start(Strategy::Append, DAY_1);
    let place = platform.place(&one);
    place.run(&["sync"]).code(0);
    platform.stop();
    add(&place, "two", &two.url());
    let seen = place.run(&["sync"]).code(5);
    assert_eq!(two.attributes(), ATTRIBUTES, "{}", seen.all());
    let mut ended = outcomes(&place);
    ended.sort();
    assert_eq!(ended, ["main done", "main failed", "two done"]);
    place.run(&["sync"]).code(5).says(&[&platform.url]);
    place.run(&["log", "-n", "1"]).code(0).says(&[&platform.url]);
    // Nothing that is there is doubted because of it.
    assert_eq!(place.json(&["status"])["destinations"][0]["retired"], 0);
    platform.again();
    platform.put(DAY_2);
    place.run(&["sync"]).code(0);
    assert!(one.attributes() > ATTRIBUTES && two.attributes() == one.attributes());
    // In an append feed nothing leaves.
    assert_eq!(place.json(&["status"])["destinations"][0]["retired"], 0);
}

#[test]
fn a_wrong_token_leaves_mirror_and_ledger_as_they_were() {
    let (sandbox, platform) = (Sandbox::start(), Served::start(Strategy::Replace, DAY_1));
    let place = platform.place(&sandbox);
    place.write("token", "nobody\n");
    let seen = place.run(&["sync"]).code(4).hides(&["nobody"]);
    assert!(seen.all().contains("token"), "{}", seen.all());
    assert_eq!(sandbox.requests(), 0);
    assert_eq!(outcomes(&place), ["main failed"]);
    fs::remove_file(place.path("token")).unwrap();
    place.run(&["sync"]).code(1).says(&["token"]);
    assert_eq!(outcomes(&place), ["main failed", "main failed"]);
    place.run(&["log", "-n", "1"]).code(0).says(&["token"]);
    place.write("token", TOKEN);
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
}

#[test]
fn a_run_that_did_not_end_well_is_no_dataset() {
    let (sandbox, platform) = (Sandbox::start(), Served::start(Strategy::Replace, DAY_1));
    let place = platform.place(&sandbox);
    place.run(&["sync"]).code(0);
    let control = |text: &str| {
        let command: Command = serde_json::from_str(text).unwrap();
        platform.platform.lock().unwrap().control(command, now()).unwrap();
    };
    control(r#"{"do": "hold"}"#);
    platform.put(DAY_2);
    control(r#"{"do": "begin"}"#);
    let note =
        "feed 12: its packaging status is RUNNING, not SUCCESS: nothing is taken of it for now";
    for _ in 0..2 {
        place.run(&["sync"]).code(0);
    }
    assert_eq!(sandbox.attributes(), ATTRIBUTES);
    // Whoever asks sees it, without the log.
    place.run(&["status"]).code(0).says(&[&format!("\n    {note}\n")]);
    place.run(&["log", "-n", "1"]).code(0).says(&[&format!("\n          {note}\n")]);
    let status = place.json(&["status"]);
    assert_eq!(status["feeds"][0]["last_pull"]["notes"], json!([note]));
    assert_eq!(status["destinations"][0]["last_run"]["pull"]["notes"], json!([note]));
    assert_eq!(status["destinations"][0]["last_run"]["repeated"]["times"], 1);
    place.run(&["export", "all.jsonl"]).code(0);
    place.run(&["import", "all.jsonl", "--store", "again"]).code(0);
    let again = place.json(&["status", "--store", "again"]);
    assert_eq!(again["destinations"][0]["last_run"]["pull"]["notes"], json!([note]));
    control(r#"{"do": "finish"}"#);
    place.run(&["sync"]).code(0);
    assert_eq!(sandbox.attributes(), ATTRIBUTES + 5);
    assert_eq!(place.json(&["status"])["feeds"][0]["last_pull"]["notes"], json!([]));
}

#[cfg(unix)]
#[test]
fn what_was_pulled_of_the_old_source_does_not_go_after_a_reload() {
    let sandbox = Sandbox::start();
    let [old, new] = [(); 2].map(|()| Served::start(Strategy::Replace, DAY_1));
    let (asked, let_go) = (mpsc::channel(), mpsc::channel());
    let (is_asked, waits) = (Mutex::new(asked.0), Mutex::new(let_go.1));
    let holds = Arc::new(AtomicBool::new(false));
    let hold = holds.clone();
    let address = old.url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let front = Front::before(address, move |_, _| {
        if hold.swap(false, Ordering::Relaxed) {
            is_asked.lock().unwrap().send(()).unwrap();
            waits.lock().unwrap().recv_timeout(LONG).unwrap();
        }
        Act::Pass
    });
    let place = new.place(&sandbox);
    place.configure(&new.url, &front.url());
    place.configure("every = \"15m\"", "every = \"1s\"");
    let daemon = Daemon::start(&place);
    let runs = || log(&place).matches("INFO done").count();
    until("the old one is delivered", || runs() == 1);
    old.put(DAY_2);
    holds.store(true, Ordering::Relaxed);
    asked.1.recv_timeout(LONG).unwrap();
    // A pull of the old one is under way, whose second day the new one does not have.
    place.configure(&front.url(), &new.url);
    daemon.signal("-HUP");
    until("it is taken", || log(&place).contains("the configuration was read again"));
    let before = runs();
    let_go.0.send(()).unwrap();
    until("the new one is delivered", || runs() > before);
    assert_eq!(sandbox.attributes(), ATTRIBUTES, "{}", log(&place));
    assert!(log(&place).contains("the feed has another source now"), "{}", log(&place));
    daemon.end();
}

#[cfg(unix)]
#[test]
fn the_daemon_pulls_once_for_all_destinations_and_outlives_a_platform_that_goes() {
    use std::{
        io::{BufRead, BufReader},
        process::Stdio,
    };

    let (one, two) = (Sandbox::start(), Sandbox::start());
    let mut platform = Served::start(Strategy::Replace, DAY_1);
    let place = platform.place(&one);
    add(&place, "two", &two.url());
    place.configure("every = \"15m\"", "every = \"1s\"");
    let log = fs::File::create(place.path("run.log")).unwrap();
    let mut command = place.command(&["run"]);
    let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let mut until = |what: &str, holds: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !holds() {
            if begun.elapsed() > Duration::from_secs(40) {
                drop(child.kill());
                let log = fs::read_to_string(place.path("run.log"));
                panic!("{what}: {}", log.unwrap());
            }
            thread::sleep(Duration::from_millis(50));
        }
    };
    until("both get the first day", &|| {
        one.attributes() == ATTRIBUTES && two.attributes() == ATTRIBUTES
    });
    platform.stop();
    let failures = || {
        let status = place.json(&["status"]);
        let failed = |route: &Value| route["failures"].as_u64().unwrap() > 0;
        status["routes"].as_array().unwrap().iter().all(failed)
    };
    until("both routes fail", &failures);
    platform.again();
    platform.put(DAY_2);
    // What failed is tried again after a minute; somebody who asks need not wait.
    place.run(&["sync"]).code(0);
    until("both get the second day", &|| {
        one.attributes() == ATTRIBUTES + 5 && two.attributes() == ATTRIBUTES + 5
    });
    let pid = child.id().to_string();
    std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let log = fs::read_to_string(place.path("run.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}

/// What the history tells of pulls, the newest first: outcome and objects, and how often more it went so.
fn pulls(place: &Place) -> Vec<String> {
    let log = place.json(&["log", "--feed", "main"]);
    let runs = log["runs"].as_array().unwrap().iter().filter(|run| run["pull"].is_object());
    let told = runs.map(|run| {
        let (pull, more) = (&run["pull"], run["repeated"]["times"].as_u64().unwrap_or(0));
        assert!(pull["requests"].as_u64().unwrap() > more, "each pull asks: {pull}");
        format!("{} {} +{more}", pull["outcome"].as_str().unwrap(), pull["objects"])
    });
    told.collect()
}

#[test]
fn each_pull_is_in_the_history_with_what_came_of_it() {
    let (sandbox, mut platform) = (Sandbox::start(), Served::start(Strategy::Replace, DAY_1));
    let place = platform.place(&sandbox);
    place.run(&["sync"]).code(0);
    for _ in 0..3 {
        place.run(&["sync"]).code(0);
    }
    let objects = place.json(&["log"])["runs"][0]["pull"]["objects"].as_u64().unwrap();
    assert!(objects > 10, "{objects}");
    assert_eq!(pulls(&place), [format!("unchanged {objects} +2"), format!("whole {objects} +0")]);
    platform.stop();
    place.run(&["sync"]).code(5);
    assert_eq!(pulls(&place)[0], format!("failed {objects} +0"));
    place.run(&["status"]).code(0).says(&[
        "main -> main: ",
        "\nmain: last pull 20",
        " s ago: failed (",
        " requests, ",
        "\n  last good pull 20",
    ]);
    let told = place.json(&["status"]);
    for of in ["routes", "feeds"] {
        assert_eq!(told[of][0]["last_pull"]["outcome"], "failed");
        assert!(told[of][0]["pull_age_seconds"].as_u64().unwrap() < 100);
    }
    assert!(told["feeds"][0]["good_pull_age_seconds"].as_u64().unwrap() < 100);
    // Each once, whoever rested on it.
    let told = place.json(&["log", "--pulls"]);
    let told = told["pulls"].as_array().unwrap().iter();
    let told = told.map(|it| format!("{} {} {}", it["outcome"], it["times"], it["runs"]));
    let wanted = ["\"failed\" 1 [3]", "\"unchanged\" 3 [2]", "\"whole\" 1 [1]"];
    assert_eq!(told.collect::<Vec<_>>(), wanted);
    let later = ["log", "--pulls", "--since", "2999-01-01"];
    place.run(&later).code(0).says(&["without --since there are some"]);
    let log = place.run(&["log", "--pulls", "-n", "2"]).code(0);
    log.says(&["main 20", " failed (", "    3 alike since 20", "    runs: 2\n"]).hides(&[" whole"]);
    place.run(&["show", "1"]).code(0).says(&["Pull:     20", " whole; ", " objects"]);
    // An export carries it, and reads as it was written.
    place.run(&["export", "all.jsonl"]).code(0);
    place.run(&["import", "all.jsonl", "--store", "again"]).code(0);
    let told = |arguments: &[&str]| without_ages(&place.run(arguments).code(0).data);
    assert_eq!(told(&["log", "--store", "again"]), told(&["log"]));
    // What is read from files is pulled from nowhere.
    let files = sandbox.place();
    files.run(&["sync"]).code(0);
    assert_eq!(pulls(&files), [""; 0]);
    files.run(&["log"]).code(0).hides(&["Pull:"]);
    files.run(&["log", "--pulls"]).code(0).says(&["no run rested on a pull yet"]);
    assert_eq!(files.json(&["status"])["feeds"], json!([]));
}

#[test]
fn a_pull_that_no_run_could_begin_with_is_in_the_history() {
    let (sandbox, platform) = (Sandbox::start(), Served::start(Strategy::Replace, DAY_1));
    let place = platform.place(&sandbox);
    fs::remove_file(place.path("token")).unwrap();
    place.run(&["sync"]).code(1);
    place.run(&["status"]).code(0).says(&["\nmain: not pulled yet\n"]);
    place.write("token", TOKEN);
    place.configure("api_key_env = \"MISP_API_KEY\"", "api_key_env = \"NO_KEY\"");
    place.run(&["sync"]).code(1).says(&["NO_KEY"]);
    assert_eq!(outcomes(&place), ["main failed", "main failed"]);
    assert_eq!(pulls(&place).len(), 1);
    assert!(pulls(&place)[0].starts_with("whole "), "{:?}", pulls(&place));
    place.run(&["status"]).code(0).says(&["\nmain: last pull 20", "whole; "]);
}

#[test]
fn what_a_source_holds_now_is_planned_before_anything_is_sent_of_it() {
    let (sandbox, platform) = (Sandbox::start(), Served::start(Strategy::Replace, DAY_1));
    let place = platform.place(&sandbox);
    let first = place.run(&["plan", "--pull", "-o", "first.json"]).code(0);
    first.says(&["pulling feed 12 of", "41 to add"]);
    assert_eq!((sandbox.requests(), outcomes(&place).len()), (0, 0));
    place.run(&["apply", "first.json"]).code(0).says(&["41 sent"]);
    // The plan after it is of what was pulled last, unless the source is asked again.
    platform.put(DAY_2);
    let asked = sandbox.requests();
    place.run(&["plan"]).code(0).says(&["not one request"]);
    place.run(&["plan", "--pull"]).code(0).says(&["5 to add"]);
    assert_eq!(sandbox.requests(), asked);
    place.run(&["sync"]).code(0).says(&["5 sent", "1 retired"]);
    // What was kept of a source that does not answer is not what it holds now.
    drop(platform);
    place.run(&["plan", "--pull"]).code(5);
    place.run(&["plan"]).code(0).says(&["not one request"]);
    assert_eq!(sandbox.attributes(), ATTRIBUTES + 5);
}

#[test]
fn doctor_tells_what_a_run_would_send_of_what_was_pulled() {
    let (sandbox, platform) = (Sandbox::start(), Served::start(Strategy::Replace, DAY_1));
    let (other, place) = (Sandbox::start(), platform.place(&sandbox));
    let never = ["feed main: nothing was pulled of it yet, so nobody knows what a run would send"];
    // What is said to come next is something that can be done.
    place.run(&["plan"]).code(1);
    place.run(&["doctor"]).code(0).says(&never).says(&["next: `misp-trickle plan --pull` pulls"]);
    place.run(&["sync"]).code(0);
    let known = ["feed main: nothing to send", "next: `misp-trickle plan` shows"];
    place.run(&["doctor"]).code(0).says(&known);
    add(&place, "other", &other.url());
    let told =
        ["feed main: 41 attributes of 3 events to send, in about ", " kB up and ", " down, about "];
    place.run(&["doctor", "--destination", "other"]).code(0).says(&told);
    assert_eq!(other.attributes(), 0);
    // Bytes that may not go faster take their time.
    let seconds = || -> u64 {
        let answer = place.json(&["doctor", "--destination", "other"]);
        let findings = answer["destinations"][0]["findings"].as_array().unwrap();
        let outlook = findings.iter().find(|finding| finding["check"] == "outlook").unwrap();
        let (_, span) = outlook["detail"].as_str().unwrap().rsplit_once(" about ").unwrap();
        span.split_once(" s").unwrap().0.parse().unwrap()
    };
    assert!(seconds() < 5);
    place.configure("[destinations.other]", "[destinations.other]\nbwlimit = \"1k\"");
    assert!(seconds() > 5);
}
