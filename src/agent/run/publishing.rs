//! Whether MISP shows as published what is to be: asked once after publishing, and once more with the next run
//! that sends anyway. What MISP does not show then is told in each run, and not asked for again.

use std::collections::BTreeSet;

use crate::{
    delivery::{Call, Reply, WHICH_EVENTS_MAX, Wire},
    history::{EventUpdate, Ledger},
    model::EventUuid,
    plan::{Change, ChangeKind, EventHead, NO_WORKER, Presence, Publish, Publishing},
};

use super::{
    super::{AgentError, Ending, learn, summary::PublishingTally},
    Run,
};

/// Titles in the note about what stays unpublished.
const NAMED_MAX: usize = 3;

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    /// Takes note of how far an event got.
    pub(super) fn follow_publishing(&mut self, head: &EventHead) {
        let is_there = head.presence == Presence::Present;
        if is_there && head.publishing.is_under_way(self.job.settings.publish) {
            self.publishing.insert(head.uuid, head.publishing.clone());
        } else {
            self.publishing.remove(&head.uuid);
        }
    }

    /// Asks what MISP shows of the events that it was to publish.
    pub(super) async fn look_at_publishing(&mut self) -> Result<(), AgentError> {
        let sends = !self.asked_to_publish.is_empty() || self.record.tally.requests > 0;
        if self.ending != Ending::Done || !sends {
            return Ok(());
        }
        let again = self.verified;
        let is_open = |publishing: &Publishing| match publishing {
            Publishing::Asked => true,
            Publishing::Failed(_) => again,
            Publishing::Settled | Publishing::Owed | Publishing::WaitsForRight => false,
        };
        let open = self.publishing.iter().filter(|(_, publishing)| is_open(publishing));
        let open: Vec<EventUuid> = open.map(|(event, _)| *event).collect();
        for events in open.chunks(WHICH_EVENTS_MAX) {
            let call = Call::WhichEvents(events.to_vec());
            let Some(Reply::WhichEvents(shown)) = self.ask_of_publishing(&call).await else {
                return Ok(());
            };
            let shown: BTreeSet<EventUuid> =
                shown.iter().filter(|it| it.published).map(|it| it.event).collect();
            for event in events {
                let is_shown = shown.contains(event) || self.shows_alone(*event).await;
                self.on_shown(*event, is_shown)?;
            }
        }
        Ok(())
    }

    async fn ask_of_publishing(&mut self, call: &Call) -> Option<Reply> {
        let (clock, backoff) = (self.world.clock, self.job.backoff);
        let (destination, tally) = (&mut self.planner.record, &mut self.record.tally);
        let asking = learn::ask_patiently(&*self.wire, call, destination, clock, backoff, tally);
        self.world.before_deadline(asking).await
    }

    /// Events that hold nothing are not in MISP's index: such a one is asked about alone, once it matters.
    async fn shows_alone(&mut self, event: EventUuid) -> bool {
        if !self.bare.contains(&event) || self.asked_to_publish.contains(&event) {
            return false;
        }
        match self.ask_of_publishing(&Call::Metadata(event)).await {
            Some(Reply::Metadata(Some(answer))) => answer.published,
            _ => false,
        }
    }

    fn on_shown(&mut self, event: EventUuid, is_shown: bool) -> Result<(), AgentError> {
        let Some(mut head) = self.ledger.head(&self.job.destination, event)? else { return Ok(()) };
        let kind = match (is_shown, &head.publishing) {
            (true, _) => {
                head.published = Some(true);
                head.publishing = Publishing::Settled;
                ChangeKind::Published
            }
            // Its turn comes with the next run that sends anyway.
            (false, Publishing::Asked) if self.asked_to_publish.contains(&event) => return Ok(()),
            (false, Publishing::Asked) => {
                head.publishing = Publishing::Failed(NO_WORKER.into());
                ChangeKind::Unpublished(NO_WORKER.into())
            }
            (false, _) => return Ok(()),
        };
        self.follow_publishing(&head);
        self.quiet.changes.push(Change { event, attribute: None, kind });
        self.quiet.events.push(EventUpdate { head, attributes: Vec::new() });
        Ok(())
    }

    /// Counts what is not published yet, and says what stays so.
    pub(super) fn sum_up_publishing(&mut self) -> PublishingTally {
        let mut tally = PublishingTally::default();
        let mut named = Vec::new();
        for (event, publishing) in &self.publishing {
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
        if tally.unpublished > 0 {
            let (count, named) = (tally.unpublished, named.join("; "));
            self.note(&format!(
                "unpublished: {count} events are to be published and are not: {named}"
            ));
            self.all_settled = false;
        }
        tally
    }
}

/// The events of a feed that are on their way to being published.
pub(super) fn under_way<'h>(
    heads: impl Iterator<Item = &'h EventHead>,
    publish: Publish,
) -> impl Iterator<Item = (EventUuid, Publishing)> {
    let open = heads.filter(move |head| {
        head.presence == Presence::Present && head.publishing.is_under_way(publish)
    });
    open.map(|head| (head.uuid, head.publishing.clone()))
}
