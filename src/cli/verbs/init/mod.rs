//! `init`: writes a commented configuration, never over another, and asks on a terminal what no option says.

mod args;
mod dialogue;
mod questions;
mod terminal;
#[cfg(test)]
mod tests;

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    agent::{Candidates, Input},
    cli::{
        CliError, Context, Exit, Kind, Report,
        args::DoctorArgs,
        beside::output::{Rights, folder_of, write_new},
        live::Live,
        verbs::doctor,
    },
    config::{Config, InitArgs, InitSource, source_at, template},
    format::Format,
    graph::{self, Aliases},
    model::Fault,
    source::SourceError,
};

pub(crate) use args::Args;
use dialogue::{Asker, Dialogue, NewSecret, Stopped};
use terminal::Terminal;

/// `init`: the files that were written.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/init/2")]
pub(crate) struct InitAnswer {
    /// The configuration.
    file: String,
    /// Files that were made beside it, with a secret each that was typed.
    secret_files: Vec<String>,
}

/// Asks, writes the files, says what comes next, and offers the first step of that.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    let path = context.global.config.clone();
    can_be_written(&path)?;
    // Where echo cannot be switched off, nobody is asked.
    let asks = cfg!(unix) && !args.no_input && !context.global.quiet && context.ui.is_heard();
    let mut terminal = if asks { Some(Terminal::start(context)?) } else { None };
    let asker = terminal.as_mut().map(|terminal| terminal as &mut dyn Asker);
    let mut dialogue = Dialogue::new(&path, asker);
    if asks {
        dialogue.say("Nothing is written before the last answer. An empty one takes what stands in brackets.");
    }
    let answers = questions::answer(args, &mut dialogue)?;
    let Dialogue { has_asked, secrets, awaited, lacks, .. } = dialogue;
    let live = terminal.map(Terminal::into_live);
    let containers = proposed(&path, &answers.source, live.as_ref(), context)?;
    drop(live);
    let text = template(&InitArgs {
        store: store_text(&path, context.global.store.as_deref()),
        containers,
        ..answers
    });
    Config::parse(&text, &path)?;
    write(&path, &text, &secrets)?;
    for NewSecret { noun, path, .. } in &secrets {
        context.say(format_args!("wrote {}: the {noun}, for this user alone", path.display()));
    }
    context.say(format_args!("wrote {}", path.display()));
    // Its warnings.
    context.config()?;
    let secret_files = secrets.iter().map(|secret| secret.path.display().to_string()).collect();
    let answer = || InitAnswer { file: path.display().to_string(), secret_files };
    context.answer(answer, String::new)?;
    let offers = has_asked && !context.global.json;
    if offers && !lacks && wants_doctor(&mut Terminal::start(context)?, true)? {
        return doctor(context);
    }
    let first = match &awaited[..] {
        [] => String::new(),
        [only] => format!("{only}; with it there, "),
        all => format!("{}; with both there, ", all.join(", ")),
    };
    context.next(format_args!(
        "{first}`misp-trickle doctor` says what is wrong before anything is sent"
    ));
    // Before its secrets are there it can only fail.
    if offers && lacks && wants_doctor(&mut Terminal::start(context)?, false)? {
        return doctor(context);
    }
    Ok(Exit::Done)
}

fn doctor(context: &mut Context) -> Result<Exit, CliError> {
    context.verb = "doctor";
    doctor::run(&DoctorArgs { destination: None, push_test_event: false }, context)
}

/// Finds out before anybody answers a question, or anything is written.
fn can_be_written(path: &Path) -> Result<(), CliError> {
    if path.symlink_metadata().is_ok() {
        return Err(CliError::Exists { path: path.to_owned() });
    }
    let tried = tempfile::tempfile_in(folder_of(path));
    tried.map(drop).map_err(|cause| cannot_write(path, cause))
}

/// Whether `doctor` is to be run now, which is the default or not. Whoever has nothing more to say does not want it.
fn wants_doctor(asker: &mut dyn Asker, by_default: bool) -> Result<bool, CliError> {
    let choice = if by_default { "[Y/n]" } else { "[y/N]" };
    loop {
        let answer = match asker.ask(&format!("Run `misp-trickle doctor` now? {choice}: ")) {
            Ok(answer) => answer.trim().to_ascii_lowercase(),
            Err(Stopped::EndOfInput) => return Ok(false),
            Err(Stopped::Interrupted) => {
                let fault =
                    Fault::new("interrupted", "the files are written; run `misp-trickle doctor`");
                return Err(CliError::Told(Box::new(Report::new(Kind::Interrupted, fault))));
            }
            Err(stopped) => return Err(stopped.into()),
        };
        match &*answer {
            "" => return Ok(by_default),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => asker.say("  write y or n"),
        }
    }
}

/// The kinds to become events, where the dataset is there already and gives none without.
fn proposed(
    config: &Path,
    source: &InitSource,
    live: Option<&Live>,
    context: &mut Context,
) -> Result<Vec<&'static str>, CliError> {
    let (InitSource::File(path) | InitSource::Folder(path)) = source else {
        return Ok(Vec::new());
    };
    let source = config.with_file_name(path);
    let found = match live {
        None => candidates(&source),
        // A share may hang: whoever does not want to wait for it ends the program.
        Some(live) => {
            let reading = live.threads().spawn_blocking(move || candidates(&source));
            let read = live.ask(reading).ok_or(Stopped::Interrupted)?;
            read.map_err(std::io::Error::other).map_err(CliError::System)?
        }
    };
    let candidates = match found {
        Ok(candidates) => candidates,
        Err(error) => {
            context.warn(format_args!("{error}"));
            None
        }
    };
    let Some(candidates) = candidates else { return Ok(Vec::new()) };
    let (Some(what), kinds) = (candidates.describe(), candidates.kinds()) else {
        return Ok(Vec::new());
    };
    let holds = format!("the dataset gives no event as it is, and holds {what}");
    if candidates.are_containers() {
        context.say(format_args!("{holds}: `containers` under [mapping] names them"));
        return Ok(kinds);
    }
    context.say(format_args!(
        "{holds}: containers = {kinds:?} under [mapping] would make events of them"
    ));
    Ok(Vec::new())
}

/// What a regular file or a folder holds, if it is one; nobody knows when another kind of file ends.
fn candidates(source: &Path) -> Result<Option<Candidates>, SourceError> {
    if !source.is_file() && !source.is_dir() {
        return Ok(None);
    }
    let (aliases, options) = (Aliases::default(), graph::Options::default());
    let input = Input::read_source(&source_at(source), Format::Auto, &aliases, &options, None)?;
    Ok(Some(Candidates::of(&input.graph)))
}

/// The store as it stands in the file: `--store` is meant from where the command runs, a path in the file
/// from the file's folder.
fn store_text(config: &Path, store: Option<&Path>) -> String {
    let Some(store) = store else { return "state".to_owned() };
    let beside = config.parent().is_none_or(|folder| folder == Path::new(""));
    let path = if beside { Ok(store.to_owned()) } else { std::path::absolute(store) };
    path.unwrap_or_else(|_| store.to_owned()).display().to_string()
}

/// Writes the secrets, and last the configuration that names them; without it no file is left.
fn write(path: &Path, text: &str, secrets: &[NewSecret]) -> Result<(), CliError> {
    let mut written: Vec<&PathBuf> = Vec::new();
    let mut all = || {
        for NewSecret { path, secret, .. } in secrets {
            let line = format!("{}\n", secret.expose());
            write_new(path, &line, Rights::Private).map_err(|cause| cannot_write(path, cause))?;
            written.push(path);
        }
        write_new(path, text, Rights::Usual).map_err(|cause| cannot_write(path, cause))
    };
    let done = all();
    if done.is_err() {
        written.iter().for_each(|path| drop(fs::remove_file(path)));
    }
    done
}

fn cannot_write(path: &Path, cause: std::io::Error) -> CliError {
    match cause.kind() {
        ErrorKind::AlreadyExists => CliError::Exists { path: path.to_owned() },
        _ => CliError::Write {
            path: path.to_owned(),
            cause,
            cure: "make the folder, or name another file with `--config FILE`",
        },
    }
}
