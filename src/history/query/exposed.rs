//! How much is exposed now, counted anew only where something changed.

use std::collections::BTreeMap;

use crate::{
    history::{Ledger, LedgerError},
    model::{DestinationName, Digest, EventUuid},
    plan::KnownEvent,
};

/// The exposed attributes of events, so that only those are read again that changed.
#[derive(Debug, Default)]
pub struct ExposedCount(BTreeMap<DestinationName, BTreeMap<EventUuid, (Digest, u64)>>);

impl ExposedCount {
    /// How many there are at a destination.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn at(
        &mut self,
        ledger: &dyn Ledger,
        destination: &DestinationName,
    ) -> Result<u64, LedgerError> {
        let mut before = self.0.remove(destination).unwrap_or_default();
        let mut now = BTreeMap::new();
        for (uuid, fingerprint) in ledger.fingerprints(destination)? {
            let count = match before.remove(&uuid) {
                Some((of, count)) if of == fingerprint => count,
                _ => ledger.event(destination, uuid)?.as_ref().map_or(0, exposed),
            };
            now.insert(uuid, (fingerprint, count));
        }
        let count = now.values().map(|(_, count)| count).sum();
        self.0.insert(destination.clone(), now);
        Ok(count)
    }
}

/// Of what an earlier release found the history alone tells which attributes it is; the head says how many.
fn exposed(event: &KnownEvent) -> u64 {
    let told = event.attributes.values().filter(|known| known.exposed.is_some()).count() as u64;
    let planned = event.head.feeds.values().map(|feed| feed.attributes.exposed).max();
    if told > 0 { told } else { planned.unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::query::{
        status,
        testing::{event_uuid, ledger, main_destination},
    };

    #[test]
    fn as_many_are_counted_as_the_status_names() {
        let (mut ledger, mut count) = (ledger(), ExposedCount::default());
        let told = |ledger: &_| status(ledger, &main_destination()).unwrap().exposed.len() as u64;
        for left in [1, 0] {
            assert_eq!(count.at(&ledger, &main_destination()).unwrap(), left);
            assert_eq!(told(&ledger), left);
            let event = ledger.events.get_mut(&(main_destination(), event_uuid())).unwrap();
            event.attributes.values_mut().for_each(|known| known.exposed = None);
            event.head.feeds.values_mut().for_each(|feed| feed.attributes.exposed = 0);
        }
    }
}
