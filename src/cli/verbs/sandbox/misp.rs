//! `sandbox` alone: a small MISP.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde::Serialize;
use uuid::Uuid;

use crate::{
    cli::{CliError, Context, Exit, args::MispArgs},
    config::{Holds, read_text},
    sandbox::{Keys, Misp, Setup, Slowness, serve, serve_slowly},
};

use super::serve_until_signal;

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

pub(super) fn run(args: &MispArgs, context: &mut Context) -> Result<Exit, CliError> {
    let (keys, made) = keys(args)?;
    serve_until_signal(args.listen, context, |listener, url| {
        let mut misp = Misp::new(url, keys);
        misp.set_up(Setup {
            release: args.misp,
            jobs: args.jobs,
            row_order: args.row_order,
            search_limit: args.search_limit,
            memory_rows: args.memory_rows,
        });
        let url = url.to_owned();
        let line = SandboxAnswer { url, pid: std::process::id(), keys: made };
        let (misp, slowness) = (Arc::new(Mutex::new(misp)), args.slow.map(f64::from));
        (line, async move {
            match slowness {
                None => serve(listener, misp).await,
                Some(times) => serve_slowly(listener, misp, Slowness::new(times)).await,
            }
        })
    })
}

/// The keys of the file; without one made-up ones, which are then told.
fn keys(args: &MispArgs) -> Result<(Keys, Option<BTreeMap<String, String>>), CliError> {
    let Some(path) = &args.keys else {
        let keys = Keys::demo(&Uuid::new_v4().to_string());
        let key = |role: &&str| Some(((*role).to_owned(), keys.get(role)?.to_owned()));
        let told = ROLES.iter().filter_map(key).collect();
        return Ok((keys, Some(told)));
    };
    let text = read_text(path, Holds::Settings).map_err(|cause| CliError::read(path, &cause))?;
    let keys: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|error| {
        CliError::read(path, &format_args!("it is no object from role names to keys: {error}"))
    })?;
    Ok((Keys::from(keys), None))
}
