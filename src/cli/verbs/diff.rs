//! `diff`: what MISP gained between two runs.

use crate::{
    cli::{CliError, Context, Exit, args::FilterArgs, render},
    history::{
        Ledger,
        query::{self, Selected},
    },
    model::RunNumber,
};

/// Arguments of `diff`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The state before: after this run, or 0 for the beginning; without it the run before the second
    #[arg(value_name = "A")]
    pub from: Option<String>,
    /// The state after; without it the newest run
    #[arg(value_name = "B", default_value = "@")]
    pub to: String,
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

/// Prints the net changes of all runs after `from` up to `to`, at the destination of `to`.
///
/// # Errors
/// If there are no such runs, they do not belong together, or the ledger cannot be read.
pub(crate) fn run(
    args: &Args,
    context: &mut Context,
    ledger: &dyn Ledger,
) -> Result<Exit, CliError> {
    let difference =
        difference(ledger, args.from.as_deref(), &args.to, args.filter.filter(), usize::MAX)?;
    let (detail, whole) = (context.detail(args.stat, args.all), context.whole());
    context.answer(
        || render::json::DiffAnswer::new(&difference, detail),
        || render::changes::diff(&difference, detail, &whole),
    )?;
    Ok(Exit::Done)
}

/// The net changes between two runs by their names.
///
/// # Errors
/// If there are no such runs, they do not belong together, or the ledger cannot be read.
pub(in crate::cli) fn difference(
    ledger: &dyn Ledger,
    from: Option<&str>,
    to: &str,
    mut filter: query::RunFilter,
    lines: usize,
) -> Result<query::Difference, CliError> {
    // `diff 3` compares run 3 with the newest run of the same destination.
    let numbered = from.filter(|text| !text.starts_with('@') && *text != "0");
    if let (None, Some(from), true) = (&filter.destination, numbered, to.starts_with('@')) {
        filter.destination = Some(query::select_run(ledger, from, &filter)?.destination);
    }
    let to = query::select_run(ledger, to, &filter)?;
    filter.destination.get_or_insert_with(|| to.destination.clone());
    let from = match from {
        Some(text) => query::select_base(ledger, text, &filter)?,
        None => before(ledger, &filter, &to)?,
    };
    Ok(query::diff(ledger, &from, &to, lines)?)
}

fn before(
    ledger: &dyn Ledger,
    filter: &query::RunFilter,
    to: &crate::history::RunRecord,
) -> Result<Selected, CliError> {
    for number in (1..to.number.0).rev() {
        if let Some(run) = ledger.run(RunNumber(number))?.filter(|run| filter.takes(run)) {
            return Ok(Selected::Run(Box::new(run)));
        }
    }
    Ok(Selected::Beginning)
}
