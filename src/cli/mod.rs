//! The command line: verbs, their arguments, and what they print.
//!
//! Each verb is one file with its arguments and a `run`, one line in `Verb` and one in `Verb::run`.
//! Data goes to standard output, talk to standard error, both through [`Ui`].

pub mod args;
mod completions;
mod config;
mod context;
pub mod diff;
mod error;
mod exit;
mod init;
pub mod log;
pub mod render;
pub mod show;
pub mod status;
#[cfg(test)]
mod tests;
mod ui;
pub mod why;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use context::Context;
pub use error::CliError;
pub use exit::Exit;
pub use ui::Ui;

use args::GlobalArgs;

/// Carries incidents from EclecticIQ or STIX 2.1 into MISP and sends only what changed
#[derive(Debug, Parser)]
#[command(name = "misp-trickle", version, propagate_version = true, after_help = exit::TABLE)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    verb: Verb,
}

/// What can be asked of the program.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a commented configuration
    Init(init::Args),
    /// Print the configuration in effect, without secrets
    Config,
    /// Print completions for a shell
    Completions(completions::Args),
}

impl Verb {
    fn run(&self, context: &mut Context) -> Result<Exit, CliError> {
        match self {
            Self::Init(args) => init::run(args, context),
            Self::Config => config::run(context),
            Self::Completions(args) => completions::run(args, context),
        }
    }
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
    let mut context = Context::new(cli.global, Ui::standard());
    match cli.verb.run(&mut context) {
        Ok(exit) => exit.into(),
        Err(error) if error.is_closed_pipe() => Exit::Done.into(),
        Err(error) => {
            context.ui.error(&error);
            error.exit().into()
        }
    }
}
