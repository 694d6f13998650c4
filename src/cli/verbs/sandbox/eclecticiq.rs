//! `sandbox eclecticiq`: a platform with one outgoing feed.

use std::sync::{Arc, Mutex};

use serde::Serialize;

use crate::{
    agent::{Clock, SystemClock},
    cli::{CliError, Context, Exit, args::EclecticIqArgs},
    config::{Holds, read_file},
    sandbox::eclecticiq::{Dataset, Platform, Setup, TOKEN, serve},
};

use super::serve_until_signal;

/// `sandbox eclecticiq`: where it listens, once it does.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/platform/1")]
pub(crate) struct PlatformAnswer {
    /// Its base URL.
    url: String,
    /// The number of the process.
    pid: u32,
    /// The number of its outgoing feed.
    feed: u32,
    /// The bearer token that it takes.
    token: &'static str,
}

pub(super) fn run(args: &EclecticIqArgs, context: &mut Context) -> Result<Exit, CliError> {
    let dataset = dataset(args)?;
    let setup = Setup {
        is_public: args.public,
        block_elements: args.block_elements,
        ..Setup::new(args.feed, args.strategy)
    };
    serve_until_signal(args.listen, context, |listener, url| {
        let platform = Platform::new(url, setup, dataset, SystemClock.now());
        let (url, pid) = (url.to_owned(), std::process::id());
        let line = PlatformAnswer { url, pid, feed: args.feed, token: TOKEN };
        (line, serve(listener, Arc::new(Mutex::new(platform))))
    })
}

fn dataset(args: &EclecticIqArgs) -> Result<Dataset, CliError> {
    let mut dataset: Option<Dataset> = None;
    for path in &args.dataset {
        let text = read_file(path, Holds::Data).map_err(|cause| CliError::read(path, &cause))?;
        let wrong = |cause| CliError::NotADataset { path: path.clone(), cause };
        let next = Dataset::read(&text).map_err(wrong)?;
        dataset = Some(match dataset {
            None => next,
            Some(first) => first.joined(next).map_err(wrong)?,
        });
    }
    Ok(dataset.expect("the command line has at least one"))
}
