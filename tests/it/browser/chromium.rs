//! A Chromium of its own, spoken to over a pipe in the words of its DevTools.

use std::{
    collections::VecDeque,
    env,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// So long nothing takes, on a busy machine too.
const LONG: Duration = Duration::from_mins(1);
const DEBIANS: &str = "/usr/bin/chromium";

const ARGUMENTS: [&str; 11] = [
    "--headless",
    "--remote-debugging-pipe",
    // It sees pages of this test alone, and runs as root in a container, too.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    // Nobody outside is known, and a name that another page had resolved to this machine.
    "--host-resolver-rules=MAP rebound.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/// The browser: the one that `CHROMIUM` names, or that of Debian.
fn found() -> Option<PathBuf> {
    let named = env::var_os("CHROMIUM").map(PathBuf::from);
    named.or_else(|| Some(PathBuf::from(DEBIANS)).filter(|path| path.exists()))
}

/// It, and what it said that nobody waited for.
pub(crate) struct Chromium {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    asked: u64,
    events: VecDeque<Value>,
    _profile: TempDir,
}

impl Chromium {
    /// Starts it; `None`, and a word about it, where there is none.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = found() else {
            println!("SKIPPED: there is no {DEBIANS}, and CHROMIUM names no other");
            return None;
        };
        let profile = TempDir::new().unwrap();
        // It reads from descriptor 3 and writes to 4, which a shell can give it.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"]);
        command.arg(program).args(ARGUMENTS).env("HOME", profile.path());
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, mut said) =
            (child.stdin.take().unwrap(), child.stdout.take().map(BufReader::new).unwrap());
        let (sender, from) = channel();
        thread::spawn(move || {
            let mut message = Vec::new();
            while said.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    return;
                }
                message.clear();
            }
        });
        Some(Self { child, to, from, asked: 0, events: VecDeque::new(), _profile: profile })
    }

    /// Asks something of the browser, or of one of its pages, and waits for the answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, session: Option<&str>, method: &str, params: &Value) -> Value {
        self.try_asking(session, method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The same, where the page may go away meanwhile.
    #[track_caller]
    pub(crate) fn try_asking(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: &Value,
    ) -> Result<Value, Value> {
        self.asked += 1;
        let mut message = json!({"id": self.asked, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let mut said =
                self.from.recv_timeout(LONG).unwrap_or_else(|error| panic!("{method}: {error}"));
            if said["id"] == self.asked {
                let error = said["error"].take();
                return if error.is_null() { Ok(said["result"].take()) } else { Err(error) };
            }
            self.events.push_back(said);
        }
    }

    /// What happened since, oldest first.
    pub(crate) fn events(&mut self) -> Vec<Value> {
        self.events.extend(self.from.try_iter());
        self.events.drain(..).collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let asked = self.asked + 1;
        drop(write!(self.to, "{}\0", json!({"id": asked, "method": "Browser.close"})));
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end && self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            thread::sleep(Duration::from_millis(20));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < end, "{what} does not come");
        thread::sleep(Duration::from_millis(10));
    }
}
