//! Which conversation finds out whether MISP takes a colour from this key, and which wait for that.

use std::collections::BTreeMap;

use crate::model::EventUuid;

use super::Session;

/// So many conversations are enough to choose from.
pub(super) const WAITING_MAX: usize = 24;

impl Session {
    /// Whether a conversation has to wait until it is known that MISP takes a colour from this key. What is in
    /// trouble holds nobody back, and waits for nobody.
    pub(super) fn waits_for_a_colour(&mut self, uuid: EventUuid) -> bool {
        let talk = self.talks.get(&uuid).filter(|talk| !talk.stands_back());
        let Some(proof) = talk.and_then(|talk| talk.proof(&self.book)) else {
            return false;
        };
        // All others wait for the first event, whoever was to prove the colour among them: so it does.
        if self.firsts.is_first(uuid) {
            self.proving.insert(proof.colour, uuid);
            return false;
        }
        let waits = self.proving.get(&proof.colour) != Some(&uuid);
        if waits {
            self.held_back.push(uuid);
        }
        waits
    }

    /// Of those that wait for a colour that nobody finds out about, the one for which that costs least does. It is
    /// chosen once those that may wait for it are known, or enough of them: each colour costs a request, and not more
    /// than it has to.
    pub(super) fn choose_provers(&mut self) {
        let more_may_come = self.expects_more() && self.held_back.len() < WAITING_MAX;
        if !self.ready.is_empty() || more_may_come {
            return;
        }
        let mut cheapest = BTreeMap::new();
        let mut waiting = std::mem::take(&mut self.held_back);
        for uuid in &waiting {
            let Some(proof) = self.talks.get(uuid).and_then(|talk| talk.proof(&self.book)) else {
                self.ready.push_back(*uuid);
                continue;
            };
            if !self.proving.contains_key(&proof.colour) {
                let price = (proof.price(), *uuid);
                let least = cheapest.entry(proof.colour).or_insert(price);
                *least = price.min(*least);
            }
        }
        for (colour, (_, uuid)) in cheapest {
            self.proving.insert(colour, uuid);
            self.ready.push_back(uuid);
        }
        waiting.retain(|uuid| !self.ready.contains(uuid));
        self.held_back = waiting;
    }

    /// Lets those go on that waited for a colour to be proven, once it is, or whoever was to prove it is done.
    pub(super) fn let_go(&mut self) {
        let (book, talks) = (&self.book, &self.talks);
        let still = |colour: &str, uuid: &EventUuid| {
            let talk = talks.get(uuid).filter(|talk| !talk.stands_back());
            talk.and_then(|talk| talk.proof(book)).is_some_and(|proof| *proof.colour == *colour)
        };
        let before = self.proving.len();
        self.proving.retain(|colour, uuid| still(colour, uuid));
        if self.proving.len() < before {
            self.ready.extend(self.held_back.drain(..));
        }
    }
}
