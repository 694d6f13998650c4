//! `sandbox`: a small MISP in memory, to try things out on.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};

use serde::Serialize;
use tokio::{net::TcpListener, runtime::Runtime};
use uuid::Uuid;

use crate::{
    cli::{CliError, Context, Exit, args::SandboxArgs, live::Signals},
    sandbox::{Keys, Misp, Setup, serve},
};

/// The names that a file of keys may have.
const ROLES: [&str; 11] = [
    "admin",
    "user",
    "publisher",
    "sync",
    "readonly",
    "addonly",
    "tageditor",
    "orgadmin",
    "disabled",
    "rokey",
    "expkey",
];

/// `sandbox`: where it listens, once it does.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/sandbox/2")]
pub(crate) struct SandboxAnswer {
    /// Its base URL.
    url: String,
    /// The number of the process.
    pid: u32,
    /// A key for each role; not there where a file gave the keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<BTreeMap<String, String>>,
}

/// Serves until a signal comes. One line of JSON says that it listens, and where.
pub(crate) fn run(args: &SandboxArgs, context: &mut Context) -> Result<Exit, CliError> {
    let (keys, made) = keys(args)?;
    if !args.listen.ip().is_loopback() {
        context
            .warn("the sandbox can be reached from other machines; it is no place for real data");
    }
    let runtime = Runtime::new().map_err(CliError::System)?;
    runtime.block_on(async {
        let mut signals = Signals::listen().map_err(CliError::System)?;
        let cannot_listen = |cause| CliError::Listen { address: args.listen.to_string(), cause };
        let listener = TcpListener::bind(args.listen).await.map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        let url = format!("http://{address}");
        let mut misp = Misp::new(&url, keys);
        misp.set_up(Setup {
            release: args.misp,
            jobs: args.jobs,
            row_order: args.row_order,
            search_limit: args.search_limit,
            memory_rows: args.memory_rows,
        });
        let misp = Arc::new(Mutex::new(misp));
        context.ui.json(&SandboxAnswer { url, pid: std::process::id(), keys: made })?;
        tokio::select! {
            served = serve(listener, misp) => served.map_err(CliError::System)?,
            () = signals.next() => {}
        }
        Ok(Exit::Done)
    })
}

/// The keys of the file; without one made-up ones, which are then told.
fn keys(args: &SandboxArgs) -> Result<(Keys, Option<BTreeMap<String, String>>), CliError> {
    let Some(path) = &args.keys else {
        let keys = Keys::demo(&Uuid::new_v4().to_string());
        let key = |role: &&str| Some(((*role).to_owned(), keys.get(role)?.to_owned()));
        let told = ROLES.iter().filter_map(key).collect();
        return Ok((keys, Some(told)));
    };
    let text = fs::read_to_string(path).map_err(|cause| CliError::read(path, &cause))?;
    let keys: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|error| {
        CliError::read(path, &format_args!("it is no object from role names to keys: {error}"))
    })?;
    Ok((Keys::from(keys), None))
}
