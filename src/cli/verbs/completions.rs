//! `completions`: what a shell needs to complete our arguments.

use clap::CommandFactory;
use clap_complete::Shell;
use serde::Serialize;

use crate::cli::{Cli, CliError, Context, Exit};

/// Arguments of `completions`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// `completions`: a script for a shell.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/completions/2")]
pub(crate) struct CompletionsAnswer {
    /// The shell.
    shell: String,
    /// The script.
    script: String,
}

/// Prints the completions.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    if context.global.json {
        context.ui.json(&CompletionsAnswer { shell: args.shell.to_string(), script })?;
    } else {
        context.ui.data(&script)?;
    }
    Ok(Exit::Done)
}
