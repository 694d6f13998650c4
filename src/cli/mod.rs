//! The command line: verbs, their arguments, and what they print.
//!
//! Each verb is one file with its arguments and a `run`, one line in `Verb` and one in `Verb::run`.
//! Data goes to standard output, talk to standard error, both through [`Ui`].

pub mod args;
mod context;
mod error;
mod exit;
mod job;
mod live;
mod logging;
mod progress;
pub mod render;
#[cfg(test)]
mod tests;
mod ui;
mod unmarked;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

pub use context::Context;
pub use error::CliError;
pub use exit::Exit;
pub use ui::Ui;

use args::GlobalArgs;
use verbs::Verb;

/// Carries incidents from EclecticIQ or STIX 2.1 into MISP and sends only what changed
#[derive(Debug, Parser)]
#[command(name = "misp-trickle", version, propagate_version = true, after_help = exit::TABLE)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    verb: Verb,
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            // Nobody is left to tell when the help itself cannot be printed.
            return if error.print().is_ok() { exit.into() } else { Exit::Error.into() };
        }
    };
    logging::start(&cli.global);
    let mut context = Context::new(cli.global, Ui::standard());
    context.verb = cli.verb.name();
    match cli.verb.run(&mut context) {
        Ok(exit) => exit.into(),
        Err(error) if error.is_closed_pipe() => Exit::Done.into(),
        Err(error) => {
            context.ui.error(&error);
            error.exit().into()
        }
    }
}
