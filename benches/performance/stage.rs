//! A folder with a configuration, and the sandboxes that it leads to.

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
};

use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

use crate::spent::{self, Ran, Spent};
use misp_trickle::sandbox::{self, Keys, Misp, Request};

const NOW: i64 = 1_720_000_000;

pub(crate) struct Stage {
    _runtime: Runtime,
    misps: Vec<Arc<Mutex<Misp>>>,
    keys: Keys,
    folder: TempDir,
}

impl Stage {
    /// So many fresh MISPs, and a configuration that delivers to all of them what is so many links away.
    pub(crate) fn new(destinations: usize, depth: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let keys = Keys::demo("bench");
        let mut config = format!(
            "version = 1\n[source]\npath = \"dataset.json\"\n[store]\npath = \"store\"\n\
             [mapping]\ndepth = {depth}\n"
        );
        let misps = (0..destinations).map(|number| {
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
            let url = format!("http://{}", listener.local_addr().expect("a bound port"));
            let misp = Arc::new(Mutex::new(Misp::new(&url, keys.clone())));
            drop(runtime.spawn(sandbox::serve(listener, misp.clone())));
            write!(
                config,
                "[destinations.misp-{number}]\nurl = \"{url}\"\napi_key_env = \"MISP_API_KEY\"\n\
                 [destinations.misp-{number}.policy]\nallow_tlp = [\"green\"]\n\
                 [destinations.misp-{number}.event]\ninclude_tags = \"all\"\n"
            )
            .expect("writing to a String never fails");
            misp
        });
        let misps = misps.collect();
        fs::write(folder.path().join("misp-trickle.toml"), config).expect("a new file");
        Self { _runtime: runtime, misps, keys, folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What one of the MISPs holds.
    pub(crate) fn misp(&self, number: usize) -> &Mutex<Misp> {
        &self.misps[number]
    }

    pub(crate) fn write(&self, dataset: &[u8]) {
        fs::write(self.path("dataset.json"), dataset).expect("the dataset is written");
    }

    /// Writes the dataset and runs a verb over it.
    pub(crate) fn over(&self, dataset: &[u8], arguments: &[&str]) -> Spent {
        self.write(dataset);
        self.run(arguments).spent
    }

    /// Runs the program here; any end is well but an error.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_misp-trickle"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("MISP_API_KEY", self.keys.get("sync").expect("a role of the sandbox"))
            .env_remove("MISP_TRICKLE_CONFIG");
        let ran = spent::run(&mut command);
        let expected = [Some(0), Some(3)].contains(&ran.code);
        let words = || ran.words.chars().take(2_000).collect::<String>();
        assert!(expected, "{arguments:?}: {:?}: {}", ran.code, words());
        ran
    }

    /// Runs the program several times; what one of them took.
    pub(crate) fn repeat(&self, times: u32, arguments: &[&str]) -> Spent {
        let mut sum = Spent::default();
        for _ in 0..times {
            let spent = self.run(arguments).spent;
            sum.seconds += spent.seconds;
            sum.megabytes = sum.megabytes.max(spent.megabytes);
        }
        Spent { seconds: sum.seconds / f64::from(times), ..sum }
    }

    /// An administrator of MISP does something there.
    pub(crate) fn post(&self, path: &str) {
        let key = self.keys.get("admin").expect("a role of the sandbox");
        let headers =
            [("Authorization", key), ("Accept", "application/json"), ("User-Agent", "bench")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let (method, path) = ("POST".to_owned(), path.to_owned());
        let request = Request { method, path, headers, body: Vec::new() };
        let reply = self.misp(0).lock().expect("nobody panicked").handle(&request, NOW);
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    }
}
