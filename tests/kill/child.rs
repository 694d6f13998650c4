//! The program to be killed: the built binary, or the agent as a library in a process of its own, where it
//! can be given a shorter patience, or a mistake.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use misp_trickle::{
    agent::{self, Job, Silent, SystemClock},
    delivery::Backoff,
    model::{Timestamp, Tlp},
    plan::{Policy, Unmarked},
    remote::{Encoding, Remote},
    source::SourceSpec,
    store::{OpenError, OpenMode, Owner, Store},
};

use crate::{claiming::Claiming, direct::direct_access, through::Through, world::open_job};

/// Set for a process that is to be the agent.
const FOLDER: &str = "KILL_FOLDER";
const URL: &str = "KILL_URL";
const KEY: &str = "MISP_API_KEY";
const CLAIMS: &str = "KILL_CLAIMS";

pub(crate) fn write_configuration(folder: &Path, url: &str) {
    let text = format!(
        r#"
        version = 1
        [store]
        path = "state"
        [source]
        path = "dataset.json"
        [destinations.main]
        url = "{url}"
        api_key_env = "{KEY}"
        proxy = "none"
        compression = "off"
        verify_every = "never"
        "#
    );
    std::fs::write(folder.join("misp-trickle.toml"), text).unwrap();
}

/// The built binary.
pub(crate) fn binary(folder: &Path, key: &str, verb: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_misp-trickle"));
    command.arg(verb);
    quiet(&mut command, folder, key);
    command
}

/// This test, as the agent.
pub(crate) fn library(folder: &Path, key: &str, url: &str, claims: bool) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child::the_agent_in_a_process_of_its_own", "--nocapture"]);
    command.env(FOLDER, folder).env(URL, url);
    if claims {
        command.env(CLAIMS, "yes");
    }
    quiet(&mut command, folder, key);
    command
}

fn quiet(command: &mut Command, folder: &Path, key: &str) {
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let err = log.try_clone().unwrap();
    command.current_dir(folder).env(KEY, key).env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(log).stderr(err);
}

pub(crate) fn owner() -> Owner {
    Owner {
        pid: std::process::id(),
        host: "here".to_owned(),
        command: "a test".to_owned(),
        now: Timestamp::from_seconds(0),
    }
}

/// One run of the agent, if this process is to be one.
#[test]
fn the_agent_in_a_process_of_its_own() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let (url, key) = (std::env::var(URL).unwrap(), std::env::var(KEY).unwrap());
    let state = folder.join("state");
    let store = match Store::open(&state, OpenMode::ReadWrite, owner(), Duration::from_secs(5)) {
        Err(OpenError::NoStore { .. }) => Store::create(&state, owner()),
        opened => opened,
    };
    let mut store = store.unwrap();
    let commits = Claiming(std::env::var_os(CLAIMS).is_some());
    let mut ledger = Through { inner: &mut store, commits };
    let access = direct_access(&url, &key, Encoding::Plain, Duration::from_secs(5));
    let job = job(&url, &folder);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let interrupt = AtomicBool::new(false);
    let _inside = runtime.enter();
    let remote = Arc::new(Remote::new(&access).unwrap());
    let run = agent::sync(&job, &mut ledger, remote, &SystemClock, &Silent, &interrupt);
    // What became of it, the store tells.
    if let Err(error) = runtime.block_on(run) {
        println!("{error}");
    }
}

/// The job of the configuration above, but for its patience.
fn job(url: &str, folder: &Path) -> Job {
    Job {
        url: url.to_owned(),
        source: SourceSpec::File(folder.join("dataset.json")),
        policy: Policy {
            allow_tlp: [Tlp::Clear, Tlp::Green, Tlp::Amber].into(),
            unmarked: Unmarked::Deny,
        },
        chunk_max: 20,
        backoff: Backoff { base_ms: 5, max_ms: 40, tries_max: 5, seed: 1 },
        ..open_job()
    }
}
