//! `repair --resend`: forgets what a destination holds, so that the next `sync` sends it all again.

use serde::Serialize;

use crate::{
    agent::resend,
    cli::{CliError, Context, Exit, context::known_destinations},
    model::DestinationName,
};

/// Whether somebody said that it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// `--yes` was given.
    Given,
    /// It was not: nothing is forgotten.
    Missing,
}

/// `repair --resend`: what was forgotten.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/resend/2")]
pub(crate) struct ResendAnswer {
    /// By destination.
    destinations: Vec<Forgotten>,
}

/// What was forgotten of one destination.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Forgotten {
    /// The destination.
    destination: DestinationName,
    /// Events that count as never sent now.
    events_forgotten: u64,
}

/// Forgets that one destination, or each of all, holds anything. MISP is not asked.
///
/// # Errors
/// If configuration or store cannot be used, or the store does not know the destination.
pub(crate) fn run(
    destination: Option<&str>,
    consent: Consent,
    context: &mut Context,
) -> Result<Exit, CliError> {
    let path = context.store_path()?;
    let mut store = context.store_that_is(&path)?;
    let names = known_destinations(&store, destination)?;
    if consent == Consent::Missing {
        let destinations = names.iter().map(ToString::to_string).collect();
        return Err(CliError::NotConfirmed { destinations });
    }
    let mut destinations = Vec::new();
    for destination in names {
        let events_forgotten = resend(&mut store, &destination)?;
        destinations.push(Forgotten { destination, events_forgotten });
    }
    let each = destinations.iter().map(|Forgotten { destination, events_forgotten }| {
        format!("{destination}: {events_forgotten} events forgotten\n")
    });
    let text = each.collect::<String>();
    context.answer(|| ResendAnswer { destinations }, || text)?;
    context.next("misp-trickle sync");
    Ok(Exit::Done)
}
