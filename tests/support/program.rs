//! The program as its users run it, before a sandbox in this process.

use std::{
    fs,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use misp_trickle::sandbox::{Keys, Misp, serve};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{asking::ask, schema};

/// Three events with 41 attributes.
pub const DAY_1: &str = include_str!("../../src/cli/verbs/demo/day1.json");
/// The next day's.
pub const DAY_2: &str = include_str!("../../src/cli/verbs/demo/day2.json");
/// What of the first day can be sent.
pub const ATTRIBUTES: usize = 41;

/// The longest that a run may take, on a busy machine too.
const LONGEST: Duration = Duration::from_secs(180);

/// What in the environment of this test would change what the program does.
pub const FOREIGN: [&str; 26] = [
    "NOTIFY_SOCKET",
    "RUNTIME_DIRECTORY",
    "XDG_RUNTIME_DIR",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "REQUEST_METHOD",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "MISP_TRICKLE_LOG",
    "MISP_TRICKLE_CONFIG",
    "MISP_TRICKLE_PAGER",
    "PAGER",
    "LESS",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "TERM",
    "TZ",
    "CI",
];

/// The program: cargo puts it beside the folder of the tests.
pub fn binary() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap();
    folder.join("misp-trickle")
}

/// A command with signals as at a terminal, but for its standard streams, which are not taken over. Whatever starts the tests
/// in the background has SIGINT ignored by them, and a program that begins so goes on to ignore it.
pub fn as_at_terminal(command: &Command) -> Command {
    with_signals(command, "--default-signal=INT,HUP")
}

/// The same with signals as an option of GNU `env` says.
pub fn with_signals(command: &Command, option: &str) -> Command {
    let mut wrapped = Command::new("env");
    wrapped.arg(option).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    wrapped
}

/// A MISP in memory, listening.
pub struct Sandbox {
    _runtime: Runtime,
    pub misp: Arc<Mutex<Misp>>,
    pub address: SocketAddr,
    keys: Keys,
}

impl Sandbox {
    pub fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let keys = Keys::demo("tests");
        let misp = Arc::new(Mutex::new(Misp::new(&format!("http://{address}"), keys.clone())));
        drop(runtime.spawn(serve(listener, misp.clone())));
        Self { _runtime: runtime, misp, address, keys }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key of a role.
    pub fn key(&self, role: &str) -> String {
        self.keys.get(role).unwrap().to_owned()
    }

    /// How many requests came.
    pub fn requests(&self) -> u64 {
        self.misp.lock().unwrap().counters().total()
    }

    /// An analyst's request.
    pub fn ask(&self, role: &str, path: &str) {
        ask(&self.misp, &self.key(role), path);
    }

    /// A folder with a configuration for it.
    pub fn place(&self) -> Place {
        Place::at(&self.url(), &self.key("sync"))
    }

    /// The same after two days were delivered, each in a run of its own.
    pub fn after_two_days(&self) -> Place {
        let place = self.place();
        place.write("next.json", DAY_2);
        place.run(&["sync"]).code(0);
        place.run(&["sync", "--source", "next.json"]).code(0);
        place
    }

    /// Attributes that it holds: a value that was sent twice would count twice.
    pub fn attributes(&self) -> usize {
        let misp = self.misp.lock().unwrap();
        misp.events().iter().map(|event| misp.attributes(event.uuid).len()).sum()
    }
}

/// A folder with a configuration and a dataset.
pub struct Place {
    folder: TempDir,
    pub key: String,
}

/// What a command left behind.
pub struct Seen {
    pub code: i32,
    pub data: String,
    pub talk: String,
}

impl Seen {
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.data, self.talk);
        self
    }

    /// The data, read as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error}: {}", self.data))
    }

    /// All that was printed.
    pub fn all(&self) -> String {
        format!("{}{}", self.data, self.talk)
    }

    /// Whether each of these was printed.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        let all = self.all();
        for text in texts {
            assert!(all.contains(text), "{text:?} is not in\n{all}");
        }
        self
    }

    /// Whether none of these was printed.
    #[track_caller]
    pub fn hides(self, texts: &[&str]) -> Self {
        let all = self.all();
        for text in texts {
            assert!(!all.contains(text), "{text:?} is in\n{all}");
        }
        self
    }
}

impl Place {
    /// A configuration for the MISP at a URL; these lines take the place of `verify_tls`.
    pub fn new(url: &str, key: &str, lines: &str) -> Self {
        let place = Self::at("http://127.0.0.1:1", key);
        let file = place.path("misp-trickle.toml");
        let text = fs::read_to_string(&file).unwrap();
        let text = text.replace("\"http://127.0.0.1:1\"", &format!("{url:?}"));
        let text = text.replace("timeout = \"5m\"", "timeout = \"20s\"");
        fs::write(&file, text.replace("verify_tls = true", lines)).unwrap();
        place
    }

    /// As `init` makes it.
    pub fn at(url: &str, key: &str) -> Self {
        let place = Self { folder: TempDir::new().unwrap(), key: key.to_owned() };
        place.write("day.json", DAY_1);
        place.run(&["init", "--url", url, "--source", "day.json"]).code(0);
        place
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Exchanges a text in the configuration.
    pub fn configure(&self, from: &str, to: &str) {
        let file = self.path("misp-trickle.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    /// The program, in an environment that holds its key and nothing that leads it elsewhere.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        self.clean(&mut command).args(arguments);
        command
    }

    /// Gives a command the folder and the environment of this place.
    pub fn clean<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.current_dir(self.folder()).env("MISP_API_KEY", &self.key)
    }

    pub fn run(&self, arguments: &[&str]) -> Seen {
        seen(&mut self.command(arguments))
    }

    /// What a verb answers as JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let value = self.run(&[arguments, &["--json"]].concat()).code(0).json();
        assert!(value["schema"].is_string(), "{value}");
        value
    }

    /// Runs it with further variables in its environment.
    pub fn run_in(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Seen {
        seen(self.command(arguments).envs(environment.iter().copied()))
    }
}

/// A text without how long ago times were: two looks at the same may differ in that.
pub fn without_ages(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let is_age =
        |at: usize| (0..3).any(|more| words.get(at + more).is_some_and(|it| it.starts_with("ago")));
    let kept = words.iter().enumerate().filter(|(at, _)| !is_age(*at));
    kept.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
}

/// Runs the program to its end. One that hangs fails the test.
pub fn seen(command: &mut Command) -> Seen {
    seen_with(command, "")
}

/// The same, with a text on its standard input.
pub fn seen_with(command: &mut Command, input: &str) -> Seen {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that needs no input may be gone by now.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let number = child.id().to_string();
    let (done, end) = mpsc::channel();
    thread::spawn(move || done.send(child.wait_with_output()));
    let output = end.recv_timeout(LONGEST).unwrap_or_else(|_| {
        drop(Command::new("kill").args(["-KILL", &number]).status());
        panic!("{:?} ran for more than {LONGEST:?}", command.get_args())
    });
    let output = output.unwrap();
    let data = String::from_utf8(output.stdout).unwrap();
    schema::check(command.get_args(), &data);
    Seen {
        code: output.status.code().unwrap_or(-1),
        data,
        talk: String::from_utf8(output.stderr).unwrap(),
    }
}

/// How late this machine is just now: what the program usually takes to say its version, asked over and over beside what
/// is measured. Alone it takes milliseconds; beside a heavy build everything takes longer, and no less.
pub struct Lateness {
    ends: Arc<AtomicBool>,
    thread: thread::JoinHandle<Duration>,
}

impl Lateness {
    pub fn watch() -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let asked_to_end = ends.clone();
        let thread = thread::spawn(move || {
            let mut all = Vec::new();
            while !asked_to_end.load(Ordering::SeqCst) {
                let begun = Instant::now();
                assert!(Command::new(binary()).arg("-V").output().unwrap().status.success());
                all.push(begun.elapsed());
                thread::sleep(Duration::from_millis(100));
            }
            all.sort();
            all.get(all.len() / 2).copied().unwrap_or_default()
        });
        Self { ends, thread }
    }

    /// What is left of a time that was measured beside it, once what a late machine adds is taken off: the program starts
    /// no process and writes a few files, so that ten times what another takes to start is more than that.
    pub fn off(self, took: Duration) -> Duration {
        self.ends.store(true, Ordering::SeqCst);
        let usual = self.thread.join().unwrap();
        took.saturating_sub(10 * usual)
    }
}
