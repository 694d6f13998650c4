//! MISP's list against the ledger: what is there is adopted, what an analyst removed is declined.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    delivery::{AttributeResult, Listed},
    misp::{Attribute, collation_key, stored_forms},
    model::AttributeUuid,
    plan::{BlockedReason, DestinationRecord, Row, Standing, has_come},
};

use super::{Conversation, Phase, metadata::is_time};

impl Conversation {
    /// Takes over what a listing says. Afterwards the queue holds only what is certainly not there.
    pub(super) fn reconcile(&mut self, listed: &[Listed], book: &mut DestinationRecord) -> Phase {
        let rows: Vec<Row> = listed.iter().map(|each| each.row).collect();
        self.take_rows(&rows);
        self.note_edited_values(listed);
        self.adopt_by_value(listed);
        self.settle_disputes(listed);
        self.settle_pending();
        self.see_own_colours(listed, book);
        self.remark();
        self.retime();
        self.misp.is_proven = true;
        self.event.tell_head();
        Phase::Open
    }

    /// What MISP does not hold takes the stricter marking that it got in the dataset since its bytes were chosen.
    /// Its timestamp stays: should an older request arrive after all, neither overwrites the other.
    pub(super) fn remark(&mut self) {
        for (key, desired) in std::mem::take(&mut self.outbox.remarked) {
            if self.event.is_pending(key)
                && let Some(known) = self.event.attribute_mut(key)
            {
                let uuid = known.attribute.uuid;
                known.attribute = Attribute { uuid, ..desired.attribute };
                known.marking = desired.marking;
            }
        }
    }

    /// What MISP does not hold, and was to go with a timestamp that has not come, gets one that has: it was
    /// chosen by a clock that stood wrong.
    pub(super) fn retime(&mut self) {
        let now = self.manners.misp_now;
        for key in &self.outbox.queue {
            let is_ahead = self.event.attribute(*key).is_some_and(|known| {
                let chosen = known.timestamp.filter(|_| known.order.is_none());
                chosen.is_some_and(|timestamp| !has_come(timestamp, now))
            });
            if is_ahead && let Some(known) = self.event.attribute_mut(*key) {
                known.timestamp = Some(now);
            }
        }
    }

    /// Takes MISP's order, timestamps and deletions over, by UUID.
    pub(super) fn take_rows(&mut self, rows: &[Row]) {
        (self.misp.miscounted, self.misp.moved) = (false, false);
        self.lacks_nothing();
        self.note_order(rows);
        self.note_proof(rows);
        let attributes = self.event.attributes().iter();
        let keys: BTreeMap<AttributeUuid, AttributeUuid> =
            attributes.map(|(key, known)| (known.attribute.uuid, *key)).collect();
        let mut unseen: BTreeSet<AttributeUuid> = self.event.attributes().keys().copied().collect();
        let mut foreign = Vec::new();
        for (order, row) in (0..).zip(rows) {
            match keys.get(&row.uuid) {
                Some(key) => {
                    unseen.remove(key);
                    self.take_row(*key, order, *row);
                }
                None => foreign.push((order, *row)),
            }
        }
        if self.event.head().foreign != foreign {
            self.event.head_mut().foreign = foreign;
        }
        for key in unseen {
            self.take_absence(key);
        }
        if !self.misp.covered {
            self.see_cover();
        }
    }

    fn take_row(&mut self, key: AttributeUuid, order: u32, row: Row) {
        let Some(known) = self.event.attribute(key) else { return };
        // What is no time says nothing of when it was changed.
        let timestamp =
            known.timestamp.filter(|_| !is_time(row.timestamp)).unwrap_or(row.timestamp);
        let is_as_sent = known.timestamp == Some(timestamp);
        // Otherwise what we attached to it moved it.
        let was_known = known.order.is_some();
        let is_there = known.standing.is_in_misp() && !row.deleted;
        let is_overruled = is_there && was_known && !is_as_sent && !known.overruled;
        let standing = match (row.deleted, &known.standing) {
            (true, Standing::Declined) | (false, Standing::Sent | Standing::Adopted) => None,
            (true, _) => Some(Standing::Declined),
            // Our own UUID and timestamp on it: it is what we sent, and a quiet request that is still to be proven
            // becomes sent by the proof. Others: somebody else sent the same.
            (false, _) if known.attribute.uuid == key && is_as_sent => {
                (!self.event.unproven.contains(&key)).then_some(Standing::Sent)
            }
            (false, _) => Some(Standing::Adopted),
        };
        self.event.place(key, order, timestamp);
        if is_overruled {
            self.event.overrule(key);
        } else if let Some(standing) = standing {
            self.event.set_standing(key, standing);
        }
    }

    /// MISP does not list it. What we know as delivered was deleted for good by somebody.
    fn take_absence(&mut self, key: AttributeUuid) {
        let Some(known) = self.event.attribute(key) else { return };
        let (was_known, was_there) = (known.order.is_some(), known.standing.is_in_misp());
        if was_known && let Some(known) = self.event.attribute_mut(key) {
            known.order = None;
        }
        if was_there {
            self.event.set_standing(key, Standing::Declined);
        }
    }

    fn note_edited_values(&mut self, listed: &[Listed]) {
        let by_uuid: BTreeMap<AttributeUuid, &Listed> =
            listed.iter().map(|each| (each.row.uuid, each)).collect();
        let mut edited = Vec::new();
        for (key, known) in self.event.attributes() {
            let there = by_uuid.get(&known.attribute.uuid);
            let other = there.is_some_and(|there| !is_value_of(there, &known.attribute));
            if other && !known.overruled {
                edited.push(*key);
            }
        }
        for key in edited {
            self.event.overrule(key);
        }
    }

    /// A value that stands there under another UUID is adopted as it is.
    fn adopt_by_value(&mut self, listed: &[Listed]) {
        let mut wanted: BTreeMap<(&str, Cow<'_, str>), AttributeUuid> = BTreeMap::new();
        for (key, known) in self.event.attributes() {
            if known.order.is_none() && known.standing == Standing::Pending {
                let Attribute { kind, value, .. } = &known.attribute;
                for form in stored_forms(*kind, value) {
                    wanted.entry((kind.name(), form)).or_insert(*key);
                }
            }
        }
        let ours: BTreeSet<AttributeUuid> =
            self.event.attributes().values().map(|known| known.attribute.uuid).collect();
        let mut adopted = BTreeMap::new();
        for (order, each) in (0..).zip(listed) {
            if each.row.deleted || ours.contains(&each.row.uuid) {
                continue;
            }
            if let Some(key) = wanted.remove(&(&*each.kind, Cow::Borrowed(&*each.value))) {
                adopted.entry(key).or_insert((order, each.row));
            }
        }
        for (key, (order, row)) in adopted {
            let Some(known) = self.event.attribute_mut(key) else { continue };
            known.attribute.uuid = row.uuid;
            self.event.place(key, order, row.timestamp);
            self.event.head_mut().foreign.retain(|(_, foreign)| foreign.uuid != row.uuid);
            self.event.set_standing(key, Standing::Adopted);
        }
    }

    /// Decides what a taken UUID or a similar value was, now that the event is listed.
    fn settle_disputes(&mut self, listed: &[Listed]) {
        for (key, result) in std::mem::take(&mut self.event.disputed) {
            if !self.event.is_pending(key) {
                continue;
            }
            match result {
                AttributeResult::UuidTaken => {
                    let why = BlockedReason::UuidTaken;
                    self.event.set_standing(key, Standing::Blocked(why));
                }
                AttributeResult::Similar => self.reject(key, self.similar_words(key, listed)),
                AttributeResult::Refused(words) => self.reject(key, words),
                AttributeResult::Saved { .. } | AttributeResult::Unmentioned => {
                    self.outbox.send_loudly(key);
                }
            }
        }
    }

    fn similar_words(&self, key: AttributeUuid, listed: &[Listed]) -> Box<str> {
        let ours = self.event.attribute(key).map(|known| &known.attribute);
        let folded = ours.map(|it| (it.kind.name(), collation_key(it.value.as_str())));
        let other = listed.iter().find(|each| {
            !each.row.deleted && folded == Some((&*each.kind, collation_key(&each.value)))
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
        for key in std::mem::take(&mut self.event.unproven) {
            let Some(known) = self.event.attribute(key).filter(|_| self.event.is_pending(key))
            else {
                continue;
            };
            match known.order {
                Some(_) => self.event.set_standing(key, Standing::Sent),
                None => self.outbox.send_loudly(key),
            }
        }
        self.outbox.queue.retain(|key| self.event.is_pending(*key));
    }
}

fn is_value_of(listed: &Listed, ours: &Attribute) -> bool {
    *listed.kind == *ours.kind.name()
        && (*listed.value == *ours.value.as_str()
            || stored_forms(ours.kind, &ours.value).iter().any(|form| **form == *listed.value))
}
