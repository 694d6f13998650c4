//! The program as its users run it, before a sandbox in this process.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(dead_code, reason = "no test needs all of it")]

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use misp_trickle::sandbox::{Keys, Misp, serve};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

/// Three events with 41 attributes.
pub(crate) const DAY_1: &str = include_str!("../../src/cli/verbs/demo/day1.json");
/// What of them can be sent.
pub(crate) const ATTRIBUTES: usize = 41;

/// The longest that a run may take, on a busy machine too.
const LONGEST: Duration = Duration::from_secs(180);

/// What in the environment of this test would change what the program does.
pub(crate) const FOREIGN: [&str; 13] = [
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
];

/// A MISP in memory, listening.
pub(crate) struct Sandbox {
    _runtime: Runtime,
    pub(crate) misp: Arc<Mutex<Misp>>,
    pub(crate) address: SocketAddr,
    keys: Keys,
}

impl Sandbox {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let keys = Keys::demo("tests");
        let misp = Arc::new(Mutex::new(Misp::new(&format!("http://{address}"), keys.clone())));
        drop(runtime.spawn(serve(listener, misp.clone())));
        Self { _runtime: runtime, misp, address, keys }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key of a role.
    pub(crate) fn key(&self, role: &str) -> String {
        self.keys.get(role).unwrap().to_owned()
    }

    /// Attributes that it holds: a value that was sent twice would count twice.
    pub(crate) fn attributes(&self) -> usize {
        let misp = self.misp.lock().unwrap();
        misp.events().iter().map(|event| misp.attributes(event.uuid).len()).sum()
    }
}

/// A folder with a configuration and a dataset.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) key: String,
}

/// What a command left behind.
pub(crate) struct Seen {
    pub(crate) code: i32,
    pub(crate) data: String,
    pub(crate) talk: String,
}

impl Seen {
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.data, self.talk);
        self
    }

    /// All that was printed.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.data, self.talk)
    }

    /// Whether each of these was printed.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        let all = self.all();
        for text in texts {
            assert!(all.contains(text), "{text:?} is not in\n{all}");
        }
        self
    }

    /// Whether none of these was printed.
    #[track_caller]
    pub(crate) fn hides(self, texts: &[&str]) -> Self {
        let all = self.all();
        for text in texts {
            assert!(!all.contains(text), "{text:?} is in\n{all}");
        }
        self
    }
}

impl Place {
    /// A configuration for the MISP at a URL; these lines take the place of `verify_tls`.
    pub(crate) fn new(url: &str, key: &str, lines: &str) -> Self {
        let place = Self { folder: TempDir::new().unwrap(), key: key.to_owned() };
        fs::write(place.path("day.json"), DAY_1).unwrap();
        let init = ["init", "--url", "http://127.0.0.1:1", "--source", "day.json"];
        place.run(&init).code(0);
        let file = place.path("misp-trickle.toml");
        let text = fs::read_to_string(&file).unwrap();
        let text = text.replace("\"http://127.0.0.1:1\"", &format!("{url:?}"));
        let text = text.replace("timeout = \"5m\"", "timeout = \"20s\"");
        fs::write(&file, text.replace("verify_tls = true", lines)).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Exchanges a text in the configuration.
    pub(crate) fn configure(&self, from: &str, to: &str) {
        let file = self.path("misp-trickle.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    /// The program, in an environment that holds its key and nothing that leads it elsewhere.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_misp-trickle"));
        self.clean(&mut command).args(arguments);
        command
    }

    /// Gives a command the folder and the environment of this place.
    pub(crate) fn clean<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.current_dir(self.folder()).env("MISP_API_KEY", &self.key)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Seen {
        seen(&mut self.command(arguments))
    }

    /// Runs it with further variables in its environment.
    pub(crate) fn run_in(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Seen {
        seen(self.command(arguments).envs(environment.iter().copied()))
    }
}

/// Runs the program to its end. One that hangs fails the test.
pub(crate) fn seen(command: &mut Command) -> Seen {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let number = child.id().to_string();
    let (done, end) = mpsc::channel();
    thread::spawn(move || done.send(child.wait_with_output()));
    let output = end.recv_timeout(LONGEST).unwrap_or_else(|_| {
        drop(Command::new("kill").args(["-KILL", &number]).status());
        panic!("{:?} ran for more than {LONGEST:?}", command.get_args())
    });
    let output = output.unwrap();
    Seen {
        code: output.status.code().unwrap_or(-1),
        data: String::from_utf8(output.stdout).unwrap(),
        talk: String::from_utf8(output.stderr).unwrap(),
    }
}
