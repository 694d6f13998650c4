//! All that an index has to lead to, a portion at a time: for whoever makes it, and for whoever compares.

use std::ops::Deref;

use crate::{
    history::{Leads, Ledger, LedgerError, PlaceLosses},
    model::DestinationName,
    store::{
        Store,
        record::{
            AliasesV1, decode_changes,
            keys::{self},
        },
    },
};

use super::postings::Postings;

/// Records that are read at once.
const RECORDS_PER_STEP: usize = 2_000;
/// Postings of a portion, and those of the attribute or place that makes it full.
const PORTION: usize = 128_000;

/// Gets a portion, with its destination; that of aliases has no name.
pub(super) type Sink<'a, S> =
    dyn FnMut(&mut S, &DestinationName, Postings) -> Result<(), LedgerError> + 'a;

/// A store that is read, and who gets what it has: the store too, which may be written to.
pub(super) struct Gather<'s, 'a, S> {
    pub(super) store: &'s mut S,
    pub(super) sink: &'a mut Sink<'a, S>,
    pub(super) portion: Postings,
}

impl<S: Deref<Target = Store>> Gather<'_, '_, S> {
    /// Reads everything.
    pub(super) fn all(mut self) -> Result<(), LedgerError> {
        self.aliases()?;
        for destination in self.store.destinations()? {
            self.events(&destination)?;
            self.losses(&destination)?;
        }
        self.changes()
    }

    fn aliases(&mut self) -> Result<(), LedgerError> {
        let nowhere = DestinationName::new("");
        for key in keys::alias_buckets() {
            let Some(body) = self.store.read().record(&key)? else { continue };
            let bucket = keys::alias_bucket(&key).expect("it was made of a bucket");
            let pairs: Vec<_> = body.decode::<AliasesV1<'_>>("aliases")?.pairs().collect();
            self.portion.aliases(bucket, pairs.iter().map(|(alias, _)| alias));
            self.give_when_full(&nowhere)?;
        }
        self.give(&nowhere)
    }

    fn events(&mut self, destination: &DestinationName) -> Result<(), LedgerError> {
        for head in self.store.heads(destination)? {
            let Some(event) = self.store.event(destination, head.uuid)? else { continue };
            for known in event.attributes.values() {
                let mut leads = Leads::default();
                leads.attribute(known);
                self.portion.event(head.uuid, leads);
                self.give_when_full(destination)?;
            }
            let mut leads = Leads::default();
            leads.head(&head);
            self.portion.event(head.uuid, leads);
            self.give_when_full(destination)?;
        }
        self.give(destination)
    }

    fn losses(&mut self, destination: &DestinationName) -> Result<(), LedgerError> {
        let feeds = self.store.destination(destination)?.unwrap_or_default().feeds.len();
        for feed in (0..=u8::MAX).take(feeds) {
            for place in self.store.loss_places(destination, feed)? {
                let losses = self.store.losses(destination, &place)?;
                self.portion.losses(&place, &PlaceLosses::default(), &losses);
                self.give_when_full(destination)?;
            }
        }
        self.give(destination)
    }

    fn changes(&mut self) -> Result<(), LedgerError> {
        for run in self.store.runs()? {
            let (prefix, mut after) = (keys::changes(run.number), Vec::new());
            loop {
                let chunks = self.store.engine.page(&prefix, &after, RECORDS_PER_STEP)?;
                let Some((last, _)) = chunks.last() else { break };
                after.clone_from(last);
                for (key, value) in &chunks {
                    let Some((run, commit, part)) = keys::change_numbers(key) else { continue };
                    let mut changes = Vec::new();
                    decode_changes(&self.store.read().body(key, value)?, &mut changes)?;
                    self.portion.changes(&changes, (run.0, commit, part));
                }
                self.give_when_full(&run.destination)?;
            }
            self.give(&run.destination)?;
        }
        Ok(())
    }

    fn give_when_full(&mut self, destination: &DestinationName) -> Result<(), LedgerError> {
        if self.portion.len() < PORTION { Ok(()) } else { self.give(destination) }
    }

    fn give(&mut self, destination: &DestinationName) -> Result<(), LedgerError> {
        let portion = std::mem::take(&mut self.portion);
        if portion.len() == 0 { Ok(()) } else { (self.sink)(self.store, destination, portion) }
    }
}
