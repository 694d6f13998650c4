//! What is known of the event, what became of each attribute, and what of that the ledger has to learn.

mod listed;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    delivery::{AttributeResult, TimedAttribute},
    model::{AttributeUuid, EventUuid, RunNumber},
    plan::{
        AttributeTally, Change, ChangeKind, EventHead, EventUpdate, ExposedReason, KnownAttribute,
        KnownEvent, Standing, TagStanding,
    },
};

use listed::Listed;

/// What our writes did to the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Impact {
    /// Nothing.
    None,
    /// One came to nothing that may have changed it all the same.
    Perhaps,
    /// MISP took one.
    Certain,
}

/// One event as it is known, and what became of what was planned.
#[derive(Debug)]
pub(super) struct EventBook {
    known: KnownEvent,
    /// What MISP's list should hold of our attributes; `None` where it has to be counted.
    listed: Option<Listed>,
    run: RunNumber,
    /// Taken by MISP in a quiet call; not proven yet.
    pub(super) unproven: Vec<AttributeUuid>,
    /// Refused as taken or similar; a listing decides what they are.
    pub(super) disputed: BTreeMap<AttributeUuid, AttributeResult>,
    pub(super) impact: Impact,
    /// What the tally counts.
    planned: BTreeSet<AttributeUuid>,
    pub(super) tally: AttributeTally,
    pub(super) notes: Vec<String>,
    news: News,
}

/// What the ledger has to learn.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) head: bool,
    pub(super) attributes: BTreeSet<AttributeUuid>,
    pub(super) changes: Vec<Change>,
}

impl EventBook {
    pub(super) fn new(
        known: KnownEvent,
        run: RunNumber,
        (planned, tally): (BTreeSet<AttributeUuid>, AttributeTally),
        news: News,
    ) -> Self {
        Self {
            known,
            listed: None,
            run,
            unproven: Vec::new(),
            disputed: BTreeMap::new(),
            impact: Impact::None,
            planned,
            tally,
            notes: Vec::new(),
            news,
        }
    }

    pub(super) const fn uuid(&self) -> EventUuid {
        self.known.head.uuid
    }

    pub(super) const fn known(&self) -> &KnownEvent {
        &self.known
    }

    pub(super) fn into_known(self) -> KnownEvent {
        self.known
    }

    pub(super) const fn head(&self) -> &EventHead {
        &self.known.head
    }

    /// The head, to be changed: the ledger learns it.
    pub(super) const fn head_mut(&mut self) -> &mut EventHead {
        self.news.head = true;
        &mut self.known.head
    }

    /// The ledger learns the head, whatever of it changed.
    pub(super) const fn tell_head(&mut self) {
        self.news.head = true;
    }

    /// A write of ours moved the event, to a time that MISP did not tell: none before this one.
    pub(super) fn moved_by_us(&mut self, not_before: i64) {
        self.impact = Impact::Certain;
        let head = self.head_mut();
        head.seen.not_before = head.seen.not_before.max(head.timestamp).max(Some(not_before));
        (head.timestamp, head.published) = (None, Some(false));
    }

    /// A write of ours may have moved the event, and whether it is published is not known any more.
    pub(super) const fn moved_perhaps(&mut self) {
        if matches!(self.impact, Impact::None) {
            self.impact = Impact::Perhaps;
        }
        self.head_mut().published = None;
    }

    /// Notes how a tag stands; whether that is news, which the ledger learns.
    pub(super) fn set_tag(&mut self, tag: &str, standing: TagStanding) -> bool {
        let is_news = self.known.head.tags.set(tag, standing);
        self.news.head |= is_news;
        is_news
    }

    pub(super) const fn attributes(&self) -> &BTreeMap<AttributeUuid, KnownAttribute> {
        &self.known.attributes
    }

    pub(super) fn attribute(&self, key: AttributeUuid) -> Option<&KnownAttribute> {
        self.known.attributes.get(&key)
    }

    /// An attribute, to be changed: the ledger learns it.
    pub(super) fn attribute_mut(&mut self, key: AttributeUuid) -> Option<&mut KnownAttribute> {
        self.listed = None;
        let known = self.known.attributes.get_mut(&key)?;
        self.news.attributes.insert(key);
        Some(known)
    }

    pub(super) fn is_pending(&self, key: AttributeUuid) -> bool {
        self.attribute(key).is_some_and(|known| known.standing == Standing::Pending)
    }

    /// Notes a change for the history, of an attribute or of the event itself.
    pub(super) fn change(&mut self, attribute: Option<AttributeUuid>, kind: ChangeKind) {
        let event = self.uuid();
        self.news.changes.push(Change { event, attribute, kind });
    }

    /// Something that a person should know of the event.
    pub(super) fn note(&mut self, what: &str) {
        self.notes.push(format!("event {}{what}", self.uuid()));
    }

    /// Moves an attribute to another standing, in the tally too if it was planned.
    pub(super) fn set_standing(&mut self, key: AttributeUuid, standing: Standing) {
        let Some(known) = self.known.attributes.get_mut(&key) else { return };
        let is_planned = self.planned.contains(&key);
        if is_planned {
            let before = bucket(&mut self.tally, known, self.run);
            *before = before.saturating_sub(1);
        }
        let listed = Listed::of(known);
        (known.standing, known.since) = (standing, self.run);
        self.listed = self.listed.and_then(|all| all.with(Listed::of(known), listed));
        if is_planned {
            *bucket(&mut self.tally, known, self.run) += 1;
        }
        let kind = ChangeKind::of_standing(&known.standing);
        let is_deleted = known.standing == Standing::Declined;
        self.news.attributes.insert(key);
        if let Some(kind) = kind {
            self.change(Some(key), kind);
        }
        if is_deleted {
            self.end_exposure(key, "it was deleted in MISP");
        }
    }

    /// Something stands in MISP that must not be there as it is.
    pub(super) fn expose(&mut self, key: AttributeUuid, why: ExposedReason) {
        let Some(known) = self.attribute_mut(key) else { return };
        known.exposed = Some(why.clone());
        self.tally.exposed += u64::from(self.planned.contains(&key));
        self.change(Some(key), ChangeKind::Exposed(why));
    }

    /// It is not exposed any more, if it was.
    pub(super) fn end_exposure(&mut self, key: AttributeUuid, why: &str) {
        let known = self.attribute_mut(key);
        if known.is_some_and(|known| known.exposed.take().is_some()) {
            let is_planned = self.planned.contains(&key);
            self.tally.exposed = self.tally.exposed.saturating_sub(u64::from(is_planned));
            self.change(Some(key), ChangeKind::ExposureEnded(why.into()));
        }
    }

    /// An analyst changed it in MISP.
    pub(super) fn overrule(&mut self, key: AttributeUuid) {
        if let Some(known) = self.attribute_mut(key) {
            known.overruled = true;
            self.change(Some(key), ChangeKind::Overruled);
        }
    }

    /// MISP shows an attribute at this place, with this timestamp.
    pub(super) fn place(&mut self, key: AttributeUuid, order: u32, timestamp: i64) {
        let Some(known) = self.known.attributes.get_mut(&key) else { return };
        let shown = (Some(order), Some(timestamp));
        if (known.order, known.timestamp) != shown {
            let listed = Listed::of(known);
            (known.order, known.timestamp) = shown;
            self.listed = self.listed.and_then(|all| all.with(Listed::of(known), listed));
            self.news.attributes.insert(key);
        }
    }

    /// A body was taken, and what of it was dropped is not known yet: it comes last in MISP's order, which the ledger
    /// does not learn before the proof.
    pub(super) fn await_proof(&mut self, body: Vec<AttributeUuid>) {
        for (order, key) in (self.next_order()..).zip(body) {
            if let Some(known) = self.known.attributes.get_mut(&key) {
                let listed = Listed::of(known);
                known.order = Some(order);
                self.listed = self.listed.and_then(|all| all.with(Listed::of(known), listed));
            }
            self.unproven.push(key);
        }
    }

    /// What goes into a body, under UUIDs of ours: what was adopted once is not there any more. What has no timestamp
    /// yet gets MISP's now.
    pub(super) fn body_of(&mut self, keys: &[AttributeUuid], now: i64) -> Vec<TimedAttribute> {
        let mut body = Vec::new();
        for key in keys {
            let Some(known) = self.known.attributes.get_mut(key) else { continue };
            if known.attribute.uuid != *key || known.timestamp.is_none() {
                known.attribute.uuid = *key;
                self.news.attributes.insert(*key);
            }
            let listed = Listed::of(known);
            let timestamp = *known.timestamp.get_or_insert(now);
            self.listed = self.listed.and_then(|all| all.with(Listed::of(known), listed));
            body.push(TimedAttribute { attribute: known.attribute.clone(), timestamp });
        }
        body
    }

    /// Attributes of others and ours that are not deleted, as MISP should count them.
    pub(super) fn live_rows(&mut self) -> u64 {
        let foreign = self.known.head.foreign.iter().filter(|(_, row)| !row.deleted).count();
        foreign as u64 + self.listed().live
    }

    /// The place in MISP's order that the next attribute gets.
    pub(super) fn next_order(&mut self) -> u32 {
        let foreign = self.known.head.foreign.iter().map(|(order, _)| *order).max();
        let behind = foreign.map_or(0, |last| last.saturating_add(1));
        self.listed().next.max(behind)
    }

    /// What MISP's list should hold of our attributes: counted once, and along with each change.
    fn listed(&mut self) -> Listed {
        *self.listed.get_or_insert_with(|| Listed::of_all(self.known.attributes.values()))
    }

    /// What the ledger has to learn, since the last time it was asked.
    pub(super) fn take_update(&mut self) -> Option<EventUpdate> {
        let News { head, attributes, changes } = std::mem::take(&mut self.news);
        if !head && attributes.is_empty() && changes.is_empty() {
            return None;
        }
        let attributes = attributes.iter().filter_map(|key| self.attribute(*key).cloned());
        let (attributes, head) = (attributes.collect(), self.known.head.clone());
        Some(EventUpdate { head, attributes, changes })
    }
}

/// The place in the tally where an attribute counts as it stands.
fn bucket<'t>(
    tally: &'t mut AttributeTally,
    known: &KnownAttribute,
    run: RunNumber,
) -> &'t mut u64 {
    let is_new = known.since == run;
    match known.standing {
        Standing::Pending => &mut tally.pending,
        Standing::Sent if is_new => &mut tally.sent,
        Standing::Adopted if is_new => &mut tally.adopted,
        Standing::Sent | Standing::Adopted => &mut tally.unchanged,
        Standing::Declined => &mut tally.declined,
        Standing::Rejected { .. } => &mut tally.rejected,
        Standing::Withheld(_) => &mut tally.withheld,
        Standing::Held => &mut tally.held,
        Standing::Blocked(_) => &mut tally.blocked,
    }
}
