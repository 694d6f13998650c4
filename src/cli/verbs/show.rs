//! `show`: one run and what it changed.

use crate::{
    cli::{CliError, Context, Exit, args::FilterArgs, render},
    history::{Ledger, query},
};

/// Arguments of `show`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The run: the beginning of its id, its number, @ for the newest, @- and @-N for those before
    #[arg(default_value = "@", value_name = "RUN")]
    pub run: String,
    /// Among which runs
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Only counts
    #[arg(long)]
    pub stat: bool,
    /// All changes, at a terminal as well
    #[arg(long, conflicts_with = "stat")]
    pub all: bool,
}

/// Prints the run.
///
/// # Errors
/// If there is no such run, or the ledger cannot be read.
pub(crate) fn run(
    args: &Args,
    context: &mut Context,
    ledger: &dyn Ledger,
) -> Result<Exit, CliError> {
    let run = query::select_run(ledger, &args.run, &args.filter.filter())?;
    let shown = query::show(ledger, run)?;
    let (detail, whole) = (context.detail(args.stat, args.all), context.whole());
    context.answer(
        || render::json::ShowAnswer::new(&shown, detail),
        || render::changes::show(&shown, detail, &whole),
    )?;
    Ok(Exit::Done)
}
