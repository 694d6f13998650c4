//! `run`: the daemon as its users and their service managers see it.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod life;
mod long;
mod routes;
mod store;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use misp_trickle_testing::{front, program, schema::check_line};

use front::{Act, Front};
use program::{ATTRIBUTES, DAY_2, Lateness, Place, Sandbox};
use serde_json::Value;

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(40);
/// From a signal to the end of the program.
const SOON: Duration = Duration::from_secs(5);

/// A daemon that runs.
pub(crate) struct Daemon {
    child: Option<Child>,
    /// What it said when it was ready.
    ready: Value,
}

impl Daemon {
    pub(crate) fn start(place: &Place) -> Self {
        Self::with(&mut place.command(&["run"]), place.folder())
    }

    /// One of this command, whose log goes into a folder.
    pub(crate) fn with(command: &mut Command, folder: &Path) -> Self {
        let log = fs::File::create(folder.join("run.log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told = fs::read_to_string(folder.join("run.log")).unwrap();
        assert!(!line.is_empty(), "it ended: {told}");
        check_line(&line);
        Self { child: Some(child), ready: serde_json::from_str(&line).unwrap() }
    }

    /// Where it answers.
    pub(crate) fn socket(&self) -> std::path::PathBuf {
        self.ready["socket"].as_str().unwrap().into()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Ends it, and gives how long that took, but for what a busy machine adds.
    pub(crate) fn end(mut self) -> Duration {
        let (begun, lateness) = (Instant::now(), Lateness::watch());
        self.signal("-TERM");
        let mut child = self.child.take().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        lateness.off(begun.elapsed())
    }

    fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// What a path of the metrics' port answers: status and text.
    pub(crate) fn get(&self, path: &str, host: &str) -> (u16, String) {
        let address = self.ready["metrics"].as_str().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    /// A counter or gauge of a route.
    pub(crate) fn metric(&self, name: &str, labels: &str) -> f64 {
        self.has_metric(name, labels).unwrap_or_else(|| panic!("there is no {name}{{{labels}}}"))
    }

    /// The same, if it is there.
    pub(crate) fn has_metric(&self, name: &str, labels: &str) -> Option<f64> {
        let (status, text) = self.get("/metrics", "localhost");
        assert_eq!(status, 200);
        let start = format!("{name}{{{labels}}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&start));
        value.map(|value| value.parse().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// A place whose daemon runs every second and shows its metrics.
pub(crate) fn place(sandbox: &Sandbox) -> Place {
    let place = sandbox.place();
    place.configure("every = \"15m\"", "every = \"1s\"");
    place.configure("# metrics = \"127.0.0.1:9184\"", "metrics = \"127.0.0.1:0\"");
    place
}

pub(crate) fn add(place: &Place, name: &str, url: &str) {
    let text = fs::read_to_string(place.path("misp-trickle.toml")).unwrap();
    let more = format!("\n[destinations.{name}]\nurl = {url:?}\napi_key_env = \"MISP_API_KEY\"\n");
    place.write("misp-trickle.toml", &(text + &more));
}

#[track_caller]
pub(crate) fn until(what: &str, holds: impl FnMut() -> bool) {
    until_within(LONG, what, holds);
}

#[track_caller]
fn until_within(longest: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < longest, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

pub(crate) fn log(place: &Place) -> String {
    fs::read_to_string(place.path("run.log")).unwrap()
}

pub(crate) const MAIN: &str = "feed=\"main\",destination=\"main\"";
