//! Which incidents need work: the skip key, mapping under old and new rules, and the plan.

mod contents;
mod holding;
mod incident;
mod losses;
mod readers;
mod rest;
mod retirement;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    graph::Graph,
    history::{Ledger, LedgerError, LossPlace},
    mapper::Rules,
    misp::{Claims, Version},
    model::{
        Context, Digest, Encoder, EntityKey, EventUuid, FeedName, Reader, RunNumber, Timestamp,
    },
    plan::{
        self, AttributeTally, DestinationRecord, EventHead, EventPlan, FeedHead, KnownEvent,
        MappingTally, Presence, Refusal, Retire, Stricter, Terms,
    },
};

use super::{Input, Job, Older};
pub(super) use contents::Contents;
pub(super) use holding::note_of;
pub(super) use losses::Losses;
pub(super) use readers::Readers;
pub(super) use rest::{Rest, cursor_policy, policy_of};
pub(super) use retirement::Retirement;

/// What one incident calls for.
#[derive(Debug)]
pub(super) enum Call {
    /// Nothing: it is as it was, and everything of it is settled.
    Nothing(Box<Settled>),
    /// A plan.
    Plan(Box<Planned>),
}

/// An event of which nothing changed.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) feed: FeedHead,
    pub(super) refusal: Option<Refusal>,
    /// What of its losses nobody kept yet.
    pub(super) losses: Losses,
}

/// A plan, and what the feed's head will say once it is carried out.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) plan: EventPlan,
    pub(super) feed: FeedHead,
    /// What of its losses is another now.
    pub(super) losses: Losses,
}

/// What a feed has at a destination.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownEvents {
    /// Number of events that incidents became.
    pub(super) incidents: usize,
    /// Whether it has the event of the rest.
    pub(super) rest: bool,
}

/// Plans the incidents of one dataset, one at a time.
pub(super) struct Planner<'a> {
    job: &'a Job,
    heads: BTreeMap<EventUuid, EventHead>,
    pub(super) record: DestinationRecord,
    pub(super) retirement: Retirement,
    claims: Claims,
    /// The dataset's, once it was looked at.
    graph: Option<&'a Graph>,
    /// The oldest reader first.
    older: Vec<Arc<Older>>,
    feed: u8,
    run: RunNumber,
    now: Timestamp,
    old_rules: BTreeMap<Digest, Option<Rules>>,
    /// Where the feed's losses are kept, once that was asked.
    loss_places: Option<Vec<LossPlace>>,
}

impl KnownEvents {
    /// Whether the feed has nothing there.
    pub(super) const fn is_empty(self) -> bool {
        self.incidents == 0 && !self.rest
    }
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        job: &'a Job,
        heads: Vec<EventHead>,
        record: DestinationRecord,
        feed: u8,
        run: RunNumber,
        now: Timestamp,
    ) -> Self {
        let heads = heads.into_iter().map(|head| (head.uuid, head)).collect();
        let (claims, old_rules, retirement) = (Claims::default(), BTreeMap::new(), Retirement::All);
        Self {
            job,
            heads,
            record,
            retirement,
            claims,
            graph: None,
            older: Vec::new(),
            feed,
            run,
            now,
            old_rules,
            loss_places: None,
        }
    }

    /// Settles which event each incident of the dataset becomes, and keeps what older readers made of it.
    pub(super) fn look_at(&mut self, input: &'a Input) {
        self.graph = Some(&input.graph);
        self.older.clone_from(&input.older);
        let roots = input.graph.roots().map(|(root, entity)| (root, &*entity.kind));
        self.claims = Claims::of(roots, |event| self.heads.get(&event).map(|head| &head.root));
    }

    /// The event that an incident becomes.
    pub(super) fn event_of(&self, root: &EntityKey) -> EventUuid {
        self.claims.event(root)
    }

    /// Fingerprint of all that decides what is sent, the rules aside. MISP's version is part of it: a
    /// refusal is tried again when it changes. So is the reader: unchanged bytes are read again by a newer one.
    pub(super) fn policy(&self) -> Digest {
        self.retirement.under(policy_of(self.job, &self.record))
    }

    /// The version of the MISP that is planned for, as far as it is known.
    fn version(&self) -> Version {
        Version::parse(&self.record.version).unwrap_or(Version::BASE)
    }

    /// The events that this feed has at the destination.
    pub(super) fn known_events(&self) -> KnownEvents {
        let rest = self.job.graph.rest.as_ref().map(|rest| self.event_of(&rest.root));
        let here = self.heads.values().filter(|head| self.feed_head(head).is_some_and(|f| !f.gone));
        let (of_rest, incidents): (Vec<_>, Vec<_>) = here.partition(|head| Some(head.uuid) == rest);
        KnownEvents { incidents: incidents.len(), rest: !of_rest.is_empty() }
    }

    /// What is known of all events, sorted by UUID.
    pub(super) fn heads(&self) -> impl Iterator<Item = &EventHead> {
        self.heads.values()
    }

    /// Whether no event is there, as far as is known.
    pub(super) fn knows_nothing(&self) -> bool {
        self.heads().all(|head| head.presence != Presence::Present)
    }

    /// What is known of an event.
    pub(super) fn head(&self, event: EventUuid) -> Option<&EventHead> {
        self.heads.get(&event)
    }

    /// What this feed last wanted of an event.
    pub(super) fn feed_of(&self, event: EventUuid) -> Option<&FeedHead> {
        self.feed_head(self.heads.get(&event)?)
    }

    /// When it is an event's turn: what an earlier run left pending comes last, each run in another order, so that
    /// what is refused over and over keeps nobody from being tried.
    pub(super) fn turn(&self, event: EventUuid) -> Option<Digest> {
        let left = self.feed_of(event).is_some_and(|feed| feed.attributes.pending > 0);
        left.then(|| self.rank(event))
    }

    /// A place among others, in each run another.
    pub(super) fn rank(&self, event: EventUuid) -> Digest {
        Encoder::new(Context::Event).u64(self.run.0).bytes(event.uuid().as_bytes()).finish()
    }

    /// Takes over what became of an event outside its conversation.
    pub(super) fn learn_head(&mut self, head: EventHead) {
        self.heads.insert(head.uuid, head);
    }

    fn feed_head<'h>(&self, head: &'h EventHead) -> Option<&'h FeedHead> {
        head.feeds.get(&self.job.feed)
    }

    /// Whether any event lacks a tag that MISP refused.
    pub(super) fn has_refused_tags(&self) -> bool {
        self.heads.values().any(|head| head.tags.refused().next().is_some())
    }

    pub(super) fn terms(&self) -> Terms<'_> {
        Terms {
            policy: &self.job.policy,
            settings: &self.job.settings,
            destination: &self.record,
            feed: self.feed,
            retire: self.retirement.of_plan(),
            misp_now: misp_now(&self.record, self.now),
            run: self.run,
            accepted: true,
        }
    }

    /// The newest of the older readers, by which new incidents were last planned.
    fn last_reader(&self) -> Option<&Older> {
        self.older.last().map(AsRef::as_ref)
    }

    /// Whether something of an event waits until somebody accepts it, be it a field alone.
    pub(super) fn holds_back(&self, feed: &FeedHead, tally: &AttributeTally) -> bool {
        let by_terms = feed.reader.is_older() || feed.rules != self.job.rules.fingerprint();
        !feed.gone && (tally.held > 0 || by_terms)
    }

    /// Events that the dataset does not call for any more, those whose last request was never answered, and those that
    /// are to be published again.
    pub(super) fn leftovers(&self, seen: &BTreeSet<EventUuid>) -> Vec<EventUuid> {
        let left = self.heads.values().filter(|head| !seen.contains(&head.uuid));
        let owes = |head: &EventHead| head.owes_publishing(self.job.settings.publish);
        left.filter(|head| self.leaves(head) || head.unproven || owes(head))
            .map(|head| head.uuid)
            .collect()
    }

    fn leaves(&self, head: &EventHead) -> bool {
        self.retirement.takes(head) && self.is_wanted(head)
    }

    /// Whether the feed wants an event.
    fn is_wanted(&self, head: &EventHead) -> bool {
        self.feed_head(head).is_some_and(|feed| !feed.gone)
    }

    /// The plan for one of the [`leftovers`](Self::leftovers).
    pub(super) fn leftover(
        &self,
        uuid: EventUuid,
        ledger: &impl Ledger,
    ) -> Result<Option<Planned>, LedgerError> {
        let Some(known) = ledger.event(&self.job.destination, uuid)? else { return Ok(None) };
        let before = self.feed_head(&known.head).cloned().unwrap_or_else(|| self.empty_head());
        let leaves = self.leaves(&known.head);
        // What another feed left open is looked at, and not wanted by this one.
        let gone = leaves || !self.is_wanted(&known.head);
        let feed = FeedHead { gone, reader: Reader::NOW, place: Some(self.feed), ..before };
        // Where the incident has left, all that it gave has.
        let retire = if leaves { Retire::Yes } else { self.terms().retire };
        let terms = Terms { retire, ..self.terms() };
        let mut plan = plan::diff_gone(known, &terms);
        plan.stirs |= self.stirs(uuid, &feed);
        let losses = if leaves { self.losses_gone(uuid, ledger)? } else { Losses::new() };
        Ok(Some(Planned { plan, feed, losses }))
    }

    /// Whether other feeds have to look at an event again once this one says so of it.
    fn stirs(&self, event: EventUuid, says: &FeedHead) -> bool {
        let head = self.heads.get(&event);
        head.is_some_and(|head| head.stirs(&self.job.feed, says, &self.record))
    }

    /// Whether another feed wants an event.
    pub(super) fn is_shared(&self, event: EventUuid) -> bool {
        let other = |(name, it): (&FeedName, &FeedHead)| *name != self.job.feed && !it.gone;
        self.heads.get(&event).is_some_and(|head| head.feeds.iter().any(other))
    }

    /// What a plan marks stricter than this feed marked it so far.
    pub(super) fn stricter_words(&self, known: KnownEvent, planned: &Planned) -> Option<Stricter> {
        let Planned { plan, feed, .. } = planned;
        plan::stricter_words(known, plan, &self.job.feed, feed, &self.record)
    }

    fn empty_head(&self) -> FeedHead {
        FeedHead {
            graph: Encoder::new(Context::IncidentGraph).finish(),
            rules: self.job.rules.fingerprint(),
            reader: Reader::NOW,
            policy: self.policy(),
            settled: true,
            gone: true,
            place: Some(self.feed),
            marking: None,
            attributes: AttributeTally::default(),
            mapping: MappingTally::default(),
        }
    }
}

/// MISP's clock, in the seconds that it can store: its column holds 31 bits.
pub(super) fn misp_now(record: &DestinationRecord, now: Timestamp) -> i64 {
    now.seconds().saturating_add(record.clock_offset_seconds).clamp(0, i64::from(i32::MAX))
}
