//! MISP's list against the ledger: what is there is adopted, what an analyst removed is declined.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    delivery::{AttributeResult, Listed},
    misp::{Attribute, stored_forms},
    model::AttributeUuid,
    plan::{BlockedReason, ChangeKind, DestinationRecord, KnownAttribute, Row, Standing, has_come},
};

use super::{Conversation, Ground};

impl Conversation {
    /// Takes over what a listing says. Afterwards the queue holds only what is certainly not there.
    pub(super) fn reconcile(&mut self, listed: &[Listed], book: &mut DestinationRecord) {
        let rows: Vec<Row> = listed.iter().map(|each| each.row).collect();
        self.take_rows(&rows);
        self.note_edited_values(listed);
        self.adopt_by_value(listed);
        self.settle_disputes(listed);
        self.settle_pending();
        self.see_own_colours(listed, book);
        self.remark();
        self.retime();
        self.ground = Ground::Proven;
        self.head_dirty = true;
    }

    /// What MISP does not hold takes the stricter marking that it got in the dataset since its bytes were chosen.
    /// Its timestamp stays: should an older request arrive after all, neither overwrites the other.
    pub(super) fn remark(&mut self) {
        for (key, desired) in std::mem::take(&mut self.remarked) {
            let known = self.event.attributes.get_mut(&key).expect("keys come from the event");
            if known.standing == Standing::Pending {
                let uuid = known.attribute.uuid;
                known.attribute = Attribute { uuid, ..desired.attribute };
                known.marking = desired.marking;
                self.dirty.insert(key);
            }
        }
    }

    /// What MISP does not hold, and was to go with a timestamp that has not come, gets one that has: it was
    /// chosen by a clock that stood wrong.
    pub(super) fn retime(&mut self) {
        let now = self.manners.misp_now;
        for key in &self.queue {
            let known = self.event.attributes.get_mut(key).expect("keys come from the event");
            let chosen = known.timestamp.is_some_and(|timestamp| !has_come(timestamp, now));
            if chosen && known.order.is_none() {
                known.timestamp = Some(now);
                self.dirty.insert(*key);
            }
        }
    }

    /// Takes MISP's order, timestamps and deletions over, by UUID.
    pub(super) fn take_rows(&mut self, rows: &[Row]) {
        (self.miscounted, self.moved) = (false, false);
        self.note_order(rows);
        self.note_proof(rows);
        let keys: BTreeMap<AttributeUuid, AttributeUuid> =
            self.event.attributes.iter().map(|(key, known)| (known.attribute.uuid, *key)).collect();
        let mut seen = BTreeSet::new();
        let mut foreign = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            let order = u32::try_from(place).expect("limits keep a listing far below 2^32 rows");
            match keys.get(&row.uuid) {
                Some(key) => {
                    seen.insert(*key);
                    self.take_row(*key, order, *row);
                }
                None => foreign.push((order, *row)),
            }
        }
        if self.event.head.foreign != foreign {
            self.event.head.foreign = foreign;
            self.head_dirty = true;
        }
        let unseen: Vec<AttributeUuid> =
            self.event.attributes.keys().filter(|key| !seen.contains(key)).copied().collect();
        for key in unseen {
            self.take_absence(key);
        }
        if !self.covered {
            self.see_cover();
        }
    }

    fn take_row(&mut self, key: AttributeUuid, order: u32, row: Row) {
        let known = self.event.attributes.get_mut(&key).expect("keys come from the event");
        let planned = known.timestamp;
        // Otherwise what we attached to it moved it.
        let was_known = known.order.is_some();
        if known.order != Some(order) || planned != Some(row.timestamp) {
            known.order = Some(order);
            known.timestamp = Some(row.timestamp);
            self.dirty.insert(key);
        }
        let overruled_now = known.standing.is_in_misp()
            && was_known
            && !row.deleted
            && planned != Some(row.timestamp)
            && !known.overruled;
        if overruled_now {
            known.overruled = true;
            self.change(Some(key), ChangeKind::Overruled);
            return;
        }
        let KnownAttribute { standing, attribute, .. } = &self.event.attributes[&key];
        let ours = attribute.uuid == key && planned == Some(row.timestamp);
        match (row.deleted, standing) {
            (true, Standing::Declined) => {}
            (true, _) => self.stand(key, Standing::Declined),
            (false, Standing::Sent | Standing::Adopted) => {}
            // Our own UUID and timestamp on it: it is what we sent. Others: somebody else sent the same.
            (false, _) if ours => {
                // A quiet request that is still to be proven becomes sent by the proof.
                if !self.unproven.contains(&key) {
                    self.stand(key, Standing::Sent);
                }
            }
            (false, _) => self.stand(key, Standing::Adopted),
        }
    }

    /// MISP does not list it. What we know as delivered was deleted for good by somebody.
    fn take_absence(&mut self, key: AttributeUuid) {
        let known = self.event.attributes.get_mut(&key).expect("keys come from the event");
        if known.order.take().is_some() {
            self.dirty.insert(key);
        }
        if self.event.attributes[&key].standing.is_in_misp() {
            self.stand(key, Standing::Declined);
        }
    }

    fn note_edited_values(&mut self, listed: &[Listed]) {
        let by_uuid: BTreeMap<AttributeUuid, &Listed> =
            listed.iter().map(|each| (each.row.uuid, each)).collect();
        let mut edited = Vec::new();
        for (key, known) in &self.event.attributes {
            let there = by_uuid.get(&known.attribute.uuid);
            let other = there.is_some_and(|there| !is_value_of(there, &known.attribute));
            if other && !known.overruled {
                edited.push(*key);
            }
        }
        for key in edited {
            let known = self.event.attributes.get_mut(&key).expect("keys come from the event");
            known.overruled = true;
            self.dirty.insert(key);
            self.change(Some(key), ChangeKind::Overruled);
        }
    }

    /// A value that stands there under another UUID is adopted as it is.
    fn adopt_by_value(&mut self, listed: &[Listed]) {
        let mut wanted: BTreeMap<(&str, Cow<'_, str>), AttributeUuid> = BTreeMap::new();
        for (key, known) in &self.event.attributes {
            if known.order.is_none() && known.standing == Standing::Pending {
                let Attribute { kind, value, .. } = &known.attribute;
                for form in stored_forms(*kind, value) {
                    wanted.entry((kind.name(), form)).or_insert(*key);
                }
            }
        }
        let ours: BTreeSet<AttributeUuid> =
            self.event.attributes.values().map(|known| known.attribute.uuid).collect();
        let mut adopted = BTreeMap::new();
        for (place, each) in listed.iter().enumerate() {
            if each.row.deleted || ours.contains(&each.row.uuid) {
                continue;
            }
            if let Some(key) = wanted.remove(&(&*each.kind, Cow::Borrowed(&*each.value))) {
                adopted.entry(key).or_insert((place, each.row));
            }
        }
        for (key, (place, row)) in adopted {
            let known = self.event.attributes.get_mut(&key).expect("keys come from the event");
            known.attribute.uuid = row.uuid;
            known.order = u32::try_from(place).ok();
            known.timestamp = Some(row.timestamp);
            self.event.head.foreign.retain(|(_, foreign)| foreign.uuid != row.uuid);
            self.stand(key, Standing::Adopted);
        }
    }

    /// Decides what a taken UUID or a similar value was, now that the event is listed.
    fn settle_disputes(&mut self, listed: &[Listed]) {
        for (key, result) in std::mem::take(&mut self.disputed) {
            if self.event.attributes[&key].standing != Standing::Pending {
                continue;
            }
            match result {
                AttributeResult::UuidTaken => {
                    self.stand(key, Standing::Blocked(BlockedReason::UuidTaken));
                }
                AttributeResult::Similar => {
                    let words = self.similar_words(key, listed);
                    self.reject(key, words);
                }
                AttributeResult::Refused(words) => self.reject(key, words),
                AttributeResult::Saved { .. } | AttributeResult::Unmentioned => {
                    self.loud.insert(key);
                    self.queue.push_back(key);
                }
            }
        }
    }

    fn similar_words(&self, key: AttributeUuid, listed: &[Listed]) -> Box<str> {
        let attribute = &self.event.attributes[&key].attribute;
        let folded = crate::misp::collation_key(attribute.value.as_str());
        let other = listed.iter().find(|each| {
            !each.row.deleted
                && *each.kind == *attribute.kind.name()
                && crate::misp::collation_key(&each.value) == folded
        });
        let words = "A similar attribute already exists for this event.";
        match other {
            Some(other) => format!("{words} It is {:?}.", other.value).into(),
            None => words.into(),
        }
    }

    /// The queue keeps what is still pending: somebody else may have brought the rest, or deleted it. What was
    /// taken quietly and is not there goes loudly.
    pub(super) fn settle_pending(&mut self) {
        for key in std::mem::take(&mut self.unproven) {
            let known = &self.event.attributes[&key];
            if known.standing != Standing::Pending {
                continue;
            }
            if known.order.is_some() {
                self.stand(key, Standing::Sent);
            } else {
                self.loud.insert(key);
                self.queue.push_back(key);
            }
        }
        let attributes = &self.event.attributes;
        self.queue.retain(|key| attributes[key].standing == Standing::Pending);
    }
}

fn is_value_of(listed: &Listed, ours: &Attribute) -> bool {
    *listed.kind == *ours.kind.name()
        && (*listed.value == *ours.value.as_str()
            || stored_forms(ours.kind, &ours.value).iter().any(|form| **form == *listed.value))
}
