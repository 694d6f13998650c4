//! `completions`: what a shell needs to complete our arguments.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::{Cli, CliError, Context, Exit};

/// Arguments of `completions`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the completions.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    context.ui.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
