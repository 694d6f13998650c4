//! What did not reach MISP.

use crate::{
    history::{KnownLoss, Ledger, LedgerError, LossOf, LossPlace},
    model::{DestinationName, FeedName},
    plan::{DestinationRecord, EventHead},
};

use super::{Answer, Finds, FoundBy, Remedy, asked::Asked, remedy};

/// What is known of an occurrence that gave no attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LossAnswer {
    /// How it was found.
    pub found_by: FoundBy,
    /// The feed whose dataset has it, or had it.
    pub feed: FeedName,
    /// The event that lacks it; none where no incident reaches the entity that holds it.
    pub event: Option<EventHead>,
    /// The loss: entity, kind, value, reason, and in which runs.
    pub known: KnownLoss,
    /// What would change it.
    pub remedies: Vec<Remedy>,
}

/// Looks among the losses of all feeds, and gives the feeds of which some are counted and none is kept.
pub(super) fn find(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    record: &DestinationRecord,
    asked: &Asked,
    whole: &mut Finds,
    part: &mut Finds,
) -> Result<Vec<FeedName>, LedgerError> {
    let mut unkept = Vec::new();
    let feeds = record.feeds.iter().zip(0..).filter(|(name, _)| !name.as_str().is_empty());
    for (feed, place) in feeds {
        let places = ledger.loss_places(destination, place)?;
        if places.is_empty() && counts_losses(ledger, destination, feed)? {
            unkept.push(feed.clone());
        }
        for place in &places {
            in_place(ledger, destination, (feed, place), asked, whole, part)?;
        }
    }
    Ok(unkept)
}

fn in_place(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    (feed, place): (&FeedName, &LossPlace),
    asked: &Asked,
    whole: &mut Finds,
    part: &mut Finds,
) -> Result<(), LedgerError> {
    let event = match place.of {
        LossOf::Unlinked(_) => None,
        LossOf::Event(event) => ledger.head(destination, event)?,
    };
    for known in ledger.losses(destination, place)? {
        let root = event.as_ref().map(|head| &head.root);
        let Some(found_by) = asked.in_loss(&known.loss, root) else { continue };
        let finds = if found_by.is_whole() { &mut *whole } else { &mut *part };
        finds.push(|| {
            let (feed, event) = (feed.clone(), event.clone());
            let remedies = vec![remedy::of_loss(&known)];
            Answer::Loss(Box::new(LossAnswer { found_by, feed, event, known, remedies }))
        });
    }
    Ok(())
}

/// Whether the last run of a feed that read its dataset counted losses.
fn counts_losses(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    feed: &FeedName,
) -> Result<bool, LedgerError> {
    let Some(cursor) = ledger.cursor(feed, destination)? else { return Ok(false) };
    let run = ledger.run(cursor.run)?;
    Ok(run.is_some_and(|run| run.dataset.mapping.lost.values().any(|count| *count > 0)))
}
