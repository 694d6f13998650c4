//! `init`: writes a commented configuration, never over another.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;
use uuid::Uuid;

use crate::{
    agent::{Candidates, Input},
    cli::{CliError, Context, Exit},
    config::{Config, DEFAULT_KEY_ENV, InitArgs, KeySource, source_at, template},
    format::Format,
    graph::{self, Aliases},
};

/// Arguments of `init`; `--config` says where to, `--store` where the store will be.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Address of the MISP
    #[arg(long, value_name = "URL", default_value = "https://misp.example.org")]
    url: String,
    /// The environment variable that holds the API key
    #[arg(long, value_name = "NAME", default_value = DEFAULT_KEY_ENV)]
    api_key_env: String,
    /// The file that holds the API key, relative to the configuration
    #[arg(long, value_name = "PATH", conflicts_with = "api_key_env")]
    api_key_file: Option<PathBuf>,
    /// The dataset, relative to the configuration
    #[arg(long, value_name = "PATH", default_value = "dataset.json")]
    source: String,
}

/// `init`: the file that was written.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/init/2")]
pub(crate) struct InitAnswer {
    /// The configuration.
    file: String,
}

/// Writes the file and says what comes next.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    let path = context.global.config.clone();
    let containers = proposed(&dataset(&path, &args.source), context);
    let text = template(&InitArgs {
        url: args.url.clone(),
        key: match &args.api_key_file {
            Some(path) => KeySource::File(path.clone()),
            None => KeySource::Env(args.api_key_env.clone()),
        },
        source: args.source.clone(),
        store: store_text(&path, context.global.store.as_deref()),
        containers,
        rest_uuid: Uuid::new_v4().to_string(),
    });
    let config = Config::parse(&text, &path)?;
    write_new(&path, &text)?;
    for warning in &config.warnings {
        context.warn(warning);
    }
    context.say(format_args!("wrote {}", path.display()));
    if let Some(destination) = config.destinations.first() {
        context.say(format_args!(
            "next: the API key is taken from {}; with it there, `misp-trickle doctor` says what is wrong before \
             anything is sent",
            destination.key
        ));
    }
    context.answer(|| InitAnswer { file: path.display().to_string() }, String::new)?;
    Ok(Exit::Done)
}

/// The dataset that the configuration will name.
fn dataset(config: &Path, source: &str) -> PathBuf {
    config.parent().unwrap_or(Path::new("")).join(source)
}

/// The kinds to become events, where the dataset is there already and gives none without.
fn proposed(source: &Path, context: &mut Context) -> Vec<&'static str> {
    if !source.exists() {
        return Vec::new();
    }
    let (aliases, options) = (Aliases::default(), graph::Options::default());
    let input = match Input::read_source(&source_at(source), Format::Auto, &aliases, &options, None)
    {
        Ok(input) => input,
        Err(error) => {
            context.warn(format_args!("{error}"));
            return Vec::new();
        }
    };
    let candidates = Candidates::of(&input.graph);
    let (Some(what), kinds) = (candidates.describe(), candidates.kinds()) else {
        return Vec::new();
    };
    let holds = format!("the dataset gives no event as it is, and holds {what}");
    if candidates.are_containers() {
        context.say(format_args!("{holds}: `containers` under [mapping] names them"));
        return kinds;
    }
    context.say(format_args!(
        "{holds}: containers = {kinds:?} under [mapping] would make events of them"
    ));
    Vec::new()
}

/// The store as it stands in the file: `--store` is meant from where the command runs, a path in the file
/// from the file's folder.
fn store_text(config: &Path, store: Option<&Path>) -> String {
    let Some(store) = store else { return "state".to_owned() };
    let beside = config.parent().is_none_or(|folder| folder == Path::new(""));
    let path = if beside { Ok(store.to_owned()) } else { std::path::absolute(store) };
    path.unwrap_or_else(|_| store.to_owned()).display().to_string()
}

fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => CliError::Exists { path: path.to_owned() },
        _ => CliError::Write {
            path: path.to_owned(),
            cause,
            cure: "make the folder, or name another file with `--config FILE`",
        },
    })
}
