//! `repair --resend`: forgets what a destination holds, so that the next `sync` sends it all again.

use serde_json::json;

use crate::{
    agent::resend,
    cli::{CliError, Context, Exit, context::known_destinations},
};

/// Whether somebody said that it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// `--yes` was given.
    Given,
    /// It was not: nothing is forgotten.
    Missing,
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
    let mut forgotten = Vec::new();
    for name in names {
        let events = resend(&mut store, &name)?;
        forgotten.push((name, events));
    }
    let json = || {
        let each = forgotten
            .iter()
            .map(|(name, events)| json!({ "destination": name, "events_forgotten": events }));
        json!({
            "schema": "misp-trickle/resend/2",
            "destinations": each.collect::<Vec<_>>(),
        })
    };
    let text = || {
        let each =
            forgotten.iter().map(|(name, events)| format!("{name}: {events} events forgotten\n"));
        each.collect::<String>()
    };
    context.answer(json, text)?;
    context.say("next: misp-trickle sync");
    Ok(Exit::Done)
}
