//! What did not reach MISP.

use std::collections::BTreeMap;

use crate::{
    history::{KnownLoss, Ledger, LedgerError, LossOf, LossPlace, Term},
    model::{DestinationName, EventUuid, FeedName},
    plan::{DestinationRecord, EventHead},
};

use super::{Answer, FoundBy, Remedy, Search, remedy, search::READ_MAX};

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
    /// How many more its event lost at least, in this feed, than are kept one by one.
    pub more_lost: u64,
    /// What would change it.
    pub remedies: Vec<Remedy>,
}

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
        self.may_read(losses.known.len());
        let Some(feed) = self.record.feeds.get(usize::from(place.feed)) else { return Ok(()) };
        let event = match place.of {
            LossOf::Event(event) if !losses.known.is_empty() => {
                self.ledger.head(self.destination, event)?
            }
            LossOf::Event(_) | LossOf::Unlinked(_) => None,
        };
        let more_lost = match place.of {
            LossOf::Event(_) => losses.unkept(),
            LossOf::Unlinked(_) => 0,
        };
        for known in losses.known {
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
                Answer::Loss(Box::new(LossAnswer {
                    found_by,
                    feed,
                    of,
                    event,
                    known,
                    more_lost,
                    remedies,
                }))
            });
        }
        Ok(())
    }
}

/// How many losses of each feed there are, or were, at least, that are not kept one by one. So much is read as for an answer.
pub(super) fn more_lost(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    record: &DestinationRecord,
) -> Result<BTreeMap<FeedName, u64>, LedgerError> {
    let (mut more, mut left) = (BTreeMap::new(), READ_MAX);
    for place in places_of_more(ledger, destination, record)? {
        let losses = ledger.losses(destination, &place)?;
        if let Some(feed) =
            record.feeds.get(usize::from(place.feed)).filter(|_| losses.unkept() > 0)
        {
            *more.entry(feed.clone()).or_default() += losses.unkept();
        }
        left = left.saturating_sub(1 + losses.known.len());
        if left == 0 {
            break;
        }
    }
    Ok(more)
}

/// Where losses may be that are not kept one by one.
fn places_of_more(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    record: &DestinationRecord,
) -> Result<Vec<LossPlace>, LedgerError> {
    let feeds = record.feed_bits().map(|(_, feed)| feed);
    let Some(found) = ledger.find(destination, &[Term::MoreLosses.fingerprint()])? else {
        let places = feeds.map(|feed| ledger.loss_places(destination, feed));
        return Ok(places.collect::<Result<Vec<_>, _>>()?.concat());
    };
    let of_event = |event: &EventUuid| {
        let of = LossOf::Event(*event);
        record.feed_bits().map(move |(_, feed)| LossPlace { feed, of })
    };
    Ok(found.events.iter().flat_map(of_event).chain(found.losses.iter().copied()).collect())
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
