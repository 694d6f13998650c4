//! Starts servers, and adds to their collections.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use misp_trickle_testing::http_client::{Answer, send};
use serde_json::{Value, json};
use tempfile::TempDir;

const MEDIA_TYPE: &str = "application/taxii+json;version=2.1";
/// The longest that one takes to begin.
const LONGEST: Duration = Duration::from_secs(60);
/// `admin:admin-pw`
const ADMIN: &str = "Basic YWRtaW46YWRtaW4tcHc=";

/// Where Python is that has the servers. Says so where there is none.
pub(crate) fn python() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("TAXII_SERVERS") else {
        println!("skipped: TAXII_SERVERS names no folder with TAXII servers");
        return None;
    };
    let bin = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("bin");
    assert!(bin.join("python").exists(), "{} is no virtual environment", bin.display());
    Some(bin)
}

/// A server, which ends with this.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It takes its workers with it.
        let pid = self.child.id().to_string();
        drop(Command::new("kill").args(["-TERM", &pid]).status());
        drop(self.child.wait());
    }
}

/// A file of this folder.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/taxii/servers").join(name)
}

/// Starts what listens on a port in a folder of its own, and waits until it does.
pub(crate) fn start(command: impl FnOnce(&Path, u16) -> Command) -> Server {
    let folder = tempfile::tempdir().unwrap();
    // Whoever takes it in between makes the test fail, not pass.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let log = || fs::File::create(folder.path().join("out")).unwrap();
    let mut command = command(folder.path(), address.port());
    let child = command.stdin(Stdio::null()).stdout(log()).stderr(log()).spawn().unwrap();
    let mut server = Server { child, address, folder };
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        let ended = server.child.try_wait().unwrap();
        if ended.is_some() || begun.elapsed() > LONGEST {
            let read = |name: &str| fs::read_to_string(server.folder.path().join(name));
            panic!("it does not begin: {ended:?} {:?} {:?}", read("out"), read("log"));
        }
        thread::sleep(Duration::from_millis(50));
    }
    server
}

/// A request of the administrator.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = vec![header("Accept", MEDIA_TYPE), header("Authorization", ADMIN)];
    let body = body.map(Value::to_string);
    if body.is_some() {
        headers.push(header("Content-Type", MEDIA_TYPE));
    }
    send(address, method, path, &headers, body.as_ref().map(String::as_bytes)).unwrap()
}

/// Adds objects to a collection, in one request.
pub(crate) fn post(address: SocketAddr, collection: &str, objects: &[Value]) {
    let body = json!({ "objects": objects });
    let answer = ask(address, "POST", &format!("{collection}objects/"), Some(&body));
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 202, "{text}");
    let status: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status["failure_count"], 0, "{text}");
}
