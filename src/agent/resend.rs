//! After a loss: the ledger forgets that MISP had anything.

use crate::{
    history::{Commit, EventUpdate, Ledger},
    model::DestinationName,
    plan::Presence,
};

use super::{AgentError, lost};

/// Events that are forgotten in one step.
const EVENTS_PER_COMMIT: usize = 100;

/// Forgets that MISP holds anything of a destination, for one that lost everything: the next
/// [`sync`](super::sync) sends it all again. What analysts declined stays declined. Gives the number of
/// events that were forgotten.
///
/// # Errors
/// If the ledger cannot be read or written.
pub fn resend<L: Ledger>(ledger: &mut L, destination: &DestinationName) -> Result<u64, AgentError> {
    let run = ledger.last_run()?;
    let mut known = ledger.heads(destination)?;
    known.retain(|head| head.presence == Presence::Present);
    // First of all: after an interruption the next run has to look at every event again.
    if let Some(mut record) = ledger.destination(destination)? {
        record.asked = None;
        record.verified = None;
        let feeds: Vec<_> = record.named_feeds().cloned().collect();
        ledger.commit(
            destination,
            run,
            Commit { destination: Some(record), ..Commit::default() },
        )?;
        for feed in feeds {
            let Some(cursor) = ledger.cursor(&feed, destination)? else { continue };
            let cursor = Some((feed, cursor.unsettled()));
            ledger.commit(destination, run, Commit { cursor, ..Commit::default() })?;
        }
    }
    for heads in known.chunks(EVENTS_PER_COMMIT) {
        let mut events = Vec::new();
        for head in heads {
            let Some(event) = ledger.event(destination, head.uuid)? else { continue };
            events.push(EventUpdate::whole(lost::forget(event)));
        }
        ledger.commit(destination, run, Commit { events, ..Commit::default() })?;
    }
    Ok(known.len() as u64)
}
