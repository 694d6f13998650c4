//! Which MISP a destination is, by what the store keeps of it and of the others.

use crate::{
    delivery::{Call, Reply},
    history::{Ledger, LedgerError},
    model::DestinationName,
    plan::DestinationRecord,
};

use super::lost;

/// Whether the configuration has another address than the one at which MISP last said who it is.
#[must_use]
pub fn is_at_new_url(record: &DestinationRecord, url: &str) -> bool {
    record.asked.is_some() && record.url != url
}

/// Whether MISP was found at another address than before, or says that the key is of another organisation.
#[must_use]
pub fn has_moved(before: &DestinationRecord, now: &DestinationRecord) -> bool {
    before.url != now.url || (before.org.is_some() && before.org != now.org)
}

/// Whether the ledger knows of anything that a destination holds: where it does not, any MISP may be the one.
///
/// # Errors
/// If the ledger cannot be read.
pub fn holds_anything<L: Ledger + ?Sized>(
    ledger: &L,
    destination: &DestinationName,
) -> Result<bool, LedgerError> {
    Ok(which_question(ledger, destination)?.is_some())
}

/// The question by which a MISP shows whether it is the one that was sent to, where the ledger knows of anything there.
///
/// # Errors
/// If the ledger cannot be read.
pub fn which_question<L: Ledger + ?Sized>(
    ledger: &L,
    destination: &DestinationName,
) -> Result<Option<Call>, LedgerError> {
    Ok(lost::question(ledger.heads(destination)?.iter(), usize::MAX))
}

/// Whether it is another, by its answer to [`which_question`]; `None` where that does not tell.
#[must_use]
pub fn is_another(question: &Call, reply: &Reply) -> Option<bool> {
    lost::is_stranger(question, reply)
}

/// The other destination whose MISP this is by the store: the one that was asked at this address, or whom it said to be
/// what it says now, which is not what it said for this destination before.
///
/// # Errors
/// If the ledger cannot be read.
pub fn whose<L: Ledger + ?Sized>(
    ledger: &L,
    destination: &DestinationName,
    before: &DestinationRecord,
    now: &DestinationRecord,
) -> Result<Option<DestinationName>, LedgerError> {
    // Another key at the address of before is another key of the same MISP.
    if before.url == now.url {
        return Ok(None);
    }
    for name in ledger.destinations()?.into_iter().filter(|name| name != destination) {
        let Some(other) = ledger.destination(&name)?.filter(|it| it.asked.is_some()) else {
            continue;
        };
        if other.url == now.url || is_said_of(&other, before, now) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Whether what MISP says now of the key is what it said for another destination, and not what it said before.
fn is_said_of(
    other: &DestinationRecord,
    before: &DestinationRecord,
    now: &DestinationRecord,
) -> bool {
    let key = |it: &DestinationRecord| it.key_mark;
    let user = |it: &DestinationRecord| it.user.and(Some((it.org, it.org_id, it.user)));
    let has_its_key = key(now).is_some() && key(now) == key(other) && key(now) != key(before);
    has_its_key || (user(now).is_some() && user(now) == user(other) && user(now) != user(before))
}
