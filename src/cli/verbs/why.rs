//! `why`: why a value, attribute or event is in MISP, or is not.

use std::num::NonZeroUsize;

use crate::{
    cli::{CliError, Context, Exit, context::known_destinations, render},
    history::{
        Ledger,
        query::{self, Depth},
    },
};

/// Arguments of `why`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// A value or a part of it, an entity's id, the UUID of an attribute or event, MISP's number or address of an event, words of its title
    #[arg(value_name = "VALUE")]
    pub value: String,
    /// Only at this destination
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
    /// At most so many answers for each destination
    #[arg(short = 'n', long, value_name = "N", default_value = "20")]
    pub number: NonZeroUsize,
    /// Read everything, and find any part of a value, not only words of it: takes long in a large store
    #[arg(long)]
    pub scan: bool,
}

/// Prints all that is known of it; [`Exit::Error`] if that is nothing.
///
/// # Errors
/// If the ledger cannot be read.
pub(crate) fn run(
    args: &Args,
    context: &mut Context,
    ledger: &dyn Ledger,
) -> Result<Exit, CliError> {
    let depth = if args.scan { Depth::Letters } else { Depth::Words };
    let found = known_destinations(ledger, args.destination.as_deref())?
        .iter()
        .map(|name| query::why(ledger, name, &args.value, args.number.get(), depth))
        .collect::<Result<Vec<_>, _>>()?;
    let is_known = !found.iter().all(query::Why::is_nothing);
    context.answer(
        || render::json::WhyAnswer::new(&args.value, &found),
        || render::why::why(&found),
    )?;
    for (feed, at) in
        found.iter().flat_map(|why| why.unkept.iter().map(|it| (it, &why.destination)))
    {
        context.say(format_args!(
            "note: what of feed {feed} did not reach {at} was counted and not kept: the next run that reads its \
             source keeps it"
        ));
    }
    for why in &found {
        for (feed, count) in &why.more_lost {
            context.say(format_args!(
                "note: feed {feed} lost at least {count} more at {} than are kept by name: it may be one of them",
                why.destination
            ));
        }
    }
    if is_known {
        return Ok(Exit::Done);
    }
    let looked = query::looked_for(&args.value, depth).into_iter().chain([query::MAY_HIDE]);
    let looked = looked.collect::<Vec<_>>().join("; ");
    context.say(format_args!("nothing is known of {:?}{}: {looked}", args.value, places(&found)));
    Ok(Exit::Error)
}

fn places(found: &[query::Why]) -> String {
    let names: Vec<&str> = found.iter().map(|why| why.destination.as_str()).collect();
    if names.is_empty() { String::new() } else { format!(" at {}", names.join(", ")) }
}
