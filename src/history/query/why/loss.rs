//! What did not reach MISP.

use crate::{
    history::{KnownLoss, Ledger, LedgerError, LossOf, LossPlace},
    model::{DestinationName, FeedName},
    plan::{DestinationRecord, EventHead},
};

use super::{Answer, FoundBy, Remedy, Search, remedy};

/// What is known of an occurrence that gave no attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LossAnswer {
    /// How it was found.
    pub found_by: FoundBy,
    /// The feed whose dataset has it, or had it.
    pub feed: FeedName,
    /// Of what it is.
    pub of: LossOf,
    /// The event that lacks it, where it is of one that is known by now.
    pub event: Option<EventHead>,
    /// The loss: entity, kind, value, reason, and in which runs.
    pub known: KnownLoss,
    /// What would change it.
    pub remedies: Vec<Remedy>,
}

/// What became of a loss that is none any more: which of these is not kept.
pub const NO_LONGER_LOST: &str = "it left the dataset, is linked or mapped now, or lost otherwise";

impl LossAnswer {
    /// Why there is no event to name.
    #[must_use]
    pub const fn without_event(&self) -> &'static str {
        match self.of {
            LossOf::Unlinked(_) => "no incident reaches that entity",
            LossOf::Event(_) => "that of its incident is not known yet",
        }
    }
}

impl Search<'_> {
    /// Looks among the losses of one place.
    pub(super) fn losses_of(&mut self, place: &LossPlace) -> Result<(), LedgerError> {
        if !self.may_read(0) {
            return Ok(());
        }
        let losses = self.ledger.losses(self.destination, place)?;
        self.may_read(losses.len());
        let Some(feed) = self.record.feeds.get(usize::from(place.feed)) else { return Ok(()) };
        let event = match place.of {
            LossOf::Event(event) if !losses.is_empty() => {
                self.ledger.head(self.destination, event)?
            }
            LossOf::Event(_) | LossOf::Unlinked(_) => None,
        };
        for known in losses {
            let root = event.as_ref().map(|head| &head.root);
            let Some(found_by) = self.asked.in_loss(&known.loss, root, self.depth) else {
                continue;
            };
            if !self.accepts(found_by) {
                continue;
            }
            self.finds_of(found_by).push(|| {
                let (feed, event, of) = (feed.clone(), event.clone(), place.of);
                let remedies = vec![remedy::of_loss(&known)];
                Answer::Loss(Box::new(LossAnswer { found_by, feed, of, event, known, remedies }))
            });
        }
        Ok(())
    }
}

/// The feeds of which losses are counted and none is kept.
pub(super) fn unkept(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    record: &DestinationRecord,
) -> Result<Vec<FeedName>, LedgerError> {
    let mut unkept = Vec::new();
    for (feed, place) in record.feed_bits() {
        if counts_losses(ledger, destination, feed)? && !ledger.has_losses(destination, place)? {
            unkept.push(feed.clone());
        }
    }
    Ok(unkept)
}

/// Whether the last run of a feed that read its dataset counted losses.
fn counts_losses(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    feed: &FeedName,
) -> Result<bool, LedgerError> {
    let Some(cursor) = ledger.cursor(feed, destination)? else { return Ok(false) };
    let run = ledger.run(cursor.run)?;
    Ok(run.is_some_and(|run| run.dataset.mapping.lost_total() > 0))
}
