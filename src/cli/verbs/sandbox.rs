//! `sandbox`: a small MISP in memory, to try things out on.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};

use serde_json::{Map, Value, json};
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
        let mut line = json!({
            "schema": "misp-trickle/sandbox/2",
            "url": url,
            "pid": std::process::id(),
        });
        if let (Some(made), Value::Object(line)) = (made, &mut line) {
            line.insert("keys".to_owned(), Value::Object(made));
        }
        context.ui.json(&line)?;
        tokio::select! {
            served = serve(listener, misp) => served.map_err(CliError::System)?,
            () = signals.next() => {}
        }
        Ok(Exit::Done)
    })
}

/// The keys of the file; without one made-up ones, which are then told.
fn keys(args: &SandboxArgs) -> Result<(Keys, Option<Map<String, Value>>), CliError> {
    let Some(path) = &args.keys else {
        let keys = Keys::demo(&Uuid::new_v4().to_string());
        let key = |role: &&str| Some(((*role).to_owned(), json!(keys.get(role)?)));
        let told = ROLES.iter().filter_map(key).collect();
        return Ok((keys, Some(told)));
    };
    let text = fs::read_to_string(path).map_err(|cause| CliError::read(path, &cause))?;
    let keys: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|error| {
        CliError::read(path, &format_args!("it is no object from role names to keys: {error}"))
    })?;
    Ok((Keys::from(keys), None))
}
