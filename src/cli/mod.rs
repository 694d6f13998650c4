//! The command line: verbs, their arguments, and what they print.
//!
//! Each verb is one file with its arguments and a `run`, one line in `Verb` and one in `Verb::run`.
//! Data goes to standard output, talk to standard error, both through [`Ui`].

pub mod args;
mod beside;
mod context;
#[cfg(unix)]
mod daemon;
mod exit;
mod failure;
mod job;
mod live;
mod mirrors;
mod pages;
mod renames;
pub mod render;
mod routes;
#[cfg(test)]
mod schemas;
mod screen;
mod source;
#[cfg(test)]
mod tests;
mod throttles;
mod unmarked;
mod verbs;
mod version;

use std::{env, process::ExitCode};

use clap::{
    CommandFactory, Parser,
    error::{ContextKind, ContextValue},
};

use crate::model::nearest;

pub use context::Context;
pub use exit::Exit;
pub use failure::{CliError, ErrorAnswer, Kind, Report};
pub use screen::Ui;

use args::GlobalArgs;
use beside::{forward, host, output};
use screen::{choose_colours, logging};
use verbs::Verb;

/// Carries incidents from EclecticIQ or STIX 2.1 into MISP and sends only what changed
#[derive(Debug, Parser)]
#[command(name = "misp-trickle", version, long_version = version::LONG.as_str(), propagate_version = true, after_help = exit::TABLE)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    verb: Verb,
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    choose_colours(env::args_os());
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            return not_understood(&suggesting(error)).into();
        }
    };
    logging::start(&cli.global, cli.verb.log_style());
    let mut ui = Ui::standard(cli.global.utc);
    if cli.verb.is_paged() && !cli.global.no_pager && !cli.global.json {
        ui.page();
    }
    let odd_zone = ui.odd_zone().filter(|_| !cli.global.json);
    let mut context = Context::new(cli.global, ui);
    context.verb = cli.verb.name();
    context.guides = !matches!(cli.verb, Verb::Demo(_));
    context.args = env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    odd_zone.iter().for_each(|why| context.warn(why));
    match cli.verb.run(&mut context) {
        Ok(exit) => exit.into(),
        Err(error) if error.is_closed_pipe() => Exit::Done.into(),
        Err(error) => {
            let report = error.report();
            context.ui.report(&report, context.global.json);
            report.exit().into()
        }
    }
}

/// With the verb that may have been meant, where clap finds none.
fn suggesting(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(written)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let command = Cli::command();
    let verbs = command.get_subcommands().map(clap::Command::get_name);
    if let Some(meant) = nearest(written, verbs)
        && error.get(ContextKind::SuggestedSubcommand).is_none()
    {
        let meant = ContextValue::Strings(vec![meant.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, meant);
    }
    error
}

/// Prints the help that was asked for, or what is wrong with the arguments.
fn not_understood(error: &clap::Error) -> Exit {
    let is_wrong = error.use_stderr();
    // Nobody is left to tell when the help itself cannot be printed.
    if error.print().is_err() {
        return Exit::Error;
    }
    if !is_wrong {
        return Exit::Done;
    }
    let mut arguments = env::args_os().take_while(|argument| argument != "--");
    if arguments.any(|argument| argument == "--json") {
        Ui::standard(true).error_as_json(&Report::of_usage(error));
    }
    Exit::Usage
}
