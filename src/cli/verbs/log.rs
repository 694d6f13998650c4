//! `log`: the runs, or the pulls that they rested on, newest first.

use crate::{
    cli::{CliError, Context, Exit, args::FilterArgs, render},
    history::{Ledger, query},
};

/// Arguments of `log`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Which runs
    #[command(flatten)]
    pub filter: FilterArgs,
    /// At most so many
    #[arg(short = 'n', long, value_name = "N")]
    pub number: Option<usize>,
    /// One line for each
    #[arg(long)]
    pub oneline: bool,
    /// The pulls that they rested on instead of the runs
    #[arg(long, conflicts_with = "oneline")]
    pub pulls: bool,
}

/// Prints the runs.
///
/// # Errors
/// If the ledger cannot be read.
pub(crate) fn run(
    args: &Args,
    context: &mut Context,
    ledger: &dyn Ledger,
) -> Result<Exit, CliError> {
    if args.pulls {
        return pulls(args, context, ledger);
    }
    let runs = query::log(ledger, &args.filter.filter(), args.number)?;
    let text = if args.oneline { render::text::oneline } else { render::text::log };
    context.answer(|| render::json::LogAnswer { runs: &runs }, || text(&runs))?;
    if runs.is_empty() {
        context.say("there is no such run yet");
    }
    Ok(Exit::Done)
}

fn pulls(args: &Args, context: &mut Context, ledger: &dyn Ledger) -> Result<Exit, CliError> {
    let pulls = query::pulls(ledger, &args.filter.filter(), args.number)?;
    context
        .answer(|| render::json::PullsAnswer { pulls: &pulls }, || render::text::pulls(&pulls))?;
    if pulls.is_empty() {
        context.say("no run rested on a pull yet");
    }
    Ok(Exit::Done)
}
