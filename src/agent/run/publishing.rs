//! Whether MISP shows as published what is to be: asked once after publishing, and once more with the next run
//! that sends anyway. What MISP does not show then is told in each run, and not asked for again.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    delivery::{Call, Reply, Wire},
    history::{EventUpdate, Ledger},
    model::EventUuid,
    plan::{Change, ChangeKind, EventHead, KnownEvent, NO_WORKER, Presence, Publish, Publishing},
};

use super::{
    super::{AgentError, Phase, summary::PublishingTally},
    Run,
    contact::Verified,
};

/// Titles in the note about what stays unpublished.
const NAMED_MAX: usize = 3;

/// What is owed to publishing.
#[derive(Debug)]
pub(in crate::agent) struct Publications {
    publish: Publish,
    /// Events on their way to being published.
    under_way: BTreeMap<EventUuid, Publishing>,
    /// Those that this run asked MISP to publish.
    asked: BTreeSet<EventUuid>,
    /// Events that hold nothing.
    bare: BTreeSet<EventUuid>,
}

impl Publications {
    /// What earlier runs left.
    pub(in crate::agent) fn of<'h>(
        heads: impl Iterator<Item = &'h EventHead>,
        publish: Publish,
    ) -> Self {
        let (under_way, asked, bare) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        let mut publications = Self { publish, under_way, asked, bare };
        heads.for_each(|head| publications.follow(head));
        publications
    }

    /// Takes note of how far an event got.
    pub(super) fn follow(&mut self, head: &EventHead) {
        let is_there = head.presence == Presence::Present;
        if is_there && head.publishing.is_under_way(self.publish) {
            self.under_way.insert(head.uuid, head.publishing.clone());
        } else {
            self.under_way.remove(&head.uuid);
        }
    }

    /// The same of an event whose conversation ended.
    pub(super) fn follow_event(&mut self, event: &KnownEvent) {
        self.follow(&event.head);
        let is_bare = event.attributes.values().all(|known| known.order.is_none());
        self.bare.extend(is_bare.then_some(event.head.uuid));
    }

    /// Whether MISP was asked to publish an event shows in what changes.
    pub(super) fn note_request(&mut self, event: EventUuid, changes: &[Change]) {
        let asked = changes.iter().any(|change| change.kind == ChangeKind::Publishing);
        self.asked.extend(asked.then_some(event));
    }

    /// Events that it has to be asked about; `again`: also those that MISP did not show before.
    pub(in crate::agent) fn open(&self, again: bool) -> Vec<EventUuid> {
        let is_open = |publishing: &Publishing| match publishing {
            Publishing::Asked => true,
            Publishing::Failed(_) => again,
            Publishing::Settled | Publishing::Owed | Publishing::WaitsForRight => false,
        };
        let open = self.under_way.iter().filter(|(_, publishing)| is_open(publishing));
        open.map(|(event, _)| *event).collect()
    }

    /// What an answer means for an event; `None` if it changes nothing.
    fn on_shown(&self, head: &mut EventHead, is_shown: bool) -> Option<ChangeKind> {
        match (is_shown, &head.publishing) {
            (true, _) => {
                head.published = Some(true);
                head.publishing = Publishing::Settled;
                Some(ChangeKind::Published)
            }
            // Its turn comes with the next run that sends anyway.
            (false, Publishing::Asked) if self.asked.contains(&head.uuid) => None,
            (false, Publishing::Asked) => {
                head.publishing = Publishing::Failed(NO_WORKER.into());
                Some(ChangeKind::Unpublished(NO_WORKER.into()))
            }
            (false, _) => None,
        }
    }

    /// Counts what is not published yet, and says what stays so.
    pub(super) fn sum_up(&self) -> (PublishingTally, Option<String>) {
        let mut tally = PublishingTally::default();
        let mut named = Vec::new();
        for (event, publishing) in &self.under_way {
            match publishing.unpublished() {
                None => tally.asked += 1,
                Some(why) => {
                    tally.unpublished += 1;
                    if named.len() < NAMED_MAX {
                        named.push(format!("{event}: {why}"));
                    }
                }
            }
        }
        let (count, named) = (tally.unpublished, named.join("; "));
        let note = (count > 0).then(|| {
            format!("unpublished: {count} events are to be published and are not: {named}")
        });
        (tally, note)
    }
}

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    /// Asks what MISP shows of the events that it was to publish, in a run that sent anything.
    pub(super) async fn look_at_publishing(&mut self) -> Result<(), AgentError> {
        if self.publications.asked.is_empty() && self.totals.record.tally.requests == 0 {
            return Ok(());
        }
        self.totals.tell_progress(Phase::Publishing);
        let open = self.publications.open(self.contact.verified == Verified::Yes);
        let mut open = &open[..];
        while !open.is_empty() {
            // What does not fit into this run is asked about by the next that sends anything.
            let fits = self.contact.allowance().events_that_fit(0);
            let (events, rest) = open.split_at(fits.min(open.len()));
            if events.is_empty() {
                break;
            }
            open = rest;
            let call = Call::WhichEvents(events.to_vec());
            let Ok(Reply::WhichEvents(shown)) = self.ask(&call).await else { return Ok(()) };
            let shown: BTreeSet<EventUuid> =
                shown.iter().filter(|it| it.published).map(|it| it.event).collect();
            for event in events {
                let is_shown = shown.contains(event) || self.shows_alone(*event).await;
                self.on_shown(*event, is_shown)?;
            }
        }
        Ok(())
    }

    /// Events that hold nothing are not in MISP's index: such a one is asked about alone, once it matters.
    async fn shows_alone(&mut self, event: EventUuid) -> bool {
        let Publications { bare, asked, .. } = &self.publications;
        if !bare.contains(&event) || asked.contains(&event) {
            return false;
        }
        match self.ask(&Call::Metadata(event)).await {
            Ok(Reply::Metadata(Some(answer))) => answer.published,
            _ => false,
        }
    }

    fn on_shown(&mut self, event: EventUuid, is_shown: bool) -> Result<(), AgentError> {
        let Some(mut head) = self.journal.head(event)? else { return Ok(()) };
        if let Some(kind) = self.publications.on_shown(&mut head, is_shown) {
            self.publications.follow(&head);
            let changes = vec![Change { event, attribute: None, kind }];
            self.journal.gather(EventUpdate { changes, ..EventUpdate::of(head) });
        }
        Ok(())
    }
}
