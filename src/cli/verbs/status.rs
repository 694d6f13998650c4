//! `status`: how things stand at each destination.

use crate::{
    cli::{CliError, Context, Exit, context::known_destinations, render},
    history::{Ledger, query},
};

/// Arguments of `status`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Only this destination
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
}

/// Prints how things stand.
///
/// # Errors
/// If the ledger cannot be read or does not know the destination.
pub(crate) fn run(
    args: &Args,
    context: &mut Context,
    ledger: &dyn Ledger,
) -> Result<Exit, CliError> {
    let found = known_destinations(ledger, args.destination.as_deref())?
        .iter()
        .map(|name| query::status(ledger, name))
        .collect::<Result<Vec<_>, _>>()?;
    context.answer(|| render::json::StatusAnswer::new(&found), || render::text::status(&found))?;
    if found.is_empty() {
        context.say("nothing was sent anywhere yet");
    }
    Ok(Exit::Done)
}
