//! A ledger of plain maps: for plans without a store, for tests, and as the model that the store is
//! compared with.

use std::collections::BTreeMap;

use crate::{
    misp::attribute_uuid,
    model::{DestinationName, Digest, EntityKey, EventUuid, FeedName, RunNumber},
    plan::{DestinationRecord, EventHead, KnownEvent},
};

use super::{
    Change, Commit, Cursor, EventUpdate, Found, Ledger, LedgerError, LossPlace, PlaceLosses,
    RunRecord,
};

/// Everything a ledger knows, in memory; it is gone when dropped. No question to it can fail.
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger {
    destinations: BTreeMap<DestinationName, DestinationRecord>,
    events: BTreeMap<(DestinationName, EventUuid), KnownEvent>,
    aliases: BTreeMap<EntityKey, EntityKey>,
    rules: BTreeMap<Digest, String>,
    cursors: BTreeMap<(FeedName, DestinationName), Cursor>,
    runs: BTreeMap<RunNumber, RunRecord>,
    changes: BTreeMap<RunNumber, Vec<Change>>,
    losses: BTreeMap<(DestinationName, LossPlace), PlaceLosses>,
    /// The newest number that a run has.
    begun: RunNumber,
}

impl MemoryLedger {
    fn update(&mut self, destination: &DestinationName, update: EventUpdate) {
        let EventUpdate { head, attributes, .. } = update;
        let uuid = head.uuid;
        let event = self
            .events
            .entry((destination.clone(), uuid))
            .and_modify(|known| known.head = head.clone())
            .or_insert_with(|| KnownEvent { head, attributes: BTreeMap::new() });
        for known in attributes {
            let identity = attribute_uuid(uuid, known.attribute.kind, &known.attribute.value);
            event.attributes.insert(identity, known);
        }
    }
}

impl Ledger for MemoryLedger {
    fn destination(
        &self,
        name: &DestinationName,
    ) -> Result<Option<DestinationRecord>, LedgerError> {
        Ok(self.destinations.get(name).cloned())
    }

    fn head(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<EventHead>, LedgerError> {
        Ok(self.events.get(&(destination.clone(), event)).map(|known| known.head.clone()))
    }

    fn heads(&self, destination: &DestinationName) -> Result<Vec<EventHead>, LedgerError> {
        let of_it = self.events.iter().filter(|((name, _), _)| name == destination);
        Ok(of_it.map(|(_, known)| known.head.clone()).collect())
    }

    fn event(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<KnownEvent>, LedgerError> {
        Ok(self.events.get(&(destination.clone(), event)).cloned())
    }

    fn aliases(&self) -> Result<BTreeMap<EntityKey, EntityKey>, LedgerError> {
        Ok(self.aliases.clone())
    }

    fn rules(&self, fingerprint: &Digest) -> Result<Option<String>, LedgerError> {
        Ok(self.rules.get(fingerprint).cloned())
    }

    fn cursor(
        &self,
        feed: &FeedName,
        destination: &DestinationName,
    ) -> Result<Option<Cursor>, LedgerError> {
        Ok(self.cursors.get(&(feed.clone(), destination.clone())).cloned())
    }

    fn run(&self, number: RunNumber) -> Result<Option<RunRecord>, LedgerError> {
        Ok(self.runs.get(&number).cloned())
    }

    fn runs(&self) -> Result<Vec<RunRecord>, LedgerError> {
        Ok(self.runs.values().rev().cloned().collect())
    }

    fn last_run(&self) -> Result<RunNumber, LedgerError> {
        Ok(self.runs.keys().next_back().copied().unwrap_or_default())
    }

    fn begin_run(&mut self) -> Result<RunNumber, LedgerError> {
        self.begun = self.begun.max(self.last_run()?).next();
        Ok(self.begun)
    }

    fn changes(&self, run: RunNumber) -> Result<Vec<Change>, LedgerError> {
        Ok(self.changes.get(&run).cloned().unwrap_or_default())
    }

    fn losses(
        &self,
        destination: &DestinationName,
        place: &LossPlace,
    ) -> Result<PlaceLosses, LedgerError> {
        Ok(self.losses.get(&(destination.clone(), *place)).cloned().unwrap_or_default())
    }

    fn loss_places(
        &self,
        destination: &DestinationName,
        feed: u8,
    ) -> Result<Vec<LossPlace>, LedgerError> {
        let of_it = |(name, place): &&(DestinationName, LossPlace)| {
            name == destination && place.feed == feed
        };
        Ok(self.losses.keys().filter(of_it).map(|(_, place)| *place).collect())
    }

    fn find(
        &self,
        _destination: &DestinationName,
        _terms: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        Ok(None)
    }

    fn destinations(&self) -> Result<Vec<DestinationName>, LedgerError> {
        Ok(self.destinations.keys().cloned().collect())
    }

    fn commit(
        &mut self,
        destination: &DestinationName,
        run: RunNumber,
        commit: Commit,
    ) -> Result<(), LedgerError> {
        for mut update in commit.events {
            self.changes.entry(run).or_default().append(&mut update.changes);
            self.update(destination, update);
        }
        if let Some(record) = commit.run {
            self.runs.insert(record.number, record);
        }
        if let Some(record) = commit.destination {
            self.destinations.insert(destination.clone(), record);
        }
        if let Some((feed, cursor)) = commit.cursor {
            self.cursors.insert((feed, destination.clone()), cursor);
        }
        for (place, losses) in commit.losses {
            let key = (destination.clone(), place);
            match losses.known.is_empty() {
                true => drop(self.losses.remove(&key)),
                false => drop(self.losses.insert(key, losses)),
            }
        }
        self.aliases.extend(commit.aliases);
        self.rules.extend(commit.rules);
        Ok(())
    }
}
